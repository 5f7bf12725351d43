"""Betting: fair odds, order, finite suites, confidence sequences."""

import math
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmeval.stats.sequential.betting import GRID, Wealth, best_fraction, bets, upper_sequence

FEW = st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=1, max_size=40)


def play(values: list[float], null: float = 0.0, total: float | None = None) -> np.ndarray:
    wealth = Wealth(null, 1.0, bets(), 1.0, total)
    return wealth.update(np.array(values), np.ones(len(values)))


def test_capital_is_one_and_half_of_it_sits_near_the_aim() -> None:
    for aim in (None, 0.3, 5.0, 1e-9):
        shares = np.exp(bets(aim).log_shares)
        assert shares.sum() == pytest.approx(1.0)
        assert shares.min() >= 0.5 / len(GRID)
    assert GRID[np.argmax(bets(0.3).log_shares)] == pytest.approx(0.3)


def test_one_gambler_in_closed_form() -> None:
    """Mixture wealth after the counts of worse, same, better: sum_k w_k (1+f)^worse (1-f)^better at
    null 0.
    """
    path = play([-1, -1, 0, 1, -1])
    expected = np.mean((1 + GRID) ** 3 * (1 - GRID))
    assert path[-1] == pytest.approx(math.log(expected))


@pytest.mark.parametrize("shares", [(0.1, 0.8, 0.1), (0.3, 0.4, 0.3), (0.0, 1.0, 0.0)])
def test_the_expected_wealth_at_the_null_is_one(shares: tuple[float, float, float]) -> None:
    """Exactly, by enumeration of all outcomes of 6 units: nothing is gained on average when H0
    holds with equality.
    """
    expected = 0.0
    for outcome in product((-1.0, 0.0, 1.0), repeat=6):
        chance = math.prod(shares[int(x) + 1] for x in outcome)
        expected += chance * math.exp(play(list(outcome))[-1])
    assert expected == pytest.approx(1.0)


@pytest.mark.parametrize("suite", [[-1.0, -1.0, 1.0, 1.0, 0.0], [0.5, 0.0, 1.0, -0.5, 0.25]])
def test_the_expected_wealth_in_a_finite_suite_is_one(suite: list[float]) -> None:
    """All orders of a suite whose mean is the null exactly; after every number of units."""
    null = sum(suite) / 5
    paths = np.array([play(list(order), null, 5.0)[:4] for order in permutations(suite)])
    assert np.exp(paths).mean(axis=0) == pytest.approx(np.ones(4))


def test_the_expected_wealth_of_clusters_in_a_finite_suite_is_one() -> None:
    """Clusters of 1, 3 and 2 cases with means .5, -.5 and 0: case mean -1/6."""
    clusters = [(0.5, 1.0), (-0.5, 3.0), (0.0, 2.0)]
    paths = []
    for order in permutations(clusters):
        wealth = Wealth(-1 / 6, 1.0, bets(), 3.0, 6.0)
        paths.append(
            wealth.update(np.array([v for v, _ in order]), np.array([s for _, s in order]))[:2]
        )
    assert np.exp(paths).mean(axis=0) == pytest.approx(np.ones(2))


def test_batches_do_not_matter_in_a_finite_suite_of_clusters() -> None:
    rng = np.random.default_rng(20)
    values, sizes = rng.uniform(-1, 1, 12), rng.integers(1, 5, 12).astype(float)
    together = Wealth(0.1, 1.0, bets(), 4.0, float(sizes.sum())).update(values, sizes)
    wealth = Wealth(0.1, 1.0, bets(), 4.0, float(sizes.sum()))
    parts = [
        wealth.update(values[start : start + 5], sizes[start : start + 5]) for start in (0, 5, 10)
    ]
    assert np.concatenate(parts) == pytest.approx(together)


def test_a_finite_suite_is_known_at_its_end() -> None:
    assert play([-1, 0, 0, 1, -1], 0.0, 5.0)[-1] == math.inf
    assert play([-1, 0, 0, 1, 0], 0.0, 5.0)[-1] < math.inf
    assert play([-1.0] * 6, 0.0, 10.0)[-1] == math.inf  # four more can't make up for six


@settings(max_examples=40)
@given(FEW, st.randoms())
def test_order_does_not_matter_without_a_finite_suite(values: list[float], random: object) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert play(values)[-1] == pytest.approx(play(shuffled)[-1])


@settings(max_examples=40)
@given(FEW, st.integers(0, 40))
def test_batches_do_not_matter(values: list[float], cut: int) -> None:
    wealth = Wealth(0.0, 1.0, bets())
    first = wealth.update(np.array(values[:cut]), np.ones(len(values[:cut])))
    second = wealth.update(np.array(values[cut:]), np.ones(len(values[cut:])))
    assert np.append(first, second) == pytest.approx(play(values))


@settings(max_examples=40)
@given(FEW)
def test_smaller_scores_earn_more(values: list[float]) -> None:
    lower = [max(-1.0, value - 0.5) for value in values]
    assert play(lower)[-1] >= play(values)[-1] - 1e-12


def test_ville_holds_at_every_look() -> None:
    """Share of 1,000 runs at the null that ever reach 1/alpha in 300 units, looking every time."""
    rng = np.random.default_rng(4)
    gamblers = bets(0.3)
    reached = 0
    for _ in range(1000):
        values = rng.choice([-1.0, 0.0, 1.0], p=[0.08, 0.84, 0.08], size=300)
        reached += Wealth(0.0, 1.0, gamblers).update(values, np.ones(300)).max() >= math.log(20)
    assert reached / 1000 <= 0.05


def test_the_best_fraction_earns_most() -> None:
    """Against its neighbours, for binary differences with a drop of 5 points and 16 %
    discordance.
    """
    worse, better = 0.105, 0.055
    found = best_fraction(0.0, 1.0, 0.05, 0.16)

    def growth(f: float) -> float:
        return worse * math.log1p(f) + better * math.log1p(-f)

    assert found == pytest.approx(0.3125)
    assert growth(found) > max(growth(found * 1.2), growth(found / 1.2))


@settings(max_examples=40)
@given(FEW, st.sampled_from([0.01, 0.05, 0.3]), st.booleans())
def test_the_sequence_is_the_largest_null_not_refuted(
    values: list[float], alpha: float, finite: bool
) -> None:
    total = float(len(values) + 5) if finite else None
    scores, sizes = np.array(values), np.ones(len(values))
    bound = upper_sequence(scores, sizes, 1.0, alpha, bets(), 1.0, total)
    assert bound >= scores.sum() / (total or len(values)) - (5 / total if total else 0) - 1e-5
    if bound < 1 - 1e-3:
        assert play(values, bound + 1e-3, total)[-1] >= math.log(1 / alpha)
        if bound > -1 + 1e-3:
            assert play(values, bound - 1e-3, total)[-1] <= math.log(1 / alpha)


def test_larger_units_weigh_by_their_cases() -> None:
    """A unit of size 1 among clusters of up to 10 stakes a tenth."""
    wealth = Wealth(0.0, 1.0, bets(), largest=10.0)
    path = wealth.update(np.array([-1.0]), np.array([1.0]))
    assert path[0] == pytest.approx(math.log(np.mean(1 + GRID / 10)))


def test_a_null_at_the_top_can_not_be_bet_against() -> None:
    with pytest.raises(ValueError, match="below the largest"):
        Wealth(1.0, 1.0, bets())
