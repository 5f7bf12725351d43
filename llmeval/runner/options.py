"""The options of a run, in addition to the suite."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from llmeval.core.errors import UsageError
from llmeval.core.manifest import GridCellRecord
from llmeval.runner.selection import Selection
from llmeval.runner.sharding import Shard

MOST_WORKERS = 512
"""Of one run."""
_RAY, _DEFAULT_WORKERS = "ray", 2


def workers_of(executor: str, workers: int | None) -> int | None:
    """How many workers an executor has; None for the one of this process.

    Raises:
        UsageError: there is no such executor, or it has no workers.
    """
    if executor == "local":
        if workers is not None:
            raise UsageError("--workers is an option of --executor ray; several jobs use --shard")
        return None
    name, separator, address = executor.partition("://")
    if name != _RAY or bool(separator) != bool(address):
        raise UsageError(
            f"--executor {executor}: write local, ray, or ray://HOST:PORT for a running cluster"
        )
    return _DEFAULT_WORKERS if workers is None else workers


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of one run.

    `out`: the run directory; None makes one below `reports`. `concurrency`: cases in flight.
    `limit`: the size of a seeded sample of the cases. `max_cost` in US dollars, `max_calls`,
    `max_minutes`: the budget; a run that stops there can be resumed. `baseline`: a lock file or a
    run's directory, instead of the suite's. `stop`: never or early, instead of the suite's
    `gate.stop`. `shard`: run only this part of the cases. It decides nothing; `api.merge` joins the
    parts. `resume`: without `out`, continue the newest run of the same suite, candidate and
    options, if it is unfinished (`runner.resume`).

    `selection`: run only these cases; such a partial run never passes the gate. `prompt`: path or
    text of another prompt. `run_id`: the id of a new run; by default a new one. `grid`: the run's
    place in a grid.

    `candidate`: a name from `models`, or a specification `{provider: ...}`. `function`: a Python
    function as the candidate, and `build`: your name for its build (see `llmeval.run`).

    `use_cache`: False neither reads nor writes the cache. `reuse`: use answers of earlier runs for
    any candidate, pinned or not. `refresh`: use no answer or verdict of an earlier run. At most one
    of these three may differ from its default (docs/caching.md).

    `store`: the address of a PostgreSQL database with the replies that several workers share,
    instead of this machine's cache (docs/scale.md). `group`: the name of the run that the workers
    carry out together; they share answers of a candidate without a `build`, and `max_cost`.

    `steal`: a shard that is done makes calls of the other shards (`runner.stealing`).

    `workers`: processes of a Ray cluster that do the work (docs/scale.md); None does it in this
    process. `ray_address`: of a running cluster; without one, the run starts its own on
    this machine.
    """

    out: Path | None = None
    reports: Path = Path("reports")
    candidate: str | None = None
    function: Callable[..., object] | None = None
    build: str | None = None
    baseline: Path | None = None
    stop: str | None = None
    limit: int | None = None
    concurrency: int = 32
    use_cache: bool = True
    store: str | None = field(default=None, repr=False)
    group: str = ""
    steal: bool = False
    workers: int | None = None
    ray_address: str = ""
    reuse: bool = False
    refresh: bool = False
    max_cost: float | None = None
    max_calls: int | None = None
    max_minutes: float | None = None
    shard: Shard | None = None
    resume: bool = False
    selection: Selection | None = None
    prompt: str | None = None
    run_id: str | None = None
    grid: GridCellRecord | None = None
    junit: Literal["all", "failed"] = "all"

    def __post_init__(self) -> None:
        for name in ("out", "reports", "baseline"):  # Python code may state them as texts
            if isinstance(value := getattr(self, name), str):
                object.__setattr__(self, name, Path(value))

    def check(self) -> None:
        """Refuse values that are impossible, alone or together. Raises UsageError."""
        if self.concurrency < 1:
            raise UsageError(f"--concurrency must be at least 1, not {self.concurrency}")
        if (not self.use_cache) + self.reuse + self.refresh > 1:
            raise UsageError(
                "--no-cache, --reuse and --refresh exclude one another: give one of them"
            )
        if self.store is not None and not self.use_cache:
            raise UsageError("--store and --no-cache exclude one another: give one of them")
        if self.store is not None and self.refresh:
            raise UsageError(
                "--refresh with --store: the other workers use the replies that it would replace."
                " Remove --store, or prune the store: llmeval cache prune --store URL --days 0"
            )
        self._check_workers()
        if self.steal and (self.shard is None or self.store is None or not self.group):
            raise UsageError(
                "--steal: the shards share replies through --store, and LLMEVAL_RUN_GROUP must name"
                " the run. Add --shard i/N, --store and the variable"
            )
        if self.selection is not None and self.shard is not None:
            raise UsageError("--shard runs a part of the whole suite: leave out --case and --tag")
        if self.function is not None and self.candidate is not None:
            raise UsageError("the candidate is a function and a model: state one of them")
        if self.build is not None and (self.function is None or not self.build.strip()):
            raise UsageError(
                "build: the name of the build of a function that is the candidate; for other models"
                " write `build` into the suite"
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

    def _check_workers(self) -> None:
        """Refuse what workers can't do. Raises UsageError."""
        if self.workers is None:
            return
        if not 1 <= self.workers <= MOST_WORKERS:
            raise UsageError(f"--workers must be from 1 to {MOST_WORKERS}, not {self.workers}")
        if self.grid is not None:
            raise UsageError("--executor ray runs one candidate and one prompt, not a grid")
        if self.max_calls is not None:
            raise UsageError(
                "--max-calls holds for one process, and --executor ray has several. Use"
                " --max-minutes, or --max-cost with --store"
            )
        if self.max_cost is not None and (self.store is None or not self.group):
            raise UsageError(
                "--executor ray with --max-cost: the workers share the budget through --store, and"
                " LLMEVAL_RUN_GROUP must name the run"
            )
