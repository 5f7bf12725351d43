"""`llmeval compare` as people and CI call it."""

import json
from pathlib import Path

import pytest

from tests.cli.test_cli import llmeval
from tests.support.runs import run_of

GOOD = [1.0] * 40 + [0.0] * 10


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports")
    run_of(folder / "qa" / "20260101T000000Z-aaaaaa", {"m": GOOD})
    run_of(folder / "qa" / "20260102T000000Z-bbbbbb", {"m": [0.0] * 15 + [1.0] * 25 + [0.0] * 10})
    run_of(folder / "qa" / "20260103T000000Z-cccccc", {"m": GOOD}, content="2")
    return folder


def test_runs_by_id_and_directory(reports: Path, tmp_path: Path) -> None:
    other = reports / "qa" / "20260102T000000Z-bbbbbb"
    done = llmeval("compare", "aaaaaa", other, "--reports", reports, "--json", "--html", tmp_path / "page.html")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    (row,) = found["metrics"]
    assert (row["word"], row["losses"], len(row["fell"])) == ("worse", 15, 15)
    assert row["fell"][0] == {"case_id": "c0", "before": 1.0, "now": 0.0}
    assert (tmp_path / "page.html").exists()
    people = llmeval("compare", "aaaaaa", other, "--reports", reports)
    assert "B beside A: worse on m (−30.0)" in people.stdout


def test_nothing_comparable_exits_3(reports: Path) -> None:
    done = llmeval("compare", "aaaaaa", "latest", "--reports", reports)
    assert done.returncode == 3
    assert "no case is in both" in done.stdout


@pytest.mark.parametrize(("names", "code", "said"), [
    (["aaaaaa"], 2, "name 2 to 26 runs"), (["aaaaaa", "aaaaaa"], 2, "named twice"), (["aaaaaa", "zzz"], 3, "no run zzz"),
])  # fmt: skip
def test_wrong_names_are_told(reports: Path, names: list[str], code: int, said: str) -> None:
    done = llmeval("compare", *names, "--reports", reports)
    assert done.returncode == code
    assert said in done.stderr
