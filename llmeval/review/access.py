"""Who may do what on the review server of a team: tokens with roles, sessions of browsers.

A token has 256 random bits. The database holds its sha256, so nobody who reads the database can use
it. A token is exchanged for a session, which ends after 12 hours, with the token, or with the
server. Each request asks the database whether the token still holds.
"""

import secrets
import threading
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal, NamedTuple

from llmeval.core.errors import UsageError
from llmeval.core.person_names import person_key, person_name
from llmeval.review.postgres_store import ReviewDatabase

Role = Literal["reviewer", "approver"]
"""A reviewer labels and comments. An approver also settles what reviewers differ on."""
SESSION_SECONDS = 12 * 3600.0
MOST_SESSIONS = 1000
_PREFIX = "llmeval-review-"
"""Makes a token recognisable to scanners of secrets."""
LONGEST_TOKEN = 200


class Person(NamedTuple):
    """A person with a valid token."""

    name: str
    role: Role


class IssuedToken(NamedTuple):
    """A token, as the list of tokens shows it. The token itself is shown once, when it is made."""

    name: str
    role: Role
    created: str
    """ISO 8601, UTC."""
    expires: str
    """ISO 8601, UTC."""
    valid: bool
    """Whether it is neither revoked nor expired."""


def issue_token(database: ReviewDatabase, name: str, role: Role, days: int) -> str:
    """A new token for a person. It can't be shown again.

    Args:
        database: the review store.
        name: whose labels the token's holder gives.
        role: what the holder may do.
        days: how long it is valid, from 1 to 3,660.

    Raises:
        UsageError: the name or the number of days can't be used.
    """
    if not 1 <= days <= 3660:
        raise UsageError(f"--days must be from 1 to 3660, not {days}")
    owner = person_name(name, "NAME")
    for (other,) in database.run("SELECT DISTINCT name FROM review_tokens"):
        if other != owner and person_key(str(other)) == person_key(owner):
            raise UsageError(
                f"{owner}: there are tokens of {other!r}, the same name in another spelling, which"
                " would count as a second person: write it as there"
            )
    token = _PREFIX + secrets.token_urlsafe(32)
    database.run(
        "INSERT INTO review_tokens (token_sha256, name, role, expires)"
        " VALUES (%s, %s, %s, clock_timestamp() + make_interval(days => %s))",
        (_hashed(token), owner, role, days),
    )
    return token


def revoke_tokens(database: ReviewDatabase, name: str) -> int:
    """Make all tokens of a person invalid; returns how many were valid."""
    rows = database.run(
        "UPDATE review_tokens SET revoked = clock_timestamp()"
        " WHERE name = %s AND revoked IS NULL AND expires > clock_timestamp()"
        " RETURNING token_sha256",
        (name.strip(),),
    )
    return len(rows)


def tokens(database: ReviewDatabase) -> list[IssuedToken]:
    """All tokens that were issued, by name and time."""
    rows = database.run(
        "SELECT name, role, to_char(created AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
        " to_char(expires AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
        " revoked IS NULL AND expires > clock_timestamp()"
        " FROM review_tokens ORDER BY name, created"
    )
    return [IssuedToken(*row) for row in rows]


def _hashed(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, slots=True)
class _BrowserSession:
    token_sha256: str
    ends: float
    """Of `time.monotonic`."""


class Doorkeeper:
    """The sessions of one server. Safe to use from several threads.

    Args:
        database: the review store.
    """

    def __init__(self, database: ReviewDatabase) -> None:
        self._database = database
        self._sessions: dict[str, _BrowserSession] = {}
        self._lock = threading.Lock()

    def enter(self, token: str) -> str | None:
        """A new session for a token; None where the token is not valid."""
        if len(token) > LONGEST_TOKEN:
            return None
        hashed = _hashed(token.strip())
        if self._person(hashed) is None:
            return None
        session, now = secrets.token_urlsafe(32), time.monotonic()
        with self._lock:
            alive = {key: each for key, each in self._sessions.items() if each.ends > now}
            while len(alive) >= MOST_SESSIONS:  # the oldest ones end
                del alive[next(iter(alive))]
            alive[_hashed(session)] = _BrowserSession(hashed, now + SESSION_SECONDS)
            self._sessions = alive
        return session

    def person(self, session: str) -> Person | None:
        """The person of a session; None where it has ended, or its token is not valid any more."""
        with self._lock:
            entry = self._sessions.get(_hashed(session))
        if entry is None or entry.ends <= time.monotonic():
            return None
        return self._person(entry.token_sha256)

    def leave(self, session: str) -> None:
        """End a session."""
        with self._lock:
            self._sessions.pop(_hashed(session), None)

    def _person(self, token_sha256: str) -> Person | None:
        rows = self._database.run(
            "SELECT name, role FROM review_tokens WHERE token_sha256 = %s"
            " AND revoked IS NULL AND expires > clock_timestamp()",
            (token_sha256,),
        )
        if not rows or rows[0][1] not in ("reviewer", "approver"):
            return None
        return Person(*rows[0])
