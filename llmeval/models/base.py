"""The protocol of a model: candidates and judges alike answer requests."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import msgspec

from llmeval.core.errors import ModelError
from llmeval.core.records import AnswerTurn, Ended, Message, Trace, Usage, UserPart

if TYPE_CHECKING:
    from aiohttp import CookieJar


@dataclass
class ChatSession:
    """What an application keeps from turn to turn of one conversation.

    A conversation that starts again has another session, with another id.
    """

    id: str = field(default_factory=lambda: secrets.token_hex(12))
    """24 hexadecimal digits that no other conversation has; requests see it as `run.unique`."""
    values: dict[str, Any] = field(default_factory=dict)
    """Of `http`, by the names in `session:`, what the replies contained. A `python` function may
    keep here what it likes."""
    cookies: "CookieJar | None" = None
    """Of `http`, the jar of cookies; made by the model."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request to a model.

    `params`: sampling parameters by their OpenAI names (temperature, max_tokens, top_p, seed...).

    `schema`: a JSON Schema that the reply must follow, for models that support it. `repeat`: the
    number of the independent sample of the same request; part of the cache key, never sent.
    `case_id`: only for models that answer by case (`replay`), else empty. `questions`: questions to
    a decision model about the messages, {id: {type, instructions, criteria}}; the text of its reply
    is {id: {option: probability}} as JSON. `fields`: the data of the case, for models that read it
    (`ReadsCase`), else empty. `unique`: a text that is unique to this answer of this run, for
    sessions and names; never part of the cache key. `turn`: which turn of a conversation this is,
    from 1. `session`: of the conversation, for models that keep one (`KeepsSession`), else None.
    `defaults`: names of the parameters that nobody stated, which may be left out if the endpoint
    refuses them; never part of the cache key.
    """

    messages: tuple[Message, ...]
    params: Mapping[str, Any] = {}
    schema: dict[str, Any] | None = None
    repeat: int = 0
    case_id: str = ""
    questions: Mapping[str, Any] | None = None
    fields: Mapping[str, Any] = {}
    unique: str = ""
    turn: int = 1
    session: ChatSession | None = None
    defaults: frozenset[str] = frozenset()


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A reply of a model.

    `model`, `fingerprint`: as the endpoint states them. `latency_ms`: the duration of this call.
    """

    text: str
    reasoning: str | None = None
    """The model's reasoning, if the endpoint returned it separately from the text."""
    finish_reason: str | None = None
    usage: Usage | None = None
    model: str | None = None
    fingerprint: str | None = None
    tool_calls: tuple[dict[str, Any], ...] = ()
    data: dict[str, Any] | None = None
    """Data next to the text, by name: part of the answer, of its record and of the cache."""
    trace: Trace | None = None
    """What the application did for it: shown, and not compared."""
    logprobs: list[dict[str, Any]] | None = None
    structured: str | None = None
    """How the endpoint was made to follow the request's schema, if another `structured_output` was
    sent than the model states. It stays in the cache, because such a reply may differ."""
    latency_ms: float | None = None
    turns: tuple[AnswerTurn, ...] = ()
    """Of a whole conversation (a recorded one, or one from the cache), its turns."""
    ended: Ended | None = None
    """How that conversation ended."""
    user: UserPart | None = None
    """What its simulated user did."""


class NoAnswer(ModelError):
    """A complete reply came without an answer: a filter withheld it, it ended before the answer
    began, or it is empty.

    Args:
        message: the endpoint's words, or the limit to raise.
        kind: `blocked`, `truncated` or `provider`, as `records.ErrorInfo` describes them.
        reply: the reply as it came; its usage was paid for.
    """

    def __init__(self, message: str, kind: str, reply: Reply) -> None:
        super().__init__(message, kind=kind)
        self.reply = reply


class Model(Protocol):
    """A model. Implementations: `openai`, `transformers`, `http`, `python`,
    `replay`.
    """

    @property
    def identity(self) -> Mapping[str, Any]:
        """Everything that identifies the model, as JSON: provider, model name, address, headers,
        parameters, file hashes. No keys, no limits.

        Part of every cache key and of the manifest: two models that may answer differently differ
        here.
        """

    async def answer(self, request: Request) -> Reply:
        """One reply to one request, without retries.

        Raises:
            Overloaded, Retryable: another attempt may succeed.
            ModelError: another attempt would fail too.
        """

    async def close(self) -> None:
        """Release connections or weights. Called once."""


@runtime_checkable
class ReadsCase(Protocol):
    """A model whose requests contain fields of the case in addition to its prompt."""

    @property
    def case_names(self) -> frozenset[str] | None:
        """Names that its requests use, with `run` if they use `run.unique`; None: all."""


@runtime_checkable
class AdaptsRequests(Protocol):
    """A model that changes the form of its requests if its endpoint refuses a part of them."""

    @property
    def adaptations(self) -> tuple[str, ...]:
        """A sentence for each difference from what the suite states."""


@runtime_checkable
class KeepsSession(Protocol):
    """A model that may keep a state between the turns of a conversation. Its turns share a
    `ChatSession`, are never taken from the cache one by one, and are never sent twice in one
    session unless the first request was certainly not processed.
    """

    @property
    def keeps_session(self) -> bool:
        """Always true."""
