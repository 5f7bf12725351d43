"""The number of requests that one endpoint gets at a time. It grows while the endpoint accepts
them, and falls when the endpoint refuses some.

Concurrency follows slow start, then additive increase and multiplicative decrease (Jacobson 1988;
Chiu and Jain 1989). Three things differ from TCP. A few refusals among many successes are noise and
change nothing. Near the ceiling, a step that failed is tried again only after some hundred
successes, so about one call in a hundred is refused, at any latency. If the endpoint states a wait,
nothing is sent until it is over.

A request that timed out counts as refused when others were in flight with it: a slow server that
works on all of them at once finishes none in time.

All models behind one endpoint share one window. Two windows in front of one server compete: each
counts the other's refusals as its own, and the pipeline runs at the pace of the smaller one.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import NamedTuple, Protocol

from llmeval.models.client.pace import Pace
from llmeval.models.client.traffic import Traffic

START = 16
START_ON_LOOPBACK = 4
"""A server on this machine shares its cores with the run, and has few slots (llama.cpp and
Ollama: 1 to 4)."""
WINDOW = 32
"""How many of the last outcomes are examined."""
NOISE, MOST_NOISE = 5, 12
"""Refusals among the last `WINDOW` outcomes that count as overload. If 2 % of all requests are
refused by chance, five or more among 32 have a probability of 6e-4 (binomial). After a cut that did
not reduce the refusals the number grows by two, up to `MOST_NOISE`."""
TRIAL, STILL = 128, 2
"""A cut is undone when `STILL` or more of the next `TRIAL` outcomes are refusals: the load was not
the reason."""
LONG_WAIT = 5.0
"""Seconds. An endpoint that states a longer wait counts requests per minute. Its next refusals come
in the next minute and say nothing about a cut."""
NOISE_OF_FEW = 3
"""Time-outs among the last `WINDOW` outcomes that count as overload. Fewer than for refusals,
because each costs a whole `timeout`."""
COST, MOST_COST = 250, 1600
"""Successes that are needed before a step that failed is tried again. The number doubles each time
the same step fails."""
DECREASE = 0.8


def with_margin(retry_after: float) -> float:
    """Seconds to wait when an endpoint asks for `retry_after` seconds. Many endpoints round down,
    so that all requests would come a moment too early and be refused again."""
    return retry_after + min(1.0, 0.1 * retry_after)


class Signal(Enum):
    """The outcome of one request, for the window."""

    SERVED = "served"
    REFUSED = "refused"
    """The endpoint refuses because of too many requests (429, 529, 503 with a wait)."""
    TIMED_OUT = "timed out"
    FAILED = "failed"
    """Any other failure. It says nothing about the capacity of the endpoint."""


class Permit(NamedTuple):
    """A request's place in the window. `sent`: when it was taken; `beside`: other requests in
    flight at that time."""

    sent: float
    beside: int


class Window:
    """Requests in flight to one endpoint, up to its capacity.

    Args:
        maximum: most requests in flight.
        start: requests in flight at first.
        adaptive: adapt to refusals; False for local weights.
        clock: seconds, monotonic; only tests use another one.
    """

    def __init__(
        self,
        maximum: int,
        *,
        start: int = START,
        adaptive: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.maximum = maximum
        self.limit = float(min(maximum, start) if adaptive else maximum)
        self.in_flight = 0
        self.clock = clock
        self.pace = Pace()
        self.traffic = Traffic()
        self._refused_since: float | None = None
        self._start = start
        self._adaptive = adaptive
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._recent: deque[Signal] = deque(maxlen=WINDOW)
        self._slow_start = True
        self._ceiling = float("inf")
        self._cost = COST
        self._owed = 0
        self._since_step = 0
        self._served_since_cut = False
        self._noise = NOISE
        self._trial: _Trial | None = None
        self._cut_at = 0.0
        self._opens_at = 0.0
        self._opening: asyncio.TimerHandle | None = None

    def widen(self, maximum: int) -> None:
        """Raise the maximum before any request is sent, for a model that states more."""
        if maximum > self.maximum:
            self.maximum = maximum
            self.limit = float(min(maximum, self._start) if self._adaptive else maximum)

    def begin_at(self, start: int) -> None:
        """Raise the number of requests in flight at first, for a model that states its limit."""
        if start > self._start:
            self._start = start
            self.limit = float(min(self.maximum, start))

    @property
    def closed_for(self) -> float:
        """Seconds for which nothing is sent, because the endpoint states a wait."""
        return max(0.0, self._opens_at - self.clock()) if self._opens_at else 0.0

    @property
    def refused_for(self) -> float:
        """Seconds since the endpoint began to refuse every request; 0 while it serves any."""
        return 0.0 if self._refused_since is None else self.clock() - self._refused_since

    @property
    def note(self) -> str:
        """Why requests wait, in a phrase for the progress line; empty if they do not wait."""
        pause = self.pace.seconds
        return self.traffic.note(
            self.clock(), int(self.limit), self.in_flight, self.closed_for, pause
        )

    async def enter(self, *, again: bool = False) -> None:
        """Wait for a place. `again`: a request that was sent before gets a place first."""
        closed_for = self.closed_for
        if self.in_flight < int(self.limit) and not self._waiting and not closed_for:
            self.in_flight += 1
            return
        future = asyncio.get_running_loop().create_future()
        if again:
            self._waiting.appendleft(future)
        else:
            self._waiting.append(future)
        self._open_in(closed_for)
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.leave()
            raise

    def leave(self) -> None:
        """Give the place back."""
        self.in_flight -= 1
        self._admit()

    def next_send(self) -> float:
        """Seconds to wait before sending. If even one request at a time is too many, there is a
        pause between requests.
        """
        return self.pace.take(self.clock())

    def learn(self, place: Permit, outcome: Signal, retry_after: float | None = None) -> None:
        """Take the outcome of a request into account.

        `retry_after`: seconds to wait, if the endpoint states them.
        """
        if outcome is Signal.SERVED:
            self._refused_since = None
        elif outcome is Signal.REFUSED and self._refused_since is None:
            self._refused_since = self.clock()
        if not self._adaptive or outcome is Signal.FAILED:
            return
        if outcome is Signal.SERVED:
            self._on_success()
        elif outcome is Signal.REFUSED or max(place.beside, self.in_flight - 1) > 0:
            self._on_refusal(place.sent, outcome, retry_after)
        if self._trial is not None and place.sent >= self._cut_at:
            self._try(self._trial, outcome)

    def _admit(self) -> None:
        if closed_for := self.closed_for:
            self._open_in(closed_for)
            return
        while self._waiting and self.in_flight < int(self.limit):
            future = self._waiting.popleft()
            if not future.done():
                self.in_flight += 1
                future.set_result(None)

    def _open_in(self, seconds: float) -> None:
        """Admit waiting requests after the rest of the wait that the endpoint stated.

        The caller reads the clock once, for its decision to wait and for this timer. With two
        readings the wait could end between them. Nothing would then wake the waiting requests.
        """
        if self._opening is None and seconds:
            self._opening = asyncio.get_running_loop().call_later(seconds, self._open)

    def _open(self) -> None:
        self._opening = None
        self._admit()

    def _on_success(self) -> None:
        self._recent.append(Signal.SERVED)
        self._owed = max(0, self._owed - 1)
        self._since_step += 1
        self._served_since_cut = True
        if self.pace.seconds:
            self.pace.shrink(self.clock())
            return
        if self.limit >= self.maximum or self.in_flight + 1 < int(self.limit):
            return  # successes below the limit do not show that the endpoint accepts more
        if self._slow_start:
            self._step(1.0)
        elif self.limit + 1 < DECREASE * self._ceiling:
            self._step(1 / self.limit)
        elif not self._owed and self._since_step > 10 * self.limit:
            self._step(1.0)

    def _step(self, more: float) -> None:
        self.limit = min(float(self.maximum), self.limit + more)
        self._since_step = 0

    def _on_refusal(self, sent: float, outcome: Signal, retry_after: float | None) -> None:
        self._recent.append(outcome)
        if sent < self._cut_at or not self._is_overload():
            return
        self._recent.clear()
        self._cut_at = self.clock()
        self.traffic.narrowed(self._cut_at)
        if retry_after:
            self._opens_at = max(self._opens_at, self._cut_at + with_margin(retry_after))
        self._trial = _Trial(self.limit) if (retry_after or 0.0) <= LONG_WAIT else None
        self._cost = min(MOST_COST, 2 * self._cost) if self.limit <= self._ceiling + 1 else COST
        self._ceiling = self.limit
        self._owed = self._cost
        if self.limit <= 1:
            if outcome is Signal.REFUSED and not retry_after:
                self.pace.grow(self._cut_at)
        elif self._slow_start or (outcome is Signal.TIMED_OUT and not self._served_since_cut):
            self.limit = max(1.0, self.limit / 2)
        elif self._since_step <= WINDOW + 10 * self.limit:  # the last increase was too large
            self.limit = max(1.0, float(int(self.limit) - 1))
        else:
            self.limit = max(1.0, DECREASE * self.limit)
        self._slow_start = self._served_since_cut = False

    def _try(self, trial: "_Trial", outcome: Signal) -> None:
        """Observe some outcomes after a cut, and undo the cut if the refusals continue."""
        trial.seen += 1
        trial.refused += outcome is not Signal.SERVED
        if trial.seen < TRIAL:
            return
        self._trial = None
        if trial.refused < STILL:
            self._noise = NOISE
        elif trial.limit > self.limit and not self.pace.seconds:
            self._noise = min(MOST_NOISE, self._noise + 2)
            self.limit, self._ceiling, self._owed = trial.limit, float("inf"), 0

    def _is_overload(self) -> bool:
        """Whether the refusals among the last outcomes are more than noise."""
        timed_out = self._recent.count(Signal.TIMED_OUT)
        refused = self._recent.count(Signal.REFUSED) + timed_out
        return refused >= min(self._noise, self.limit) or timed_out >= min(NOISE_OF_FEW, self.limit)


class _Trial:
    """The outcomes after a cut. `limit`: the limit before the cut."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.seen = self.refused = 0


