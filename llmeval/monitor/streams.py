"""The streams of a monitor, one for each metric and slice: their detectors, replayed from the
records.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec import structs

from llmeval.core.monitor_record import MonitorRecord, StreamCount
from llmeval.monitor.day_counts import LEAST_ANSWERS, DayCount
from llmeval.monitor.detector import Detector, DetectorOptions, Look
from llmeval.stats.sequential.mean_drop import REFERENCE_DAYS


class StreamKey(NamedTuple):
    """What a stream counts: a metric, over all traffic or in one slice (`tag=value`)."""

    metric: str
    slice: str | None = None

    @property
    def name(self) -> str:
        """`metric` or `metric @ tag=value`."""
        return self.metric if self.slice is None else f"{self.metric} @ {self.slice}"


@dataclass(slots=True)
class Stream:
    """One stream: its detector, and the answers of days that are too small to count alone."""

    key: StreamKey
    detector: Detector
    waiting: tuple[int, int] = (0, 0)
    """Answers and passed answers that wait for the next day."""
    newest: Look | None = None

    def add(self, day: str, answers: int, passed: int) -> Look | None:
        """Take one day; None where its answers wait for the next day."""
        answers, passed = answers + self.waiting[0], passed + self.waiting[1]
        if answers < LEAST_ANSWERS:
            self.waiting = (answers, passed)
            return None
        self.waiting = (0, 0)
        self.newest = self.detector.add(DayCount(day, answers, passed))
        return self.newest

    @property
    def learning_day(self) -> int:
        """Days with traffic so far, at most those that the monitor learns from."""
        return min(len(self.detector.days), REFERENCE_DAYS)

    @property
    def state(self) -> str:
        """`learning`, `quiet` or `alarm`. The last day of learning tests nothing."""
        return "learning" if self.newest is None else self.newest.state


@dataclass(slots=True)
class Streams:
    """All streams of a monitor. They share one rate of false alarms."""

    keys: Sequence[StreamKey]
    tolerance: float
    streams: dict[StreamKey, Stream] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.restart()

    @property
    def threshold(self) -> float:
        """The evidence at which an alarm begins."""
        return self._options.threshold

    @property
    def _options(self) -> DetectorOptions:
        return DetectorOptions(self.tolerance, len(self.keys))

    def restart(self) -> None:
        """Begin to learn a new reference."""
        self.streams = {key: Stream(key, Detector(self._options)) for key in self.keys}

    def replay(self, records: Iterable[MonitorRecord]) -> None:
        """Take the recorded days in their order; an acknowledgement begins a new reference."""
        for record in records:
            if record.kind == "acknowledged":
                self.restart()
            elif record.kind == "look":
                self.add(record.day, record.counts)

    def add(self, day: str, counts: Sequence[StreamCount]) -> tuple[StreamCount, ...]:
        """Take one day. Returns the counts with what the detectors say."""
        by_key = {StreamKey(each.metric, each.slice): each for each in counts}
        judged: list[StreamCount] = []
        for key, stream in self.streams.items():
            count = by_key.get(key)
            if count is None:
                continue
            stream.add(day, count.answers, count.passed)
            evidence = 0.0 if stream.newest is None else stream.newest.evidence
            judged.append(structs.replace(count, state=stream.state, evidence=evidence))
        return tuple(judged)

    @property
    def alarms(self) -> list[Stream]:
        """The streams with an open alarm."""
        return [each for each in self.streams.values() if each.state == "alarm"]

    @property
    def learning(self) -> list[Stream]:
        """The streams over all traffic that still learn. Slices that learn do not count here: a
        rare one may need months.
        """
        return [
            each
            for each in self.streams.values()
            if each.key.slice is None and each.state == "learning"
        ]
