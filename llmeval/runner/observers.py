"""Several observers of a run as one."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from llmeval.store.run_observer import RunObserver, RunStart
from llmeval.store.units import Unit


class Observers:
    """Several observers of one run.

    Args:
        observers: in the order in which they are called.
    """

    def __init__(self, observers: Iterable[RunObserver]) -> None:
        self._all = tuple(observers)

    @contextmanager
    def following(self, start: RunStart) -> Iterator["Observers"]:
        """Between `planned` and `ended`."""
        begun: list[RunObserver] = []
        try:
            for observer in self._all:
                begun.append(observer)
                observer.planned(start)
            yield self
        finally:
            for observer in reversed(begun):
                observer.ended()

    def unit_done(self, unit: Unit) -> None:
        """See `RunObserver.unit_done`."""
        for observer in self._all:
            observer.unit_done(unit)
