"""Agreement of a judge with people, against sklearn, statsmodels, irrCAC and the definitions."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmeval.stats.estimation.agreement import (
    agreement,
    bias_probe,
    expected_kappa,
    retest,
    youden_lower,
)
from llmeval.stats.estimation.bounds import wilson
from llmeval.stats.estimation.label_counts import LabelCounts, Provenance, RefusedEstimate

LABELS = LabelCounts(60, 7, 10, 23)
CELLS = st.tuples(*[st.integers(0, 60)] * 4)


def test_points_are_those_of_the_usual_libraries() -> None:
    found = agreement(LABELS)
    # scikit-learn 1.9.1 matthews_corrcoef, cohen_kappa_score; irrCAC 0.4.4 CAC.gwet.
    assert found.mcc.value == pytest.approx(0.607949179967455)
    assert found.kappa.value == pytest.approx(0.6064814814814815)
    assert found.ac1.value == pytest.approx(0.70094, abs=5e-6)
    assert found.sensitivity.value == pytest.approx(60 / 70)
    assert found.specificity.value == pytest.approx(23 / 30)
    assert found.youden.value == pytest.approx(60 / 70 + 23 / 30 - 1)
    assert found.balanced_accuracy.value == pytest.approx((60 / 70 + 23 / 30) / 2)
    assert found.accuracy.value == pytest.approx(0.83)
    assert found.bias == pytest.approx(2 * sum(math.comb(17, k) for k in range(10, 18)) / 2**17)


def test_intervals_are_near_the_asymptotic_ones_with_many_labels() -> None:
    found = agreement(LabelCounts(6000, 700, 1000, 2300))
    # statsmodels 0.15.0 cohens_kappa on 100 times fewer: .43858 to .77437; with n the width falls
    # by 10.
    centre, half = 0.60648, (0.77437 - 0.43858) / 20
    assert found.kappa.low == pytest.approx(centre - half, abs=0.001)
    assert found.kappa.high == pytest.approx(centre + half, abs=0.001)
    # irrCAC 0.4.4, Gwet's AC1 with standard error .07149 at n = 100.
    assert found.ac1.high - found.ac1.low == pytest.approx(2 * 1.96 * 0.07149 / 10, rel=0.03)
    assert (found.sensitivity.low, found.sensitivity.high) == wilson(6000, 7000)


@pytest.mark.parametrize(
    ("rate", "kappa", "ac1"),
    [
        (0.5, 0.80, 0.80),
        (0.7, 0.77, 0.82),
        (0.9, 0.59, 0.87),
        (0.95, 0.43, 0.88),
        (0.98, 0.24, 0.89),
    ],
)
def test_kappa_punishes_good_suites_and_ac1_flatters(rate: float, kappa: float, ac1: float) -> None:
    assert expected_kappa(0.9, 0.9, rate) == pytest.approx((kappa, ac1), abs=0.005)


@settings(max_examples=40)
@given(CELLS)
def test_measures_stay_in_range(cells: tuple[int, int, int, int]) -> None:
    labels = LabelCounts(*cells)
    if labels.n == 0:
        return
    found = agreement(labels)
    for name, low in (
        ("sensitivity", 0),
        ("accuracy", 0),
        ("youden", -1),
        ("mcc", -1),
        ("kappa", -1),
        ("ac1", -1),
    ):
        measure = getattr(found, name)
        assert low <= measure.low <= measure.high <= 1
        if measure.value is not None:
            assert low - 1e-9 <= measure.value <= 1 + 1e-9
    assert -1 <= found.youden_lower <= 1
    if found.youden.value is not None:
        assert found.youden_lower <= found.youden.value + 1e-3


def test_perfect_agreement_keeps_a_width() -> None:
    found = agreement(LabelCounts(40, 0, 0, 10))
    for measure in (found.kappa, found.mcc, found.ac1, found.youden):
        assert measure.value == 1.0
        assert measure.low < 0.97


def test_one_kind_of_answer_leaves_specificity_unknown() -> None:
    found = agreement(LabelCounts(40, 0, 5, 0))
    assert found.specificity.value is None
    assert found.youden.value is None
    assert found.youden_lower == -1.0
    assert (found.specificity.low, found.specificity.high) == (0.0, 1.0)


@pytest.mark.parametrize(("n1", "n0"), [(70, 30), (35, 15)])
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_the_bound_of_j_errs_as_often_as_it_says(n1: int, n0: int, alpha: float) -> None:
    """P(bound > J), over all tables, for judges from fair to very good."""
    bounds = {
        (k1, k0): youden_lower(LabelCounts(k1, n0 - k0, n1 - k1, k0), alpha)
        for k1 in range(n1 // 2, n1 + 1)
        for k0 in range(n0 // 2, n0 + 1)
    }
    for sens, spec in ((0.85, 0.9), (0.95, 0.95), (0.98, 0.8)):
        error = sum(
            math.comb(n1, k1) * sens**k1 * (1 - sens) ** (n1 - k1)
            * math.comb(n0, k0) * spec**k0 * (1 - spec) ** (n0 - k0)
            for (k1, k0), bound in bounds.items() if bound > sens + spec - 1
        )  # fmt: skip
        assert error <= alpha


def test_labels_by_verdict_are_weighted_back() -> None:
    """100 labels, half from the judge's fails, which are a tenth of the run: sensitivity needs the
    run's shares.
    """
    labels = LabelCounts(45, 5, 10, 40)
    found = agreement(labels, provenance=Provenance.BY_VERDICT, judged=(900, 1000))
    passing = 0.9 * 0.9 + 0.1 * 0.2
    assert found.sensitivity.value == pytest.approx(0.81 / passing)
    assert found.specificity.value == pytest.approx(0.08 / (1 - passing))
    assert found.youden_lower < found.youden.value  # type: ignore[operator]
    with pytest.raises(RefusedEstimate, match="verdict counts"):
        agreement(labels, provenance=Provenance.BY_VERDICT)


def test_chosen_labels_and_no_labels_are_refused() -> None:
    with pytest.raises(RefusedEstimate, match="where the judge errs"):
        agreement(LABELS, provenance=Provenance.CHOSEN)
    with pytest.raises(ValueError, match="needs labels"):
        agreement(LabelCounts(0, 0, 0, 0))


def test_the_interval_of_kappa_covers() -> None:
    """60 tables of 100 labels of the judge of the design's table (kappa .70)."""
    rng = np.random.default_rng(13)
    cells = [0.7 * 0.85, 0.3 * 0.1, 0.7 * 0.15, 0.3 * 0.9]
    kappa = expected_kappa(0.85, 0.9, 0.7)[0]
    found = [
        agreement(LabelCounts(*(int(x) for x in rng.multinomial(100, cells)))).kappa
        for _ in range(40)
    ]
    assert sum(m.low <= kappa <= m.high for m in found) >= 34


def test_probes_and_repeats() -> None:
    p_value, flips = bias_probe(15, 5, 100)
    assert p_value == pytest.approx(0.04138946533203125)  # statsmodels 0.15.0 mcnemar, exact
    assert flips == wilson(20, 100)
    assert retest(28, 30).value == pytest.approx(28 / 30)
    with pytest.raises(ValueError, match="impossible"):
        bias_probe(60, 50, 100)
