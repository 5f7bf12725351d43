"""The number of compute threads, and how they wait for one another."""

import os
import sys
import time
from pathlib import Path
from typing import Any

_WORTH = 0.75
"""Twice the threads must bring a product below this share of its time, or half of them do: others
need cores too.
"""


def prepare() -> None:
    """Let compute threads sleep while they wait for one another; to be called before torch is first
    imported.

    By default they spin (libgomp), which on a machine that also does something else costs up to ten
    times the work: the one that spins uses up the time that the one it waits for needs.
    """
    if "torch" not in sys.modules:
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def choose(torch: Any) -> None:
    """Set the number of threads for the thread that calls: `OMP_NUM_THREADS` where it is set, else
    what is fastest.

    Measured, since the number of cores that a machine states says little: they may be two halves of
    one core, or the container's share of them smaller. Takes a tenth of a second.
    """
    if "OMP_NUM_THREADS" in os.environ:
        return
    best = min(torch.get_num_threads(), _quota())
    seconds = _seconds(torch, best)
    while best > 1:
        with_half = _seconds(torch, best // 2)
        if seconds <= _WORTH * with_half:
            break
        best, seconds = best // 2, with_half
    torch.set_num_threads(best)


def _seconds(torch: Any, threads: int) -> float:
    """The least time of a product as decoding needs it."""
    torch.set_num_threads(threads)
    rows, weights = torch.randn(32, 1024), torch.randn(1024, 1024)
    least = float("inf")
    for _ in range(20):
        start = time.perf_counter()
        torch.nn.functional.linear(rows, weights)
        least = min(least, time.perf_counter() - start)
    return least


def _quota() -> int:
    """The cores that a container may use at once (cgroup v2)."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text("ascii").split()
        return max(1, round(int(quota) / int(period)))
    except (OSError, ValueError):
        return 1 << 30
