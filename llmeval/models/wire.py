"""HTTP/1.1 for the hot path: one POST after the other on kept connections, parsed by httptools (llhttp, as in Node).

A call costs a quarter of what it costs through aiohttp, and CPU a call is what limits a run (docs/benchmarks.md).
What it leaves out, it says: no redirects, no compression, no proxies; `http_session` has those.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from typing import NamedTuple, cast
from urllib.parse import urlsplit

import httptools

MAX_IDLE_SECONDS = 15.0
MAX_BODY = 256 * 2**20


class Response(NamedTuple):
    """What came back. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Broken(OSError):
    """The connection ended too early, or what came is not HTTP. Whether the request was carried out is not known, so it
    is never sent again from here (RFC 9110 section 9.2.2)."""


class Wire:
    """POSTs to one address.

    Args:
        url: http or https, with the path.
        headers: sent with every request.
        timeout: seconds a request may take, connecting included.
    """

    def __init__(self, url: str, headers: Mapping[str, str], timeout: float) -> None:
        parts = urlsplit(url)
        self._secure = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._secure else 80)
        self._timeout = timeout
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        fields = {"Host": parts.netloc.rpartition("@")[2], "Accept": "*/*", "Accept-Encoding": "identity", **headers}
        lines = [f"POST {target} HTTP/1.1", *(f"{name}: {_one_line(value)}" for name, value in fields.items())]
        self._head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\nContent-Length: "
        self._tls: ssl.SSLContext | None = None
        self._idle: list[_Connection] = []
        self._open: set[_Connection] = set()

    async def post(self, body: bytes) -> Response:
        """Send a body; gives the whole response, whatever its status.

        Raises:
            TimeoutError: it took longer than the time-out. Broken, OSError: no connection, or it ended too early.
        """
        data = b"%b%d\r\n\r\n%b" % (self._head, len(body), body)
        deadline = asyncio.get_running_loop().time() + self._timeout
        return await self._exchange(self._kept() or await self._connect(), data, deadline)

    async def close(self) -> None:
        """End all connections."""
        for connection in list(self._open):
            connection.abort()
        self._idle.clear()
        await asyncio.sleep(0)  # the loop closes them in its next round

    async def _exchange(self, connection: "_Connection", data: bytes, deadline: float) -> Response:
        loop = asyncio.get_running_loop()
        timer = loop.call_at(deadline, connection.late)
        try:
            response = await connection.exchange(data)
        except BaseException:
            connection.abort()
            raise
        finally:
            timer.cancel()
        if connection.good:
            connection.idle_since = loop.time()
            self._idle.append(connection)
        else:
            connection.abort()
        return response

    def _kept(self) -> "_Connection | None":
        """The connection used last, if it is still good: a server closes the others sooner."""
        oldest = asyncio.get_running_loop().time() - MAX_IDLE_SECONDS
        while self._idle:
            connection = self._idle.pop()
            if connection.good and connection.idle_since >= oldest:
                return connection
            connection.abort()
        return None

    async def _connect(self) -> "_Connection":
        if self._secure and self._tls is None:
            self._tls = ssl.create_default_context()
        async with asyncio.timeout(self._timeout):
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: _Connection(self._open.discard), self._host, self._port, ssl=self._tls
            )
        self._open.add(connection)
        return connection


class _Connection(asyncio.Protocol):
    """One connection; `exchange` one request at a time. httptools calls the `on_` methods."""

    def __init__(self, gone: Callable[["_Connection"], None]) -> None:
        self._gone = gone
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[Response] | None = None
        self._headers: dict[str, str] = {}
        self._chunks: list[bytes] = []
        self._size = 0
        self._headed = self._keep = False
        self.idle_since = 0.0

    def exchange(self, data: bytes) -> "asyncio.Future[Response]":
        """Send a request; the future holds its response."""
        self._waiter = asyncio.get_running_loop().create_future()
        self._headers, self._chunks, self._size = {}, [], 0
        self._headed = self._keep = False
        if self._transport is None or self._transport.is_closing():
            self._end(Broken("the connection is closed"))
        else:
            self._transport.write(data)
        return self._waiter

    @property
    def good(self) -> bool:
        """Whether another request can be sent."""
        return self._keep and self._transport is not None and not self._transport.is_closing()

    def abort(self) -> None:
        """Close at once."""
        self._keep = False
        if self._transport is not None:
            self._transport.abort()

    def late(self) -> None:
        """The time is over."""
        self._end(TimeoutError())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        if self._waiter is None:
            self.abort()  # nobody asked: what comes now would be taken for the next answer
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._end(Broken(f"the reply is not HTTP: {error}"))

    def connection_lost(self, error: Exception | None) -> None:
        """Called by asyncio."""
        self._keep = False
        self._gone(self)
        if self._headed and "content-length" not in self._headers and "transfer-encoding" not in self._headers:
            self._finish()  # a body without a length ends with the connection (RFC 9112 section 6.3)
        else:
            self._end(Broken(str(error) if error else "the server closed it"))

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """All headers are there."""
        self._headed = True

    def on_body(self, data: bytes) -> None:
        """A part of the body."""
        self._size += len(data)
        if self._size > MAX_BODY:
            self._end(Broken(f"the reply is longer than {MAX_BODY // 2**20} MiB"))
            return
        self._chunks.append(data)

    def on_message_complete(self) -> None:
        """The whole response is there."""
        if self._parser.get_status_code() >= 200:  # 1xx only announces
            self._keep = self._parser.should_keep_alive()
            self._finish()
        self._headers, self._headed = {}, False

    def _finish(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(Response(self._parser.get_status_code(), self._headers, b"".join(self._chunks)))

    def _end(self, error: Exception) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(error)


def _one_line(value: str) -> str:
    """A header's value, which must not begin another header."""
    return value.replace("\r", " ").replace("\n", " ")
