"""The protocol of a model: candidates and judges alike answer requests."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import msgspec

from llmeval.core.errors import ModelError
from llmeval.core.records import Message, Usage


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request to a model.

    `params`: sampling parameters by their OpenAI names (temperature, max_tokens, top_p, seed...).

    `schema`: a JSON Schema that the reply must follow, for models that support it. `repeat`: the
    number of the independent sample of the same request; part of the cache key, never sent.
    `case_id`: only for models that answer by case (`replay`), else empty. `questions`: questions to
    a decision model about the messages, {id: {type, instructions, criteria}}; the text of its reply
    is {id: {option: probability}} as JSON. `fields`: the data of the case, for models that read it
    (`ReadsCase`), else empty. `unique`: a text that is unique to this answer of this run, for
    sessions and names; never part of the cache key.
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
    logprobs: list[dict[str, Any]] | None = None
    latency_ms: float | None = None


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
