"""Work that a run does while its calls wait for their answers: the data tests, and loading the
modules of the reports. With 1,000 short cases it takes 0.5 s of CPU.

The event loop does it in slices of a millisecond. A thread was measured too: each system call of
the loop then waits until the thread gives up the interpreter, so the calls took longer by all that
the thread saved.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager

from llmeval.core.data_record import DataCheckRecord
from llmeval.runner.services import RunServices

FIRST_SECONDS = 0.02
"""The work begins after this time, when the first requests are on their way."""
SLICE_SECONDS = 0.001
"""The calls can wait this long, or for one step if that is longer."""


@asynccontextmanager
async def idle_work(services: RunServices) -> AsyncIterator["asyncio.Task[DataCheckRecord | None]"]:
    """Begin the work. The task has the result of the data tests; None for a run without them.

    If the block raises an error, the task is cancelled.
    """
    task = asyncio.create_task(_in_slices(_steps(services)))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _steps(services: RunServices) -> Generator[None, None, DataCheckRecord | None]:
    record = None
    if services.data_tests is not None:
        record = yield from services.data_tests()
    yield from services.load_reports()
    return record


async def _in_slices(
    steps: Generator[None, None, DataCheckRecord | None],
) -> DataCheckRecord | None:
    await asyncio.sleep(FIRST_SECONDS)
    while True:
        await asyncio.sleep(0)
        until = time.monotonic() + SLICE_SECONDS
        while time.monotonic() < until:
            try:
                next(steps)
            except StopIteration as end:
                record: DataCheckRecord | None = end.value
                return record
