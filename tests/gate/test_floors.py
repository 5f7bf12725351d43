"""Floors: decisions pinned to closed forms and published tables, and to their error rates by
simulation.
"""

import random
from dataclasses import replace

import pytest

from llmeval.core.results import Decision
from llmeval.gate.aggregate import MetricSample
from llmeval.gate.rules.floors import (
    FAR_MORE,
    bounds,
    cases_needed,
    clusters_needed,
    decide_floor,
    is_clustered,
)
from llmeval.stats.estimation.bounds import lower_bound, upper_bound


def selection(passed: int, n: int, clusters: list[int] | None = None) -> MetricSample:
    outcomes = tuple(index < passed for index in range(n))
    values = tuple(float(outcome) for outcome in outcomes)
    return MetricSample(n, passed, 0, 0, values, tuple(clusters or range(n)), outcomes)


def decide(passed: int, n: int, floor: float, untrusted: str | None = None) -> Decision:
    return decide_floor("m", None, selection(passed, n), floor, 0.05, untrusted).decision


# Smallest n whose 95% lower bound clears the floor with 0, 1, 2 or 5 failures: design note, section
# 4
TABLE = {
    0.80: (14, 22, 30, 50),
    0.90: (29, 46, 61, 103),
    0.95: (59, 93, 124, 208),
    0.99: (299, 473, 628, 1049),
}


@pytest.mark.parametrize(
    ("floor", "failures", "n"),
    [
        (floor, failures, n)
        for floor, row in TABLE.items()
        for failures, n in zip((0, 1, 2, 5), row, strict=True)
    ],
)
def test_smallest_n_that_passes(floor: float, failures: int, n: int) -> None:
    assert decide(n - failures, n, floor) is Decision.PASS
    assert decide(n - 1 - failures, n - 1, floor) is Decision.INCONCLUSIVE


def test_closed_forms() -> None:
    assert lower_bound(10, 10, 0.05) == pytest.approx(0.05 ** (1 / 10))
    assert upper_bound(0, 10, 0.05) == pytest.approx(1 - 0.05 ** (1 / 10))
    assert (lower_bound(0, 10, 0.05), upper_bound(10, 10, 0.05)) == (0.0, 1.0)


def test_three_outcomes() -> None:
    assert decide(95, 100, 0.80) is Decision.PASS
    assert decide(60, 100, 0.80) is Decision.FAIL
    assert decide(80, 100, 0.80) is Decision.INCONCLUSIVE
    assert decide(0, 0, 0.80) is Decision.INVALID


@pytest.mark.parametrize("passed", [0, 60, 80, 95, 100])
def test_an_untrusted_judge_decides_nothing(passed: int) -> None:
    found = decide_floor("m", None, selection(passed, 100), 0.80, 0.05, "no labels")
    assert (found.decision, found.tipping_point) == (Decision.INCONCLUSIVE, None)
    assert (
        found.reason
        == f"m: {passed}.0% pass ({passed} of 100 cases) by its judge; the floor is 80.0%. The judge is "
        + ("UNTRUSTED: no labels.")
    )


@pytest.mark.parametrize("n", [20, 100])
@pytest.mark.parametrize("floor", [0.5, 0.9])
def test_error_rates_hold(n: int, floor: float) -> None:
    """At a true rate on the floor a wrong PASS, and a wrong FAIL, is at most alpha: exactly, by the
    binomial.
    """
    from math import comb

    passing = failing = 0.0
    for k in range(n + 1):
        probability = comb(n, k) * floor**k * (1 - floor) ** (n - k)
        outcome = decide(k, n, floor)
        passing += probability * (outcome is Decision.PASS)
        failing += probability * (outcome is Decision.FAIL)
    assert passing <= 0.05
    assert failing <= 0.05


def test_the_reason_is_a_sentence_with_the_numbers() -> None:
    rule = decide_floor("facts", "topic=history", selection(80, 100), 0.8, 0.05, None)
    assert rule.reason.startswith("facts on topic=history: 80.0% pass (80 of 100 cases)")
    assert "floor of 80.0%" in rule.reason
    assert (rule.estimate, rule.threshold) == (0.8, 0.8)


def test_how_many_more_cases() -> None:
    more = cases_needed(0.85, 100, 0.80, 0.05)
    assert more is not None
    n = 100 + more
    assert decide(round(0.85 * n), n, 0.80) is Decision.PASS
    assert cases_needed(0.8, 100, 0.8, 0.05) is None


