"""The pass rate people would give, from a judge's verdicts on all answers and people's labels on
some.

Which estimator is valid depends on how the labels were drawn (`label_counts.Provenance`);
`estimate_rate` chooses it and refuses where none is. f is the judge's verdict, y people's; Q of N
answers are judged pass.
"""

import math
from statistics import NormalDist
from typing import Literal, NamedTuple

from llmeval.stats.estimation.bounds import Interval, clopper_pearson, wilson
from llmeval.stats.estimation.label_counts import LabelCounts, Provenance, RefusedEstimate
from llmeval.stats.special.beta_mixture import Beta, quantile

FEW_LABELS = 50
"""Below so many random labels the beta draws err too often at high pass rates, and MOVER takes
over.
"""
LOWER_SHIFT, UPPER_SHIFT = 0.7, 0.6
"""Between Jeffreys (1/2) and Clopper-Pearson (1), set by simulation over judges and rates:
`post_stratified`.
"""

Assurance = Literal["standard", "high"]


class Estimate(NamedTuple):
    """A rate on the scale of human judgement. `method` names the estimator, `assumes` what must
    hold for it.
    """

    rate: float
    low: float
    high: float
    method: str
    assumes: str


def post_stratified(labels: LabelCounts, judged_pass: int, judged: int) -> float:
    """The estimate q A + (1 - q) C: q = Q/N, A = P(y | f), C = P(y | not f) from the labels; 1/2
    for an empty stratum.

    This is the maximum-likelihood estimate of double sampling, and prediction-powered inference
    with the verdicts as strata. Needs labels drawn at random within each verdict.

    Source: A. Tenenbein, JASA 65 (1970) 1350-1361; A. Fisch et al., arXiv 2406.04291 (2024).
    """
    _check(labels, judged_pass, judged)
    q = judged_pass / judged
    a = labels.pass_pass / labels.judge_pass if labels.judge_pass else 0.5
    c = labels.fail_pass / labels.judge_fail if labels.judge_fail else 0.5
    return q * a + (1 - q) * c


def post_stratified_interval(
    labels: LabelCounts,
    judged_pass: int,
    judged: int,
    level: float = 0.95,
    assurance: Assurance = "standard",
) -> Interval:
    """Equal-tailed interval of the post-stratified rate: quantiles of q A + (1 - q) C with
    beta-distributed parts.

    A ~ Beta(k + s, n - k + 1 - s) with k of n labels passing, likewise C and (with s = 1/2) q. s =
    1/2 is Jeffreys' prior. The upper limit takes s = 0.6 and the lower one the mirror image of s =
    0.7, since Jeffreys' own are passed in up to 3.7 % below and 6.9 % above (nominal 2.5 %) at 50
    labels. With these, over pass rates .7 to .98, four judges and 50 to 200 labels, coverage is
    95.7 to 96.8 % (up to 99.0 % for a judge of .97/.95 at 50), the lower limit passed in at most
    2.0 % (`benchmarks/coverage_exact.py`). `assurance="high"` is s = 1, the limits of Clopper and
    Pearson in each part: at least `level` in all these, and 10 to 35 % wider.

    Raises:
        ValueError: impossible counts.

    Source: L. D. Brown, T. T. Cai, A. DasGupta, Statist. Sci. 16 (2001) 101-133 for the parts;
    measured by `benchmarks/decisions.py`.
    """
    _check(labels, judged_pass, judged)
    tail = (1 - level) / 2
    low, high = (1.0, 1.0) if assurance == "high" else (LOWER_SHIFT, UPPER_SHIFT)
    share = Beta(judged_pass + 0.5, judged - judged_pass + 0.5)
    return Interval(
        quantile(
            tail,
            share,
            _part(labels.pass_pass, labels.judge_pass, 1 - low),
            _part(labels.fail_pass, labels.judge_fail, 1 - low),
        ),
        quantile(
            1 - tail,
            share,
            _part(labels.pass_pass, labels.judge_pass, high),
            _part(labels.fail_pass, labels.judge_fail, high),
        ),
    )


def _part(k: int, n: int, up: float) -> Beta:
    return Beta(k + up, n - k + 1 - up)


