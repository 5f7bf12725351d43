"""Any OpenAI-compatible endpoint: chat completions and responses.

`http_client` sends requests, and `openai_replies` reads replies. The `openai` client itself is used
only if a suite names a function that makes one under `client:`, such as for your own
authentication.
"""

import asyncio
import inspect
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs

from llmeval.core.errors import RequestAdapted, RequestRefused, Retryable, TimedOut
from llmeval.core.function_source import function_source
from llmeval.core.records import to_json
from llmeval.core.redaction import hide
from llmeval.models.base import Reply, Request
from llmeval.models.client.failed_reply import failure
from llmeval.models.client.http_client import (
    MAX_REPLY_BYTES,
    HttpClient,
    Response,
    authorised,
    read_url,
    with_path,
)
from llmeval.models.identity import address, without_keys
from llmeval.models.identity import headers as header_digests
from llmeval.models.loading import load_function
from llmeval.models.openai_replies import chat_reply, response_reply
from llmeval.models.request_form import (
    RequestForm,
    adapted,
    chat_body,
    response_body,
    with_tool_text,
)


def _key_of_environment() -> str | None:
    """The key in OPENAI_API_KEY, which is a secret from now on."""
    key = os.environ.get("OPENAI_API_KEY")
    hide([key] if key else [])
    return key


class OpenAIEndpoint:
    """One model behind one endpoint.

    Args:
        model: the model's name at the endpoint.
        base_url: up to and including /v1; the path is added before a query (Azure:
            `...?api-version=...`).
        api_key: sent as a Bearer token, unless `headers` contain an `api-key` or `Authorization`;
            default: the environment's OPENAI_API_KEY.
        params: sampling parameters; those of a request replace them.
        timeout: the time limit of an attempt in seconds.
        api: "chat" or "responses".
        structured_output: how the endpoint enforces a request's schema: json_schema, json_object,
            tool_call or none. After a refusal the next one is used.
        client: module:function that makes an `openai.AsyncOpenAI`; then calls go through it.
        headers: the suite's own; they are part of the identity.
        build: replaces the address in its identity.
        ca_file: certificates to trust in addition to the system's.
        max_reply_bytes: the limit on the size of a reply's body.

    Raises:
        SuiteError: the address, a header, the CA file or the environment's proxy can't be used.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str,
        api_key: str | None = None,
        params: Mapping[str, object] | None = None,
        timeout: float = 120,
        api: str = "chat",
        headers: Mapping[str, str] | None = None,
        structured_output: str = "json_schema",
        client: str | None = None,
        build: str | None = None,
        ca_file: Path | None = None,
        max_reply_bytes: int = MAX_REPLY_BYTES,
    ) -> None:
        parts = read_url(base_url, "base_url")
        self._model = model
        self._host = parts.netloc
        self._place = {"url": address(parts.geturl())} if build is None else {"build": build}
        self._own_headers = header_digests(headers or {})
        self._api = api
        self._params = dict(params or {})
        self._timeout = timeout
        self._structured = structured_output
        self._form = RequestForm(structured_output)
        self._adaptations: list[str] = []
        path = "/chat/completions" if api == "chat" else "/responses"
        self._http = HttpClient(
            with_path(parts, path),
            key="base_url",
            suffix=path,
            headers=authorised(headers or {}, api_key or _key_of_environment()),
            timeout=timeout,
            ca_file=ca_file,
            max_reply_bytes=max_reply_bytes,
        )
        self._client_factory = client
        self._client: Any = None

    @property
    def identity(self) -> Mapping[str, Any]:
        """Provider, model, address or build, API, the suite's own headers and the parameters that
        every request contains. If a function makes the client and no build is stated, the source of
        that function too: it may choose another address.
        """
        client = {}
        if self._client_factory is not None and "build" not in self._place:
            made_by = load_function(self._client_factory)
            client = {
                "client": [self._client_factory, function_source(self._client_factory, made_by)]
            }
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
            Overloaded: 429, or 503 with Retry-After.
            Retryable: time-outs, broken connections, 5xx, a reply that the endpoint broke off.
            Unreadable: the reply is not JSON.
            RequestAdapted: the endpoint refused a part of the request, and the next attempt has
                another form.
            ModelError: failures that would occur again (400, 401, no quota, a reply of another
                structure, a blocked answer).
        """
        form, chat = self._form, self._api == "chat"
        body = (chat_body if chat else response_body)(self._model, form, self._params, request)
        try:
            response = await (
                self._by_client(body) if self._client_factory else self._http.send(to_json(body))
            )
            reply = (chat_reply if chat else response_reply)(self._host, response)
        except RequestRefused as error:
            self._adapt(form, error, request)
            raise RequestAdapted(str(error)) from None
        if request.schema is None:
            return reply
        if form.structured != self._structured:
            reply = structs.replace(reply, structured=form.structured)
        return with_tool_text(reply) if form.structured == "tool_call" else reply

    @property
    def adaptations(self) -> tuple[str, ...]:
        """What the endpoint refused, and what is sent instead."""
        return tuple(self._adaptations)

    def _adapt(self, sent: RequestForm, error: RequestRefused, request: Request) -> None:
        """Change the form of later requests after a refusal.

        Args:
            sent: the form of the refused request. It may be older than the current one, because
                several requests are in flight.
            error: the refusal; raised again if no other form avoids it.
            request: the refused request.
        """
        if sent != self._form:
            return
        adaptation = adapted(sent, error, request)
        if adaptation is None:
            raise error
        self._form = adaptation.form
        self._adaptations.append(f"{self._model} ({self._host}): {adaptation.note}")

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()
        if self._client is not None:
            await self._client.close()

    async def _by_client(self, body: dict[str, object]) -> Response:
        import openai

        if self._client is None:
            client = load_function(self._client_factory or "")()
            self._client = await client if inspect.isawaitable(client) else client
        client = self._client
        rest = msgspec.json.decode(to_json(body))
        content = "messages" if self._api == "chat" else "input"
        first = {"model": rest.pop("model"), content: rest.pop(content)}
        resource = client.chat.completions if self._api == "chat" else client.responses
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._timeout):
                response = await resource.with_raw_response.create(**first, extra_body=rest)
            kind = str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()
            return Response(response.content, kind, (time.perf_counter() - started) * 1000)
        except (TimeoutError, openai.APITimeoutError):
            raise TimedOut(
                f"{self._host}: no answer within {self._timeout:g} s", after=self._timeout
            ) from None
        except openai.APIStatusError as error:
            raise failure(
                self._host, error.status_code, error.response.headers, error.response.content
            ) from None
        except openai.APIConnectionError as error:
            raise Retryable(f"{self._host}: can't connect: {error}") from None
