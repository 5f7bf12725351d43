"""One session with a store of replies on a PostgreSQL server: its statements, blocking.

`replies` has one row a request. A row without a reply is a claim: its owner makes the call now. An
owner is alive while its session holds the advisory lock (77, owner). The server frees the lock
when the session ends, so the claims of a killed process are free at once, and no clock is compared.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from llmeval.core.errors import StoreError, UsageError, install_hint
from llmeval.core.redaction import hide

if TYPE_CHECKING:
    from psycopg import Connection

VERSION = 1
"""The layout of the tables."""
RECONNECT_SECONDS = 60.0
"""How long a run waits for a server that restarts."""
_CONNECTION = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15000,
    "application_name": "llmeval",
}
_SETTINGS = """
SET statement_timeout = '30s';
SET idle_in_transaction_session_timeout = '30s';
SET synchronous_commit = off;
SET tcp_keepalives_idle = 10;
SET tcp_keepalives_interval = 5;
SET tcp_keepalives_count = 3;
SET tcp_user_timeout = 15000
"""
# The server has keepalives too: else a cut cable would leave claims for hours.
_TABLES = f"""
CREATE TABLE IF NOT EXISTS llmeval_store (version int PRIMARY KEY);
INSERT INTO llmeval_store SELECT {VERSION} WHERE NOT EXISTS (SELECT FROM llmeval_store);
CREATE SEQUENCE IF NOT EXISTS llmeval_owners AS int CYCLE;
CREATE TABLE IF NOT EXISTS replies (
    key bytea PRIMARY KEY, reply bytea, model text NOT NULL DEFAULT '', run text NOT NULL,
    owner int NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE IF NOT EXISTS buckets (
    name text PRIMARY KEY, tokens double precision NOT NULL, at timestamptz NOT NULL
);
"""
_ALIVE = """
EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = 77 AND objsubid = 2
        AND objid = replies.owner::oid AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""
# Sorted keys, or two sessions wait for one another.
_CLAIM = f"""
INSERT INTO replies (key, run, owner)
SELECT k, %(run)s, %(owner)s FROM unnest(%(keys)s::bytea[]) AS k ORDER BY k
ON CONFLICT (key) DO UPDATE
SET owner = excluded.owner, run = excluded.run, at = clock_timestamp()
WHERE replies.reply IS NULL AND CASE WHEN replies.owner = excluded.owner THEN true
                                     ELSE NOT {_ALIVE} END
RETURNING key
"""
_READ = """
SELECT key, reply, extract(epoch FROM at)::float8, run FROM replies
WHERE key = ANY(%(keys)s::bytea[]) AND reply IS NOT NULL
"""
_PUT = """
INSERT INTO replies (key, reply, model, run, owner)
SELECT p.* , %(run)s, %(owner)s
FROM unnest(%(keys)s::bytea[], %(replies)s::bytea[], %(models)s::text[]) AS p(k, r, m) ORDER BY k
ON CONFLICT (key) DO UPDATE
SET reply = excluded.reply, model = excluded.model, run = excluded.run, owner = excluded.owner,
    at = clock_timestamp()
WHERE replies.reply IS NULL
"""
_RELEASE = """
DELETE FROM replies WHERE key = ANY(%(keys)s::bytea[]) AND reply IS NULL AND owner = %(owner)s
"""
_FORGET = """
DELETE FROM replies AS r USING unnest(%(keys)s::bytea[], %(sinces)s::float8[]) AS old(key, since)
WHERE r.key = old.key AND r.reply IS NOT NULL AND r.at < to_timestamp(old.since)
"""
_TAKE = """
INSERT INTO buckets AS b (name, tokens, at)
VALUES (%(name)s, %(capacity)s - %(amount)s, clock_timestamp())
ON CONFLICT (name) DO UPDATE
SET tokens = least(%(capacity)s, b.tokens + %(rate)s
        * greatest(0, extract(epoch FROM clock_timestamp() - b.at)::float8)) - %(amount)s,
    at = greatest(b.at, clock_timestamp())
RETURNING tokens
"""
_PRUNE = f"""
DELETE FROM replies WHERE (%(all)s OR at < now() - make_interval(secs => %(seconds)s))
AND (reply IS NOT NULL OR NOT {_ALIVE})
"""
StoredRow = tuple[bytes, float, str]
"""A packed reply, its time (seconds since 1970) and the run that made the call."""


class PutRow(NamedTuple):
    """A reply to write."""

    reply: bytes
    model: str


class Take(NamedTuple):
    """Tokens to take from a shared bucket. `rate`: tokens a second."""

    name: str
    amount: float
    rate: float
    capacity: float


class Batch(NamedTuple):
    """What one exchange carries."""

    puts: Mapping[bytes, PutRow]
    claims: Mapping[bytes, float]
    """Keys to claim, and the oldest time of a reply that is good enough."""
    reads: Sequence[bytes]
    releases: Sequence[bytes]
    takes: Sequence[Take]


class Exchanged(NamedTuple):
    """What came back."""

    claimed: frozenset[bytes]
    rows: dict[bytes, StoredRow]
    levels: list[float]
    """Of each take, the tokens that are left; below 0: a debt."""


class StoreSession:
    """A connection with its owner number.

    Args:
        url: `postgresql://user:password@host/database`. Its password is hidden in all messages.

    Raises:
        UsageError: the store can't be used as it is stated: no psycopg, a wrong password, a pooler
            in transaction mode, tables of a newer llmeval.
        StoreError: the server can't be reached.
    """

    def __init__(self, url: str) -> None:
        self._url, self.name = url, _shown(url)
        self.writes, self.owner = True, 0
        self._closed = False
        self._db = self._connected(first=True)

    def exchange(self, batch: Batch, run: str) -> Exchanged:
        """Write, claim and read in one round trip. If the session ends, it waits for the server,
        keeps its claims under a new owner number, and tries again.

        Raises:
            StoreError: the server did not come back.
        """
        import psycopg

        deadline = None
        while True:
            try:
                return self._exchanged(batch, run)
            except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure):
                continue
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                deadline = deadline or time.monotonic() + RECONNECT_SECONDS
                self._reconnect(deadline, error)
            except psycopg.Error as error:
                raise self._failed(error) from None

    def prune(self, seconds: float) -> int:
        """Delete replies older than so many seconds (0: all) and claims without an owner."""
        values = {"all": seconds == 0, "seconds": seconds}
        return self._db.execute(_PRUNE.encode(), values).rowcount

    def close(self) -> None:
        """End the session. The server frees its claims."""
        self._closed = True
        self._db.close()

    def _exchanged(self, batch: Batch, run: str) -> Exchanged:
        common = {"run": run, "owner": self.owner}
        claims, levels = None, []
        puts = sorted(batch.puts)
        with self._db.pipeline() as pipeline:
            if puts and self.writes:
                rows = [batch.puts[key] for key in puts]
                columns = {"replies": [r.reply for r in rows], "models": [r.model for r in rows]}
                self._db.execute(_PUT, {**common, "keys": puts, **columns})
                pipeline.sync()  # a transaction of its own: it holds no rows while others wait
            if batch.releases and self.writes:
                self._db.execute(_RELEASE, {**common, "keys": sorted(batch.releases)})
                pipeline.sync()
            if batch.claims and self.writes:
                dated = {key: since for key, since in batch.claims.items() if since > 0}
                if dated:
                    sinces = {"keys": list(dated), "sinces": list(dated.values())}
                    self._db.execute(_FORGET, sinces)
                    pipeline.sync()
                keys = sorted(batch.claims)
                claims = self._db.execute(_CLAIM.encode(), {**common, "keys": keys})
                pipeline.sync()
            all_keys = [*puts, *batch.claims, *batch.reads]
            read = self._db.execute(_READ, {"keys": all_keys}) if all_keys else None
            takes = [self._db.execute(_TAKE, take._asdict()) for take in batch.takes if self.writes]
        rows_read = () if read is None else read.fetchall()
        levels = [float(row[0]) for take in takes if (row := take.fetchone()) is not None]
        return Exchanged(
            frozenset(bytes(row[0]) for row in claims.fetchall()) if claims else frozenset(),
            {bytes(key): (bytes(reply), at, by) for key, reply, at, by in rows_read},
            levels or [0.0] * len(batch.takes),
        )

    def _reconnect(self, deadline: float, cause: Exception) -> None:
        import psycopg

        with suppress(psycopg.Error):
            self._db.close()
        before = self.owner
        while True:
            try:
                self._db = self._connected()
                self._db.execute(
                    "UPDATE replies SET owner = %s WHERE owner = %s AND reply IS NULL",
                    (self.owner, before),
                )
                return
            except (psycopg.OperationalError, StoreError):
                if self._closed or time.monotonic() > deadline:
                    raise self._failed(cause) from None
                time.sleep(0.2)

    def _connected(self, *, first: bool = False) -> "Connection":
        try:
            import psycopg
        except ImportError:
            raise UsageError(f"--store needs psycopg: {install_hint('postgres')}") from None
        try:
            db = psycopg.connect(self._url, autocommit=True, **_CONNECTION)  # type: ignore[arg-type]
        except psycopg.ProgrammingError:
            raise UsageError(
                "--store: the address can't be read; write postgresql://user:password@host/database,"
                " special characters of the password in percent form"
            ) from None
        except psycopg.OperationalError as error:
            raise self._refused(str(error)) from None
        for statement in _SETTINGS.split(";"):
            with suppress(psycopg.errors.InvalidParameterValue):  # a socket file has no keepalives
                db.execute(statement.encode())
        if first:
            self._refuse_shared_backends(db)
            self._lay_out(db)
        if self.writes:
            row = db.execute("SELECT nextval('llmeval_owners')").fetchone()
            assert row is not None
            self.owner = int(row[0])
            db.execute("SELECT pg_advisory_lock(77, %s)", (self.owner,))
        return db

    def _refuse_shared_backends(self, db: "Connection") -> None:
        """Two sessions that are open have two backends, unless a pooler hands one to both."""
        import psycopg

        def backend(session: "Connection") -> object:
            row = session.execute("SELECT pg_backend_pid()").fetchone()
            return None if row is None else row[0]

        with psycopg.connect(self._url, autocommit=True, **_CONNECTION) as other:  # type: ignore[arg-type]
            seen = [backend(db), backend(other), backend(db)]
        if seen[0] != seen[2] or seen[0] == seen[1]:
            db.close()
            raise UsageError(
                f"--store {self.name}: a pooler (such as pgbouncer in transaction mode) gives"
                " each statement another session, and claims are locks of a session. Use the"
                " server's own port, or session mode"
            )

    def _lay_out(self, db: "Connection") -> None:
        import psycopg

        try:
            with db.transaction():
                db.execute("SELECT pg_advisory_xact_lock(77, 0)")  # one process makes the tables
                for statement in _TABLES.split(";"):
                    if statement.strip():
                        db.execute(statement.encode())
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction):
            self.writes = False
        try:
            row = db.execute("SELECT max(version) FROM llmeval_store").fetchone()
            if not self.writes:
                db.execute("SELECT key, reply, run, at FROM replies LIMIT 1")
        except psycopg.Error:
            db.close()
            raise UsageError(
                f"--store {self.name}: this role can neither make nor read the tables of a store"
            ) from None
        if row is not None and row[0] is not None and row[0] > VERSION:
            db.close()
            raise UsageError(
                f"--store {self.name}: the tables are of a newer llmeval (layout {row[0]}, this"
                f" one knows {VERSION}). Install that llmeval, or use another database"
            )

    def _refused(self, message: str) -> UsageError | StoreError:
        wrong = ("authentication failed", "no password supplied", "does not exist")
        for text in wrong:
            if text in message:
                return UsageError(f"--store {self.name}: the server refuses the login ({text})")
        return StoreError(f"--store {self.name}: the server can't be reached")

    def _failed(self, error: Exception) -> StoreError:
        return StoreError(
            f"the store {self.name} stopped answering ({type(error).__name__}); the same command"
            " continues the run"
        )


def _shown(url: str) -> str:
    """The address without user and password, which are hidden from now on.

    Raises:
        UsageError: not an address of a PostgreSQL database.
    """
    from urllib.parse import unquote

    hide([url])
    try:
        parts = urlsplit(url)
        host, port, password = parts.hostname, parts.port, parts.password
    except ValueError:
        host, port, password, parts = None, None, None, urlsplit("")
    if parts.scheme not in ("postgresql", "postgres") or "@" in (password or ""):
        raise UsageError(
            "--store: write postgresql://user:password@host/database, special characters of the"
            " password in percent form"
        )
    if password:
        hide([password, unquote(password)])
    where = (host or "") + (f":{port}" if port else "")
    return f"postgresql://{where}{parts.path}"