class Limiter:
    """The limits of one model: its endpoint's window, and the rates that the suite states.

    Args:
        concurrency: most requests of this model in flight.
        window: shared by all models of the endpoint; None makes one for this model alone.
        requests_per_minute, tokens_per_minute: the model's stated limits, if any.
        adaptive, clock: for the window that is made.
        bucket: makes the bucket of "requests" or "tokens" for a number a minute; by default one of
            this process.
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
        bucket: "Callable[[str, float], Bucket] | None" = None,
    ) -> None:
        self.window = window or Window(concurrency, adaptive=adaptive, clock=clock)
        self._own = asyncio.Semaphore(concurrency) if window is not None else None
        make_bucket = bucket or (lambda name, rate: _OwnBucket(rate, self.window.clock))
        self._requests = (
            make_bucket("requests", requests_per_minute) if requests_per_minute else None
        )
        self._tokens = make_bucket("tokens", tokens_per_minute) if tokens_per_minute else None

    @property
    def counts_tokens(self) -> bool:
        """Whether `acquire` needs the number of tokens of a call."""
        return self._tokens is not None

    async def acquire(self, tokens: int = 0, *, again: bool = False) -> Permit:
        """Wait for a permit; give it back with `release`.

        Args:
            tokens: an estimate of the call's tokens; used only with `tokens_per_minute`.
            again: the request was sent before, so it comes before new requests.
        """
        if self._own is not None:
            await self._own.acquire()
        try:
            if self._requests is not None or self._tokens is not None:
                await self._stated(tokens)
            await self._entered(again)
        except BaseException:
            if self._own is not None:
                self._own.release()
            raise
        return Permit(self.window.clock(), self.window.in_flight - 1)

    def release(
        self, place: Permit, outcome: Signal = Signal.SERVED, *, retry_after: float | None = None
    ) -> None:
        """Give the permit back, with the outcome of the request; see `Window.learn`."""
        self.window.learn(place, outcome, retry_after)
        self.window.leave()
        if self._own is not None:
            self._own.release()

    async def _stated(self, tokens: int) -> None:
        """Wait for the stated limits first, so that a place in the window stays free for other
        models.
        """
        wait = await self._requests.take(1) if self._requests is not None else 0.0
        if self._tokens is not None:
            wait = max(wait, await self._tokens.take(tokens))
        if wait > 0:
            await asyncio.sleep(wait)

    async def _entered(self, again: bool) -> None:
        await self.window.enter(again=again)
        wait = self.window.next_send()
        if wait > 0:
            try:
                await asyncio.sleep(wait)
            except asyncio.CancelledError:
                self.window.leave()
                raise


class Bucket(Protocol):
    """Tokens that are refilled at a rate."""

    async def take(self, amount: float) -> float:
        """Take tokens, also into debt. Returns how many seconds to wait for them."""
        ...


class _OwnBucket:
    """A token bucket that allows debt, and returns how long to wait for it."""

    def __init__(self, per_minute: float, clock: Callable[[], float]) -> None:
        self._rate = per_minute / 60
        self._capacity = max(1.0, self._rate)
        self._level = self._capacity
        self._clock = clock
        self._at = clock()

    async def take(self, amount: float) -> float:
        now = self._clock()
        self._level = min(self._capacity, self._level + (now - self._at) * self._rate)
        self._at = now
        self._level -= amount
        return 0.0 if self._level >= 0 else -self._level / self._rate
