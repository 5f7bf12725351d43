"""A small HTTP server for a person's browser, and nobody else.

Other pages in the same browser can send requests here, and a name can be made to resolve to
127.0.0.1 (DNS rebinding). So:

- it listens on 127.0.0.1, unless another address is stated together with TLS or with the name of a
  proxy in front of it; it answers only requests whose Host is its own;
- the address it prints holds a random token, which is exchanged for a cookie (HttpOnly,
  SameSite=Strict) and leaves the address bar; the one the browser is started with works once, since
  command lines are visible to others;
- a request that another page sends is refused (Origin, Sec-Fetch-Site);
- nothing is cached, framed or fetched from elsewhere (Content-Security-Policy).
"""

import hmac
import secrets
import ssl
import sys
from collections.abc import Callable
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qs, urlsplit

from llmeval.core.errors import LlmevalError, UsageError

LOOPBACK = "127.0.0.1"


class Listening(NamedTuple):
    """Where a server listens, and by which name it is reached."""

    host: str = LOOPBACK
    """Address to listen on."""
    port: int = 0
    """0: a free one."""
    certificate: Path | None = None
    """TLS: certificate chain, PEM."""
    key: Path | None = None
    """TLS: private key, PEM."""
    proxy: str | None = None
    """The address of a proxy in front of it, such as https://evals.example.org."""

    def check(self) -> None:
        """Refuse to be reached from other machines in plain text.

        Raises:
            UsageError: beyond loopback without TLS or a proxy, or a proxy without https.
        """
        if (self.certificate is None) != (self.key is None):
            raise UsageError("--tls-cert and --tls-key belong together")
        if self.proxy is not None:
            parts = urlsplit(self.proxy)
            if "@" in parts.netloc:
                raise UsageError(
                    "--proxy contains a user name or password: remove it, and let the proxy itself"
                    " ask for it"
                )
            local = parts.hostname in ("localhost", LOOPBACK)
            if not parts.hostname or not (parts.scheme == "https" or (parts.scheme and local)):
                raise UsageError(
                    f"--proxy {self.proxy}: write its https address, such as"
                    " https://evals.example.org"
                )
            if parts.path not in ("", "/") or parts.query:
                raise UsageError(f"--proxy {self.proxy}: a name without a path")
        if not _is_loopback(self.host) and self.certificate is None and self.proxy is None:
            raise UsageError(
                f"--host {self.host}: others could read everything on the way. State --tls-cert"
                " and --tls-key, or the proxy in front of it by --proxy https://NAME"
            )


