"""Other tools' tests for `gates.py`, played where they are installed, as their documentation uses
them.
"""

import importlib.metadata
import math
import shutil
import subprocess
from collections.abc import Callable

import numpy as np
from gates_scenarios import Recorded
from numpy.typing import NDArray

from llmeval.core.results import Decision

Verdict = Callable[[Recorded], Decision]
Differences = Callable[[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]], Decision]
"""By the values of both sides, and each case's cluster."""


def _worst(judge: Differences) -> Verdict:
    """Each metric by itself, without the cases that have no result, as in these tools."""

    def verdict(recorded: Recorded) -> Decision:
        decisions = set()
        for sides in recorded.sides:
            kept = slice(None) if sides.missing is None else ~sides.missing
            before, now = (side.mean(axis=0)[kept] for side in (sides.baseline, sides.candidate))
            decisions.add(judge(before, now, recorded.clusters[kept]))
        for decision in (Decision.FAIL, Decision.INCONCLUSIVE):
            if decision in decisions:
                return decision
        return Decision.PASS

    return verdict


def errorbars() -> Verdict:
    """FAIL where the cluster-robust interval of the paired differences (5 % on its side) lies below
    0, else PASS. The package has no gate.
    """
    from errorbars import cluster_robust_se

    def judge(
        before: NDArray[np.float64], now: NDArray[np.float64], clusters: NDArray[np.int64]
    ) -> Decision:
        moved = now - before
        if not moved.any():
            return Decision.PASS
        error = float(cluster_robust_se(moved, clusters))
        fell = float(moved.mean()) + 1.6449 * error < 0
        return Decision.FAIL if fell else Decision.PASS

    return _worst(judge)


def evalaudit() -> Verdict:
    """FAIL where the interval of the paired comparison lies below 0, PASS where it lies above -5
    points, else "can't tell". The package has no gate.
    """
    from evalaudit import compare_paired

    def judge(
        before: NDArray[np.float64], now: NDArray[np.float64], clusters: NDArray[np.int64]
    ) -> Decision:
        del clusters
        if (before == now).all():
            return Decision.PASS
        made = compare_paired(now.tolist(), before.tolist(), confidence=0.9, n_boot=500, seed=1)
        if math.isfinite(made.ci_high) and made.ci_high < 0:
            return Decision.FAIL
        return Decision.PASS if made.ci_low > -0.05 else Decision.INCONCLUSIVE

    return _worst(judge)


PEERS: dict[str, Callable[[], Verdict]] = {"errorbars": errorbars, "evalaudit": evalaudit}
REPEATS: dict[str, bool] = {"evalaudit": False}
"""Peers that play only scenarios with one answer (False): evalaudit's bootstrap of means takes half
a second.
"""
SAME_AS_THRESHOLD = ("promptfoo", "deepeval", "mlflow")
"""Tools whose gate is "the pass rate is at least the threshold"; the row of the threshold shows
them.
"""


def version_of(name: str) -> str:
    """The version of a package or of a program on PATH, or "not installed"."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        program = shutil.which(name)
    if program is None:
        return "not installed"
    shown = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return shown.stdout.strip() or "installed"
