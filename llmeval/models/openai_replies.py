"""Reads replies of OpenAI-compatible endpoints: strict about the answer, tolerant about metadata.

Replies come from dozens of servers that each follow the API in their own way. The parts of the
answer (choices, message, text) must have the right type. A field of metadata of another type is
converted or left out: it must not invalidate an answer that was paid for.
"""

import math
from collections.abc import Mapping
from typing import Any

from llmeval.core.errors import ModelError
from llmeval.core.records import Usage, to_json
from llmeval.models.base import NoAnswer, Reply
from llmeval.models.blocked import CONTENT_FILTER, filtered_categories, is_blocked
from llmeval.models.client.event_stream import is_event_stream, joined_chat, joined_response
from llmeval.models.client.failed_reply import error_message, stated_failure, states_error
from llmeval.models.client.http_client import Response
from llmeval.models.client.json_body import peek, read_json
from llmeval.models.endings import is_broken, is_length

_UNFINISHED = frozenset(["failed", "queued", "cancelled", "in_progress", "expired"])
"""States of a response without an answer."""
_MOST_TOKENS = 2**53
_LOWEST_LOGPROB = -9999.0
"""The value that OpenAI writes for a token of probability 0; others write -Infinity."""
_ROUNDING = 1e-6
"""The largest log probability that is accepted. A certain token has 0, or slightly more after
rounding.
"""
_SAID = frozenset(
    [
        "refusal",
        "reasoning_content",
        "reasoning",
        "thinking",
        "reasoning_details",
        "tool_calls",
        "function_call",
    ]
)
"""Fields that a message may have instead of content."""
_TEXTS = frozenset(["text", "output_text", "refusal"])
_THOUGHTS = frozenset(
    [
        "thinking",
        "reasoning",
        "reasoning_text",
        "summary_text",
        "reasoning.text",
        "reasoning.summary",
    ]
)


def chat_reply(host: str, response: Response) -> Reply:
    """The reply of a chat completion.

    Raises:
        ModelError: the JSON is not a chat completion.
        NoAnswer: a filter blocked the answer.
        Retryable: the endpoint broke the reply off.
    """
    data = _document(host, response, joined_chat)
    choice = next(iter(data["choices"]), None) if isinstance(data.get("choices"), list) else None
    if not isinstance(choice, dict):
        raise _no_answer_in(host, data, response.body, "choices")
    reason = _finish(choice.get("finish_reason"))
    _raise_broken(host, choice, reason)
    message = choice.get("message")
    if not isinstance(message, dict):
        raise ModelError(f"{host}: the reply's choice has no message: {peek(response.body)}")
    content = message.get("content")
    if content is not None and not isinstance(content, str | list):
        raise ModelError(f"{host}: the message's content is not text: {peek(to_json(content))}")
    if not content and reason is None and not any(message.get(key) for key in _SAID):
        raise ModelError(
            f"{host}: the message has neither content nor a finish reason: {peek(response.body)}"
        )
    text, thoughts = (content or "", "") if isinstance(content, str | None) else _parts(content)
    reply = Reply(
        text=text or _text(message.get("refusal")) or "",
        reasoning=_reasoning(message) or thoughts or None,
        finish_reason=reason,
        usage=read_usage(data.get("usage")),
        model=read_name(data.get("model")),
        fingerprint=read_name(data.get("system_fingerprint")),
        tool_calls=_tool_calls(message),
        logprobs=_logprobs(choice.get("logprobs")),
        latency_ms=response.latency_ms,
    )
    if (
        not reply.text
        and not reply.tool_calls
        and reason == "stop"
        and (kinds := _without_text(message))
    ):
        raise NoAnswer(
            f"{host}: no answer: the message contains no text, only {kinds}", "provider", reply
        )
    return _unblocked(host, reply, choice)


