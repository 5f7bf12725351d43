"""The transport of the hot path against servers that say what a test tells them, byte by byte."""

import asyncio
import contextlib
import shutil
import ssl
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from llmeval.models.wire import Broken, Response, Wire

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Kind: Test\r\n\r\nok"
Streams = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """Answers each request with the next of `replies` (the last one again and again); None closes the connection.
    A list is sent piece by piece; `closing` closes after each reply."""

    def __init__(self, *replies: bytes | list[bytes] | None, closing: bool = False) -> None:
        self.replies, self.closing = list(replies), closing
        self.connections = self.ended = 0
        self.requests: list[bytes] = []
        self.talks: list[asyncio.Task[None]] = []

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.talks.append(asyncio.ensure_future(self.talk(reader, writer)))

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
                self.requests.append(head + await reader.readexactly(int(length.split(b":")[1])))
            except (asyncio.IncompleteReadError, ConnectionError):
                break
            reply = self.replies[0] if len(self.replies) == 1 else self.replies.pop(0)
            if reply is None:
                break
            for piece in reply if isinstance(reply, list) else [reply]:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.002)
            if self.closing:
                break
        self.ended += 1
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def talk(server: Server, work: Callable[[Wire], Awaitable[object]], timeout: float = 5.0) -> object:
    async def run() -> object:
        listening = await asyncio.start_server(server.handle, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        wire = Wire(f"http://127.0.0.1:{port}/v1/x?a=b", {"Authorization": "Bearer k\r\nX-Evil: 1"}, timeout)
        try:
            return await work(wire)
        finally:
            await wire.close()
            listening.close()
            await asyncio.gather(*server.talks)

    return asyncio.run(run())


def test_a_request_and_its_reply() -> None:
    server = Server(OK)
    assert talk(server, lambda wire: wire.post("é".encode())) == Response(
        200, {"content-length": "2", "x-kind": "Test"}, b"ok"
    )
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/x?a=b HTTP/1.1\r\nHost: 127.0.0.1:")
    assert body == "é".encode()
    assert b"\r\nX-Evil" not in head


def test_a_connection_is_used_again() -> None:
    async def three(wire: Wire) -> list[bytes]:
        return [(await wire.post(b"{}")).body for _ in range(3)]

    server = Server(OK)
    assert talk(server, three) == [b"ok"] * 3
    assert server.connections == 1


def test_as_many_connections_as_requests_in_flight() -> None:
    async def ten(wire: Wire) -> int:
        return len(await asyncio.gather(*(wire.post(b"{}") for _ in range(10))))

    server = Server([b"", OK])
    assert talk(server, ten) == 10
    assert server.connections == 10


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param([bytes([byte]) for byte in OK], id="byte by byte"),
        pytest.param(
            [
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n",
                b"1;x=y\r\nk\r\n0\r\nTrailer: t\r\n\r\n",
            ],
            id="chunks",
        ),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + OK, id="100 first"),
        pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", id="HTTP/1.0"),
    ],
)
def test_ways_to_write_one_reply(reply: bytes | list[bytes]) -> None:
    async def twice(wire: Wire) -> list[bytes]:
        return [(await wire.post(b"{}")).body for _ in range(2)]

    assert talk(Server(reply), twice) == [b"ok", b"ok"]


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    server = Server([b"HTTP/1.1 500 No\r\n\r\n", b"so", b"rry"], closing=True)
    response = talk(server, lambda wire: wire.post(b"{}"))
    assert isinstance(response, Response)
    assert (response.status, response.body) == (500, b"sorry")


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok", id="shorter than promised"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok", id="half a chunk"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Le", id="half a head"),
        pytest.param(b"SMTP ready\r\n\r\n", id="not HTTP"),
        pytest.param(None, id="nothing"),
    ],
)
def test_what_is_not_a_whole_reply_is_broken(reply: bytes | None) -> None:
    with pytest.raises(Broken):
        talk(Server(reply, closing=True), lambda wire: wire.post(b"{}"))


def test_nothing_is_sent_twice() -> None:
    async def twice(wire: Wire) -> None:
        await wire.post(b"first")
        await wire.post(b"second")

    server = Server(OK, None)
    with pytest.raises(Broken):
        talk(server, twice)
    assert len(server.requests) == 2


def test_a_connection_that_the_server_closed_while_idle_is_not_used() -> None:
    async def later(wire: Wire) -> bytes:
        await wire.post(b"{}")
        await asyncio.sleep(0.05)
        return (await wire.post(b"{}")).body

    server = Server(OK, closing=True)
    assert talk(server, later) == b"ok"
    assert server.connections == 2


def test_what_nobody_asked_for_is_not_the_next_answer() -> None:
    async def twice(wire: Wire) -> bytes:
        await wire.post(b"{}")
        await asyncio.sleep(0.05)
        return (await wire.post(b"{}")).body

    bad = OK.replace(b"ok", b"no")
    assert talk(Server([OK, bad], OK), twice) == b"ok"


def test_a_late_reply_is_given_up_and_its_connection_too() -> None:
    async def twice(wire: Wire) -> bytes:
        with pytest.raises(TimeoutError):
            await wire.post(b"{}")
        await asyncio.sleep(0.05)
        ended.append(server.ended)
        return (await wire.post(b"{}")).body

    server, ended = Server([], OK), list[int]()
    assert talk(server, twice, timeout=0.2) == b"ok"
    assert ended == [1], "the server need not go on with what nobody waits for"
    assert server.connections == 2


def test_a_cancelled_request_leaves_nothing_behind() -> None:
    async def cancelled(wire: Wire) -> bytes:
        first = asyncio.create_task(wire.post(b"{}"))
        await asyncio.sleep(0.05)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await asyncio.sleep(0.05)
        ended.append(server.ended)
        return (await wire.post(b"{}")).body

    server, ended = Server([], OK), list[int]()
    assert talk(server, cancelled) == b"ok"
    assert ended == [1]
    assert server.connections == 2


def test_nobody_there() -> None:
    with pytest.raises(OSError, match=r"(?i)connect"):
        asyncio.run(Wire("http://127.0.0.1:1/", {}, 5).post(b""))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
@pytest.mark.parametrize("trusted", [True, False])
def test_tls_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trusted: bool) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def run() -> bytes:
        server = Server(OK)
        listening = await asyncio.start_server(server.handle, "127.0.0.1", 0, ssl=context)
        wire = Wire(f"https://localhost:{listening.sockets[0].getsockname()[1]}/", {}, 5)
        try:
            return (await wire.post(b"{}")).body
        finally:
            await wire.close()
            listening.close()
            await asyncio.gather(*server.talks)

    if trusted:
        assert asyncio.run(run()) == b"ok"
    else:
        with pytest.raises(ssl.SSLCertVerificationError):
            asyncio.run(run())
