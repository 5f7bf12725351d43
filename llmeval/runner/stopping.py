"""What may end a run before its last case. What decides that is another room's business."""

from collections.abc import Callable, Iterable
from typing import Protocol

from llmeval.core.manifest import Manifest
from llmeval.core.records import Case
from llmeval.store.directory import Unit
from llmeval.store.run_store import RunStore


class Stopper(Protocol):
    """Follows a run."""

    def enough(self) -> bool:
        """Whether what was taken so far decides."""
        ...

    def add(self, unit: Unit) -> bool:
        """Take an answer with all its scores, or one that is missing; whether no further case is
        needed.
        """
        ...


Watch = Callable[[RunStore, Manifest, Iterable[Case]], Stopper | None]
"""Makes the stopper of a run from its directory, its manifest and its planned cases in the order
they are asked; None for a run that goes to its end.
"""
