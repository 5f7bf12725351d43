"""HTTP against a server that replies byte by byte as a test says: what is a reply, and what an
error means.
"""

import asyncio
import gzip
import shutil
import socket
import ssl
import subprocess
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import aiohttp
import pytest

from llmeval.core.errors import (
    ModelError,
    NotConnected,
    RequestRefused,
    Retryable,
    SuiteError,
    Unreadable,
)
from llmeval.models.client.failed_reply import failure
from llmeval.models.client.http_client import HttpClient, Response, authorised, read_url, with_path
from llmeval.models.client.network_errors import network_error
from tests.support.raw import RawServer

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: 2\r\n\r\n{}"
T = TypeVar("T")
PATH = "/v1/chat/completions"


def reply(body: bytes, *headers: str, status: int = 200) -> bytes:
    lines = [f"HTTP/1.1 {status} X", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def client(address: str, **options: Any) -> HttpClient:
    options = {
        "key": "base_url",
        "suffix": "/chat/completions",
        "headers": {},
        "timeout": 10,
        **options,
    }
    return HttpClient(address + PATH, **options)


def send(server: RawServer, context: ssl.SSLContext | None = None, **options: Any) -> Response:
    return talk(server, lambda http: http.send(b"{}"), context, **options)


def talk(
    server: RawServer,
    work: Callable[[HttpClient], Awaitable[T]],
    context: ssl.SSLContext | None = None,
    **options: Any,
) -> T:
    async def run(address: str) -> T:
        http = client(address, **options)
        try:
            return await work(http)
        finally:
            await http.close()

    return server.run(run, context)


def test_a_request_and_its_reply() -> None:
    server = RawServer(OK)

    async def three(http: HttpClient) -> list[Response]:
        return [await http.send("é".encode()) for _ in range(3)]

    replies = talk(server, three, headers={"Authorization": "Bearer k", "X-Blank": " v "})
    assert [(got.body, got.content_type) for got in replies] == [(b"{}", "application/json")] * 3
    assert replies[0].latency_ms > 0
    assert server.connections == 1  # kept and used again
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")
    assert b"\r\nContent-Type: application/json" in head and b"\r\nX-Blank: v\r\n" in head
    assert body == "é".encode()


def test_get_sends_no_body_and_put_does() -> None:
    server = RawServer(OK)
    for method in ("GET", "PUT"):
        send(server, method=method)
    assert [request[:3] for request in server.requests] == [b"GET", b"PUT"]
    assert [request.endswith(b"{}") for request in server.requests] == [False, True]


CHUNKED = [
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
    b"1;x=y\r\n}\r\n0\r\nTrailer: t\r\n\r\n",
]


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param([bytes([byte]) for byte in OK], id="byte by byte"),
        pytest.param(CHUNKED, id="chunks"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + OK, id="100 first"),
        pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", id="HTTP/1.0"),
        pytest.param(reply(b"{}", status=201), id="201"),
        pytest.param(reply(b"{}", status=299), id="299"),
        pytest.param(reply(gzip.compress(b"{}"), "Content-Encoding: gzip"), id="gzip"),
        pytest.param(reply(zlib.compress(b"{}"), "Content-Encoding: deflate"), id="deflate"),
    ],
)
def test_ways_to_write_one_reply(raw: bytes | list[bytes]) -> None:
    async def twice(http: HttpClient) -> list[bytes]:
        return [(await http.send(b"{}")).body for _ in range(2)]

    assert talk(RawServer(raw), twice) == [b"{}", b"{}"]


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    assert send(RawServer([b"HTTP/1.1 200 OK\r\n\r\n", b"{", b"}"], closing=True)).body == b"{}"


ENDLESS = b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % number for number in range(100_000))


@pytest.mark.parametrize(
    ("raw", "kind", "words"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{}", Retryable, "connection broke"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",
            Retryable,
            "connection broke",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Le", Retryable, "connection broke"),
        (None, Retryable, "connection broke"),
        (b"SMTP ready\r\n\r\n", Unreadable, "not HTTP"),
        (ENDLESS, Unreadable, "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000, Unreadable, "not HTTP"),
        (reply(b"no gzip", "Content-Encoding: gzip"), Retryable, "connection broke before the end"),
    ],
)
def test_what_is_no_reply(raw: bytes | None, kind: type[ModelError], words: str) -> None:
    server = RawServer(raw, closing=True)
    with pytest.raises(kind, match=words) as caught:
        send(server)
    assert type(caught.value) is kind
    assert len(server.requests) == 1  # nothing is sent twice from here


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (
            reply(b"x" * 100),
            "longer than 64 bytes; if such replies are correct, raise `max_reply_bytes`",
        ),
        (reply(gzip.compress(b"x" * 100_000), "Content-Encoding: gzip"), "longer than 64 bytes"),
        (
            [
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                *[b"40\r\n" + b"x" * 64 + b"\r\n"] * 9,
            ],
            "longer",
        ),
        (reply(b'{"error": "' + b"e" * 3_000_000, status=400), "HTTP 400"),
    ],
)
def test_a_body_has_a_bound(raw: bytes | list[bytes], words: str) -> None:
    with pytest.raises(ModelError, match=words) as caught:
        send(RawServer(raw), max_reply_bytes=64)
    assert type(caught.value) in (ModelError, RequestRefused)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("location", "words"),
    [
        (
            "https://new.example/v2/chat/completions",
            "HTTP 307 to https://new.example/v2/chat/completions: set `base_url` to https://new.example/v2$",
        ),
        ("/other/chat/completions", r"set `base_url` to http://localhost:\d+/other$"),
        ("", "without a target"),
    ],
)
def test_a_redirect_is_named_and_not_followed(location: str, words: str) -> None:
    server = RawServer(reply(b"", *([f"Location: {location}"] if location else []), status=307))
    with pytest.raises(ModelError, match=words) as caught:
        send(server)
    assert type(caught.value) is ModelError
    assert len(server.requests) == 1