@pytest.mark.parametrize(
    ("passed", "floor", "alone"), [(98, 0.9, Decision.PASS), (60, 0.7, Decision.FAIL)]
)
def test_a_lost_result_counts_against_each_claim(
    passed: int, floor: float, alone: Decision
) -> None:
    assert decide(passed, 100, floor) is alone
    rule = decide_floor(
        "m", None, replace(selection(passed, 100), errors=20, unscored=5), floor, 0.05, None
    )
    assert rule.decision is Decision.INCONCLUSIVE
    assert (rule.low, rule.high) == (
        lower_bound(passed, 125, 0.05),
        upper_bound(passed + 25, 125, 0.05),
    )
    assert (
        f"({passed} of 100 cases), 25 more are missing and may have passed or failed;"
        in rule.reason
    )
    assert "; 25 missing results prevent a decision: the same command with --out" in rule.reason
    assert "missing results are treated as worst case, for PASS and for FAIL" in rule.assumptions


def test_how_many_more_cases_beside_other_rules() -> None:
    """At 74 % and a floor of .8, FAIL at alpha / 4 takes far more cases than at alpha."""
    rule = decide_floor("m", None, selection(74, 100), 0.8, 0.05, None, 0.05 / 4)
    more = cases_needed(0.74, 100, 0.8, 0.05, 0.05 / 4)
    assert more is not None and f"tries, and {more:,} in half of them" in rule.reason
    n = 100 + more
    enough = selection(round(0.74 * n), n)
    assert decide_floor("m", None, enough, 0.8, 0.05, None, 0.05 / 4).decision is Decision.FAIL
    few = 100 + (cases_needed(0.74, 100, 0.8, 0.05) or 0)
    short = selection(round(0.74 * few), few)
    assert (
        decide_floor("m", None, short, 0.8, 0.05, None, 0.05 / 4).decision is Decision.INCONCLUSIVE
    )


def test_cases_without_company_are_not_clustered() -> None:
    alone = selection(30, 40)
    assert not is_clustered(alone)
    assert bounds(alone, 0.05) == (lower_bound(30, 40, 0.05), upper_bound(30, 40, 0.05))


def test_copies_of_a_case_tell_no_more_than_the_case() -> None:
    """40 cases said five times: bounds as wide as those of the 40, far wider than those of 200."""
    once = bounds(selection(30, 40), 0.05)
    copies = bounds(selection(150, 200, [c // 5 for c in range(200)]), 0.05)
    plain = bounds(selection(150, 200), 0.05)
    assert copies.high - copies.low == pytest.approx(once.high - once.low, rel=0.15)
    assert copies.low < plain.low
    assert copies.high > plain.high


def test_clusters_that_all_pass_count_as_clusters() -> None:
    low, high = bounds(selection(50, 50, [c // 5 for c in range(50)]), 0.05)
    assert low == pytest.approx(0.05 ** (1 / 10), abs=1e-3)
    assert high == 1.0


def test_how_many_more_clusters() -> None:
    undecided = selection(150, 200, [c // 5 for c in range(200)])
    more = clusters_needed(undecided, 0.65, 0.05)
    assert more in (40, 120, 280, 600)
    rule = decide_floor("m", None, undecided, 0.65, 0.05, None)
    assert rule.decision is Decision.INCONCLUSIVE
    assert f"at most about {more:,} more clusters that are just like these" in rule.reason
    copies = more // 40 + 1
    enough = selection(150 * copies, 200 * copies, [c // 5 for c in range(200 * copies)])
    assert decide_floor("m", None, enough, 0.65, 0.05, None).decision is Decision.PASS
    assert clusters_needed(undecided, 0.75, 0.05) is None
    rule = decide_floor("m", None, undecided, 0.75, 0.05, None)
    assert rule.decision is Decision.INCONCLUSIVE
    assert FAR_MORE in rule.reason


def draw(
    source: random.Random, rate: float, count: int, size: int, correlation: float
) -> MetricSample:
    """Clusters whose own rates are beta-distributed, so that two cases of one correlate as told."""
    scale = (1 - correlation) / correlation
    outcomes = []
    for _ in range(count):
        own = source.betavariate(rate * scale, (1 - rate) * scale)
        outcomes += [source.random() < own for _ in range(size)]
    values = tuple(float(outcome) for outcome in outcomes)
    clusters = tuple(case // size for case in range(count * size))
    return MetricSample(len(outcomes), sum(outcomes), 0, 0, values, clusters, tuple(outcomes))


@pytest.mark.parametrize(
    ("rate", "count", "correlation"), [(0.8, 30, 0.5), (0.98, 50, 0.3), (0.9, 10, 0.3)]
)
def test_a_floor_on_clusters_holds(rate: float, count: int, correlation: float) -> None:
    """Wrong PASSes at a rate on the floor: at most 5 % and two Monte-Carlo errors; plain bounds
    miss that by far.
    """
    source, rounds = random.Random(5), 600
    drawn = [draw(source, rate, count, 10, correlation) for _ in range(rounds)]
    wrong = sum(bounds(found, 0.05).low > rate for found in drawn)
    plain = sum(lower_bound(found.passed, found.n, 0.05) > rate for found in drawn)
    assert wrong / rounds <= 0.05 + 2 * (0.05 * 0.95 / rounds) ** 0.5
    assert plain / rounds > 0.12
