"""Rules on a judge that nobody has measured: they decide nothing, unless they are about the judge's
own verdicts.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import llmeval
from tests.support.endpoint import serve, verdict
from tests.support.suites import answer, write_suite

N = 100


def strict(body: dict[str, Any], earlier: int = 0) -> str:
    """The candidate is right; the judge fails every third right answer, as an unmeasured judge
    may.
    """
    text = body["messages"][-1]["content"]
    number = re.search(r"(?:number |value-)(\d+)", text)
    assert number is not None
    if body["model"] == "judge":
        return verdict("incorrect" if int(number[1]) % 3 == 0 else "correct", f"value-{number[1]}")
    return f"It is value-{number[1]}."


def wrong(body: dict[str, Any], earlier: int = 0) -> str:
    return "no" if body["model"] != "judge" else answer(body)


def run(folder: Path, gate: str, says: Any = strict, *more: object) -> tuple[int, Any, int]:
    with serve(says) as endpoint:
        suite = write_suite(folder, endpoint.url, N, f"gate: {gate}\n")
        done = llmeval("run", suite, "--out", folder / "run", "--no-cache", "--json", *more)
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout), len(endpoint.requests)


def test_a_good_model_does_not_fail_by_an_untrusted_judge(tmp_path: Path) -> None:
    code, found, _ = run(tmp_path, "{floors: {correctness: 0.8}}")
    (rule,) = found["gate"]["rules"]
    assert (code, rule["decision"]) == (4, "INCONCLUSIVE")
    assert rule["high"] < 0.8, "by the judge's own verdicts it would fail"
    assert (
        "66.0% pass (66 of 100 cases) by its judge; the floor is 80.0%. The judge is UNTRUSTED: no labels"
        in rule["reason"]
    )
    assert "100 or more labels are needed, with at least 30 passes and 30 fails" in rule["reason"]
    assert "`llmeval labels sample RUN --n 100 --out sheet.csv`" in rule["reason"]
    assert (
        f"`llmeval judge certify {tmp_path / 'suite.yaml'}:correctness --labels RUN --out FILE`"
        in rule["reason"]
    )


@pytest.mark.parametrize(("gate", "code"), [
    ("{floors: {correctness: {min: 0.8, scale: judge}}}", 1),
    ("{floors: {correctness: {min: 0.5, scale: judge}}}", 0),
    ("{floors: {correctness: {min: 0.8, scale: people}}}", 4),
    ("{floors: {correctness: 0.8}, on_inconclusive: warn}", 0),
])  # fmt: skip
def test_whose_scale_it_is(tmp_path: Path, gate: str, code: int) -> None:
    returned, found, _ = run(tmp_path, gate)
    (rule,) = found["gate"]["rules"]
    assert returned == code
    own = "scale: judge" in gate
    assert rule["judge_scale"] is own
    said = "This is on the judge's own scale; the judge is UNTRUSTED."
    assert rule["reason"].endswith(said) is own
    page = (tmp_path / "run" / "report.html").read_text()
    assert ("on the judge&#39;s own scale" in page) is own


@pytest.mark.parametrize(("margin", "code", "decision"), [
    ("0.1", 4, "INCONCLUSIVE"), ("{margin: 0.1, scale: judge}", 1, "FAIL"),
])  # fmt: skip
def test_a_drop_by_an_untrusted_judge(
    tmp_path: Path, margin: str, code: int, decision: str
) -> None:
    gate = f"gate: {{regression: {{baseline: base/t.lock.json, margins: {{correctness: {margin}}}}}}}\n"
    says = [answer]

    def asked(body: dict[str, Any], earlier: int) -> str:
        return says[0](body, earlier)

    with serve(asked) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, N, gate)
        assert llmeval("run", suite, "--out", tmp_path / "first", "--no-cache").returncode == 3
        assert (
            llmeval(
                "baseline", "approve", tmp_path / "first", "--by", "ada", "--reason", "x"
            ).returncode
            == 0
        )
        says[0] = wrong
        returned = llmeval("run", suite, "--out", tmp_path / "run", "--no-cache").returncode
    found = json.loads((tmp_path / "run" / "summary.json").read_text())
    (rule,) = found["gate"]["rules"]
    assert (returned, rule["decision"]) == (code, decision), rule["reason"]
    assert ("the judge is UNTRUSTED." in rule["reason"]) is (code == 1)
    assert ("To trust it, 100 or more labels" in rule["reason"]) is (code == 4)


@pytest.mark.parametrize(("floor", "whole"), [("0.8", True), ("{min: 0.8, scale: judge}", False)])
def test_an_untrusted_judge_does_not_end_a_run(tmp_path: Path, floor: str, whole: bool) -> None:
    code, found, _ = run(tmp_path, f"{{floors: {{correctness: {floor}}}, stop: early}}", wrong)
    assert (code, found["counts"]["cases"] == N) == (4 if whole else 1, whole)


def test_a_rule_with_a_scale_can_be_planned_and_played(tmp_path: Path) -> None:
    gate = "{floors: {correctness: {min: 0.8, scale: judge}}, regression: {margins: {correctness: {margin: 0.1, scale: judge}}}}"
    suite = write_suite(tmp_path, "http://127.0.0.1:9/v1", N, f"gate: {gate}\n")
    planned = llmeval("plan", suite, "--json", "--reports", tmp_path / "reports")
    assert planned.returncode == 2 and "baseline" in planned.stderr
    suite.write_text(
        suite.read_text().replace("regression: {", "regression: {baseline: none.json, ")
    )
    planned = llmeval("plan", suite, "--json", "--reports", tmp_path / "reports")
    assert planned.returncode == 0, planned.stderr
    found = json.loads(planned.stdout)
    assert (found["regression"][0]["margin"], found["regression"][0]["youden_lower"]) == (0.1, 1.0)
    assert found["floors"][0]["floor"] == 0.8
    assert any("on the judge's own scale" in note for note in found["notes"])
    played = llmeval("simulate", suite, "--runs", 20, "--json", "--reports", tmp_path / "reports")
    assert played.returncode == 0, played.stderr
    assert json.loads(played.stdout)["floors"][0]["floor"] == 0.8


@pytest.mark.parametrize(("gate", "said"), [
    ("{floors: {correctness: {min: 2}}}", "gate.floors.correctness.min: input should be less than or equal to 1"),
    ("{floors: {correctness: {minimum: 0.8}}}", "unknown key 'minimum'; did you mean 'min'?"),
    ("{floors: {correctness: {min: 0.8, scale: jugde}}}", "gate.floors.correctness.scale: input should be 'people' or"),
    ("{floors: {correctness: 2}}", "gate.floors.correctness: input should be less than or equal to 1 (given: 2)"),
    ("{floors: {contains: {min: 0.8, scale: judge}}}", "`scale` is for judged metrics, and no judge gives 'contains'"),
    ("{regression: {baseline: x, margins: {correctness: {min: 0.1}}}}", "gate.regression.margins.correctness"),
    ("{regression: {baseline: x, max_gone: -1, margins: {correctness: 0.1}}}", "gate.regression.max_gone: input should"),
])  # fmt: skip
def test_what_is_wrong_with_a_rule(tmp_path: Path, gate: str, said: str) -> None:
    suite = write_suite(tmp_path, "http://127.0.0.1:9/v1", 5, f"gate: {gate}\n")
    done = llmeval("validate", suite)
    assert done.returncode == 2
    assert said in done.stderr
    assert "suite.yaml:1" in done.stderr and len(done.stderr.splitlines()) <= 2
