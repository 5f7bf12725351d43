"""How well a judge agrees with people: what describes the judge, and what mixes in how easy the
suite is.

Sensitivity, specificity and J describe the judge. Kappa punishes suites that most answers pass, AC1
flatters there: the same judge (.9, .9) has kappa .80/.59/.24 and AC1 .80/.87/.89 at pass rates
.5/.9/.98. A judge is trusted by the lower bound of J. Cells: `labels.LabelCounts`, judge's verdict
first.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmeval.stats.estimation.bounds import Interval, wilson
from llmeval.stats.estimation.correction import LOWER_SHIFT
from llmeval.stats.estimation.label_counts import LabelCounts, Provenance, RefusedEstimate
from llmeval.stats.estimation.paired import mcnemar
from llmeval.stats.special.beta_mixture import Beta, quantile

Floats = NDArray[np.float64]

_DRAWS = 20_000
_SEED = 20260102


class Measure(NamedTuple):
    """A statistic and its two-sided interval. `value` is None where the labels lack answers of one
    kind.
    """

    value: float | None
    low: float
    high: float


class Agreement(NamedTuple):
    """Everything the labels say about a judge. `youden_lower` is J's one-sided lower bound."""

    n: int
    sensitivity: Measure
    specificity: Measure
    youden: Measure
    youden_lower: float
    balanced_accuracy: Measure
    accuracy: Measure
    mcc: Measure
    kappa: Measure
    ac1: Measure
    bias: float
    """p-value that the judge passes as often as people do (exact McNemar): a lenient or a strict
    judge.
    """


def agreement(
    labels: LabelCounts,
    level: float = 0.95,
    alpha: float = 0.05,
    provenance: Provenance = Provenance.RANDOM,
    judged: tuple[int, int] | None = None,
) -> Agreement:
    """Measure a judge on labelled answers.

    Args:
        labels: the counts.
        level: of the two-sided intervals.
        alpha: probability that `youden_lower` is above J.
        provenance: how the labels were drawn. Labels drawn by verdict are weighted back to the
            run's verdicts.
        judged: (passes, all) of the judge's verdicts in the run; only needed for labels drawn by
            verdict.

    Raises:
        RefusedEstimate: chosen labels, or labels by verdict without the verdicts' counts.
        ValueError: no labels.
    """
    if provenance is Provenance.CHOSEN:
        raise RefusedEstimate(
            "these labels were not drawn at random: they show where the judge errs, not how often"
        )
    if labels.n < 1 or min(labels) < 0:
        raise ValueError(f"agreement needs labels, got {tuple(labels)}")
    if provenance is Provenance.BY_VERDICT:
        cells, draws = _weighted(labels, judged)
    else:
        cells = np.array(labels, dtype=float) / labels.n
        draws = np.random.default_rng(_SEED).dirichlet(np.array(labels) + 0.5, _DRAWS).T
    by_draws = {
        name: _measure(float(of(cells)), of(draws), level) for name, of in _STATISTICS.items()
    }
    if provenance is Provenance.BY_VERDICT:
        low = max(-1.0, float(np.nanquantile(youden_of(draws), alpha)))
        return Agreement(n=labels.n, youden_lower=low, bias=math.nan, **by_draws)
    by_draws["sensitivity"] = _rate(labels.pass_pass, labels.human_pass, level)
    by_draws["specificity"] = _rate(labels.fail_fail, labels.human_fail, level)
    bias = mcnemar(labels.pass_fail, labels.fail_pass)
    return Agreement(n=labels.n, youden_lower=youden_lower(labels, alpha), bias=bias, **by_draws)


def youden_lower(labels: LabelCounts, alpha: float = 0.05) -> float:
    """One-sided lower bound of J = sensitivity + specificity - 1, for labels that are random given
    the human verdict.

    The alpha-quantile of S + P - 1, S ~ Beta(k1 + 0.3, n1 - k1 + 0.7) and P likewise: a step from
    Jeffreys towards Clopper-Pearson. Over sens and spec .6 to .99 and 10 to 140 labels a class, by
    exact enumeration, it exceeds J with at most 4.4 % at alpha 5 %, and 0.9 % at 1 %. -1 when a
    class has no labels.

    Source: L. D. Brown, T. T. Cai, A. DasGupta, Statist. Sci. 16 (2001) 101-133 for the parts.
    """
    if not labels.human_pass or not labels.human_fail:
        return -1.0
    up = 1 - LOWER_SHIFT
    parts = [
        Beta(k + up, n - k + 1 - up)
        for k, n in ((labels.pass_pass, labels.human_pass), (labels.fail_fail, labels.human_fail))
    ]
    return 2 * quantile(alpha, 0.5, *parts) - 1


def retest(unanimous: int, items: int, level: float = 0.95) -> Measure:
    """Share of items on which repeated identical calls agree, with Wilson's interval."""
    return _rate(unanimous, items, level)


def _rate(k: int, n: int, level: float) -> Measure:
    return Measure(k / n if n else None, *wilson(k, n, level))


def _measure(value: float, draws: Floats, level: float) -> Measure:
    """Interval from the posterior under Jeffreys' prior on the four cells: stays in range, never
    has zero width.
    """
    tail = (1 - level) / 2
    low, high = np.nanquantile(draws, [tail, 1 - tail])
    return Measure(None if math.isnan(value) else value, float(low), float(high))


