"""Replies that several workers share, in a PostgreSQL database: each request is sent once.

Requests of a moment travel in one exchange with the server (`store_session`), in a thread next to
the event loop. While an exchange is under way, the next one collects.

A reply that later runs may not use (`since=NEVER`: a candidate without a `build`) is stored under
a key of this run, or of its group: shards with the same `LLMEVAL_RUN_GROUP` share it. Two runs that
test two states of one application at one address never do.
"""

import asyncio
import hashlib
import math
import secrets
import time
from collections.abc import Iterable
from typing import TypeVar

from llmeval.models.base import Reply
from llmeval.models.client.cache import NEVER, CachedReply, kept_reply, packed_reply
from llmeval.models.client.store_session import Batch, PutRow, StoredRow, StoreSession, Take

T = TypeVar("T")
Waiter = asyncio.Future[CachedReply | None]
_GATHER_SECONDS = 0.001
_FIRST_POLL, _LAST_POLL = 0.02, 0.2
"""Seconds between two polls of a claim of another process."""
_READ_ONLY = (
    "the store {name} is read-only for this role: replies were read from it, none was stored"
)


class SharedStore:
    """See `ReplyStore`.

    Args:
        url: the address of the database.
        group: the name of the run that several workers carry out together; empty for none.

    Raises:
        UsageError, StoreError: see `StoreSession`.
    """

    def __init__(self, url: str, group: str = "") -> None:
        self.run = secrets.token_hex(8)
        self._group = group
        self._session = StoreSession(url)
        self.name, self.writes = self._session.name, self._session.writes
        self.warning: str | None = None
        self.is_remote = True
        if not self.writes:
            self.warning = _READ_ONLY.format(name=self.name)
        self._puts: dict[bytes, PutRow] = {}
        self._claims: dict[bytes, float] = {}
        self._reads: dict[bytes, list[asyncio.Future[StoredRow | None]]] = {}
        self._waiting: dict[bytes, list[Waiter]] = {}
        self._polls: dict[bytes, float] = {}
        self._held: set[bytes] = set()
        self._releases: set[bytes] = set()
        self._takes: list[tuple[Take, asyncio.Future[float]]] = []
        self._exchanging: asyncio.Task[None] | None = None
        self._failure: Exception | None = None

    def get(self, key: bytes, since: float = NEVER) -> CachedReply | None:
        """Always None: a reply needs a round trip."""
        return None

    async def claim(self, key: bytes, since: float = NEVER) -> CachedReply | None:
        """See `ReplyStore.claim`. Raises StoreError: the server is gone for good."""
        key, since = self._scoped(key, since)
        future = self._awaited(key)
        self._reclaim(key, since)
        try:
            return await future
        except asyncio.CancelledError:
            self._cancelled(key, future)
            raise

    async def read(self, key: bytes, since: float = NEVER) -> CachedReply | None:
        """See `ReplyStore.read`. Raises StoreError."""
        key, since = self._scoped(key, since)
        future: asyncio.Future[StoredRow | None] = asyncio.get_running_loop().create_future()
        self._reads.setdefault(key, []).append(future)
        self._start()
        row = await future
        return None if row is None or row[1] < since else _unpacked(row)

    def check(self) -> None:
        """See `ReplyStore.check`."""
        if self._failure is not None:
            raise self._failure

    async def put(self, key: bytes, reply: Reply, model: str, since: float = NEVER) -> CachedReply:
        """See `ReplyStore.put`. Raises StoreError."""
        key, _ = self._scoped(key, since)
        mine = CachedReply(reply, int(time.time()), self.run)
        if not self.writes:
            return mine
        self._puts[key] = PutRow(packed_reply(reply), model)
        self._held.discard(key)
        future = self._awaited(key)
        self._start()
        return await future or mine

    def release(self, key: bytes, since: float = NEVER) -> None:
        """See `ReplyStore.release`."""
        self._release(self._scoped(key, since)[0])

    async def take(self, take: Take) -> float:
        """Take tokens from a bucket that all workers share. Returns the level that is left; below
        0 it is a debt. Raises StoreError.
        """
        future: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._takes.append((take, future))
        self._start()
        return await future

    def level(self, take: Take) -> float:
        """As `take`, blocking: before the run begins."""
        return self._session.exchange(Batch({}, {}, [], [], [take]), self.run).levels[0]

    def close(self) -> None:
        """End the session. The server frees the claims that are left."""
        if self._exchanging is not None:
            self._exchanging.cancel()
        self._session.close()

    def _scoped(self, key: bytes, since: float) -> tuple[bytes, float]:
        if since != math.inf:
            return key, since
        scope = f"group {self._group}" if self._group else f"run {self.run}"
        return hashlib.sha256(key + scope.encode()).digest(), 0.0

    def _release(self, key: bytes) -> None:
        if key in self._held:
            self._held.discard(key)
            self._releases.add(key)
            self._start()

    def _awaited(self, key: bytes) -> Waiter:
        future: Waiter = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(future)
        return future

    def _cancelled(self, key: bytes, future: Waiter) -> None:
        """Nobody waits with this future any more. A claim that an exchange just got is released."""
        waiters = self._waiting.get(key, [])
        if future in waiters:
            waiters.remove(future)
        elif not future.cancelled() and future.done() and not future.exception():
            self._release(key)
        if not waiters:
            self._waiting.pop(key, None)
            self._claims.pop(key, None)

    def _start(self) -> None:
        if self._exchanging is None or self._exchanging.done():
            self._exchanging = asyncio.get_running_loop().create_task(self._exchange())

    async def _exchange(self) -> None:
        """Exchange until no work is left."""
        while self._puts or self._claims or self._releases or self._takes or self._reads:
            await asyncio.sleep(_GATHER_SECONDS)
            takes = [take for take, _ in self._takes]
            batch = Batch(self._puts, self._claims, list(self._reads), [*self._releases], takes)
            takers, readers = self._takes, self._reads
            self._puts, self._claims, self._releases = {}, {}, set()
            self._takes, self._reads = [], {}
            try:
                done = await asyncio.to_thread(self._session.exchange, batch, self.run)
            except Exception as error:
                self._failure = error
                _fail((future for _, future in takers), error)
                for key in readers:
                    _fail(readers[key], error)
                for key in (*batch.puts, *batch.claims):
                    _fail(self._waiting.pop(key, []), error)
                return
            for (_, taker), level in zip(takers, done.levels, strict=True):
                _give(taker, level)
            for key, futures in readers.items():
                for future in futures:
                    _give(future, done.rows.get(key))
            for key in batch.puts:
                self._settle(key, _unpacked(done.rows.get(key)))
            for key, since in batch.claims.items():
                self._after_claim(key, since, key in done.claimed, done.rows.get(key))

    def _after_claim(self, key: bytes, since: float, claimed: bool, row: StoredRow | None) -> None:
        if claimed:
            self._held.add(key)
            waiters = self._waiting.pop(key, [])
            if not waiters:
                self._release(key)  # nobody waits any more
                return
            _give(waiters[0], None)  # one makes the call, the others wait for it
            if len(waiters) > 1:
                self._waiting[key] = waiters[1:]
                self._again(key, since)
        elif row is not None and row[1] >= since and (kept := _unpacked(row)) is not None:
            self._settle(key, kept)
        elif not self.writes:
            self._settle(key, None)
        elif row is not None:  # damaged: the next claim replaces it
            self._again(key, max(since, math.floor(row[1]) + 1.0))
        else:
            self._again(key, since)

    def _again(self, key: bytes, since: float) -> None:
        """Claim again in a moment."""
        wait = self._polls.get(key, _FIRST_POLL)
        self._polls[key] = min(2 * wait, _LAST_POLL)
        asyncio.get_running_loop().call_later(wait, self._reclaim, key, since)

    def _reclaim(self, key: bytes, since: float) -> None:
        if key not in self._waiting:
            return
        if key in self._held:  # another caller of this process makes the call
            self._again(key, since)
            return
        self._claims[key] = since
        self._start()

    def _settle(self, key: bytes, kept: CachedReply | None) -> None:
        self._polls.pop(key, None)
        for future in self._waiting.pop(key, ()):
            _give(future, kept)


def _give(future: "asyncio.Future[T]", value: T) -> None:
    if not future.done():
        future.set_result(value)


def _fail(futures: "Iterable[asyncio.Future[T]]", error: Exception) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(error)


def _unpacked(row: StoredRow | None) -> CachedReply | None:
    return None if row is None else kept_reply((row[0], int(row[1]), row[2]))
