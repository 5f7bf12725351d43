"""The messages that a span records: what went to a model or an agent, and what came back.

Where they stand differs between versions and instrumentations:

- GenAI conventions of OpenTelemetry: the attributes `gen_ai.input.messages`,
  `gen_ai.output.messages` and `gen_ai.system_instructions`, on the span or on its event
  `gen_ai.client.inference.operation.details`;
- their version 1.36 and older: an event per message, `gen_ai.user.message` to `gen_ai.choice`;
- OpenLLMetry: `gen_ai.prompt.0.content` and `gen_ai.completion.0.content`;
- OpenInference: `llm.input_messages.0.message.content`, `llm.output_messages...`, and for other
  spans `input.value` and `output.value`.
"""

import re
from collections.abc import Mapping

from llmeval.core.otel_spans import OtelSpan
from llmeval.data.traces.logged_messages import json_or_text

_DETAILS = "gen_ai.client.inference.operation.details"
_EVENT_ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
    "gen_ai.choice": "assistant",
}
_FLAT = (("gen_ai.prompt", "gen_ai.completion"), ("llm.input_messages", "llm.output_messages"))
_NUMBERED = re.compile(r"(?P<number>\d+)\.(?P<rest>.+)")

Messages = list[object]


def messages_of_span(span: OtelSpan) -> tuple[Messages, Messages]:
    """(what went in, what came out), each empty where the span does not record it."""
    details = [event.attributes for event in span.events if event.name == _DETAILS]
    for attributes in (span.attributes, *details):
        sent = _listed(attributes.get("gen_ai.input.messages"))
        replied = _listed(attributes.get("gen_ai.output.messages"))
        if sent or replied:
            system = _listed(attributes.get("gen_ai.system_instructions"))
            head: Messages = [{"role": "system", "parts": system}] if system else []
            return [*head, *sent], replied
    sent, replied = _from_events(span)
    if sent or replied:
        return sent, replied
    for prompt, completion in _FLAT:
        sent = _flat(span.attributes, prompt, "user")
        replied = _flat(span.attributes, completion, "assistant")
        if sent or replied:
            return sent, replied
    return _value(span, "input.value", "user"), _value(span, "output.value", "assistant")


def _listed(value: object) -> Messages:
    """A list, or a text that is one as JSON."""
    read = json_or_text(value)
    return read if isinstance(read, list) else []


def _from_events(span: OtelSpan) -> tuple[Messages, Messages]:
    sent: Messages = []
    replied: Messages = []
    for event in span.events:
        role = _EVENT_ROLES.get(event.name)
        if role is None:
            continue
        inside = json_or_text(event.attributes.get("message"))
        message = {
            "role": role,
            **{key: json_or_text(value) for key, value in event.attributes.items()},
            **(inside if isinstance(inside, Mapping) else {}),
        }
        if isinstance(event.attributes.get("content"), str):
            message["content"] = event.attributes["content"]
        if role == "tool" and "id" in message:
            message["tool_call_id"] = message["id"]
        (replied if event.name == "gen_ai.choice" else sent).append(message)
    return sent, replied


def _flat(attributes: Mapping[str, object], prefix: str, role: str) -> Messages:
    """Messages that are written as one attribute per value: `prefix.0.role`, `prefix.0.content`."""
    rows: dict[int, dict[str, object]] = {}
    for name, value in attributes.items():
        match = _NUMBERED.fullmatch(name.removeprefix(f"{prefix}."))
        if match is not None and name.startswith(f"{prefix}."):
            rest = match["rest"].removeprefix("message.")
            rows.setdefault(int(match["number"]), {"role": role})[rest] = value
    messages: Messages = []
    for _, row in sorted(rows.items()):
        calls = _flat_calls(row)
        messages.append({**row, "tool_calls": calls} if calls else row)
    return messages


def _flat_calls(row: Mapping[str, object]) -> list[dict[str, object]]:
    """`tool_calls.0.name`, or `tool_calls.0.tool_call.function.name` of OpenInference."""
    calls: dict[int, dict[str, object]] = {}
    for name, value in row.items():
        match = _NUMBERED.fullmatch(name.removeprefix("tool_calls."))
        if match is not None and name.startswith("tool_calls."):
            key = match["rest"].removeprefix("tool_call.").removeprefix("function.")
            calls.setdefault(int(match["number"]), {})[key] = value
    return [call for _, call in sorted(calls.items())]


def _value(span: OtelSpan, name: str, role: str) -> Messages:
    """The one value of a span that is not about a model, such as a chain."""
    value = json_or_text(span.attributes.get(name))
    if value in (None, ""):
        return []
    if isinstance(value, Mapping):
        listed = value.get("messages")
        if isinstance(listed, list):
            return listed
        texts = [item for item in value.values() if isinstance(item, str)]
        value = texts[0] if len(texts) == 1 else value
    return [{"role": role, "content": value}]
