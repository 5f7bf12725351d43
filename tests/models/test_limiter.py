"""The limiter against a simulated endpoint: it finds what is allowed, without a storm and without
starving.
"""

import asyncio
import heapq
import random
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import pytest

from llmeval.core.errors import ModelError, Overloaded, Retryable, TimedOut
from llmeval.core.records import Message
from llmeval.models.base import Reply, Request
from llmeval.models.client.caller import AskFailed, Caller
from llmeval.models.client.limiter import START_ON_LOOPBACK, Limiter, Permit, Signal, Window
from llmeval.models.client.pace import Pace


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer: an hour of traffic in a moment, and the
    same each time.
    """

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
    """Allows `concurrent` requests at a time and `rate` a second (0 = no such limit); refuses the
    rest at once.
    """

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
        if (self.concurrent and self.in_flight >= self.concurrent) or (
            self.rate and self.level < 1
        ):
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


async def load(
    server: Server, seconds: float, workers: int = 32, maximum: int = 32, models: int = 1
) -> Limiter:
    """Workers that ask one model after the other, all behind one endpoint, until `seconds` are
    over.
    """
    loop = asyncio.get_running_loop()
    window = Window(maximum, clock=loop.time)
    limiters = [Limiter(maximum, window=window) for _ in range(models)]

    async def asked(limiter: Limiter) -> None:
        served = False
        while not served and loop.time() < seconds:
            sent = await limiter.acquire()
            served = await server.call()
            limiter.release(sent, Signal.SERVED if served else Signal.REFUSED)
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
def test_it_settles_below_a_limit_on_requests_a_second(
    rate: float, latency: float, models: int
) -> None:
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
    # every 50th call is refused and its worker waits a second: 2.5 of 3.5 seconds of work are left,
    # and no less
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


class Simulated:
    """A model whose replies a function of (number of the request, loop's time) decides, after
    `latency` seconds.
    """

    def __init__(
        self, decide: Callable[[int, float], ModelError | None], latency: float = 0.05
    ) -> None:
        self.decide, self.latency, self.calls = decide, latency, 0

    @property
    def identity(self) -> Mapping[str, Any]:
        return {"provider": "test", "model": "simulated"}

    async def answer(self, request: Request) -> Reply:
        self.calls += 1
        error = self.decide(self.calls, asyncio.get_running_loop().time())
        await asyncio.sleep(self.latency)
        if error is not None:
            raise error
        return Reply(text="x")

    async def close(self) -> None:
        pass


class Result:
    """What `asked` came to. `lost`: the errors. `lowest`: the narrowest window. `notes`: what the
    progress line said.
    """

    def __init__(self) -> None:
        self.seconds, self.lowest, self.limit = 0.0, 10**9, 0.0
        self.lost: list[AskFailed] = []
        self.notes: set[str] = set()


def asked(model: Any, n: int, *, workers: int = 32, start: int = 16, **more: Any) -> Result:
    """Ask a model `n` things through a caller, in virtual time."""

    async def run() -> Result:
        loop, result = asyncio.get_running_loop(), Result()
        window = Window(32, start=start, clock=loop.time)
        caller = Caller(model, Limiter(32, window=window), None, **more)
        numbers = iter(range(n))

        async def worker() -> None:
            for number in numbers:
                try:
                    await caller.ask(Request(messages=(Message("user", str(number)),)))
                except AskFailed as error:
                    result.lost.append(error)
                result.lowest = min(result.lowest, int(window.limit))

        async def watch() -> None:
            while True:
                result.notes.add(window.note)
                await asyncio.sleep(1)

        watching = asyncio.create_task(watch())
        await asyncio.gather(*(worker() for _ in range(workers)))
        watching.cancel()
        result.seconds, result.limit = loop.time(), window.limit
        return result

    result: Result = virtually(run)
    return result


class Slow(Simulated):
    """A server whose requests share one core: each needs a second of it, and is given up after
    three.
    """

    def __init__(self) -> None:
        super().__init__(lambda number, now: None)
        self.active: dict[int, float] = {}

    async def answer(self, request: Request) -> Reply:
        self.calls += 1
        me, left = self.calls, 1.0
        self.active[me] = left
        try:
            for _ in range(60):
                await asyncio.sleep(0.05)
                left -= 0.05 / len(self.active)
                if left <= 0:
                    return Reply(text="x")
            raise TimedOut("no answer within 3 s", after=3)
        finally:
            del self.active[me]


@pytest.mark.parametrize("start", [START_ON_LOOPBACK, 16])
def test_time_outs_narrow_the_window_until_a_slow_server_keeps_up(start: int) -> None:
    model = Slow()
    result = asked(model, 40, start=start)
    assert result.lost == []
    assert model.calls <= 40 + 2 * start
    assert 1 <= result.limit <= 3
    assert any(note.endswith("timed out after 3 s: 2 at a time now") for note in result.notes)


def test_a_time_out_of_a_request_alone_teaches_nothing() -> None:
    window = Window(8)
    for _ in range(20):
        window.learn(Permit(window.clock(), beside=0), Signal.TIMED_OUT)
    assert window.limit == 8
    for _ in range(3):
        window.learn(Permit(window.clock(), beside=7), Signal.TIMED_OUT)
    assert window.limit == 4


def faulty(seed: int, **shares: float) -> Callable[[int, float], ModelError | None]:
    chance = random.Random(seed)
    errors = {"overloaded": Overloaded("HTTP 429", retry_after=1.0), "fault": Retryable("HTTP 500")}

    def decide(number: int, now: float) -> ModelError | None:
        drawn = chance.random()
        for name, share in shares.items():
            if drawn < share:
                return errors[name]
            drawn -= share
        return None

    return decide


def test_single_faults_and_a_few_refusals_do_not_narrow_the_window() -> None:
    cuts = 0
    for seed in range(6):
        model = Simulated(faulty(seed, overloaded=0.02, fault=0.06))
        result = asked(model, 4000, start=32)
        assert result.lost == []
        assert model.calls <= 1.12 * 4000
        assert result.limit >= 24
        cuts += result.lowest < 32
    assert cuts <= 1, "five refusals among 32 come by chance once in a while"


def test_a_cut_that_changes_nothing_is_undone() -> None:
    model = Simulated(faulty(1, overloaded=0.08))
    result = asked(model, 6000, workers=64)
    assert result.lowest < 32
    assert result.limit >= 28


class Minute:
    """20 requests by the clock's minute; then 429, with or without saying when the next minute
    begins.
    """

    def __init__(self, *, says: bool) -> None:
        self.says, self.served, self.refused = says, dict[int, int](), 0

    def __call__(self, number: int, now: float) -> ModelError | None:
        minute = int(now // 60)
        if self.served.get(minute, 0) < 20:
            self.served[minute] = self.served.get(minute, 0) + 1
            return None
        self.refused += 1
        return Overloaded(
            "h: HTTP 429: 20 a minute", retry_after=float(int(60 - now % 60)) if self.says else None
        )


def test_nothing_is_sent_until_the_endpoint_said() -> None:
    minute = Minute(says=True)
    result = asked(Simulated(minute, latency=0.01), 60, start=START_ON_LOOPBACK)
    assert result.lost == []
    assert minute.served == {0: 20, 1: 20, 2: 20}
    assert minute.refused <= 40
    assert any(note.startswith("waiting: HTTP 429: 20 a minute, next in ") for note in result.notes)


def test_a_limit_a_minute_that_is_not_said_is_used_up_as_well() -> None:
    minute = Minute(says=False)
    result = asked(Simulated(minute, latency=0.01), 100, attempts=30)
    assert result.lost == []
    assert result.seconds <= 60 * 10, "a pause that shrinks by 1 % a success takes 20 minutes"


def test_a_pause_shrinks_as_fast_as_it_grew() -> None:
    pace = Pace()
    for _ in range(8):
        pace.grow(0.0)
    assert pace.seconds == pytest.approx(6.4)
    for _ in range(7):
        pace.shrink(1.0)
    assert pace.seconds == pytest.approx(0.05)


def test_a_pause_stays_above_what_was_refused_after_a_success() -> None:
    pace = Pace()
    pace.grow(0.0)
    pace.shrink(0.0)
    pace.grow(1.0)
    floor = pace.seconds
    for second in range(50):
        pace.shrink(1.0 + second)
    assert 0.05 < pace.seconds <= floor


def test_an_endpoint_that_refuses_everything_for_ten_minutes_has_no_quota_left() -> None:
    model = Simulated(lambda number, now: Overloaded("h: HTTP 429: nein", retry_after=30.0))
    result = asked(model, 5, attempts=100)
    assert {error.kind for error in result.lost} == {"quota"}
    assert "HTTP 429: nein" in str(result.lost[0])
    assert 600 <= result.seconds <= 900


def test_one_refused_request_says_when_the_next_goes_out() -> None:
    model = Simulated(
        lambda number, now: (
            Overloaded("h: HTTP 429: slow\n\tdown", retry_after=40.0) if number == 1 else None
        )
    )
    result = asked(model, 1)
    assert any(note.startswith("waiting: HTTP 429: slow down, next in ") for note in result.notes)


def test_a_closed_window_opens_for_those_who_wait_and_those_sent_before_go_first() -> None:
    async def run() -> list[str]:
        loop = asyncio.get_running_loop()
        window = Window(2, clock=loop.time)
        order: list[str] = []
        for _ in range(5):
            window.learn(Permit(loop.time(), 1), Signal.REFUSED, retry_after=10.0)
        assert window.closed_for == 11.0

        async def one(name: str, again: bool) -> None:
            await window.enter(again=again)
            order.append(f"{name} at {loop.time():.0f}")
            window.leave()

        await asyncio.gather(one("new", False), one("old", True))
        return order

    assert virtually(run) == ["old at 11", "new at 11"]


@pytest.mark.parametrize(("attempts", "calls"), [(1, 1), (2, 2), (6, 6)])
def test_most_attempts(attempts: int, calls: int) -> None:
    model = Simulated(lambda number, now: Retryable("HTTP 500"))
    result = asked(model, 1, attempts=attempts)
    assert (model.calls, result.lost[0].attempts) == (calls, calls)


def test_an_error_may_ask_for_fewer_attempts() -> None:
    class Unreadable(Retryable):
        most_attempts = 2

    model = Simulated(lambda number, now: Unreadable("no JSON"))
    assert asked(model, 1).lost[0].attempts == model.calls == 2


@pytest.mark.parametrize("latency", [0.05, 7.0])
def test_a_deadline_counts_attempts_and_waits(latency: float) -> None:
    model = Simulated(lambda number, now: Overloaded("HTTP 429: busy", retry_after=4.0), latency)
    result = asked(model, 1, attempts=50, deadline=10.0)
    assert result.seconds == pytest.approx(10.0)
    assert result.lost[0].kind == "provider"
    assert "`limits.deadline` of 10 s" in str(result.lost[0])
    assert "HTTP 429: busy" in str(result.lost[0])


@pytest.mark.parametrize("readings", [1, 2, 3])
def test_a_wait_that_ends_between_two_readings_of_the_clock_wakes_the_requests(
    readings: int,
) -> None:
    """The stated wait ends while a request is about to wait for it, or while its timer runs."""
    times = iter([0.0, *[0.0099999] * readings])

    async def enter() -> None:
        window = Window(2, clock=lambda: next(times, 0.02))
        window._opens_at = 0.01
        next(times)
        await asyncio.wait_for(window.enter(), 5)
        assert window.in_flight == 1

    asyncio.run(enter())
