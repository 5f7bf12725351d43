"""A server that replies with the bytes a test gives it, one after the other."""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


class RawServer:
    """Replies to each request with the next of `replies`, the last one again and again. A list is
    sent piece by piece, None closes the connection; `closing` closes it after each reply."""

    def __init__(self, *replies: bytes | list[bytes] | None, closing: bool = False) -> None:
        self.replies, self.closing = list(replies), closing
        self.connections = 0
        self.requests: list[bytes] = []
        self._talks: list[asyncio.Task[None]] = []

    def run(self, work: Callable[[str], Awaitable[T]], context: ssl.SSLContext | None = None) -> T:
        """The result of `work`, which gets the server's address without a path."""

        async def serve() -> T:
            server = await asyncio.start_server(self._begin, "127.0.0.1", 0, ssl=context)
            scheme = "http" if context is None else "https"
            try:
                return await work(f"{scheme}://localhost:{server.sockets[0].getsockname()[1]}")
            finally:
                server.close()
                for talk in self._talks:
                    talk.cancel()
                await asyncio.gather(*self._talks, return_exceptions=True)
                self._talks.clear()

        return asyncio.run(serve())

    async def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._talks.append(asyncio.ensure_future(self._talk(reader, writer)))

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while (request := await _request(reader)) is not None:
                self.requests.append(request)
                reply = self.replies[0] if len(self.replies) == 1 else self.replies.pop(0)
                if reply is None:
                    break
                for piece in reply if isinstance(reply, list) else [reply]:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
                if self.closing:
                    break
        except ConnectionError:
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def _request(reader: asyncio.StreamReader) -> bytes | None:
    """Head and body of the next request; None when the client has left."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")),
            b":0",
        )
        return head + await reader.readexactly(int(length.split(b":")[1]))
    except asyncio.IncompleteReadError:
        return None
