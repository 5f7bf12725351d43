"""Asking a model well: cache, one call for identical requests, the endpoint's limit, retries by error class."""

import asyncio
import copy
import hashlib
from collections.abc import Awaitable, Callable

import msgspec

from llmeval.errors import ModelError
from llmeval.models.base import Model, Reply, Request
from llmeval.models.cache import Cache
from llmeval.models.limiter import Limiter
from llmeval.models.sender import ATTEMPTS, Attempts, Sender
from llmeval.records import canonical_json


class Asked(msgspec.Struct, frozen=True):
    """One answered request. `attempts`: calls sent for it by this asker (0: cache, or shared with an identical one)."""

    reply: Reply
    key: str
    attempts: int
    cached: bool


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
        may_call: asked before each attempt; False ends the call (a budget is used up).
        redact: takes secrets out of messages.
        attempts, deadline: most attempts for one request, and seconds for all of them; see `sender.Sender`.
        rest: waits before another attempt.
    """

    def __init__(
        self,
        model: Model,
        limiter: Limiter,
        cache: Cache | None,
        *,
        may_call: Callable[[], bool] = lambda: True,
        redact: Callable[[str], str] = lambda text: text,
        attempts: int = ATTEMPTS,
        deadline: float | None = None,
        rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.model = model
        self.limiter = limiter
        self._cache = cache
        self._redact = redact
        self.sender = Sender(
            model, limiter, may_call=may_call, attempts=attempts, deadline=deadline, redact=redact, rest=rest
        )
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
        sent = [request.messages, request.params, request.schema, request.repeat, request.case_id]
        if request.questions is not None:
            sent.append(request.questions)
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
        attempts = Attempts()
        try:
            reply = await self.sender.send(request, attempts)
            if self._cache is not None:
                reply = await self._cache.put(key, reply, self._name)
            future.set_result(reply)
        except ModelError as error:
            failed = AskFailed(ModelError(self._redact(str(error)), kind=error.kind), name, attempts.made)
            future.set_exception(failed)
            future.exception()  # retrieved: nobody else may be waiting
            raise failed from None
        finally:
            if not future.done():
                future.cancel()
            del self._flying[key]
        return Asked(reply, name, attempts.made, False)
