"""The OpenAI-compatible provider against a real server, and against the types of the `openai`
package.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from llmeval.core.errors import (
    ModelError,
    Overloaded,
    RequestRefused,
    Retryable,
    ServerError,
    SuiteError,
    Unreadable,
)
from llmeval.core.records import Message, Usage
from llmeval.models.base import Reply, Request
from llmeval.models.openai import OpenAIEndpoint
from tests.support.endpoint import Handler, reply, serve
from tests.support.tables import each_row

REQUEST = Request(
    messages=(Message("system", "Be brief."), Message("user", "Hi é")), params={"max_tokens": 5}
)


def ask(
    handler: Handler, request: Request = REQUEST, **options: Any
) -> tuple[Reply, dict[str, Any], dict[str, str]]:
    async def call(url: str) -> Reply:
        model = OpenAIEndpoint("m", base_url=url, api_key="k", params={"temperature": 0}, **options)
        try:
            return await model.answer(request)
        finally:
            await model.close()

    with serve(handler) as endpoint:
        answer = asyncio.run(call(endpoint.url))
        return answer, endpoint.requests[-1], endpoint.headers[-1]


def test_a_chat_completion() -> None:
    answer, body, headers = ask(lambda body, n: "Hello é")
    assert (answer.text, answer.finish_reason, answer.model, answer.fingerprint) == (
        "Hello é",
        "stop",
        "served-model",
        "fp_1",
    )
    assert answer.usage == Usage(10, 5)
    assert answer.latency_ms is not None
    assert answer.latency_ms > 0
    assert body == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi é"},
        ],
        "temperature": 0,
        "max_tokens": 5,
    }
    assert headers["Authorization"] == "Bearer k"


def test_a_schema_is_sent_as_the_endpoint_takes_it() -> None:
    request = Request(messages=(Message("user", "x"),), schema={"type": "object"})
    _, body, _ = ask(lambda body, n: "{}", request)
    expected = {"name": "reply", "strict": True, "schema": {"type": "object"}}
    assert body["response_format"] == {"type": "json_schema", "json_schema": expected}
    _, body, _ = ask(lambda body, n: "{}", request, structured_output="json_object")
    assert body["response_format"] == {"type": "json_object"}
    _, body, _ = ask(lambda body, n: "{}", request, structured_output="none")
    assert "response_format" not in body


def test_the_responses_api() -> None:
    served = {
        "model": "r",
        "status": "incomplete",
        "incomplete_details": {"reason": "max_output_tokens"},
        "output": [
            {"type": "reasoning", "content": []},
            {
                "type": "message",
                "content": [{"type": "output_text", "text": text} for text in "ab"],
            },
            {"type": "function_call", "name": "f", "arguments": "{}"},
        ],
        "usage": {"input_tokens": 3, "output_tokens": 4},
    }
    answer, body, _ = ask(lambda body, n: served, api="responses")
    assert (answer.text, answer.finish_reason, answer.usage) == ("ab", "length", Usage(3, 4))
    assert answer.tool_calls == ({"name": "f", "arguments": "{}"},)
    assert body["max_output_tokens"] == 5
    assert body["input"][1]["content"] == "Hi é"


def test_replies_without_text() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    answer, _, _ = ask(
        lambda body, n: {
            "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]
        }
    )
    assert (answer.text, answer.tool_calls, answer.usage) == (
        "",
        ({"name": "f", "arguments": '{"a": 1}'},),
        None,
    )
    refusal = {
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": None, "refusal": "No."}}
        ]
    }
    answer, _, _ = ask(lambda body, n: refusal)
    assert answer.text == "No."


@each_row(
    ("status", "body", "headers", "kind", "told"),
    [
        (500, {"error": {"message": "boom"}}, {}, ServerError, "HTTP 500: boom"),
        (429, {"error": {"message": "slow down"}}, {"Retry-After": "3"}, Overloaded, "slow down"),
        (429, {"error": {"code": "insufficient_quota", "message": "pay"}}, {}, ModelError, "pay"),
        (503, {}, {"Retry-After": "2"}, Overloaded, "HTTP 503"),
        (503, {}, {}, Retryable, "HTTP 503"),
        (529, {}, {}, Overloaded, "HTTP 529"),
        (401, {"error": {"message": "bad key"}}, {}, ModelError, "check `api_key`"),
        (404, {}, {}, ModelError, "check `model` and `base_url`"),
        (400, b"<html>no</html>", {}, RequestRefused, "a web page"),
        (
            302,
            {},
            {"Location": "http://elsewhere/chat/completions"},
            ModelError,
            "set `base_url` to http://elsewhere",
        ),
        (200, b"{truncated", {}, Unreadable, "not JSON"),
        (200, b"", {}, Unreadable, "empty"),
        (200, {"choices": []}, {}, ModelError, "does not follow the API"),
        (200, {"error": "x"}, {}, Retryable, "broke off"),
    ],
)
def test_failures_have_the_right_class(
    status: int, body: Any, headers: dict[str, str], kind: type[Exception], told: str
) -> None:
    with pytest.raises(kind) as caught:
        ask(lambda request, n: (status, body, headers))
    assert type(caught.value) is kind
    assert told in str(caught.value)


def test_retry_after_is_read() -> None:
    for headers, seconds in (({"Retry-After": "3"}, 3.0), ({"retry-after-ms": "250"}, 0.25)):
        with pytest.raises(Overloaded) as caught:
            ask(lambda body, n, headers=headers: (429, {}, headers))  # type: ignore[misc]
        assert caught.value.retry_after == seconds


def test_a_reset_a_time_out_and_a_closed_port_are_retryable() -> None:
    with pytest.raises(Retryable, match="connection broke"):
        ask(lambda body, n: "reset")

    async def slow() -> str:
        await asyncio.sleep(5)
        return "late"

    with pytest.raises(Retryable, match=r"no answer within 0.05 s"):
        ask(lambda body, n: slow(), timeout=0.05)

    async def closed() -> None:
        model = OpenAIEndpoint("m", base_url="http://127.0.0.1:9/v1")
        try:
            await model.answer(REQUEST)
        finally:
            await model.close()

    with pytest.raises(Retryable, match="can't connect"):
        asyncio.run(closed())


def test_the_openai_client_gives_the_same_reply(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`client:` sends the same body and reads the same reply as the hot path."""
    with serve(lambda body, n: "same") as endpoint:
        (tmp_path / "azure_like.py").write_text(
            "import openai\n"
            f"def make(): return openai.AsyncOpenAI(base_url={endpoint.url!r}, api_key='z', max_retries=0)\n"
        )
        monkeypatch.syspath_prepend(str(tmp_path))

        async def both() -> tuple[Reply, Reply]:
            replies = []
            for client in (None, "azure_like:make"):
                model = OpenAIEndpoint("m", base_url=endpoint.url, api_key="z", client=client)
                replies.append(await model.answer(REQUEST))
                await model.close()
            return replies[0], replies[1]

        one, two = asyncio.run(both())
        assert endpoint.requests[0] == endpoint.requests[1]
        assert (one.text, one.usage, one.model) == (two.text, two.usage, two.model)


