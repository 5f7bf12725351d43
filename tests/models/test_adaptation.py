"""Requests change their form where the endpoint refuses a part of them, and the run says so."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from llmeval.core.errors import ModelError, RequestRefused
from llmeval.core.records import Message
from llmeval.models.base import Request
from llmeval.models.client.caller import Caller
from llmeval.models.client.limiter import Limiter
from llmeval.models.openai import OpenAIEndpoint
from tests.support.endpoint import Endpoint, reply, serve, verdict

SCHEMA: dict[str, Any] = {"type": "object", "additionalProperties": False}
ASK = Request(
    messages=(Message("user", "Grade."),),
    params={"temperature": 0, "max_tokens": 50},
    schema=SCHEMA,
    defaults=frozenset(["temperature"]),
)


def refusal(words: str, **more: object) -> tuple[int, Any, dict[str, str]]:
    """HTTP 400 with these words."""
    return 400, {"error": {"message": words, **more}}, {}


def mode_of(body: dict[str, Any]) -> str:
    """How a request forces the schema."""
    if "tools" in body:
        return "tool_call"
    stated = body.get("response_format") or body.get("text", {}).get("format")
    return stated["type"] if stated else "none"


def supports(*modes: str) -> Callable[[dict[str, Any], int], Any]:
    """An endpoint that refuses every other mode, in words of different servers."""

    def handler(body: dict[str, Any], earlier: int) -> Any:
        mode = mode_of(body)
        if mode not in modes:
            words = {
                "json_schema": "'response_format.type' must be one of: text, json_object",
                "json_object": "response_format is not supported by this model",
                "tool_call": "this model does not support tools",
            }
            return refusal(words[mode])
        if mode != "tool_call":
            return verdict("correct")
        if "input" in body:
            call = {"type": "function_call", "name": "reply", "arguments": verdict("correct")}
            return {"status": "completed", "output": [call]}
        function = {"name": "reply", "arguments": verdict("correct")}
        message = {"role": "assistant", "content": None, "tool_calls": [{"function": function}]}
        return reply("", choices=[{"message": message, "finish_reason": "tool_calls"}])

    return handler


def ask(
    handler: Callable[[dict[str, Any], int], Any],
    request: Request = ASK,
    count: int = 1,
    **options: Any,
) -> tuple[Endpoint, OpenAIEndpoint, list[Any]]:
    async def run(server: Endpoint) -> tuple[OpenAIEndpoint, list[Any]]:
        model = OpenAIEndpoint("m", base_url=server.url, api_key="k", **options)
        caller = Caller(model, Limiter(8), None)
        results = await asyncio.gather(
            *(
                caller.ask(Request(**{**_fields(request), "repeat": number}))
                for number in range(count)
            ),
            return_exceptions=True,
        )
        await model.close()
        return model, results

    with serve(handler) as server:
        model, results = asyncio.run(run(server))
    return server, model, results


def _fields(request: Request) -> dict[str, Any]:
    return {name: getattr(request, name) for name in request.__struct_fields__}


@pytest.mark.parametrize(
    ("supported", "sent"),
    [
        (["json_schema"], ["json_schema"]),
        (["json_object"], ["json_schema", "json_object"]),
        (["tool_call"], ["json_schema", "json_object", "tool_call"]),
        (["none"], ["json_schema", "json_object", "tool_call", "none"]),
    ],
)
def test_a_refused_schema_falls_back_step_by_step(supported: list[str], sent: list[str]) -> None:
    server, model, (result,) = ask(supports(*supported))
    assert [mode_of(body) for body in server.requests] == sent
    assert json.loads(result.reply.text)["verdict"] == "correct"
    assert (result.attempts, result.reply.tool_calls) == (len(sent), ())
    assert len(model.adaptations) == len(sent) - 1
    assert all("`structured_output:" in note for note in model.adaptations)


def test_the_responses_api_falls_back_to_a_tool_call() -> None:
    server, _, (result,) = ask(supports("tool_call"), api="responses")
    assert [mode_of(body) for body in server.requests][-1] == "tool_call"
    assert json.loads(result.reply.text)["verdict"] == "correct"


def test_requests_in_flight_adapt_once_together() -> None:
    server, model, results = ask(supports("json_object"), count=8)
    assert all(json.loads(each.reply.text) for each in results)
    assert len(model.adaptations) == 1
    assert {mode_of(body) for body in server.requests[8:]} == {"json_object"}
    assert len(server.requests) <= 16


def reasoning_model(body: dict[str, Any], earlier: int) -> Any:
    """Refuses what the o-series refuses."""
    if "max_tokens" in body:
        words = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
        return refusal(words, param="max_tokens", code="unsupported_parameter")
    if body.get("temperature", 1) != 1:
        words = "Unsupported value: only the default (1) value of 'temperature' is supported."
        return refusal(words, param="temperature", code="unsupported_value")
    return verdict("correct")


def test_reasoning_models_get_the_parameters_that_they_accept() -> None:
    server, model, (result,) = ask(reasoning_model)
    body = server.requests[-1]
    assert json.loads(result.reply.text) and len(server.requests) == 3
    assert body["max_completion_tokens"] == 50
    assert not {"max_tokens", "temperature"} & body.keys()
    assert len(model.adaptations) == 2


def test_a_stated_parameter_is_never_left_out() -> None:
    server, model, (result,) = ask(
        reasoning_model, Request(messages=ASK.messages, params={"temperature": 0})
    )
    assert isinstance(result, ModelError) and "params: {temperature: null}" in str(result)
    assert (len(server.requests), model.adaptations) == (1, ())


@pytest.mark.parametrize(
    "words", ["Invalid model name", "this model's context is 8192 tokens", "tools are not allowed"]
)
def test_another_refusal_is_sent_once(words: str) -> None:
    server, model, (result,) = ask(lambda body, n: refusal(words))
    assert isinstance(result, ModelError) and words in str(result)
    assert (len(server.requests), model.adaptations) == (1, ())


def test_a_refusal_that_nothing_avoids_ends() -> None:
    server, _, (result,) = ask(lambda body, n: refusal("max_tokens is not supported"))
    assert isinstance(result, ModelError)
    assert len(server.requests) == 2  # with each of its two names


def test_without_a_schema_the_words_about_a_format_change_nothing() -> None:
    server, _, (result,) = ask(
        lambda body, n: refusal("response_format is not supported"), Request(messages=ASK.messages)
    )
    assert isinstance(result, ModelError) and isinstance(result.cause, RequestRefused)  # type: ignore[attr-defined]
    assert len(server.requests) == 1
