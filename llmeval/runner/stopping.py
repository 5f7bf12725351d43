"""The interface of a stopper, which may end a run before its last case. The gate implements it."""

from collections.abc import Callable, Iterable
from typing import Protocol

from llmeval.core.manifest import Manifest
from llmeval.core.records import Case
from llmeval.store.directory import Unit
from llmeval.store.run_store import RunStore


class Stopper(Protocol):
    """Follows a run."""

    def enough(self) -> bool:
        """Whether the answers so far decide every rule."""
        ...

    def add(self, unit: Unit) -> bool:
        """Add an answer with all its scores, or a missing answer. Returns whether no further case
        is needed.
        """
        ...


Watch = Callable[[RunStore, Manifest, Iterable[Case]], Stopper | None]
"""Makes the stopper of a run from its directory, its manifest and its planned cases in their order;
None for a run without early stopping.
"""
