"""Runs side by side, as plain records: what `llmeval compare --json` prints and the page shows.

Runs go by letters in the order named; A is the one that the others are compared with. Differences
are the other run minus A, case by case. `Comparison.level`: of each interval by itself. Verdicts
are Holm's over every test there is (metrics times pairs of runs): the probability that any
"better", "worse" or rank said here is a chance event is at most 1 - level.
"""

from typing import Literal

import msgspec

from llmeval.compare.differences import ManifestDifference
from llmeval.core.records import SCHEMA

Word = Literal["better", "worse", "no difference shown", "not comparable"]


class ComparedRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run. `decision`: of its own gate. `only`: cases that A does not have; `missing`: cases of
    A that it does not have; `changed`: cases with A's id but other content."""

    letter: str
    run_id: str
    path: str
    suite: str
    candidate: str
    started: str
    status: str
    decision: str | None
    cases: int
    shared: int
    only: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


class Flip(msgspec.Struct, frozen=True):
    """A case whose value on a metric is not the same: in A, and in the other run; in [0, 1]."""

    case_id: str
    before: float
    now: float


class MetricDifference(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of run `letter` compared with A. `why`: the reason and the fix if it is not
    comparable.

    `n`: pairs, `lost` of them without a result on a side. `wins`, `ties`, `losses`: pairs by who
        has the higher value. `before`,
    `now`: means over the pairs with both results. `difference`, `low`, `high`: of the mean. `p`:
        two-sided; `adjusted`: by Holm.
    `fell`, `rose`: what moved, farthest first. `untrusted`: nothing shows that its judge is right
        often enough.
    """

    letter: str
    metric: str
    judged: bool
    word: Word
    why: str = ""
    n: int = 0
    lost: int = 0
    wins: int = 0
    ties: int = 0
    losses: int = 0
    before: float | None = None
    now: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    adjusted: float | None = None
    clustered: bool = False
    untrusted: bool = False
    fell: tuple[Flip, ...] = ()
    rose: tuple[Flip, ...] = ()


class SliceDifference(msgspec.Struct, frozen=True, kw_only=True):
    """One metric over one slice. `moved`: by Benjamini-Hochberg over all slices; to look at, never
    to decide by.
    """

    letter: str
    metric: str
    slice: str
    n: int
    wins: int
    losses: int
    difference: float
    low: float
    high: float
    p: float
    moved: bool


class RankedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run on a leaderboard: its mean on the cases that all have, and the ranks it may have."""

    letter: str
    mean: float | None
    best: int
    worst: int


class Leaderboard(msgspec.Struct, frozen=True, kw_only=True):
    """The ranking of one metric, the highest mean first, on `n` cases that all its runs have a
    result for. `left_out`: runs that are not comparable."""

    metric: str
    n: int
    places: tuple[RankedRun, ...]
    left_out: tuple[str, ...] = ()


class Contender(msgspec.Struct, frozen=True, kw_only=True):
    """A run among those that are compared for the best."""

    letter: str
    among: bool
    """Whether it may be the best: no other run is shown to beat it."""
    low: float
    """Lower bound of its mean minus the best of the other means, at most 0."""
    high: float
    """Upper bound of the same, at least 0."""


class BestRuns(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs may be the best on one metric."""

    metric: str
    rate: float
    """The probability that the best run is not among them, at most."""
    n: int = 0
    """Cases compared."""
    contenders: tuple[Contender, ...] = ()
    """In the order of the runs; empty where fewer than two can be compared."""
    untrusted: bool = False
    """Whether the metric's judge is not trusted, so that the best is best by its own verdicts."""
    left_out: dict[str, str] = {}
    """Runs that are not compared, by letter, and why."""

    @property
    def among(self) -> tuple[str, ...]:
        """Letters of the runs that may be the best."""
        return tuple(each.letter for each in self.contenders if each.among)


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Everything. `tests`: how many Holm's procedure is over. `slices`: all that were looked at,
    those that moved first. `boards`: from three runs on. `best`: where it is wanted."""

    schema: int = SCHEMA
    level: float
    tests: int
    runs: tuple[ComparedRun, ...]
    metrics: tuple[MetricDifference, ...]
    slices: tuple[SliceDifference, ...] = ()
    boards: tuple[Leaderboard, ...] = ()
    best: tuple[BestRuns, ...] = ()
    differing: tuple[ManifestDifference, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def comparable(self) -> bool:
        """Whether anything could be compared."""
        return any(metric.word != "not comparable" for metric in self.metrics)
