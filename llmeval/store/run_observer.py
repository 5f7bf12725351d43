"""What follows a run from outside: a display of its progress, a history, an audit log."""

from dataclasses import dataclass
from typing import Protocol

from llmeval.core.manifest import Manifest
from llmeval.core.results import Summary
from llmeval.store.run_store import RunStore
from llmeval.store.units import Unit


class RunCounters(Protocol):
    """The counters of a run. They go on counting, and may be read from another thread."""

    total: int
    """Units of the run, each a (case, repeat)."""
    resumed: int
    """Units that an earlier part of the run finished."""
    done: int
    """Units that are finished, those of earlier parts included."""
    passed: int
    failed: int
    troubled: int
    """Units with a missing result."""

    @property
    def calls(self) -> int:
        """Calls sent by this process so far."""
        ...

    @property
    def rate(self) -> float:
        """Units a second since the start of this process's part."""
        ...

    @property
    def note(self) -> str:
        """What a person should know while the run goes on; empty where there is nothing."""
        ...


@dataclass(frozen=True)
class RunStart:
    """What is settled about a run when its first unit begins."""

    manifest: Manifest
    counters: RunCounters


class RunObserver(Protocol):
    """Gets the events of a run in this order: planned, each unit, ended, decided.

    The run waits for each call, so an observer that is slow does its work elsewhere. An exception
    of an observer ends the run.
    """

    def planned(self, start: RunStart) -> None:
        """The run has its directory and its cases; this process has asked nothing yet."""
        ...

    def unit_done(self, unit: Unit) -> None:
        """A unit has its answer and its scores, and both are recorded."""
        ...

    def ended(self) -> None:
        """No unit follows, whatever the reason: also after an exception or an interruption."""
        ...

    def decided(self, run: RunStore, summary: Summary) -> None:
        """The gate has decided, and the reports are written."""
        ...
