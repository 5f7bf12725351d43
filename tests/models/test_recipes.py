"""The recipes of docs/endpoints.md, each against a stub that follows the provider's documentation."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from llmeval.core.errors import ModelError
from llmeval.core.records import Message, Usage
from llmeval.models.base import Request
from llmeval.models.client.caller import Caller
from llmeval.models.client.limiter import Limiter
from llmeval.models.factory import make_model
from llmeval.runner.budget import cost_of
from llmeval.suite.model_schema import OpenAISpec, Price
from tests.support.endpoint import Endpoint, reply, serve, verdict

PAGE = Path(__file__).parents[2] / "docs" / "endpoints.md"
RECIPES = {
    name: yaml.safe_load(text)
    for name, text in re.findall(r"### (.+?)\n\n```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    if "provider: openai" in text
}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["evidence", "verdict"],
    "properties": {"evidence": {"type": "string"}, "verdict": {"type": "string"}},
}
GOOD = verdict("correct", "Paris")
KEY = "planted-key"


def error(status: int, body: Any) -> tuple[int, Any, dict[str, str]]:
    """An unsuccessful reply."""
    return status, body, {}


def openai(body: dict[str, Any], earlier: int) -> Any:
    """Refuses what reasoning models refuse, in OpenAI's words."""
    for name, words in (
        ("max_tokens", "Unsupported parameter: 'max_tokens' is not supported with this model."),
        ("temperature", "Unsupported value: 'temperature' does not support 0 with this model."),
    ):
        if name in body:
            return error(400, {"error": {"message": words, "param": name}})
    return GOOD


def anthropic(body: dict[str, Any], earlier: int) -> Any:
    """Ignores `response_format`, and supports tools."""
    if "tools" not in body:
        return f"Here is my grading:\n\n```json\n{GOOD}\n```"
    function = {"name": body["tool_choice"]["function"]["name"], "arguments": GOOD}
    message = {"role": "assistant", "content": "", "tool_calls": [{"function": function}]}
    return reply("", choices=[{"message": message, "finish_reason": "tool_calls"}])


def gemini(body: dict[str, Any], earlier: int) -> Any:
    """Refuses `additionalProperties`, with an error in a list."""
    if "additionalProperties" in json.dumps(body.get("response_format", {})):
        words = (
            'Invalid JSON payload received. Unknown name "additionalProperties" at'
            " 'generation_config.response_schema': Cannot find field."
        )
        return error(400, [{"error": {"code": 400, "message": words}}])
    return GOOD


