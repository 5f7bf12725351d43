"""A worker of a run: it makes the plan of the run again, and does batches with the pipeline.

It has a thread with an event loop. `run` may be called from several threads; the batches then share
the worker's slots.
"""

import asyncio
import hashlib
import os
import threading
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path

from llmeval import __version__
from llmeval.core.errors import UsageError
from llmeval.core.records import Answer, Score
from llmeval.core.redaction import has_secret
from llmeval.models.base import AdaptsRequests
from llmeval.models.client.shared_store import SharedStore
from llmeval.runner.batches import BatchResult, UnitBatch, WorkerIdentity
from llmeval.runner.event_loop import loop_factory
from llmeval.runner.executor import WorkItem
from llmeval.runner.interrupts import INTERRUPT, Interrupt
from llmeval.runner.manifest import digests, unfinished_calls
from llmeval.runner.model_roles import ModelRole
from llmeval.runner.options import Options
from llmeval.runner.pipeline import Pipeline
from llmeval.runner.plan import RunPlan, baseline_of, plan
from llmeval.runner.progress import Progress
from llmeval.runner.recorded_answers import RecordedAnswers
from llmeval.runner.services import MakeVerdicts, RunServices
from llmeval.store.directory import MANIFEST, UnitKey
from llmeval.suite.loader import load_suite
from llmeval.suite.matrix import with_prompt, without_matrix

STORE = "LLMEVAL_STORE"
"""The variable with the address of the store. It has a password, so it is not an argument."""


@dataclass(frozen=True)
class WorkOrder:
    """What a worker needs to make the plan again. It has no secret."""

    suite: Path
    environment: str | None
    options: Options
    uses_store: bool
    run_id: str
    make_verdicts: MakeVerdicts


def work_order(planned: RunPlan, options: Options, services: RunServices, run_id: str) -> WorkOrder:
    """The order for the workers of a run.

    Raises:
        UsageError: the plan can't be made again in another process.
    """
    _refuse(planned, options)
    baseline = baseline_of(planned.suite, options)
    stated = None if options.baseline is None else baseline
    return WorkOrder(
        suite=planned.suite.path.absolute(),
        environment=planned.suite.environment,
        options=replace(options, out=None, store=None, workers=None, baseline=stated),
        uses_store=options.store is not None,
        run_id=run_id,
        make_verdicts=services.make_verdicts,
    )


def identity_of(planned: RunPlan, options: Options) -> WorkerIdentity:
    """What the run and its workers must share."""
    baseline = baseline_of(planned.suite, options)
    store = planned.cache.name if isinstance(planned.cache, SharedStore) else ""
    return WorkerIdentity(__version__, digests(planned), _content(baseline), store)


def _content(baseline: Path | None) -> str:
    """sha256 of a lock file, or of the manifest of a run, which has the digests of its records."""
    if baseline is None:
        return ""
    path = baseline / MANIFEST if baseline.is_dir() else baseline
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def _refuse(planned: RunPlan, options: Options) -> None:
    """Raises UsageError: the run can't be divided among workers."""
    if options.function is not None:
        raise UsageError(
            "--executor ray: the candidate is a function of this process. Write it into the suite:"
            " `provider: python` with `function: module:name`"
        )
    if planned.in_turn:
        raise UsageError(
            "--executor ray: the weights of the candidate and of the judge do not fit in memory"
            " together. Run without --executor"
        )
    if options.candidate is not None and has_secret(options.candidate.encode()):
        raise UsageError("--executor ray: --candidate contains a secret; write ${VARIABLE} instead")
    limits = [role.spec.limits for role in _roles(planned)]
    paced = any(each.requests_per_minute or each.tokens_per_minute for each in limits)
    if paced and options.store is None and options.workers not in (None, 1):
        raise UsageError(
            "--executor ray: a limit per minute holds for all workers only with a store. Add"
            " --store, or use --workers 1"
        )


def _roles(planned: RunPlan) -> list[ModelRole]:
    judging = [role for roles in planned.judge_roles.values() for role in roles]
    return [planned.candidate, *judging, *(planned.user.roles if planned.user else ())]