def _weighted(labels: LabelCounts, judged: tuple[int, int] | None) -> tuple[Floats, Floats]:
    """Cell shares, and draws of them, when verdicts come from the whole run and labels only split
    each verdict.
    """
    if judged is None or not labels.judge_pass or not labels.judge_fail:
        raise RefusedEstimate(
            "labels drawn by verdict need the run's verdict counts, and labels of both verdicts"
        )
    passed, total = judged
    q, a, c = (
        passed / total,
        labels.pass_pass / labels.judge_pass,
        labels.fail_pass / labels.judge_fail,
    )
    source = np.random.default_rng(_SEED)
    drawn_q = source.beta(passed + 0.5, total - passed + 0.5, _DRAWS)
    drawn_a = source.beta(labels.pass_pass + 0.5, labels.pass_fail + 0.5, _DRAWS)
    drawn_c = source.beta(labels.fail_pass + 0.5, labels.fail_fail + 0.5, _DRAWS)
    return _cells(np.array(q), np.array(a), np.array(c)), _cells(drawn_q, drawn_a, drawn_c)


def _cells(q: Floats, a: Floats, c: Floats) -> Floats:
    return np.stack([q * a, q * (1 - a), (1 - q) * c, (1 - q) * (1 - c)])


def sensitivity_of(cells: Floats) -> Floats:
    """P(judge passes | people pass)."""
    return _ratio(cells[0], cells[0] + cells[2])


def specificity_of(cells: Floats) -> Floats:
    """P(judge fails | people fail)."""
    return _ratio(cells[3], cells[1] + cells[3])


def youden_of(cells: Floats) -> Floats:
    """J = sensitivity + specificity - 1. Source: W. J. Youden, Cancer 3 (1950) 32-35."""
    return sensitivity_of(cells) + specificity_of(cells) - 1


def balanced_of(cells: Floats) -> Floats:
    """Balanced accuracy, (J + 1) / 2."""
    return (youden_of(cells) + 1) / 2


def accuracy_of(cells: Floats) -> Floats:
    """Share of agreement, p_o."""
    accuracy: Floats = (cells[0] + cells[3]) / cells.sum(axis=0)
    return accuracy


def mcc_of(cells: Floats) -> Floats:
    """Matthews' correlation: (ad - bc) / sqrt((a+b)(c+d)(a+c)(b+d)). Source: B. W. Matthews, BBA
    405 (1975) 442-451.
    """
    a, b, c, d = cells
    return _ratio(a * d - b * c, np.sqrt((a + b) * (c + d) * (a + c) * (b + d)))


def kappa_of(cells: Floats) -> Floats:
    """Cohen's kappa: (p_o - p_e) / (1 - p_e), p_e from both margins. Source: J. Cohen, EPM 20
    (1960) 37-46.
    """
    a, b, c, d = cells / cells.sum(axis=0)
    expected = (a + b) * (a + c) + (c + d) * (b + d)
    return _ratio(a + d - expected, 1 - expected)


def ac1_of(cells: Floats) -> Floats:
    """Gwet's AC1: as kappa with p_e = 2 pi (1 - pi), pi the mean of both pass rates.

    Source: K. L. Gwet, Br. J. Math. Stat. Psychol. 61 (2008) 29-48.
    """
    a, b, c, d = cells / cells.sum(axis=0)
    pi = a + (b + c) / 2
    expected = 2 * pi * (1 - pi)
    return _ratio(a + d - expected, 1 - expected)


def _ratio(top: Floats, bottom: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: Floats = np.where(bottom > 0, top / bottom, np.nan)
    return ratio


_STATISTICS = {
    "sensitivity": sensitivity_of,
    "specificity": specificity_of,
    "youden": youden_of,
    "balanced_accuracy": balanced_of,
    "accuracy": accuracy_of,
    "mcc": mcc_of,
    "kappa": kappa_of,
    "ac1": ac1_of,
}


def expected_kappa(sensitivity: float, specificity: float, rate: float) -> tuple[float, float]:
    """(kappa, AC1) that a judge of this sensitivity and specificity has on a suite with this pass
    rate.
    """
    cells = np.array(
        [
            rate * sensitivity,
            (1 - rate) * (1 - specificity),
            rate * (1 - sensitivity),
            (1 - rate) * specificity,
        ]
    )
    return float(kappa_of(cells)), float(ac1_of(cells))


def bias_probe(
    became_fail: int, became_pass: int, n: int, level: float = 0.95
) -> tuple[float, Interval]:
    """A bias probe: verdicts on n answers, once as they are and once changed in a way that should
    not matter.

    Returns the exact McNemar p-value of "no direction", and the interval of the share that flips.
    Over several probes apply `multiplicity.holm`; report "no bias found" only with the smallest
    detectable shift, `power.detectable_shift`.

    Raises:
        ValueError: impossible counts.
    """
    if min(became_fail, became_pass) < 0 or became_fail + became_pass > n:
        raise ValueError(f"impossible counts: {became_fail} and {became_pass} flips of {n}")
    return mcnemar(became_fail, became_pass), wilson(became_fail + became_pass, n, level)
