"""Addresses, names and certificates in whole runs: what can't become right is asked once, and the
message names the fix.
"""

import asyncio
import contextlib
import datetime as dt
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import aiohttp.resolver
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.command import llmeval
from tests.support.endpoint import reply

SUITE = """\
suite: net
cases: [{{id: a, question: Where, reference: here}}]
prompt: "{{{{ question }}}}"
candidate: {{provider: openai, model: m, base_url: "{url}", api_key: k, timeout: 10{more}}}
checks: [{{contains: "{{{{ reference }}}}"}}]
"""


class Server:
    """A server of chat completions on one address, which counts connections and requests."""

    def __init__(self, host: str, context: ssl.SSLContext | None) -> None:
        self.host, self.context = host, context
        self.connections = self.requests = self.port = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
            await reader.readexactly(length)
            self.requests += 1
            body = json.dumps(reply("here")).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()
        writer.close()


@contextlib.contextmanager
def served(host: str = "127.0.0.1", context: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Serve on a free port, in a thread of its own. `connections` counts also those that end while
    TLS is negotiated.
    """
    server, loop, ready = Server(host, context), asyncio.new_event_loop(), threading.Event()
    listening = socket.create_server(
        (host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET
    )
    server.port = listening.getsockname()[1]

    async def accept() -> None:
        while True:
            connection, _ = await loop.sock_accept(listening)
            server.connections += 1
            tasks.append(loop.create_task(talk(connection)))

    async def talk(connection: socket.socket) -> None:
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader, server.handle)
        with contextlib.suppress(OSError):
            await loop.connect_accepted_socket(lambda: protocol, connection, ssl=context)

    def work() -> None:
        asyncio.set_event_loop(loop)
        tasks.append(loop.create_task(accept()))
        loop.call_soon(ready.set)
        loop.run_forever()
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    tasks: list[asyncio.Task[None]] = []
    listening.setblocking(False)
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        listening.close()


def run(folder: Path, url: str, more: str = "", **environment: str) -> tuple[int, str, str]:
    """A run against an address: exit code, output, and the message of its only answer."""
    (folder / "net.yaml").write_text(SUITE.format(url=url, more=more))
    done = llmeval("run", "net.yaml", "--no-cache", "--out", "out", cwd=folder, **environment)
    answers = folder / "out" / "answers.jsonl"
    line = json.loads(answers.read_text()) if answers.exists() else {}
    message = (line.get("error") or {}).get("message", "")
    return done.returncode, done.stdout + done.stderr, message


def test_an_address_of_ipv6(tmp_path: Path) -> None:
    try:
        with served("::1") as server:
            code, printed, _ = run(tmp_path, f"http://[::1]:{server.port}/v1")
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    assert (code, server.requests) == (0, 1), printed
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["candidate"]["host"] == f"[::1]:{server.port}"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://[::1/v1", "base_url 'http://[::1/v1'"),
        ("http://[::1]:70000/v1", "its port is not a number from 1 to 65535"),
        ("http://[fe80::zz]/v1", "base_url"),
        ("http://h:٨٠٨٠/v1", "its port is not a number"),
        ("http://h:-1/v1", "its port is not a number"),
        ("http://h: 80/v1", "its port is not a number"),
    ],
)
def test_a_wrong_address_is_named_with_file_and_line(
    tmp_path: Path, url: str, message: str
) -> None:
    code, printed, _ = run(tmp_path, url)
    assert code == 2
    assert "net.yaml:4: candidate" in printed and message in printed.replace("\n", " ")


def test_a_name_that_does_not_exist_is_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookups: list[str] = []

    async def no_such_name(resolver: object, host: str, *_: object, **__: object) -> None:
        lookups.append(host)
        raise OSError(None, "no address") from socket.gaierror(socket.EAI_NONAME, "unknown name")

    monkeypatch.setattr(aiohttp.resolver.ThreadedResolver, "resolve", no_such_name)
    code, _, message = run(tmp_path, "http://nowhere.invalid:8000/v1")
    assert code == 3 and lookups == ["nowhere.invalid"]
    assert message == "nowhere.invalid:8000: there is no host of this name; check `base_url`"


def certificate(folder: Path, host: str, days: int = 1) -> tuple[Path, ssl.SSLContext]:
    """A certificate that signs itself, valid for `days` from the day before yesterday or, with a
    negative number, until that many days ago; and a server's context with it.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"test of {host}")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=30))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path, secret = folder / f"{host}{days}.pem", folder / f"{host}{days}.key"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, secret)
    return path, context


@pytest.fixture(scope="module")
def certificates(
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, tuple[Path, ssl.SSLContext]]:
    folder = tmp_path_factory.mktemp("certificates")
    return {
        "good": certificate(folder, "localhost"),
        "expired": certificate(folder, "localhost", -2),
        "wrong host": certificate(folder, "elsewhere.example"),
        "other": certificate(folder, "localhost", 9),
    }


def test_a_certificate_of_the_suite(
    tmp_path: Path, certificates: dict[str, tuple[Path, ssl.SSLContext]]
) -> None:
    path, context = certificates["good"]
    (tmp_path / "ca.pem").write_bytes(path.read_bytes())
    with served(context=context) as server:
        code, printed, _ = run(tmp_path, f"https://localhost:{server.port}/v1", ", ca_file: ca.pem")
    assert (code, server.requests) == (0, 1), printed


@pytest.mark.parametrize(
    ("kind", "trusted", "words"),
    [
        ("good", None, "is not trusted"),
        ("good", "other", "is not trusted"),
        ("expired", "expired", "expired"),
        ("wrong host", "wrong host", "for another host"),
    ],
)
def test_a_certificate_that_does_not_fit_is_asked_for_once(
    tmp_path: Path,
    certificates: dict[str, tuple[Path, ssl.SSLContext]],
    kind: str,
    trusted: str | None,
    words: str,
) -> None:
    more = "" if trusted is None else f", ca_file: '{certificates[trusted][0]}'"
    with served(context=certificates[kind][1]) as server:
        code, _, message = run(tmp_path, f"https://localhost:{server.port}/v1", more)
    assert code == 3 and words in message
    assert (server.connections, server.requests) == (1, 0)


USER = "https://ada:pa55word-x@host.example/v1"
CANDIDATE = "candidate: {provider: openai, model: m, base_url: 'https://h.example/v1', api_key: k}"


@pytest.mark.parametrize(
    ("suite", "command", "words"),
    [
        (f"candidate: {{provider: openai, model: m, base_url: '{USER}', api_key: k}}", "validate",
         "remove it from the address"),
        (f"candidate: {{provider: http, url: '{USER}', output: a}}", "validate", "remove it from the address"),
        (CANDIDATE + f"\njudges: {{j: {{model: {{provider: openai, model: j, base_url: '{USER}', api_key: k}}}}}}",
         "validate", "remove it from the address"),
        (CANDIDATE, f"run --candidate {{provider:\\ openai,\\ model:\\ m,\\ base_url:\\ '{USER}'}}",
         "remove it from the address"),
        (CANDIDATE, f"init new --base-url {USER}", "remove it"),
        (CANDIDATE, f"init new --url {USER}", "remove it"),
        (CANDIDATE, f"view --proxy {USER.removesuffix('/v1')} --no-open", "remove it"),
    ],
    ids=["candidate", "http", "judge", "command line", "init endpoint", "init application", "view"],
)  # fmt: skip
def test_a_user_in_an_address_is_refused_with_the_fix(
    tmp_path: Path, suite: str, command: str, words: str
) -> None:
    text = (
        "suite: net\ncases: [{id: a, question: Where, reference: here}]\nprompt: '{{ question }}'\n"
    )
    (tmp_path / "net.yaml").write_text(f"{text}checks: [{{contains: here}}]\n{suite}\n")
    first, *more = command.replace("\\ ", "\0").split()
    named = [] if first in ("init", "view") else ["net.yaml"]
    done = llmeval(first, *named, *(each.replace("\0", " ") for each in more), cwd=tmp_path)
    printed = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 2 and words in printed, printed
    assert "pa55word" not in printed


@pytest.mark.parametrize(
    "url",
    [USER, "https://ada@host.example", "http://host.example", "https://:pa55word-x@h.example"],
)
def test_a_message_goes_to_no_address_with_a_user(url: str) -> None:
    from llmeval.core.errors import UsageError
    from llmeval.monitor.delivery import check_url

    with pytest.raises(UsageError, match="without a user name") as refused:
        check_url(url, "triggers.yaml:3: webhook")
    assert "pa55word" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ada:pa55%2Fword@h:5432/db", "postgresql://ada:***@h:5432/db"),
        ("postgresql://ada@h/db?password=pa55/word", "postgresql://ada:***@h/db"),
        ("postgresql://ada:pa55%2Fword@h:port/db", "postgresql://ada:***@h:port/db"),
        ("postgresql://ada@h/db", "postgresql://ada@h/db"),
    ],
)
def test_the_password_of_a_history_is_in_no_message(url: str, shown: str) -> None:
    from llmeval.core.redaction import forget, redact
    from llmeval.history.postgres import without_password

    try:
        assert without_password(url) == shown
        told = redact(f"FATAL: no entry for {url}: pa55/word, pa55%2Fword")
        assert "pa55" not in told or "pa55" not in url
    finally:
        forget()
