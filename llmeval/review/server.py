"""The review server: one page and one list of labels, for the person at this machine and nobody
else.

Other pages in the same browser can send requests here, and a name can be made to resolve to
127.0.0.1 (DNS rebinding). So:

- it listens on 127.0.0.1 only, and answers only requests whose Host is that address and port;
- the address it prints holds a random token, which is exchanged for a cookie (HttpOnly,
  SameSite=Strict) and leaves the address bar; the one the browser is started with works once, since
  command lines are visible to others;
- a write must come from the page itself: its Origin, as JSON, of bounded size;
- nothing is cached, framed or fetched from elsewhere (Content-Security-Policy).
"""

import hmac
import secrets
import shutil
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from llmeval.core.errors import LlmevalError, UsageError
from llmeval.core.records import to_json
from llmeval.review.session import RefusedVote

HOST = "127.0.0.1"
MAX_BODY = 64 << 10
"""Bytes of one vote: the longest comment and case id, with room to spare."""


class ServedSession(Protocol):
    """What the server shows and takes votes for."""

    def state(self) -> dict[str, Any]:
        """What the page needs."""

    def add(self, body: bytes) -> None:
        """Take one vote, as JSON. Raises RefusedVote."""


class ReviewServer(ThreadingHTTPServer):
    """Serves one session. `url`: where to begin, for people; `launch`: the same for a browser's
    command line, once.

    Raises:
        UsageError: the port is taken.
    """

    daemon_threads = True
    allow_reuse_address = False

    def __init__(self, session: ServedSession, page: Path, policy: str, port: int = 0) -> None:
        try:
            super().__init__((HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            raise UsageError(
                f"--port {port}: can't listen there: {error}; without --port a free one is taken"
            ) from None
        self.session, self.page = session, page
        self.policy = f"{policy}; frame-ancestors 'none'"
        self.host = f"{HOST}:{self.server_port}"
        self.origin = f"http://{self.host}"
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


class _Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    server: ReviewServer
    server_version, sys_version = "llmeval", ""
    timeout = 10

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    def _answer(self, handle: Any) -> None:
        try:
            self._check_sender()
            handle()
        except _Refused as refused:
            self._text(refused.status, str(refused))
        except RefusedVote as refused:
            self._text(refused.status, str(refused))
        except LlmevalError as error:
            self._text(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
        except (ConnectionError, TimeoutError):
            self.close_connection = True  # the browser went away

    def _check_sender(self) -> None:
        """Refuse other hosts' names and other pages' requests, whatever they ask."""
        if self.headers.get_all("Host") != [self.server.host]:
            raise _Refused(
                HTTPStatus.MISDIRECTED_REQUEST, f"this server answers to {self.server.host} only"
            )
        if self.headers.get("Origin", self.server.origin) != self.server.origin:
            raise _Refused(HTTPStatus.FORBIDDEN, "another page's request")
        if self.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            raise _Refused(HTTPStatus.FORBIDDEN, "another page's request")

    def _check_cookie(self) -> None:
        given = _cookies(self.headers).get(self.server.cookie, "")
        if not hmac.compare_digest(given.encode(), self.server.secret.encode()):
            raise _Refused(HTTPStatus.FORBIDDEN, "open the address that `llmeval review` printed")

    def _get(self) -> None:
        parts = urlsplit(self.path)
        token = parse_qs(parts.query).get("token")
        if parts.path == "/" and token:
            self._enter(token[0])
            return
        self._check_cookie()
        if parts.path == "/":
            self._page()
        elif parts.path == "/state":
            self._json(self.server.session.state())
        else:
            raise _Refused(HTTPStatus.NOT_FOUND, "there is nothing here")

    def _enter(self, token: str) -> None:
        if not self.server.admits(token):
            raise _Refused(
                HTTPStatus.FORBIDDEN,
                "a wrong or used token: open the address that `llmeval review` printed",
            )
        cookie = f"{self.server.cookie}={self.server.secret}; HttpOnly; SameSite=Strict; Path=/"
        self._head(
            HTTPStatus.SEE_OTHER,
            "text/plain; charset=utf-8",
            0,
            Location="/",
            **{"Set-Cookie": cookie},
        )

    def _post(self) -> None:
        if self.headers.get("Origin") != self.server.origin:
            raise _Refused(HTTPStatus.FORBIDDEN, "a vote must come from the page")
        self._check_cookie()
        if urlsplit(self.path).path != "/labels":
            raise _Refused(HTTPStatus.NOT_FOUND, "there is nothing here")
        if self.headers.get_content_type() != "application/json":
            raise _Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "a vote is JSON")
        self.server.session.add(self._body())
        self._json(self.server.session.state())

    def _body(self) -> bytes:
        sizes = self.headers.get_all("Content-Length", [])
        if (
            "Transfer-Encoding" in self.headers
            or len(sizes) != 1
            or not (sizes[0].isascii() and sizes[0].isdigit())
        ):
            raise _Refused(HTTPStatus.LENGTH_REQUIRED, "a vote states its length")
        if len(sizes[0]) > 9 or int(sizes[0]) > MAX_BODY:
            raise _Refused(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a vote has at most {MAX_BODY:,} bytes"
            )
        return self.rfile.read(int(sizes[0]))

    def _page(self) -> None:
        with self.server.page.open("rb") as file:
            self._head(HTTPStatus.OK, "text/html; charset=utf-8", self.server.page.stat().st_size)
            shutil.copyfileobj(file, self.wfile, 1 << 20)

    def _json(self, value: object) -> None:
        self._whole(HTTPStatus.OK, "application/json", to_json(value))

    def _text(self, status: int, message: str) -> None:
        self._whole(status, "text/plain; charset=utf-8", f"llmeval: {message}\n".encode())

    def _whole(self, status: int, kind: str, data: bytes) -> None:
        self._head(status, kind, len(data))
        self.wfile.write(data)

    def _head(self, status: int, kind: str, size: int, **more: str) -> None:
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
            self._text(code, message or "refused")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a request's line holds the token."""


def _cookies(headers: Message) -> dict[str, str]:
    pairs = (
        part.strip().partition("=")
        for line in headers.get_all("Cookie", [])
        for part in line.split(";")
    )
    return {name: value for name, _, value in pairs}
