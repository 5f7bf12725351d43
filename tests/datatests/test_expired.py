"""A case past its `expires` is set aside in a run, counted and shown."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.datatests.planting import rows, write
from tests.support.command import llmeval


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """20 cases: the answers of two are wrong, and these two are past their last day."""
    cases = rows(20)
    cases[3]["expires"], cases[7]["expires"], cases[9]["expires"] = (
        "2020-01-31",
        "2021-06-01",
        "2999-01-01",
    )
    path = write(tmp_path, cases, checks='[{contains: "{{ reference }}"}]', extra="")
    outputs = [
        {"id": row["id"], "output": "no" if number in (3, 7) else row["reference"]}
        for number, row in enumerate(cases)
    ]
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in outputs))
    return path


def test_it_counts_in_no_rule_and_is_shown(suite: Path, tmp_path: Path) -> None:
    run = llmeval("run", suite, "--out", tmp_path / "run")
    assert run.returncode == 0, run.stdout + run.stderr
    summary: dict[str, Any] = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["counts"]["cases"] == 18
    assert [entry["case_id"] for entry in summary["quarantine"]] == ["c00003", "c00007"]
    assert "the case expired on 2020-01-31" in run.stdout
    assert "2 cases are past `expires` and count in no rule: c00003, c00007" in run.stderr


def test_validate_names_it(suite: Path) -> None:
    done = llmeval("validate", suite)
    assert done.returncode == 0
    assert "2 cases are past `expires`" in " ".join(done.stdout.split())


@pytest.mark.parametrize("day", ["31.1.2027", "2027-02-30", "soon"])
def test_a_day_that_is_none(tmp_path: Path, day: str) -> None:
    path = write(tmp_path, [{**rows(1)[0], "expires": day}])
    done = llmeval("run", path)
    assert done.returncode == 2
    assert f"cases.jsonl:1: expires: {day!r} is not a day; write it as 2027-01-31" in done.stderr
