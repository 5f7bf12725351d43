"""FAIL over all rules: Holm's procedure itself, floors and regression in one family, and the rate
it promises.
"""

import random
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from llmeval.core.results import Decision, RuleDecision
from llmeval.gate.holm import Rule, step_down
from llmeval.gate.rules.floors import cases_needed, decide_floor
from llmeval.gate.rules.sequential import rules_in
from llmeval.gate.summary import summarise
from llmeval.stats.tests.multiplicity import holm
from tests.gate.test_floors import selection
from tests.support.manifests import gate_record
from tests.support.runs import run_of

ALPHA = 0.05


def by_p(p: float) -> Rule:
    def at(level: float) -> RuleDecision:
        return RuleDecision(
            rule="r", decision=Decision.FAIL if p <= level else Decision.PASS, reason=f"p = {p}."
        )

    return at


@pytest.mark.parametrize("p_values", [
    [], [0.04], [0.06], [0.01, 0.04], [0.04, 0.045], [0.012, 0.02, 0.03, 0.04], [0.01, 0.02, 0.024, 0.9],
    [0.2, 0.001, 0.017, 0.025, 0.05], [0.0101, 0.0101, 0.0101, 0.0101, 0.0101],
])  # fmt: skip
def test_it_is_holms_procedure(p_values: Sequence[float]) -> None:
    found = step_down([by_p(p) for p in p_values], ALPHA)
    assert [each.decision is Decision.FAIL for each in found] == holm(p_values, ALPHA)


def test_it_is_holms_procedure_on_any_p_values() -> None:
    source = random.Random(1)
    for _ in range(300):
        p_values = [source.random() ** 3 * 0.2 for _ in range(source.randint(1, 8))]
        found = step_down([by_p(p) for p in p_values], ALPHA)
        assert [each.decision is Decision.FAIL for each in found] == holm(p_values, ALPHA), p_values


def test_what_would_fail_alone_says_so() -> None:
    first, second = step_down([by_p(0.04), by_p(0.5)], ALPHA)
    assert (
        first.reason
        == "p = 0.04. By itself it would FAIL, but one of 2 rules may seem so by chance."
    )
    assert second.reason == "p = 0.5."
    invalid = RuleDecision(rule="r", decision=Decision.INVALID)
    assert step_down([by_p(0.04), lambda level: invalid], ALPHA)[0].decision is Decision.FAIL


def gate(n: int, **more: Any) -> dict[str, Any]:
    return {"floors": {f"m{i}": 0.8 for i in range(n)}, "regression": None, "alpha": 0.05, "beta": 0.05,
            "max_unscored": 0.02, "on_inconclusive": "fail", **more}  # fmt: skip


def test_floors_and_regression_are_one_family(tmp_path: Path) -> None:
    """A drop that is enough by itself is not beside three floors; a second one that is certain
    makes room for it.
    """
    before, fell = [1.0] * 120, [0.0] * 6 + [1.0] * 114
    low = [1.0] * 70 + [0.0] * 50
    regression = {"baseline": str(tmp_path / "a"), "margins": {"m0": 0.05}}
    run_of(tmp_path / "a", {"m0": before, "m1": before, "m2": before}, judges={}, gate=gate(0))
    for name, m1, floors, expected in (
        ("b", before, 0, Decision.FAIL), ("c", before, 3, Decision.INCONCLUSIVE), ("d", low, 3, Decision.FAIL),
    ):  # fmt: skip
        rules = gate(floors, regression=regression)
        found = summarise(
            run_of(tmp_path / name, {"m0": fell, "m1": m1, "m2": before}, judges={}, gate=rules)
        ).gate
        (rule,) = (each for each in found.rules if each.rule == "regression")
        assert rule.decision is expected, (name, rule.reason)
    assert rules_in(gate_record(**gate(3, regression=regression))) == 4


def test_floors_share_alpha() -> None:
    """34 of 50 at a floor of .8: P(X <= 34) = .0308 fails alone, not as one of two; P(X <= 32) =
    .0063 fails as one of four.
    """

    def floors(*passed: int) -> list[RuleDecision]:
        rules: list[Rule] = [
            partial(decide_floor, "m", None, selection(k, 50), 0.8, ALPHA, None) for k in passed
        ]
        return step_down(rules, ALPHA)

    assert [each.decision for each in floors(34)] == [Decision.FAIL]
    alone, beside = floors(34, 45)
    assert (alone.decision, beside.decision) == (Decision.INCONCLUSIVE, Decision.PASS)
    assert "on both sides of the floor of 80.0%" in alone.reason
    near, *_ = floors(35, 45, 45, 45)
    more = cases_needed(0.7, 50, 0.8, ALPHA, ALPHA / 4)
    assert f"tries, and {more} in half" in near.reason, "as many as decide beside the other rules"
    first, *rest = floors(32, 45, 45, 45)
    assert first.decision is Decision.FAIL
    assert "at 98.75% confidence at most 78.6%" in first.reason
    assert first.level == pytest.approx(1 - ALPHA / 4)
    assert {each.decision for each in rest} == {Decision.PASS}


@cache
def floor_of_80(passed: int, level: float) -> RuleDecision:
    return decide_floor("m", None, selection(passed, 60), 0.8, ALPHA, None, level)


def test_no_rule_violated_fails_in_at_most_alpha_of_runs() -> None:
    """Five floors, each rate exactly on its floor: any FAIL in at most 5 % of 400 runs, and 2.5
    standard errors.
    """
    source, rounds = random.Random(7), 400
    alone = together = 0
    for _ in range(rounds):
        rules: list[Rule] = [
            partial(floor_of_80, sum(source.random() < 0.8 for _ in range(60))) for _ in range(5)
        ]
        alone += any(rule(ALPHA).decision is Decision.FAIL for rule in rules)
        together += any(each.decision is Decision.FAIL for each in step_down(rules, ALPHA))
    assert together <= rounds * ALPHA + 2.5 * (rounds * ALPHA * (1 - ALPHA)) ** 0.5 < alone
