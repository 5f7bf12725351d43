"""How often the gate errs on a suite of this shape: planted drops, played through the very test that decides.

Beside it, on the same data, what usual gates would have said: "the pass rate fell by more than t", and a test that
ignores that both sides answered the same cases.
"""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmeval.gate.shape import Shape
from llmeval.records import Decision
from llmeval.stats.hybrid import HybridTest
from llmeval.stats.plan import Plan

Floats = NDArray[np.float64]

LOOK = 10
"""Units between two looks: what is used is rounded up to that."""
THRESHOLD = 0.02
"""The usual gate's t."""
DROPS = (0, 1, 2, 4)
"""Planted drops, in margins."""


class Row(NamedTuple):
    """What came of `runs` runs with one planted drop; shares of them.

    `used`: mean share of the cases that a run which stops early used. `error`: the share of verdicts that are wrong,
    FAIL without a drop or PASS with one of the margin or more; `se`: its Monte-Carlo standard error; `limit`: the
    stated rate. `threshold` and `unpaired`: the share of FAIL of those gates; what they don't FAIL they PASS.
    """

    drop: float
    runs: int
    fail: float
    passed: float
    inconclusive: float
    used: float
    error: float
    se: float
    limit: float
    threshold: float
    unpaired: float

    @property
    def holds(self) -> bool:
        """Whether the error is at most the stated rate plus two standard errors of a rate that is exactly that."""
        return self.error <= self.limit + 2 * math.sqrt(self.limit * (1 - self.limit) / self.runs)


class Played(NamedTuple):
    """One run: its decision, and the units it used."""

    decision: Decision
    used: int


def prove(
    shape: Shape,
    margin: float,
    alpha: float,
    beta: float,
    runs: int,
    seed: int = 0,
    tick: Callable[[], None] = lambda: None,
    *,
    sequential: bool = False,
) -> Iterator[Row]:
    """A row for each planted drop. The same seed gives the same rows.

    Args:
        shape: of the suite. margin, alpha, beta: of the gate.
        runs: simulated runs a row.
        tick: called after each run.
        sequential: with looks on the way, as a run that may stop early; else the test is read once, on all cases.

    Raises:
        ValueError: a margin or rate out of range.
    """
    plan = shape.gate(margin, alpha, beta, sequential=sequential)
    for times in DROPS:
        source = np.random.default_rng([seed, times])
        cells = shape.cells(margin * times)
        found, usual = [], np.zeros(2)
        for _ in range(runs):
            cell = _draw(source, shape, cells)
            found.append(play(plan, _differences(cell), cell.shape[1]))
            usual += _usual(np.bincount(cell.ravel(), minlength=4), alpha)
            tick()
        yield _row(margin * times, found, usual / runs, shape.units, beta if times else alpha)


def play(plan: Plan, values: Floats, size: float = 1.0) -> Played:
    """One run through the gate's test, in the order of the values."""
    test = HybridTest(plan)
    decision = test.update(values, np.full(len(values), size))
    return Played(decision or test.finish().decision, test.used)


def _draw(source: np.random.Generator, shape: Shape, cells: Floats) -> NDArray[np.intp]:
    """Each case's cell, units x cases. Cases of a unit share their probabilities, drawn around `cells` (Dirichlet)."""
    size = max(1, round(shape.cases / shape.units))
    limits = np.broadcast_to(cells.cumsum()[:3], (shape.units, 3))
    if size > 1 and shape.within > 0:
        weight = (1 - shape.within) / shape.within
        drawn = source.gamma(np.maximum(cells * weight, 1e-12), size=(shape.units, 4)) + 1e-300
        limits = (drawn / drawn.sum(axis=1, keepdims=True)).cumsum(axis=1)[:, :3]
    luck = source.random((shape.units, size))
    found: NDArray[np.intp] = (luck[:, :, None] > limits[:, None, :]).sum(axis=2)
    return found


def _differences(cell: NDArray[np.intp]) -> Floats:
    found: Floats = ((cell == 2).astype(float) - (cell == 1)).mean(axis=1)
    return found


def _usual(counts: NDArray[np.intp], alpha: float) -> tuple[bool, bool]:
    """Whether "drop > t" and the unpaired pooled z test say FAIL."""
    n = int(counts.sum())
    baseline, candidate = (counts[0] + counts[1]) / n, (counts[0] + counts[2]) / n
    pooled = (baseline + candidate) / 2
    se = math.sqrt(max(2 * pooled * (1 - pooled) / n, 1e-12))
    p_value = 0.5 * math.erfc((baseline - candidate) / se / math.sqrt(2))
    return bool(counts[1] - counts[2] > THRESHOLD * n + 1e-9), bool(p_value <= alpha)  # exactly t is not a drop


def _row(drop: float, found: list[Played], usual: Floats, units: int, limit: float) -> Row:
    runs = len(found)
    fail = sum(run.decision is Decision.FAIL for run in found) / runs
    passed = sum(run.decision is Decision.PASS for run in found) / runs
    used = sum(min(units, math.ceil(run.used / LOOK) * LOOK) for run in found) / runs / units
    error = passed if drop else fail
    return Row(
        drop=drop, runs=runs, fail=fail, passed=passed, inconclusive=1 - fail - passed, used=used, error=error,
        se=math.sqrt(error * (1 - error) / runs), limit=limit, threshold=float(usual[0]), unpaired=float(usual[1]),
    )  # fmt: skip
