"""Rules of regression: the same numbers as the test they stand on, and every way they may not be
decided.
"""

import math
import random
from typing import Any

import pytest

from llmeval.core.results import Decision, RuleDecision
from llmeval.gate.pairs import PairedCases
from llmeval.gate.rules.judge_arms import scale
from llmeval.gate.rules.regression import decided, evaluate
from llmeval.gate.rules.regression_hints import cases_needed
from llmeval.gate.rules.regression_rule import RegressionRule
from llmeval.stats.estimation.label_counts import LabelCounts
from llmeval.stats.sequential.design import regression
from llmeval.stats.sequential.gate_test import decide

RATES = ALPHA, BETA = 0.05, 0.05
LABELS = LabelCounts(95, 5, 5, 95)


def pairs(fell: int, rose: int, n: int, missing: int = 0, size: int = 1) -> PairedCases:
    values = (
        [-1.0] * fell + [1.0] * rose + [math.nan] * missing + [0.0] * (n - fell - rose - missing)
    )
    return PairedCases(
        tuple(values),
        tuple(f"g{i // size}" for i in range(n)),
        tuple(f"c{i}" for i in range(fell)),
        rose,
    )


def rule(
    found: PairedCases, margin: float = 0.05, level: float = ALPHA, **more: Any
) -> RuleDecision:
    from types import SimpleNamespace

    question = evaluate(comparison(margin, **more), found, *RATES)
    baseline: Any = SimpleNamespace(run_id="r1")
    return decided(question, baseline, level)


def comparison(
    margin: float = 0.05,
    labels: LabelCounts | None = None,
    untrusted: str | None = None,
    judged: bool = False,
    shift: float = 0.0,
) -> RegressionRule:
    youden, spent = scale(labels, BETA) if untrusted is None else (1.0, 0.0)
    return RegressionRule(
        "m", "m", None, margin, youden, spent, judged, untrusted, labels=labels, shift=shift
    )


