"""Levels of looks: published boundaries, and that all looks together keep the rate."""

import math
from statistics import NormalDist

import numpy as np
import pytest

from llmeval.stats.sequential.spending import FAIL, FEWEST, PASS, levels, schedule, spent

NORMAL = NormalDist()
FIFTHS = (0.2, 0.4, 0.6, 0.8, 1.0)


@pytest.mark.parametrize(
    ("used", "published"),
    [
        ([2 * (1 - NORMAL.cdf(NORMAL.inv_cdf(1 - 0.0125) / math.sqrt(t))) for t in FIFTHS],
         [4.8769, 3.3569, 2.6803, 2.2898, 2.0310]),
        ([0.025 * math.log(1 + (math.e - 1) * t) for t in FIFTHS], [2.4380, 2.4268, 2.4101, 2.3966, 2.3859]),
    ],
)  # fmt: skip
def test_boundaries_of_lan_and_demets(used: list[float], published: list[float]) -> None:
    """Five looks at one-sided 2.5 %: O'Brien-Fleming and Pocock type, as ldbounds and gsDesign
    print them.
    """
    found = [NORMAL.inv_cdf(1 - level) for level in levels(FIFTHS, tuple(used))]
    assert found == pytest.approx(published, abs=2e-4)


@pytest.mark.parametrize(
    ("units", "information"), [(1000, 15.6), (200, 3.1), (60, None), (20_000, 300.0)]
)
def test_all_looks_together_keep_the_rate(units: int, information: float | None) -> None:
    times = tuple(at / units for at in schedule(units))
    used = tuple(0.05 * spent(time, information, FAIL) for time in times)
    assert used[-1] == 0.05
    assert list(used) == sorted(used)
    steps = np.sqrt(np.diff([0.0, *times]))
    z = (np.random.default_rng(31).normal(size=(40_000, len(times))) * steps).cumsum(
        axis=1
    ) / np.sqrt(times)
    limits = [NORMAL.inv_cdf(1 - level) if level else math.inf for level in levels(times, used)]
    assert (z >= limits).any(axis=1).mean() == pytest.approx(0.05, abs=0.0033)


def test_one_look_has_the_whole_rate() -> None:
    assert levels((1.0,), (0.05,)) == (0.05,)


def test_looks_are_dense_where_great_losses_show_and_never_before_the_tenth_unit() -> None:
    assert schedule(1000)[:3] + schedule(1000)[38:41] == (10, 20, 30, 390, 400, 420)
    assert schedule(1000)[-2:] == (980, 1000)
    assert schedule(9) == (9,)
    assert all(
        schedule(units)[0] >= min(FEWEST, units) and schedule(units)[-1] == units
        for units in range(1, 300)
    )


def test_a_line_has_spent_everything_it_ever_will_when_the_information_is_great() -> None:
    """The line is Wald's: P(B(s) ever reaches ln 20 + s/2) = 1/20, and the last look keeps the
    reserve.
    """
    assert spent(0.99, 1e6, PASS) == pytest.approx(1 - PASS.reserve)
    assert spent(1.0, 1e6, PASS) == 1.0
    assert spent(0.5, None, PASS) == pytest.approx(0.5 * (1 - PASS.reserve))
    assert spent(0.05, 15.6, FAIL) > 20 * spent(0.05, 15.6, PASS)
