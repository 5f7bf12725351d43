"""Differences: pinned to exact McNemar and Tango, mirrored, and covering what they promise."""

import math
import random

import pytest

from llmeval.stats.estimation.difference import difference
from llmeval.stats.estimation.paired import PairCounts, mcnemar, tango


def values(worse: int, better: int, n: int) -> list[float]:
    return [-1.0] * worse + [1.0] * better + [0.0] * (n - worse - better)


@pytest.mark.parametrize(("worse", "better"), [(12, 3), (3, 12), (0, 0), (30, 5), (6, 6)])
def test_binary_pairs_are_mcnemar_and_tango(worse: int, better: int) -> None:
    found = difference(values(worse, better, 200))
    assert found.estimate == pytest.approx((better - worse) / 200)
    assert found.p == pytest.approx(mcnemar(worse, better))
    expected = tango(PairCounts(worse, 200 - worse - better, better))
    if found.p < 0.05:
        assert (found.low, found.high) == (
            pytest.approx(expected.low),
            pytest.approx(expected.high),
        )
    assert (found.low <= 0 <= found.high) == (found.p > 0.05)


@pytest.mark.parametrize(
    "clusters", [None, [i // 4 for i in range(200)], [i // 20 for i in range(200)]]
)
def test_the_other_way_round_is_the_mirror(clusters: list[int] | None) -> None:
    source = random.Random(5)
    scores = [round(source.uniform(-0.4, 0.5), 2) for _ in range(200)]
    one, two = difference(scores, clusters), difference([-value for value in scores], clusters)
    assert one.estimate == pytest.approx(-two.estimate)
    assert (one.low, one.high, one.p) == (
        pytest.approx(-two.high),
        pytest.approx(-two.low),
        pytest.approx(two.p),
    )


def test_what_was_lost_widens_the_interval() -> None:
    sure, lost = difference(values(12, 3, 200)), difference([*values(12, 3, 190), *[math.nan] * 10])
    assert sure.p < 0.05 < lost.p
    assert lost.low < sure.low
    assert lost.high > sure.high


def test_clusters_that_move_together_are_less_sure() -> None:
    scores = [-1.0] * 12 + [1.0] * 2 + [0.0] * 186
    assert difference(scores).p < 0.05 < difference(scores, [i // 6 for i in range(200)]).p


def test_false_alarms_stay_below_the_level() -> None:
    source, rounds = random.Random(11), 300
    drawn = (
        [source.choices((-1.0, 0.0, 1.0), (1, 8, 1))[0] for _ in range(80)] for _ in range(rounds)
    )
    alarms = sum(difference(scores).p <= 0.05 for scores in drawn)
    assert alarms <= rounds * 0.05 + 2.5 * (rounds * 0.05 * 0.95) ** 0.5
