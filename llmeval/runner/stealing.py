"""`--steal`: a shard that is done makes calls of other shards.

Only the replies are kept, in the store. Each shard still records all of its own cases: it receives
these replies from the store, as it would those of a run that was interrupted. So a case is in one
shard, and no request is sent twice.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from itertools import islice

from llmeval.core.errors import LlmevalError
from llmeval.core.records import Answer, Score
from llmeval.runner.executor import WorkItem
from llmeval.runner.pipeline import Pipeline
from llmeval.runner.plan import RunPlan
from llmeval.runner.progress import Progress
from llmeval.runner.recorded_answers import RecordedAnswers
from llmeval.runner.services import Verdicts

_ROUNDS = 4
"""Cases of a round, for each case in flight. A round without a call ends the help for a shard."""


class StolenCalls:
    """Gets the records of the cases of other shards, and keeps only the number of their calls."""

    def __init__(self) -> None:
        self.by_role: Counter[str] = Counter()

    def answer(self, answer: Answer) -> None:
        """See `UnitRecords.answer`."""
        self.by_role["candidate"] += answer.attempts

    def scores(self, scores: Sequence[Score]) -> None:
        """See `UnitRecords.scores`."""
        for score in scores:
            if score.source == "judge":
                self.by_role[f"judge:{score.metric}"] += score.attempts

    def answer_at(self, place: int) -> Answer:
        """See `UnitRecords.answer_at`; nothing is stored."""
        raise AssertionError("no answer is recorded")


async def steal(
    plan: RunPlan, run_id: str, concurrency: int, verdicts: Verdicts, progress: Progress
) -> tuple[dict[str, int], str]:
    """Make calls of the other shards, from their last case to their first, until their own workers
    have reached the same place.

    Returns:
        By role, the calls sent, and a warning; empty without one. An error here does not change the
        run, which is complete.
    """
    calls, own = StolenCalls(), Progress()
    progress.stated = "this shard is done: making calls of the other shards"
    try:
        for cases in plan.others:
            items = (
                WorkItem(case, repeat)
                for case in cases.backwards()
                for repeat in range(plan.suite.spec.repeats)
            )
            while True:
                before, nothing = plan.budget.calls, RecordedAnswers({}, set(), set())
                pipeline = Pipeline(plan, run_id, calls, nothing, concurrency, own, verdicts)
                if not await _round(pipeline, islice(items, _ROUNDS * concurrency)):
                    break
                if pipeline.ending != "complete":
                    return dict(calls.by_role), f"--steal ended: {pipeline.reason}"
                if plan.budget.calls == before:
                    break  # its own worker, or another helper, has these replies
    except LlmevalError as error:
        return dict(calls.by_role), f"--steal ended: {error}"
    finally:
        progress.stated = ""
    return dict(calls.by_role), ""


async def _round(pipeline: Pipeline, items: Iterator[WorkItem]) -> int:
    """Do some units. Returns their number."""
    done = 0
    async with aclosing(pipeline.results(items)) as results:
        async for units in results:
            done += len(units)
    return done
