"""Replies by the content of their request, kept between runs and shared by processes.

SQLite in WAL mode: safe under several processes, one file, no server. Writes are gathered for a moment and
committed off the event loop. The first reply to a request stays: whoever comes later is given that one, so that all
processes that share a cache record the same answers.
"""

import asyncio
import sqlite3
import threading
import time
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from llmeval.errors import StoreError
from llmeval.models.base import Reply

FILE = "cache.sqlite3"
_GATHER_SECONDS = 0.001
_SCHEMA = """
CREATE TABLE IF NOT EXISTS replies (
    key BLOB PRIMARY KEY, reply BLOB NOT NULL, model TEXT NOT NULL, at INTEGER NOT NULL
) WITHOUT ROWID;
"""
_Row = tuple[bytes, str, int]
"""(reply, model, seconds since 1970)"""
_DECODER = msgspec.json.Decoder(Reply)


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """What the cache holds. `models`: replies by model name."""

    path: str
    replies: int
    bytes: int
    oldest: int | None
    newest: int | None
    models: dict[str, int]


class Cache:
    """Put-if-absent store of replies.

    A write that fails while a run goes on (a full disk) sets `warning` and ends caching, not the run.

    Raises:
        StoreError: the file can't be opened; names the file and the fix.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / FILE
        self._pending: dict[bytes, _Row] = {}
        self._waiting: dict[bytes, asyncio.Future[bytes | None]] = {}
        self._writing = threading.Lock()
        self.warning: str | None = None
        self._flusher: asyncio.Task[None] | None = None
        try:
            home.mkdir(parents=True, exist_ok=True)
            # one connection a thread that uses it: the event loop reads, a worker thread writes
            self._db, self._writer = (
                sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False) for _ in range(2)
            )
            self._writer.execute("PRAGMA journal_mode=WAL")
            self._writer.execute("PRAGMA synchronous=NORMAL")
            self._writer.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"the cache {self.path} can't be used: {error}. Set LLMEVAL_HOME to a writable directory, "
                "or run with --no-cache"
            ) from None

    def get(self, key: bytes) -> Reply | None:
        """The reply stored under `key`, or None."""
        try:
            row = self._db.execute("SELECT reply FROM replies WHERE key = ?", (key,)).fetchone()
        except sqlite3.Error as error:
            raise StoreError(f"the cache {self.path} can't be read: {error}. Run with --no-cache") from None
        return _unpack(row[0]) if row else None

    async def put(self, key: bytes, reply: Reply, model: str) -> Reply:
        """Keep a reply, unless the key has one by now; the reply that is kept. Where nothing can be kept, `reply`."""
        if self.warning is not None:
            return reply
        if key not in self._waiting:
            self._pending[key] = (zlib.compress(msgspec.json.encode(reply), 1), model, int(time.time()))
            self._waiting[key] = asyncio.get_running_loop().create_future()
            if self._flusher is None or self._flusher.done():
                self._flusher = asyncio.get_running_loop().create_task(self._flush())
        earlier = await asyncio.shield(self._waiting[key])
        return reply if earlier is None else _unpack(earlier)

    def close(self) -> None:
        """Write what is pending, and close."""
        if self._flusher is not None:
            self._flusher.cancel()
        self._write(self._pending)
        self._db.close()
        self._writer.close()

    def stats(self) -> Stats:
        """How much is kept."""
        count, oldest, newest = self._db.execute("SELECT count(*), min(at), max(at) FROM replies").fetchone()
        models = dict(self._db.execute("SELECT model, count(*) FROM replies GROUP BY model ORDER BY 2 DESC"))
        size = sum(f.stat().st_size for f in self.path.parent.glob(FILE + "*"))
        return Stats(path=str(self.path), replies=count, bytes=size, oldest=oldest, newest=newest, models=models)

    def prune(self, before: int | None = None) -> int:
        """Delete replies older than `before` (seconds since 1970), or all; returns how many."""
        cursor = self._writer.execute("DELETE FROM replies WHERE ? IS NULL OR at < ?", (before, before))
        self._writer.execute("VACUUM")
        self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return cursor.rowcount

    async def _flush(self) -> None:
        """Write until nothing is pending, and tell those who wait which reply is kept."""
        while self._pending:
            await asyncio.sleep(_GATHER_SECONDS)
            batch = dict(self._pending)
            earlier = await asyncio.to_thread(self._write, batch)
            for key in batch:
                del self._pending[key]
                self._waiting.pop(key).set_result(earlier.get(key))

    def _write(self, batch: Mapping[bytes, _Row]) -> dict[bytes, bytes]:
        """Write in one transaction what is not there; gives the replies of others that were there first."""
        if not batch:
            return {}
        with self._writing:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                written = self._writer.executemany(
                    "INSERT OR IGNORE INTO replies (key, reply, model, at) VALUES (?, ?, ?, ?)",
                    ((key, *row) for key, row in batch.items()),
                ).rowcount
                self._writer.execute("COMMIT")
                return {} if written == len(batch) else self._kept(batch)
            except sqlite3.Error as error:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                self.warning = f"the cache {self.path} can't be written ({error}); this run goes on without it"
                return {}

    def _kept(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """What is kept under these keys."""
        rows = (self._writer.execute("SELECT key, reply FROM replies WHERE key = ?", (key,)).fetchone() for key in keys)
        return {row[0]: row[1] for row in rows if row}


def _unpack(data: bytes) -> Reply:
    return _DECODER.decode(zlib.decompress(data))
