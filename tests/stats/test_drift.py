"""Anchors: the rule's table, and slow drift."""

import math

import numpy as np
import pytest

from llmeval.stats.sequential.drift import (
    anchor_power,
    anchor_rule,
    change_limit,
    drift_p_value,
    varies_at_most,
)


@pytest.mark.parametrize(
    ("n", "alarm", "false_alarm", "at_10", "at_15"),
    [(50, 4, 0.018, 0.75, 0.95), (100, 6, 0.015, 0.94, 1.00)],
)
def test_the_designs_table(
    n: int, alarm: int, false_alarm: float, at_10: float, at_15: float
) -> None:
    rule = anchor_rule(n)
    assert rule.alarm == alarm
    assert rule.false_alarm == pytest.approx(false_alarm, abs=5e-4)
    assert anchor_power(n, alarm, 0.10) == pytest.approx(at_10, abs=0.006)
    assert anchor_power(n, alarm, 0.15) == pytest.approx(at_15, abs=0.006)


def test_power_is_a_binomial_tail() -> None:
    expected = sum(math.comb(30, k) * 0.2**k * 0.8 ** (30 - k) for k in range(7, 31))
    assert anchor_power(30, 7, 0.2) == pytest.approx(expected)
    assert (anchor_power(30, 0, 0.2), anchor_power(30, 31, 0.2), anchor_power(30, 1, 0.0)) == (
        1.0,
        0.0,
        0.0,
    )


def test_one_alarm_less_would_ring_too_often() -> None:
    for n in (10, 30, 200):
        rule = anchor_rule(n, 0.05, 0.02)
        assert rule.false_alarm <= 0.02 < anchor_power(n, rule.alarm - 1, 0.05)


def test_drift_that_no_single_run_shows_adds_up() -> None:
    """3 of 50 changed in every run is below the alarm of 4. Where three calls agreed on each stored
    verdict, two dozen such runs are not chance; where one call was stored, they may be: the chance
    that 3 or more of 50 were stored as the rarer verdict is 1.4 %.
    """
    assert drift_p_value([3] * 24, [50] * 24, 0.03, calls=3) < 0.02
    assert drift_p_value([3] * 200, [50] * 200, 0.05) > 0.02
    assert drift_p_value([1] * 24, [50] * 24, 0.03, calls=3) > 0.05
    assert drift_p_value([], []) == 1.0
    assert drift_p_value([0, 1], [50, 50], natural=0.0) == 0.0


def test_the_luck_of_the_stored_verdicts_is_a_binomial_tail() -> None:
    """natural .02: f = .0101; of 50 stored verdicts more than 2 are the rarer one with probability
    1.4 %, and with 2 of them 2 (1 - f) + 48 f are expected to change.
    """
    rarer = (1 - math.sqrt(0.96)) / 2
    tail = 1 - sum(math.comb(50, k) * rarer**k * (1 - rarer) ** (50 - k) for k in range(3))
    limit = change_limit(50, 0.02, 0.015)
    coins = 1 - sum(math.comb(50, k) * 0.04**k * 0.96 ** (50 - k) for k in range(6))
    assert tail == pytest.approx(0.0142, abs=2e-4)
    assert limit.exceeded == pytest.approx(max(tail, coins))
    alike = (2 * (1 - rarer) + 48 * rarer) / 50
    assert limit.share == pytest.approx(max(alike, 5 / 2 / 50))
    assert change_limit(50, 0.02, 0.015, calls=3).share < 0.7 * limit.share


@pytest.mark.parametrize("natural", [0.02, 0.1])
@pytest.mark.parametrize("calls", [1, 3])
def test_a_judge_that_varies_by_itself_is_rarely_called_drifting(
    natural: float, calls: int
) -> None:
    """The stored verdict is a draw as well: without allowing for it 40 % were called drifting."""
    rng, rarer = np.random.default_rng(19), (1 - math.sqrt(1 - 2 * natural)) / 2
    alarms = 0
    for _ in range(200):
        votes = rng.random((calls, 400)) < rarer
        stored = votes[0, votes.all(axis=0) | ~votes.any(axis=0)][:50]
        changed = ((rng.random((100, 50)) < rarer) != stored).sum(axis=1)
        alarms += drift_p_value(changed.tolist(), [50] * 100, natural, calls) <= 0.02
    assert alarms / 200 <= 0.02 + 2 * math.sqrt(0.02 * 0.98 / 200)


def test_a_retest_bounds_how_much_a_judge_varies() -> None:
    """No split among 30 answers of three calls: at 90 % at most 1 - .1^(1/30) of such answers split,
    and two calls differ on at most two thirds of those.
    """
    assert varies_at_most(30, 30, 3) == pytest.approx((1 - 0.1 ** (1 / 30)) * 2 / 3)
    assert varies_at_most(30, 30, 2) == pytest.approx(1 - 0.1 ** (1 / 30))
    assert varies_at_most(0, 30, 3) == 0.5
    assert varies_at_most(100_000, 100_000, 3) == 0.02
    with pytest.raises(ValueError, match="impossible retest"):
        varies_at_most(31, 30, 3)


def test_an_unchanged_judge_rarely_drifts_over_a_hundred_runs() -> None:
    rng = np.random.default_rng(16)
    alarms = sum(
        drift_p_value(list(rng.binomial(50, 0.02, 100)), [50] * 100) <= 0.05 for _ in range(400)
    )
    assert alarms / 400 <= 0.05


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="0 <= changed"):
        drift_p_value([3], [2])
    with pytest.raises(ValueError, match="0 <= changed"):
        drift_p_value([1, 1], [50])
    with pytest.raises(ValueError, match="anchors"):
        anchor_rule(0)