def stream(body: dict[str, Any], earlier: int) -> Any:
    """An event stream, although nobody asks for one."""
    chunks: list[dict[str, Any]] = [
        {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": part}}]}
        for part in (GOOD[:9], GOOD[9:])
    ]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    text = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
    return 200, text.encode(), {}


def thinking(body: dict[str, Any], earlier: int) -> Any:
    """A server without a parser of reasoning."""
    return f"<think>Paris is right.</think>\n\n{GOOD}"


def strict(body: dict[str, Any], earlier: int) -> Any:
    """A proxy before a model that has no `response_format`."""
    if "response_format" in body:
        words = "litellm.UnsupportedParamsError: m does not support parameters: response_format"
        return error(400, {"error": {"message": words, "type": "None", "code": "400"}})
    return GOOD


STUBS = {
    "Azure OpenAI": lambda body, earlier: GOOD,
    "OpenAI, reasoning models": openai,
    "OpenRouter": lambda body, earlier: reply(
        GOOD, provider="OpenAI", usage={"prompt_tokens": 9, "completion_tokens": 3, "cost": 1e-4}
    ),
    "Anthropic": anthropic,
    "Gemini": gemini,
    "LiteLLM": strict,
    "llama.cpp": thinking,
    "vLLM": lambda body, earlier: GOOD,
    "Ollama": thinking,
    "transformers serve": stream,
}


def play(name: str, handler: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[Endpoint, Any]:
    """One request of a judge to the stub, by the recipe with the stub's host."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    recipe = yaml.safe_load(re.sub(r"\$\{\w+\}", KEY, json.dumps(RECIPES[name])))

    async def run(server: Endpoint) -> Any:
        host = f"http://{urlsplit(server.url).netloc}"
        address = recipe.get("base_url", "https://api.openai.com/v1")
        recipe["base_url"] = re.sub(r"https?://[^/]+", host, address)
        spec = OpenAISpec.model_validate(recipe)
        model = make_model(spec, Path())
        caller = Caller(model, Limiter(2), None, reasoning=spec.reasoning)  # type: ignore[arg-type]
        request = Request(
            messages=(Message("user", "Grade."),),
            params={"temperature": 0},
            schema=SCHEMA,
            defaults=frozenset(["temperature"]),
        )
        try:
            return (await caller.ask(request)).reply
        except ModelError as failure:
            return failure
        finally:
            await model.close()

    with serve(handler) as server:
        return server, asyncio.run(run(server))


def test_every_recipe_has_a_stub() -> None:
    assert RECIPES.keys() == STUBS.keys()


@pytest.mark.parametrize("name", STUBS)
def test_a_recipe_gets_a_verdict(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server, answer = play(name, STUBS[name], monkeypatch)
    assert json.loads(answer.text)["verdict"] == "correct", answer
    stated = urlsplit(RECIPES[name].get("base_url", "https://api.openai.com/v1"))
    path = f"{stated.path}/chat/completions" + (f"?{stated.query}" if stated.query else "")
    assert server.paths[-1] == path
    sent = {key.lower(): value for key, value in server.headers[-1].items()}
    if name == "Azure OpenAI":
        assert sent["api-key"] == KEY and "authorization" not in sent
    else:
        local = RECIPES[name]["api_key"] == "none"
        assert sent["authorization"] == f"Bearer {'none' if local else KEY}"


def test_the_charge_that_openrouter_states_is_the_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    _, answer = play("OpenRouter", STUBS["OpenRouter"], monkeypatch)
    assert answer.usage == Usage(9, 3, None, 1e-4)
    assert cost_of(answer.usage, None) == 1e-4
    assert cost_of(answer.usage, Price(input=0, output=0)) == 0
    for odd in ("0.1", True, -1, None):
        stub = reply(GOOD, usage={"prompt_tokens": 9, "completion_tokens": 3, "cost": odd})
        _, answer = play("OpenRouter", lambda body, n, stub=stub: stub, monkeypatch)
        assert answer.usage == Usage(9, 3)


@pytest.mark.parametrize(
    ("name", "status", "body", "words"),
    [
        (
            "OpenRouter",
            200,
            {"error": {"code": 402, "message": "Insufficient credits"}},
            "HTTP 402: Insufficient credits",
        ),
        (
            "Anthropic",
            401,
            {"type": "error", "error": {"type": "authentication_error", "message": "invalid key"}},
            "HTTP 401: invalid key",
        ),
        ("Gemini", 400, [{"error": {"message": "API key not valid."}}], "API key not valid."),
        ("Azure OpenAI", 404, {"error": {"message": "Resource not found"}}, "Resource not found"),
        (
            "Ollama",
            404,
            {"error": {"message": "model 'x' not found, try pulling it first"}},
            "try pulling it first",
        ),
        ("vLLM", 400, {"object": "error", "message": "Roles must alternate"}, "must alternate"),
        ("LiteLLM", 400, {"error": {"message": "Invalid model name"}}, "Invalid model name"),
    ],
)
def test_a_lasting_error_is_sent_once_in_the_provider_s_words(
    name: str, status: int, body: Any, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, failure = play(name, lambda request, earlier: error(status, body), monkeypatch)
    assert isinstance(failure, ModelError) and words in str(failure)
    assert len(server.requests) == 1
    assert KEY not in str(failure)
