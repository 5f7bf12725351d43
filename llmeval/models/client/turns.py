"""Replies that arrive together are processed in small groups, so that requests do not go out in
bursts.
"""

import asyncio
from collections import deque

GROUP = 8
"""Replies that are processed one after another before the next requests are sent. With one, a case
waits the least; each further group costs a pass of the event loop."""


class Turns:
    """Lets a few tasks go on at a time; the next ones follow after what the first have scheduled.

    Before Python 3.12 aiohttp sends the body of a request in a task of its own, which runs after
    everything else that is ready. Of replies that arrive together, all would be scored before the
    first of the next requests is sent; these would be sent together, and arrive together again.
    With turns, the requests of a group are on their way while the replies of the next are scored.
    """

    def __init__(self) -> None:
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        """Wait for a turn. It ends by itself when the task that has it waits for something."""
        loop = asyncio.get_running_loop()
        if self._taken == 0:
            loop.call_soon(self._pass_on, loop)
        if self._taken < GROUP and not self._waiting:
            self._taken += 1
            return
        turn = loop.create_future()
        self._waiting.append(turn)
        await turn

    def _pass_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin the next group; a task that was cancelled while it waited has no turn."""
        self._taken = 0
        while self._waiting and self._taken < GROUP:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                self._taken += 1
        if self._taken:
            loop.call_soon(self._pass_on, loop)
