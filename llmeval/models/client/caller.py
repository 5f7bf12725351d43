"""Calls to a model, with the cache, one call for identical requests, the endpoint's limits, and
retries.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import lru_cache

import msgspec

from llmeval.core.errors import ModelError
from llmeval.core.records import canonical_json, utc_time
from llmeval.core.redaction import has_secret, redact, redact_value
from llmeval.models.base import Model, NoAnswer, Reply, Request
from llmeval.models.client.cache import NEVER, CachedReply
from llmeval.models.client.limiter import Limiter
from llmeval.models.client.reply_store import ReplyStore
from llmeval.models.client.sender import ATTEMPTS, RequestAttempts, Sender
from llmeval.models.endings import is_finished
from llmeval.models.reasoning import THINK, Tags


class CallResult(msgspec.Struct, frozen=True):
    """One answered request."""

    reply: Reply
    key: str
    """The request's digest."""
    attempts: int
    """Calls sent for this request; 0: from the cache, or shared with an identical request."""
    cached: bool
    """No call was made for this request alone."""
    answered_at: str
    """When the reply came, ISO 8601 in UTC."""
    reused_from: str | None = None
    """The id of the run that made the call, if it is another run."""


class AskFailed(ModelError):
    """A request without an answer after all attempts.

    `attempts`: calls sent. `key`: the request's digest. `reply`: what the endpoint sent instead of
    an answer, or None. `cause`: the model's own error.
    """

    def __init__(
        self, error: ModelError, key: str, attempts: int, message: str | None = None
    ) -> None:
        super().__init__(str(error) if message is None else message, kind=error.kind)
        self.key = key
        self.attempts = attempts
        self.cause = error
        self.reply: Reply | None = error.reply if isinstance(error, NoAnswer | AskFailed) else None


