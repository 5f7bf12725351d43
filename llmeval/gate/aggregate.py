"""From records to numbers: the outcome of each case, by metric and by slice.

It is filled answer by answer (`run_pass`); what is held is a few numbers a case. Repeats are
reduced within their case first, so that n counts cases. Sums are exact (`math.fsum`), so that the
order of records does not matter to the last bit.
"""

import copy
import math
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from llmeval.core.attempt import AttemptValues
from llmeval.core.judge_probe import JudgeProbe
from llmeval.core.metric_ref import cluster_key
from llmeval.core.outcome import Outcome
from llmeval.core.records import Case, Score, Status
from llmeval.core.results import CaseCounts
from llmeval.gate.answer_digest import output_digest
from llmeval.gate.audits import Audits, note
from llmeval.gate.call_counts import RunCalls
from llmeval.gate.case_value import CaseValue
from llmeval.gate.first_answers import FirstVerdicts
from llmeval.gate.human_labels import DecidedUnit, decide_unit
from llmeval.gate.metric_column import MetricColumn
from llmeval.gate.missing_causes import MissingCauses
from llmeval.gate.null_data import NullData
from llmeval.gate.run_numbers import NumberInputs, RunNumbers
from llmeval.store.directory import CaseOutline, Unit
from llmeval.store.labels import AnswerKey

MAX_SLICES_PER_TAG = 50
CASES = "cases"
"""The metric of a case as a whole: it passes where everything that applies to it does."""
_NO_VALUE = (Status.NOT_SCORED, Status.UNSCORED, Status.NEEDS_REVIEW)
"""Statuses of a case that a metric applies to, without a value."""


@dataclass(frozen=True)
class MetricSample:
    """One metric over some cases: counts of cases by result, and the mean value of each case."""

    n: int
    passed: int
    unscored: int
    errors: int
    values: tuple[float, ...] = ()
    clusters: tuple[int, ...] = ()
    outcomes: tuple[bool, ...] = ()
    needs_review: int = 0

    @property
    def mean(self) -> float | None:
        """The mean of the cases' values."""
        return math.fsum(self.values) / self.n if self.n else None


