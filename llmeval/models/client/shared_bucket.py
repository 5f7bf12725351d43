"""A bucket of requests or tokens a minute that all workers on one store share."""

import asyncio
import time

from llmeval.models.client.shared_store import SharedStore
from llmeval.models.client.store_session import Take

_SHARE_SECONDS = 0.1
"""Tokens for so long are taken at once: one round trip for many calls."""


class SharedBucket:
    """See `limiter.Bucket`.

    Args:
        store: keeps the bucket.
        name: of the bucket: the model and what is counted.
        per_minute: how many tokens come in a minute.
    """

    def __init__(self, store: SharedStore, name: str, per_minute: float) -> None:
        self._store, self._name, self._rate = store, name, per_minute / 60
        self._left, self._paid_at = 0.0, 0.0
        self._taking = asyncio.Lock()

    async def take(self, amount: float) -> float:
        """See `limiter.Bucket.take`. Raises StoreError."""
        async with self._taking:
            if self._left < amount:
                chunk = max(amount - self._left, self._rate * _SHARE_SECONDS)
                take = Take(self._name, chunk, self._rate, max(1.0, self._rate))
                debt = max(0.0, -await self._store.take(take))
                self._left += chunk
                self._paid_at = time.monotonic() + debt / self._rate
            self._left -= amount
            return max(0.0, self._paid_at - time.monotonic())
