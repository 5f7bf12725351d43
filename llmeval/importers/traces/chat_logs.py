"""Chat logs of OpenAI-compatible endpoints: a JSONL, or a JSON list, with an object per request.

Each object has the request's `messages` (or `input` of the responses API) and the reply, in one of
these forms: `{messages: [..., assistant]}`, `{request: {messages}, response: {choices}}`, and lines
of the batch API whose `body` or `response.body` have the same.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from llmeval.core.errors import SuiteError
from llmeval.core.otel_spans import as_number
from llmeval.data.traces.logged_messages import read_turns
from llmeval.importers.ledger import Ledger, SourcePlace, UnmappedError
from llmeval.importers.reading import read_json, read_lines
from llmeval.importers.traces.recorded_traffic import RecordedConversation

_REQUESTS = ("request", "body", "kwargs")
_REPLIES = ("response", "completion", "reply")
_IDS = ("id", "custom_id", "request_id", "conversation_id")


def read_chat_logs(path: Path, ledger: Ledger) -> list[RecordedConversation]:
    """The chats of a file.

    Raises:
        SuiteError: the file can't be read, or no line of it is a chat.
    """
    places = read_lines(path) if path.suffix in (".jsonl", ".ndjson") else _listed(read_json(path))
    chats = []
    for number, place in enumerate(places, start=1):
        with ledger.trying(place):
            chats.append(_chat(place.value, number))
    if not chats and not ledger.left_out:
        raise SuiteError(f"{path}: the file is empty")
    return chats


def _listed(place: SourcePlace) -> list[SourcePlace]:
    if isinstance(place.value, Mapping):
        for key in ("data", "completions", "logs", "requests"):
            if isinstance(place.value.get(key), list):
                return place.at(key).items()
    return place.items()


def _chat(line: object, number: int) -> RecordedConversation:
    if not isinstance(line, Mapping):
        raise UnmappedError("is not an object")
    request = _inside(line, _REQUESTS)
    reply = _inside(line, _REPLIES)
    body = reply.get("body")
    reply = body if isinstance(body, Mapping) else reply
    texts = [line[key] for key in (*_REPLIES, "output") if isinstance(line.get(key), str)]
    replies = [{"role": "assistant", "content": texts[0]}] if texts else _reply_messages(reply)
    messages = [*_messages(request), *replies]
    system, turns = read_turns(messages)
    instructions = request.get("instructions")
    if isinstance(instructions, str):
        system = f"{instructions}\n\n{system}".strip()
    if not turns:
        raise UnmappedError("has no `messages` with one of a user")
    usage = reply.get("usage")
    if isinstance(usage, Mapping):
        turns[-1].input_tokens = _count(usage, "prompt_tokens", "input_tokens")
        turns[-1].output_tokens = _count(usage, "completion_tokens", "output_tokens")
    if turns[-1].output is None:
        turns[-1].error = _error(line, reply)
    latency = as_number(line.get("latency_ms"))
    turns[-1].latency_ms = latency
    identifier = next((str(line[key]) for key in _IDS if line.get(key)), "")
    return RecordedConversation(
        identifier or str(reply.get("id") or f"chat-{number}"),
        turns,
        system,
        model=str(reply.get("model") or request.get("model") or ""),
        tags=_tags(line.get("metadata")),
    )


def _inside(line: Mapping[str, object], names: Iterable[str]) -> Mapping[str, object]:
    """The object under the first of these names; the line itself where none is there."""
    for name in names:
        value = line.get(name)
        if isinstance(value, Mapping):
            return value
    return line


def _messages(request: Mapping[str, object]) -> list[object]:
    for key in ("messages", "input"):
        value = request.get(key)
        if isinstance(value, list):
            return value
        if isinstance(value, str):
            return [{"role": "user", "content": value}]
    raise UnmappedError("has no `messages`: a reply without its request can't be a case")


def _reply_messages(reply: Mapping[str, object]) -> list[object]:
    choices, output = reply.get("choices"), reply.get("output")
    if isinstance(choices, list) and choices and isinstance(choices[0], Mapping):
        return [{"role": "assistant", **_mapping(choices[0].get("message"))}]
    if isinstance(output, list):
        return [
            {"role": "assistant", **item}
            for item in output
            if isinstance(item, Mapping) and item.get("type") in ("message", "function_call")
        ]
    return []


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _count(usage: Mapping[str, object], *names: str) -> int | None:
    number = next((as_number(usage[name]) for name in names if name in usage), None)
    return None if number is None else int(number)


def _error(line: Mapping[str, object], reply: Mapping[str, object]) -> str:
    error = reply.get("error") or line.get("error")
    message = error.get("message") if isinstance(error, Mapping) else error
    return str(message) if message else ""


def _tags(metadata: object) -> dict[str, str]:
    """Metadata with short values: slices of the report."""
    return {
        str(key): str(value)
        for key, value in _mapping(metadata).items()
        if isinstance(value, str | int | bool) and 0 < len(str(value)) <= 40
    }
