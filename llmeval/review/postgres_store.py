"""The work of reviewers on a PostgreSQL server, for a team: labels, comments, assignments, draws.

Rows are only ever added. Several servers and many people can write at the same time: whoever reads
in order to write holds a lock of the database for that run. psycopg is in the extra `postgres`.
Messages never hold a password.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import msgspec

from llmeval.core.draw import Draw
from llmeval.core.errors import StoreError, UsageError, install_hint
from llmeval.core.records import Label, to_json
from llmeval.core.redaction import hide
from llmeval.core.review_records import Assignment, CaseComment

if TYPE_CHECKING:
    from psycopg import Connection

SCHEMES = ("postgresql", "postgres")
CONNECT_SECONDS = 10
_TABLES = """
CREATE TABLE IF NOT EXISTS review_labels (
    run_id text NOT NULL, label_id text NOT NULL, reviewer text NOT NULL, record json NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY, PRIMARY KEY (run_id, label_id)
);
CREATE TABLE IF NOT EXISTS review_comments (
    suite text NOT NULL, comment_id text NOT NULL, author text NOT NULL, record json NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY, PRIMARY KEY (suite, comment_id)
);
CREATE TABLE IF NOT EXISTS review_assignments (
    run_id text NOT NULL, assignment_id text NOT NULL, record json NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY, PRIMARY KEY (run_id, assignment_id)
);
CREATE TABLE IF NOT EXISTS review_draws (
    run_id text NOT NULL, draw_id text NOT NULL, record json NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY, PRIMARY KEY (run_id, draw_id)
);
CREATE TABLE IF NOT EXISTS review_tokens (
    token_sha256 text PRIMARY KEY, name text NOT NULL, role text NOT NULL,
    created timestamptz NOT NULL DEFAULT clock_timestamp(), expires timestamptz NOT NULL,
    revoked timestamptz
);
"""
_SETUP_LOCK, _RUN_LOCK = 0x6C6C7276, 0x6C6C7277
"""Numbers of advisory locks: one maker of the tables; with a hash, one writer a run."""

Row = tuple[Any, ...]
"""A row as psycopg gives it. The caller converts it to a typed record at once."""
Result = TypeVar("Result")


class ReviewDatabase:
    """A connection that is opened again when it breaks. Safe to use from several threads.

    Args:
        url: `postgresql://user:password@host/database`. Its password is hidden in all messages.

    Raises:
        UsageError: psycopg is not installed, or the URL has another form.
        StoreError: no connection.
    """

    def __init__(self, url: str) -> None:
        if urlsplit(url).scheme not in SCHEMES:
            raise UsageError("--store must be postgresql://USER:PASSWORD@HOST/DATABASE")
        try:
            import psycopg
        except ModuleNotFoundError:
            raise UsageError(
                f"a review on PostgreSQL needs psycopg: {install_hint('postgres')}"
            ) from None
        self.name, self._url = _without_password(url), url
        self._broken, self._error = psycopg.OperationalError, psycopg.Error
        self._lock = threading.RLock()
        self._connection: Connection[Row] = self._connect()
        try:
            with self.transaction(_SETUP_LOCK, ""):
                for statement in filter(str.strip, _TABLES.split(";")):
                    self.run(statement)
        except BaseException:
            self._connection.close()
            raise

    def run(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        """The rows of a statement; none of one that gives none. Outside of a transaction it is
        tried again on a new connection when the old one broke.

        Raises:
            StoreError: the database refuses it, or does not answer.
        """
        return self._tried(lambda: self._rows(statement, values))

    def _rows(self, statement: str, values: Sequence[object]) -> list[Row]:
        cursor = self._connection.execute(statement.encode(), values)
        return cursor.fetchall() if cursor.description is not None else []

    def _tried(self, work: Callable[[], Result]) -> Result:
        with self._lock:
            try:
                try:
                    return work()
                except self._broken:
                    if not self._connection.closed or self._inside:
                        raise
                    self._connection = self._connect()
                    return work()
            except self._error as error:
                raise self._refused(error) from None

    _inside = False

    @contextmanager
    def transaction(self, number: int, name: str) -> Iterator[None]:
        """A transaction that holds a lock of the database. An exception undoes it.

        Args:
            number: of the kind of lock.
            name: what is locked; a hash of it is the second number.
        """
        with self._lock:
            if self._inside:  # the caller holds the lock already
                yield
                return
            self.run("SELECT 1")  # a connection that broke meanwhile is opened again here
            self._inside = True
            try:
                with self._connection.transaction():
                    self.run("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (number, name))
                    yield
            except self._error as error:
                raise self._refused(error) from None
            finally:
                self._inside = False

    def __enter__(self) -> "ReviewDatabase":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def _connect(self) -> "Connection[Row]":
        import psycopg

        try:
            return psycopg.connect(
                self._url,
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
                application_name="llmeval review",
            )
        except psycopg.Error as error:
            raise self._refused(error) from None

    def _refused(self, error: Exception) -> StoreError:
        text = " ".join(str(error).split())
        return StoreError(f"{self.name}: the review store can't be used: {text}")


class PostgresReview:
    """The records of one run on a server, as `ReviewStore` says.

    Args:
        database: the server.
        run_id: the run.
        suite: its suite. Comments belong to the suite.
    """

    def __init__(self, database: ReviewDatabase, run_id: str, suite: str) -> None:
        self._database, self._run_id, self._suite = database, run_id, suite
        self.name = database.name

    @contextmanager
    def writing(self) -> Iterator[None]:
        """As `ReviewStore` says, for all servers that use the database."""
        with self._database.transaction(_RUN_LOCK, self._run_id):
            yield

    def labels(self) -> list[Label]:
        """As `ReviewStore` says."""
        return self._read("review_labels", "run_id", self._run_id, Label)

    def add_labels(self, labels: Iterable[Label]) -> int:
        """As `ReviewStore` says. Of two labels with one id the first stays."""
        return self._add(
            "review_labels (run_id, label_id, reviewer, record) VALUES (%s, %s, %s, %s::json)",
            [
                (self._run_id, label.label_id or _content_id(label), label.reviewer, _text(label))
                for label in labels
            ],
        )

    def comments(self) -> list[CaseComment]:
        """As `ReviewStore` says."""
        return self._read("review_comments", "suite", self._suite, CaseComment)

    def add_comments(self, comments: Iterable[CaseComment]) -> int:
        """As `ReviewStore` says."""
        return self._add(
            "review_comments (suite, comment_id, author, record) VALUES (%s, %s, %s, %s::json)",
            [
                (self._suite, comment.comment_id, comment.author, _text(comment))
                for comment in comments
                if comment.suite == self._suite
            ],
        )

    def assignments(self) -> list[Assignment]:
        """As `ReviewStore` says."""
        return self._read("review_assignments", "run_id", self._run_id, Assignment)

    def add_assignments(self, assignments: Iterable[Assignment]) -> int:
        """As `ReviewStore` says."""
        return self._add(
            "review_assignments (run_id, assignment_id, record) VALUES (%s, %s, %s::json)",
            [(self._run_id, each.assignment_id, _text(each)) for each in assignments],
        )

    def draws(self) -> list[Draw]:
        """As `ReviewStore` says."""
        return self._read("review_draws", "run_id", self._run_id, Draw)

    def add_draws(self, draws: Iterable[Draw]) -> int:
        """As `ReviewStore` says."""
        return self._add(
            "review_draws (run_id, draw_id, record) VALUES (%s, %s, %s::json)",
            [(self._run_id, draw.draw_id, _text(draw)) for draw in draws],
        )

    def _read(self, table: str, column: str, key: str, kind: type[Result]) -> list[Result]:
        rows = self._database.run(
            f"SELECT record::text, number FROM {table} WHERE {column} = %s ORDER BY number",
            (key,),
        )
        decoder = msgspec.json.Decoder(kind)
        try:
            return [decoder.decode(text) for text, _ in rows]
        except (ValueError, RecursionError) as error:
            raise StoreError(
                f"{self._database.name}: a row of {table} can't be read: {error}"
            ) from None

    def _add(self, into: str, rows: Sequence[Sequence[str]]) -> int:
        """Add the rows whose keys are not there; returns how many."""
        added = 0
        with self.writing():
            for row in rows:
                statement = f"INSERT INTO {into} ON CONFLICT DO NOTHING RETURNING number"
                added += len(self._database.run(statement, row))
        return added


def _text(record: msgspec.Struct) -> str:
    return to_json(record).decode()


def _content_id(label: Label) -> str:
    """The id of a label without one: what it says."""
    from llmeval.core.records import digest

    return digest(msgspec.to_builtins(label))


def _without_password(url: str) -> str:
    """An address for messages. Its password is hidden in everything that llmeval writes."""
    parts = urlsplit(url)
    secrets = [parts.password] if parts.password else []
    hide([*secrets, url] if secrets else [])
    user = f"{parts.username}:***@" if parts.username else ""
    port = f":{parts.port}" if parts.port else ""
    query = "" if "password" in parts.query else parts.query
    return urlunsplit((parts.scheme, f"{user}{parts.hostname or ''}{port}", parts.path, query, ""))
