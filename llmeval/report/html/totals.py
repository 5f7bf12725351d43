"""What the report counts while the rows go by: distributions, changes against the baseline,
latency, cached calls.
"""

import heapq
from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from llmeval.core.outcome import Outcome
from llmeval.core.records import Score, Status
from llmeval.report.html.row import ReportRow
from llmeval.report.html.triage import Triage, TriageQueue
from llmeval.store.units import StoredUnit

BINS = 20
TOP = 50
_DISTINCT = 200
"""Different reasons that are counted one by one; the rest go under `other reasons`."""


@dataclass
class MetricTotals:
    """One metric over all rows. `now`, `before`: histograms of the values. `changes`: (before, now)
    statuses.
    """

    now: list[int] = field(default_factory=lambda: [0] * BINS)
    before: list[int] = field(default_factory=lambda: [0] * BINS)
    statuses: Counter[str] = field(default_factory=Counter)
    changes: Counter[tuple[str, str]] = field(default_factory=Counter)
    graded: bool = False
    cached: int = 0
    quotes: int = 0
    quotes_missing: int = 0


@dataclass(frozen=True)
class Verdicts:
    """A judge's verdict and a person's on the same answer, for the reliability diagram."""

    metric: str
    judge: bool
    person: bool
    confidence: float | None


class Totals:
    """Sums over all rows of a report. `picture` makes the short form of a row that is kept for the
    first page.
    """

    def __init__(self, picture: Callable[[ReportRow, Triage], dict[str, object]]) -> None:
        self.rows = 0
        self.cases: Counter[TriageQueue] = Counter()
        """Cases by the first queue among their answers, of answers that did not pass or need a
        person. The repeats of a case come one after the other.
        """
        self._case: tuple[str, TriageQueue] | None = None
        self._picture = picture
        self.metrics: dict[str, MetricTotals] = {}
        self.queues: Counter[TriageQueue] = Counter()
        self.reasons: Counter[str] = Counter()
        self.latencies = array("f")
        self.latencies_before = array("f")
        self.answers_cached = self.case_changed = self.unmatched = self.truncated = self.hidden = 0
        self.labelled: list[Verdicts] = []
        self._top: list[tuple[tuple[float, ...], dict[str, object]]] = []

    def add(self, row: ReportRow, place: Triage) -> None:
        """Count one row."""
        self.rows += 1
        self.queues[place.queue] += 1
        if place.queue <= TriageQueue.NEW or place.state is not Outcome.PASS:
            self._count_case(row.case.id, place.queue)
        answer = row.now.answer
        self.answers_cached += answer.cached
        self.truncated += answer.finish_reason == "length"
        self.case_changed += row.case_changed
        self.unmatched += row.before is None
        _latency(self.latencies, row.now)
        if row.before is not None:
            _latency(self.latencies_before, row.before)
        if answer.error is not None:
            self._reason(f"{answer.error.kind}: {answer.error.message}")
        before = {} if row.before is None else {score.metric: score for score in row.before.scores}
        for score in row.now.scores:
            self._score(score, before.get(score.metric), row.case_changed)
        self._keep(row, place)

    @property
    def cases_to_review(self) -> int:
        """Cases with an answer in one of the queues up to `NEW`."""
        return sum(n for queue, n in self.cases.items() if queue <= TriageQueue.NEW)

    def _count_case(self, case_id: str, queue: TriageQueue) -> None:
        if self._case is not None and self._case[0] == case_id:
            before = self._case[1]
            self.cases[before] -= 1
            queue = min(queue, before)
        self.cases[queue] += 1
        self._case = (case_id, queue)

    def top(self) -> list[dict[str, object]]:
        """Pictures of what a person should look at first, at most 50; only rows that need a
        look.
        """
        return [shown for _, shown in sorted(self._top, key=lambda item: item[0], reverse=True)]

    def note(self, verdicts: Iterable[Verdicts]) -> None:
        """Take verdicts that people gave too."""
        self.labelled.extend(verdicts)

    def _score(self, score: Score, before: Score | None, changed: bool) -> None:
        total = self.metrics.get(score.metric)
        if total is None:
            total = self.metrics[score.metric] = MetricTotals()
        total.statuses[score.status] += 1
        total.cached += score.cached
        _bin(total, total.now, score)
        if before is not None and not changed:
            _bin(total, total.before, before)
            total.changes[before.status, score.status] += 1
        if (
            score.source == "judge"
            and score.details
            and "quote_found" in score.details
            and score.details.get("evidence")
        ):
            total.quotes += 1
            total.quotes_missing += not score.details["quote_found"]
        if score.status in (Status.UNSCORED, Status.ERROR):
            self._reason(
                f"{score.metric}: {score.unscored or score.reason or 'no reason recorded'}"
            )

    def _reason(self, text: str) -> None:
        text = text[:160]
        self.reasons[
            text if text in self.reasons or len(self.reasons) < _DISTINCT else "other reasons"
        ] += 1

    def _keep(self, row: ReportRow, place: Triage) -> None:
        if place.queue > TriageQueue.UNTRUSTED:
            return
        rank = (-float(place.queue), place.priority, -float(self.rows))
        if len(self._top) < TOP:
            heapq.heappush(self._top, (rank, self._picture(row, place)))
        elif rank > self._top[0][0]:
            heapq.heapreplace(self._top, (rank, self._picture(row, place)))


def _bin(total: MetricTotals, bins: list[int], score: Score) -> None:
    if score.value is not None:
        bins[min(BINS - 1, int(score.value * BINS))] += 1
        total.graded = total.graded or score.value not in (0.0, 1.0)


def _latency(into: "array[float]", unit: StoredUnit) -> None:
    if unit.answer.latency_ms is not None and not unit.answer.cached:
        into.append(unit.answer.latency_ms)