def response_reply(host: str, response: Response) -> Reply:
    """The reply of the responses API; errors as for `chat_reply`."""
    data = _document(host, response, joined_response)
    status = _text(data.get("status"))
    if (status or "").lower() in _UNFINISHED:
        raise stated_failure(host, f"status {status}", data.get("error"))
    output = data.get("output")
    if not isinstance(output, list):
        raise _no_answer_in(host, data, response.body, "output")
    items = [item for item in output if isinstance(item, dict)]
    spoken = [_parts(item.get("content")) for item in items if item.get("type") == "message"]
    thoughts = [_thoughts(item) for item in items if item.get("type") == "reasoning"]
    details = data.get("incomplete_details")
    reason = (
        _finish(details.get("reason"))
        if isinstance(details, dict) and details.get("reason")
        else status
    )
    reply = Reply(
        text="".join(text for text, _ in spoken),
        reasoning="\n\n".join(filter(None, [*thoughts, *(thought for _, thought in spoken)]))
        or None,
        finish_reason="stop" if reason == "completed" else reason,
        usage=read_usage(data.get("usage")),
        model=read_name(data.get("model")),
        tool_calls=tuple(
            _call(item, "arguments" if item.get("type") == "function_call" else "input")
            for item in items
            if item.get("type") in ("function_call", "custom_tool_call")
        ),
        latency_ms=response.latency_ms,
    )
    spoke = (
        any(item.get("type") == "message" for item in items) or reply.tool_calls or reply.reasoning
    )
    if not spoke and reply.finish_reason in ("stop", None):
        kinds = ", ".join(sorted({str(item.get("type"))[:40] for item in items})) or "nothing"
        kind = "truncated" if kinds == "reasoning" else "provider"
        raise NoAnswer(
            f"{host}: no answer: the response contains no message, only {kinds}", kind, reply
        )
    return _unblocked(host, reply, {})


def _document(host: str, response: Response, join: Any) -> dict[str, Any]:
    """The reply's JSON object, from one document or from the events of a stream. An error object is
    raised.
    """
    if is_event_stream(response.body, response.content_type):
        data = join(host, response.body)
    else:
        data = read_json(host, response.body, response.content_type)
    if not isinstance(data, dict):
        raise _no_answer_in(host, data, response.body, "object")
    if states_error(data.get("error")):
        status = _text(data.get("status"))
        how = f"status {status}" if status else "an error in a reply of status 200"
        raise stated_failure(host, how, data["error"])
    return data


def _no_answer_in(host: str, data: object, body: bytes, what: str) -> ModelError:
    """The error for JSON that does not follow the API. Another attempt would give the same."""
    named = f"no {what!r}" if isinstance(data, dict) else "no JSON object"
    message = (
        f": {error_message(data)}"
        if isinstance(data, dict) and data.get("message")
        else f": {peek(body)}"
    )
    return ModelError(f"{host}: the reply does not follow the API ({named}){message}")


def _raise_broken(host: str, choice: Mapping[str, object], reason: str | None) -> None:
    """Raise an error for a choice that the endpoint broke off, also if some text came before."""
    if choice.get("error"):
        raise stated_failure(host, f"finish_reason {reason}", choice["error"])
    if is_broken(reason):
        raise stated_failure(host, f"finish_reason {reason}", None)


def _unblocked(host: str, reply: Reply, choice: Mapping[str, object]) -> Reply:
    """The reply; if a filter withheld all of it, an error with the filter's own words."""
    if reply.text.strip() or reply.tool_calls:
        return reply
    categories = filtered_categories(choice.get("content_filter_results"))
    if reply.finish_reason == CONTENT_FILTER or categories:
        words = categories or f"finish_reason {reply.finish_reason}"
        raise NoAnswer(f"{host}: blocked by a content filter: {words}", "blocked", reply)
    return reply


def _finish(value: object) -> str | None:
    reason = _text(value)
    if not reason or reason == "stop":
        return reason or None
    if is_length(reason):
        return "length"
    return CONTENT_FILTER if is_blocked(reason) else reason


def _reasoning(message: Mapping[str, object]) -> str:
    """The reasoning of a message, from the first field that has some."""
    for key in ("reasoning_content", "reasoning", "thinking"):
        if text := _text(message.get(key)):
            return text
    details = message.get("reasoning_details")
    return _parts(details)[1] if details else ""


def _parts(content: object) -> tuple[str, str]:
    """(text, reasoning) of a message's parts. Parts that are null or of another
    kind are left out.
    """
    text: list[str] = []
    thoughts: list[str] = []
    for part in content if isinstance(content, list) else [content]:
        if isinstance(part, str):
            text.append(part)
        elif isinstance(part, dict) and _text(part.get("type")) in _THOUGHTS:
            thoughts.append(_thoughts(part))
        elif isinstance(part, dict):
            text.append(_text(part.get("text")) or _text(part.get("refusal")) or "")
    return "".join(text), "\n\n".join(filter(None, thoughts))


