"""Asking a model well: cache, one call for identical requests, the endpoint's limit, retries by error class."""

import asyncio
import copy
import hashlib
import random
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

from llmeval.errors import ModelError, Overloaded, Retryable
from llmeval.models.base import Model, NoAnswer, Reply, Request
from llmeval.models.cache import Cache
from llmeval.models.limiter import Limiter
from llmeval.models.reasoning import THINK, Tags
from llmeval.models.replies import usable
from llmeval.records import canonical_json

MAX_ATTEMPTS = 6
MAX_RETRY_AFTER = 60.0
_CHARS_PER_TOKEN = 4
_FIRST_WAIT, _LONGEST_WAIT = 0.25, 20.0


class Asked(msgspec.Struct, frozen=True):
    """One answered request. `attempts`: calls sent for it by this asker (0: cache, or shared with an identical one)."""

    reply: Reply
    key: str
    attempts: int
    cached: bool


class AskFailed(ModelError):
    """A request that got no answer in the end. `attempts` were sent; `key` is the request's digest; `reply` is what came
    instead of an answer, where something did."""

    def __init__(self, error: ModelError, key: str, attempts: int, message: str | None = None) -> None:
        super().__init__(str(error) if message is None else message, kind=error.kind)
        self.key = key
        self.attempts = attempts
        self.reply: Reply | None = error.reply if isinstance(error, NoAnswer | AskFailed) else None


class Caller:
    """One model, asked through everything that makes asking safe.

    Args:
        model: who answers.
        limiter: shared by all callers of the same endpoint and model.
        cache: None = neither read nor written.
        may_call: asked before each attempt; False ends the call (a budget is used up).
        redact: takes secrets out of messages.
        reasoning: tags around the reasoning in the model's texts; None leaves the texts as they are.
    """

    def __init__(
        self,
        model: Model,
        limiter: Limiter,
        cache: Cache | None,
        *,
        may_call: Callable[[], bool] = lambda: True,
        redact: Callable[[str], str] = lambda text: text,
        reasoning: Tags | None = None,
    ) -> None:
        self.model = model
        self.limiter = limiter
        self._cache = cache
        self._may_call = may_call
        self._redact = redact
        self._reasoning = reasoning
        self._params: Mapping[str, Any] = model.identity.get("params") or {}
        self._identity = hashlib.sha256(canonical_json(model.identity)).digest()
        self._name = str(model.identity.get("model", "model"))
        self._flying: dict[bytes, asyncio.Future[Reply]] = {}

    def uncached(self) -> "Caller":
        """The same model, limits and budget, past the cache: for measuring what a cache would hide."""
        fresh = copy.copy(self)
        fresh._cache, fresh._flying = None, {}
        return fresh

    def key(self, request: Request) -> bytes:
        """sha256 over everything sent, who it is sent to, and which repeat it is."""
        sent: list[Any] = [request.messages, request.params, request.schema, request.repeat, request.case_id]
        if request.questions is not None:
            sent.append(request.questions)
        if self._reasoning not in (None, THINK):
            sent.append(self._reasoning)  # replies are kept with the reasoning taken off
        return hashlib.sha256(self._identity + canonical_json(sent)).digest()

    async def ask(self, request: Request) -> Asked:
        """The reply to one request.

        Raises:
            AskFailed: no answer in the end; how often it was tried, and why it failed, are in it.
        """
        key = self.key(request)
        name = "sha256:" + key.hex()
        if self._cache is not None:
            found = self._cache.get(key)
            if found is not None:
                return Asked(found, name, 0, True)
        flying = self._flying.get(key)
        if flying is not None:
            try:
                return Asked(await asyncio.shield(flying), name, 0, True)
            except ModelError as error:
                raise AskFailed(error, name, 0) from None
        return await self._fly(request, key, name)

    async def _fly(self, request: Request, key: bytes, name: str) -> Asked:
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._flying[key] = future
        attempts = _Attempts()
        try:
            reply = await self._with_retries(request, attempts)
            if self._cache is not None:
                reply = await self._cache.put(key, reply, self._name)
            future.set_result(reply)
        except ModelError as error:
            failed = AskFailed(error, name, attempts.made, self._redact(str(error)))
            future.set_exception(failed)
            future.exception()  # retrieved: nobody else may be waiting
            raise failed from None
        finally:
            if not future.done():
                future.cancel()
            del self._flying[key]
        return Asked(reply, name, attempts.made, False)

    async def _with_retries(self, request: Request, attempts: "_Attempts") -> Reply:
        """The first attempt goes straight out: tenacity is only entered when it failed, as it costs more than it."""
        try:
            return await self._send(request, attempts)
        except Retryable as error:
            if error.most_attempts == 1:
                raise
            first = error
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(Retryable),
            stop=_enough,
            wait=_wait,
            sleep=asyncio.sleep,
            reraise=True,
        )
        await asyncio.sleep(_seconds(first, 1))
        reply: Reply = await retrying(self._send, request, attempts)
        return reply

    async def _send(self, request: Request, attempts: "_Attempts") -> Reply:
        sent = await self.limiter.acquire(_tokens(request))
        if not self._may_call():
            self.limiter.release(sent, failed=True)
            raise ModelError("not asked: the budget of this run is used up", kind="budget")
        attempts.made += 1
        refused, failed = False, True
        try:
            reply = await self.model.answer(request)
            failed = False
        except Overloaded:
            refused = True
            raise
        finally:
            self.limiter.release(sent, refused=refused, failed=failed)
        return usable(reply, {**self._params, **request.params}, self._reasoning)


class _Attempts:
    """How often one request was sent; counted here because a failure must carry it too."""

    made = 0


def _seconds(error: BaseException | None, failures: int) -> float:
    """How long to wait after the `failures`th failure: exponential with jitter, after what the endpoint asked for."""
    wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** (failures - 1)) * random.uniform(1.0, 1.5)
    if isinstance(error, Overloaded) and error.retry_after is not None:
        return min(MAX_RETRY_AFTER, error.retry_after) + wait / 4
    return wait


def _enough(state: RetryCallState) -> bool:
    """Whether a request was sent as often as its last failure is worth; the first attempt is not in tenacity's count."""
    error = state.outcome.exception() if state.outcome is not None else None
    most = getattr(error, "most_attempts", None) or MAX_ATTEMPTS
    return state.attempt_number + 1 >= min(most, MAX_ATTEMPTS)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    return _seconds(error, state.attempt_number + 1)


def _tokens(request: Request) -> int:
    """About how many tokens a call will use: its text, and the longest answer it allows."""
    sent = sum(len(message.content) for message in request.messages) // _CHARS_PER_TOKEN
    allowed = request.params.get("max_tokens", 0)
    return sent + (allowed if isinstance(allowed, int) else 0)
