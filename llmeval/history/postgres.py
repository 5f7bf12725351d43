"""The history on a PostgreSQL server, for a team: `postgresql://user@host/database`.

The tables are those of SQLite. psycopg is in the extra `postgres`. Messages never hold a password.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from llmeval.core.errors import StoreError, UsageError, install_hint
from llmeval.core.redaction import hide
from llmeval.history.sql_connection import SqlValue
from llmeval.history.sql_store import SqlStore

SCHEMES = ("postgresql", "postgres")
CONNECT_SECONDS = 5
"""A server that is down must not hold up a run."""
_WRITER = 0x6C6C6D65
"""The number of the advisory lock that makes one writer at a time."""


class PostgresConnection:
    """A connection to a server.

    Args:
        url: `postgresql://...`; a password in it is hidden everywhere.

    Raises:
        UsageError: psycopg is not installed.
        StoreError: no connection.
    """

    blob = "BYTEA"
    compact = ""

    def __init__(self, url: str) -> None:
        try:
            import psycopg
        except ModuleNotFoundError:
            raise UsageError(
                f"a history on PostgreSQL needs psycopg: {install_hint('postgres')}"
            ) from None
        self.name = without_password(url)
        self._errors = psycopg.Error
        try:
            self._connection = psycopg.connect(
                url, autocommit=True, connect_timeout=CONNECT_SECONDS, application_name="llmeval"
            )
        except psycopg.Error as error:
            raise self._refused(error) from None

    def query(self, statement: str, values: Sequence[SqlValue] = ()) -> list[tuple[SqlValue, ...]]:
        """As `SqlConnection` says."""
        try:
            cursor = self._connection.execute(_placed(statement), values, binary=True)
            return cursor.fetchall() if cursor.description is not None else []
        except self._errors as error:
            raise self._refused(error) from None

    def insert(self, statement: str, rows: Sequence[Sequence[SqlValue]]) -> None:
        """As `SqlConnection` says."""
        try:
            with self._connection.cursor() as cursor:
                cursor.executemany(_placed(statement), rows)
        except self._errors as error:
            raise self._refused(error) from None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """As `SqlConnection` says."""
        try:
            with self._connection.transaction():
                self._connection.execute("SELECT pg_advisory_xact_lock(%s)", (_WRITER,))
                yield
        except self._errors as error:
            raise self._refused(error) from None

    def close(self) -> None:
        """As `SqlConnection` says."""
        self._connection.close()

    def _refused(self, error: Exception) -> StoreError:
        text = " ".join(str(error).split())
        return StoreError(f"{self.name}: the history can't be used: {text}")


def open_postgres(url: str) -> SqlStore:
    """The history on a server.

    Raises:
        UsageError, StoreError: as `PostgresConnection`.
    """
    return SqlStore(PostgresConnection(url))


def without_password(url: str) -> str:
    """An address for messages. Its password is hidden in everything that llmeval writes."""
    parts = urlsplit(url)
    stated = [value for name, value in parse_qsl(parts.query) if "password" in name.lower()]
    if parts.password:
        stated += [parts.password, unquote(parts.password)]
    if not stated:
        return url
    hide([*stated, url])
    user = f"{parts.username}:***@" if parts.username else ""
    place = parts.netloc.rpartition("@")[2]
    query = "" if "password" in parts.query else parts.query
    return urlunsplit((parts.scheme, f"{user}{place}", parts.path, query, ""))


def _placed(statement: str) -> bytes:
    """psycopg writes parameters as `%s`. No statement of ours has a `?` or `%` of its own."""
    return statement.replace("?", "%s").encode()
