"""HTTP for every provider: one request to one address through aiohttp, with a limit on the size of
the reply.

aiohttp implements the protocol: persistent connections, compression, proxies, TLS, limits on
headers. This module turns each failure into an error: `Retryable` if another attempt may succeed,
or `ModelError` if the same request would fail again. It sends nothing twice: when a connection
breaks, it is unknown whether the server carried out the request (RFC 9110 section 9.2.2).
"""

import ipaddress
import os
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import SplitResult, unquote, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

from llmeval.core.errors import ModelError, SuiteError, TimedOut
from llmeval.core.redaction import hide
from llmeval.models.base import ChatSession
from llmeval.models.client.failed_reply import failure, one_line
from llmeval.models.client.network_errors import network_error

if TYPE_CHECKING:
    import aiohttp

MAX_REPLY_BYTES = 16 * 2**20
"""Default limit on the size of a reply's body, in bytes after decompression."""
_MOST_OF_AN_ERROR = 2**20
"""Bytes of an unsuccessful reply that are read: its message is at the beginning."""
_PORTS = range(1, 65536)
_NO_BODY = frozenset(["GET"])


class Response(NamedTuple):
    """A successful reply."""

    body: bytes
    content_type: str
    """The media type in lower case, without parameters; empty if the server states none."""
    latency_ms: float


class HttpClient:
    """Requests to one address.

    Args:
        url: http or https, as `read_url` accepts it.
        key: the suite key that holds the address, for messages: `base_url` or `url`.
        suffix: the path that was added to the address of the suite file. A message with a new
            address removes it again.
        headers: sent with every request.
        timeout: the time limit of a request in seconds, including the connection.
        method: POST, PUT or GET; GET sends no body.
        ca_file: certificates to trust in addition to the system's.
        max_reply_bytes: a longer body is an error.

    Raises:
        SuiteError: the address, a header, the CA file or the environment's proxy can't be used.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str,
        headers: Mapping[str, str],
        timeout: float,
        suffix: str = "",
        method: str = "POST",
        ca_file: Path | None = None,
        max_reply_bytes: int = MAX_REPLY_BYTES,
    ) -> None:
        parts = read_url(url, key)
        self._url, self._key, self._suffix, self._method = parts.geturl(), key, suffix, method
        self.host = parts.netloc
        self._headers = _checked_headers(headers)
        self._timeout, self._most = timeout, max_reply_bytes
        self._proxy = _proxy(parts)
        self._tls = _tls(ca_file) if parts.scheme == "https" else None
        self._session: aiohttp.ClientSession | None = None

    async def send(
        self,
        data: bytes,
        chat: ChatSession | None = None,
        url: str | None = None,
        headers: Mapping[str, str] = {},
    ) -> Response:
        """Send one request, and return a reply with a status of 2xx.

        Args:
            data: the body.
            chat: the conversation that the request belongs to. Its cookies are sent, and those of
                the reply are kept for its next turn. Without it cookies are ignored.
            url: another path or query at the same host, for this request.
            headers: further headers of this request.

        Raises:
            Overloaded, Retryable, ModelError: by the kind of failure, see docs/endpoints.md.
        """
        import aiohttp
        from yarl import URL

        session = self._session or self._open()
        target = url or self._url
        body = None if self._method in _NO_BODY else data
        started = time.perf_counter()
        try:
            # headers belong to the request: aiohttp sends headers of the session, with the key, to
            # a proxy as well
            async with session.request(
                self._method,
                URL(target, encoded=url is not None),
                data=body,
                headers={**self._headers, **headers},
                cookies=None if chat is None else _jar(chat).filter_cookies(URL(target)),
                allow_redirects=False,
                proxy=self._proxy,
            ) as response:
                received = await self._body(response)
                status, received_headers = response.status, response.headers
                if chat is not None:
                    _jar(chat).update_cookies(response.cookies, response.url)
        except TimeoutError:
            raise TimedOut(
                f"{self.host}: no answer within {self._timeout:g} s", after=self._timeout
            ) from None
        except (aiohttp.ClientError, OSError) as error:
            raise network_error(self.host, self._key, error) from None
        latency_ms = (time.perf_counter() - started) * 1000
        if 300 <= status < 400:
            raise self._redirected(status, received_headers.get("Location", ""))
        if not 200 <= status < 300:
            raise failure(self.host, status, received_headers, received)
        kind = received_headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return Response(received, kind, latency_ms)

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> "aiohttp.ClientSession":
        """The session: without cookies, and without a limit on connections (the
        limiter has one).
        """
        import aiohttp

        from llmeval.models.client.eager_request import EagerRequest

        self._session = aiohttp.ClientSession(
            request_class=EagerRequest,
            connector=aiohttp.TCPConnector(limit=0, ssl=self._tls or True),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=self._timeout),
        )
        return self._session

    async def _body(self, response: "aiohttp.ClientResponse") -> bytes:
        """The whole body, decompressed; for an unsuccessful reply only its beginning.

        Raises:
            ModelError: it is longer than the limit.
        """
        content, failed = response.content, response.status >= 300
        most = _MOST_OF_AN_ERROR if failed else self._most
        if content.is_eof() and content.total_bytes <= most:
            return (
                content.read_nowait()
            )  # fast path: for most replies the whole body came with the head
        chunks, size = [], 0
        async for chunk in content.iter_any():
            size += len(chunk)
            if size > most:
                response.close()
                if failed:
                    break
                raise ModelError(
                    f"{self.host}: the reply is longer than {most} bytes; if such replies are"
                    " correct, raise `max_reply_bytes`"
                )
            chunks.append(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _redirected(self, status: int, location: str) -> ModelError:
        """The error for a redirect. Requests contain a key, so they do not follow redirects."""
        if not location:
            return ModelError(
                f"{self.host}: HTTP {status}: a redirect without a target; check `{self._key}`"
            )
        target = one_line(urljoin(self._url, location))
        address = target.partition("?")[0].removesuffix(self._suffix) if self._suffix else target
        return ModelError(f"{self.host}: HTTP {status} to {target}: set `{self._key}` to {address}")


def _jar(chat: ChatSession) -> "aiohttp.CookieJar":
    """The cookies of a conversation."""
    import aiohttp

    if chat.cookies is None:
        # all its requests go to one address, which may be an IP address, as in tests
        chat.cookies = aiohttp.CookieJar(unsafe=True)
    return chat.cookies


def read_url(value: str, key: str) -> SplitResult:
    """The parts of an address from a suite file, without surrounding blanks and without a fragment.

    Raises:
        SuiteError: not an http(s) address, an invalid port, or a user name or password in it.
    """
    stripped = value.strip()
    shown = _without_user(stripped)
    try:
        parts = urlsplit(stripped)._replace(fragment="")
    except ValueError as error:
        raise SuiteError(f"{key} {shown!r}: {error}; write it like https://host:8000/v1") from None
    try:
        port = parts.port
    except ValueError:
        port = 0
    if "@" in parts.netloc:
        raise SuiteError(
            f"{key} contains a user name or password: remove it from the address, and send it as "
            '`headers: {Authorization: "${NAME}"}` with NAME="Basic <base64 of user:password>"'
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SuiteError(f"{key} {shown!r} is not an http(s) address such as https://host/v1")
    if port is not None and port not in _PORTS:
        raise SuiteError(
            f"{key} {shown!r}: its port is not a number from 1 to 65535; write it like"
            " https://host:8000/v1"
        )
    if any(sign.isspace() or ord(sign) < 32 for sign in stripped):
        raise SuiteError(f"{key} {shown!r} contains a space")
    return parts


def with_path(parts: SplitResult, path: str) -> str:
    """The address with `path` added to its path, before a query."""
    return parts._replace(path=parts.path.rstrip("/") + path).geturl()


def authorised(headers: Mapping[str, str], key: str | None) -> dict[str, str]:
    """The headers with the key as a Bearer token, unless they already contain a key
    (`Authorization`, `api-key`).
    """
    named = {name.lower() for name in headers}
    if not key or named & {"authorization", "api-key"}:
        return dict(headers)
    return {**headers, "Authorization": f"Bearer {key.strip()}"}


def _without_user(url: str) -> str:
    """The address as a message may show it."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"


