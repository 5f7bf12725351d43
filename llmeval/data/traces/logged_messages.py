"""Messages of a chat in the forms that logs and traces write them, read as turns.

Forms: chat completions (`{role, content, tool_calls}`), the responses API (items with a `type`),
and OpenTelemetry's GenAI conventions (`{role, parts}`).
"""

import json
from collections.abc import Iterable, Mapping

from llmeval.core.json_values import plain
from llmeval.data.traces.recorded_turns import RecordedCall, RecordedTurn

_TEXT_PARTS = ("text", "input_text", "output_text", "refusal")
_SILENT_PARTS = ("reasoning", "thinking", "reasoning_text")
"""Parts that are not a part of the answer."""
_SYSTEM = ("system", "developer")


class UnreadableMessage(ValueError):
    """A message has a form or a part that is not text; the error message says which."""


def read_turns(messages: Iterable[object]) -> tuple[str, list[RecordedTurn]]:
    """The system prompt, and the turns.

    Messages of the user that follow each other are one turn. The output of a turn is the last text
    of the assistant in it; the results of tools are put next to their calls.

    Raises:
        UnreadableMessage: a message has a form or a part that can't be replayed.
    """
    system: list[str] = []
    turns: list[RecordedTurn] = []
    for message in messages:
        if not isinstance(message, Mapping):
            raise UnreadableMessage("a message is not an object")
        role = _role(message)
        if role in _SYSTEM:
            system.append(message_text(message))
        elif role == "user":
            text = message_text(message)
            if turns and turns[-1].output is None and not turns[-1].calls:
                turns[-1].user = f"{turns[-1].user}\n\n{text}"
            elif text or not any(_results(message)):
                turns.append(RecordedTurn(text))
            _take_results(message, turns)
        elif turns:
            _take_reply(message, turns[-1])
            _take_results(message, turns)
        # A greeting of the assistant before the first message answers nothing.
    return "\n\n".join(text for text in system if text), turns


def message_text(message: Mapping[str, object]) -> str:
    """The text of a message.

    Raises:
        UnreadableMessage: it holds an image, sound or a file.
    """
    content = message.get("content") if "content" in message else message.get("parts")
    return content_text(content)


def content_text(content: object) -> str:
    """The text of a message's content: a text, or a list of parts.

    Raises:
        UnreadableMessage: it holds an image, sound or a file.
    """
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return json.dumps(plain(content), ensure_ascii=False)
    texts = []
    for part in content:
        if isinstance(part, str):
            texts.append(part)
            continue
        kind = str(part.get("type", "text")) if isinstance(part, Mapping) else ""
        if kind in _TEXT_PARTS and isinstance(part, Mapping):
            texts.append(str(part.get("text") or part.get("content") or part.get("refusal") or ""))
        elif not (kind in _SILENT_PARTS or kind.startswith("tool_") or kind == "function_call"):
            raise UnreadableMessage(f"holds {kind or 'data'}; only text can be replayed")
    return "\n".join(text for text in texts if text)


def json_or_text(value: object) -> object:
    """A text that is JSON as its value; anything else as it is."""
    if not isinstance(value, str):
        return plain(value)
    try:
        return plain(json.loads(value))
    except (ValueError, RecursionError):
        return value


def _role(message: Mapping[str, object]) -> str:
    kind = message.get("type")
    if kind == "function_call":
        return "assistant"
    if kind == "function_call_output":
        return "tool"
    return str(message.get("role") or "")


def _take_reply(message: Mapping[str, object], turn: RecordedTurn) -> None:
    if _role(message) in ("tool", "function"):
        return
    turn.calls += _calls(message)
    text = "" if message.get("type") == "function_call" else message_text(message)
    if text:
        turn.output = text


def _calls(message: Mapping[str, object]) -> list[RecordedCall]:
    """The tools that a message of the assistant calls."""
    if message.get("type") == "function_call":
        return [_call(message, str(message.get("call_id") or message.get("id") or ""))]
    listed = message.get("tool_calls")
    raw = [*listed] if isinstance(listed, list) else []
    if isinstance(message.get("function_call"), Mapping):
        raw.append({"function": message["function_call"]})
    for part in _parts(message):
        if part.get("type") in ("tool_call", "tool_use"):
            raw.append(part)
    calls = []
    for call in raw:
        if isinstance(call, Mapping):
            function = call.get("function")
            inside = function if isinstance(function, Mapping) else call
            calls.append(_call(inside, str(call.get("id") or "")))
    return calls


def _call(raw: Mapping[str, object], identifier: str) -> RecordedCall:
    arguments = raw.get("arguments", raw.get("input"))
    return RecordedCall(str(raw.get("name") or "?"), json_or_text(arguments), id=identifier)


def _results(message: Mapping[str, object]) -> Iterable[tuple[str, object]]:
    """(id of the call, result) of each result in a message."""
    if message.get("type") == "function_call_output":
        yield str(message.get("call_id") or ""), json_or_text(message.get("output"))
    elif message.get("role") in ("tool", "function") and "parts" not in message:
        name = str(message.get("tool_call_id") or message.get("name") or "")
        yield name, json_or_text(content_text(message.get("content")))
    for part in _parts(message):
        if part.get("type") in ("tool_call_response", "tool_result"):
            value = part.get("response", part.get("result", part.get("content")))
            yield str(part.get("id") or part.get("tool_use_id") or ""), json_or_text(value)


def _parts(message: Mapping[str, object]) -> list[Mapping[str, object]]:
    """The parts of a message that are objects."""
    for key in ("parts", "content"):
        value = message.get(key)
        if isinstance(value, list):
            return [part for part in value if isinstance(part, Mapping)]
    return []


def _take_results(message: Mapping[str, object], turns: list[RecordedTurn]) -> None:
    for identifier, result in _results(message):
        calls = turns[-1].calls if turns else []
        named = [call for call in calls if identifier in (call.id, call.name) and identifier]
        waiting = [call for call in named or calls if call.result is None]
        if waiting:
            waiting[0].result = result
