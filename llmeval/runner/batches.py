"""What travels between a run and its workers: units to do, and their records."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from llmeval.core.manifest import Digests, Ending
from llmeval.core.records import Answer, Case, Score
from llmeval.runner.executor import WorkItem
from llmeval.runner.recorded_answers import RecordedAnswers
from llmeval.store.directory import UnitKey
from llmeval.store.writer import RunWriter

MOST_UNITS = 128
"""In a batch. A message to a worker takes milliseconds, so a batch must be worth it."""


@dataclass(frozen=True, slots=True)
class BatchUnit:
    """One unit to do."""

    case: Case
    repeat: int
    answer: Answer | None = None
    """Its recorded answer; None: a worker gets it from the candidate."""
    checked: bool = False
    """Whether the scores of its checks are recorded."""

    @property
    def key(self) -> UnitKey:
        """(case id, repeat)."""
        return self.case.id, self.repeat


@dataclass(slots=True)
class UnitBatch:
    """Units that one worker does together."""

    units: tuple[BatchUnit, ...]
    failures: int = 0
    """Workers that ended while they did it."""


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What a worker made of a batch."""

    answers: tuple[Answer, ...] = ()
    """New answers, in the order in which they came."""
    scores: tuple[tuple[Score, ...], ...] = ()
    """The last block of scores of each unit that has one."""
    done: tuple[UnitKey, ...] = ()
    """The units that have an answer and all scores, in the order in which they were done."""
    ending: Ending = "complete"
    reason: str = ""
    """Why the batch is not complete."""
    returned: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """See `Executor.returned`."""
    judges: Mapping[str, frozenset[str | None]] = field(default_factory=dict)
    """See `Executor.judges`."""
    calls: int = 0
    """Calls that the worker sent since its last result."""
    cached: int = 0
    """Replies of the cache or the store."""
    unfinished: Mapping[str, int] = field(default_factory=dict)
    """By role, calls since its last result that are in no record."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkerIdentity:
    """What must be equal in the run and in each of its workers."""

    llmeval: str
    """The version."""
    digests: Digests
    baseline: str
    """sha256 of the baseline's file; empty without one."""
    store: str
    """The address of the store without its password; empty without one."""


class BatchSource:
    """Cuts the units of a run into batches, lazily.

    Args:
        items: the units.
        writer: has the recorded answers.
        recorded: what an earlier part of the run recorded.
        total: how many units there are, to give each worker something.
        lanes: batches at the same time.
        least: units that a worker can have in flight.
    """

    def __init__(
        self,
        items: Iterator[WorkItem],
        writer: RunWriter,
        recorded: RecordedAnswers,
        *,
        total: int,
        lanes: int,
        least: int,
    ) -> None:
        self._items, self._writer, self._recorded = items, writer, recorded
        self._left, self._lanes, self._least = total, lanes, least
        self._pending: WorkItem | None = None

    def next(self) -> UnitBatch | None:
        """The next batch; None at the end. All repeats of a case are in one batch. Batches become
        smaller towards the end, so that all workers end at about the same time.
        """
        share = -(-self._left // self._lanes)
        size = max(1, min(MOST_UNITS, max(share // 2, min(share, self._least))))
        units: list[BatchUnit] = []
        while (item := self._pending or next(self._items, None)) is not None:
            self._pending = item
            if len(units) >= size and item.case.id != units[-1].case.id:
                break
            units.append(self._unit(*item))  # equal requests of its repeats are then sent once
            self._pending = None
        self._left = max(0, self._left - len(units))
        return UnitBatch(tuple(units)) if units else None

    def _unit(self, case: Case, repeat: int) -> BatchUnit:
        key = (case.id, repeat)
        place = self._recorded.answers.get(key)
        answer = None if place is None else self._writer.answer_at(place)
        return BatchUnit(case, repeat, answer, key in self._recorded.checked)
