"""The walk of `llmeval run` through the rooms: which room calls which, and which calls go back up.

python benchmarks/walk.py

It runs a suite of five recorded answers under `sys.setprofile` and prints each pair of rooms once, with the functions of the
first call. "up" marks a call from a lower room to one above it. Generator expressions are left out: they belong to
the room that wrote them, whoever reads them.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import Any

PACKAGE = Path(__file__).parent.parent / "llmeval"
LEVELS = (
    ("core",),
    ("store", "suite", "checks", "stats"),
    ("data", "models"),
    ("judges",),
    ("runner", "gate"),
    ("compare", "review", "history"),
    ("planning",),
    ("report", "importers"),
    ("datatests", "governance", "monitor"),
    ("api",),
    ("testing", "pytest_plugin", "cli"),
)
LEVEL = {room: number for number, rooms in enumerate(LEVELS) for room in rooms}
SUITE = """suite: walk
cases: {source: cases.jsonl}
prompt: "{{ question }}"
models: {recorded: {provider: replay, source: answers.jsonl}}
candidate: recorded
checks: [facts]
gate: {floors: {facts: 0.5}}
"""


def write_suite(folder: Path) -> Path:
    """A suite of five cases with recorded answers."""
    cases = [{"id": f"c{n}", "question": f"{n}?", "reference": "Paris"} for n in range(5)]
    answers = [{"id": case["id"], "output": "It is Paris."} for case in cases]
    for name, rows in (("cases", cases), ("answers", answers)):
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    (folder / "walk.yaml").write_text(SUITE, encoding="utf-8")
    return folder / "walk.yaml"


def place(frame: FrameType) -> tuple[str, str] | None:
    """The room of a frame and its function; None outside the package."""
    path = Path(frame.f_code.co_filename)
    if not path.is_relative_to(PACKAGE):
        return None
    inside = path.relative_to(PACKAGE)
    return inside.parts[0].removesuffix(".py"), f"{inside}:{frame.f_code.co_name}"


class Walk:
    """Calls between rooms, in the order of the first of each kind."""

    def __init__(self) -> None:
        self.calls: dict[tuple[str, str], tuple[str, str]] = {}

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        callee = place(frame) if event == "call" else None
        if callee is None or frame.f_code.co_name in ("<module>", "<genexpr>"):
            return
        back = frame.f_back
        while back is not None and place(back) is None:
            back = back.f_back
        caller = place(back) if back is not None else None
        if caller is not None and caller[0] != callee[0]:
            self.calls.setdefault((caller[0], callee[0]), (caller[1], callee[1]))


def main() -> None:
    """Run, and print the calls."""
    from llmeval.cli.main import main as command

    walk = Walk()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LLMEVAL_HOME"] = folder
        suite = write_suite(Path(folder))
        sys.argv = ["llmeval", "run", str(suite), "--reports", folder]
        sys.setprofile(walk)
        try:
            command()
        except SystemExit:
            pass
        finally:
            sys.setprofile(None)
    up = 0
    for (caller, callee), (first, second) in walk.calls.items():
        climbs = LEVEL.get(callee, 0) > LEVEL.get(caller, 0)
        up += climbs
        print(f"{'up' if climbs else '  '}  {caller} -> {callee}: {first} -> {second}")
    rooms = {room for pair in walk.calls for room in pair}
    print(f"{len(rooms)} rooms, {len(walk.calls)} pairs of rooms, {up} up")


if __name__ == "__main__":
    main()
