"""Any OpenAI-compatible endpoint: chat completions and responses.

The hot path has its own transport (`wire`) and reads replies into typed structs: per call this costs a
fortieth of what the `openai` client costs (docs/benchmarks.md).
The `openai` client itself is used where it does more than carry JSON: name a function that makes one under `client:`
(Azure, own authentication).
"""

import asyncio
import inspect
import json
import os
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from llmeval.errors import Retryable, SuiteError, TimedOut
from llmeval.models.base import Reply, Request
from llmeval.models.http_session import Poster, failure, open_poster
from llmeval.models.identity import address, function_source, without_keys
from llmeval.models.identity import headers as header_digests
from llmeval.models.loading import load_function
from llmeval.models.params import LENGTHS, merged
from llmeval.models.wire import Broken
from llmeval.records import Usage


class _Function(msgspec.Struct):
    name: str = ""
    arguments: Any = None


class _ToolCall(msgspec.Struct):
    function: _Function | None = None


class _Message(msgspec.Struct):
    content: str | list[dict[str, Any]] | None = None
    reasoning_content: Any = None
    reasoning: Any = None
    refusal: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None
    logprobs: dict[str, Any] | None = None


class _Tokens(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None

    def usage(self) -> Usage:
        given, made = self.prompt_tokens, self.completion_tokens
        return Usage(self.input_tokens if given is None else given, self.output_tokens if made is None else made)


class _Completion(msgspec.Struct):
    choices: list[_Choice]
    model: str | None = None
    system_fingerprint: str | None = None
    usage: _Tokens | None = None


class _Part(msgspec.Struct):
    type: str = ""
    text: str = ""
    refusal: str = ""


class _Item(msgspec.Struct):
    type: str = ""
    content: list[_Part] = []
    name: str = ""
    arguments: Any = None


class _Response(msgspec.Struct):
    output: list[_Item]
    model: str | None = None
    status: str | None = None
    usage: _Tokens | None = None
    incomplete_details: dict[str, Any] | None = None


_COMPLETION = msgspec.json.Decoder(_Completion)
_RESPONSE = msgspec.json.Decoder(_Response)


class OpenAIEndpoint:
    """One model behind one endpoint.

    Args:
        model: the name asked for.
        base_url: up to and including /v1.
        api_key: default: the environment's OPENAI_API_KEY.
        params: sampling parameters; a request's own go over them.
        timeout: seconds an attempt may take.
        api: "chat" or "responses".
        structured_output: how the endpoint can be held to a request's schema: json_schema, json_object or none.
        client: module:function that makes an `openai.AsyncOpenAI`; then calls go through it.
        headers: the suite's own, which may decide what answers.
        build: stands for the address in its identity.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str,
        api_key: str | None = None,
        params: Mapping[str, Any] | None = None,
        timeout: float = 120,
        api: str = "chat",
        headers: Mapping[str, str] | None = None,
        structured_output: str = "json_schema",
        client: str | None = None,
        build: str | None = None,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise SuiteError(f"base_url {base_url!r} is not an http(s) address such as https://host/v1")
        self._model = model
        self._host = parts.netloc.rpartition("@")[2]
        self._place = {"url": address(base_url)} if build is None else {"build": build}
        self._own_headers = header_digests(headers or {})
        self._path = "/chat/completions" if api == "chat" else "/responses"
        self._url = base_url.rstrip("/") + self._path
        self._api = api
        self._params = dict(params or {})
        self._timeout = timeout
        self._structured = structured_output
        key = api_key or os.environ.get("OPENAI_API_KEY") or ""
        self._headers = {"Content-Type": "application/json", **(headers or {})}
        if key:
            self._headers.setdefault("Authorization", f"Bearer {key}")
        self._client_factory = client
        self._client: Any = None
        self._poster: Poster | None = None

    @property
    def identity(self) -> Mapping[str, Any]:
        """Provider, model, address or build, API, the suite's own headers and the parameters that every request
        carries. Where a function makes the client and no build is stated, that function too: it may lead elsewhere.
        """
        client = {}
        if self._client_factory is not None and "build" not in self._place:
            made_by = load_function(self._client_factory)
            client = {"client": [self._client_factory, function_source(self._client_factory, made_by)]}
        return {
            "provider": "openai",
            "model": self._model,
            **self._place,
            **client,
            "api": self._api,
            "headers": self._own_headers,
            "params": without_keys(self._params),
            "structured_output": self._structured,
        }

    async def answer(self, request: Request) -> Reply:
        """One call, no retries.

        Raises:
            Overloaded: 429, or 503 with Retry-After. Retryable: time-outs, broken connections, 5xx, broken JSON.
            ModelError: everything that the same request would meet again (400, 401, no quota).
        """
        body = self._body(request)
        started = time.perf_counter()
        data = await (self._by_client(body) if self._client_factory else self._post(msgspec.json.encode(body)))
        latency = (time.perf_counter() - started) * 1000
        try:
            return _chat_reply(data, latency) if self._api == "chat" else _response_reply(data, latency)
        except (msgspec.DecodeError, IndexError) as error:
            raise Retryable(f"{self._host}: the reply is not what the API promises ({error}): {_peek(data)}") from None

    async def close(self) -> None:
        """Close connections."""
        if self._poster is not None:
            await self._poster.close()
        if self._client is not None:
            await self._client.close()

    def _body(self, request: Request) -> dict[str, Any]:
        params = merged(self._params, request.params)
        if self._api == "chat":
            body = {"model": self._model, "messages": request.messages, **params}
            if request.schema is not None and self._structured == "json_schema":
                body["response_format"] = {"type": "json_schema", "json_schema": _strict(request.schema)}
            elif request.schema is not None and self._structured == "json_object":
                body["response_format"] = {"type": "json_object"}
            return body
        for name in LENGTHS:
            if name in params:
                params["max_output_tokens"] = params.pop(name)
        body = {"model": self._model, "input": request.messages, **params}
        if request.schema is not None and self._structured == "json_schema":
            body["text"] = {"format": {"type": "json_schema", **_strict(request.schema)}}
        return body

    async def _post(self, data: bytes) -> bytes:
        if self._poster is None:
            self._poster = open_poster(self._url, self._headers, self._timeout)
        try:
            response = await self._poster.post(data)
        except TimeoutError:
            raise TimedOut(f"{self._host}: no answer within {self._timeout:g} s", after=self._timeout) from None
        except Broken as error:
            raise Retryable(f"{self._host}: the connection broke: {error}") from None
        except OSError as error:
            raise Retryable(f"{self._host}: can't connect: {error}") from None
        if response.status != 200:
            raise failure(self._host, response.status, response.headers, response.body)
        return response.body

    async def _by_client(self, body: dict[str, Any]) -> bytes:
        import openai

        if self._client is None:
            made = load_function(self._client_factory or "")()
            self._client = await made if inspect.isawaitable(made) else made
        client = self._client
        rest = msgspec.json.decode(msgspec.json.encode(body))
        content = "messages" if self._api == "chat" else "input"
        first = {"model": rest.pop("model"), content: rest.pop(content)}
        resource = client.chat.completions if self._api == "chat" else client.responses
        try:
            async with asyncio.timeout(self._timeout):
                response = await resource.with_raw_response.create(**first, extra_body=rest)
            received: bytes = response.content
            return received
        except (TimeoutError, openai.APITimeoutError):
            raise TimedOut(f"{self._host}: no answer within {self._timeout:g} s", after=self._timeout) from None
        except openai.APIStatusError as error:
            raise failure(self._host, error.status_code, error.response.headers, error.response.content) from None
        except openai.APIConnectionError as error:
            raise Retryable(f"{self._host}: can't connect: {error}") from None


def _strict(schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": "reply", "strict": True, "schema": schema}


def _peek(data: bytes) -> str:
    return repr(data[:120].decode("utf-8", "replace"))


def _decoded(data: bytes, decoder: "msgspec.json.Decoder[Any]") -> Any:
    """The reply as a struct. Models do emit half of a surrogate pair, which msgspec refuses and `json` reads."""
    try:
        return decoder.decode(data)
    except msgspec.DecodeError:
        if b"\\ud" not in data.lower():
            raise
        try:
            return msgspec.convert(json.loads(data), decoder.type)
        except ValueError as error:
            raise msgspec.DecodeError(str(error)) from None


def _chat_reply(data: bytes, latency: float) -> Reply:
    completion: _Completion = _decoded(data, _COMPLETION)
    choice = completion.choices[0]
    message = choice.message
    content = message.content
    if isinstance(content, list):
        content = "".join(str(part.get("text", "")) for part in content)
    return Reply(
        text=content or message.refusal or "",
        finish_reason=choice.finish_reason,
        usage=None if completion.usage is None else completion.usage.usage(),
        model=completion.model,
        fingerprint=completion.system_fingerprint,
        tool_calls=tuple(
            {"name": call.function.name, "arguments": call.function.arguments}
            for call in message.tool_calls or ()
            if call.function is not None
        ),
        logprobs=None if choice.logprobs is None else choice.logprobs.get("content"),
        latency_ms=latency,
        reasoning=next(
            (text for text in (message.reasoning_content, message.reasoning) if isinstance(text, str)), None
        ),
    )


def _response_reply(data: bytes, latency: float) -> Reply:
    response: _Response = _decoded(data, _RESPONSE)
    parts = [part for item in response.output if item.type == "message" for part in item.content]
    reason = response.status
    if response.incomplete_details:
        reason = {"max_output_tokens": "length"}.get(str(response.incomplete_details.get("reason")), reason)
    return Reply(
        text="".join(part.text or part.refusal for part in parts),
        finish_reason="stop" if reason == "completed" else reason,
        usage=None if response.usage is None else response.usage.usage(),
        model=response.model,
        tool_calls=tuple(
            {"name": item.name, "arguments": item.arguments} for item in response.output if item.type == "function_call"
        ),
        latency_ms=latency,
    )
