"""Cases in quarantine: asked and shown, counted in nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from llmeval.core.errors import SuiteError
from llmeval.suite.loader import load_suite
from llmeval.suite.quarantine import read_quarantine
from tests.support.command import llmeval
from tests.support.suites import cases

N = 60
WRONG = ("c0003", "c0010")
GATE = "gate: {floors: {contains: 0.9}, regression: {baseline: first, margins: {contains: 0.1}}}\n"


def entry(case: str, expires: str = "2999-01-31") -> str:
    return (
        f"- {{case: {case}, reason: its reference is disputed., owner: ada, expires: {expires}}}\n"
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("q")
    rows = cases(N)
    (folder / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    said = [{"id": r["id"], "output": "no" if r["id"] in WRONG else r["reference"]} for r in rows]
    (folder / "said.jsonl").write_text("".join(json.dumps(row) + "\n" for row in said))
    suite = "suite: q\ncases: cases.jsonl\nprompt: '{{ question }}'\ncandidate: {provider: replay, source: said.jsonl}\n"
    suite += 'checks: [{contains: "{{ reference }}"}]\n'
    (folder / "first.yaml").write_text(suite)
    (folder / "suite.yaml").write_text(suite + GATE)
    llmeval("run", folder / "first.yaml", "--out", folder / "first")
    (folder / "quarantine.yaml").write_text(
        entry("c0003") + entry("c0010") + entry("c0020") + entry("c0030", "2020-01-01")
    )
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> Any:
    return llmeval("run", folder / "suite.yaml", "--out", folder / "run")


def test_they_count_in_no_rule(folder: Path, run: Any) -> None:
    assert run.returncode == 0, run.stdout + run.stderr
    found = json.loads((folder / "run" / "summary.json").read_text())
    assert found["counts"] == {
        "cases": N - 3, "passed": N - 3, "failed": 0, "unscored": 0, "errors": 0, "needs_review": 0, "not_scored": 0,
        "not_needed": 0,
    }  # fmt: skip
    assert {(each["case_id"], each["passed"]) for each in found["quarantine"]} == {
        ("c0003", False), ("c0010", False), ("c0020", True),
    }  # fmt: skip
    floor, regression = found["gate"]["rules"]
    assert f"({N - 3} of {N - 3} cases)" in floor["reason"]
    assert (regression["n"], "Not compared" in regression["reason"]) == (N - 3, False)
    assert found["metrics"][0]["n"] == N - 3


def test_they_are_shown(folder: Path, run: Any) -> None:
    assert "3 cases in quarantine, not counted" in run.stdout
    assert (
        "quarantine.yaml:4: [3].expires: the quarantine of c0030 ended on 2020-01-01" in run.stderr
    )
    junit = (folder / "run" / "junit.xml").read_text()
    assert (
        '<skipped message="set aside: in quarantine until 2999-01-31, owner ada: its reference is disputed (it does not'
        in junit
    )
    assert 'failures="0"' in junit
    told = (folder / "run" / "summary.md").read_text()
    assert "In quarantine, so not counted" in told
    assert "The quarantine of c0030 ended on" in told and "it counts again" in told
    page = (folder / "run" / "report.html").read_text()
    assert "The quarantine of c0030 ended on 2020-01-01: it counts again." in page
    assert "In quarantine" in page
    assert "its reference is disputed (it does not pass)" in page


def test_a_run_may_be_decided_again_with_them(folder: Path, run: Any) -> None:
    without = llmeval(
        "gate",
        folder / "first",
        "--suite",
        folder / "suite.yaml",
        "--baseline",
        folder / "run",
        "--json",
    )
    assert json.loads(without.stdout)["gate"]["decision"] == "PASS", without.stderr
    assert len(json.loads(without.stdout)["quarantine"]) == 3
    assert "c0030 ended" in without.stderr
    assert (
        len(
            json.loads(llmeval("compare", folder / "first", folder / "run", "--json").stdout)[
                "runs"
            ][1]["missing"]
        )
        == 0
    )


@pytest.mark.parametrize(("text", "said"), [
    ("- {case: c0003, reason: x, expires: 2999-01-31}", "wrong.yaml:1: [0].owner: this key is missing"),
    ("- {case: c0003, reason: x, owner: a, expires: soon}", "[0].expires: write a day as 2027-01-31"),
    ("- {case: c0003, reason: '', owner: a, expires: 2999-01-31}", "[0].reason: this is empty"),
    ("- c0003", "[0]: this is not an entry"), ("a: b", "wrong.yaml:1: the file is not a list"),
])  # fmt: skip
def test_what_is_wrong_with_an_entry(folder: Path, text: str, said: str) -> None:
    (folder / "wrong.yaml").write_text(text + "\n")
    spec = (folder / "suite.yaml").read_text().replace("gate: {", "gate: {quarantine: wrong.yaml, ")
    (folder / "entry.yaml").write_text(spec)
    with pytest.raises(SuiteError, match="the file is a list of") as wrong:
        read_quarantine(load_suite(folder / "entry.yaml"), set)
    assert said in str(wrong.value)


def test_validate_finds_a_case_that_is_not_there(folder: Path) -> None:
    (folder / "wrong.yaml").write_text(entry("c0003") + entry("d0003"))
    suite = folder / "other.yaml"
    suite.write_text(
        (folder / "suite.yaml").read_text().replace("gate: {", "gate: {quarantine: wrong.yaml, ")
    )
    done = llmeval("validate", suite)
    assert done.returncode == 2
    assert "wrong.yaml:2: [1].case: q has no case 'd0003'" in done.stderr
