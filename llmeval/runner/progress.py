"""The progress of a run. The pipeline only counts. Displays read the counters at their own pace."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from llmeval.core.outcome import Outcome, answer_outcome
from llmeval.store.units import Unit


@dataclass
class Progress:
    """Counters of the units (case, repeat) of one run. `done` of `total` units are finished; an
    earlier part of the run finished `resumed` of them.
    """

    counted: Callable[[], int] = lambda: 0
    """Calls sent by this process so far, also for unfinished units."""
    traffic: Callable[[], str] = lambda: ""
    """Why requests to the endpoints wait, as a phrase."""

    total: int = 0
    resumed: int = 0
    done: int = 0
    passed: int = 0
    failed: int = 0
    needs_review: int = 0
    troubled: int = 0
    cached: int = 0
    started: float = field(default_factory=time.monotonic)
    stated: str = ""
    """A message of the run itself; it is shown before the traffic."""

    def count(self, unit: Unit) -> None:
        """Count one more unit."""
        self.done += 1
        outcome = answer_outcome(unit.answer, (score.status for score in unit.scores))
        if outcome.missing:
            self.troubled += 1
        elif outcome is Outcome.NEEDS_REVIEW:
            self.needs_review += 1
        elif outcome is Outcome.FAIL:
            self.failed += 1
        else:
            self.passed += 1

    @property
    def calls(self) -> int:
        """Calls sent by this process so far."""
        return self.counted()

    @property
    def note(self) -> str:
        """A note for the person who watches the run; empty without one."""
        return self.stated or self.traffic()

    @property
    def rate(self) -> float:
        """Units per second since the start of this process's part."""
        return (self.done - self.resumed) / max(1e-9, time.monotonic() - self.started)
