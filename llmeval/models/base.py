"""The protocol of a model: candidates and judges alike answer requests."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import msgspec

from llmeval.core.errors import ModelError
from llmeval.core.records import Message, Trace, Usage


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request to a model.

    `params`: sampling parameters by their OpenAI names (temperature, max_tokens, top_p, seed...).

    `schema`: a JSON Schema the reply must follow, for models that can be held to one. `repeat`:
    which independent sample of the same request this is; part of the cache key, never sent.
    `case_id`: only for models that answer by case (`replay`), else empty. `questions`: asked of a
    decision model about the messages, {id: {type, instructions, criteria}}; its reply's text is
    {id: {option: probability}} as JSON. `fields`: the data of the case, for models that read it
    (`ReadsCase`), else empty. `unique`: a text that only this answer of this run has, for sessions
    and names; never part of the cache key.
    """

    messages: tuple[Message, ...]
    params: Mapping[str, Any] = {}
    schema: dict[str, Any] | None = None
    repeat: int = 0
    case_id: str = ""
    questions: Mapping[str, Any] | None = None
    fields: Mapping[str, Any] = {}
    unique: str = ""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A reply of a model.

    `model`, `fingerprint`: as the endpoint states them. `latency_ms`: of this one call.
    """

    text: str
    reasoning: str | None = None
    """The model's thoughts, where they came apart from the text."""
    finish_reason: str | None = None
    usage: Usage | None = None
    model: str | None = None
    fingerprint: str | None = None
    tool_calls: tuple[dict[str, Any], ...] = ()
    data: dict[str, Any] | None = None
    """What came next to the text, by name: part of the answer, of its record and of the cache."""
    trace: Trace | None = None
    """What the application did for it: shown, and not compared."""
    logprobs: list[dict[str, Any]] | None = None
    latency_ms: float | None = None


class NoAnswer(ModelError):
    """A whole reply came that holds no answer: a filter withheld it, it ended before the answer
    began, or it is empty.

    Args:
        message: the endpoint's words, or what to raise.
        kind: `blocked`, `truncated` or `provider`, as `records.ErrorInfo` describes them.
        reply: what came; its usage was paid for.
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
        """Everything that decides what answers, as JSON: provider, model name, address, headers,
        parameters, file hashes. No keys, no limits.

        Part of every cache key and of the manifest: two models that may answer differently differ
        here.
        """

    async def answer(self, request: Request) -> Reply:
        """One reply to one request, without retries.

        Raises:
            Overloaded, Retryable: worth another attempt.
            ModelError: not worth one.
        """

    async def close(self) -> None:
        """Release connections or weights. Called once."""


@runtime_checkable
class ReadsCase(Protocol):
    """A model whose requests hold more of the case than its prompt."""

    @property
    def case_names(self) -> frozenset[str] | None:
        """Names that its requests use, `run` among them where they use `run.unique`; None: all."""
