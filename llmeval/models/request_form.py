"""The form of a request to an OpenAI-compatible endpoint, and its adaptation to what the endpoint
refuses.

Servers differ in how they force a reply to follow a schema. Reasoning models refuse `max_tokens`
and `temperature`. A refusal of such a part (HTTP 400 or 422) changes the form for this and all
later requests to the endpoint.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from msgspec import structs

from llmeval.core.errors import RequestRefused
from llmeval.core.message_parts import MessagePart, chat_parts, response_parts
from llmeval.core.records import Message
from llmeval.models.base import Reply, Request
from llmeval.models.params import LENGTHS, merged

MODES = ("json_schema", "json_object", "tool_call", "none")
"""How an endpoint forces a reply to follow a schema: from the strictest to none at all."""
TOOL = "reply"
"""The name of the tool whose arguments are the reply."""
FORMAT = "response_format"


@dataclass(frozen=True)
class RequestForm:
    """The form of requests to one endpoint."""

    structured: str
    """One of MODES."""
    length: str | None = None
    """The name of the limit on a reply's length; None: as the parameters name it."""
    left_out: frozenset[str] = frozenset()
    """Default parameters that the endpoint refuses."""


class Adaptation(NamedTuple):
    """The next form, and a sentence about the difference."""

    form: RequestForm
    note: str


def adapted(form: RequestForm, error: RequestRefused, request: Request) -> Adaptation | None:
    """The form to use after a refusal; None if no other form avoids it.

    Parameters that the suite states are never left out: they change what is measured.
    """
    refused = error.parameter
    uses_tool = form.structured == "tool_call" and error.about_tools
    if request.schema is not None and (refused == FORMAT or uses_tool):
        return _next_mode(form)
    if refused in ("max_tokens", "max_completion_tokens") and form.length is None:
        other = next(name for name in LENGTHS if name != refused)
        note = f"the endpoint refuses `{refused}`: `{other}` is sent instead"
        return Adaptation(replace(form, length=other), note)
    if refused in request.defaults and refused not in form.left_out:
        left_out = form.left_out | {refused}
        note = f"the endpoint refuses the default `{refused}`: it is left out"
        return Adaptation(replace(form, left_out=left_out), note)
    return None


def _next_mode(form: RequestForm) -> Adaptation | None:
    if form.structured == MODES[-1]:
        return None
    mode = MODES[MODES.index(form.structured) + 1]
    note = (
        f"the endpoint refuses `structured_output: {form.structured}`: `{mode}` is used. Write"
        f" `structured_output: {mode}` on this model"
    )
    return Adaptation(replace(form, structured=mode), note)


def chat_body(
    model: str, form: RequestForm, own: Mapping[str, object], request: Request
) -> dict[str, Any]:
    """The body of a chat completion. `own`: the model's parameters."""
    params = _params(form, own, request)
    body: dict[str, Any] = {"model": model, "messages": _messages(request, chat_parts), **params}
    if request.schema is None:
        return body
    if form.structured == "json_schema":
        body[FORMAT] = {"type": "json_schema", "json_schema": _strict(request.schema)}
    elif form.structured == "json_object":
        body[FORMAT] = {"type": "json_object"}
    elif form.structured == "tool_call":
        function = {"name": TOOL, "description": _PURPOSE, "parameters": request.schema}
        body["tools"] = [{"type": "function", "function": function}]
        body["tool_choice"] = {"type": "function", "function": {"name": TOOL}}
    return body


def response_body(
    model: str, form: RequestForm, own: Mapping[str, object], request: Request
) -> dict[str, Any]:
    """The body of the responses API. `own`: the model's parameters."""
    params = _params(form, own, request)
    for name in LENGTHS:
        if name in params:
            params["max_output_tokens"] = params.pop(name)
    body: dict[str, Any] = {"model": model, "input": _messages(request, response_parts), **params}
    if request.schema is None:
        return body
    if form.structured == "json_schema":
        body["text"] = {"format": {"type": "json_schema", **_strict(request.schema)}}
    elif form.structured == "json_object":
        body["text"] = {"format": {"type": "json_object"}}
    elif form.structured == "tool_call":
        tool = {"name": TOOL, "description": _PURPOSE, "parameters": request.schema}
        body["tools"] = [{"type": "function", **tool}]
        body["tool_choice"] = {"type": "function", "name": TOOL}
    return body


def _messages(
    request: Request, parts: Callable[[Sequence[MessagePart]], list[dict[str, object]]]
) -> list[Message | dict[str, object]]:
    """The messages of a request, with images in the form of the API."""
    return [
        {"role": message.role, "content": parts(message.parts)} if message.parts else message
        for message in request.messages
    ]


def with_tool_text(reply: Reply) -> Reply:
    """The reply with the arguments of its tool call as the text, as for the other modes."""
    for call in reply.tool_calls:
        if call.get("name") == TOOL:
            arguments = call.get("arguments")
            text = arguments if isinstance(arguments, str) else json.dumps(arguments)
            ended = None if reply.finish_reason == "tool_calls" else reply.finish_reason
            return _replaced(reply, text, ended or "stop")
    return reply


def _replaced(reply: Reply, text: str, finish_reason: str) -> Reply:
    return structs.replace(reply, text=text, tool_calls=(), finish_reason=finish_reason)


_PURPOSE = "Submit the reply."


def _params(form: RequestForm, own: Mapping[str, object], request: Request) -> dict[str, Any]:
    params = merged(own, request.params)
    for name in form.left_out & request.defaults:
        params.pop(name, None)
    if form.length is not None:
        stated = next((name for name in LENGTHS if name in params), None)
        if stated is not None:
            params[form.length] = params.pop(stated)
    return params


def _strict(schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": TOOL, "strict": True, "schema": schema}
