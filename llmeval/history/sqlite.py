"""The history in a file of SQLite, which Python brings: the default.

One writer at a time (`BEGIN IMMEDIATE`), readers never wait (WAL). A file that is damaged is moved
away and built again. A file on a network file system is refused: locks are not reliable there, and
WAL needs shared memory.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from llmeval.core.errors import StoreError
from llmeval.core.files import shown_path
from llmeval.history.sql_connection import SqlValue
from llmeval.history.sql_store import SqlStore

WAIT = 10.0
"""Seconds that a writer waits for another one."""
_NETWORK = ("nfs", "cifs", "smb", "afs", "9p", "fuse.sshfs", "ceph", "lustre", "glusterfs")
"""How the types of network file systems begin (/proc/self/mountinfo)."""
_MOUNTS = Path("/proc/self/mountinfo")
_MEMORY = ":memory:"


class SqliteConnection:
    """A connection to a file, or to memory.

    Raises:
        StoreError: it can't be opened, or lies on a network file system.
    """

    blob = "BLOB"
    compact = " WITHOUT ROWID"

    def __init__(self, path: Path | None) -> None:
        self.name = _MEMORY if path is None else str(path)
        self._closed = False
        if path is not None and (kind := network_file_system(path.parent)):
            raise StoreError(
                f"{path} is on a network file system ({kind}), where locks of SQLite are not"
                " reliable: set LLMEVAL_HOME to a local folder, or LLMEVAL_HISTORY to a PostgreSQL"
                " server"
            )
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._connection = sqlite3.connect(
                self.name, timeout=WAIT, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA journal_mode = WAL")
            # In WAL mode NORMAL survives a crash of the process. After a crash of the machine the
            # last transactions may be missing, and the next command indexes those runs again.
            self._connection.execute("PRAGMA synchronous = NORMAL")
        except OSError as error:
            raise StoreError(f"{self.name}: the history can't be opened: {error}") from None
        except sqlite3.Error as error:
            self.close()
            raise _refused(self.name, error) from None

    def query(self, statement: str, values: Sequence[SqlValue] = ()) -> list[tuple[SqlValue, ...]]:
        """As `SqlConnection` says."""
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise _refused(self.name, error) from None

    def insert(self, statement: str, rows: Sequence[Sequence[SqlValue]]) -> None:
        """As `SqlConnection` says."""
        try:
            self._connection.executemany(statement, rows)
        except sqlite3.Error as error:
            raise _refused(self.name, error) from None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """As `SqlConnection` says."""
        self.query("BEGIN IMMEDIATE")
        try:
            yield
            self.query("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """As `SqlConnection` says."""
        if not self._closed and hasattr(self, "_connection"):
            self._closed = True
            self._connection.close()


class DamagedHistory(StoreError):
    """The file is not a database, or is damaged."""


def refuse_unwritable_name(root: Path) -> None:
    """Refuse a folder whose name no database can hold: SQLite's texts are UTF-8.

    Raises:
        StoreError: says what to do.
    """
    if shown_path(root) != str(root):
        raise StoreError(
            f"{shown_path(root)}: the name of the folder is not UTF-8, so the history can't hold"
            " its runs. Rename it, or name a run by its path"
        )


def open_sqlite(path: Path | None, root: Path) -> SqlStore:
    """The history in a file. A damaged file is moved away, and a new one begins.

    Args:
        path: the file; None: in memory.
        root: the folder of the runs, absolute.

    Raises:
        StoreError: the file can't be opened or written, or the root's name is not UTF-8.
    """
    refuse_unwritable_name(root)
    connection = None
    try:
        connection = SqliteConnection(path)
        return SqlStore(connection, str(root))
    except DamagedHistory:
        if path is None:
            raise
        if connection is not None:
            connection.close()
        _move_away(path)
        return SqlStore(SqliteConnection(path), str(root))


def _move_away(path: Path) -> None:
    """Keep a damaged file under another name: it can be looked at, and is in nobody's way."""
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        os.replace(path, path.with_name(f"{path.name}.damaged"))


def network_file_system(folder: Path, mounts: Path = _MOUNTS) -> str:
    """The type of the network file system that a folder is on; empty for a local one, and where the
    system does not list its mounts.

    Args:
        folder: need not exist yet.
        mounts: the list of the system, in the format of proc(5).
    """
    try:
        listed = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    place = str(folder.resolve())
    best, kind = "", ""
    for line in listed:
        before, _, after = line.partition(" - ")
        fields = before.split()
        if len(fields) < 5 or not after:
            continue
        point = fields[4].replace("\\040", " ")
        inside = place == point or place.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, after.split()[0]
    return kind if kind.startswith(_NETWORK) else ""


def _refused(name: str, error: sqlite3.Error) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return DamagedHistory(f"{name}: the history is damaged: {error}")
    if code == sqlite3.SQLITE_BUSY:
        return StoreError(f"{name}: another process writes to the history: try again")
    return StoreError(f"{name}: the history can't be used: {error}")
