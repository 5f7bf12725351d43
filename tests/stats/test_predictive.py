"""How many cases decide, against closed forms and against play."""

import math
import random
from statistics import NormalDist

import pytest

from llmeval.gate.rules.open_hints import likely_floor_cases
from llmeval.stats.predictive import DecisionLimit, ObservedSample, decided_share, likely_cases
from llmeval.stats.special.beta import beta_cdf

NORMAL = NormalDist()


def test_at_the_limit_the_number_is_a_ratio_of_normal_quantiles() -> None:
    """The estimate is the limit itself: N cases decide where |Z| sqrt(1/n - 1/N) sd is z sd / sqrt N,
    so in 4 of 5 tries N / n - 1 = (z / Phi^-1(.6))^2 = 42.2, up to the half case of counting.
    """
    z, fifth = NORMAL.inv_cdf(0.95), NORMAL.inv_cdf(0.6)
    seen, limit = ObservedSample(4000, 0.5, 0.5, 0.5), DecisionLimit(0.5, 0.05, 0.5)
    found = likely_cases(seen, limit, limit)
    assert found is not None
    assert found / 4000 == pytest.approx((z / fifth) ** 2, rel=0.05)


def test_an_estimate_as_far_off_as_it_takes_decides_in_half_of_the_tries() -> None:
    """m = z sd / sqrt(N) above the limit: centred on the boundary of N cases, but for the half
    case.
    """
    total, z = 400.0, NORMAL.inv_cdf(0.95)
    mean = 0.5 + z * 0.5 / math.sqrt(total) + 0.5 / total
    seen = ObservedSample(100, mean, mean, 0.5)
    limit = DecisionLimit(0.5, 0.05, 0.5)
    below = DecisionLimit(-9.0, 0.05, 0.5)
    assert decided_share(total, seen, below, limit) == pytest.approx(0.5)


def test_more_tries_take_more_cases_and_some_take_too_many() -> None:
    seen, limit = ObservedSample(100, 0.84, 0.84, 0.37), DecisionLimit(0.8, 0.05, 0.4)
    half, most = (likely_cases(seen, limit, limit, tries) for tries in (0.5, 0.8))
    assert half is not None and most is not None and half < most
    assert likely_cases(seen, limit, limit, 0.9999) is None


@pytest.mark.parametrize(
    ("n", "floor", "rate"), [(100, 0.8, 0.85), (60, 0.9, 0.97), (30, 0.8, 0.7)]
)
def test_so_many_more_cases_decide_in_four_of_five_tries(n: int, floor: float, rate: float) -> None:
    def decides(passed: int, cases: int) -> bool:
        above = passed > 0 and beta_cdf(floor, passed, cases - passed + 1) <= 0.05
        return above or (passed < cases and 1 - beta_cdf(floor, passed + 1, cases - passed) < 0.05)

    source, tries, right = random.Random(5), 0, 0
    while tries < 200:
        passed = sum(source.random() < rate for _ in range(n))
        if decides(passed, n):
            continue
        more = likely_floor_cases(passed, n, floor, 0.05, 0.05)
        assert more is not None
        again = passed + round(source.gauss(more * rate, math.sqrt(more * rate * (1 - rate))))
        tries, right = tries + 1, right + decides(min(again, n + more), n + more)
    assert right / tries >= 0.8
