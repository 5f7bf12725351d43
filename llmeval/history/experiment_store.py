"""What the history needs of a database. `SqlStore` is the one that exists, on SQLite or PostgreSQL.

The run directories are the truth. A store can be deleted at any time, and is built again from them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

from llmeval.history.rows import (
    DecisionRow,
    JudgeRow,
    MetricRow,
    RunProjection,
    RunRow,
    SkippedRow,
)
from llmeval.history.verdicts import CaseList, Vector

Operator = Literal["=", "!=", "<", "<=", ">", ">="]


class Condition(NamedTuple):
    """A condition on a column of the runs. The name is one of `RunRow`; the value is bound."""

    column: str
    operator: Operator
    value: str | float


class RunQuery(NamedTuple):
    """Which runs. Everything that is stated must hold."""

    root: str | None = None
    """Only the runs below this folder; None: every run of the store."""
    conditions: tuple[Condition, ...] = ()
    """On columns."""
    tags: tuple[tuple[str, str], ...] = ()
    """Tags that a run has."""
    run_ids: tuple[str, ...] | None = None
    """Only these."""
    limit: int | None = None
    """The newest so many."""

    def where(self, column: str, value: str | None, operator: Operator = "=") -> "RunQuery":
        """With one more condition; the same query where the value is None."""
        if value is None:
            return self
        return self._replace(conditions=(*self.conditions, Condition(column, operator, value)))


class SuiteRuns(NamedTuple):
    """How many runs a suite has."""

    suite: str
    """Name."""
    runs: int
    """All of them."""
    newest: str
    """The id of the newest one."""


class ExperimentStore(Protocol):
    """The rows of run directories, to be queried.

    Raises:
        StoreError: by every method, where the database can't be used.
    """

    name: str
    """The database for people, without a password."""
    shared: bool
    """Whether several machines write to it. Then queries are about all runs, not about a folder."""

    def stamps(self, root: str) -> dict[str, str]:
        """The stamp of each indexed or skipped directory below a folder, by path."""
        ...

    def put(self, projections: Iterable[RunProjection]) -> list[SkippedRow]:
        """Add runs, in one transaction. A run that is there is replaced.

        Gives the runs that were refused: another run of the same id is there.
        """
        ...

    def skip(self, rows: Iterable[SkippedRow]) -> None:
        """Note directories that can't be indexed."""
        ...

    def forget(self, paths: Collection[str]) -> None:
        """Remove directories that are gone."""
        ...

    def skipped(self, root: str | None) -> list[SkippedRow]:
        """The directories that could not be indexed, by path."""
        ...

    def runs(self, query: RunQuery) -> list[RunRow]:
        """Runs, the newest first (ids sort by time)."""
        ...

    def suites(self, root: str | None) -> list[SuiteRuns]:
        """The suites below a folder, by name; None: of every run."""
        ...

    def branches(self, root: str | None, suite: str) -> list[str]:
        """The branches of a suite's runs, by name."""
        ...

    def tags(self, run_ids: Sequence[str]) -> dict[str, dict[str, str]]:
        """Tags by run."""
        ...

    def metrics(
        self, run_ids: Sequence[str], metric: str | None = None, slice_: str | None = None
    ) -> list[MetricRow]:
        """Metrics of runs. `slice_`: one slice, "" for all cases; None: every slice."""
        ...

    def decisions(self, run_ids: Sequence[str]) -> list[DecisionRow]:
        """The rules of runs, decided."""
        ...

    def judges(self, run_ids: Sequence[str]) -> list[JudgeRow]:
        """The judges of runs."""
        ...

    def vectors(self, run_ids: Sequence[str], metric: str | None = None) -> list[Vector]:
        """The verdicts of runs. `metric`: None for every metric."""
        ...

    def case_lists(self, digests: Collection[str]) -> Mapping[str, CaseList]:
        """Lists of cases by digest."""
        ...

    def clear(self, root: str | None) -> None:
        """Remove the runs below a folder; None: everything."""
        ...

    def dump(self) -> list[str]:
        """Every row as a line of JSON, sorted; without stamps. Two stores of the same runs have the
        same lines.
        """
        ...

    def close(self) -> None:
        """Close the connection."""
        ...
