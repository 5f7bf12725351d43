"""The files of an imported suite: strict YAML that reads back as what was meant, and never over a
file that is there.
"""

import json
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from llmeval.core.errors import UsageError
from llmeval.suite.yaml_file import scalar


@dataclass(frozen=True)
class Imported:
    """Files by their paths, the suites among them, and what there is to know."""

    files: dict[Path, str]
    suites: list[Path]
    notes: list[str]
    left_out: list[str]
    cases: int
    to_fill: list[str] = field(default_factory=list)


class Variable(str):
    """A text with `${NAME}` in it that is meant to be filled from the environment."""


class _Dumper(yaml.SafeDumper):
    """Texts that a suite file would read as numbers or truth values are quoted; long texts stay on
    one line.
    """

    def ignore_aliases(self, data: object) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    plain = text if isinstance(text, Variable) else text.replace("${", "$${")
    style = "|" if "\n" in plain and not plain.startswith((" ", "\n")) else None
    if style is None and (_read_back(plain) != plain or "${" in plain):
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(plain), style=style)


def _read_back(text: str) -> object:
    """A text as a suite file would read it without quotes; None for a number out of range."""
    try:
        return scalar(text)
    except ValueError:
        return None


_Dumper.add_representer(str, _text)
_Dumper.add_representer(Variable, _text)


def suite_text(suite: Mapping[str, object], head: Iterable[str]) -> str:
    """A suite file.

    Args:
        suite: its content; every `${` in it is kept as it is, but for `Variable`s.
        head: lines of the comment that it begins with.
    """
    parts = ["".join(f"# {line}\n" if line else "#\n" for line in head)]
    for key, value in suite.items():
        if value not in (None, [], {}):
            parts.append(
                yaml.dump(
                    {key: value}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110
                )
                if not isinstance(value, str)
                else yaml.dump({key: value}, Dumper=_Dumper, allow_unicode=True, width=10**6)
            )
    return "\n".join(parts[:1] + _apart(parts[1:]))


def _apart(parts: list[str]) -> list[str]:
    """Blocks with an empty line between them, single lines without."""
    text, before = "", ""
    for part in parts:
        if before and (part.count("\n") > 1 or before.count("\n") > 1):
            text += "\n"
        text, before = text + part, part
    return [text]


def jsonl(rows: Iterable[Mapping[str, object]]) -> str:
    """One JSON object a line."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def write_new(files: Mapping[Path, str]) -> None:
    """Write all files, or none.

    Raises:
        UsageError: one exists already, or can't be written.
    """
    present = [str(path) for path in files if os.path.lexists(path)]
    if present:
        raise UsageError(
            f"{', '.join(present)}: exists already and is not overwritten; choose another --out or"
            " --name"
        )
    begun: list[Path] = []
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="\n") as file:
                begun.append(path)
                file.write(text)
    except UnicodeEncodeError as error:
        for path in begun:
            path.unlink(missing_ok=True)
        code = ord(error.object[error.start])
        raise UsageError(
            f"{path}: the imported text has half a character (U+{code:04X}), which a UTF-8 file"
            " can't contain; correct it in the source"
        ) from None
    except OSError as error:
        for path in begun:
            path.unlink(missing_ok=True)
        raise UsageError(f"{error.filename}: {error.strerror}; choose another --out") from None


def slug(text: str, fallback: str = "imported") -> str:
    """A name that a suite, model or file may have, of at most 60 characters."""
    kept = "".join(char if char.isascii() and char.isalnum() else "-" for char in text.lower())
    return "-".join(part for part in kept.split("-") if part)[:60].strip("-") or fallback


def unique(name: str, taken: Collection[str]) -> str:
    """`name`, or `name-2`, `name-3`... if that is taken."""
    number, free_name = 1, name
    while free_name in taken:
        number += 1
        free_name = f"{name}-{number}"
    return free_name
