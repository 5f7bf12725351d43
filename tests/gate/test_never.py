"""`gate.never`: no answer fails a metric, without statistics."""

from pathlib import Path
from typing import Any

import pytest

from llmeval.core.records import Status
from llmeval.core.results import Decision, GateResult
from llmeval.gate.summary import summarise
from tests.gate.test_must_pass import Unit, unit
from tests.gate.test_summary import manifest, write

P, F, U, N = Status.PASS, Status.FAIL, Status.UNSCORED, Status.NOT_APPLICABLE
REVIEW = Status.NEEDS_REVIEW


def decide(folder: Path, units: list[Unit], never: list[str], **about: Any) -> GateResult:
    gate: dict[str, Any] = {"must_pass": None, "never": never, "max_unscored": 1.0}
    said = {**manifest(len(units), 1, **gate), **about}
    return summarise(write(folder, said, units)).gate


@pytest.mark.parametrize(
    ("statuses", "decision", "told"),
    [
        ([{"a": P}, {"a": P, "b": F}], Decision.PASS, "never a: none of 2 cases fails it."),
        ([{"a": P}, {"a": F}], Decision.FAIL, "never a: 1 of 2 cases fails it: c1."),
        ([{"a": P}, {"a": N, "b": P}], Decision.PASS, "never a: none of 1 case fails it."),
        ([{"b": P}, {"b": P}], Decision.INVALID, "no check or judge of this run has this metric"),
        ([{"a": N, "b": P}], Decision.INVALID, "it applied to no case of this run"),
        ([{"a": P}, {}], Decision.INVALID, "no result for 1 of 2 cases (c1), and each may be one"),
        ([{"a": F}, {}], Decision.FAIL, "fails it: c0; no result for 1 of 2 cases (c1)."),
        ([{"judged": P}, {"judged": REVIEW}], Decision.INCONCLUSIVE, "1 of 2 cases need review"),
        ([{"judged": U}], Decision.INVALID, "no result for 1 of 1 case (c0)"),
    ],
)
def test_outcomes(
    statuses: list[dict[str, Status]], decision: Decision, told: str, tmp_path: Path
) -> None:
    units = [unit(f"c{i}", each) for i, each in enumerate(statuses)]
    key = "judged" if any("judged" in each for each in statuses) else "a"
    gate = decide(tmp_path, units, [key])
    (rule,) = (rule for rule in gate.rules if rule.rule == "never")
    assert (rule.decision, gate.decision) == (decision, decision)
    assert told in rule.reason


def test_wildcards_and_slices(tmp_path: Path) -> None:
    units = [
        unit("c0", {"not send": P, "not pay": P}, lang="en"),
        unit("c1", {"not send": P, "not pay": F}, lang="de"),
    ]
    gate = decide(tmp_path, units, ["not *", "not pay @ lang=en", "not pay @ lang=*"])
    assert [(rule.decision, rule.slice) for rule in gate.rules] == [
        (Decision.FAIL, None),
        (Decision.PASS, "lang=en"),
        (Decision.FAIL, "lang=*"),
    ]
    assert "c1 (not pay)" in gate.rules[0].reason


def test_a_quarantined_case_does_not_count(tmp_path: Path) -> None:
    entry = {"case_id": "c1", "reason": "moved", "owner": "ada", "expires": "2099-01-01"}
    units = [unit("c0", {"a": P}), unit("c1", {"a": F})]
    assert decide(tmp_path, units, ["a"], quarantine=[entry]).decision is Decision.PASS
