"""How many promptfoo configurations `llmeval import promptfoo` takes over.

Reads every `*promptfooconfig*.yaml` below a folder, without a network and without running any code
of it. An imported suite counts only if it passes `llmeval validate`.

    python benchmarks/imports.py FOLDER [--list whole|parts|refused]

Prints four shares and the reasons of what is left out, commonest first:

- whole: nothing is left out and nothing has to be filled in;
- to fill in: nothing is left out, but code or an address has to be filled in;
- parts: with `--skip-unknown`; what is left out is listed;
- refused: nothing can be written.

An error that is not a message for the user counts as a crash, and the benchmark then fails.
"""

import argparse
import os
import re
import tempfile
import traceback
from collections import Counter
from pathlib import Path

from llmeval.api import validate
from llmeval.core.errors import LlmevalError
from llmeval.importers.promptfoo.convert import convert
from llmeval.importers.writing import Imported, write_new

SHARES = ("whole", "to fill in", "parts", "refused", "crash")
_VALUES = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`|\d+|\[[^\]]*\]|/\S+")


def main() -> None:
    """Import every configuration of a folder and print the shares."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--list", choices=SHARES, help="name these files with their messages")
    parser.add_argument("--top", type=int, default=25, help="how many reasons to print")
    options = parser.parse_args()
    files = sorted(
        path
        for pattern in ("*promptfooconfig*.yaml", "*promptfooconfig*.yml")
        for path in options.folder.rglob(pattern)
        if path.is_file()
    )
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for file in files:
        share, messages = outcome(file)
        counts[share] += 1
        reasons.update({_kind(message) for message in messages})
        if share == options.list:
            print(f"{file.relative_to(options.folder)}\n  " + "\n  ".join(messages))
    print(f"{len(files)} files")
    total = 0
    for share in SHARES:
        total += counts[share]
        print(f"{share:>10}: {counts[share]:4} ({_percent(counts[share], len(files))},", end="")
        print(f" up to here {_percent(total, len(files))})")
    for reason, number in reasons.most_common(options.top):
        print(f"{number:6}  {reason}")
    raise SystemExit(1 if counts["crash"] else 0)


def outcome(file: Path) -> tuple[str, list[str]]:
    """Which share a configuration belongs to, and what is left out or refused."""
    refused: list[str] = []
    for skip in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            try:
                imported = convert(
                    file, Path(folder) / "suites", Path(folder).name, skip_unknown=skip
                )
                _validate(imported)
            except LlmevalError as error:
                lines = str(error).replace(folder, "").replace(f"{file.parent}/", "").split("\n")
                refused += [
                    line for line in lines if line not in refused and "; --skip" not in line
                ]
                continue
            except Exception:
                return "crash", traceback.format_exc().splitlines()[-5:]
            if skip:
                return "parts", refused
            return "to fill in" if imported.to_fill else "whole", []
    return "refused", refused


def _validate(imported: Imported) -> None:
    """What `llmeval validate` says of the suites, with every variable that they name set."""
    write_new(imported.files)
    for path in imported.suites:
        for name in re.findall(r"(?<!\$)\$\{(\w+)", imported.files[path]):
            os.environ.setdefault(name, "http://127.0.0.1:9")
    for path in imported.suites:
        validate(path)


def _kind(message: str) -> str:
    """A reason without the file, the line and the values of this place."""
    text = re.sub(r"^\S+?\.\w+(?::\d+)?: (?:[\w.\[\]:$*-]+: )?", "", message)
    kept = re.match(r"`[\w:-]+`: ", text)
    return (kept[0] if kept else "") + _VALUES.sub("...", text[kept.end() if kept else 0 :])[:110]


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / max(whole, 1):.0f} %"


if __name__ == "__main__":
    main()
