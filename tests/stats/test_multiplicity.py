"""Several hypotheses at once, against statsmodels and the closure principle."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmeval.stats.tests.multiplicity import (
    all_hold,
    benjamini_hochberg,
    benjamini_yekutieli,
    e_holm,
    holm,
    holm_adjusted,
)

P_VALUES = [0.01, 0.04, 0.03, 0.005, 0.2]


def test_corrections_are_those_of_statsmodels() -> None:
    # statsmodels 0.15.0, multipletests(p, .05, method): holm, fdr_bh, fdr_by.
    assert holm(P_VALUES) == [True, False, False, True, False]
    assert holm_adjusted(P_VALUES) == pytest.approx([0.04, 0.09, 0.09, 0.025, 0.2])
    assert benjamini_hochberg(P_VALUES) == [True, True, True, True, False]
    assert benjamini_yekutieli(P_VALUES) == [False] * 5
    assert benjamini_yekutieli(P_VALUES, 0.115) == [True, True, True, True, False]


@settings(max_examples=40)
@given(st.lists(st.floats(0, 0.2), min_size=1, max_size=6))
def test_holm_is_the_closed_test_of_bonferroni(p_values: list[float]) -> None:
    """Reject i when every set of hypotheses that contains i is rejected by Bonferroni."""
    indices = range(len(p_values))
    sets = [s for size in range(1, len(p_values) + 1) for s in combinations(indices, size)]
    expected = [
        all(min(p_values[j] for j in s) * len(s) <= 0.05 for s in sets if i in s) for i in indices
    ]
    assert holm(p_values) == expected


def test_e_values_of_m_over_alpha_always_reject() -> None:
    assert e_holm([60, 60, 60]) == [True, True, True]
    assert e_holm([60, 25, 1]) == [True, False, False]
    assert e_holm([60, 45, 21]) == [True, True, True]
    assert e_holm([0.0, 0.5]) == [False, False]


def test_passing_needs_no_correction() -> None:
    assert all_hold([0.05, 0.01])
    assert not all_hold([0.05, 0.06])
    assert all_hold([])


def test_nothing_to_test() -> None:
    assert holm([]) == benjamini_yekutieli([]) == []


def test_p_values_outside_0_to_1_are_refused() -> None:
    with pytest.raises(ValueError, match=r"1\.5"):
        holm([0.1, 1.5])
