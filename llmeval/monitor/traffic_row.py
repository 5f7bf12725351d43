"""One answer of production, normalised: from a line of JSONL, or from the spans of a trace."""

import hashlib
import math
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from llmeval.core.json_values import plain
from llmeval.core.otel_spans import OtelSpan, as_number
from llmeval.data.traces.exchange import CONVERSATION, exchange_of
from llmeval.data.traces.logged_messages import (
    UnreadableMessage,
    content_text,
    message_text,
    read_turns,
)

ALIASES: Mapping[str, tuple[str, ...]] = {
    "id": ("trace_id", "traceId", "id", "request_id"),
    "time": ("time", "timestamp", "at", "created"),
    "input": ("input", "question", "prompt"),
    "messages": ("messages",),
    "output": ("output", "answer", "response", "reply"),
    "session": ("session", "session_id", "conversation_id"),
    "user": ("user", "user_id"),
    "tags": ("tags", "metadata"),
    "error": ("error",),
}
"""By field, the names under which a line may have it; the first one wins."""
_OF_ANSWER = ("data", "tool_calls", "usage", "latency_ms", "model")
_OF_CASE = ("reference", "references", "context", "facts")
_USER = ("enduser.id", "user.id", "langfuse.user.id")
_FAR = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
_LONGEST_TAG = 100


class Unusable(ValueError):
    """A line of the traffic can't be used; the message is the reason under which it is counted."""


class TrafficRow(msgspec.Struct, frozen=True):
    """One answer: `case` and `answer` as rows of a suite's files of cases and recorded answers."""

    day: str
    """UTC, such as 2026-11-30."""
    id: str
    """The trace id."""
    case: dict[str, object]
    answer: dict[str, object]
    at: str = ""
    """ISO 8601, UTC; only where the order within a day matters."""


def read_time(value: object) -> datetime:
    """A time as ISO 8601 (without a zone: UTC), or as seconds, milliseconds or nanoseconds since
    1970.

    Raises:
        Unusable: it is none of these.
    """
    number = as_number(value)
    try:
        if number is None:
            time = datetime.fromisoformat(str(value))
            return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
        if not math.isfinite(number) or abs(number) >= _FAR * 1e9:
            raise ValueError
        while abs(number) >= _FAR:
            number /= 1000
        return datetime.fromtimestamp(number, UTC)
    except (ValueError, OverflowError, OSError):
        raise Unusable("no readable time") from None


def field_of(line: Mapping[str, object], name: str, mapped: Mapping[str, str]) -> object:
    """A field of a line: by the path of `map`, or by its usual names; None where it is missing."""
    if name in mapped:
        return _at(line, mapped[name])
    present = (line[key] for key in ALIASES[name] if line.get(key) is not None)
    return next(present, None)


def _at(value: object, path: str) -> object:
    if isinstance(value, Mapping) and path in value:
        return value[path]
    for part in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def identity_of(line: Mapping[str, object], mapped: Mapping[str, str]) -> str:
    """The trace id of a line.

    Raises:
        Unusable: it has none.
    """
    value = field_of(line, "id", mapped)
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise Unusable("no trace id")
    return str(value)


def row_of_line(
    line: Mapping[str, object], identifier: str, day: str, mapped: Mapping[str, str]
) -> TrafficRow:
    """The answer that a line records.

    Raises:
        Unusable: it has no message of a user, or holds more than text.
    """
    try:
        messages, question = _asked(line, mapped)
        output = _text(field_of(line, "output", mapped))
    except UnreadableMessage as error:
        raise Unusable(f"a message {error}") from None
    fields: dict[str, object] = {
        name: plain(_at(line, path)) for name, path in mapped.items() if name not in ALIASES
    }
    fields |= {key: plain(line[key]) for key in _OF_CASE if key in line and line[key] is not None}
    tags = field_of(line, "tags", mapped)
    failed = field_of(line, "error", mapped)
    more = {key: plain(line[key]) for key in _OF_ANSWER if line.get(key) is not None}
    owner = field_of(line, "session", mapped) or field_of(line, "user", mapped)
    return TrafficRow(
        day,
        identifier,
        _case(identifier, messages, {"question": question, **fields}, _short(tags), owner),
        _answer(identifier, output, failed, more),
    )


def row_of_spans(
    spans: Sequence[OtelSpan], identifier: str, day: str, tags: Collection[str]
) -> TrafficRow:
    """The answer that a trace records. `tags`: attributes that become tags of the case.

    Raises:
        Unusable: it has no message of a user, or holds more than text.
    """
    sent, replied, model = exchange_of(spans)
    try:
        system, turns = read_turns([*sent, *replied])
    except UnreadableMessage as error:
        raise Unusable(f"a message {error}") from None
    if not turns:
        raise Unusable("no message of a user")
    messages: list[dict[str, str]] = [{"role": "system", "content": system}] if system else []
    for turn in turns[:-1]:
        messages += [
            {"role": "user", "content": turn.user},
            {"role": "assistant", "content": turn.output or ""},
        ]
    last = turns[-1]
    messages.append({"role": "user", "content": last.user})
    attributes = {name: value for span in spans for name, value in span.attributes.items()}
    owner = next((text for span in spans if (text := span.text(*CONVERSATION, *_USER))), None)
    more: dict[str, object] = {"tool_calls": [call.as_json for call in last.calls]}
    if model:
        more["model"] = model
    failed = next((span.error for span in spans if span.error), None)
    return TrafficRow(
        day,
        identifier,
        _case(
            identifier,
            messages,
            {"question": last.user},
            _short({name: attributes[name] for name in tags if name in attributes}),
            owner,
        ),
        _answer(identifier, last.output, failed if last.output is None else None, more),
    )


def _asked(
    line: Mapping[str, object], mapped: Mapping[str, str]
) -> tuple[list[dict[str, str]], str]:
    """The messages before the answer, and the last one of the user."""
    listed = field_of(line, "messages", mapped)
    if isinstance(listed, list) and listed:
        messages = [
            {"role": str(each.get("role") or "user"), "content": message_text(each)}
            for each in listed
            if isinstance(each, Mapping)
        ]
    else:
        value = field_of(line, "input", mapped)
        if isinstance(value, list):
            return _asked({"messages": value}, {})
        messages = [{"role": "user", "content": _text(value) or ""}]
    texts = [each["content"] for each in messages if each["role"] == "user"]
    if not texts or not texts[-1].strip():
        raise Unusable("no message of a user")
    return messages, texts[-1]


def _text(value: object) -> str | None:
    if isinstance(value, Mapping) and ("content" in value or "parts" in value):
        return message_text(value)
    return None if value is None else content_text(value)


def _short(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        return {}
    return {
        str(key): str(item)
        for key, item in value.items()
        if isinstance(item, str | int | bool) and 0 < len(str(item)) <= _LONGEST_TAG
    }


def _case(
    identifier: str,
    messages: list[dict[str, str]],
    fields: dict[str, object],
    tags: dict[str, str],
    owner: object,
) -> dict[str, object]:
    case: dict[str, object] = {**fields, "id": identifier, "messages": messages, "tags": tags}
    if owner:
        # Only whether two answers have the same owner matters, and the name may be personal.
        case["cluster"] = hashlib.sha256(str(owner).encode(errors="replace")).hexdigest()[:16]
    return case


def _answer(
    identifier: str, output: str | None, error: object, more: Mapping[str, object]
) -> dict[str, object]:
    row: dict[str, object] = {"id": identifier, "output": output, **more}
    if error:
        row |= {"output": None, "error": plain(error)}
    elif output is None:
        row["error"] = "no reply is recorded"
    return row
