"""Decision models: POST {base}/v1/systemone asks several questions about one state and gives probabilities, no text.

Served under this path by several vendors, and by some under a path of their own with the reply in an envelope.
`confidence` in a reply is not one formula across vendors and is not used.
"""

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from llmeval.errors import ModelError, Retryable, SuiteError, TimedOut
from llmeval.models.base import Reply, Request
from llmeval.models.http_session import failure, open_session
from llmeval.models.identity import address, without_keys
from llmeval.models.identity import headers as header_digests
from llmeval.models.params import merged
from llmeval.records import Usage


class SystemOne:
    """One decision model behind one endpoint.

    Args:
        model: the name asked for.
        base_url: up to and including /v1, or the whole address.
        api_key: sent as a Bearer token.
        params: further fields of each request.
        headers: the suite's own, which may decide what answers.
        timeout: seconds an attempt may take.
        build: stands for the address in its identity.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        timeout: float = 120,
        build: str | None = None,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise SuiteError(f"base_url {base_url!r} is not an http(s) address such as https://host/v1")
        self._url = base_url.rstrip("/") + ("/systemone" if parts.path.rstrip("/").endswith("/v1") else "")
        self._host = parts.netloc.rpartition("@")[2]
        self._place = {"url": address(self._url)} if build is None else {"build": build}
        self._own_headers = header_digests(headers or {})
        self._model, self._params, self._timeout = model, dict(params or {}), timeout
        self._headers = {**(headers or {})}
        if api_key:
            self._headers.setdefault("Authorization", f"Bearer {api_key}")
        self._session: Any = None

    @property
    def identity(self) -> Mapping[str, Any]:
        """Provider, model, address or build, the suite's own headers, and the parameters that every request carries."""
        return {
            "provider": "systemone",
            "model": self._model,
            **self._place,
            "headers": self._own_headers,
            "params": without_keys(self._params),
        }

    async def answer(self, request: Request) -> Reply:
        """One call: every question about the last message, which is the state. The reply's text is
        {id: {option: probability}}.

        Raises:
            Overloaded, Retryable, ModelError: as for every model; a reply without probabilities is Retryable.
        """
        import aiohttp

        if not request.questions:
            raise ModelError("a decision model answers questions only: it can't be a candidate", kind="config")
        body = {
            "model": self._model,
            "state": _state(request.messages[-1].content),
            "questions": request.questions,
            **merged(self._params, request.params),
        }
        if self._session is None:
            self._session = open_session(self._headers, self._timeout)
        started = time.perf_counter()
        try:
            async with self._session.post(self._url, json=body, allow_redirects=False) as response:
                received = await response.read()
                if response.status != 200:
                    raise failure(self._host, response.status, response.headers, received)
        except TimeoutError:
            raise TimedOut(f"{self._host}: no answer within {self._timeout:g} s", after=self._timeout) from None
        except (aiohttp.ClientError, OSError) as error:
            raise Retryable(f"{self._host}: {type(error).__name__}: {error}") from None
        return self._reply(received, request.questions, (time.perf_counter() - started) * 1000)

    async def close(self) -> None:
        """Close connections."""
        if self._session is not None:
            await self._session.close()

    def _reply(self, received: bytes, questions: Mapping[str, Any], latency: float) -> Reply:
        try:
            found = json.loads(received)
            found = found if "answers" in found else found["result"]
            shares = {name: _shares(found["answers"][name], questions[name]) for name in questions}
            usage = found.get("usage") or {}
            tokens = Usage(usage.get("input_tokens"), usage.get("output_tokens")) if usage else None
            return Reply(text=json.dumps(shares), usage=tokens, model=found.get("model"), latency_ms=latency)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            what = f"{type(error).__name__}: {error}"
            raise Retryable(f"{self._host}: not an answer to each question ({what}): {received[:120]!r}") from None


def _shares(answer: Mapping[str, Any], question: Mapping[str, Any]) -> dict[str, float]:
    """{option: probability}, whichever kind of answer it is; a score's levels are named by their number."""
    if answer.get("type") == "noul":
        return {"true": float(answer["noul"]), "false": 1 - float(answer["noul"])}
    given = answer["probabilities"]
    criteria = question["criteria"]
    names = criteria if isinstance(criteria, Mapping) else map(str, range(len(criteria)))
    return {name: float(given[name]) for name in names}


def _state(content: str) -> Any:
    """The message as JSON where it is JSON."""
    try:
        return json.loads(content)
    except ValueError:
        return content
