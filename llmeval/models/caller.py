"""Asking a model well: cache, one call for identical requests, the endpoint's limit, retries by error class."""

import asyncio
import copy
import hashlib
import random
import time
from collections.abc import Callable

import msgspec
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt

from llmeval.errors import ModelError, Overloaded, Retryable
from llmeval.models.base import Model, Reply, Request
from llmeval.models.cache import NEVER, Cache, Kept
from llmeval.models.hedge import Hedge
from llmeval.models.limiter import Limiter
from llmeval.records import canonical_json, clean_text, utc_time

MAX_ATTEMPTS = 6
MAX_RETRY_AFTER = 60.0
_CHARS_PER_TOKEN = 4
_FIRST_WAIT, _LONGEST_WAIT = 0.25, 20.0


_FINISHED = frozenset({
    "stop", "end_turn", "stop_sequence", "eos", "eos_token", "tool_calls", "tool_use", "function_call", "complete",
    "completed",
})  # fmt: skip
"""Reasons why a model ends a whole reply, as endpoints name them. Any other one (`length`, `content_filter`, `error`,
one that is not known) means that the reply was cut off or blocked."""


class Asked(msgspec.Struct, frozen=True):
    """One answered request."""

    reply: Reply
    key: str
    """The request's digest."""
    attempts: int
    """Calls sent for it by this asker; 0: from the cache, or shared with an identical request."""
    cached: bool
    """No call was made for this request alone."""
    answered_at: str
    """When the reply came, ISO 8601 in UTC."""
    reused_from: str | None = None
    """The id of the run that made the call, where it is another one."""


class AskFailed(ModelError):
    """A request that got no answer in the end. `attempts` were sent; `key` is the request's digest."""

    def __init__(self, error: ModelError, key: str, attempts: int) -> None:
        super().__init__(str(error), kind=error.kind)
        self.key = key
        self.attempts = attempts


