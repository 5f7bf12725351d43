"""D016 and D022: what stored runs say about references."""

import json
from pathlib import Path

import pytest

from llmeval.datatests.check import CheckOptions, check_data
from llmeval.suite.loader import load_suite
from tests.datatests.planting import flagged, of_rule, report, rows, write
from tests.support.command import llmeval

N, BAD = 100, 50


def _run(folder: Path, candidate: int, wrong: range) -> None:
    """Run the suite with stored answers; those of `wrong` differ from the reference."""
    outputs = [
        {
            "id": row["id"],
            "output": "quite another thing" if number in wrong else row["reference"],
            "system": candidate,
        }
        for number, row in enumerate(rows(N))
    ]
    (folder / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in outputs))
    done = llmeval("run", folder / "demo.yaml", "--reports", folder / "reports")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten runs of different candidates: all miss the first 50 references, one misses ten more."""
    folder = tmp_path_factory.mktemp("runs")
    path = write(folder, rows(N))
    for candidate in range(10):
        _run(folder, candidate, range(BAD + 10 if candidate == 4 else BAD))
    return path


def test_references_that_all_candidates_miss(suite: Path) -> None:
    result = report(suite, "D016", reports=suite.parent / "reports")
    assert flagged(result, "D016") == {f"c{number:05d}" for number in range(BAD)}
    assert {finding.level for finding in result.findings} == {"info"}
    assert "10 of 10 candidates miss it" in result.findings[0].message


def test_cases_that_cannot_discriminate(suite: Path) -> None:
    result = report(suite, "D022", reports=suite.parent / "reports")
    assert flagged(result, "D022") == {f"c{number:05d}" for number in range(BAD + 10, N)}


def test_a_changed_case_has_no_history(suite: Path, tmp_path: Path) -> None:
    changed = [{**row, "reference": "corrected"} for row in rows(N)]
    path = write(tmp_path, changed)
    assert report(path, "D016", "D022", reports=suite.parent / "reports").findings == ()


def test_two_candidates_are_too_few(tmp_path: Path) -> None:
    path = write(tmp_path, rows(N))
    for candidate in range(2):
        _run(tmp_path, candidate, range(BAD))
    assert report(path, "D016", reports=tmp_path / "reports").findings == ()


def test_a_damaged_run_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, rows(N))
    for candidate in range(4):
        _run(tmp_path, candidate, range(BAD))
    damaged = next((tmp_path / "reports").glob("*/*/scores.jsonl"))
    damaged.write_bytes(damaged.read_bytes().replace(b'"fail"', b'"pass"'))
    result = report(path, "D016", reports=tmp_path / "reports")
    assert any("can't be read" in finding.message for finding in of_rule(result, "D016"))
    assert len(flagged(result, "D016")) == BAD


def test_fast_reads_no_run(suite: Path) -> None:
    result = check_data(
        load_suite(suite), CheckOptions(fast=True, reports=suite.parent / "reports")
    )
    assert not {"D005", "D016", "D021", "D022"} & set(result.rules)
