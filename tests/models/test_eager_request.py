"""A request leaves before other tasks run, also with a body that is larger than the buffers of the
connection.
"""

import asyncio
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from llmeval.core.errors import ModelError
from llmeval.models.client.http_client import HttpClient

LARGE = b"x" * 1_000_000


class DigestServer(ThreadingHTTPServer):
    """Answers each request with the digest of its body, and counts the bodies in `received`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received = threading.Semaphore(0)
        self.may_read = threading.Event()
        self.may_read.set()
        self.url = f"http://127.0.0.1:{self.server_port}/"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is what a test wants."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: DigestServer

    def do_POST(self) -> None:
        self.server.may_read.wait(30)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.release()
        digest = hashlib.sha256(body).hexdigest().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(digest)))
        self.end_headers()
        self.wfile.write(digest)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[DigestServer]:
    server = DigestServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.may_read.set()
    server.shutdown()
    thread.join()
    server.server_close()


def client(server: DigestServer, timeout: float = 30) -> HttpClient:
    return HttpClient(server.url, key="url", headers={}, timeout=timeout)


def test_a_request_leaves_before_a_task_that_waits_longer(server: DigestServer) -> None:
    async def body() -> bool:
        http = client(server)
        await http.send(b"the connection is open")
        server.received.acquire()
        request = asyncio.create_task(http.send(b"two"))

        async def busy() -> bool:
            # the other work of the loop: it goes on only when the server has the whole body
            return server.received.acquire(timeout=10)

        work = asyncio.create_task(busy())
        await request
        await http.close()
        return await work

    assert asyncio.run(body())


def test_a_large_body_arrives_whole(server: DigestServer) -> None:
    async def body() -> bytes:
        http = client(server)
        server.may_read.clear()
        request = asyncio.create_task(http.send(LARGE))
        await asyncio.sleep(0.1)  # the buffers of the connection are full now
        server.may_read.set()
        response = await request
        second = await http.send(LARGE)
        await http.close()
        assert second == response._replace(latency_ms=second.latency_ms)
        return response.body

    assert asyncio.run(body()).decode() == hashlib.sha256(LARGE).hexdigest()


def test_a_body_that_nobody_reads_ends_with_its_time_limit(server: DigestServer) -> None:
    async def body() -> bytes:
        http = client(server, timeout=0.3)
        server.may_read.clear()
        with pytest.raises(ModelError, match=r"no answer within 0\.3 s"):
            await http.send(LARGE)
        server.may_read.set()
        response = await http.send(b"next")
        await http.close()
        return response.body

    assert asyncio.run(body()).decode() == hashlib.sha256(b"next").hexdigest()


def test_a_request_can_be_cancelled(server: DigestServer) -> None:
    async def body() -> bytes:
        http = client(server)
        server.may_read.clear()
        request = asyncio.create_task(http.send(LARGE))
        await asyncio.sleep(0.05)
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        server.may_read.set()
        response = await http.send(b"next")
        await http.close()
        return response.body

    assert asyncio.run(body()).decode() == hashlib.sha256(b"next").hexdigest()
