"""What a caller of `run` may choose beyond what the suite says."""

import math
from dataclasses import dataclass
from pathlib import Path

from llmeval.core.errors import UsageError
from llmeval.runner.sharding import Shard


@dataclass(frozen=True, kw_only=True)
class Options:
    """Choices for one run.

    `out`: the run directory itself; None makes one below `reports`. `concurrency`: cases in flight.
    `limit`: a seeded sample of so many cases. `max_cost` in US dollars, `max_calls`, `max_minutes`:
    the run stops there, resumable. `baseline`: instead of the suite's, a lock file or a run's
    directory. `stop`: instead of the suite's `gate.stop`, never or early. `shard`: only this part
    of the cases; it decides nothing, and `api.merge` puts the parts together. `resume`: without
    `out`, go on with the newest run of the same suite, candidate and options, where it did not come
    to its end (`runner.resume`). `use_cache`: False neither reads nor writes the cache. `reuse`:
    answers of earlier runs are good enough for any candidate, pinned or not. `refresh`: no answer
    or verdict of an earlier run is. At most one of these three may differ from its default
    (docs/caching.md).
    """

    out: Path | None = None
    reports: Path = Path("reports")
    candidate: str | None = None
    baseline: Path | None = None
    stop: str | None = None
    limit: int | None = None
    concurrency: int = 32
    use_cache: bool = True
    reuse: bool = False
    refresh: bool = False
    max_cost: float | None = None
    max_calls: int | None = None
    max_minutes: float | None = None
    shard: Shard | None = None
    resume: bool = False

    def check(self) -> None:
        """Refuse values that are impossible, alone or together. Raises UsageError."""
        if self.concurrency < 1:
            raise UsageError(f"--concurrency must be at least 1, not {self.concurrency}")
        if (not self.use_cache) + self.reuse + self.refresh > 1:
            raise UsageError(
                "--no-cache, --reuse and --refresh exclude one another: give one of them"
            )
        if self.limit is not None and self.limit < 1:
            raise UsageError(f"--limit must be at least 1, not {self.limit}")
        bounds = {
            "--max-calls": self.max_calls,
            "--max-cost": self.max_cost,
            "--max-minutes": self.max_minutes,
        }
        for name, most in bounds.items():
            if most is not None and not 0 <= most < math.inf:  # nan too: no figure is above it
                raise UsageError(f"{name} must be a number from 0 on, not {most}")
