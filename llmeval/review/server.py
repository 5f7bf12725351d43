"""The review server: one page and one list of labels, for the person at this machine and nobody
else. `team_server.py` has the one for a team.

`web/guarded_server.py` checks who sends a request. A write must come from the page itself: its
Origin, as JSON, of bounded size.
"""

import shutil
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

from llmeval.core.records import to_json
from llmeval.review.session import RefusedVote
from llmeval.web.guarded_server import LOOPBACK, GuardedHandler, GuardedServer, Listening, Refused

HOST = LOOPBACK
MAX_BODY = 64 << 10
"""Bytes of one vote: the longest comment and case id, with room to spare."""


class ServedSession(Protocol):
    """What the server shows and takes votes for."""

    def state(self) -> dict[str, Any]:
        """What the page needs."""

    def add(self, body: bytes) -> None:
        """Take one vote, as JSON. Raises RefusedVote."""

    def comment(self, body: bytes) -> None:
        """Take one comment on a case, as JSON. Raises RefusedVote."""


class ReviewServer(GuardedServer):
    """Serves one session.

    Raises:
        UsageError: the port is taken.
    """

    def __init__(self, session: ServedSession, page: Path, policy: str, port: int = 0) -> None:
        super().__init__(_SingleHandler, policy, Listening(port=port), "llmeval review")
        self.session, self.page = session, page


class ReviewHandler(GuardedHandler):
    """Serves a page, a reviewer's state, and takes votes and comments. Subclasses know whose."""

    def session(self) -> ServedSession:
        """The session of the person who sends the request.

        Raises:
            Refused: the person is not allowed in.
        """
        raise Refused(HTTPStatus.FORBIDDEN, "nobody is allowed in")

    def page(self) -> Path:
        """The file of the page."""
        raise Refused(HTTPStatus.NOT_FOUND, "there is nothing here")

    def do_POST(self) -> None:  # noqa: N802 - named by the base class
        self.answer(self._post)

    def get(self, path: str, query: dict[str, list[str]]) -> None:
        if path == "/":
            self._page()
        elif path == "/state":
            self._json(self.session().state())
        else:
            raise Refused(HTTPStatus.NOT_FOUND, "there is nothing here")

    def _post(self) -> None:
        if self.headers.get("Origin") != self.server.origin:
            raise Refused(HTTPStatus.FORBIDDEN, "a vote must come from the page")
        self.check_cookie()
        self.post(self.target().path)

    def post(self, path: str) -> None:
        """Answer a POST of the page, from a person who is allowed in.

        Raises:
            Refused: it is not a vote or comment that can be taken.
        """
        session = self.session()
        take = {"/labels": session.add, "/comments": session.comment}.get(path)
        if take is None:
            raise Refused(HTTPStatus.NOT_FOUND, "there is nothing here")
        if self.headers.get_content_type() != "application/json":
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "a vote is JSON")
        try:
            take(self.body())
        except RefusedVote as refused:
            raise Refused(refused.status, str(refused)) from None
        self._json(session.state())

    def body(self) -> bytes:
        """The body of the request, of bounded size.

        Raises:
            Refused: it states no size, or is too large.
        """
        sizes = self.headers.get_all("Content-Length", [])
        if (
            "Transfer-Encoding" in self.headers
            or len(sizes) != 1
            or not (sizes[0].isascii() and sizes[0].isdigit())
        ):
            raise Refused(HTTPStatus.LENGTH_REQUIRED, "a vote states its length")
        if len(sizes[0]) > 9 or int(sizes[0]) > MAX_BODY:
            raise Refused(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a vote has at most {MAX_BODY:,} bytes"
            )
        return self.rfile.read(int(sizes[0]))

    def _page(self) -> None:
        page = self.page()
        with page.open("rb") as file:
            self.head(HTTPStatus.OK, "text/html; charset=utf-8", page.stat().st_size)
            shutil.copyfileobj(file, self.wfile, 1 << 20)

    def _json(self, value: object) -> None:
        self.whole(HTTPStatus.OK, "application/json", to_json(value))


class _SingleHandler(ReviewHandler):
    server: ReviewServer

    def session(self) -> ServedSession:
        """The one that is served."""
        return self.server.session

    def page(self) -> Path:
        """As the base class says."""
        return self.server.page
