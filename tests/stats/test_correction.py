"""People's pass rate from a judge's verdicts: estimators, oracles, and refusal."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmeval.stats.estimation.bounds import clopper_pearson, jeffreys, wilson
from llmeval.stats.estimation.correction import (
    adjusted_rogan_gladen,
    decision_bounds,
    estimate_rate,
    mover_interval,
    post_stratified,
    post_stratified_interval,
    rogan_gladen,
)
from llmeval.stats.estimation.label_counts import (
    LabelCounts,
    Provenance,
    RefusedEstimate,
    count_labels,
)
from llmeval.stats.special.beta_mixture import Beta, quantile

LABELS = LabelCounts(60, 7, 10, 23)
COUNTS = st.integers(0, 40)


def test_counting_labels() -> None:
    found = count_labels([True, True, False, False, True], [True, False, True, False, True])
    assert found == (2, 1, 1, 1)
    assert (found.n, found.judge_pass, found.human_pass, found.human_fail) == (5, 3, 3, 2)
    with pytest.raises(ValueError, match="each label needs a verdict"):
        count_labels([True], [])


def test_post_stratification_is_prediction_powered_inference_within_verdicts() -> None:
    # ppi-python 0.2.3, ppi_mean_pointestimate within each verdict, weighted by the verdicts' shares
    # 700/1000.
    assert post_stratified(LABELS, 700, 1000) == pytest.approx(0.71777476, abs=1e-8)


@pytest.mark.parametrize("level", [0.025, 0.5, 0.975])
def test_quantiles_of_the_sum_are_those_of_random_draws(level: float) -> None:
    rng = np.random.default_rng(12)
    for q, a, c in (
        (Beta(620.5, 380.5), Beta(29.5, 2.5), Beta(5.5, 14.5)),
        (Beta(50.5, 50.5), Beta(50.5, 0.5), Beta(0.5, 50.5)),
        (Beta(0.5, 90.5), Beta(0.5, 0.5), Beta(80.5, 3.5)),
    ):
        draws = rng.beta(*q, 400_000)
        draws = draws * rng.beta(*a, 400_000) + (1 - draws) * rng.beta(*c, 400_000)
        width = np.subtract(*np.quantile(draws, [0.975, 0.025]))
        assert quantile(level, q, a, c) == pytest.approx(
            np.quantile(draws, level), abs=0.015 * width
        )


@settings(max_examples=40)
@given(st.floats(0.6, 90), st.floats(0.6, 90), st.floats(0.01, 0.99))
def test_a_sum_of_one_part_is_that_part(a: float, b: float, level: float) -> None:
    from scipy.special import betaincinv

    part = Beta(a, b)
    assert quantile(level, 1.0, part, Beta(1, 1)) == pytest.approx(
        betaincinv(a, b, level), abs=2e-5
    )
    assert quantile(level, 0.0, Beta(1, 1), part) == pytest.approx(
        betaincinv(a, b, level), abs=2e-5
    )
    mirrored = quantile(1 - level, 0.3, Beta(b, a), Beta(2, 5))
    assert quantile(level, 0.3, part, Beta(5, 2)) == pytest.approx(1 - mirrored, abs=1e-3)


def test_with_every_answer_labelled_the_interval_is_near_that_of_the_labels() -> None:
    found = post_stratified_interval(LABELS, 67, 100)
    plain = jeffreys(70, 100)
    assert found.low == pytest.approx(plain.low, abs=0.01)
    assert found.high == pytest.approx(plain.high, abs=0.01)
    chosen = estimate_rate(LABELS, 67, 100, Provenance.RANDOM)
    assert (chosen.low, chosen.high) == clopper_pearson(70, 100)


@settings(max_examples=40)
@given(COUNTS, COUNTS, COUNTS, COUNTS, st.integers(0, 500), st.integers(0, 500))
def test_intervals_stay_in_range_and_hold_the_estimate(
    pp: int, pf: int, fp: int, ff: int, more_pass: int, more_fail: int
) -> None:
    labels = LabelCounts(pp, pf, fp, ff)
    if labels.n == 0:
        return
    passed = labels.judge_pass + more_pass
    judged = passed + labels.judge_fail + more_fail
    rate = post_stratified(labels, passed, judged)
    standard = post_stratified_interval(labels, passed, judged)
    high = post_stratified_interval(labels, passed, judged, assurance="high")
    for low, top in (standard, high, mover_interval(labels, passed, judged)):
        assert 0 <= low <= top <= 1
    assert high.low <= rate + 1e-3
    assert rate - 1e-3 <= high.high
    assert high.low <= standard.low + 1e-4
    assert standard.high <= high.high + 1e-4


@settings(max_examples=40)
@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_one_more_good_answer_never_lowers_a_limit(pp: int, pf: int, fp: int, ff: int) -> None:
    """One labelled answer that the judge passed turns out good instead of bad."""
    before, after = LabelCounts(pp, pf + 1, fp, ff), LabelCounts(pp + 1, pf, fp, ff)
    old = post_stratified_interval(before, 300 + before.judge_pass, 600 + before.n)
    new = post_stratified_interval(after, 300 + after.judge_pass, 600 + after.n)
    assert new.low >= old.low - 1e-4
    assert new.high >= old.high - 1e-4


@settings(max_examples=40)
@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_a_judge_that_says_pass_for_fail_gives_the_same_limits(
    pp: int, pf: int, fp: int, ff: int
) -> None:
    labels, turned = LabelCounts(pp, pf, fp, ff), LabelCounts(fp, ff, pp, pf)
    if labels.n == 0:
        return
    passed, judged = labels.judge_pass + 2, labels.n + 70
    for interval, near in ((mover_interval, 1e-9), (post_stratified_interval, 2e-3)):
        expected = interval(labels, passed, judged)
        assert interval(turned, judged - passed, judged) == pytest.approx(expected, abs=near)


def test_mover_with_a_known_share_and_one_stratum_is_wilson() -> None:
    """A judge that passes everything: only A is left, and q's own width does not matter where A =
    C.
    """
    labels = LabelCounts(18, 2, 0, 0)
    low, high = mover_interval(labels, 10**9, 10**9)
    assert (low, high) == pytest.approx(wilson(18, 20), abs=1e-4)


def test_rogan_and_gladens_correction() -> None:
    """A suite that passes .7, judged with .85 and .9, shows .7*.85 + .3*.1 = .625."""
    assert rogan_gladen(0.625, 0.85, 0.9) == pytest.approx(0.7)
    assert rogan_gladen(0.05, 0.85, 0.9) == 0.0
    assert rogan_gladen(0.99, 0.85, 0.9) == 1.0
    with pytest.raises(RefusedEstimate, match="J is -0.10"):
        rogan_gladen(0.5, 0.4, 0.5)


def test_the_adjusted_interval_by_hand() -> None:
    """Lee et al. 2511.21140 on 70 + 30 labels and 640 of 1,000 judged pass, worked out step by
    step.
    """
    found = adjusted_rogan_gladen(LABELS, 640, 1000)
    z = 1.959963984540054
    sens, spec = 61 / 72, 24 / 32
    n = 1000 + z**2
    q = (640 + z**2 / 2) / n
    theta = (q + spec - 1) / (sens + spec - 1)
    s1, s0 = sens * (1 - sens) / 72, spec * (1 - spec) / 32
    centre = theta + 2 * z**2 * (theta * s1 - (1 - theta) * s0)
    half = (
        z * math.sqrt(q * (1 - q) / n + theta**2 * s1 + (1 - theta) ** 2 * s0) / (sens + spec - 1)
    )
    assert (found.low, found.high) == pytest.approx((centre - half, centre + half))
    assert found.rate == pytest.approx((0.64 + 23 / 30 - 1) / (60 / 70 + 23 / 30 - 1))


@pytest.mark.parametrize(
    ("labels", "provenance", "method"),
    [
        (LABELS, Provenance.RANDOM, "post-stratified, beta quantiles"),
        (LabelCounts(15, 2, 3, 10), Provenance.RANDOM, "post-stratified, MOVER-Wilson"),
        (LABELS, Provenance.BY_VERDICT, "post-stratified, beta quantiles"),
        (LABELS, Provenance.BANK, "adjusted Rogan-Gladen"),
    ],
)
def test_provenance_chooses_the_estimator(
    labels: LabelCounts, provenance: Provenance, method: str
) -> None:
    found = estimate_rate(labels, 640, 1000, provenance)
    assert found.method == method
    assert found.low <= found.rate <= found.high
    assert found.assumes


@pytest.mark.parametrize("labels", [LABELS, LabelCounts(15, 2, 3, 10), LabelCounts(50, 0, 0, 0)])
def test_bounds_for_decisions_are_the_safer_ones(labels: LabelCounts) -> None:
    found = decision_bounds(labels, 640, 1000, Provenance.RANDOM, 0.05)
    standard = estimate_rate(labels, 640, 1000, Provenance.RANDOM, 0.9)
    high = estimate_rate(labels, 640, 1000, Provenance.RANDOM, 0.9, assurance="high")
    assert found.low == standard.low
    assert found.high == max(standard.high, high.high)
    bank = LabelCounts(60, 7, 10, 23)
    assert (
        decision_bounds(bank, 640, 1000, Provenance.BANK)
        == adjusted_rogan_gladen(bank, 640, 1000, 0.9)[1:3]
    )


def test_labels_that_were_not_drawn_at_random_are_refused() -> None:
    with pytest.raises(RefusedEstimate, match="not drawn at random.*at least 50 answers"):
        estimate_rate(LABELS, 640, 1000, Provenance.CHOSEN)
    with pytest.raises(RefusedEstimate, match="none of the 360 answers the judge failed"):
        estimate_rate(LabelCounts(60, 7, 0, 0), 640, 1000, Provenance.BY_VERDICT)
    with pytest.raises(RefusedEstimate, match="both kinds"):
        estimate_rate(LabelCounts(60, 0, 10, 0), 640, 1000, Provenance.BANK)


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="impossible counts"):
        post_stratified(LABELS, 1001, 1000)
    with pytest.raises(ValueError, match="impossible counts"):
        post_stratified(LabelCounts(0, 0, 0, 0), 5, 10)
    with pytest.raises(ValueError, match="more labels than judged"):
        estimate_rate(LABELS, 50, 1000, Provenance.RANDOM)


def test_all_labels_passing_does_not_make_the_interval_a_point() -> None:
    """Ten of ten labels pass: a zero-width interval would certify by luck."""
    found = estimate_rate(LabelCounts(10, 0, 0, 0), 95, 100, Provenance.RANDOM)
    assert found.low < 0.8
    assert found.high == 1.0


def coverage(
    labels: int, rate: float, judge: tuple[float, float], provenance: Provenance, pool: float | None
) -> float:
    rng = np.random.default_rng([labels, int(100 * rate)])
    inside = 0
    for _ in range(150):
        truth = rng.random(400) < rate
        verdicts = np.where(truth, rng.random(400) < judge[0], rng.random(400) > judge[1])
        human = truth[:labels] if pool is None else rng.random(labels) < pool
        said = verdicts[:labels] if pool is None else np.where(
            human, rng.random(labels) < judge[0], rng.random(labels) > judge[1]
        )  # fmt: skip
        found = estimate_rate(
            count_labels(list(said), list(human)), int(verdicts.sum()), 400, provenance
        )
        inside += found.low <= rate <= found.high
    return inside / 150


def test_intervals_cover_where_the_provenance_is_right_and_not_where_it_is_wrong() -> None:
    judge = (0.85, 0.9)
    assert coverage(60, 0.9, judge, Provenance.RANDOM, None) > 0.9
    assert coverage(100, 0.7, judge, Provenance.BANK, 0.5) > 0.9
    assert coverage(100, 0.7, judge, Provenance.RANDOM, 0.5) < 0.5
