"""Replies that come as an event stream (server-sent events), combined into one reply.

Some providers only stream, and `params: {stream: true}` asks for it. Format: WHATWG HTML section
9.2; chunks as OpenAI's chat completions and responses document them.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from llmeval.core.errors import Unreadable
from llmeval.models.client.json_body import peek, read_json

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BEGINS = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?::[^\n]*\n\s*)*(?:data|event|id|retry):")
_DONE = b"[DONE]"
_FINAL = frozenset(["response.completed", "response.incomplete", "response.failed"])
_JOINED = ("content", "refusal", "reasoning_content", "reasoning")
"""Text fields of a message that arrive in pieces."""


def is_event_stream(body: bytes, content_type: str) -> bool:
    """Whether a body is an event stream. Its beginning decides, not its content type: some servers
    send an event stream as application/json, others send one JSON document as text/event-stream.
    """
    return (
        body[:1] not in b"{[" and _BEGINS.match(body[:5000] if content_type else body) is not None
    )


def joined_chat(host: str, body: bytes) -> dict[str, Any]:
    """One chat completion from its chunks.

    Raises:
        ModelError, Unreadable: an event is not JSON, or the stream ends before the end of the
            reply.
    """
    reply: dict[str, Any] = {}
    message: dict[str, Any] = {}
    choice: dict[str, Any] = {"message": message}
    ended = False
    for event in _events(host, body):
        if event is None:
            ended = True
            break
        if event.get("error") or event.get("type") == "error":
            return {"error": event.get("error") or event}
        for key in ("model", "system_fingerprint", "usage"):
            if event.get(key) is not None:
                reply[key] = event[key]
        _add_choice(event.get("choices"), choice, message)
    if not ended and choice.get("finish_reason") is None:
        raise Unreadable(
            f"{host}: the event stream ended before the reply did: {peek(body[-120:])}"
        )
    return {**reply, "choices": [choice]}


def joined_response(host: str, body: bytes) -> dict[str, Any]:
    """The response from the events of the responses API: the last event contains all of it.

    Raises:
        ModelError, Unreadable: an event is not JSON, or the last one is missing.
    """
    for event in _events(host, body):
        if event is None:
            break
        if str(event.get("type")) in _FINAL and isinstance(event.get("response"), dict):
            return dict(event["response"])
        if event.get("error") or event.get("type") == "error":
            return {"error": event.get("error") or event}
    raise Unreadable(f"{host}: the event stream ended before the response did: {peek(body[-120:])}")


def _events(host: str, body: bytes) -> Iterator[dict[str, Any] | None]:
    """The data of each event as an object; None for `[DONE]`. Other data is left out."""
    data: list[bytes] = []
    for line in [*_LINE_END.split(body.removeprefix(b"\xef\xbb\xbf")), b""]:
        if line.startswith(b"data:"):
            data.append(line[5:].removeprefix(b" "))
        elif not line and data:
            text, data = b"\n".join(data).strip(), []
            if text == _DONE:
                yield None
            elif text:
                event = read_json(host, text)
                if isinstance(event, dict):
                    yield event


def _add_choice(choices: object, choice: dict[str, object], message: dict[str, object]) -> None:
    """Add one chunk's part of the first choice."""
    for part in choices if isinstance(choices, list) else ():
        if not isinstance(part, dict) or part.get("index") not in (0, None):
            continue
        for key in ("finish_reason", "error", "content_filter_results"):
            if part.get(key):
                choice[key] = part[key]
        _add_logprobs(part.get("logprobs"), choice)
        for piece in (part.get("delta"), part.get("message")):
            if isinstance(piece, dict):
                _add_message(piece, message)


def _add_message(piece: Mapping[str, Any], message: dict[str, Any]) -> None:
    for key in _JOINED:
        value = piece.get(key)
        if isinstance(value, str):
            message[key] = (message[key] if isinstance(message.get(key), str) else "") + value
        elif isinstance(value, list):
            message[key] = [*(message[key] if isinstance(message.get(key), list) else ()), *value]
    calls = piece.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        if isinstance(call, dict):
            _add_call(call, message.setdefault("tool_calls", []))


def _add_call(piece: Mapping[str, Any], calls: list[dict[str, Any]]) -> None:
    """Add a part of a tool call to the call of the same index. Arguments come in pieces."""
    index = piece.get("index")
    call = next((call for call in calls if call["index"] == index and index is not None), None)
    if call is None:
        call = {"index": index, "function": {"name": "", "arguments": ""}}
        calls.append(call)
    function = piece.get("function")
    if isinstance(function, dict):
        for key in ("name", "arguments"):
            if isinstance(function.get(key), str):
                call["function"][key] += function[key]


def _add_logprobs(logprobs: Any, choice: dict[str, Any]) -> None:
    tokens = logprobs.get("content") if isinstance(logprobs, dict) else None
    if isinstance(tokens, list):
        choice.setdefault("logprobs", {"content": []})["content"].extend(tokens)
