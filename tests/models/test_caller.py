"""Asking: retries by class, one call for equal requests, the cache and its keys, budgets,
secrets.
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from llmeval.core.errors import ModelError, Overloaded, Retryable, Unreadable
from llmeval.core.records import Message
from llmeval.models.base import Reply, Request
from llmeval.models.client.cache import ALWAYS, NEVER, Cache, CachedReply
from llmeval.models.client.caller import AskFailed, Caller, CallResult
from llmeval.models.client.limiter import Limiter
from llmeval.models.reasoning import THINK
from llmeval.runner.slots import Slots
from tests.support.waits import stated_wait


class Scripted:
    """A model that raises or says what the script lists, then repeats its last line."""

    def __init__(self, *script: str | Reply | Exception, name: str = "m") -> None:
        self.script, self.name, self.calls = list(script), name, 0
        self.gate: asyncio.Event | None = None

    @property
    def identity(self) -> Mapping[str, Any]:
        return {"provider": "test", "model": self.name}

    async def answer(self, request: Request) -> Reply:
        self.calls += 1
        if self.gate is not None:
            await self.gate.wait()
        step = self.script[min(self.calls, len(self.script)) - 1]
        if isinstance(step, Exception):
            raise step
        return step if isinstance(step, Reply) else Reply(text=step)

    async def close(self) -> None:
        pass


def request(text: str = "x", **more: Any) -> Request:
    return Request(messages=(Message("user", text),), **more)


def caller(model: Scripted, cache: Cache | None = None, **more: Any) -> Caller:
    return Caller(model, Limiter(8), cache, **more)


def test_retryable_failures_are_tried_again() -> None:
    model = Scripted(Retryable("once"), Overloaded("twice", retry_after=0.01), "fine")
    asked = asyncio.run(caller(model).ask(request()))
    assert (asked.reply.text, asked.attempts, asked.cached) == ("fine", 3, False)


def test_other_failures_are_not() -> None:
    model = Scripted(ModelError("HTTP 400"))
    with pytest.raises(AskFailed, match="HTTP 400") as caught:
        asyncio.run(caller(model).ask(request()))
    assert (model.calls, caught.value.attempts, caught.value.kind) == (1, 1, "provider")


def test_the_last_failure_is_told_with_its_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmeval.models.client.sender._backoff", lambda failures: 0.0)
    model = Scripted(Retryable("down"))
    with pytest.raises(AskFailed, match="down") as caught:
        asyncio.run(caller(model).ask(request()))
    assert caught.value.attempts == model.calls == 6


def test_equal_requests_in_flight_are_one_call() -> None:
    async def run() -> tuple[int, list[CallResult]]:
        model = Scripted("same")
        model.gate = asyncio.Event()
        one = caller(model)
        tasks = [asyncio.create_task(one.ask(request())) for _ in range(10)]
        other = asyncio.create_task(one.ask(request("y")))
        await asyncio.sleep(0.01)
        model.gate.set()
        return model.calls, [*await asyncio.gather(*tasks), await other]

    calls, asked = asyncio.run(run())
    assert calls == 2
    assert sum(item.attempts for item in asked) == 2
    assert sum(item.cached for item in asked) == 9


def test_all_who_wait_for_a_failed_call_are_told() -> None:
    async def run() -> list[Any]:
        model = Scripted(ModelError("no"))
        model.gate = asyncio.Event()
        one = caller(model)
        tasks = [asyncio.create_task(one.ask(request())) for _ in range(3)]
        await asyncio.sleep(0.01)
        model.gate.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    results = asyncio.run(run())
    assert [type(item) for item in results] == [AskFailed] * 3
    assert sum(item.attempts for item in results) == 1


def test_a_cancelled_leader_does_not_hang_its_followers() -> None:
    async def run() -> list[Any]:
        model = Scripted("x")
        model.gate = asyncio.Event()
        one = caller(model)
        leader = asyncio.create_task(one.ask(request()))
        await asyncio.sleep(0.01)
        follower = asyncio.create_task(one.ask(request()))
        await asyncio.sleep(0.01)
        leader.cancel()
        return await asyncio.wait_for(asyncio.gather(leader, follower, return_exceptions=True), 2)

    results = asyncio.run(run())
    assert all(isinstance(item, asyncio.CancelledError) for item in results)


def ask_in_a_run(
    home: Path,
    model: Scripted,
    run: str,
    since: float,
    usable: Callable[[Reply], bool] = lambda reply: True,
) -> CallResult:
    async def ask() -> CallResult:
        cache = Cache(home)
        cache.run = run
        try:
            return await caller(model, cache, since=since).ask(request(), usable)
        finally:
            cache.close()

    return asyncio.run(ask())


def test_the_cache_answers_the_second_run(tmp_path: Path) -> None:
    model = Scripted("kept \ud800 é")
    first, second = (ask_in_a_run(tmp_path, model, run, ALWAYS) for run in ("a", "b"))
    assert (first.cached, second.cached, model.calls) == (False, True, 1)
    assert first.reply.text == second.reply.text == "kept \ufffd é"
    assert (second.attempts, second.key, second.answered_at) == (0, first.key, first.answered_at)
    assert (first.reused_from, second.reused_from) == (None, "a")


def test_a_run_reads_its_own_replies_and_no_others_where_it_may_not(tmp_path: Path) -> None:
    model = Scripted("one", "two", "three")
    asked = [ask_in_a_run(tmp_path, model, run, NEVER) for run in ("a", "a", "b", "b", "a")]
    assert [each.reply.text for each in asked] == ["one", "one", "two", "two", "three"]
    assert [each.cached for each in asked] == [False, True, False, True, False]
    assert not any(each.reused_from for each in asked)


def cut(reason: str, text: str = "some", **more: Any) -> Reply:
    return Reply(text=text, finish_reason=reason, **more)


@pytest.mark.parametrize(
    ("reply", "kept"),
    [
        (cut("stop"), True),
        (cut("STOP"), True),
        (cut("end_turn"), True),
        (cut("eos_token"), True),
        (cut("tool_calls", "", tool_calls=({"name": "f"},)), True),
        (Reply(text="no reason"), True),
        (cut(""), True),
        (cut("length"), False),
        (cut("MAX_TOKENS"), False),
        (cut("content_filter"), False),
        (cut("error"), False),
        (cut("abort"), False),
        (cut("stop", ""), False),
        (cut("stop", " \n"), False),
        (Reply(text=""), False),
    ],
)
def test_which_replies_are_kept(tmp_path: Path, reply: Reply, kept: bool) -> None:
    model = Scripted(reply)
    asked = [ask_in_a_run(tmp_path, model, run, ALWAYS) for run in ("a", "b")]
    assert [each.reply for each in asked] == [reply, reply]
    assert model.calls == (1 if kept else 2)


def test_a_reply_that_its_asker_can_not_use_is_not_kept(tmp_path: Path) -> None:
    model = Scripted("no verdict", "a verdict", "another")
    asked = [
        ask_in_a_run(tmp_path, model, run, ALWAYS, lambda reply: reply.text != "no verdict")
        for run in "abc"
    ]
    assert [each.reply.text for each in asked] == ["no verdict", "a verdict", "a verdict"]


def test_failures_are_not_cached(tmp_path: Path) -> None:
    async def run() -> None:
        cache = Cache(tmp_path)
        with pytest.raises(AskFailed):
            await caller(model, cache).ask(request())
        cache.close()

    model = Scripted(ModelError("no"))
    asyncio.run(run())
    asyncio.run(run())
    assert model.calls == 2


DIFFERENT = [
    request("y"),
    request(params={"temperature": 1}),
    request(repeat=1),
    request(schema={"type": "object"}),
    Request(messages=(Message("system", "x"),)),
    Request(messages=(Message("user", "x"), Message("user", ""))),
    request(case_id="a"),
]


@pytest.mark.parametrize("other", DIFFERENT)
def test_the_key_covers_everything_sent(other: Request) -> None:
    one = caller(Scripted("x"))
    assert one.key(request()) != one.key(other)
    assert one.key(request()) == one.key(request())


def test_the_key_covers_who_is_asked() -> None:
    assert caller(Scripted("x")).key(request()) != caller(Scripted("x", name="n")).key(request())


def test_a_used_up_budget_sends_nothing() -> None:
    model = Scripted("x")
    with pytest.raises(AskFailed, match="budget") as caught:
        asyncio.run(caller(model, may_call=lambda: False).ask(request()))
    assert (model.calls, caught.value.kind) == (0, "budget")


def test_secrets_do_not_come_out_in_messages() -> None:
    model = Scripted(ModelError("HTTP 401: wrong key sk-secret"))
    redact = lambda text: text.replace("sk-secret", "***")  # noqa: E731
    with pytest.raises(AskFailed, match=r"wrong key \*\*\*"):
        asyncio.run(caller(model, redact=redact).ask(request()))


async def no_rest(seconds: float) -> None:
    """Go on at once."""


def test_a_reply_that_can_not_be_read_is_asked_for_once_more() -> None:
    model = Scripted(Unreadable("no JSON"))
    with pytest.raises(AskFailed, match="no JSON"):
        asyncio.run(caller(model, rest=no_rest).ask(request()))
    assert model.calls == 2
    mixed = Scripted(Retryable("down"), Unreadable("no JSON"), Unreadable("no JSON"))
    with pytest.raises(AskFailed, match="no JSON"):
        asyncio.run(caller(mixed, rest=no_rest).ask(request()))
    assert mixed.calls == 3, "a server that was down does not use up the second attempt"


def test_reasoning_is_taken_off_before_a_reply_is_kept(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    model = Scripted("<think>hm</think>Rome")
    try:
        for tags, text in (
            (THINK, "Rome"),
            (None, "<think>hm</think>Rome"),
            (("[r]", "[/r]"), "<think>hm</think>Rome"),
        ):
            asked = asyncio.run(caller(model, cache, reasoning=tags).ask(request(text)))
            assert asked.reply.text == text
        own, other = caller(model, reasoning=("[r]", "[/r]")), caller(model, reasoning=THINK)
        assert own.key(request()) != other.key(request())
    finally:
        cache.close()


@pytest.mark.parametrize(
    ("failures", "least", "most"),
    [(1, 0.1, 0.15), (2, 0.5, 0.75), (3, 1.0, 1.5), (5, 4.0, 6.0), (9, 20.0, 30.0)],
)
def test_the_wait_grows_with_the_failures(failures: int, least: float, most: float) -> None:
    waits = {stated_wait(failures) for _ in range(20)}
    assert least <= min(waits) < max(waits) <= most


class Counted(Scripted):
    """Counts the calls in flight."""

    in_flight = most = 0

    async def answer(self, request: Request) -> Reply:
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        await asyncio.sleep(0.005)
        self.in_flight -= 1
        return await super().answer(request)


class Slow(Cache):
    """A store whose exchanges wait until `go` is set, as one on a server may."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.go, self.waits = asyncio.Event(), 0

    async def claim(self, key: bytes, since: float = NEVER) -> CachedReply | None:
        self.waits += 1
        await self.go.wait()
        return await super().claim(key, since)


@pytest.mark.parametrize("remote", [True, False])
def test_a_call_lends_its_slot_while_it_waits_for_its_claim_on_a_server(
    tmp_path: Path, remote: bool
) -> None:
    async def in_one_slot() -> int:
        store, slots, model = Slow(tmp_path), Slots(1), Counted("a")
        store.is_remote = remote
        asks = caller(model, store, lend=slots.lent)

        async def case(text: str) -> None:
            await slots.take()
            try:
                await asks.ask(request(text))
            finally:
                slots.give()

        tasks = [asyncio.create_task(case(text)) for text in "xyz"]
        await asyncio.sleep(0.01)
        waits = store.waits
        store.go.set()
        await asyncio.gather(*tasks)
        assert (model.calls, model.most) == (3, 1), "a call waits for a slot after its claim"
        await asyncio.wait_for(slots.take(), 1)  # no slot is lost
        store.close()
        return waits

    assert asyncio.run(in_one_slot()) == (3 if remote else 1)