def mover_interval(
    labels: LabelCounts, judged_pass: int, judged: int, level: float = 0.95
) -> Interval:
    """Interval of the post-stratified rate by MOVER: Wilson's limits of q, A and C, combined by
    their distances.

    low = t - sqrt((q (A - lA))^2 + ((1-q) (C - lC))^2 + ((A - C) dq)^2), dq the distance to q's
    limit on the side that lowers t; likewise high. Closed form; better than the beta quantiles
    below 50 labels.

    Raises:
        ValueError: impossible counts.

    Source: G. Y. Zou, A. Donner, Stat. Med. 27 (2008) 1693-1702; the limits E. B. Wilson (1927).
    """
    rate = post_stratified(labels, judged_pass, judged)
    q = judged_pass / judged
    a = labels.pass_pass / labels.judge_pass if labels.judge_pass else 0.5
    c = labels.fail_pass / labels.judge_fail if labels.judge_fail else 0.5
    limits_a = wilson(labels.pass_pass, labels.judge_pass, level)
    limits_c = wilson(labels.fail_pass, labels.judge_fail, level)
    limits_q = wilson(judged_pass, judged, level)
    down, up = q - limits_q.low, limits_q.high - q
    if a < c:
        down, up = up, down
    low = math.hypot(q * (a - limits_a.low), (1 - q) * (c - limits_c.low), (a - c) * down)
    high = math.hypot(q * (limits_a.high - a), (1 - q) * (limits_c.high - c), (a - c) * up)
    return Interval(max(0.0, rate - low), min(1.0, rate + high))


def rogan_gladen(q: float, sensitivity: float, specificity: float) -> float:
    """The rate behind an observed pass rate q: (q + specificity - 1) / J, J = sensitivity +
    specificity - 1, cut to [0, 1].

    Raises:
        RefusedEstimate: J <= 0; such a judge says nothing.

    Source: W. J. Rogan, B. Gladen, Am. J. Epidemiol. 107 (1978) 71-76.
    """
    youden = sensitivity + specificity - 1
    if youden <= 0:
        raise RefusedEstimate(
            f"the judge's J is {youden:.2f}: it does not tell good answers from bad ones, and no"
            " correction can help; improve the judge's prompt or take another model"
        )
    return min(1.0, max(0.0, (q + specificity - 1) / youden))


def adjusted_rogan_gladen(
    labels: LabelCounts, judged_pass: int, judged: int, level: float = 0.95
) -> Estimate:
    """Rogan and Gladen's estimate with the adjusted interval, for labels that are random only given
    the human verdict.

    z the normal score of `level`; sens = (k1 + 1)/(n1 + 2), spec = (k0 + 1)/(n0 + 2), q = (Q +
    z^2/2)/(N + z^2); theta = (q + spec - 1)/J; s1 = sens (1 - sens)/(n1 + 2), s0 = spec (1 -
    spec)/(n0 + 2); interval theta + 2 z^2 (theta s1 - (1 - theta) s0) -+ z sqrt(q (1-q)/(N + z^2) +
    theta^2 s1 + (1-theta)^2 s0)/J, cut to [0, 1]. The rate itself is the unadjusted estimate.

    Raises:
        ValueError: impossible counts.
        RefusedEstimate: no labels of one class, or no J.

    Source: C. Lee et al., arXiv 2511.21140 (2025).
    """
    _check(labels, judged_pass, judged)
    if not labels.human_pass or not labels.human_fail:
        raise RefusedEstimate(
            "correcting needs labels of both kinds: answers people passed and answers they failed"
        )
    z = NormalDist().inv_cdf((1 + level) / 2)
    n1, n0, n = labels.human_pass + 2, labels.human_fail + 2, judged + z * z
    sensitivity, specificity = (labels.pass_pass + 1) / n1, (labels.fail_fail + 1) / n0
    q = (judged_pass + z * z / 2) / n
    youden = sensitivity + specificity - 1
    rate = rogan_gladen(
        judged_pass / judged,
        labels.pass_pass / labels.human_pass,
        labels.fail_fail / labels.human_fail,
    )
    rogan_gladen(q, sensitivity, specificity)
    theta = (q + specificity - 1) / youden
    s1, s0 = sensitivity * (1 - sensitivity) / n1, specificity * (1 - specificity) / n0
    centre = theta + 2 * z * z * (theta * s1 - (1 - theta) * s0)
    half = z * math.sqrt(q * (1 - q) / n + theta**2 * s1 + (1 - theta) ** 2 * s0) / youden
    return Estimate(
        rate,
        min(1.0, max(0.0, centre - half)),
        max(0.0, min(1.0, centre + half)),
        "adjusted Rogan-Gladen",
        "the judge's sensitivity and specificity on this run are those on the labelled answers",
    )


