"""A cache of replies by the content of their request, for the run itself and, within limits, for
later runs.

SQLite in WAL mode: safe with several processes, one file, no server. Writes are collected for a
moment and committed outside the event loop. Each row names the run that wrote it and the time of
the reply. A reader states the oldest time of replies of other runs that it accepts (`since`). It
always accepts replies of its own run. The first good reply stays, and a later writer receives it:
processes that share replies then record the same answers.
"""

import asyncio
import contextlib
import math
import os
import secrets
import sqlite3
import sys
import threading
import time
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from llmeval.core.errors import StoreError
from llmeval.core.files import NO_LINK, PRIVATE
from llmeval.models.base import Reply

FILE = "cache.sqlite3"
NEVER, ALWAYS = math.inf, 0.0
"""Values of `since`: no reply of another run, and every reply."""
MAX_REPLY = 64 * 2**20
"""Largest stored reply, unpacked, in bytes."""
_GATHER_SECONDS = 0.001
_LAYOUT = 2
"""`PRAGMA user_version` of the file. The layout before (0) named no run, and held unusable
verdicts.
"""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS replies (
    key BLOB PRIMARY KEY, reply BLOB NOT NULL, model TEXT NOT NULL, at INTEGER NOT NULL,
    run TEXT NOT NULL
) WITHOUT ROWID
"""
# A row of another run is replaced if the writer may not read it.
_PUT = """
INSERT INTO replies (key, reply, model, at, run) VALUES (:key, :reply, :model, :at, :run)
ON CONFLICT (key) DO UPDATE
SET reply = excluded.reply, model = excluded.model, at = excluded.at, run = excluded.run
WHERE run != excluded.run AND at < :since
"""
_GET = "SELECT reply, at, run FROM replies WHERE key = :key AND (run = :run OR at >= :since)"
_DECODER = msgspec.json.Decoder(Reply)


class CachedReply(NamedTuple):
    """A reply, its time (seconds since 1970, UTC) and the id of the run that made the call."""

    reply: Reply
    at: int
    run: str


class _Row(NamedTuple):
    """A row to write. `since`: it replaces rows of other runs that are older."""

    reply: bytes
    model: str
    at: int
    run: str
    since: float


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """The size of the cache. `models`: number of replies by model name."""

    path: str
    replies: int
    bytes: int
    oldest: int | None
    newest: int | None
    models: dict[str, int]


class Cache:
    """Replies by key. A cache of an older layout is emptied when it is opened.

    A read or write that fails during a run (such as on a full disk) sets `warning`. It ends the
    caching, not the run.

    Args:
        home: the folder of the file.
        set_aside: rename a file that SQLite finds damaged, and begin a new one. A message says so.

    Attributes:
        run: the id of the run that uses this object; a random id until it is set.

    Raises:
        StoreError: the file can't be opened, or a newer llmeval wrote it; names the file and the
            fix.
    """

    def __init__(self, home: Path, *, set_aside: bool = False) -> None:
        self.path = home / FILE
        self.run = secrets.token_hex(8)
        self._pending: dict[bytes, _Row] = {}
        self._waiting: dict[bytes, asyncio.Future[CachedReply | None]] = {}
        self._writing = threading.Lock()
        self.warning: str | None = None
        self.is_remote = False
        self._reported, self._readable = False, True
        self._flusher: asyncio.Task[None] | None = None
        try:
            home.mkdir(parents=True, exist_ok=True)
            try:
                self._open()
            except sqlite3.Error as error:
                if not set_aside or not _is_damage(error):
                    raise
                self._replace_damaged(error)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"the cache {self.path} can't be used: {error}. Set LLMEVAL_HOME to a writable"
                " directory, or run with --no-cache"
            ) from None

    def _open(self) -> None:
        _private(self.path)
        # one connection for each thread: the event loop reads, a worker thread writes
        self._db, self._writer = (_connected(self.path) for _ in range(2))
        self._writer.execute("PRAGMA journal_mode=WAL")
        self._writer.execute("PRAGMA synchronous=NORMAL")
        self._lay_out()
        self._writer.execute("SELECT count(*) FROM sqlite_schema").fetchone()

    def _replace_damaged(self, error: sqlite3.Error) -> None:
        """Rename the damaged file and those that SQLite keeps next to it, and begin a new one."""
        for connection in (self._db, self._writer):
            connection.close()
        name = f"{FILE}.damaged-{int(time.time())}-{secrets.token_hex(2)}"
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.replace(f"{self.path}{suffix}", self.path.with_name(name + suffix))
        _say(f"damaged ({error}). It is now {name}, and a new one begins", self.path)
        self._open()

    def get(self, key: bytes, since: float = NEVER) -> CachedReply | None:
        """The reply stored under `key` by this run, or by another one at `since` (seconds since
        1970) or later.
        """
        if not self._readable:
            return None
        try:
            row = self._db.execute(_GET, {"key": key, "run": self.run, "since": since}).fetchone()
        except sqlite3.Error as error:
            self._readable = False
            self.warning = (
                f"the cache {self.path} can't be read ({error}); this run continues without it."
                " `llmeval cache check` says whether the file is damaged"
            )
            return None
        kept = kept_reply(row)
        if row is not None and kept is None and not self._reported:
            self._reported = True
            _say(
                "a reply is damaged and counts as missing: `llmeval cache check` removes all such"
                " replies",
                self.path,
            )
        return kept

    async def claim(self, key: bytes, since: float = NEVER) -> CachedReply | None:
        """Always None: `get` gives what is stored, and another process does not wait."""
        return None

    def check(self) -> None:
        """Does nothing: see `ReplyStore.check`."""

    async def read(self, key: bytes, since: float = NEVER) -> CachedReply | None:
        """As `get`."""
        return self.get(key, since)

    def release(self, key: bytes, since: float = NEVER) -> None:
        """Does nothing: this cache has no claims."""

    async def put(self, key: bytes, reply: Reply, model: str, since: float = NEVER) -> CachedReply:
        """Store a reply, unless `get` already gives one.

        Returns:
            The reply that is stored; `reply` itself if the cache can't be written.
        """
        now = int(time.time())
        if self.warning is not None:
            return CachedReply(reply, now, self.run)
        if key not in self._waiting:
            self._pending[key] = _Row(packed_reply(reply), model, now, self.run, since)
            self._waiting[key] = asyncio.get_running_loop().create_future()
            if self._flusher is None or self._flusher.done():
                self._flusher = asyncio.get_running_loop().create_task(self._flush())
        earlier = await asyncio.shield(self._waiting[key])
        return earlier or CachedReply(reply, now, self.run)

    def close(self) -> None:
        """Write what is pending, and close."""
        if self._flusher is not None:
            self._flusher.cancel()
        self._write(self._pending)
        self._db.close()
        self._writer.close()

    def stats(self) -> Stats:
        """The size of the cache."""
        count, oldest, newest = self._db.execute(
            "SELECT count(*), min(at), max(at) FROM replies"
        ).fetchone()
        models = dict(
            self._db.execute("SELECT model, count(*) FROM replies GROUP BY model ORDER BY 2 DESC")
        )
        size = sum(f.stat().st_size for f in self.path.parent.glob(FILE + "*"))
        return Stats(
            path=str(self.path),
            replies=count,
            bytes=size,
            oldest=oldest,
            newest=newest,
            models=models,
        )

    def damaged(self) -> list[bytes]:
        """The keys of the rows that can't be read. `get` gives no reply for them.

        Raises:
            StoreError: SQLite itself finds the file damaged.
        """
        try:
            rows = self._db.execute("SELECT key, reply, at, run FROM replies")
            return [key for key, *row in rows if kept_reply((row[0], row[1], row[2])) is None]
        except sqlite3.Error as error:
            raise StoreError(
                f"the cache {self.path} is damaged: {error}. Delete the file; it only saves calls"
            ) from None

    def remove(self, keys: Iterable[bytes]) -> None:
        """Delete rows."""
        self._writer.executemany("DELETE FROM replies WHERE key = ?", [(key,) for key in keys])

    def prune(self, before: int | None = None) -> int:
        """Delete replies older than `before` (seconds since 1970), or all; returns how many."""
        cursor = self._writer.execute(
            "DELETE FROM replies WHERE ? IS NULL OR at < ?", (before, before)
        )
        self._writer.execute("VACUUM")
        self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return cursor.rowcount

    def _lay_out(self) -> None:
        """Create the table in the current layout. Rows of an older layout name
        no run: drop them.
        """
        if self._layout() == _LAYOUT:
            return
        self._writer.execute(
            "BEGIN IMMEDIATE"
        )  # several processes may open an old file at once; only one of them changes it
        layout = self._layout()
        if layout < _LAYOUT:
            self._writer.execute("DROP TABLE IF EXISTS replies")
            self._writer.execute(_SCHEMA)
            self._writer.execute(f"PRAGMA user_version = {_LAYOUT}")
        self._writer.execute("COMMIT")
        if layout > _LAYOUT:
            self.close()
            raise StoreError(
                f"the cache {self.path} was written by a newer llmeval. Set LLMEVAL_HOME to another"
                " directory, or run with --no-cache"
            )

    def _layout(self) -> int:
        return int(self._writer.execute("PRAGMA user_version").fetchone()[0])

    async def _flush(self) -> None:
        """Write until nothing is pending. Each waiting call gets the reply that is stored."""
        while self._pending:
            await asyncio.sleep(_GATHER_SECONDS)
            batch = dict(self._pending)
            earlier = await asyncio.to_thread(self._write, batch)
            for key in batch:
                del self._pending[key]
                self._waiting.pop(key).set_result(earlier.get(key))

    def _write(self, batch: Mapping[bytes, _Row]) -> dict[bytes, CachedReply]:
        """Write in one transaction the rows that are missing; return the replies that others stored
        first.
        """
        if not batch:
            return {}
        with self._writing:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                rows = ({"key": key, **row._asdict()} for key, row in batch.items())
                written = self._writer.executemany(_PUT, rows).rowcount
                self._writer.execute("COMMIT")
                return {} if written == len(batch) else self._first(batch)
            except sqlite3.Error as error:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                self.warning = (
                    f"the cache {self.path} can't be written ({error}); this run continues"
                    " without it"
                )
                return {}

    def _first(self, batch: Mapping[bytes, _Row]) -> dict[bytes, CachedReply]:
        """The stored replies of these keys."""
        stored = {
            key: kept_reply(
                self._writer.execute(
                    _GET, {"key": key, "run": row.run, "since": row.since}
                ).fetchone()
            )
            for key, row in batch.items()
        }
        return {key: kept for key, kept in stored.items() if kept is not None}


def _is_damage(error: sqlite3.Error) -> bool:
    """Whether SQLite finds the file itself damaged, rather than locked or not writable."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _say(message: str, path: Path) -> None:
    print(f"llmeval: the cache {path}: {message}", file=sys.stderr)


def _private(path: Path) -> None:
    """Create the file for its owner alone. SQLite gives its other files the same permissions."""
    flags = os.O_RDWR | os.O_CREAT | NO_LINK
    os.close(os.open(path, flags, PRIVATE))


def _connected(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)


def packed_reply(reply: Reply) -> bytes:
    """A reply as it is stored."""
    return zlib.compress(msgspec.json.encode(reply), 1)


def kept_reply(row: tuple[bytes, int, str] | None) -> CachedReply | None:
    """A row as read; None without a row, or if its bytes are damaged or unpack to more than
    `MAX_REPLY`.
    """
    if row is None:
        return None
    try:
        unpacking = zlib.decompressobj()
        data = unpacking.decompress(row[0], MAX_REPLY)
        if not unpacking.eof:
            return None
        return CachedReply(_DECODER.decode(data), row[1], row[2])
    except (zlib.error, TypeError, RecursionError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
