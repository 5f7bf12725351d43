"""Prepares replies for grading: clean text, separate reasoning, and an error for a reply without an
answer.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from llmeval.core.errors import ModelError
from llmeval.core.records import clean_text, plain, to_json
from llmeval.models.base import NoAnswer, Reply
from llmeval.models.blocked import is_blocked
from llmeval.models.endings import is_length, may_be_empty
from llmeval.models.reasoning import Tags, separate

_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
"""Parameters that limit a reply's length, by their names in the APIs."""
MAX_DATA_BYTES = 2**20
"""Most bytes of an answer's `data` as JSON. The run's records and its report contain the data."""


def usable(reply: Reply, params: Callable[[], Mapping[str, object]], tags: Tags | None) -> Reply:
    """The reply in the form that is recorded and graded.

    Args:
        reply: as the model's `answer` returned it.
        params: gives the request's parameters and the model's own; called only for a message.
        tags: the tags around the reasoning in the text; None leaves the text unchanged.

    Raises:
        NoAnswer: a filter withheld it (kind `blocked`), it ended before the answer began (kind
            `truncated`), or it is empty with a finish reason that does not show that the model left
            it empty (kind `provider`). A text that was cut off, tool calls, and a text that the
            model left empty on purpose are answers.
        ModelError: its data is larger than `MAX_DATA_BYTES` (kind `candidate`).
    """
    reply = _cleaned(reply)
    closed = True
    if tags is not None:
        parts = separate(reply.text, tags)
        if parts.reasoning is not None or parts.answer is not reply.text:
            thoughts = "\n\n".join(filter(None, (reply.reasoning, parts.reasoning)))
            reply, closed = (
                replace(reply, text=parts.answer, reasoning=thoughts or None),
                parts.closed,
            )
    if reply.text.strip() or reply.tool_calls:
        return reply
    if is_blocked(reply.finish_reason):
        raise NoAnswer(
            f"blocked by a content filter (finish_reason {reply.finish_reason})", "blocked", reply
        )
    reasoned = not closed or _only_reasoned(reply)
    if reasoned or is_length(reply.finish_reason):
        raise NoAnswer(_truncated(reply, params(), reasoned), "truncated", reply)
    if not may_be_empty(reply.finish_reason):
        message = (
            f"no answer: the reply is empty, and its finish_reason {reply.finish_reason} does not"
            " belong to an empty answer"
        )
        raise NoAnswer(message, "provider", reply)
    return reply


def _only_reasoned(reply: Reply) -> bool:
    """Whether the reply contains only reasoning, by its text or by the
    endpoint's count of tokens.
    """
    if reply.reasoning:
        return True
    usage = reply.usage
    return (
        usage is not None
        and bool(usage.reasoning_tokens)
        and usage.reasoning_tokens == usage.output_tokens
    )


def _truncated(reply: Reply, params: Mapping[str, object], reasoned: bool) -> str:
    """Why the reply has no answer, and which limit to raise."""
    name, limit = next(
        ((key, params[key]) for key in _LIMITS if params.get(key) is not None), ("max_tokens", None)
    )
    generated = None if reply.usage is None else reply.usage.output_tokens
    count = limit if is_length(reply.finish_reason) and limit is not None else generated
    tokens = f"all {count} tokens" if count else "all its tokens"
    raised = f"raise {name}" if limit is not None else "set a higher max_tokens"
    if reasoned and reply.finish_reason is not None and not is_length(reply.finish_reason):
        return (
            f"no answer: {tokens} went into reasoning (finish_reason {reply.finish_reason}); if a"
            f" limit cut it, {raised}"
        )
    if reasoned:
        return f"no answer: {raised}: {tokens} went into reasoning"
    return (
        f"no answer: {raised}: the reply was cut off before its first word (limit"
        f" {limit or 'of the endpoint'})"
    )


def _cleaned(reply: Reply) -> Reply:
    """The reply with texts that UTF-8 can hold. A reply of plain ASCII without other parts is
    common, and is returned unchanged.
    """
    fields: dict[str, Any] = {}
    for name in ("text", "reasoning", "finish_reason", "model", "fingerprint"):
        value = getattr(reply, name)
        if value is not None and not value.isascii():
            fields[name] = clean_text(value)
    if reply.tool_calls:
        fields["tool_calls"] = tuple(plain(call) for call in reply.tool_calls)
    if reply.data is not None:
        fields["data"] = _bounded(plain(reply.data))
    if reply.logprobs:
        fields["logprobs"] = [plain(token) for token in reply.logprobs]
    return replace(reply, **fields) if fields else reply


def _bounded(data: dict[str, object]) -> dict[str, Any]:
    """The data, if it is not too large.

    Raises:
        ModelError: it is too large; names the largest part.
    """
    sizes = {name: len(to_json(value)) for name, value in data.items()}
    if sum(sizes.values()) <= MAX_DATA_BYTES:
        return data
    name = max(sizes, key=lambda each: sizes[each])
    raise ModelError(
        f"the data of the answer has {sum(sizes.values()):,} bytes as JSON, most of them in"
        f" {name!r} ({sizes[name]:,}); {MAX_DATA_BYTES:,} are allowed: choose a smaller part of"
        " the reply with a path",
        kind="candidate",
    )
