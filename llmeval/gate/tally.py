"""From records to numbers: what became of each case, metric by metric, slice by slice.

One pass over the run directory; what is held is a few numbers a case. Repeats are reduced within their case first, so
that n counts cases. Sums are exact (`math.fsum`), so that the order of records does not matter to the last bit.
"""

import math
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from llmeval.records import Answer, Calls, Counts, Score, Status, Usage
from llmeval.rundir import RunDir, Unit

MAX_SLICES_PER_TAG = 50

_PASSED, _FAILED, _UNSCORED, _ERROR, _NOT_APPLICABLE = 1, 2, 3, 4, 5
_STATES = {
    Status.PASS: _PASSED,
    Status.FAIL: _FAILED,
    Status.UNSCORED: _UNSCORED,
    Status.ERROR: _ERROR,
    Status.NOT_APPLICABLE: _NOT_APPLICABLE,
}
_WORST = {_NOT_APPLICABLE: 0, _PASSED: 1, _FAILED: 2, _UNSCORED: 3, _ERROR: 4}


@dataclass
class Column:
    """One metric over all cases, by case number. `state` 0: no score; `total` and `count`: of the repeats' values."""

    source: str = "check"
    state: "array[int]" = field(default_factory=lambda: array("b"))
    total: "array[float]" = field(default_factory=lambda: array("d"))
    count: "array[int]" = field(default_factory=lambda: array("H"))

    def grow(self, size: int) -> None:
        """Room for `size` cases."""
        more = size - len(self.state)
        if more > 0:
            self.state.extend([0] * more)
            self.total.extend([0.0] * more)
            self.count.extend([0] * more)


@dataclass(frozen=True)
class Selection:
    """One metric over some cases: how many have a value, pass, or were lost; and their values, a mean a case."""

    n: int
    passed: int
    unscored: int
    errors: int
    values: tuple[float, ...] = ()
    clusters: tuple[int, ...] = ()
    outcomes: tuple[bool, ...] = ()

    @property
    def mean(self) -> float | None:
        """The mean of the cases' values."""
        return math.fsum(self.values) / self.n if self.n else None


class Result(NamedTuple):
    """What became of one case on one metric: the mean of its repeats, NaN when it was lost."""

    case_id: str
    digest: str
    cluster: str | None
    value: float