class Caller:
    """One model behind a cache, a limiter and retries.

    Args:
        model: gives the replies.
        limiter: shared by all callers of the same endpoint and model.
        cache: None: no cache.
        since: the oldest time (seconds since 1970) of replies of other runs that are used.
            `cache.NEVER`: none of them is used.
        may_call: called before each attempt; False ends the call (a budget is used up).
        redact: takes secrets out of messages.
        attempts, deadline: most attempts for one request, and seconds for all of them; see
            `sender.Sender`.
        rest: waits before another attempt.
        lend: entered while the call waits for its claim in a store on a server, so that another one
            can go on.
        reasoning: tags around the reasoning in the model's texts; None leaves the texts unchanged.
        sender: sends the requests, instead of a new one made from the arguments above.
    """

    def __init__(
        self,
        model: Model,
        limiter: Limiter,
        cache: ReplyStore | None,
        *,
        since: float = NEVER,
        may_call: Callable[[], bool] = lambda: True,
        redact: Callable[[str], str] = lambda text: text,
        attempts: int = ATTEMPTS,
        deadline: float | None = None,
        rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
        lend: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
        reasoning: Tags | None = None,
        sender: Sender | None = None,
    ) -> None:
        self.model = model
        self.limiter = limiter
        self._cache, self._since = cache, since
        self._redact = redact
        self._lend = lend if cache is not None and cache.is_remote else nullcontext
        self.sender = sender or Sender(
            model,
            limiter,
            may_call=may_call,
            attempts=attempts,
            deadline=deadline,
            redact=redact,
            rest=rest,
            reasoning=reasoning,
        )
        self._reasoning = reasoning
        self._identity = hashlib.sha256(canonical_json(model.identity)).digest()
        self._name = redact(str(model.identity.get("model", "model")))
        self._flying: dict[bytes, asyncio.Future[CachedReply]] = {}

    def uncached(self) -> "Caller":
        """The same model, limits and budget without the cache, to measure differences that a cache
        would hide.
        """
        return Caller(
            self.model,
            self.limiter,
            None,
            redact=self._redact,
            reasoning=self._reasoning,
            sender=self.sender,
        )

    def key(self, request: Request) -> bytes:
        """sha256 over the request, the model's identity and the number of the repeat."""
        sent: list[object] = [
            request.messages,
            request.params,
            request.schema,
            request.repeat,
            request.case_id,
        ]
        if request.questions is not None:
            sent.append(request.questions)
        if request.fields:
            sent.append({"fields": request.fields})
        if request.session is not None:
            sent.append({"session": request.session.id, "turn": request.turn})
        if self._reasoning not in (None, THINK):
            sent.append(
                self._reasoning
            )  # the cache holds replies after their reasoning was removed from the text
        return hashlib.sha256(self._identity + canonical_json(sent)).digest()

    async def ask(
        self, request: Request, usable: Callable[[Reply], bool] = lambda reply: True
    ) -> CallResult:
        """The reply to one request.

        Args:
            request: what is sent.
            usable: whether a reply can be used. One that can't be used is still returned, but not
                stored in the cache.

        Raises:
            AskFailed: no answer after all attempts; it holds their number and the reason.
        """
        key = self.key(request)
        name = "sha256:" + key.hex()
        if request.session is None and (cached := self.stored(key)) is not None:
            return cached
        flying = self._flying.get(key)
        if flying is not None:
            try:
                return self._result(await asyncio.shield(flying), name, 0)
            except ModelError as error:
                raise AskFailed(error, name, 0) from None
        return await self._fly(request, key, name, usable)

    def conversation_key(self, first: Request, script: object) -> bytes:
        """sha256 over what precedes a conversation, and over everything that decides how it goes
        on.
        """
        whole = canonical_json(["conversation", script])
        return hashlib.sha256(self.key(first) + whole).digest()

    def stored(self, key: bytes) -> CallResult | None:
        """The reply that the cache has under a key: of a request, or of a whole conversation. A
        store on a server gives none here; see `shared`.
        """
        kept = None if self._cache is None else self._cache.get(key, self._since)
        return None if kept is None else self._result(kept, "sha256:" + key.hex(), 0)

    async def shared(self, key: bytes) -> CallResult | None:
        """As `stored`, and also from a store on a server."""
        kept = None if self._cache is None else await self._cache.read(key, self._since)
        return None if kept is None else self._result(kept, "sha256:" + key.hex(), 0)

    async def store(self, key: bytes, reply: Reply, attempts: int, *, whole: bool) -> CallResult:
        """The result of a conversation, after it was put into the cache.

        Args:
            key: of the conversation. reply: with its turns. attempts: calls sent.
            whole: whether all its replies are whole; else it is not cached.
        """
        if self._cache is None or not whole:
            kept = CachedReply(
                reply, int(time.time()), "" if self._cache is None else self._cache.run
            )
        else:
            kept = await self._cache.put(key, reply, self._name, self._since)
        return self._result(kept, "sha256:" + key.hex(), attempts)

    async def _fly(
        self, request: Request, key: bytes, name: str, usable: Callable[[Reply], bool]
    ) -> CallResult:
        future: asyncio.Future[CachedReply] = asyncio.get_running_loop().create_future()
        self._flying[key] = future
        attempts = RequestAttempts()
        try:
            kept = await self._claimed(request, key)
            if kept is None:
                try:
                    reply = without_secrets(await self.sender.send(request, attempts))
                    kept = await self._keep(None if request.session else key, reply, usable)
                finally:
                    self._release(request, key)
            future.set_result(kept)
        except ModelError as error:
            failed = AskFailed(error, name, attempts.count, redact(self._redact(str(error))))
            future.set_exception(failed)
            future.exception()  # read the exception, because no other task may wait for it
            raise failed from None
        finally:
            if not future.done():
                future.cancel()
            del self._flying[key]
        return self._result(kept, name, attempts.count)

    async def _claimed(self, request: Request, key: bytes) -> CachedReply | None:
        """The reply of another process; None if this one makes the call."""
        if self._cache is None or request.session is not None:
            return None
        async with self._lend():
            kept = await self._cache.claim(key, self._since)
        self._cache.check()  # while this call waited for its slot
        return kept

    def _release(self, request: Request, key: bytes) -> None:
        """Let another process make the call, if this one stored no reply."""
        if self._cache is not None and request.session is None:
            self._cache.release(key, self._since)

    async def _keep(
        self, key: bytes | None, reply: Reply, usable: Callable[[Reply], bool]
    ) -> CachedReply:
        """Store a complete and usable reply in the cache. Returns the stored reply, or else the
        reply as it came. A turn of a session has no key: without its session it means nothing.
        """
        if self._cache is None:
            return CachedReply(reply, int(time.time()), "")
        if key is None or not (is_whole(reply) and usable(reply)):
            return CachedReply(reply, int(time.time()), self._cache.run)
        return await self._cache.put(key, reply, self._name, self._since)

    def _result(self, kept: CachedReply, name: str, attempts: int) -> CallResult:
        elsewhere = self._cache is not None and kept.run != self._cache.run
        return CallResult(
            kept.reply,
            name,
            attempts,
            cached=not attempts,
            answered_at=_utc_time(kept.at),
            reused_from=kept.run if elsewhere else None,
        )


_utc_time = lru_cache(maxsize=256)(utc_time)
"""The text of a time. Cached: times have whole seconds, and many replies come in each second."""


def without_secrets(reply: Reply) -> Reply:
    """The reply with `***` instead of secrets next to the answer.

    Raises:
        ModelError: the answer itself contains a secret. Without it, it would be another answer, and
            a check could pass that the answer fails.
    """
    if not has_secret(msgspec.json.encode(reply)):
        return reply
    answer = msgspec.json.encode((reply.text, reply.data, reply.tool_calls, reply.turns))
    if has_secret(answer):
        raise ModelError(
            "the answer contains the value of a secret of the suite (an API key, or an environment"
            " variable); list the variable under `public:` if it is not a secret",
            kind="config",
        )
    return msgspec.convert(redact_value(msgspec.to_builtins(reply)), Reply)


def is_whole(reply: Reply) -> bool:
    """Whether a reply has content, and was neither cut off nor blocked."""
    return is_finished(reply.finish_reason) and bool(reply.text.strip() or reply.tool_calls)