class BatchWorker:
    """A worker.

    Args:
        order: what to run.

    Raises:
        UsageError, SuiteError, StoreError: the plan can't be made here.
    """

    def __init__(self, order: WorkOrder) -> None:
        self._order = order
        options = order.options
        if order.uses_store:
            options = replace(options, store=_store_address())
        suite = without_matrix(load_suite(order.suite, order.environment))
        if options.prompt is not None:
            suite = with_prompt(suite, options.prompt)
        self._plan = plan(suite, options)
        if self._plan.cache is not None:
            self._plan.cache.run = order.run_id
        self._options = options
        self._verdicts = order.make_verdicts(self._plan, options)
        self._interrupts: set[Interrupt] = set()
        self._interrupted = False
        self._calls = 0
        self._runner = asyncio.Runner(loop_factory=loop_factory())
        self._loop = self._runner.get_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def identity(self) -> WorkerIdentity:
        """What the run compares with its own."""
        return identity_of(self._plan, self._options)

    def run(self, batch: UnitBatch) -> BatchResult:
        """Do a batch; blocks until its last unit.

        Raises:
            StoreError: the store is gone.
        """
        return asyncio.run_coroutine_threadsafe(self._run(batch), self._loop).result()

    def interrupt(self) -> None:
        """Start no further case. Calls in flight get a moment; the second time none."""
        self._interrupted = True
        for interrupt in list(self._interrupts):
            interrupt.send()

    def close(self) -> None:
        """Close the models and the store."""
        asyncio.run_coroutine_threadsafe(self._plan.close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._runner.close()

    async def _run(self, batch: UnitBatch) -> BatchResult:
        records, progress = _BatchRecords(batch), Progress()
        pipeline = Pipeline(
            self._plan,
            self._order.run_id,
            records,
            records.recorded,
            self._options.concurrency,
            progress,
            self._verdicts,
        )
        interrupt = Interrupt()
        INTERRUPT.set(interrupt)  # of this task alone
        self._interrupts.add(interrupt)
        if self._interrupted:
            interrupt.send()
        done: list[UnitKey] = []
        try:
            items = (WorkItem(unit.case, unit.repeat) for unit in batch.units)
            async with aclosing(pipeline.results(items)) as results:
                async for units in results:
                    done += [(unit.answer.case_id, unit.answer.repeat) for unit in units]
        finally:
            self._interrupts.discard(interrupt)
        calls = self._plan.budget.calls - self._calls
        self._calls += calls
        return BatchResult(
            answers=tuple(records.answers.values()),
            scores=tuple(records.blocks.values()),
            done=tuple(done),
            ending=pipeline.ending,
            reason=pipeline.reason,
            returned={name: frozenset(values) for name, values in pipeline.returned.items()},
            judges={name: frozenset(values) for name, values in pipeline.judges.items()},
            calls=calls,
            cached=progress.cached,
            unfinished=unfinished_calls(self._plan),
            warnings=self._warnings(),
        )

    def _warnings(self) -> tuple[str, ...]:
        cache = self._plan.cache
        warnings = [cache.warning] if cache is not None and cache.warning else []
        for model in self._plan.closing:
            warnings += model.adaptations if isinstance(model, AdaptsRequests) else ()
        return tuple(warnings)


class _BatchRecords:
    """The records of a batch, in memory. See `UnitRecords`."""

    def __init__(self, batch: UnitBatch) -> None:
        self._stored = [unit.answer for unit in batch.units]
        places = {unit.key: n for n, unit in enumerate(batch.units) if unit.answer is not None}
        checked = {unit.key for unit in batch.units if unit.checked}
        self.recorded = RecordedAnswers(places, set(), set(), checked)
        self.answers: dict[UnitKey, Answer] = {}
        self.blocks: dict[UnitKey, tuple[Score, ...]] = {}

    def answer(self, answer: Answer) -> None:
        self.answers[answer.case_id, answer.repeat] = answer

    def scores(self, scores: Sequence[Score]) -> None:
        if scores:
            key = scores[0].case_id, scores[0].repeat
            self.blocks.pop(key, None)  # the last block counts, in the order of the last ones
            self.blocks[key] = tuple(scores)

    def answer_at(self, place: int) -> Answer:
        answer = self._stored[place]
        assert answer is not None
        return answer


def _store_address() -> str:
    address = os.environ.get(STORE)
    if not address:
        raise UsageError(
            f"{STORE} is not set on the machine of a worker; set it before `ray start` there"
        )
    return address