class Tally:
    """The numbers of one run.

    `attacks`: by metric and name, whether the judge fell for it; None where it did not answer. `cases`: how many were answered or lost. `slices`: {(tag, value): number of cases}.
    """

    def __init__(self, run: RunDir) -> None:
        self.path = run.path
        self._rows: dict[str, int] = {}
        self._worst = array("b")
        self._digests = array("Q")
        self._tags: list[tuple[tuple[str, str], ...]] = []
        self._clusters: list[str | None] = []
        self._interned: dict[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]] = {}
        self.columns: dict[str, Column] = {}
        self.slices: dict[tuple[str, str], int] = {}
        self.units = 0
        self._calls: dict[str, _CallCount] = {}
        for unit in run.units():
            self._add(unit)
        for column in self.columns.values():
            column.grow(len(self._rows))
        self.attacks: dict[str, dict[str, bool | None]] = {}
        for line in run.canaries():
            self._add_canary(line)

    @property
    def cases(self) -> int:
        """Cases with a record."""
        return len(self._rows)

    @property
    def clustered(self) -> bool:
        """Whether any case belongs to a cluster."""
        return any(cluster is not None for cluster in self._clusters)

    def counts(self) -> Counts:
        """Cases by outcome."""
        found = [0] * 6
        for state in self._worst:
            found[state] += 1
        return Counts(
            cases=self.cases,
            passed=found[_PASSED],
            failed=found[_FAILED],
            unscored=found[_UNSCORED],
            errors=found[_ERROR],
        )

    def calls(self) -> dict[str, Calls]:
        """Calls by role: `candidate`, `judge:<metric>` and `attacks:<metric>`."""
        return {role: count.record() for role, count in sorted(self._calls.items())}

    def slice_names(self) -> list[tuple[str, str]]:
        """(tag, value) of every slice, without tags that have too many values to be slices."""
        values: dict[str, int] = {}
        for tag, _ in self.slices:
            values[tag] = values.get(tag, 0) + 1
        return sorted(name for name in self.slices if 1 < values[name[0]] <= MAX_SLICES_PER_TAG)

    def select(self, metric: str, slice_: tuple[str, str] | None = None) -> Selection:
        """One metric over one slice (None: all cases)."""
        column = self.columns.get(metric)
        if column is None:
            return Selection(0, 0, 0, self._errors(slice_))
        values, clusters, outcomes, numbers = [], [], [], dict[str, int]()
        unscored = errors = 0
        for row, state in enumerate(column.state):
            if slice_ is not None and slice_ not in self._tags[row]:
                continue
            if state in (_PASSED, _FAILED):
                values.append(column.total[row] / column.count[row])
                outcomes.append(state == _PASSED)
                cluster = self._clusters[row]
                name = f"\0{row}" if cluster is None else cluster
                clusters.append(numbers.setdefault(name, len(numbers)))
            elif state == _UNSCORED:
                unscored += 1
            elif state == _ERROR or (state == 0 and self._worst[row] == _ERROR):
                errors += 1
        return Selection(len(values), sum(outcomes), unscored, errors, tuple(values), tuple(clusters), tuple(outcomes))

    def case_digests(self) -> dict[str, str]:
        """The beginning of each case's digest, 16 hex digits, by id."""
        return {case_id: f"{self._digests[row]:016x}" for case_id, row in self._rows.items()}

    def members(self, slice_: tuple[str, str] | None = None) -> list[str]:
        """Ids of the cases of a slice (None: all), in the order answered."""
        return [name for name, row in self._rows.items() if slice_ is None or slice_ in self._tags[row]]

    def results(self, metric: str, slice_: tuple[str, str] | None = None) -> Iterator[Result]:
        """The cases that a metric applies to, over one slice (None: all cases)."""
        column = self.columns.get(metric)
        for case_id, row in self._rows.items():
            if slice_ is not None and slice_ not in self._tags[row]:
                continue
            state = 0 if column is None else column.state[row]
            lost = state in (_UNSCORED, _ERROR) or (state == 0 and self._worst[row] == _ERROR)
            if state in (_PASSED, _FAILED) or lost:
                value = math.nan if lost or column is None else column.total[row] / column.count[row]
                yield Result(case_id, f"{self._digests[row]:016x}", self._clusters[row], value)

    def _errors(self, slice_: tuple[str, str] | None) -> int:
        rows = range(len(self._worst))
        return sum(self._worst[row] == _ERROR and (slice_ is None or slice_ in self._tags[row]) for row in rows)

    def _add(self, unit: Unit) -> None:
        self.units += 1
        row = self._row(unit)
        self._count_answer(unit.answer)
        worst = _ERROR if unit.answer.error is not None or not unit.scores else 0
        for score in unit.scores:
            state = _STATES[score.status]
            if _WORST[state] > _WORST.get(worst, -1):
                worst = state
            self._add_score(row, score, state)
            if score.source == "judge":
                self._count_score(score)
        self._worst[row] = max(self._worst[row], _FAILED if worst == _NOT_APPLICABLE else worst, key=_rank)

    def _row(self, unit: Unit) -> int:
        row = self._rows.get(unit.case.id)
        if row is None:
            row = self._rows[unit.case.id] = len(self._rows)
            tags = tuple(sorted(unit.case.tags.items()))
            self._tags.append(self._interned.setdefault(tags, tags))
            self._clusters.append(unit.case.cluster)
            self._worst.append(0)
            self._digests.append(int(unit.case.digest.removeprefix("sha256:")[:16] or "0", 16))
            for tag in tags:
                self.slices[tag] = self.slices.get(tag, 0) + 1
        return row

    def _add_score(self, row: int, score: Score, state: int) -> None:
        column = self.columns.get(score.metric)
        if column is None:
            column = self.columns[score.metric] = Column(score.source)
        if score.source == "judge":
            column.source = "judge"
        column.grow(row + 1)
        if _rank(state) > _rank(column.state[row]):
            column.state[row] = state
        if score.value is not None:
            column.total[row] += score.value
            column.count[row] += 1

    def _count_answer(self, answer: Answer) -> None:
        count = self._calls.setdefault("candidate", _CallCount())
        count.add(answer.attempts, answer.cached, answer.error is not None, answer.usage, answer.cost_usd)

    def _count_score(self, score: Score) -> None:
        count = self._calls.setdefault(f"judge:{score.metric}", _CallCount())
        count.add(score.attempts, score.cached, score.error is not None, score.usage, score.cost_usd)

    def _add_canary(self, line: Mapping[str, Any]) -> None:
        metric, kind = line["metric"], line["kind"]
        if kind == "attack":
            self.attacks.setdefault(metric, {})[line["case_id"]] = (
                None if line.get("failed") else line.get("passed") is True
            )
        usage = line.get("usage") or {}
        tokens = Usage(usage.get("input_tokens"), usage.get("output_tokens"))
        count = self._calls.setdefault(f"{kind}s:{metric}", _CallCount())
        cached, failed = line.get("cached", False), line.get("failed", False)
        count.add(line.get("attempts", 0), cached, failed, tokens, line.get("cost_usd"))


def _rank(state: int) -> int:
    return _WORST.get(state, -1)


class _CallCount:
    """Sums over the calls of one role."""

    def __init__(self) -> None:
        self.made = self.cached = self.retried = self.failed = self.input = self.output = 0
        self.costs: list[float] = []

    def add(self, attempts: int, cached: bool, failed: bool, usage: object, cost: float | None) -> None:
        self.made += attempts
        self.cached += cached
        self.retried += max(0, attempts - 1)
        self.failed += failed
        if not cached and usage is not None:
            self.input += getattr(usage, "input_tokens", None) or 0
            self.output += getattr(usage, "output_tokens", None) or 0
        if cost is not None:
            self.costs.append(cost)

    def record(self) -> Calls:
        return Calls(
            made=self.made, cached=self.cached, retried=self.retried, failed=self.failed, input_tokens=self.input,
            output_tokens=self.output, cost_usd=math.fsum(self.costs) if self.costs else None,
        )  # fmt: skip