class GuardedServer(ThreadingHTTPServer):
    """A server. `url`: where to begin, for people; `launch`: the same for a browser's command line,
    once.

    Args:
        handler: answers the requests.
        policy: Content-Security-Policy of its pages.
        listening: where.
        command: the command that people ran, for messages.

    Raises:
        UsageError: the port is taken, or the certificate can't be read.
    """

    daemon_threads = True
    allow_reuse_address = False

    def __init__(
        self,
        handler: "type[GuardedHandler]",
        policy: str,
        listening: Listening,
        command: str,
    ) -> None:
        listening.check()
        try:
            super().__init__((listening.host, listening.port), handler)
        except (OSError, OverflowError) as error:
            raise UsageError(
                f"--port {listening.port}: can't listen there: {error}; without --port a free one"
                " is taken"
            ) from None
        if listening.certificate is not None:
            self._encrypt(listening.certificate, listening.key)
        self.policy = f"{policy}; frame-ancestors 'none'"
        self.command = command
        self.origin = _origin(listening, self.server_port)
        self.host = urlsplit(self.origin).netloc
        self.secure = self.origin.startswith("https:")
        self.cookie = f"llmeval_{self.server_port}"
        self.secret, self._token, self._once = (secrets.token_urlsafe(32) for _ in range(3))
        self.url, self.launch = (
            f"{self.origin}/?token={token}" for token in (self._token, self._once)
        )

    def admits(self, token: str) -> bool:
        """Whether a token opens the door; the launch token does so once."""
        if hmac.compare_digest(token.encode(), self._once.encode()):
            self._once = secrets.token_urlsafe(32)
            return True
        return hmac.compare_digest(token.encode(), self._token.encode())

    def _encrypt(self, certificate: Path, key: Path | None) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            context.load_cert_chain(certificate, key)
        except (OSError, ssl.SSLError) as error:
            self.server_close()
            raise UsageError(f"--tls-cert {certificate}: can't be used: {error}") from None
        # The handshake belongs to the thread of the request: a silent client holds up no other.
        self.socket = context.wrap_socket(
            self.socket, server_side=True, do_handshake_on_connect=False
        )

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that breaks off, or does not trust the certificate, is not an error of the
        server. Without this, strangers fill the terminal with traces.
        """
        if not isinstance(sys.exception(), OSError):  # an SSLError is one
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Refused(Exception):
    """A request that is not answered.

    Args:
        status: of HTTP.
        message: for people.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class GuardedHandler(BaseHTTPRequestHandler):
    """Answers one request after its sender was checked. Subclasses answer `get`."""

    server: GuardedServer
    server_version, sys_version = "llmeval", ""
    timeout = 10

    def get(self, path: str, query: dict[str, list[str]]) -> None:
        """Answer a GET whose cookie is right.

        Raises:
            Refused: there is nothing here.
        """
        raise Refused(HTTPStatus.NOT_FOUND, "there is nothing here")

    def do_GET(self) -> None:
        """Answer a GET."""
        self.answer(self._get)

    def answer(self, handle: Callable[[], None]) -> None:
        """Check the sender, then handle the request; errors become an answer."""
        try:
            self._check_sender()
            handle()
        except Refused as refused:
            self.text(refused.status, str(refused))
        except LlmevalError as error:
            self.text(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
        except (ConnectionError, TimeoutError):
            self.close_connection = True  # the browser went away
        except Exception as error:
            self.text(
                HTTPStatus.INTERNAL_SERVER_ERROR, f"internal error: {type(error).__name__}: {error}"
            )

    def _check_sender(self) -> None:
        """Refuse other hosts' names and other pages' requests, whatever their content."""
        if self.headers.get_all("Host") != [self.server.host]:
            raise Refused(
                HTTPStatus.MISDIRECTED_REQUEST, f"this server answers to {self.server.host} only"
            )
        if self.headers.get("Origin", self.server.origin) != self.server.origin:
            raise Refused(HTTPStatus.FORBIDDEN, "another page's request")
        if self.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            raise Refused(HTTPStatus.FORBIDDEN, "another page's request")

    def check_cookie(self) -> None:
        """Refuse a browser that did not enter with the token.

        Raises:
            Refused: always then.
        """
        cookie = cookies_of(self.headers).get(self.server.cookie, "")
        if not hmac.compare_digest(cookie.encode(), self.server.secret.encode()):
            raise Refused(
                HTTPStatus.FORBIDDEN,
                f"open the address that `{self.server.command}` printed",
            )

    def _get(self) -> None:
        parts = self.target()
        try:
            query = parse_qs(parts.query, keep_blank_values=True, max_num_fields=100)
        except ValueError:
            raise Refused(HTTPStatus.BAD_REQUEST, "this is not an address") from None
        token = query.get("token")
        if parts.path == "/" and token:
            self._enter(token[0])
            return
        self.check_cookie()
        self.get(parts.path, query)

    def target(self) -> SplitResult:
        """The path and the query that are requested.

        Raises:
            Refused: neither is there.
        """
        try:
            parts = urlsplit(self.path)
        except ValueError:
            parts = urlsplit("")
        if not parts.path.startswith("/"):
            raise Refused(HTTPStatus.BAD_REQUEST, "this is not an address")
        return parts

    def _enter(self, token: str) -> None:
        if not self.server.admits(token):
            raise Refused(
                HTTPStatus.FORBIDDEN,
                f"a wrong or used token: open the address that `{self.server.command}` printed",
            )
        secure = "; Secure" if self.server.secure else ""
        cookie = (
            f"{self.server.cookie}={self.server.secret}; HttpOnly; SameSite=Strict; Path=/{secure}"
        )
        self.head(
            HTTPStatus.SEE_OTHER,
            "text/plain; charset=utf-8",
            0,
            Location="/",
            **{"Set-Cookie": cookie},
        )

    def text(self, status: int, message: str) -> None:
        """Answer with a line of text."""
        self.whole(status, "text/plain; charset=utf-8", f"llmeval: {message}\n".encode())

    def whole(self, status: int, kind: str, data: bytes, **headers: str) -> None:
        """Answer with some bytes."""
        self.head(status, kind, len(data), **headers)
        self.wfile.write(data)

    def head(self, status: int, kind: str, size: int, **more: str) -> None:
        """Send the head of an answer. `more`: further headers, or others instead of these."""
        self.send_response(status)
        headers = {
            "Content-Type": kind,
            "Content-Length": str(size),
            "Content-Security-Policy": self.server.policy,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            **more,
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the base class refuses (malformed requests, other methods), without its HTML
        page.
        """
        del explain
        self.close_connection = True
        if not self.wfile.closed:
            self.text(code, message or "refused")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a request's line holds the token."""


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name may resolve to anything
        return False


def _origin(listening: Listening, port: int) -> str:
    if listening.proxy is not None:
        parts = urlsplit(listening.proxy)
        return f"{parts.scheme}://{parts.netloc}"
    scheme = "http" if listening.certificate is None else "https"
    host = f"[{listening.host}]" if ":" in listening.host else listening.host
    return f"{scheme}://{host}:{port}"


def cookies_of(headers: Message) -> dict[str, str]:
    """The cookies of a request, by name."""
    pairs = (
        part.strip().partition("=")
        for line in headers.get_all("Cookie", [])
        for part in line.split(";")
    )
    return {name: value for name, _, value in pairs}
