"""Workers in threads of the test's process, instead of those of a cluster; and the part of a summary
that is the same for all executors.
"""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from llmeval.runner.batch_executor import WorkerEnded
from llmeval.runner.batches import BatchResult, UnitBatch, WorkerIdentity
from llmeval.runner.options import Options
from llmeval.runner.worker import BatchWorker, WorkOrder

_MUST_DIFFER = {"run_id", "checksum", "wall_s", "numbers", "sessions"}
"""The id, its checksum, durations, and the statistics of durations."""


def comparable_summary(out: Path) -> bytes:
    """The bytes of a run's summary without what differs between any two runs."""
    summary = json.loads((out / "summary.json").read_text())
    return json.dumps({k: v for k, v in summary.items() if k not in _MUST_DIFFER}).encode()


class ThreadWorkers:
    """Put it in place of `ray_cluster.RayWorkers`.

    `ends`: called with each batch; whether the worker ends while it does the batch.
    """

    ends: Callable[[UnitBatch], bool] = staticmethod(lambda batch: False)
    batches: list[UnitBatch]

    def __init__(self, options: Options, order: WorkOrder, identity: WorkerIdentity) -> None:
        self.count = options.workers or 1
        self._order, self._identity = order, identity
        self.started: list[BatchWorker] = []

    async def __aenter__(self) -> "ThreadWorkers":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self.started:
            await asyncio.to_thread(worker.close)

    async def start(self) -> "ThreadWorker":
        """See `Workers.start`."""
        worker = await asyncio.to_thread(BatchWorker, self._order)
        self.started.append(worker)
        assert worker.identity() == self._identity
        return ThreadWorker(worker, type(self).ends)


class ThreadWorker:
    """See `RunningWorker`."""

    def __init__(self, worker: BatchWorker, ends: Callable[[UnitBatch], bool]) -> None:
        self._worker, self._ends = worker, ends
        self._stopped = False

    async def run(self, batch: UnitBatch) -> BatchResult:
        """See `RunningWorker.run`. All batches of a worker that ended are without a result."""
        if self._ends(batch):
            self._stopped = True
        result = await asyncio.to_thread(self._worker.run, batch)
        if self._stopped:
            raise WorkerEnded("the test ended it")
        return result

    def interrupt(self) -> None:
        """See `RunningWorker.interrupt`."""
        self._worker.interrupt()

    def stop(self) -> None:
        """See `RunningWorker.stop`."""
        self._stopped = True
