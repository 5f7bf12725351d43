"""The limiter against a simulated endpoint: it finds what is allowed, without a storm and without starving."""

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from llmeval.models.limiter import Limiter, Outcome, Window


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer: an hour of traffic in a moment, and the same each time."""

    def __init__(self) -> None:
        super().__init__()
        self._virtual = 0.0

    def time(self) -> float:
        return self._virtual

    def _run_once(self) -> None:
        scheduled = self._scheduled  # type: ignore[attr-defined]
        while scheduled and scheduled[0]._cancelled:
            heapq.heappop(scheduled)._scheduled = False
        if not self._ready and scheduled:  # type: ignore[attr-defined]
            self._virtual = max(self._virtual, scheduled[0]._when)
        super()._run_once()  # type: ignore[misc]


def virtually(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work())


class Server:
    """Allows `concurrent` requests at a time and `rate` a second (0 = no such limit); refuses the rest at once."""

    def __init__(self, latency: float, concurrent: int = 0, rate: float = 0.0) -> None:
        self.latency, self.concurrent, self.rate = latency, concurrent, rate
        self.in_flight = self.most = 0
        self.level, self.at = rate, 0.0
        self.served: list[float] = []
        self.refused: list[float] = []

    async def call(self) -> bool:
        now = asyncio.get_running_loop().time()
        self.level = min(self.rate, self.level + (now - self.at) * self.rate)
        self.at = now
        if (self.concurrent and self.in_flight >= self.concurrent) or (self.rate and self.level < 1):
            self.refused.append(now)
            await asyncio.sleep(0.001)
            return False
        self.level -= 1
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        await asyncio.sleep(self.latency)
        self.in_flight -= 1
        self.served.append(asyncio.get_running_loop().time())
        return True


async def load(server: Server, seconds: float, workers: int = 32, maximum: int = 32, models: int = 1) -> Limiter:
    """Workers that ask one model after the other, all behind one endpoint, until `seconds` are over."""
    loop = asyncio.get_running_loop()
    window = Window(maximum, clock=loop.time)
    limiters = [Limiter(maximum, window=window) for _ in range(models)]

    async def asked(limiter: Limiter) -> None:
        served = False
        while not served and loop.time() < seconds:
            sent = await limiter.acquire()
            served = await server.call()
            limiter.release(sent, Outcome.SERVED if served else Outcome.REFUSED)
            if not served:
                await asyncio.sleep(1.0)

    async def worker() -> None:
        while loop.time() < seconds:
            for limiter in limiters:
                await asked(limiter)

    await asyncio.gather(*(worker() for _ in range(workers)))
    return limiters[0]


def after(times: list[float], second: float) -> int:
    return sum(time >= second for time in times)


def test_it_reaches_what_was_asked_for_when_nothing_refuses() -> None:
    server = Server(0.05)
    limiter = virtually(lambda: load(server, 5))
    assert limiter.window.limit == 32
    assert server.most == 32
    assert len(server.served) >= 0.95 * 5 / 0.05 * 32


@pytest.mark.parametrize("models", [1, 2])
@pytest.mark.parametrize("allowed", [2, 4, 8, 20])
def test_it_settles_below_a_limit_on_requests_in_flight(allowed: int, models: int) -> None:
    server = Server(0.05, concurrent=allowed)
    virtually(lambda: load(server, 35, models=models))
    refused, served = after(server.refused, 5), after(server.served, 5)
    assert refused <= 0.02 * (refused + served)
    assert served >= 0.9 * 30 / 0.05 * allowed


@pytest.mark.parametrize("models", [1, 2])
@pytest.mark.parametrize(("rate", "latency"), [(100, 0.05), (100, 0.4), (20, 0.005)])
def test_it_settles_below_a_limit_on_requests_a_second(rate: float, latency: float, models: int) -> None:
    server = Server(latency, rate=rate)
    virtually(lambda: load(server, 35, workers=64, maximum=64, models=models))
    refused, served = after(server.refused, 5), after(server.served, 5)
    assert refused <= 0.02 * (refused + served)
    assert served >= 0.9 * 30 * rate


def test_more_is_taken_when_the_server_allows_more() -> None:
    async def run() -> Limiter:
        async def grow() -> None:
            await asyncio.sleep(20)
            server.concurrent = 24

        growing = asyncio.create_task(grow())
        limiter = await load(server, 60)
        await growing
        return limiter

    server = Server(0.05, concurrent=8)
    assert virtually(run).window.limit >= 20
    assert after(server.served, 50) >= 0.8 * 10 / 0.05 * 24


def test_a_model_keeps_its_own_limit_within_the_window() -> None:
    async def run() -> int:
        window = Window(32)
        limiter, most = Limiter(3, window=window), 0

        async def call() -> None:
            nonlocal most
            sent = await limiter.acquire()
            most = max(most, window.in_flight)
            await asyncio.sleep(0.01)
            limiter.release(sent)

        await asyncio.gather(*(call() for _ in range(20)))
        return most

    assert virtually(run) == 3


def test_rare_refusals_are_noise() -> None:
    class Noisy(Server):
        async def call(self) -> bool:
            self.asked = getattr(self, "asked", 0) + 1
            if self.asked % 50 == 0:
                return False
            return await super().call()

    server = Noisy(0.05)
    virtually(lambda: load(server, 10))
    # every 50th call is refused and its worker waits a second: 2.5 of 3.5 seconds of work are left, and no less
    assert len(server.served) >= 0.95 * 10 / 0.05 * 32 * 2.5 / 3.5


def test_stated_limits_are_kept() -> None:
    async def run(**limits: float) -> int:
        loop = asyncio.get_running_loop()
        limiter = Limiter(32, clock=loop.time, **limits)  # type: ignore[arg-type]
        sent: list[float] = []

        async def worker() -> None:
            while loop.time() < 60:
                at = await limiter.acquire(100)
                sent.append(loop.time())
                await asyncio.sleep(0.01)
                limiter.release(at)

        await asyncio.gather(*(worker() for _ in range(32)))
        return sum(time <= 60 for time in sent)

    assert 110 <= virtually(lambda: run(requests_per_minute=120)) <= 123
    assert 110 <= virtually(lambda: run(tokens_per_minute=12_000)) <= 123


def test_a_cancelled_wait_gives_its_place_back() -> None:
    async def run() -> int:
        limiter = Limiter(1)
        first = await limiter.acquire()
        waiting = asyncio.create_task(limiter.acquire())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        limiter.release(first)
        await asyncio.wait_for(limiter.acquire(), 1)
        return limiter.window.in_flight

    assert asyncio.run(run()) == 1
