"""Each file of records is read at most twice by a command: once to check and index it, once for its
content.
"""

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmeval.store.directory import ANSWERS, CASES, JUDGE_PROBES, RECORDS, SCORES
from tests.support.endpoint import serve
from tests.support.program import OPENED, program
from tests.support.suites import answer, write_suite

N = 30
FLOORS = "gate: {floors: {contains: 0.3, correctness: {min: 0.3, scale: judge}}}\n"


def opens(command: Path, folder: Path, *arguments: object) -> Counter[str]:
    """How often a command opens each file of records for reading; the suite's data set, which lies
    in the folder itself, is none.
    """
    environment = {
        **os.environ,
        OPENED: str(folder / "opened.json"),
        "LLMEVAL_HOME": str(folder / "home"),
    }
    done = subprocess.run(
        [str(command), *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    assert done.returncode in (0, 1), done.stderr
    opened = [Path(path) for path in json.loads((folder / "opened.json").read_text())]
    return Counter(
        str(path) for path in opened if path.name in RECORDS and path.parent != folder.resolve()
    )


@pytest.fixture(scope="module")
def command() -> Iterator[Path]:
    with program() as path:
        yield path


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
    command: Path, url: str, tmp_path: Path, gate: str, options: tuple[str, ...]
) -> None:
    suite = write_suite(tmp_path, url, N, gate)
    suite.write_text(suite.read_text().replace(", attacks: false", ""))
    run = tmp_path / "run"
    found = opens(command, tmp_path, "run", suite, "--out", run, *options)
    assert {Path(path).name for path in found} == {CASES, ANSWERS, SCORES, JUDGE_PROBES}
    assert all(Path(path).parent == run.resolve() for path in found)
    assert max(found.values()) <= 2, found


def test_other_commands_read_each_run_at_most_twice(
    command: Path, url: str, tmp_path: Path
) -> None:
    suite = write_suite(tmp_path, url, N, FLOORS)
    for name in ("a", "b"):
        opens(command, tmp_path, "run", suite, "--out", tmp_path / name)
    for arguments in (
        ("report", "a"),
        ("gate", "a", "--suite", suite),
        ("runs", "show", "a"),
        ("compare", "a", "b"),
        ("baseline", "approve", "a", "--by", "x", "--reason", "first", "--out", "x.lock.json"),
    ):
        found = opens(command, tmp_path, *arguments)
        assert {Path(path).name for path in found} == {CASES, ANSWERS, SCORES}, arguments
        assert max(found.values()) <= 2, (arguments, found)
