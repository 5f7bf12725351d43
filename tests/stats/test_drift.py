"""Canaries: the rule's table, and slow drift."""

import math

import numpy as np
import pytest

from llmeval.stats.sequential.drift import canary_power, canary_rule, drift_p_value


@pytest.mark.parametrize(
    ("n", "alarm", "false_alarm", "at_10", "at_15"),
    [(50, 4, 0.018, 0.75, 0.95), (100, 6, 0.015, 0.94, 1.00)],
)
def test_the_designs_table(
    n: int, alarm: int, false_alarm: float, at_10: float, at_15: float
) -> None:
    rule = canary_rule(n)
    assert rule.alarm == alarm
    assert rule.false_alarm == pytest.approx(false_alarm, abs=5e-4)
    assert canary_power(n, alarm, 0.10) == pytest.approx(at_10, abs=0.006)
    assert canary_power(n, alarm, 0.15) == pytest.approx(at_15, abs=0.006)


def test_power_is_a_binomial_tail() -> None:
    expected = sum(math.comb(30, k) * 0.2**k * 0.8 ** (30 - k) for k in range(7, 31))
    assert canary_power(30, 7, 0.2) == pytest.approx(expected)
    assert (canary_power(30, 0, 0.2), canary_power(30, 31, 0.2), canary_power(30, 1, 0.0)) == (
        1.0,
        0.0,
        0.0,
    )


def test_one_alarm_less_would_ring_too_often() -> None:
    for n in (10, 30, 200):
        rule = canary_rule(n, 0.05, 0.02)
        assert rule.false_alarm <= 0.02 < canary_power(n, rule.alarm - 1, 0.05)


def test_drift_that_no_single_run_shows_adds_up() -> None:
    """3 of 50 changed in every run is below the alarm of 4; twelve such runs are not chance."""
    assert drift_p_value([3] * 12, [50] * 12) < 0.01
    assert drift_p_value([1] * 12, [50] * 12) > 0.05
    assert drift_p_value([], []) == 1.0
    assert drift_p_value([0, 1], [50, 50], natural=0.0) == 0.0


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
        canary_rule(0)
