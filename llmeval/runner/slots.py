"""Cases in flight. A case that waits for another attempt, or for its claim in a store on a server,
lends its slot to the next case. Single faults of an endpoint then cost calls, but hardly any time.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from llmeval.models.client.limiter import Window

WORKERS_PER_SLOT = 2
"""Limits the cases in memory when many of them wait."""


class Slots:
    """Limits the number of cases in flight.

    Args:
        count: slots, at least 1.
    """

    def __init__(self, count: int) -> None:
        self._window = Window(count, adaptive=False)

    async def take(self) -> None:
        """Wait for a slot."""
        await self._window.enter()

    def give(self) -> None:
        """Give it back."""
        self._window.leave()

    async def rest(self, seconds: float) -> None:
        """Wait, and lend the slot meanwhile. Afterwards the case continues at once, so there may be
        more cases than slots for a moment. The window limits the requests to an endpoint.
        """
        self._window.leave()
        try:
            await asyncio.sleep(seconds)
        finally:
            self._window.in_flight += 1

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[None]:
        """Lend the slot to the next case, and wait for a slot at the end.

        So there are never more cases than slots that make a call or have a reply that is not yet
        stored. If the run is killed, no more calls than these are repeated.
        """
        self._window.leave()
        try:
            yield
            await self._window.enter()
        except BaseException:
            self._window.in_flight += 1  # the case gives a slot back when it ends
            raise