def _without_text(message: Mapping[str, object]) -> str:
    """The kinds of a message's parts other than text, such as `audio` or `image_url`; empty if
    there are none.
    """
    parts = message.get("content")
    kinds = (
        [_text(part.get("type")) for part in parts if isinstance(part, dict)]
        if isinstance(parts, list)
        else []
    )
    kinds += [key for key in ("audio", "images") if message.get(key)]
    return ", ".join(sorted({kind for kind in kinds if kind} - _TEXTS - _THOUGHTS))


def _thoughts(item: Mapping[str, object]) -> str:
    """The text of a reasoning item: its summary, its content, or a `thinking` part."""
    for key in ("text", "thinking", "summary", "content"):
        value = item.get(key)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, list):
            texts = [_text(part.get("text")) for part in value if isinstance(part, dict)]
            if any(texts):
                return "\n\n".join(filter(None, texts))
    return ""


def _tool_calls(message: Mapping[str, object]) -> tuple[dict[str, Any], ...]:
    calls, legacy = message.get("tool_calls"), message.get("function_call")
    if not calls and not legacy:
        return ()
    objects = [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    named = [called(call) for call in objects]
    if not named and isinstance(legacy, dict):
        named = [_call(legacy, "arguments")]
    return tuple(call for call in named if call is not None)


def called(call: Mapping[str, Any]) -> dict[str, Any] | None:
    """A tool call of a chat completion as {name, arguments}; None for any other value."""
    if isinstance(call.get("function"), dict):
        return _call(call["function"], "arguments")
    return _call(call["custom"], "input") if isinstance(call.get("custom"), dict) else None


def _call(function: Mapping[str, object], arguments: str) -> dict[str, Any]:
    return {"name": _text(function.get("name")) or "", "arguments": function.get(arguments)}


def _logprobs(value: object) -> list[dict[str, Any]] | None:
    """Log probabilities by token; None if one of them is malformed, because incomplete ones would
    mislead.
    """
    tokens = value.get("content") if isinstance(value, dict) else None
    if not isinstance(tokens, list):
        return None
    entries = [_logprob(token) for token in tokens]
    return (
        None
        if any(entry is None for entry in entries)
        else [entry for entry in entries if entry is not None]
    )


def _logprob(token: object) -> dict[str, Any] | None:
    if not isinstance(token, dict) or not isinstance(token.get("token"), str):
        return None
    value = token.get("logprob")
    if isinstance(value, bool) or not isinstance(value, int | float) or not value <= _ROUNDING:
        return None
    entry: dict[str, Any] = {"token": token["token"], "logprob": float(max(value, _LOWEST_LOGPROB))}
    others = token.get("top_logprobs")
    if isinstance(others, list):
        alternatives = [_logprob(other) for other in others]
        if any(other is None for other in alternatives):
            return None
        entry["top_logprobs"] = alternatives
    return entry


def read_usage(value: object) -> Usage | None:
    """Counts of tokens by the names of either API; None for a value that is not an object."""
    if not isinstance(value, dict):
        return None
    details = [value.get("completion_tokens_details"), value.get("output_tokens_details")]
    reasoning = [detail.get("reasoning_tokens") for detail in details if isinstance(detail, dict)]
    return Usage(
        _first(value.get("prompt_tokens"), value.get("input_tokens")),
        _first(value.get("completion_tokens"), value.get("output_tokens")),
        _first(*reasoning),
        _charge(value.get("cost")),
    )


def _charge(value: object) -> float | None:
    """The charge in US dollars; None for a value that is not an amount."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < math.inf else None


def _first(*values: object) -> int | None:
    for value in values:
        count = _tokens(value)
        if count is not None:
            return count
    return None


def _tokens(value: object) -> int | None:
    """A count of tokens: 10, 10.0 or "10"."""
    if type(value) is int:
        return value if 0 <= value < _MOST_TOKENS else None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return int(number) if number.is_integer() and 0 <= number < _MOST_TOKENS else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def read_name(value: object) -> str | None:
    """The name of a model or a build as text; some endpoints write a number."""
    if isinstance(value, str):
        return value
    return (
        str(value)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _MOST_TOKENS
        else None
    )
