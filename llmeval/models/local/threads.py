"""Sets the number of compute threads, and how they wait for one another."""

import os
import sys
import time
from pathlib import Path
from typing import Any

_WORTH = 0.75
"""Twice the threads must reduce the time of a product below this share. Otherwise half of them are
enough, because other processes need cores too.
"""


def prepare() -> None:
    """Let compute threads sleep while they wait for one another; to be called before torch is first
    imported.

    By default they spin (libgomp). On a machine with other work, spinning can make a computation
    ten times slower: the spinning thread uses the CPU time that the thread it waits for needs.
    """
    if "torch" not in sys.modules:
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def choose(torch: Any) -> None:
    """Set the number of threads for the calling thread: `OMP_NUM_THREADS` if it is set, else the
    fastest number.

    The fastest number is measured, which takes 0.1 s. The number of cores that a machine states is
    not reliable: two of them may be halves of one core, or the container's share may be smaller.
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
    """The shortest time of a matrix product of the size that decoding uses."""
    torch.set_num_threads(threads)
    rows, weights = torch.randn(32, 1024), torch.randn(1024, 1024)
    least = float("inf")
    for _ in range(20):
        start = time.perf_counter()
        torch.nn.functional.linear(rows, weights)
        least = min(least, time.perf_counter() - start)
    return least


def _quota() -> int:
    """The number of cores that a container may use at once (cgroup v2)."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text("ascii").split()
        return max(1, round(int(quota) / int(period)))
    except (OSError, ValueError):
        return 1 << 30
