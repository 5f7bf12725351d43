"""HTTP as all endpoints need it: how to post, and the error of an unsuccessful response."""

import json
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from llmeval.errors import ModelError
from llmeval.models.status import status_error
from llmeval.models.wire import Broken, Response, Wire


class Poster(Protocol):
    """Sends bodies to one address."""

    async def post(self, body: bytes) -> Response:
        """The whole response. Raises TimeoutError; OSError: no connection, or it ended too early."""

    async def close(self) -> None:
        """Close connections."""


def open_poster(url: str, headers: Mapping[str, str], timeout: float) -> Poster:
    """The quick way to an address; through the environment's proxy, where there is one for it, the general way."""
    parts = urlsplit(url)
    if parts.scheme in getproxies() and not proxy_bypass(parts.hostname or ""):
        return _SessionPoster(url, headers, timeout)
    return Wire(url, headers, timeout)


class _SessionPoster:
    """Posts by aiohttp, which knows proxies."""

    def __init__(self, url: str, headers: Mapping[str, str], timeout: float) -> None:
        self._url, self._headers, self._timeout = url, headers, timeout
        self._session: Any = None

    async def post(self, body: bytes) -> Response:
        """As `Poster.post`."""
        import aiohttp

        if self._session is None:
            self._session = open_session(self._headers, self._timeout)
        try:
            async with self._session.post(self._url, data=body, allow_redirects=False) as response:
                received: bytes = await response.read()
                headers = {name.lower(): value for name, value in response.headers.items()}
                return Response(response.status, headers, received)
        except aiohttp.ClientError as error:
            raise Broken(f"{type(error).__name__}: {error}") from None

    async def close(self) -> None:
        """Close connections."""
        if self._session is not None:
            await self._session.close()


def open_session(headers: Mapping[str, str], timeout: float) -> Any:
    """An `aiohttp.ClientSession` without a limit of its own on connections (the limiter has one) and without cookies,
    through the environment's proxies where there are any. Call it inside the event loop."""
    import aiohttp

    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=timeout),
        headers=headers,
        trust_env=bool(getproxies()),
    )


def failure(host: str, status: int, headers: Mapping[str, str], body: bytes) -> ModelError:
    """The error for one unsuccessful response; what the status means is said in `status`."""
    return status_error(f"{host}: HTTP {status}: {_message(body)}", status, headers, body)


def _message(body: bytes) -> str:
    """The endpoint's own words, one line, 300 characters at most."""
    text = body[:4000].decode("utf-8", "replace")
    try:
        parsed: Any = json.loads(body)
        error = parsed.get("error", parsed)
        text = str(error.get("message", error) if isinstance(error, dict) else error)
    except (ValueError, AttributeError):
        pass  # not JSON: show it as it is
    return " ".join(text.split())[:300] or "(empty body)"
