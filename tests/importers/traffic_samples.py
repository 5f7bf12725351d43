"""Recorded traffic for tests: spans in OTLP-JSON, traces of Langfuse, chat logs."""

import json
from typing import Any

JSON = dict[str, Any]
BEGIN = 1_760_000_000_000_000_000
"""Nanoseconds since 1970 at which the samples start."""


def attributes(values: JSON) -> list[JSON]:
    """A list of `{key, value}`, as OTLP writes attributes."""
    return [{"key": key, "value": any_value(value)} for key, value in values.items()]


def any_value(value: Any) -> JSON:
    """A value in the form of OTLP's `AnyValue`."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [any_value(item) for item in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": attributes(value)}}
    return {"stringValue": str(value)}


def span(
    trace: str, name: str, start: int, end: int, values: JSON, *, parent: str = "", **more: Any
) -> JSON:
    """A span from `start` to `end` in milliseconds; its id is its name."""
    return {
        "traceId": trace,
        "spanId": f"{trace}-{name}",
        "parentSpanId": parent and f"{trace}-{parent}",
        "name": name,
        "startTimeUnixNano": str(BEGIN + start * 1_000_000),
        "endTimeUnixNano": str(BEGIN + end * 1_000_000),
        "attributes": attributes(values),
        **more,
    }


def document(*spans: JSON) -> JSON:
    """The spans as one OTLP-JSON document."""
    return {"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {}, "spans": [*spans]}]}]}


def said(role: str, *parts: JSON | str) -> JSON:
    """A message of the GenAI conventions."""
    as_parts = [
        {"type": "text", "content": part} if isinstance(part, str) else part for part in parts
    ]
    return {"role": role, "parts": as_parts}


def chat(sent: list[JSON], replied: list[JSON], **more: Any) -> JSON:
    """The attributes of a call of a model; messages as JSON texts, as instrumentations write them."""
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "small-2",
        "gen_ai.input.messages": json.dumps(sent),
        "gen_ai.output.messages": json.dumps(replied),
        **more,
    }


ASKED = said("user", "When does parcel 5 arrive?")
CALLED = said(
    "assistant", {"type": "tool_call", "id": "c1", "name": "track", "arguments": {"id": 5}}
)
RESULT = said("tool", {"type": "tool_call_response", "id": "c1", "response": {"days": 3}})
ANSWERED = said("assistant", "Parcel 5 arrives in 3 days.")


def agent_trace(trace: str = "t1", **more: Any) -> list[JSON]:
    """An agent that calls a tool, retrieves two passages and answers."""
    tokens = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 7}
    documents = [
        {"id": "kb-1", "content": "Parcels take 3 days."},
        {"id": "kb-2", "content": "Hi."},
    ]
    return [
        span(trace, "invoke_agent", 0, 900, {"gen_ai.operation.name": "invoke_agent", **more}),
        span(trace, "chat 1", 10, 200, chat([ASKED], [CALLED], **tokens), parent="invoke_agent"),
        span(
            trace,
            "execute_tool track",
            210,
            400,
            {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "track",
                "gen_ai.tool.call.arguments": {"id": 5},
                "gen_ai.tool.call.result": json.dumps({"days": 3}),
            },
            parent="invoke_agent",
        ),
        span(
            trace,
            "retrieval",
            410,
            450,
            {"gen_ai.operation.name": "retrieval", "gen_ai.retrieval.documents": documents},
            parent="invoke_agent",
        ),
        span(
            trace,
            "chat 2",
            460,
            890,
            chat([ASKED, CALLED, RESULT], [ANSWERED], **tokens),
            parent="invoke_agent",
        ),
    ]


LANGFUSE = {
    "id": "lf-1",
    "name": "rag",
    "timestamp": "2031-05-04T10:00:00Z",
    "input": {"question": "Who paints fences?"},
    "output": {"answer": "Rita paints fences."},
    "latency": 1.5,
    "tags": ["eu"],
    "observations": [
        {
            "id": "o1",
            "type": "RETRIEVER",
            "output": [{"page_content": "Rita paints fences.", "metadata": {"source": "d1"}}],
            "startTime": "2031-05-04T10:00:00Z",
        },
        {
            "id": "o2",
            "type": "TOOL",
            "name": "calendar",
            "input": {"day": 4},
            "output": "free",
            "startTime": "2031-05-04T10:00:01Z",
        },
        {
            "id": "o3",
            "type": "GENERATION",
            "model": "small-2",
            "usageDetails": {"input": 50, "output": 5},
            "startTime": "2031-05-04T10:00:01Z",
        },
    ],
    "scores": [
        {"name": "helpful", "value": 1, "comment": "so it is"},
        {"name": "stars", "value": 4},
    ],
}
CHATS = [
    {
        "id": "plain",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": "Good day."},
        ],
    },
    {
        "request": {"messages": [{"role": "user", "content": "Add 1 and 2."}], "model": "m"},
        "response": {
            "id": "called",
            "model": "m-0611",
            "choices": [
                {
                    "message": {
                        "content": None,
                        "tool_calls": [
                            {
                                "id": "q",
                                "function": {"name": "add", "arguments": '{"a": 1, "b": 2}'},
                            }
                        ],
                    }
                }
            ],
            "usage": {"prompt_tokens": 9, "completion_tokens": 4},
        },
    },
    {
        "custom_id": "batch",
        "body": {"input": "Say yes.", "instructions": "Be short."},
        "response": {
            "body": {
                "output": [
                    {"type": "reasoning"},
                    {
                        "type": "message",
                        "role": "assistant",
                        "content": [{"type": "output_text", "text": "Yes."}],
                    },
                ]
            }
        },
    },
    {
        "id": "lost",
        "messages": [{"role": "user", "content": "Still there?"}],
        "error": {"message": "the server was busy"},
    },
]