def _checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers without blanks around their values. The content type is JSON, unless they name
    another one.

    Raises:
        SuiteError: a header contains a line break or another control character, which could begin
            another header. The value may be secret and is not shown.
    """
    kept = {name.strip(): value.strip() for name, value in headers.items()}
    for name, value in kept.items():
        if not name or any(ord(sign) < 32 and sign != "\t" for sign in name + value):
            raise SuiteError(
                f"headers: {name!r} contains a line break or another control character"
            )
    if "content-type" not in {name.lower() for name in kept}:
        kept["Content-Type"] = "application/json"
    return kept


def _proxy(parts: SplitResult) -> str | None:
    """The environment's proxy for an address: `http_proxy`, `https_proxy` or `all_proxy`, unless
    `no_proxy` names the host. A proxy without a scheme is an http proxy, as for curl.

    Raises:
        SuiteError: the proxy is of another kind (SOCKS), or not an address.
    """
    proxies = getproxies()
    value = (proxies.get(parts.scheme) or proxies.get("all") or "").strip()
    if (
        not value
        or proxy_bypass(parts.netloc)
        or _in_network(parts.hostname or "", proxies.get("no", ""))
    ):
        return None
    address = value if "://" in value else f"http://{value}"
    name = f"the proxy for {parts.netloc} from the environment, {_without_user(address)!r},"
    try:
        proxy = urlsplit(address)
        usable = proxy.scheme in ("http", "https") and proxy.hostname and proxy.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise SuiteError(
            f"{name} is not an http(s) proxy; set http_proxy or https_proxy, or"
            f" NO_PROXY={parts.hostname}"
        )
    if proxy.password:  # a proxy may send back what it received
        user, password = unquote(proxy.username or ""), unquote(proxy.password)
        hide([f"{user}:{password}", password])
    return address


def _in_network(host: str, no_proxy: str) -> bool:
    """Whether `no_proxy` names a network (10.0.0.0/8) that contains the host's address. urllib
    supports names only.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    for entry in no_proxy.split(","):
        try:
            if "/" in entry and address in ipaddress.ip_network(entry.strip(), strict=False):
                return True
        except ValueError:
            continue
    return False


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    """The system's certificates (OpenSSL reads SSL_CERT_FILE itself), and those of `ca_file` and
    REQUESTS_CA_BUNDLE.

    Raises:
        SuiteError: one of the files can't be read.
    """
    context = ssl.create_default_context()
    if ca_file is not None:
        _load(context, ca_file, "ca_file")
    if os.environ.get("REQUESTS_CA_BUNDLE"):
        _load(context, Path(os.environ["REQUESTS_CA_BUNDLE"]), "REQUESTS_CA_BUNDLE")
    return context


def _load(context: ssl.SSLContext, path: Path, key: str) -> None:
    try:
        context.load_verify_locations(**{"capath" if path.is_dir() else "cafile": str(path)})
    except (OSError, ssl.SSLError) as error:
        why = (
            error.strerror
            if isinstance(error, FileNotFoundError)
            else "it contains no certificate in PEM format"
        )
        raise SuiteError(f"{key} {path}: {why}") from None
