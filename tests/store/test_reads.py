"""Each file of records is read at most twice by a command: once to check and index it, once for its
content.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmeval.store.directory import ANSWERS, CASES, JUDGE_PROBES, RECORDS, SCORES
from tests.support.command import ROOT
from tests.support.endpoint import serve
from tests.support.suites import answer, write_suite

N = 30
FLOORS = "gate: {floors: {contains: 0.3, correctness: {min: 0.3, scale: judge}}}\n"
COUNTED = f"""
import atexit, json, os, sys

opened = []

def hook(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        path, _, flags = arguments
        if os.path.basename(path) in {RECORDS!r} and not flags & (os.O_WRONLY | os.O_RDWR):
            opened.append(os.path.realpath(path))

def write():
    with open(os.environ["OPENED"], "w") as file:
        json.dump(opened, file)

sys.addaudithook(hook)
atexit.register(write)
from llmeval.cli.main import main
main()
"""


def opens(folder: Path, *arguments: object) -> Counter[str]:
    """How often a command opens each file of records for reading; the suite's data set, which lies
    in the folder itself, is none.
    """
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "OPENED": str(folder / "opened.json"),
        "LLMEVAL_HOME": str(folder / "home"),
    }
    done = subprocess.run(
        [sys.executable, "-c", COUNTED, *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    assert done.returncode in (0, 1), done.stderr
    opened = json.loads((folder / "opened.json").read_text())
    return Counter(path for path in opened if Path(path).parent != folder.resolve())


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serve(answer) as endpoint:
        yield endpoint.url


@pytest.mark.parametrize(
    ("gate", "options"),
    [
        ("", ()),
        (FLOORS, ()),
        (FLOORS + "repeats: 3\n", ()),
        (FLOORS.replace("0.3", "0.2"), ("--stop", "early")),
    ],
    ids=["no gate", "floors", "repeats", "stops early"],
)
def test_a_run_reads_its_records_at_most_twice(
    url: str, tmp_path: Path, gate: str, options: tuple[str, ...]
) -> None:
    suite = write_suite(tmp_path, url, N, gate)
    suite.write_text(suite.read_text().replace(", attacks: false", ""))
    run = tmp_path / "run"
    found = opens(tmp_path, "run", suite, "--out", run, *options)
    assert {Path(path).name for path in found} == {CASES, ANSWERS, SCORES, JUDGE_PROBES}
    assert all(Path(path).parent == run.resolve() for path in found)
    assert max(found.values()) <= 2, found


def test_other_commands_read_each_run_at_most_twice(url: str, tmp_path: Path) -> None:
    suite = write_suite(tmp_path, url, N, FLOORS)
    for name in ("a", "b"):
        opens(tmp_path, "run", suite, "--out", tmp_path / name)
    for command in (
        ("report", "a"),
        ("gate", "a", "--suite", suite),
        ("runs", "show", "a"),
        ("compare", "a", "b"),
        ("baseline", "approve", "a", "--by", "x", "--reason", "first", "--out", "x.lock.json"),
    ):
        found = opens(tmp_path, *command)
        assert {Path(path).name for path in found} == {CASES, ANSWERS, SCORES}, command
        assert max(found.values()) <= 2, (command, found)