class Caller:
    """One model, asked through everything that makes asking safe.

    Args:
        model: who answers.
        limiter: shared by all callers of the same endpoint and model.
        cache: None = neither read nor written.
        since: replies of other runs are good from then on (seconds since 1970). `cache.NEVER`: none of them is.
        may_call: asked before each attempt; False ends the call (a budget is used up).
        redact: takes secrets out of messages.
        hedge: sends late requests a second time; None never does.
    """

    def __init__(
        self,
        model: Model,
        limiter: Limiter,
        cache: Cache | None,
        *,
        since: float = NEVER,
        may_call: Callable[[], bool] = lambda: True,
        redact: Callable[[str], str] = lambda text: text,
        hedge: Hedge | None = None,
    ) -> None:
        self.model = model
        self.limiter = limiter
        self._cache, self._since = cache, since
        self._may_call = may_call
        self._redact = redact
        self._hedge = hedge
        self._identity = hashlib.sha256(canonical_json(model.identity)).digest()
        self._name = str(model.identity.get("model", "model"))
        self._flying: dict[bytes, asyncio.Future[Kept]] = {}

    def uncached(self) -> "Caller":
        """The same model, limits and budget, past the cache: for measuring what a cache would hide."""
        fresh = copy.copy(self)
        fresh._cache, fresh._flying = None, {}
        return fresh

    def key(self, request: Request) -> bytes:
        """sha256 over everything sent, who it is sent to, and which repeat it is."""
        sent = [request.messages, request.params, request.schema, request.repeat, request.case_id]
        if request.questions is not None:
            sent.append(request.questions)
        return hashlib.sha256(self._identity + canonical_json(sent)).digest()

    async def ask(self, request: Request, usable: Callable[[Reply], bool] = lambda reply: True) -> Asked:
        """The reply to one request.

        Args:
            request: what is sent.
            usable: whether a reply can be used. One that can't is given back all the same, but not kept in the cache.

        Raises:
            AskFailed: no answer in the end; how often it was tried, and why it failed, are in it.
        """
        key = self.key(request)
        name = "sha256:" + key.hex()
        if self._cache is not None:
            kept = self._cache.get(key, self._since)
            if kept is not None:
                return self._asked(kept, name, 0)
        flying = self._flying.get(key)
        if flying is not None:
            try:
                return self._asked(await asyncio.shield(flying), name, 0)
            except ModelError as error:
                raise AskFailed(error, name, 0) from None
        return await self._fly(request, key, name, usable)

    async def _fly(self, request: Request, key: bytes, name: str, usable: Callable[[Reply], bool]) -> Asked:
        future: asyncio.Future[Kept] = asyncio.get_running_loop().create_future()
        self._flying[key] = future
        attempts = _Attempts()
        try:
            kept = await self._keep(key, await self._with_retries(request, attempts), usable)
            future.set_result(kept)
        except ModelError as error:
            failed = AskFailed(ModelError(self._redact(str(error)), kind=error.kind), name, attempts.made)
            future.set_exception(failed)
            future.exception()  # retrieved: nobody else may be waiting
            raise failed from None
        finally:
            if not future.done():
                future.cancel()
            del self._flying[key]
        return self._asked(kept, name, attempts.made)

    async def _keep(self, key: bytes, reply: Reply, usable: Callable[[Reply], bool]) -> Kept:
        """Put a whole and usable reply into the cache; what is kept there, or else the reply as it came."""
        if self._cache is None:
            return Kept(reply, int(time.time()), "")
        if not (_is_whole(reply) and usable(reply)):
            return Kept(reply, int(time.time()), self._cache.run)
        return await self._cache.put(key, reply, self._name, self._since)

    def _asked(self, kept: Kept, name: str, attempts: int) -> Asked:
        elsewhere = self._cache is not None and kept.run != self._cache.run
        return Asked(
            kept.reply,
            name,
            attempts,
            cached=not attempts,
            answered_at=utc_time(kept.at),
            reused_from=kept.run if elsewhere else None,
        )

    async def _with_retries(self, request: Request, attempts: "_Attempts") -> Reply:
        """The first attempt goes straight out: tenacity is only entered when it failed, as it costs more than it."""
        try:
            return await self._attempt(request, attempts)
        except Retryable as error:
            first = error
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(Retryable),
            stop=stop_after_attempt(MAX_ATTEMPTS - 1),
            wait=_wait,
            sleep=asyncio.sleep,
            reraise=True,
        )
        await asyncio.sleep(_seconds(first, 1))
        reply: Reply = await retrying(self._attempt, request, attempts)
        return reply

    async def _attempt(self, request: Request, attempts: "_Attempts") -> Reply:
        if self._hedge is None:
            return await self._send(request, attempts)
        return await self._hedge(lambda: self._send(request, attempts))

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
        return msgspec.structs.replace(reply, text=clean_text(reply.text)) if not reply.text.isascii() else reply


def _is_whole(reply: Reply) -> bool:
    """Whether a reply says something, and was neither cut off nor blocked."""
    if reply.finish_reason and reply.finish_reason.lower() not in _FINISHED:
        return False
    return bool(reply.text.strip() or reply.tool_calls)


class _Attempts:
    """How often one request was sent; counted here because a failure must carry it too."""

    made = 0


def _seconds(error: BaseException | None, failures: int) -> float:
    """How long to wait after the `failures`th failure: exponential with jitter, after what the endpoint asked for."""
    wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** (failures - 1)) * random.uniform(1.0, 1.5)
    if isinstance(error, Overloaded) and error.retry_after is not None:
        return min(MAX_RETRY_AFTER, error.retry_after) + wait / 4
    return wait


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    return _seconds(error, state.attempt_number + 1)


def _tokens(request: Request) -> int:
    """About how many tokens a call will use: its text, and the longest answer it allows."""
    sent = sum(len(message.content) for message in request.messages) // _CHARS_PER_TOKEN
    allowed = request.params.get("max_tokens", 0)
    return sent + (allowed if isinstance(allowed, int) else 0)
