"""The `Executor` whose work is done by workers in other processes, batch by batch.

This process alone writes the run directory. A batch whose worker ended is done again by another
one, alone, so that a batch that ends its worker does not take a second one with it. After
`MOST_FAILURES` workers its units become error records.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from llmeval.core.errors import StoreError
from llmeval.core.manifest import Ending
from llmeval.core.records import Answer, ErrorInfo
from llmeval.runner.batches import BatchResult, BatchSource, BatchUnit, UnitBatch
from llmeval.runner.executor import WorkItem
from llmeval.runner.interrupts import on_interrupt
from llmeval.runner.pipeline import GRACE_SECONDS, STOP_SECONDS
from llmeval.runner.plan import RunPlan
from llmeval.runner.progress import Progress
from llmeval.runner.recorded_answers import RecordedAnswers
from llmeval.runner.stopping import Stopper
from llmeval.store.directory import Unit
from llmeval.store.writer import RunWriter

MOST_FAILURES = 3
"""Workers that a batch may end before its units count as missing."""
IN_FLIGHT = 2
"""Batches of a worker at the same time: the second one fills the slots that the first one frees."""
_MOST_STARTS = 3
"""Attempts to start a worker before the run ends."""


class WorkerEnded(Exception):
    """A worker's process, or the connection to it, ended. The message says how."""


class _NoWorkers(Exception):
    """No worker can be started."""


class RunningWorker(Protocol):
    """One worker."""

    async def run(self, batch: UnitBatch) -> BatchResult:
        """Do a batch.

        Raises:
            WorkerEnded: the worker is gone. LlmevalError: no worker can do it.
        """
        ...

    def interrupt(self) -> None:
        """Ask it to start no further case; the second time to end its calls."""
        ...

    def stop(self) -> None:
        """End it."""
        ...


class Workers(Protocol):
    """Starts workers."""

    @property
    def count(self) -> int:
        """How many workers the run has at the same time."""
        ...

    async def start(self) -> RunningWorker:
        """Start a worker, with the plan of this run.

        Raises:
            WorkerEnded: it ended at once. UsageError: it has another plan.
        """
        ...


class BatchExecutor:
    """See `Executor`.

    Args:
        plan: the plan of the run.
        writer: writes the run directory.
        recorded: the records of an earlier part.
        workers: starts the workers.
        concurrency: cases in flight of each worker.
        progress: the counters to update.
        stopper: may end the run before its last case.
    """

    def __init__(
        self,
        plan: RunPlan,
        writer: RunWriter,
        recorded: RecordedAnswers,
        workers: Workers,
        concurrency: int,
        progress: Progress,
        stopper: Stopper | None = None,
    ) -> None:
        self._plan, self._writer, self._recorded = plan, writer, recorded
        self._workers, self._concurrency = workers, concurrency
        self._progress, self._stopper = progress, stopper
        self._slots = [_Slot(workers) for _ in range(workers.count)]
        self._again: deque[UnitBatch] = deque()
        self._out = 0
        self._changed = asyncio.Condition()
        self._ready: asyncio.Queue[Sequence[Unit]] = asyncio.Queue()
        self._stop: Ending | None = None
        self.reason = ""
        self.returned: dict[str, set[str]] = {}
        self.judges: dict[str, set[str | None]] = {}
        self.warnings: dict[str, None] = {}
        """Warnings of the workers, each once."""
        self.unfinished: dict[str, int] = {}
        """By role, calls of the workers that are in no record. Those of a worker that was killed
        are not known.
        """

    @property
    def ending(self) -> Ending:
        """See `Executor.ending`."""
        return self._stop or "complete"

    async def results(self, items: Iterable[WorkItem]) -> AsyncGenerator[Sequence[Unit], None]:
        """See `Executor.results`."""
        lanes = len(self._slots) * IN_FLIGHT
        source = BatchSource(
            iter(items),
            self._writer,
            self._recorded,
            total=self._progress.total - self._progress.resumed,
            lanes=lanes,
            least=self._concurrency,
        )
        tasks = [
            asyncio.create_task(self._lane(source, slot))
            for _ in range(IN_FLIGHT)
            for slot in self._slots
        ]
        ended = asyncio.ensure_future(asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION))
        ended.add_done_callback(lambda _: self._ready.put_nowait(()))
        with self._interruptible(tasks):
            try:
                while not ended.done() or not self._ready.empty():
                    if units := await self._ready.get():
                        yield units
            finally:
                ended.cancel()
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                for slot in self._slots:
                    slot.stop()
        for task in tasks:
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def _lane(self, source: BatchSource, slot: "_Slot") -> None:
        """Do batches with one worker, one after the other."""
        while (batch := await self._take(source)) is not None:
            rest: UnitBatch | None = batch
            try:
                async with slot.use(alone=batch.failures > 0) as worker:
                    rest = self._record(batch, await self._result(slot, worker, batch))
            except _NoWorkers as error:
                self._end("outage", str(error))
            finally:
                await self._put_back(rest)

    async def _result(self, slot: "_Slot", worker: RunningWorker, batch: UnitBatch) -> BatchResult:
        """The result of a batch; without one if its worker ended."""
        try:
            return await worker.run(batch)
        except WorkerEnded as error:
            slot.discard(worker)
            batch.failures += 1
            if batch.failures < MOST_FAILURES:
                return BatchResult(ending="interrupted")
            return _failed(batch, error)

    async def _take(self, source: BatchSource) -> UnitBatch | None:
        """The next batch; None if no more will come."""
        async with self._changed:
            while self._stop is None:
                if (reason := self._plan.budget.used_up()) is not None:
                    self._end("budget", reason)
                    break
                batch = self._again.popleft() if self._again else source.next()
                if batch is not None:
                    self._out += 1
                    return batch
                if not self._out:
                    break
                await self._changed.wait()  # a batch of another worker may have to be done again
        return None

    async def _put_back(self, rest: UnitBatch | None) -> None:
        async with self._changed:
            self._out -= 1
            if rest is not None:
                self._again.append(rest)
            self._changed.notify_all()

    def _record(self, batch: UnitBatch, result: BatchResult) -> UnitBatch | None:
        """Write the records of a batch, and hand over its units. Returns the units that are left.

        Raises:
            StoreError: the directory can't be written, or a result of a complete batch is missing.
        """
        for answer in result.answers:
            self._writer.answer(answer)
        for block in result.scores:
            self._writer.scores(block)
        self._note(result)
        answers = {(each.case_id, each.repeat): each for each in result.answers}
        blocks = {(each[0].case_id, each[0].repeat): each for each in result.scores}
        units = {unit.key: unit for unit in batch.units}
        finished = [
            Unit(units[key].case, answers.get(key) or _stored(units[key]), blocks.get(key, ()))
            for key in result.done
        ]
        self._ready.put_nowait(finished)
        if result.ending not in ("complete", "interrupted"):
            self._end(result.ending, result.reason)
        if self._stopper is not None and any([self._stopper.add(unit) for unit in finished]):
            self._end("decided", "")
        done = set(result.done)
        left = tuple(unit for unit in batch.units if unit.key not in done)
        if left and result.ending == "complete":
            raise StoreError(
                f"a worker returned {len(done)} of {len(batch.units)} results; the same command"
                " continues the run"
            )
        return UnitBatch(left, batch.failures) if left else None

    def _note(self, result: BatchResult) -> None:
        for name, values in result.returned.items():
            self.returned.setdefault(name, set()).update(values)
        for metric, digests in result.judges.items():
            self.judges.setdefault(metric, set()).update(digests)
        for role, calls in result.unfinished.items():
            self.unfinished[role] = self.unfinished.get(role, 0) + calls
        self.warnings.update(dict.fromkeys(result.warnings))
        self._progress.cached += result.cached
        self._plan.budget.calls += result.calls

    def _end(self, how: Ending, reason: str) -> None:
        """Hand out no further batch. The workers get some time for their calls in flight."""
        if self._stop is not None:
            return
        self._stop, self.reason = how, reason
        loop, wait = asyncio.get_running_loop(), STOP_SECONDS
        if how in ("quota", "interrupted", "decided"):
            self._interrupt()
            wait = GRACE_SECONDS
        if how == "decided":
            wait = 0.0
        loop.call_later(wait, self._interrupt)

    def _interrupt(self) -> None:
        for slot in self._slots:
            slot.interrupt()

    @contextlib.contextmanager
    def _interruptible(self, tasks: list["asyncio.Task[None]"]) -> Iterator[None]:
        """First SIGINT or SIGTERM: no new batch; the workers' calls in flight get a moment.
        Second: end at once.
        """

        def interrupt() -> None:
            if self._stop == "interrupted":
                for task in tasks:
                    task.cancel()
                return
            self._stop = None
            self._end("interrupted", "interrupted")
            self._progress.stated = (
                "stopping: calls in flight may finish; press Ctrl-C again to stop at once"
            )

        with on_interrupt(asyncio.get_running_loop(), interrupt):
            yield


