"""Loaded models, one copy of each: a candidate and a judge with the same weights share them, and
their batches.
"""

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmeval.models.local.engine import Engine


@dataclass(frozen=True, slots=True)
class WeightsKey:
    """The key of a copy: two uses with an equal key share it."""

    folder: Path
    dtype: str
    device: str


@dataclass(slots=True)
class _Entry:
    engine: "Engine"
    users: int = 0


@dataclass
class EnginePool:
    """Engines by key, with a count of users. The last user frees the weights."""

    _entries: dict[WeightsKey, _Entry] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def acquire(self, key: WeightsKey, batch_size: int) -> "Engine":
        """The engine of `key`, created at the first call; the weights are loaded later.

        The largest `batch_size` of all users counts.
        """
        from llmeval.models.local.engine import Engine
        from llmeval.models.local.weights import load

        with self._lock:
            if key not in self._entries:
                self._entries[key] = _Entry(
                    Engine(lambda: load(key.folder, key.dtype, key.device), batch_size)
                )
            entry = self._entries[key]
            entry.users += 1
            entry.engine.batch_size = max(entry.engine.batch_size, batch_size)
            return entry.engine

    def in_use(self) -> dict[WeightsKey, int]:
        """The number of users of each loaded model."""
        with self._lock:
            return {key: entry.users for key, entry in self._entries.items()}

    def release(self, key: WeightsKey) -> None:
        """Remove one user. After the last one, unanswered jobs fail, and the weights are freed
        before this returns.
        """
        with self._lock:
            entry = self._entries[key]
            entry.users -= 1
            if entry.users:
                return
            del self._entries[key]
        entry.engine.close()


ENGINES = EnginePool()
"""The pool of this process, because all of it shares the memory."""
