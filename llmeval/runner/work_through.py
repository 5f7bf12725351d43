"""Does the work of a run with the executor that its options name."""

from collections.abc import Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from llmeval.core.manifest import Ending
from llmeval.runner.executor import Executor, WorkItem
from llmeval.runner.observers import Observers
from llmeval.runner.options import Options
from llmeval.runner.pipeline import Pipeline
from llmeval.runner.plan import RunPlan
from llmeval.runner.progress import Progress
from llmeval.runner.recorded_answers import RecordedAnswers
from llmeval.runner.resumed import recorded_answers
from llmeval.runner.services import RunServices
from llmeval.runner.stealing import steal
from llmeval.runner.stopping import Stopper
from llmeval.runner.unit_records import enough_recorded, work_items
from llmeval.store.writer import RunWriter

if TYPE_CHECKING:
    from llmeval.runner.batch_executor import BatchExecutor

_IN_TURN = "first all answers, then all verdicts: both models do not fit in memory together"


@dataclass(frozen=True)
class RunWork:
    """The work of one run, and what its executor needs."""

    plan: RunPlan
    options: Options
    services: RunServices
    run_id: str
    writer: RunWriter
    recorded: RecordedAnswers
    progress: Progress
    stopper: Stopper | None = None


@dataclass(frozen=True)
class WorkEnd:
    """How the work ended."""

    ending: Ending
    reason: str = ""
    """Why the run is not complete; empty where it is."""
    returned: Mapping[str, set[str]] = field(default_factory=dict)
    """See `Executor.returned`."""
    judges: Mapping[str, set[str | None]] = field(default_factory=dict)
    """See `Executor.judges`."""
    warnings: tuple[str, ...] = ()
    """Warnings of other processes."""
    unfinished: Mapping[str, int] = field(default_factory=dict)
    """By role, calls of other processes that are in no record."""


async def work_through(run: RunWork, observers: Observers) -> WorkEnd:
    """Answer and score what is left.

    Raises:
        StoreError: a record can't be written.
        UsageError: the workers can't be started, or do not have the plan of this process.
    """
    if enough_recorded(run.stopper, run.writer, run.recorded):
        return WorkEnd("decided")
    if run.options.workers is not None:
        return await _with_ray(run, observers)
    pipeline = Pipeline(
        run.plan,
        run.run_id,
        run.writer,
        run.recorded,
        run.options.concurrency,
        run.progress,
        run.services.verdicts,
        run.stopper,
        scoring=not run.plan.in_turn,
    )
    if run.plan.in_turn:
        run.progress.stated = _IN_TURN
    await _work(pipeline, _items(run, run.recorded), run.progress, observers)
    if run.plan.in_turn and pipeline.ending == "complete":
        await run.plan.candidate.caller.model.close()  # frees the candidate's weights
        run.progress.stated = ""
        rest = recorded_answers(run.plan, run.writer, errors_stand=True)
        pipeline = pipeline.going_on(rest)
        await _work(pipeline, _items(run, rest), run.progress, observers)
    end = _end_of(pipeline)
    if not run.plan.others or end.ending != "complete":
        return end
    calls, warning = await steal(
        run.plan, run.run_id, run.options.concurrency, run.services.verdicts, run.progress
    )
    return replace(end, unfinished=calls, warnings=(warning,) if warning else ())


async def _with_ray(run: RunWork, observers: Observers) -> WorkEnd:
    from llmeval.runner.batch_executor import BatchExecutor
    from llmeval.runner.ray_cluster import RayWorkers
    from llmeval.runner.worker import identity_of, work_order

    order = work_order(run.plan, run.options, run.services, run.run_id)
    async with RayWorkers(run.options, order, identity_of(run.plan, run.options)) as workers:
        executor = BatchExecutor(
            run.plan,
            run.writer,
            run.recorded,
            workers,
            run.options.concurrency,
            run.progress,
            run.stopper,
        )
        await _work(executor, _items(run, run.recorded), run.progress, observers)
    return _end_of_batches(executor)


def _items(run: RunWork, recorded: RecordedAnswers) -> Iterable[WorkItem]:
    return work_items(run.plan, run.writer, recorded)


def _end_of(executor: Executor) -> WorkEnd:
    return WorkEnd(executor.ending, executor.reason, executor.returned, executor.judges)


def _end_of_batches(executor: "BatchExecutor") -> WorkEnd:
    return WorkEnd(
        executor.ending,
        executor.reason,
        executor.returned,
        executor.judges,
        tuple(executor.warnings),
        executor.unfinished,
    )


async def _work(
    executor: Executor, items: Iterable[WorkItem], progress: Progress, observers: Observers
) -> None:
    """Let an executor do what is left, count it, and report it to the observers."""
    async with aclosing(executor.results(items)) as batches:
        async for batch in batches:
            for unit in batch:
                progress.count(unit)
                observers.unit_done(unit)