@dataclass
class _Slot:
    """The place of one worker, which is started when it is needed."""

    workers: Workers
    worker: RunningWorker | None = None
    starting: asyncio.Lock = field(default_factory=asyncio.Lock)
    free: asyncio.Condition = field(default_factory=asyncio.Condition)
    in_flight: int = 0
    alone: bool = False
    """Whether the batch in flight shares the worker with no other one."""

    @contextlib.asynccontextmanager
    async def use(self, *, alone: bool) -> AsyncGenerator[RunningWorker, None]:
        """A worker for one batch. `alone`: with no other batch in flight."""
        async with self.free:
            await self.free.wait_for(lambda: not self.in_flight or not (self.alone or alone))
            self.in_flight += 1
            self.alone = alone
        try:
            yield await self._started()
        finally:
            async with self.free:
                self.in_flight -= 1
                self.free.notify_all()

    async def _started(self) -> RunningWorker:
        async with self.starting:
            for attempt in range(1, _MOST_STARTS + 1):
                if self.worker is not None:
                    break
                try:
                    self.worker = await self.workers.start()
                except WorkerEnded as error:
                    if attempt == _MOST_STARTS:
                        raise _NoWorkers(
                            f"no worker could be started ({error}); the same command continues"
                            " the run"
                        ) from None
            assert self.worker is not None
            return self.worker

    def discard(self, worker: RunningWorker) -> None:
        """A worker ended; the next batch gets a new one."""
        worker.stop()
        if self.worker is worker:
            self.worker = None

    def interrupt(self) -> None:
        if self.worker is not None:
            self.worker.interrupt()

    def stop(self) -> None:
        if self.worker is not None:
            self.worker.stop()


def _stored(unit: BatchUnit) -> Answer:
    assert unit.answer is not None
    return unit.answer


def _failed(batch: UnitBatch, error: WorkerEnded) -> BatchResult:
    """Error records for the units of a batch that ended its workers."""
    message = (
        f"{batch.failures} workers ended while they did this batch of cases; the last: {error}"
    )
    answers = tuple(
        Answer(case_id=unit.case.id, repeat=unit.repeat, error=ErrorInfo("worker", message))
        for unit in batch.units
        if unit.answer is None
    )
    return BatchResult(answers=answers, done=tuple(unit.key for unit in batch.units))
