"""Stated probabilities, against sklearn and statsmodels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmeval.stats.estimation.calibration import (
    BetaCalibration,
    brier,
    ece,
    fit_beta,
    fit_platt,
    reliability,
)

P = [0.9, 0.8, 0.85, 0.6, 0.3, 0.2, 0.95, 0.4, 0.7, 0.1, 0.99, 0.55]
Y = [True, True, False, True, False, False, True, True, False, False, True, True]


def test_the_brier_score_is_that_of_sklearn() -> None:
    assert brier(P, Y) == pytest.approx(0.1773)  # scikit-learn 1.9.1 brier_score_loss
    assert brier([0.5] * 4, [True, False, True, False]) == 0.25


def test_ece_by_hand() -> None:
    """Two bins of two: stated .15 and .85, observed .5 and 1."""
    assert ece([0.1, 0.2, 0.8, 0.9], [True, False, True, True], bins=2) == pytest.approx(
        (0.35 + 0.15) / 2
    )


def test_bins_are_of_equal_size_and_never_split_equal_probabilities() -> None:
    found = reliability(np.linspace(0, 1, 100).tolist(), [i % 2 == 0 for i in range(100)])
    assert [b.n for b in found] == [10] * 10
    tied = reliability([0.2] * 15 + [0.9] * 5, [True] * 20, bins=4)
    assert [(b.n, round(b.stated, 6)) for b in tied] == [(15, 0.2), (5, 0.9)]


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60), st.integers(1, 12)
)
def test_bins_hold_everything_once(rows: list[tuple[float, bool]], bins: int) -> None:
    p, y = [r[0] for r in rows], [r[1] for r in rows]
    found = reliability(p, y, bins)
    assert sum(b.n for b in found) == len(rows)
    assert sum(b.n * b.stated for b in found) == pytest.approx(sum(p))
    assert sum(b.n * b.observed for b in found) == pytest.approx(sum(y))
    assert 0 <= ece(p, y, bins) <= 1


def test_platt_scaling_is_the_logistic_regression_of_statsmodels() -> None:
    # statsmodels 0.15.0 GLM(Binomial) of Platt's targets on the logit.
    found = fit_platt(P, Y)
    assert (found.slope, found.intercept) == pytest.approx(
        (0.5218696582899274, -0.016831432107396627), abs=1e-8
    )


def test_beta_calibration_is_the_logistic_regression_of_statsmodels() -> None:
    # statsmodels 0.15.0 GLM(Binomial) of y on ln p and -ln(1 - p); betacal 1.1.0 gives 1.961, .2148
    # (its own penalty).
    found = fit_beta(P, Y, ridge=0.0)
    assert tuple(found) == pytest.approx(
        (1.9595836580781083, 0.215274626728295, 1.3367611214420347), abs=1e-6
    )


def test_beta_calibration_holds_the_identity() -> None:
    identity = BetaCalibration(1.0, 1.0, 0.0)
    assert identity([0.1, 0.5, 0.97]) == pytest.approx([0.1, 0.5, 0.97])


def test_calibration_mends_overconfidence() -> None:
    """Stated logits twice too large: the fitted slope is about a half, and the error falls."""
    rng = np.random.default_rng(15)
    logit = rng.normal(0, 1.5, 4000)
    outcomes = list(rng.random(4000) < 1 / (1 + np.exp(-logit)))
    stated = list(1 / (1 + np.exp(-2 * logit)))
    for mended in (fit_platt(stated, outcomes), fit_beta(stated, outcomes)):
        assert ece(list(mended(stated)), outcomes) < 0.5 * ece(stated, outcomes)
    assert fit_platt(stated, outcomes).slope == pytest.approx(0.5, abs=0.05)


def test_separated_classes_stay_finite_and_in_order() -> None:
    p, y = [0.1, 0.2, 0.3, 0.7, 0.8, 0.9], [False] * 3 + [True] * 3
    for fitted in (fit_platt(p, y), fit_beta(p, y)):
        mended = fitted([0.05, 0.5, 0.95])
        assert np.isfinite(mended).all()
        assert list(mended) == sorted(mended)


def test_a_judge_that_is_wrong_way_round_is_not_turned() -> None:
    fitted = fit_beta([0.1, 0.2, 0.8, 0.9], [True, True, False, False])
    assert fitted.a >= 0
    assert fitted.b >= 0


@pytest.mark.parametrize(
    ("p", "y", "message"),
    [
        ([], [], "at least one"),
        ([0.5], [], "as many"),
        ([1.5], [True], r"\[0, 1\]"),
        ([0.5, 0.6], [True, True], "both kinds"),
    ],
)
def test_bad_input_is_refused(p: list[float], y: list[bool], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit_platt(p, y)
