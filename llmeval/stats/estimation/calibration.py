"""Probabilities that a judge states: how reliable they are, and how to correct them.

p is the stated probability that an answer passes, y whether people pass it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_EDGE = 1e-6
_STEPS = 100


class CalibrationBin(NamedTuple):
    """One bin of a reliability diagram: its size, mean stated probability and share that pass."""

    n: int
    stated: float
    observed: float


def brier(probabilities: Sequence[float], outcomes: Sequence[bool]) -> float:
    """Brier score: mean (p - y)^2. 0 is perfect, .25 what "1/2" always gets.

    Raises:
        ValueError: empty, unequal lengths, or a probability outside [0, 1].

    Source: G. W. Brier, Mon. Weather Rev. 78 (1950) 1-3.
    """
    p, y = _arrays(probabilities, outcomes)
    return float(((p - y) ** 2).mean())


def reliability(
    probabilities: Sequence[float], outcomes: Sequence[bool], bins: int = 10
) -> list[CalibrationBin]:
    """Bins of equal size along the stated probability; equal probabilities are never split."""
    p, y = _arrays(probabilities, outcomes)
    order = np.argsort(p, kind="stable")
    p, y = p[order], y[order]
    edges = [round(len(p) * i / bins) for i in range(bins + 1)]
    starts = sorted(
        {int(np.searchsorted(p, p[edge], side="left")) for edge in edges if edge < len(p)}
    )
    return [
        CalibrationBin(stop - start, float(p[start:stop].mean()), float(y[start:stop].mean()))
        for start, stop in zip(starts, [*starts[1:], len(p)], strict=True)
    ]


def ece(probabilities: Sequence[float], outcomes: Sequence[bool], bins: int = 10) -> float:
    """Expected calibration error over bins of equal size: sum n_b/n |stated_b - observed_b|.

    It is biased upwards with few labels: with 10 labels a bin, about .1 for a perfectly calibrated
    judge.

    Source: M. P. Naeini, G. Cooper, M. Hauskrecht, AAAI 2015; equal-mass bins K. Nguyen, B.
        O'Connor, EMNLP 2015.
    """
    bins_read = reliability(probabilities, outcomes, bins)
    return sum(b.n * abs(b.stated - b.observed) for b in bins_read) / sum(b.n for b in bins_read)


class Platt(NamedTuple):
    """p -> 1 / (1 + exp(-(slope * logit(p) + intercept)))."""

    slope: float
    intercept: float

    def __call__(self, probabilities: Sequence[float]) -> Floats:
        """Calibrated probabilities."""
        return _sigmoid(
            self.slope * _logit(np.asarray(probabilities, dtype=float)) + self.intercept
        )


class BetaCalibration(NamedTuple):
    """p -> sigmoid(a ln p - b ln(1 - p) + c), a and b not negative: the identity is a = b = 1, c =
    0.
    """

    a: float
    b: float
    c: float

    def __call__(self, probabilities: Sequence[float]) -> Floats:
        """Calibrated probabilities."""
        p = _clipped(np.asarray(probabilities, dtype=float))
        return _sigmoid(self.a * np.log(p) - self.b * np.log1p(-p) + self.c)


def fit_platt(probabilities: Sequence[float], outcomes: Sequence[bool]) -> Platt:
    """Platt scaling: logistic regression of y on logit(p).

    The targets are (k + 1)/(k + 2) and 1/(m + 2) for the k passing and m failing labels, which
    keeps it finite when the classes separate.

    For fewer than 200 labels use this or `fit_beta`, not isotonic regression.

    Raises:
        ValueError: as `brier`, or labels of one kind only.

    Source: J. C. Platt, Advances in Large Margin Classifiers (1999) 61-74; H.-T. Lin et al., Mach.
        Learn. 68 (2007).
    """
    p, y = _arrays(probabilities, outcomes)
    passed, failed = _classes(y)
    targets = np.where(y == 1, (passed + 1) / (passed + 2), 1 / (failed + 2))
    slope, intercept = _logistic(np.column_stack([_logit(p), np.ones(len(p))]), targets)
    return Platt(float(slope), float(intercept))


def fit_beta(
    probabilities: Sequence[float], outcomes: Sequence[bool], ridge: float = 1e-3
) -> BetaCalibration:
    """Beta calibration: logistic regression of y on ln p and -ln(1 - p).

    A coefficient that comes out negative is set to 0, and the rest fitted again.
    Unlike Platt scaling it contains the identity and bends both ends independently. A small ridge
    keeps it finite.

    Raises:
        ValueError: as `fit_platt`.

    Source: M. Kull, T. Silva Filho, P. Flach, AISTATS 2017.
    """
    p, y = _arrays(probabilities, outcomes)
    _classes(y)
    clipped = _clipped(p)
    features = np.column_stack([np.log(clipped), -np.log1p(-clipped), np.ones(len(p))])
    coefficients = _logistic(features, y, ridge)
    for column in (0, 1):
        if coefficients[column] < 0:
            kept = [1 - column, 2]
            coefficients = np.zeros(3)
            coefficients[kept] = _logistic(features[:, kept], y, ridge)
            coefficients = np.maximum(coefficients, [0, 0, -np.inf])
            break
    return BetaCalibration(*(float(value) for value in coefficients))


def _logistic(features: Floats, targets: Floats, ridge: float = 0.0) -> Floats:
    """Coefficients of a logistic regression by Newton's method with halved steps; the last column
    is the intercept.
    """
    beta = np.zeros(features.shape[1])
    penalty = np.full(len(beta), ridge)
    penalty[-1] = 0.0

    def loss(at: Floats) -> float:
        score = features @ at
        return float(np.logaddexp(0, score).sum() - targets @ score + penalty @ at**2 / 2)

    for _ in range(_STEPS):
        fitted = _sigmoid(features @ beta)
        gradient = features.T @ (fitted - targets) + penalty * beta
        hessian = (features * (fitted * (1 - fitted))[:, None]).T @ features + np.diag(
            penalty + 1e-12
        )
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while size > 1e-8 and loss(beta - size * step) > loss(beta):
            size /= 2
        beta = beta - size * step
        if float(np.abs(size * step).max()) < 1e-10:
            break
    return beta


def _arrays(probabilities: Sequence[float], outcomes: Sequence[bool]) -> tuple[Floats, Floats]:
    p, y = np.asarray(probabilities, dtype=float), np.asarray(outcomes, dtype=float)
    if len(p) != len(y) or not len(p):
        raise ValueError(
            f"need as many outcomes as probabilities, at least one; got {len(y)} and {len(p)}"
        )
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("probabilities must lie in [0, 1]")
    return p, y


def _classes(outcomes: Floats) -> tuple[float, float]:
    passed = float(outcomes.sum())
    if passed in (0, len(outcomes)):
        raise ValueError("calibrating needs labels of both kinds")
    return passed, len(outcomes) - passed


def _clipped(p: Floats) -> Floats:
    return np.clip(p, _EDGE, 1 - _EDGE)


def _logit(p: Floats) -> Floats:
    logit: Floats = np.log(_clipped(p)) - np.log1p(-_clipped(p))
    return logit


def _sigmoid(score: Floats) -> Floats:
    share: Floats = 0.5 * (1 + np.tanh(score / 2))
    return share
