"""Loaded models, one copy each: a candidate and a judge that name the same weights share them, and
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
    """What makes two uses the same copy."""

    folder: Path
    dtype: str
    device: str


@dataclass(slots=True)
class _Entry:
    engine: "Engine"
    users: int = 0


@dataclass
class EnginePool:
    """Engines by key, counted by use; the weights go with the last user."""

    _entries: dict[WeightsKey, _Entry] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def acquire(self, key: WeightsKey, batch_size: int) -> "Engine":
        """The engine of `key`, created at the first call; the weights are loaded later.

        Of several values of `batch_size` the largest one counts.
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
        """How many users each loaded model has."""
        with self._lock:
            return {key: entry.users for key, entry in self._entries.items()}

    def release(self, key: WeightsKey) -> None:
        """One user less. With the last one, what is unanswered fails and the weights are freed
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
"""The process's own: memory is shared by all of it."""
