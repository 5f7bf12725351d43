"""One metric over all cases of a run, in a few bytes a case."""

import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

from llmeval.core.outcome import Outcome, status_outcome
from llmeval.core.records import Status

_FROM_BEST: tuple[Status | None, ...] = (
    None,
    Status.NOT_APPLICABLE,
    *(status for outcome in Outcome for status in Status if status_outcome(status) is outcome),
)
"""What a case may have of a metric, from best to worst, by the rule of `core.outcome`; None: no
score. A column holds places in this list, so the worse of two is the larger.
"""
_PLACES = {status: place for place, status in enumerate(_FROM_BEST)}


@dataclass
class MetricColumn:
    """By case number: the worst status of the case's repeats, and the sum and number of their
    values.
    """

    source: str = "check"
    total: "array[float]" = field(default_factory=lambda: array("d"))
    count: "array[int]" = field(default_factory=lambda: array("H"))
    _places: bytearray = field(default_factory=bytearray)

    def __len__(self) -> int:
        return len(self._places)

    def grow(self, size: int) -> None:
        """Room for `size` cases."""
        more = size - len(self._places)
        if more > 0:
            self._places.extend(bytes(more))
            self.total.frombytes(bytes(more * self.total.itemsize))
            self.count.frombytes(bytes(more * self.count.itemsize))

    def take(self, row: int, status: Status) -> None:
        """Take the status of one repeat: the case keeps its worst."""
        place = _PLACES[status]
        if place > self._places[row]:
            self._places[row] = place

    def add_value(self, row: int, value: float) -> None:
        """Take the value of one repeat."""
        self.total[row] += value
        self.count[row] += 1

    def status(self, row: int) -> Status | None:
        """The case's status; None without a score."""
        return _FROM_BEST[self._places[row]]

    def statuses(self) -> Iterator[Status | None]:
        """The status of each case, by number."""
        return map(_FROM_BEST.__getitem__, self._places)

    def mean(self, row: int) -> float:
        """The mean of the case's values; NaN without one."""
        count = self.count[row]
        return self.total[row] / count if count else math.nan

    def cases_with(self, status: Status | None) -> int:
        """How many cases have this status."""
        return self._places.count(_PLACES[status])
