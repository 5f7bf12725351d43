"""The review server of a team: people enter with a token, and their role says what they may do.

Nothing but the form for the token is shown to others. `web/guarded_server.py` checks Host, Origin
and Sec-Fetch-Site of each request, and refuses to listen beyond loopback without TLS or the name of
a proxy. `access.py` knows tokens and sessions.
"""

import base64
import hashlib
import threading
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs

from llmeval.core.errors import StoreError, UsageError
from llmeval.review.access import Doorkeeper, Person, Role
from llmeval.review.postgres_store import ReviewDatabase
from llmeval.review.server import ReviewHandler, ServedSession
from llmeval.review.session import ReviewSession
from llmeval.web.guarded_server import GuardedServer, Listening, Refused, cookies_of

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 30rem; padding: 2rem 1rem; }
input { box-sizing: border-box; font: inherit; margin: .25rem 0 1rem; padding: .4rem; width: 100%; }
button { font: inherit; min-height: 2.5rem; padding: 0 1.25rem; }
h1 { font-size: 1.4rem; }
[role="alert"] { border-left: .25rem solid #c62828; padding-left: .75rem; }
"""
_FORM = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Review: enter</title><style>{style}</style></head><body><main><h1>Review</h1>{note}
<form method="post" action="/enter" autocomplete="off">
<label for="token">Your token</label>
<input id="token" name="token" type="password" maxlength="200" required autofocus>
<button>Enter</button></form>
<p>The person who runs this server issues tokens: <code>llmeval review token NAME</code>.</p>
</main></body></html>
"""
_NO_DATABASE = "the database of the review does not answer; try again later"
_WRONG = '<p role="alert">This token is not valid. It may have expired or been revoked.</p>'


def _form_policy() -> str:
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    )


class TeamServer(GuardedServer):
    """Serves one run to everybody with a token.

    Args:
        open_session: makes the session of a reviewer, from the name and the role.
        page: the file of the page.
        policy: its Content-Security-Policy.
        database: has the tokens.
        listening: where.

    Raises:
        UsageError: the port is taken, the certificate can't be read, or the server would be
            reached from other machines in plain text.
    """

    def __init__(
        self,
        open_session: Callable[[str, Role], ReviewSession],
        page: Path,
        policy: str,
        database: ReviewDatabase,
        listening: Listening,
    ) -> None:
        super().__init__(_TeamHandler, policy, listening, "llmeval review")
        self.page, self.doorkeeper = page, Doorkeeper(database)
        self.url = self.launch = f"{self.origin}/"
        self._open_session = open_session
        self._sessions: dict[Person, ReviewSession] = {}
        self._lock = threading.Lock()

    def session_of(self, person: Person) -> ReviewSession:
        """The session of a person, the same for all browsers of that person."""
        with self._lock:
            if person not in self._sessions:
                self._sessions[person] = self._open_session(person.name, person.role)
            return self._sessions[person]

    @property
    def added(self) -> int:
        """Labels and comments that this server wrote."""
        return sum(session.added for session in self._sessions.values())


class _TeamHandler(ReviewHandler):
    server: TeamServer

    def person(self) -> Person | None:
        """The person who sends the request; None without a valid session."""
        try:
            return self.server.doorkeeper.person(self._cookie())
        except StoreError:  # its message names the database, which is nothing for strangers
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, _NO_DATABASE) from None

    def session(self) -> ServedSession:
        """As the base class says."""
        person = self.person()
        if person is None:
            raise Refused(HTTPStatus.FORBIDDEN, "your session has ended: open the page again")
        try:
            return self.server.session_of(person)
        except UsageError as error:
            raise Refused(HTTPStatus.CONFLICT, str(error)) from None

    def page(self) -> Path:
        """As the base class says."""
        return self.server.page

    def check_cookie(self) -> None:
        """Refuse a browser without a valid session, except at the form for the token."""
        if self.target().path != "/enter":
            self.session()

    def post(self, path: str) -> None:
        """As the base class says; also the form for the token, and the end of a session."""
        if path == "/enter":
            self._enter_with_form()
        elif path == "/leave":
            self.server.doorkeeper.leave(self._cookie())
            self._to_page("")
        else:
            super().post(path)

    def _get(self) -> None:
        parts = self.target()
        if parts.path == "/" and self.person() is None:
            self._form(HTTPStatus.OK, "")
            return
        self.check_cookie()
        self.get(parts.path, parse_qs(parts.query))

    def _enter_with_form(self) -> None:
        if self.headers.get_content_type() != "application/x-www-form-urlencoded":
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send the form of the page")
        form = parse_qs(self.body().decode("utf-8", "replace"))
        try:
            session = self.server.doorkeeper.enter(form.get("token", [""])[0])
        except StoreError:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, _NO_DATABASE) from None
        if session is None:
            self._form(HTTPStatus.FORBIDDEN, _WRONG)
        else:
            self._to_page(session)

    def _to_page(self, session: str) -> None:
        """Send the browser to the page, with the cookie of a session; an empty one ends it."""
        secure = "; Secure" if self.server.secure else ""
        age = "" if session else "; Max-Age=0"
        cookie = f"{self.server.cookie}={session}; HttpOnly; SameSite=Strict; Path=/{secure}{age}"
        self.head(
            HTTPStatus.SEE_OTHER,
            "text/plain; charset=utf-8",
            0,
            Location="/",
            **{"Set-Cookie": cookie},
        )

    def _form(self, status: int, note: str) -> None:
        # With `no-referrer` a browser sends the form with `Origin: null`, which is refused.
        self.whole(
            status,
            "text/html; charset=utf-8",
            _FORM.format(style=_STYLE, note=note).encode(),
            **{"Content-Security-Policy": _form_policy(), "Referrer-Policy": "same-origin"},
        )

    def _cookie(self) -> str:
        return cookies_of(self.headers).get(self.server.cookie, "")