def test_what_we_read_is_what_the_openai_package_reads() -> None:
    from openai.types.chat import ChatCompletion

    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    served = reply("text", created=1, object="chat.completion", usage=usage)
    answer, _, _ = ask(lambda body, n: served)
    theirs = ChatCompletion.model_validate(json.loads(json.dumps(served)))
    assert theirs.choices[0].message.content == answer.text
    assert theirs.usage is not None
    assert answer.usage == Usage(theirs.usage.prompt_tokens, theirs.usage.completion_tokens)


def test_the_identity_has_no_key_and_no_limit() -> None:
    model = OpenAIEndpoint("m", base_url="https://host:8000/v1", api_key="sk-secret", timeout=3)
    assert "secret" not in json.dumps(model.identity)
    assert model.identity["url"] == "https://host:8000/v1"


def test_a_stated_build_stands_for_the_host() -> None:
    one, other = (
        OpenAIEndpoint("m", base_url=url, build="m@1").identity
        for url in ("http://a:1/v1", "http://b/v1")
    )
    assert one == other
    assert one["build"] == "m@1"
    assert "host" not in one


def test_an_azure_deployment() -> None:
    async def call(url: str) -> Reply:
        model = OpenAIEndpoint(
            "m",
            base_url=f"{url}/deployments/d?api-version=1",
            api_key="k",
            headers={"api-key": "a"},
        )
        try:
            return await model.answer(REQUEST)
        finally:
            await model.close()

    with serve(lambda body, n: "Hello") as endpoint:
        assert asyncio.run(call(endpoint.url)).text == "Hello"
    assert endpoint.paths == ["/v1/deployments/d/chat/completions?api-version=1"]
    assert endpoint.headers[0]["api-key"] == "a"
    assert "Authorization" not in endpoint.headers[0]


def test_a_bad_address_is_refused() -> None:
    with pytest.raises(SuiteError, match="not an http"):
        OpenAIEndpoint("m", base_url="localhost:8000/v1")
