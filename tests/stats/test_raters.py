"""Several raters, against published examples and the alt-test's reference procedure."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmeval.stats.estimation.raters import alt_test, krippendorff_alpha, krippendorff_interval

# Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), example C: four observers,
# twelve units.
OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]
UNITS = [list(unit) for unit in zip(*OBSERVERS, strict=True)]


def test_alpha_is_the_published_one() -> None:
    assert krippendorff_alpha(UNITS) == pytest.approx(0.743, abs=5e-4)
    assert krippendorff_alpha(UNITS, "interval") == pytest.approx(0.849, abs=5e-4)


def test_alpha_of_two_raters_by_the_coincidence_table() -> None:
    """Example A of the same note: two observers, binary data, ten units: alpha .095."""
    first = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    second = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    assert krippendorff_alpha(list(zip(first, second, strict=True))) == pytest.approx(
        0.095, abs=5e-4
    )


def test_where_chance_can_not_disagree_alpha_is_not_defined() -> None:
    assert krippendorff_alpha([[1, 1], [1, 1]]) is None
    assert krippendorff_alpha([[1, None], [2, None]]) is None
    assert krippendorff_interval([[1, None]]) == (-1.0, 1.0)
    assert krippendorff_interval([[1, 1], [1, 1]]) == (-1.0, 1.0)


@settings(max_examples=40)
@given(
    st.lists(
        st.lists(st.sampled_from([True, False, None]), min_size=3, max_size=3),
        min_size=1,
        max_size=20,
    )
)
def test_alpha_does_not_depend_on_names_or_order(items: list[list[bool | None]]) -> None:
    found = krippendorff_alpha(items)
    turned = krippendorff_alpha(
        [[None if r is None else not r for r in reversed(item)] for item in reversed(items)]
    )
    assert (found is None) == (turned is None)
    if found is not None:
        assert found <= 1
        assert turned == pytest.approx(found)


def test_the_interval_holds_the_estimate_and_narrows_with_items() -> None:
    rng = np.random.default_rng(14)
    widths = []
    for count in (30, 300):
        truth = rng.random(count) < 0.6
        ratings = [[bool(t ^ (rng.random() < 0.1)) for _ in range(3)] for t in truth]
        alpha = krippendorff_alpha(ratings)
        low, high = krippendorff_interval(ratings)
        assert alpha is not None
        assert low < alpha < high
        widths.append(high - low)
    assert widths[1] < 0.6 * widths[0]


def annotations() -> tuple[dict[int, int], dict[str, dict[int, int]]]:
    truth = {i: i * 7 % 3 for i in range(60)}
    people = {
        "a": {i: t if i % 5 else (t + 1) % 3 for i, t in truth.items()},
        "b": {i: t if i % 4 else (t + 2) % 3 for i, t in truth.items() if i != 11},
        "c": {i: t if i % 3 else (t + 1) % 3 for i, t in truth.items() if i < 50},
    }
    return {i: t if i % 6 else (t + 1) % 3 for i, t in truth.items() if i != 30}, people


def test_the_alt_test_is_the_reference_procedure() -> None:
    """p-values and advantage of the procedure of arXiv 2501.10970, run with scipy 1.17.1
    ttest_1samp.
    """
    judge, people = annotations()
    found = alt_test(judge, people, epsilon=0.15)
    expected = {"a": 8.30648681364788e-08, "b": 2.025860422560525e-08, "c": 2.927367830312736e-07}
    assert found.p_values == pytest.approx(expected, rel=1e-9)
    assert found.advantage == pytest.approx(0.9886031560490941)
    assert (found.winning_rate, found.passes) == (1.0, True)


def test_a_judge_that_guesses_loses() -> None:
    _, people = annotations()
    found = alt_test(dict.fromkeys(range(60), 9), people)
    assert (found.winning_rate, found.passes) == (0.0, False)


def test_annotators_who_always_agree() -> None:
    """Nothing varies, so no t test: a judge that agrees with them wins for sure, one that never
    does loses for sure.
    """
    people = {name: dict.fromkeys(range(40), "good") for name in "abc"}
    assert alt_test(dict.fromkeys(range(40), "good"), people).winning_rate == 1.0
    assert alt_test(dict.fromkeys(range(40), "bad"), people).winning_rate == 0.0


def test_the_alt_test_needs_shared_items() -> None:
    judge, people = annotations()
    with pytest.raises(ValueError, match="two annotators with 30 shared items"):
        alt_test(judge, {"a": people["a"]})
