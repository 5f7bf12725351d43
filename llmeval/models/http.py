"""An application's own JSON endpoint: the request made from a template, the answer found by a path."""

import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from llmeval.errors import ModelError, Retryable, SuiteError, TimedOut
from llmeval.models.base import Reply, Request
from llmeval.models.http_session import failure, open_session
from llmeval.models.identity import address, without_keys
from llmeval.models.identity import headers as header_digests

_STEP = re.compile(r"(?P<key>[^.\[\]]+)|\[(?P<index>\d+)\]")
Render = Callable[[Any, Mapping[str, Any]], Any]


class HttpEndpoint:
    """Any endpoint that takes and gives JSON.

    Args:
        url, method, headers: where the request goes.
        body: JSON whose texts are templates over `prompt` (the last user message), `messages` and `params`.
        output: where the answer stands in the reply, such as `data.choices[0].text`; empty = the whole reply.
        render: renders the templates in `body`.
        build: stands for the address in its identity.
    """

    def __init__(
        self, url: str, *, method: str, headers: Mapping[str, str], body: Any, output: str, render: Render,
        params: Mapping[str, Any], timeout: float, build: str | None = None,
    ) -> None:  # fmt: skip
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise SuiteError(f"url {url!r} is not an http(s) address")
        self._url, self._method, self._headers = url, method, dict(headers)
        self._host = parts.netloc.rpartition("@")[2]
        self._place = {"url": address(url)} if build is None else {"build": build}
        self._name = build or address(url).partition("://")[2].partition("?")[0]
        self._body, self._output, self._render = body, output, render
        self._params, self._timeout = dict(params), timeout
        self._session: Any = None

    @property
    def identity(self) -> Mapping[str, Any]:
        """Provider, address or build, the suite's own headers, and how requests are made."""
        return {
            "provider": "http",
            "model": self._name,
            **self._place,
            "method": self._method,
            "headers": header_digests(self._headers),
            "body": without_keys(self._body),
            "output": self._output,
            "params": without_keys(self._params),
        }

    async def answer(self, request: Request) -> Reply:
        """One call, no retries.

        Raises:
            Overloaded, Retryable, ModelError: as for every model; a reply without the output path is a ModelError.
        """
        import aiohttp

        prompt = next((m.content for m in reversed(request.messages) if m.role == "user"), "")
        values = {
            "prompt": prompt,
            "messages": [{"role": m.role, "content": m.content} for m in request.messages],
            "params": {**self._params, **request.params},
        }
        body = self._render(self._body, values)
        if self._session is None:
            self._session = open_session(self._headers, self._timeout)
        started = time.perf_counter()
        try:
            async with self._session.request(self._method, self._url, json=body, allow_redirects=False) as response:
                received = await response.read()
                if not 200 <= response.status < 300:
                    raise failure(self._host, response.status, response.headers, received)
        except TimeoutError:
            raise TimedOut(f"{self._host}: no answer within {self._timeout:g} s", after=self._timeout) from None
        except (aiohttp.ClientError, OSError) as error:
            raise Retryable(f"{self._host}: {type(error).__name__}: {error}") from None
        return Reply(text=self._text(received), latency_ms=(time.perf_counter() - started) * 1000)

    async def close(self) -> None:
        """Close connections."""
        if self._session is not None:
            await self._session.close()

    def _text(self, received: bytes) -> str:
        try:
            found = json.loads(received)
        except ValueError:
            raise Retryable(f"{self._host}: the reply is not JSON: {received[:80]!r}") from None
        for step in _STEP.finditer(self._output):
            try:
                found = found[step["key"]] if step["key"] is not None else found[int(step["index"])]
            except (KeyError, IndexError, TypeError):
                raise ModelError(f"{self._host}: the reply has no {self._output!r}: {received[:120]!r}") from None
        return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
