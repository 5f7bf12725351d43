"""Replies that arrive together are processed in turn, so that requests do not go out in bursts."""

import asyncio
from collections import deque


class Turns:
    """Lets one task go on at a time; the next one follows after what the first has scheduled.

    Before Python 3.12 aiohttp sends the body of a request in a task of its own, which runs after
    everything else that is ready. Of replies that arrive together, all would be scored before the
    first of the next requests is sent; these would be sent together, and arrive together again.
    With turns, the request of one case is on its way while the reply of the next one is scored.
    """

    def __init__(self) -> None:
        self._taken = False
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        """Wait for a turn. It ends by itself when the task that has it waits for something."""
        loop = asyncio.get_running_loop()
        if not self._taken:
            self._taken = True
            loop.call_soon(self._pass_on, loop)
            return
        turn = loop.create_future()
        self._waiting.append(turn)
        await turn

    def _pass_on(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                loop.call_soon(self._pass_on, loop)
                return
        self._taken = False