def test_a_late_reply_is_given_up_and_not_taken_for_the_next_one() -> None:
    server = RawServer([b"HTTP/1.1 200 OK\r\nContent-Le"], OK)

    async def twice(http: HttpClient) -> bytes:
        with pytest.raises(Retryable, match=r"no answer within 0.2 s"):
            await http.send(b"{}")
        return (await http.send(b"{}")).body

    assert talk(server, twice, timeout=0.2) == b"{}"
    assert server.connections == 2


def test_nobody_there() -> None:
    async def ask() -> None:
        http = client("http://127.0.0.1:1")
        try:
            await http.send(b"{}")
        finally:
            await http.close()

    with pytest.raises(Retryable, match="can't connect"):
        asyncio.run(ask())


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("  https://h/v1 ", "https://h/v1"),
        ("http://[::1]:8000/v1#top", "http://[::1]:8000/v1"),
        ("http://h:port/v1", "its port is not a number"),
        ("http://h:70000/v1", "its port is not a number"),
        ("http://h:0/v1", "its port is not a number"),
        ("http://[::1/v1", "write it like"),
        ("localhost:8000/v1", "not an http"),
        ("ftp://h/v1", "not an http"),
        ("http:///v1", "not an http"),
        ("https://h/v 1", "contains a space"),
        ("https://me:secret@h/v1", "remove it from the address"),
        ("https://me:secret@h:x/v1", "remove it from the address"),
    ],
)
def test_addresses(url: str, wanted: str) -> None:
    try:
        found = read_url(url, "base_url").geturl()
    except SuiteError as error:
        found = str(error)
    assert wanted in found
    assert "secret" not in found


def test_a_path_goes_before_a_query() -> None:
    azure = read_url("https://x.example/openai/deployments/d/?api-version=1", "base_url")
    assert (
        with_path(azure, "/responses")
        == "https://x.example/openai/deployments/d/responses?api-version=1"
    )


def test_a_key_of_the_headers_own_stands_alone() -> None:
    assert authorised({"X": "y"}, " k\n") == {"X": "y", "Authorization": "Bearer k"}
    for name in ("API-Key", "authorization"):
        assert authorised({name: "own"}, "k") == {name: "own"}


def test_a_header_can_not_begin_another() -> None:
    with pytest.raises(SuiteError, match="line break") as caught:
        client("http://h", headers={"X": "secret\r\nEvil: 1"})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("environment", "url", "proxied"),
    [
        ({"http_proxy": "PROXY"}, "http://example.test", True),
        ({"http_proxy": "http://PROXY"}, "http://example.test", True),
        ({"http_proxy": "http://me:pass@PROXY"}, "http://example.test", True),
        ({"all_proxy": "PROXY"}, "http://example.test", True),
        ({"https_proxy": "PROXY"}, "http://SERVER", False),
        ({"http_proxy": "PROXY", "no_proxy": "localhost"}, "http://SERVER", False),
        (
            {"http_proxy": "PROXY", "no_proxy": "10.0.0.0/8,127.0.0.0/8"},
            "http://127.0.0.1:PORT",
            False,
        ),
        ({"http_proxy": "PROXY", "no_proxy": "10.0.0.0/8"}, "http://127.0.0.1:PORT", True),
    ],
)
def test_proxies(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], url: str, proxied: bool
) -> None:
    server = RawServer(OK)

    async def ask(address: str) -> None:
        place = address.removeprefix("http://")
        for name, value in environment.items():
            monkeypatch.setenv(name, value.replace("PROXY", place))
        target = url.replace("SERVER", place).replace("PORT", place.rpartition(":")[2])
        http = client(target, headers={"Authorization": "Bearer key-of-the-endpoint"})
        try:
            assert (await http.send(b"{}")).body == b"{}"
        finally:
            await http.close()

    server.run(ask)
    head = server.requests[0].lower()
    assert head.startswith(b"post http://" if proxied else b"post /v1") is True
    credentials = [line for line in head.split(b"\r\n") if line.startswith(b"proxy-authorization")]
    assert credentials == (
        [b"proxy-authorization: basic bwu6cgfzcw=="] if "@" in str(environment) else []
    )


