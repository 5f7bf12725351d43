"""The detector of one metric or slice: learns, looks at each day, raises an alarm and ends it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from llmeval.monitor.day_counts import DayCount
from llmeval.stats.sequential.mean_drop import (
    LONG_REFERENCE_DAYS,
    MUCH_VARIATION,
    REFERENCE_DAYS,
    RUN_LENGTH,
    TOLERANCE,
    Floats,
    ReferenceWindow,
    add_day,
    learn_reference,
    longer_window_is_safe,
    start_evidence,
    total_evidence,
)

BETS = 8
"""Bets of `mean_drop`. One bet alone must be able to raise an alarm, so evidence is cut at the
threshold times this."""
RECOVERED = 1 / 20
"""An alarm ends when the evidence has fallen to this share of the threshold: good days then weigh
20 to 1 against the drop."""


@dataclass(frozen=True, slots=True)
class DetectorOptions:
    """What a suite states about its monitor. `tolerance`: the smallest fall that counts, in (0, 1).
    `family`: the metrics and slices that share one rate of false alarms, at least 1.
    """

    tolerance: float = TOLERANCE
    family: int = 1

    @property
    def threshold(self) -> float:
        """The evidence at which an alarm is raised."""
        return float(RUN_LENGTH * self.family)


@dataclass(frozen=True, slots=True)
class Look:
    """What the detector says after one day. `state`: `learning`, `quiet` or `alarm`. `opened` and
    `recovered`: whether the alarm began or ended on this day. `evidence`: of all bets together;
    an alarm begins at the threshold.
    """

    day: str | int
    answers: int
    passed: int
    state: str
    evidence: float
    opened: bool = False
    recovered: bool = False


@dataclass(slots=True)
class Alarm:
    """One alarm. `rate`: the share of passed answers from the day on which the drop seems to have
    begun; `since`: that day. `ended`: the day on which it ended; None while it is open.
    """

    day: str | int
    evidence: float
    since: str | int
    rate: float
    ended: str | int | None = None


@dataclass(slots=True)
class Detector:
    """One stream of days. `add` takes the days in their order; the state is a function of them
    alone, so replaying the stored days gives the same state.
    """

    options: DetectorOptions = DetectorOptions()
    days: list[DayCount] = field(default_factory=list)
    window: ReferenceWindow | None = None
    """What the reference window shows; None while it is learned."""
    window_days: int = 0
    evidence: Floats = field(default_factory=start_evidence)
    alarms: list[Alarm] = field(default_factory=list)

    @property
    def open_alarm(self) -> Alarm | None:
        """The alarm that has not ended."""
        return self.alarms[-1] if self.alarms and self.alarms[-1].ended is None else None

    @property
    def days_vary_much(self) -> bool:
        """Whether days differ so much that more answers a day hardly help."""
        return self.window is not None and float(self.window.design_effect) > MUCH_VARIATION

    def add(self, day: DayCount) -> Look:
        """Take one day with at least one answer.

        Raises:
            ValueError: the day has no answer.
        """
        if day.answers < 1:
            raise ValueError(f"day {day.day} has no answer")
        if self.window is None:
            self._learn(day)
            return Look(day.day, day.answers, day.passed, "learning", 0.0)
        self._extend()
        threshold = self.options.threshold
        self.evidence = add_day(
            self.evidence, self.window, day.answers, day.passed, threshold * BETS
        )
        self.days.append(day)
        evidence = float(total_evidence(self.evidence))
        alarm = self.open_alarm
        opened = alarm is None and evidence >= threshold
        recovered = alarm is not None and evidence < threshold * RECOVERED
        if opened:
            self.alarms.append(self._alarm(day, evidence))
        if alarm is not None and recovered:
            alarm.ended = day.day
        state = "quiet" if self.open_alarm is None else "alarm"
        return Look(day.day, day.answers, day.passed, state, evidence, opened, recovered)

    def _learn(self, day: DayCount) -> None:
        self.days.append(day)
        if len(self.days) == REFERENCE_DAYS:
            self._learn_from(REFERENCE_DAYS)

    def _extend(self) -> None:
        """Take the longer window once its days are there, if they show no drop and no alarm."""
        if len(self.days) != LONG_REFERENCE_DAYS or self.alarms:
            return
        if bool(longer_window_is_safe(*counts_of(self.days))):
            self._learn_from(LONG_REFERENCE_DAYS)

    def _learn_from(self, count: int) -> None:
        self.window = learn_reference(*counts_of(self.days[:count]), self.options.tolerance)
        self.window_days = count

    def _alarm(self, day: DayCount, evidence: float) -> Alarm:
        assert self.window is not None
        start = drop_start(self.days[REFERENCE_DAYS:], float(self.window.null_mean))
        since = self.days[REFERENCE_DAYS + start :]
        answers = sum(each.answers for each in since)
        rate = sum(each.passed for each in since) / answers
        return Alarm(day.day, evidence, since[0].day, rate)


def counts_of(days: Sequence[DayCount]) -> tuple[np.ndarray, np.ndarray]:
    """Answers and passed answers as two arrays of shape (days,)."""
    return (
        np.array([each.answers for each in days], dtype=np.int64),
        np.array([each.passed for each in days], dtype=np.int64),
    )


def drop_start(days: Sequence[DayCount], null_mean: float) -> int:
    """The index of the day on which the drop most likely began: the start of the last days whose
    passed answers fall the most below `null_mean` in sum (E. S. Page, Biometrika 41 (1954) 100).
    """
    best, start, total = 0.0, len(days) - 1, 0.0
    for index in range(len(days) - 1, -1, -1):
        total += days[index].answers * null_mean - days[index].passed
        if total > best:
            best, start = total, index
    return start
