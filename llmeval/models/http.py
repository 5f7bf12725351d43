"""An application's own JSON endpoint: the request made from a template, the answer read from a
path.
"""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from llmeval.core.errors import ModelError
from llmeval.core.records import plain, to_json
from llmeval.models.base import Reply, Request
from llmeval.models.client.event_stream import is_event_stream
from llmeval.models.client.failed_reply import stated_failure, states_error
from llmeval.models.client.http_client import MAX_REPLY_BYTES, HttpClient, read_url
from llmeval.models.client.json_body import peek, read_json
from llmeval.models.identity import address, without_keys
from llmeval.models.identity import headers as header_digests
from llmeval.models.params import merged

_STEP = re.compile(r"(?P<key>[^.\[\]]+)|\[(?P<index>\d+)\]")
Render = Callable[[Any, Mapping[str, Any]], Any]


class HttpEndpoint:
    """Any endpoint that takes and gives JSON.

    Args:
        url, method, headers: where the request goes.
        body: JSON whose texts are templates over `prompt` (the last user message), `messages` and
            `params`.
        output: where the answer stands in the reply, such as `data.choices[0].text`; empty = the
            whole reply.
        render: renders the templates in `body`.
        build: stands for the address in its identity.
        timeout: seconds an attempt may take.
        ca_file: certificates to trust besides the system's.
        max_reply_bytes: bound of a reply's body.

    Raises:
        SuiteError: the address, a header, the CA file or the environment's proxy can't be used.
    """

    def __init__(
        self,
        url: str,
        *,
        method: str,
        headers: Mapping[str, str],
        body: Any,
        output: str,
        render: Render,
        params: Mapping[str, Any],
        timeout: float,
        build: str | None = None,
        ca_file: Path | None = None,
        max_reply_bytes: int = MAX_REPLY_BYTES,
    ) -> None:
        parts = read_url(url, "url")
        self._method = method
        self._own_headers = header_digests(headers)
        self._place = {"url": address(parts.geturl())} if build is None else {"build": build}
        self._name = build or address(parts.geturl()).partition("://")[2].partition("?")[0]
        self._body, self._output, self._render = body, output, render
        self._params = dict(params)
        self._http = HttpClient(
            parts.geturl(),
            key="url",
            headers=headers,
            timeout=timeout,
            method=method,
            ca_file=ca_file,
            max_reply_bytes=max_reply_bytes,
        )

    @property
    def identity(self) -> Mapping[str, Any]:
        """Provider, address or build, the suite's own headers, and the form of its requests."""
        return {
            "provider": "http",
            "model": self._name,
            **self._place,
            "method": self._method,
            "headers": self._own_headers,
            "body": without_keys(self._body),
            "output": self._output,
            "params": without_keys(self._params),
        }

    async def answer(self, request: Request) -> Reply:
        """One call, no retries.

        Raises:
            Overloaded, Retryable, ModelError: as for every model; a reply that states an `error`,
                whatever else it holds, one without the output path, or with null there.
        """
        prompt = next((m.content for m in reversed(request.messages) if m.role == "user"), "")
        values = {
            "prompt": prompt,
            "messages": [{"role": m.role, "content": m.content} for m in request.messages],
            "params": merged(self._params, request.params),
        }
        response = await self._http.send(to_json(self._render(self._body, values)))
        if is_event_stream(response.body, response.content_type):
            raise ModelError(
                f"{self._http.host}: the reply is an event stream; the provider http reads one JSON"
                " document: turn streaming off"
            )
        data = read_json(self._http.host, response.body, response.content_type)
        if isinstance(data, dict) and not self._wants_error and states_error(data.get("error")):
            raise stated_failure(
                self._http.host, "an error in a reply of status 200", data["error"]
            )
        return Reply(text=self._text(data, response.body), latency_ms=response.latency_ms)

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()

    @property
    def _wants_error(self) -> bool:
        """Whether the suite takes the answer from the reply's `error`, or the whole reply as the
        answer.
        """
        first = _STEP.match(self._output)
        return first is None or first["key"] == "error"

    def _text(self, value: Any, body: bytes) -> str:
        """The answer at the output path."""
        for step in _STEP.finditer(self._output):
            try:
                value = value[step["key"]] if step["key"] is not None else value[int(step["index"])]
            except (KeyError, IndexError, TypeError, ValueError):
                raise ModelError(
                    f"{self._http.host}: the reply has no {self._output!r}: {peek(body)}"
                ) from None
        if value is None:
            raise ModelError(
                f"{self._http.host}: no answer: {self._output or 'the reply'!r} is null:"
                f" {peek(body)}"
            )
        return value if isinstance(value, str) else json.dumps(plain(value), ensure_ascii=False)