@pytest.mark.parametrize(("fell", "rose"), [(0, 0), (10, 10), (12, 3), (30, 5), (4, 0), (3, 20)])
@pytest.mark.parametrize("size", [1, 4])
def test_one_rule_is_the_test_itself(fell: int, rose: int, size: int) -> None:
    found = pairs(fell, rose, 200, size=size)
    plan = regression(units=200 // size, cases=200, largest=size, margin=0.05, sequential=False)
    verdict, made = decide(plan, found.differences, found.clusters), rule(found)
    assert made.decision is verdict.decision
    assert (made.estimate, made.low, made.high) == (verdict.estimate, verdict.low, verdict.high)
    assert (made.n, made.level, made.threshold, made.baseline) == (200, 0.95, 0.05, "r1")


def test_three_outcomes_in_sentences() -> None:
    passed, failed, open_ = rule(pairs(0, 0, 200)), rule(pairs(30, 5, 200)), rule(pairs(6, 4, 40))
    assert [each.decision for each in (passed, failed, open_)] == [
        Decision.PASS, Decision.FAIL, Decision.INCONCLUSIVE,
    ]  # fmt: skip
    assert passed.reason.startswith("m did not move (95% bounds ")
    assert "on 200 paired cases: 0 fell, 0 rose; the margin is 5.0 points." in passed.reason
    assert failed.reason.startswith("m fell by 12.5 points (95% bounds -")
    assert failed.reason.endswith("At 95% confidence the candidate is worse than the baseline r1.")
    assert passed.reason.endswith("from the baseline r1 is ruled out at 95% confidence.")
    assert "more cases that differ like these would decide in 4 of 5 tries, and " in open_.reason
    assert "answers a case" not in open_.reason, (
        ".95^40 = 13 %: 40 cases are too few for any number"
    )
    few = rule(pairs(8, 8, 60), margin=0.1)
    assert few.decision is Decision.INCONCLUSIVE
    assert "answers a case on both sides (`repeats: " in few.reason
    assert failed.fell == tuple(f"c{i}" for i in range(10))


def test_tipping_points_are_the_distance_to_the_other_side() -> None:
    passed, failed = rule(pairs(0, 0, 200)), rule(pairs(30, 5, 200))
    assert passed.low is not None
    assert failed.high is not None
    assert passed.tipping_point == pytest.approx(passed.low + 0.05)
    assert failed.tipping_point == pytest.approx(-failed.high)
    assert rule(pairs(6, 4, 40)).tipping_point is None


def test_at_a_stricter_level_fewer_fail() -> None:
    """Enough for one rule alone, not for one among many; and what does not fail may still be within
    the margin.
    """
    alone = rule(pairs(12, 3, 200))
    assert alone.decision is Decision.FAIL
    assert rule(pairs(12, 3, 200), level=0.01).decision is Decision.INCONCLUSIVE
    assert rule(pairs(12, 3, 200), margin=0.2, level=0.01).decision is Decision.PASS


@pytest.mark.parametrize(("fell", "rose"), [(0, 0), (3, 3), (30, 5), (0, 40)])
def test_an_untrusted_judge_decides_nothing(fell: int, rose: int) -> None:
    found = rule(pairs(fell, rose, 200), judged=True, untrusted="no labels")
    assert found.decision is Decision.INCONCLUSIVE
    assert "UNTRUSTED: no labels" in found.reason
    assert "is worse than" not in found.reason and "is ruled out" not in found.reason


def test_a_judge_that_errs_takes_a_smaller_margin() -> None:
    """On people's scale a drop is the judge's over J: what passes by a check need not pass by a
    judge.
    """
    found = pairs(4, 0, 200)
    assert rule(found).decision is Decision.PASS
    judged = rule(found, labels=LABELS, judged=True)
    assert judged.decision is Decision.INCONCLUSIVE
    assert "as this judge sees them (its J is at least 0.8" in judged.reason
    assert judged.threshold == 0.05
    assert "the judge errs alike on both sides" in judged.assumptions
    assert "is assumed to err alike on both sides (`judge_shift: 0`)" in judged.reason


def test_a_judge_that_may_differ_between_the_sides_widens_both_limits() -> None:
    """J is at least .83 by these labels: 10 points are 8.3 as judged, 6.3 less a shift of 2."""
    alike, differs = (
        rule(pairs(24, 14, 300), 0.1, labels=LABELS, judged=True, shift=shift)
        for shift in (0.0, 0.02)
    )
    assert alike.decision is Decision.PASS
    assert differs.decision is Decision.INCONCLUSIVE
    assert "less the 2.0 points that it may differ between the sides (`judge_shift`)" in (
        differs.reason
    )
    assert any(
        "differ by at most 2.0 points between the two" in each for each in differs.assumptions
    )
    alike, differs = (
        rule(pairs(20, 6, 300), 0.1, labels=LABELS, judged=True, shift=shift)
        for shift in (0.0, 0.02)
    )
    assert alike.decision is Decision.FAIL
    assert differs.decision is Decision.INCONCLUSIVE


def test_a_margin_that_the_shift_takes_whole_needs_a_judged_rise() -> None:
    open_ = rule(pairs(0, 0, 5000), 0.02, labels=LABELS, judged=True, shift=0.02)
    assert open_.decision is Decision.INCONCLUSIVE
    assert "only a judged rise can PASS" in open_.reason
    risen = rule(pairs(10, 120, 2000), 0.02, labels=LABELS, judged=True, shift=0.02)
    assert risen.decision is Decision.PASS


def test_what_was_lost_counts_against_each_claim() -> None:
    assert rule(pairs(0, 0, 200)).decision is Decision.PASS
    missing = rule(pairs(0, 0, 200, missing=20))
    assert missing.decision is Decision.INCONCLUSIVE
    assert "on 200 paired cases, 20 of them missing" in missing.reason
    assert missing.low is not None
    assert missing.low < -0.1
    assert "20 missing results prevent a decision: the same command with --out" in missing.reason
    assert rule(pairs(0, 0, 3, missing=3)).decision is Decision.INCONCLUSIVE


def test_cases_of_one_side_are_named() -> None:
    found = pairs(0, 0, 200)._replace(new=("x", "y"), gone=("a", "b", "c", "d", "e", "f"))
    assert rule(found).reason.endswith(
        " Not compared: 2 new (x, y), 6 of the baseline not asked now (a, b, c, d, e, ...)."
    )


@pytest.mark.parametrize(("fell", "rose", "n"), [(0, 0, 20), (3, 3, 40), (5, 5, 100), (4, 3, 60)])
def test_so_many_cases_would_decide(fell: int, rose: int, n: int) -> None:
    question = evaluate(comparison(), pairs(fell, rose, n), *RATES)
    assert question.verdict.decision is Decision.INCONCLUSIVE
    times = 1.1 * cases_needed(question.pairs, question.plan) / n
    more = pairs(round(fell * times), round(rose * times), math.ceil(n * times))
    assert rule(more).decision is not Decision.INCONCLUSIVE


def test_so_many_cases_would_decide_beside_other_rules() -> None:
    """FAIL at alpha / 4 takes (2.241 / 1.645)^2 = 1.86 times the cases that it takes at alpha, but
    for whole cases.
    """
    found, strict = pairs(10, 4, 200), ALPHA / 4
    question, beside = evaluate(comparison(0.03), found, *RATES), rule(found, 0.03, strict)
    needed = cases_needed(question.pairs, question.plan, strict)
    whole = 2 / 0.03
    assert needed - whole == pytest.approx(
        1.86 * (cases_needed(question.pairs, question.plan) - whole), rel=0.01
    )
    assert f"in 4 of 5 tries, and {needed - 200:,} in half of them" in beside.reason


def test_error_rates_hold_over_three_rules() -> None:
    """Nothing changed: any wrong FAIL of three rules in at most 5 % of runs; at the margin: a wrong
    PASS likewise.
    """
    from llmeval.stats.tests.multiplicity import holm_adjusted

    source, rounds, fails, passes = random.Random(3), 150, 0, 0
    for _ in range(rounds):
        same = [evaluate(comparison(), drawn(source, 0.06, 0.06, 150), *RATES) for _ in range(3)]
        fails += any(p <= 0.05 for p in holm_adjusted([each.verdict.p_fail for each in same]))
        worse = evaluate(comparison(), drawn(source, 0.11, 0.06, 150), *RATES)
        passes += worse.verdict.p_pass <= 0.05
    limit = rounds * (0.05 + 2.5 * (0.05 * 0.95 / rounds) ** 0.5)
    assert fails <= limit
    assert passes <= limit


def drawn(source: random.Random, fall: float, rise: float, n: int) -> PairedCases:
    draws = [source.random() for _ in range(n)]
    return pairs(sum(u < fall for u in draws), sum(fall <= u < fall + rise for u in draws), n)


def test_few_unequal_clusters_say_that_they_are_too_few() -> None:
    """One cluster holds half of the cases: 41 clusters weigh as much as 3.9."""
    names = [f"g{max(0, i - 39)}" for i in range(80)]
    found = rule(pairs(4, 4, 80)._replace(clusters=tuple(names)))
    assert found.decision is Decision.INCONCLUSIVE
    assert "The 41 clusters, which weigh as much as 4 of equal size, are too few" in found.reason


def test_more_labels_are_offered_where_they_would_settle_it() -> None:
    """200 cases without a difference: the margin as this judge sees it is just too small, and four
    times the labels would leave enough of it.
    """
    labels = LabelCounts(50, 5, 5, 50)
    found = rule(pairs(0, 0, 75), labels=labels, judged=True)
    assert found.decision is Decision.INCONCLUSIVE
    assert "more labels for the judge's certificate, if they agree as now" in found.reason
    assert "more labels" not in rule(pairs(0, 0, 40)).reason
