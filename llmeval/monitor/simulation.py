"""How often would the detector give a false alarm, and how late would it find a drop?

Days are drawn as the reference window shows them: the rate of a day is Beta with the window's mean
and variance between days, and the answers of the days are those of the window, in their order. Each
simulated stream learns its own window first, so the error of a learned baseline is part of it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from llmeval.monitor.day_counts import DayCount
from llmeval.monitor.detector import BETS, RECOVERED, DetectorOptions, counts_of
from llmeval.stats.sequential.mean_drop import (
    LONG_REFERENCE_DAYS,
    REFERENCE_DAYS,
    Counts,
    Floats,
    ReferenceWindow,
    add_day,
    learn_reference,
    longer_window_is_safe,
    start_evidence,
    total_evidence,
)

YEAR = 365
STREAMS = 2000
"""Simulated streams: the share of years with a false alarm has a standard error of 0.4 points at
3 %."""
_LONGEST = 3 * YEAR
"""A drop that is not found within three years counts as found then."""


class DayModel(NamedTuple):
    """How days vary. `mean`: of the rates of the days, in (0, 1). `sd`: their standard deviation
    beyond the one of independent answers. `answers`: of each day, repeated as long as needed.
    """

    mean: float
    sd: float
    answers: Counts

    def drawn(self, rng: np.random.Generator, streams: int, days: int, first: int = 0) -> Counts:
        """Passed answers, shape (streams, days), from day number `first` on."""
        return rng.binomial(self.answers_of(days, first), self._rates(rng, (streams, days)))

    def answers_of(self, days: int, first: int = 0) -> Counts:
        """The answers of each day, shape (days,)."""
        return self.answers[(first + np.arange(days)) % len(self.answers)]

    def _rates(self, rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
        most = self.mean * (1 - self.mean)
        if self.sd == 0:
            return np.full(shape, self.mean)
        # a Beta can't vary more than a coin with two faces 0 and 1 does
        size = most / min(self.sd**2, 0.9 * most) - 1
        return rng.beta(self.mean * size, (1 - self.mean) * size, shape)


def learned_day_model(days: Sequence[DayCount]) -> DayModel:
    """The days of a reference window as a model. At least 2 days, each with an answer."""
    answers, passed = counts_of(days)
    window = learn_reference(answers, passed)
    mean = float(window.mean)
    independent = mean * (1 - mean) * float((1 / answers).mean())
    return DayModel(mean, max(0.0, float(window.variance) - independent) ** 0.5, answers)


class DetectorFigures(NamedTuple):
    """What a simulation shows. `false_alarms_per_year`: the mean number of alarms in a year without
    a change. `years_with_alarm`: the share of such years with at least one. `delay_median`,
    `delay_p90`: the days from a drop to its alarm. `missed`: the share of drops without an alarm in
    three years.
    """

    false_alarms_per_year: float
    years_with_alarm: float
    delay_median: float
    delay_p90: float
    missed: float


def simulate_detector(
    days: DayModel,
    drop: float,
    options: DetectorOptions,
    *,
    streams: int = STREAMS,
    seed: int = 0,
    drop_after: int = LONG_REFERENCE_DAYS,
) -> DetectorFigures:
    """False alarms in a year without a change, and the days until a drop is found.

    Args:
        days: how days vary.
        drop: the fall of the mean, in (0, mean).
        options: what the suite states about its monitor.
        streams: simulated streams.
        seed: of the random numbers.
        drop_after: the days before the drop, at least `REFERENCE_DAYS`.

    Raises:
        ValueError: the drop is larger than the mean.
    """
    if not 0 < drop < days.mean:
        raise ValueError(f"the drop must be above 0 and below the mean of {days.mean:.3f}")
    rng = np.random.default_rng(seed)
    opened = _alarm_days(days, days, REFERENCE_DAYS, YEAR, options, rng, streams)
    number = np.array([len(each) for each in opened])
    lower = days._replace(mean=days.mean - drop)
    late = _alarm_days(days, lower, drop_after, _LONGEST, options, rng, streams, once=True)
    first = [next((day for day in each if day > drop_after), None) for each in late]
    delays = np.array([_LONGEST if day is None else day - drop_after for day in first])
    return DetectorFigures(
        float(number.mean()),
        float((number > 0).mean()),
        float(np.median(delays)),
        float(np.quantile(delays, 0.9)),
        float(np.mean([day is None for day in first])),
    )


def _alarm_days(
    before: DayModel,
    after: DayModel,
    change: int,
    length: int,
    options: DetectorOptions,
    rng: np.random.Generator,
    streams: int,
    once: bool = False,
) -> list[list[int]]:
    """The days (from 1) on which alarms begin, for each stream. `change`: days of `before`; `after`
    has `length` more. `once`: stop when each stream has had an alarm after the change.
    """
    passed = before.drawn(rng, streams, change)
    answers = np.broadcast_to(before.answers_of(change), passed.shape)
    opened: list[list[int]] = [[] for _ in range(streams)]
    window = learn_reference(
        answers[:, :REFERENCE_DAYS], passed[:, :REFERENCE_DAYS], options.tolerance
    )
    evidence, alarmed = start_evidence(streams), np.zeros(streams, dtype=bool)
    waiting = np.ones(streams, dtype=bool)
    for day in range(REFERENCE_DAYS, change + length):
        if day >= passed.shape[1]:
            more = after.drawn(rng, streams, 64, day)
            passed = np.concatenate([passed, more], axis=1)
            answers = np.broadcast_to(before.answers_of(passed.shape[1]), passed.shape)
        if day == LONG_REFERENCE_DAYS:
            never = np.array([not each for each in opened])
            window = _extended(window, answers[:, :day], passed[:, :day], never, options)
        evidence = add_day(
            evidence, window, answers[:, day], passed[:, day], options.threshold * BETS
        )
        total = total_evidence(evidence)
        for stream in np.flatnonzero(~alarmed & (total >= options.threshold)):
            opened[stream].append(day + 1)
            waiting[stream] = waiting[stream] and day < change
        alarmed = np.where(
            alarmed, total >= options.threshold * RECOVERED, total >= options.threshold
        )
        if once and day >= change and not waiting.any():
            break
    return opened


def _extended(
    window: ReferenceWindow,
    answers: Counts,
    passed: Counts,
    never: np.ndarray,
    options: DetectorOptions,
) -> ReferenceWindow:
    """The longer window where it is safe and no alarm came before; the first one elsewhere."""
    longer = learn_reference(answers, passed, options.tolerance)
    safe = never & longer_window_is_safe(answers, passed)
    return ReferenceWindow(
        *(np.where(safe, new, old) for new, old in zip(longer, window, strict=True))
    )