def test_a_tunnel_does_not_carry_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    server = RawServer(reply(b"", status=407))

    async def ask(address: str) -> None:
        monkeypatch.setenv("https_proxy", address.removeprefix("http://"))
        http = client(
            "https://example.test", headers={"Authorization": "Bearer key-of-the-endpoint"}
        )
        try:
            await http.send(b"{}")
        finally:
            await http.close()

    with pytest.raises(ModelError, match="proxy refused.*407.*user and password"):
        server.run(ask)
    assert server.requests[0].startswith(b"CONNECT example.test:443")
    assert b"key-of-the-endpoint" not in server.requests[0]


@pytest.mark.parametrize("proxy", ["socks5://h:1", "http://h:x", "http://"])
def test_a_proxy_that_can_not_be_used_is_named(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("all_proxy", proxy)
    with pytest.raises(SuiteError, match="is not an http"):
        client("http://example.test")


def test_names_that_are_not_there() -> None:
    key = SimpleNamespace(host="nowhere.example", port=443, ssl=True, is_ssl=True)
    for number, kind in ((socket.EAI_NONAME, ModelError), (socket.EAI_AGAIN, NotConnected)):
        cause = OSError("can't resolve")
        cause.__cause__ = socket.gaierror(number, "x")
        error = network_error(
            "nowhere.example", "base_url", aiohttp.ClientConnectorDNSError(key, cause)
        )  # type: ignore[arg-type]
        assert type(error) is kind
        assert "name" in str(error)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """A self-signed certificate for localhost, and a server's context with it."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "1",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
            "-keyout",
            str(key),
            "-out",
            str(certificate),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return certificate, context


@pytest.mark.parametrize("way", ["ca_file", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_ways_to_trust_a_certificate(
    certificate: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    path, context = certificate
    options = {"ca_file": path} if way == "ca_file" else {}
    if way != "ca_file":
        monkeypatch.setenv(way, str(path))
    assert send(RawServer(OK), context, **options).body == b"{}"


def test_a_certificate_that_is_not_trusted_names_the_way_out(
    certificate: tuple[Path, ssl.SSLContext],
) -> None:
    with pytest.raises(ModelError, match="not trusted.*`ca_file:`.*SSL_CERT_FILE") as caught:
        send(RawServer(OK), certificate[1])
    assert type(caught.value) is ModelError


def test_a_certificate_for_another_host(certificate: tuple[Path, ssl.SSLContext]) -> None:
    path, context = certificate

    async def ask(address: str) -> None:
        http = client(address.replace("localhost", "127.0.0.1"), ca_file=path)
        try:
            await http.send(b"{}")
        finally:
            await http.close()

    with pytest.raises(ModelError, match="for another host") as caught:
        RawServer(OK).run(ask, context)
    assert type(caught.value) is ModelError


def test_https_where_http_is_spoken() -> None:
    async def ask(address: str) -> None:
        http = client(address.replace("http:", "https:"))
        try:
            await http.send(b"{}")
        finally:
            await http.close()

    class Plain(RawServer):
        async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(100)
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await writer.drain()
            writer.close()

    with pytest.raises(ModelError, match="does not use TLS.*http:// address") as caught:
        Plain().run(ask)
    assert type(caught.value) is ModelError


@pytest.mark.parametrize("content", [None, "not a certificate"])
def test_a_ca_file_that_is_none(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SuiteError, match="ca_file .*ca.pem: "):
        client("https://h", ca_file=path)


PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>\n 502 Bad\tGateway </title></head><body>x</body></html>"
)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (PAGE, "a web page: 502 Bad Gateway"),
        (b'{"error": {"message": "boom\\u202e\\n!"}}', "boom !"),
        (b'{"detail": "no such model"}', "no such model"),
        (b'[{"error": {"message": "listed"}}]', "listed"),
        (b'{"error":' * 50_000 + b"1" + b"}" * 50_000, '{"error":'),
        (b'{"error": {"odd": [1]}}', '{"odd": [1]}'),
        (b"\xff\xfe", "\ufffd"),
        (b"", "(empty body)"),
    ],
)
def test_the_words_of_an_error(body: bytes, words: str) -> None:
    message = str(failure("h", 502, {}, body))
    assert f"HTTP 502: {words}" in message
    assert len(message) < 500


@pytest.mark.parametrize(
    "body",
    [
        b'{"error": {"code": "content_filter", "message": "no violence"}}',
        b'{"error": {"message": "no violence", "innererror": {"code": "ResponsibleAIPolicyViolation"}}}',
        b'{"error": {"type": "content_policy_violation", "message": "no violence"}}',
        b'{"error": {"message": "flagged", "metadata": {"reasons": ["no violence"], "flagged_input": "x"}}}',
        b'{"code": "data_inspection_failed", "message": "no violence"}',
    ],
)
def test_a_filter_that_refuses_the_request(body: bytes) -> None:
    error = failure("h", 400, {}, body)
    assert (error.kind, type(error)) == ("blocked", ModelError)
    assert "no violence" in str(error)
