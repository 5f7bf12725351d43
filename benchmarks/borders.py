"""Feeds damaged and hostile inputs to the readers of llmeval, and counts what happens.

    python benchmarks/borders.py [--inputs 20000] [--commands 1000] [--requests 3000] [--seed 1]

Kinds: bytes that are changed or cut, and JSON values of another type, in each file of a run (with
its checksums as they were, and made to fit); rows of data; suite files; templates; patterns;
replies in the cache; every command that reads a run, on damaged runs; and requests to the servers of
`review` and `view`. Prints by kind the inputs
tried, refused (an error of llmeval), same (the same decision), other (another decision or reading,
without an error) and crashed (any other exception).
Exits 1 if one crashed.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.borders_commands import play  # noqa: E402
from benchmarks.borders_damage import damaged, retyped_file  # noqa: E402
from benchmarks.borders_web import play_requests  # noqa: E402
from llmeval.checks.spec import SpecError, bind  # noqa: E402
from llmeval.core.checksums import manifest_digest  # noqa: E402
from llmeval.core.errors import LlmevalError  # noqa: E402
from llmeval.core.templates import Template  # noqa: E402
from llmeval.data.sources import open_source  # noqa: E402
from llmeval.gate.summary import summarise  # noqa: E402
from llmeval.report.write import write_results  # noqa: E402
from llmeval.store.directory import RunDir  # noqa: E402
from llmeval.suite.loader import parse_suite  # noqa: E402

FILES = ("answers.jsonl", "scores.jsonl", "cases.jsonl", "manifest.json", "summary.json")
PIECES = (
    "{{ ", " }}", "{% ", " %}", "for x in ", "range(9)", "endfor", "if ", "endif", "q", " ~ ", " + ", " | ", "join", "(",
    ")", "[", "]", "'a'", "99999999", " * ", "set x = ", "macro m()", "endmacro", "m()", ".", "\n", "not ", "{", "}",
    "replace('a', 'bb')", "batch(3)", "recursive", "loop(", "\ud800",
)  # fmt: skip
Attempt = Callable[[], object]


class Bench:
    """Counts by kind."""

    def __init__(self) -> None:
        self.counts: dict[str, Counter[str]] = {}
        self.crashes: dict[str, str] = {}
        self.changes: dict[str, str] = {}

    def attempt(self, kind: str, action: Attempt, expected: object = None) -> None:
        """Carry out one attempt and count how it ends."""
        counts = self.counts.setdefault(kind, Counter())
        counts["tried"] += 1
        try:
            result = action()
        except (LlmevalError, SpecError, ValueError) as error:
            expected_errors = kind in ("patterns",) or not isinstance(error, ValueError)
            counts["refused" if expected_errors or isinstance(error, SpecError) else "crashed"] += 1
            if not expected_errors and not isinstance(error, SpecError):
                self._crash(kind, error)
        except Exception as error:
            counts["crashed"] += 1
            self._crash(kind, error)
        else:
            counts["same" if result == expected else "other"] += 1

    def _crash(self, kind: str, error: Exception) -> None:
        import traceback

        frames = [f for f in traceback.extract_tb(error.__traceback__) if "llmeval/" in f.filename]
        place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
        self.crashes.setdefault(f"{kind}: {type(error).__name__} at {place}", str(error)[:150])

    def note(self, kind: str, outcome: str, description: str) -> None:
        """Count one outcome of a command. `description`: of a crash, or of an unnoticed change."""
        counts = self.counts.setdefault(kind, Counter())
        counts["tried"] += 1
        counts[outcome] += 1
        if description:
            entries = self.crashes if outcome == "crashed" else self.changes
            entries.setdefault(kind, description)

    def show(self) -> int:
        """Print the table. Returns the number of crashes."""
        columns = ("tried", "refused", "same", "other", "crashed")
        print(f"{'kind':34}" + "".join(f"{column:>9}" for column in columns))
        total = Counter[str]()
        for kind, counts in self.counts.items():
            total.update(counts)
            print(f"{kind:34}" + "".join(f"{counts[column]:>9,}" for column in columns))
        print(f"{'all':34}" + "".join(f"{total[column]:>9,}" for column in columns))
        for crash, message in self.crashes.items():
            print(f"crash: {crash}: {message}")
        for kind, message in self.changes.items():
            print(f"another output without an error: {kind}: {message}")
        return total["crashed"]


def make_run(folder: Path) -> Path:
    """A complete run with a judge, and a gate."""
    from llmeval import api
    from llmeval.runner.options import Options
    from tests.support.endpoint import serve
    from tests.support.suites import answer, write_suite

    with serve(answer) as endpoint:
        suite = write_suite(folder, endpoint.url, 6, "gate: {floors: {contains: 0.1}}\n")
        api.run(suite, options=Options(out=folder / "run", use_cache=False))
    return folder / "run"


def read(run: Path) -> object:
    """Everything that `report` reads and writes; gives the decision."""
    directory = RunDir(run)
    directory.verify()
    summary = summarise(directory)
    write_results(directory, run.parent / "written")
    return msgspec.json.encode(summary.gate)


def runs(bench: Bench, rng: random.Random, folder: Path, n: int) -> None:
    """Files of a run directory."""
    run = make_run(folder)
    (run.parent / "written").mkdir(exist_ok=True)
    before = {name: (run / name).read_bytes() for name in FILES}
    expected = read(run)
    for index in range(n):
        name = rng.choice(FILES)
        kind = ("bytes", "types", "types, sums fit")[index % 3]
        data = damaged(rng, before[name]) if kind == "bytes" else b""
        data = data or retyped_file(rng, name, before[name], kind.endswith("fit"))
        (run / name).write_bytes(data)
        if kind.endswith("fit"):  # the manifest then states no digests of files
            _unstated(run, before, name)
        bench.attempt(f"run: {kind}", partial(read, run), expected)
        for each in (name, "manifest.json"):
            (run / each).write_bytes(before[each])


def _unstated(run: Path, before: dict[str, bytes], name: str) -> None:
    if name == "manifest.json":
        return
    value = {**json.loads(before["manifest.json"]), "records": None}
    value["digest"] = manifest_digest({k: v for k, v in value.items() if k != "digest"})
    (run / "manifest.json").write_text(json.dumps(value))


def texts(bench: Bench, rng: random.Random, folder: Path, n: int) -> None:
    """Suite files, data, templates, patterns and cached replies."""
    suite = (ROOT / "suites" / "qa.yaml").read_bytes()
    rows = b"".join(
        json.dumps({"id": f"c{i}", "q": "a,b", "n": [i]}).encode() + b"\n" for i in range(5)
    )
    table = b'id,q,references\n1,"a, ""b""",x\n2,c,y\n\n3,"line\nbreak",z\n'
    from llmeval.models.client.cache import kept_reply

    packed = zlib.compress(b'{"text":"x","usage":{"input_tokens":1},"data":{"a":[1]}}')
    for index in range(n):
        step = index % 6
        if step == 0:
            text = damaged(rng, suite).decode("utf-8", "replace")
            bench.attempt("suite files", partial(_suite_name, text, folder), "qa")
        elif step in (1, 2):
            path = folder / ("rows.jsonl" if step == 1 else "rows.csv")
            path.write_bytes(damaged(rng, rows if step == 1 else table))
            bench.attempt(f"data: {path.suffix}", partial(_rows, path), -1)
        elif step == 3:
            text = "".join(rng.choice(PIECES) for _ in range(rng.randrange(1, 25)))
            bench.attempt("templates", partial(_rendered, text), None)
        elif step == 4:
            text = "".join(
                rng.choice("ab()[]{}|*+?\\d^$.,12930<>=!:P-") for _ in range(rng.randrange(40))
            )
            bench.attempt("patterns", partial(_pattern, text), True)
        else:
            data = damaged(rng, packed)
            bench.attempt("cached replies", partial(kept_reply, (data, 1, "r")), None)


def _suite_name(text: str, folder: Path) -> str:
    return parse_suite(text, folder / "s.yaml").name


def _rendered(text: str) -> str:
    return Template(text, "t").render({"q": "a"})


def _pattern(text: str) -> bool:
    return bool(bind([{"regex": text}]))


def _rows(path: Path) -> int:
    source = open_source(path.name, path.parent)
    return sum(len(source.row(index)) for index in range(len(source)))


def main() -> int:
    """Run all kinds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--commands", type=int, default=1_000)
    parser.add_argument("--requests", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=1)
    stated = parser.parse_args()
    rng, bench = random.Random(stated.seed), Bench()
    folder = Path(tempfile.mkdtemp(prefix="borders-"))
    try:
        texts(bench, rng, folder, stated.inputs * 4 // 5)
        runs(bench, rng, folder, stated.inputs - stated.inputs * 4 // 5)
        play(bench.note, rng, folder / "commands", stated.commands)
        play_requests(bench.note, rng, folder, stated.requests)
    finally:
        shutil.rmtree(folder)
    return 1 if bench.show() else 0


if __name__ == "__main__":
    sys.exit(main())
