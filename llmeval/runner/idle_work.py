"""Work that a run does while its calls wait for their answers: the data tests, and loading the
modules of the reports. With 1,000 short cases it takes 0.5 s of CPU.

The event loop does it in slices of a millisecond. A thread was measured too: each system call of
the loop then waits until the thread gives up the interpreter, so the calls took longer by all that
the thread saved.
"""

import asyncio
import time
from collections.abc import Generator
from contextlib import suppress
from typing import Self

from llmeval.core.data_record import DataCheckRecord
from llmeval.runner.services import RunServices

FIRST_SECONDS = 0.02
"""The work begins after this time, when the first requests are on their way, or when the calls are
done."""
SLICE_SECONDS = 0.001
"""The calls can wait this long, or for one step if that is longer."""


class IdleWork:
    """The work of one run. An async context: an error in its block cancels the work."""

    def __init__(self, services: RunServices) -> None:
        self._services = services
        self._wanted = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._in_slices())
        return self

    async def __aexit__(self, *error: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    @property
    def done(self) -> bool:
        """Whether all of it is done."""
        return self._task.done()

    async def data_record(self) -> DataCheckRecord | None:
        """Do the rest. Returns the result of the data tests; None for a run without them."""
        self._wanted.set()
        return await self._task

    async def _in_slices(self) -> DataCheckRecord | None:
        steps = _steps(self._services)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wanted.wait(), FIRST_SECONDS)
        while True:
            await asyncio.sleep(0)
            until = time.monotonic() + SLICE_SECONDS
            while time.monotonic() < until:
                try:
                    next(steps)
                except StopIteration as end:
                    record: DataCheckRecord | None = end.value
                    return record


def _steps(services: RunServices) -> Generator[None, None, DataCheckRecord | None]:
    record = None
    if services.data_tests is not None:
        record = yield from services.data_tests()
    yield from services.load_reports()
    return record
