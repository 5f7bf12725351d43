"""How many requests one endpoint gets at a time: found by asking, and less when it says so.

Concurrency follows slow start, then additive increase and multiplicative decrease (Jacobson 1988; Chiu and Jain 1989).
Two things differ from TCP. A single 429 among many successes is noise and changes nothing. And near the ceiling a
step too many is paid for by so many successes before the next one is tried, so refusals stay at one in a hundred calls
at any latency.

All models behind one endpoint share one window. Two windows in front of one server push each other out: each takes the
other's refusals for its own, and the pipeline goes at the pace of the smaller one.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable

START = 16
WINDOW = 32
"""Outcomes looked at; `NOISE` or more refusals among them mean that the endpoint is overloaded."""
NOISE = 3
COST, MOST_COST = 200, 1600
"""Successes that a step too many costs before the next one is tried; twice as many each time the same step fails."""
DECREASE = 0.8
MAX_INTERVAL = 30.0


class Window:
    """Requests in flight to one endpoint, as many as it takes.

    Args:
        maximum: most requests in flight.
        adaptive: adapt to refusals; False for local weights.
        clock: seconds, monotonic; another one only in tests.
    """

    def __init__(self, maximum: int, *, adaptive: bool = True, clock: Callable[[], float] = time.monotonic) -> None:
        self.maximum = maximum
        self.limit = float(min(maximum, START) if adaptive else maximum)
        self.in_flight = 0
        self.clock = clock
        self._adaptive = adaptive
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._recent: deque[bool] = deque(maxlen=WINDOW)
        self._slow_start = True
        self._ceiling = float("inf")
        self._cost = COST
        self._owed = 0
        self._since_step = 0
        self._cut_at = 0.0
        self._interval = 0.0
        self._next_send = 0.0

    def widen(self, maximum: int) -> None:
        """Let at least so many requests through, before any is sent: some model behind the endpoint may have more."""
        if maximum > self.maximum:
            self.maximum = maximum
            self.limit = float(min(maximum, START) if self._adaptive else maximum)

    async def enter(self) -> None:
        """Wait for a place."""
        if self.in_flight >= int(self.limit) or self._waiting:
            future = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            try:
                await future
            except asyncio.CancelledError:
                if future.done() and not future.cancelled():
                    self.leave()
                raise
        else:
            self.in_flight += 1

    def leave(self) -> None:
        """Give the place back."""
        self.in_flight -= 1
        while self._waiting and self.in_flight < int(self.limit):
            future = self._waiting.popleft()
            if not future.done():
                self.in_flight += 1
                future.set_result(None)

    def pause(self) -> float:
        """Seconds to wait before sending: where even one request at a time is too many, requests are spaced out."""
        if not self._interval:
            return 0.0
        now = self.clock()
        self._next_send = max(now, self._next_send) + self._interval
        return self._next_send - now

    def learn(self, sent: float, *, refused: bool, failed: bool) -> None:
        """What became of the request sent at `sent`."""
        if self._adaptive:
            if refused:
                self._on_refusal(sent)
            elif not failed:
                self._on_success()

    def _on_success(self) -> None:
        self._recent.append(False)
        self._owed = max(0, self._owed - 1)
        self._since_step += 1
        if self._interval:
            self._interval *= 0.99
            if self._interval < 0.001:
                self._interval = 0.0
            return
        if self.limit >= self.maximum or self.in_flight + 1 < int(self.limit):
            return  # a limit that is not used up proves nothing
        if self._slow_start:
            self._step(1.0)
        elif self.limit + 1 < DECREASE * self._ceiling:
            self._step(1 / self.limit)
        elif not self._owed and self._since_step > 10 * self.limit:
            self._step(1.0)

    def _step(self, more: float) -> None:
        self.limit = min(float(self.maximum), self.limit + more)
        self._since_step = 0

    def _on_refusal(self, sent: float) -> None:
        self._recent.append(True)
        if sent < self._cut_at or sum(self._recent) < min(NOISE, self.limit):
            return  # sent before the last cut, or noise
        self._recent.clear()
        self._cut_at = self.clock()
        self._cost = min(MOST_COST, 2 * self._cost) if self.limit <= self._ceiling + 1 else COST
        self._ceiling = self.limit
        self._owed = self._cost
        if self.limit <= 1:
            self._interval = min(MAX_INTERVAL, max(2 * self._interval, 0.05))
        elif self._slow_start:
            self.limit = max(1.0, self.limit / 2)
        elif self._since_step <= WINDOW + 10 * self.limit:  # the last step was one too many
            self.limit = max(1.0, float(int(self.limit) - 1))
        else:
            self.limit = max(1.0, DECREASE * self.limit)
        self._slow_start = False


class Limiter:
    """The gate in front of one model: its endpoint's window, and what is stated for the model itself.

    Args:
        concurrency: most requests of this model in flight.
        window: shared by all models of the endpoint; None makes one for this model alone.
        requests_per_minute, tokens_per_minute: the model's stated limits, if any.
        adaptive, clock: of the window that is made.
    """

    def __init__(
        self,
        concurrency: int,
        *,
        window: Window | None = None,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        adaptive: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.window = window or Window(concurrency, adaptive=adaptive, clock=clock)
        self._own = asyncio.Semaphore(concurrency) if window is not None else None
        self._requests = _Bucket(requests_per_minute, self.window.clock) if requests_per_minute else None
        self._tokens = _Bucket(tokens_per_minute, self.window.clock) if tokens_per_minute else None

    async def acquire(self, tokens: int = 0) -> float:
        """Wait for a place; returns the time of sending, which `release` wants back.

        Args:
            tokens: how many tokens the call will use, roughly; matters only under `tokens_per_minute`.
        """
        if self._own is not None:
            await self._own.acquire()
        try:
            await self._stated(tokens)
            await self._entered()
        except BaseException:
            if self._own is not None:
                self._own.release()
            raise
        return self.window.clock()

    def release(self, sent: float, *, refused: bool = False, failed: bool = False) -> None:
        """Give the place back. `refused`: the endpoint asked for less (429, 503); `failed`: any other failure."""
        self.window.learn(sent, refused=refused, failed=failed)
        self.window.leave()
        if self._own is not None:
            self._own.release()

    async def _stated(self, tokens: int) -> None:
        """Wait as the stated limits ask, before a place is taken that another model could use."""
        wait = self._requests.take(1) if self._requests is not None else 0.0
        if self._tokens is not None:
            wait = max(wait, self._tokens.take(tokens))
        if wait > 0:
            await asyncio.sleep(wait)

    async def _entered(self) -> None:
        await self.window.enter()
        pause = self.window.pause()
        if pause > 0:
            try:
                await asyncio.sleep(pause)
            except asyncio.CancelledError:
                self.window.leave()
                raise


class _Bucket:
    """A token bucket that lets a debt be taken and says how long to wait for it."""

    def __init__(self, per_minute: float, clock: Callable[[], float]) -> None:
        self._rate = per_minute / 60
        self._capacity = max(1.0, self._rate)
        self._level = self._capacity
        self._clock = clock
        self._at = clock()

    def take(self, amount: float) -> float:
        now = self._clock()
        self._level = min(self._capacity, self._level + (now - self._at) * self._rate)
        self._at = now
        self._level -= amount
        return 0.0 if self._level >= 0 else -self._level / self._rate
