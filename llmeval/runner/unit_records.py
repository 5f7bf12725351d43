"""The interface of what a pipeline writes to: the run directory, or the batch of a worker."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from llmeval.core.records import Answer, Score
from llmeval.runner.executor import WorkItem
from llmeval.runner.plan import RunPlan
from llmeval.runner.recorded_answers import RecordedAnswers
from llmeval.runner.stopping import Stopper
from llmeval.store.writer import RunWriter


class UnitRecords(Protocol):
    """The records of units. `RunWriter` is the one of a run directory.

    Raises:
        StoreError: by every method; the directory can't be read or written.
    """

    def answer(self, answer: Answer) -> None:
        """Record an answer."""
        ...

    def scores(self, scores: Sequence[Score]) -> None:
        """Record all scores of one answer as one block. The last block counts."""
        ...

    def answer_at(self, place: int) -> Answer:
        """A stored answer. `place`: its number in `RecordedAnswers.answers`."""
        ...


def work_items(plan: RunPlan, writer: RunWriter, recorded: RecordedAnswers) -> Iterator[WorkItem]:
    """The units that are left. A case is recorded before its first unit."""
    for case in plan.cases:
        if case.id not in recorded.cases:
            writer.case(case)
        for repeat in range(plan.suite.spec.repeats):
            if (case.id, repeat) not in recorded.scored:
                yield WorkItem(case, repeat)


def enough_recorded(stopper: Stopper | None, writer: RunWriter, recorded: RecordedAnswers) -> bool:
    """Pass the records of an earlier part of the run to the stopper. Returns whether they
    decide.
    """
    if stopper is None:
        return False
    for unit in writer.run.units() if recorded.scored else ():
        if (unit.answer.case_id, unit.answer.repeat) in recorded.scored:
            stopper.add(unit)
    return stopper.enough()