class RunAggregate:
    """The numbers of one run, of a finished one (`aggregate_run`) or while it goes on.

    `judges`: by metric, the digests of the judges that the scores name.
    `attacks`: by metric and name, whether the judge fell for it; None where it did not answer.
    `slices`: {(tag, value): number of cases answered or missing}. `units`: answers taken;
    `waiting`: answers whose judge has still to answer, which are among them unless the run may stop
    early.
    `earlier`: attempts of the same change, which its rules are pooled with (`gate.attempts`).
    `number_share`: the share of the error rates that rules about numbers have.

    Args:
        path: the run's directory.
        planned: the cases in the order they are asked, where the run may stop before the last.
        repeats: answers a case.
        people: what they agree on, by (case, repeat, metric). It decides what was left to them
            (`by_people`: on which metrics).
        drawn: answers that came before them by a random draw.
        undecided, revised: as in `PeopleLabels`.
        quarantined: ids of cases that count nowhere; `aside` says of those with a record whether
            they pass.
        ordered: whether planned cases are still to come, by `add_case`.
        numbers: what `numbers` are computed from; None where nobody reads them.
    """

    def __init__(
        self,
        path: Path,
        planned: Iterable[Case] = (),
        repeats: int = 1,
        people: Mapping[AnswerKey, bool] | None = None,
        drawn: Collection[AnswerKey] = (),
        undecided: Collection[AnswerKey] = (),
        revised: Collection[AnswerKey] = (),
        quarantined: Collection[str] = (),
        ordered: bool = False,
        numbers: NumberInputs | None = None,
    ) -> None:
        self.path, self.repeats = path, repeats
        self.people, self.drawn = people or {}, frozenset(drawn)
        self.undecided, self.revised = frozenset(undecided), frozenset(revised)
        self.numbers, self.first = RunNumbers(numbers, repeats), FirstVerdicts(repeats)
        self.by_people: set[str] = set()
        self._rows: dict[str, int] = {}
        self._seen = array("H")
        self._digests = array("Q")
        self._outputs = array("Q")
        self._tags: list[tuple[tuple[str, str], ...]] = []
        self._clusters: list[str | None] = []
        self._interned: dict[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]] = {}
        self.columns: dict[str, MetricColumn] = {}
        self._whole = MetricColumn()
        self.slices: dict[tuple[str, str], int] = {}
        self.units = self.waiting = 0
        self.calls = RunCalls()
        self.causes, self.data = MissingCauses(), NullData()
        self.attacks: dict[str, dict[str, bool | None]] = {}
        self.quarantined = frozenset(quarantined)
        self.aside: dict[str, bool] = {}
        self._aside_tags: dict[str, Mapping[str, str]] = {}
        self.audits: dict[str, Audits] = {}
        self.judges: dict[str, set[str | None]] = {}
        self.earlier: tuple[AttemptValues, ...] = ()
        self.number_share = 1.0
        self.may_stop, self._ordered = False, True
        for case in planned:
            self.add_case(case)
        self._ordered = ordered

    def pooled_with(
        self, earlier: Sequence[AttemptValues], number_share: float = 1.0
    ) -> "RunAggregate":
        """The same results, for rules that pool them with earlier attempts: nothing is copied."""
        pooled = copy.copy(self)
        pooled.earlier, pooled.number_share = tuple(earlier), number_share
        return pooled

    @property
    def cases(self) -> int:
        """Cases with a record."""
        return sum(seen > 0 for seen in self._seen)

    @property
    def clustered(self) -> bool:
        """Whether any case belongs to a cluster."""
        return any(cluster is not None for cluster in self._clusters)

    def counts(self) -> CaseCounts:
        """Cases by outcome."""
        count = self._whole.cases_with
        return CaseCounts(
            cases=self.cases,
            passed=count(Status.PASS),
            failed=count(Status.FAIL),
            unscored=count(Status.UNSCORED),
            errors=count(Status.ERROR),
            needs_review=count(Status.NEEDS_REVIEW),
            not_scored=count(Status.NOT_SCORED),
        )

    def slice_names(self) -> list[tuple[str, str]]:
        """(tag, value) of every slice, without tags that have too many values to be slices."""
        values: dict[str, int] = {}
        for tag, _ in self.slices:
            values[tag] = values.get(tag, 0) + 1
        return sorted(name for name in self.slices if 1 < values[name[0]] <= MAX_SLICES_PER_TAG)

    def select(self, metric: str, slice_: tuple[str, str] | None = None) -> MetricSample:
        """One metric over one slice (None: all cases)."""
        column = self._column(metric)
        if column is None:
            return MetricSample(0, 0, 0, self._errors(slice_))
        values, clusters, outcomes, numbers = [], [], [], dict[str, int]()
        unscored = errors = waiting = 0
        for (name, row), status in zip(self._rows.items(), column.statuses(), strict=True):
            if slice_ is not None and slice_ not in self._tags[row]:
                continue
            if status is Status.PASS or status is Status.FAIL:
                values.append(column.mean(row))
                outcomes.append(status is Status.PASS)
                key = cluster_key(name, self._clusters[row])
                clusters.append(numbers.setdefault(key, len(numbers)))
            elif status is Status.NEEDS_REVIEW:
                waiting += 1
            elif status is Status.UNSCORED:
                unscored += 1  # NOT_SCORED is not missing: its run decides nothing (`missing`)
            elif self._is_missing(row, status):
                errors += 1
        results = tuple(values), tuple(clusters), tuple(outcomes)
        return MetricSample(len(values), sum(outcomes), unscored, errors, *results, waiting)

    def case_digests(self, *, planned: bool = False) -> dict[str, str]:
        """The beginning of each case's digest, 16 hex digits, by id; also of cases to come if
        `planned`.
        """
        rows = self._rows.items()
        return {
            case_id: f"{self._digests[row]:016x}"
            for case_id, row in rows
            if planned or self._seen[row]
        }

    def outputs(self) -> list[str]:
        """`output_digest` of each case's answer (of several repeats the last one read), in the
        order of `case_digests`.
        """
        return [
            f"{output:016x}" for output, seen in zip(self._outputs, self._seen, strict=True) if seen
        ]

    def members(self, slice_: tuple[str, str] | None = None) -> list[str]:
        """Ids of the cases of a slice (None: all) with a record, in the order planned or else
        answered.
        """
        return [
            name
            for name, row in self._rows.items()
            if self._seen[row] and self._within(row, slice_)
        ]

    def planned(self, slice_: tuple[str, str] | None = None) -> list[list[str]]:
        """Ids of all cases of a slice (None: all), answered or to come, those of one cluster
        together.
        """
        blocks: dict[str, list[str]] = {}
        for name, row in self._rows.items():
            if self._within(row, slice_):
                blocks.setdefault(cluster_key(name, self._clusters[row]), []).append(name)
        return list(blocks.values())

    def cluster_of(self, case_id: str) -> str | None:
        """The cluster that a case states; None without one."""
        return self._clusters[self._rows[case_id]]

    def place(self, case_id: str) -> tuple[int, int, str | None]:
        """The number of a case, how many of its answers came, and its cluster."""
        row = self._rows[case_id]
        return row, self._seen[row], self._clusters[row]

    def done(self, case_id: str) -> bool:
        """Whether every repeat of a case has its record."""
        return self._seen[self._rows[case_id]] >= self.repeats

    def outcome(self, case_id: str) -> tuple[Outcome, tuple[str, ...]] | None:
        """Outcome of a case so far, and the metrics that have it; None without a record."""
        row = self._rows.get(case_id)
        if row is None or not self._seen[row]:
            return None
        worst = self._whole.status(row)
        metrics = (
            name
            for name, column in self.columns.items()
            if row < len(column) and column.status(row) is worst
        )
        return Outcome(str(worst)), tuple(metrics)

    def set_aside(self, slice_: tuple[str, str] | None = None) -> list[str]:
        """Ids of the quarantined cases of a slice (None: all) with a record."""
        return [
            name
            for name, tags in self._aside_tags.items()
            if slice_ is None or tags.get(slice_[0]) == slice_[1]
        ]

    def results(self, metric: str, slice_: tuple[str, str] | None = None) -> Iterator[CaseValue]:
        """The cases that a metric applies to, over one slice (None: all cases)."""
        return filter(None, (self.result(metric, name) for name in self.members(slice_)))

    def result(self, metric: str, case_id: str) -> CaseValue | None:
        """One case with a record on one metric; None where the metric does not apply to it."""
        column, row = self._column(metric), self._rows[case_id]
        status = None if column is None else column.status(row)
        graded = status is Status.PASS or status is Status.FAIL
        if not graded and status not in _NO_VALUE and not self._is_missing(row, status):
            return None
        value = column.mean(row) if graded and column is not None else math.nan
        return CaseValue(
            case_id,
            f"{self._digests[row]:016x}",
            self._clusters[row],
            value,
            status is Status.PASS,
        )

    def _column(self, metric: str) -> MetricColumn | None:
        column = self._whole if metric == CASES else self.columns.get(metric)
        if column is not None:
            column.grow(len(self._rows))
        return column

    def _within(self, row: int, slice_: tuple[str, str] | None) -> bool:
        return slice_ is None or slice_ in self._tags[row]

    def _is_missing(self, row: int, status: Status | None) -> bool:
        """Whether a metric has no result because something broke: its own check, or the answer."""
        return status is Status.ERROR or (
            status is None and self._whole.status(row) is Status.ERROR
        )

    def _errors(self, slice_: tuple[str, str] | None) -> int:
        return sum(
            status is Status.ERROR and self._within(row, slice_)
            for row, status in enumerate(self._whole.statuses())
        )

    def add_case(self, case: Case | CaseOutline) -> None:
        """Take a planned case. It needs a place before its answer only in a run that may stop
        before it: such a run is read in the order planned.
        """
        if self._ordered and case.id not in self.quarantined:
            self._row(case)
            self.may_stop = True

    def add(self, unit: Unit) -> None:
        """Take a scored answer, once; its open scores as people decided them."""
        self.take(decide_unit(unit, self.people))

    def take(self, decided: DecidedUnit[Unit]) -> None:
        """Take a scored answer, once. One whose scoring was cut off, as nothing more was needed,
        only counts its calls.
        """
        unit, outcome = decided.unit, decided.outcome
        self.calls.add_answer(unit.answer)
        if decided.scores is not unit.scores:
            self.by_people.update(
                now.metric
                for now, before in zip(decided.scores, unit.scores, strict=True)
                if now is not before
            )
        if outcome is Outcome.NOT_SCORED:
            self.waiting += 1
            if self.may_stop:
                return
        self.units += 1
        if unit.case.id in self.quarantined:
            self._set_aside(unit, outcome)
            return
        self.causes.add(unit)
        self.data.add(unit.answer.data or {})
        row = self._row(unit.case)
        if not self._seen[row]:
            for tag in self._tags[row]:
                self.slices[tag] = self.slices.get(tag, 0) + 1
        counted = unit.answer.error is not None and outcome is Outcome.FAIL
        self.numbers.take(row, self._seen[row], unit.case, unit.answer, counted=counted)
        self._seen[row] += 1
        self.first.take(row, unit.answer, decided.scores)
        self._outputs[row] = int(output_digest(unit.answer), 16)
        for judged, score in zip(unit.scores, decided.scores, strict=True):
            self._add_score(row, score)
            if score.source == "judge":
                self.calls.add_score(score)
                note(self.audits, judged)
                self.judges.setdefault(score.metric, set()).add(score.judge)
        self._whole.take(row, Status(outcome.value))
        self._whole.total[row] = float(self._whole.status(row) is Status.PASS)

    def _set_aside(self, unit: Unit, outcome: Outcome) -> None:
        for score in unit.scores:
            if score.source == "judge":
                self.calls.add_score(score)
        name = unit.case.id
        self.aside[name] = self.aside.get(name, True) and outcome is Outcome.PASS
        self._aside_tags[name] = unit.case.tags

    def _row(self, case: Case | CaseOutline) -> int:
        row = self._rows.get(case.id)
        if row is None:
            row = self._rows[case.id] = len(self._rows)
            tags = tuple(sorted(case.tags.items()))
            self._tags.append(self._interned.setdefault(tags, tags))
            self._clusters.append(case.cluster)
            self._whole.grow(row + 1)
            self._whole.count[row] = 1
            self._seen.append(0)
            self._outputs.append(0)
            self._digests.append(int(case.digest.removeprefix("sha256:")[:16] or "0", 16))
        return row

    def _add_score(self, row: int, score: Score) -> None:
        column = self.columns.get(score.metric)
        if column is None:
            column = self.columns[score.metric] = MetricColumn(score.source)
        if score.source == "judge":
            column.source = "judge"
        column.grow(row + 1)
        column.take(row, score.status)
        if score.value is not None:
            column.add_value(row, score.value)

    def add_judge_probe(self, judge_probe: JudgeProbe) -> None:
        """Take a line of `judge_probes.jsonl`: an attack or an anchor."""
        if judge_probe.kind == "attack":
            self.attacks.setdefault(judge_probe.metric, {})[judge_probe.case_id] = (
                None if judge_probe.failed else judge_probe.passed is True
            )
        self.calls.add_judge_probe(judge_probe)
