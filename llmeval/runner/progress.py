"""How a run is going, in counters that a display reads at its own pace."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from llmeval.core.outcome import Outcome, answer_outcome
from llmeval.store.units import Unit


@dataclass
class Progress:
    """Counters of the units (case, repeat) of one run. `done` of `total` are finished, `resumed` of
    them earlier.
    """

    counted: Callable[[], int] = lambda: 0
    """Calls sent by this process so far, those for unfinished units included."""
    traffic: Callable[[], str] = lambda: ""
    """What holds the endpoints up, in words."""

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
    """What the run itself has to say; it goes before the traffic."""

    def count(self, unit: Unit) -> None:
        """One more unit."""
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
        """What a person should know while the run goes on; empty where there is nothing."""
        return self.stated or self.traffic()

    @property
    def rate(self) -> float:
        """Units a second since the start of this process's part."""
        return (self.done - self.resumed) / max(1e-9, time.monotonic() - self.started)