def estimate_rate(
    labels: LabelCounts,
    judged_pass: int,
    judged: int,
    provenance: Provenance,
    level: float = 0.95,
    assurance: Assurance = "standard",
) -> Estimate:
    """The pass rate people would give, by the estimator that the labels' provenance makes valid.

    | labels | estimator |
    |---|---|
    | random, 50 or more | post-stratified by verdict, beta quantiles |
    | random, fewer | post-stratified by verdict, MOVER-Wilson |
    | random, all answers labelled | the labels alone, Clopper-Pearson |
    | random within each verdict | post-stratified, as above |
    | bank | adjusted Rogan-Gladen |
    | chosen | refused |

    Args:
        labels: the labelled answers; for `random` and `by_verdict` they are among the judged ones.
        judged_pass, judged: verdicts of the whole run.
        provenance: how the labels were drawn.
        level: of the two-sided interval; each limit alone is a one-sided bound at (1-level)/2.
        assurance: "high" for limits that never err too often; see `post_stratified_interval`.

    Raises:
        ValueError: impossible counts.
        RefusedEstimate: no valid estimator for these labels.
    """
    _check(labels, judged_pass, judged)
    if provenance is Provenance.CHOSEN:
        raise RefusedEstimate(
            "these labels were not drawn at random, so no estimator is valid for the pass rate of"
            f" the run: draw at least {FEW_LABELS} answers of this run at random, label them, and"
            " record how they were drawn"
        )
    if provenance is Provenance.BANK:
        return adjusted_rogan_gladen(labels, judged_pass, judged, level)
    if labels.judge_pass > judged_pass or labels.judge_fail > judged - judged_pass:
        raise ValueError(
            "more labels than judged answers of one verdict: labels must be of this run's answers"
        )
    if provenance is Provenance.BY_VERDICT:
        _both_strata(labels, judged_pass, judged)
    if labels.n == judged:
        exact = clopper_pearson(labels.human_pass, labels.n, level)
        return Estimate(
            labels.human_pass / labels.n,
            *exact,
            "labels alone, Clopper-Pearson",
            "all answers are labelled",
        )
    rate = post_stratified(labels, judged_pass, judged)
    assumes = "the labelled answers are a random sample of this run's answers, within each verdict"
    if labels.n < FEW_LABELS and assurance == "standard":
        return Estimate(
            rate,
            *mover_interval(labels, judged_pass, judged, level),
            "post-stratified, MOVER-Wilson",
            assumes,
        )
    interval = post_stratified_interval(labels, judged_pass, judged, level, assurance)
    return Estimate(rate, *interval, "post-stratified, beta quantiles", assumes)


def decision_bounds(
    labels: LabelCounts, judged_pass: int, judged: int, provenance: Provenance, alpha: float = 0.05
) -> Interval:
    """One-sided bounds of people's pass rate for a floor: PASS when `low` reaches it, FAIL when
    `high` is below it.

    `low` is the limit of `estimate_rate`, which errs less often than `alpha`. Its upper limit is
    passed too often near 1 (at 50 labels and a pass rate of .98 in up to 9 % at alpha 5 %), so
    `high` is that of assurance "high".

    Arguments, refusals and errors as `estimate_rate`; `alpha` is the rate of each bound.
    """
    level = 1 - 2 * alpha
    standard = estimate_rate(labels, judged_pass, judged, provenance, level)
    high = estimate_rate(labels, judged_pass, judged, provenance, level, assurance="high")
    return Interval(standard.low, max(standard.high, high.high))


def _both_strata(labels: LabelCounts, judged_pass: int, judged: int) -> None:
    for name, drawn, available in (
        ("passed", labels.judge_pass, judged_pass),
        ("failed", labels.judge_fail, judged - judged_pass),
    ):
        if available and not drawn:
            raise RefusedEstimate(
                f"none of the {available} answers the judge {name} is labelled: label some at"
                " random"
            )


def _check(labels: LabelCounts, judged_pass: int, judged: int) -> None:
    if min(labels) < 0 or not 0 <= judged_pass <= judged or judged < 1 or labels.n < 1:
        raise ValueError(
            f"impossible counts: {tuple(labels)} labels, {judged_pass} of {judged} judged pass"
        )
