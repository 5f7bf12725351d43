"""Stored days played through the detector, and what to expect of it in the next year."""

from collections.abc import Sequence
from dataclasses import dataclass

from llmeval.monitor.day_counts import DayCount, joined_small_days
from llmeval.monitor.detector import Detector, DetectorOptions
from llmeval.monitor.simulation import (
    DetectorFigures,
    learned_day_model,
    simulate_detector,
)
from llmeval.stats.sequential.mean_drop import REFERENCE_DAYS

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Replay:
    """A replay of stored days. `detector`: after the last day. `drop`: the fall of the pass rate
    whose delay is told, in (0, 1). `figures`: what to expect; None while the detector still learns.
    """

    detector: Detector
    drop: float
    figures: DetectorFigures | None

    @property
    def learning(self) -> bool:
        """Whether there are too few days for a first look."""
        return self.detector.window is None

    def document(self) -> dict[str, object]:
        """The replay for machines. Times are in days, rates in [0, 1]."""
        detector, figures = self.detector, self.figures
        return {
            "schema": SCHEMA,
            "days": len(detector.days),
            "learning_days": REFERENCE_DAYS,
            "learning": self.learning,
            "reference": _reference(detector),
            "alarms": [
                {
                    "day": each.day,
                    "ended": each.ended,
                    "since": each.since,
                    "rate": each.rate,
                    "evidence": each.evidence,
                }
                for each in detector.alarms
            ],
            "false_alarms_per_year": None if figures is None else figures.false_alarms_per_year,
            "years_with_false_alarm": None if figures is None else figures.years_with_alarm,
            "drop": self.drop,
            "delay_days": None
            if figures is None
            else {"median": figures.delay_median, "p90": figures.delay_p90},
            "missed": None if figures is None else figures.missed,
        }


def _reference(detector: Detector) -> dict[str, object] | None:
    window = detector.window
    if window is None:
        return None
    return {
        "days": detector.window_days,
        "mean": float(window.mean),
        "null_mean": float(window.null_mean),
        "design_effect": float(window.design_effect),
    }


def replay_days(days: Sequence[DayCount], drop: float, options: DetectorOptions) -> Replay:
    """Play the days through the detector, and simulate it on days like those of its window.

    Args:
        days: in their order.
        drop: the fall of the pass rate whose delay is asked, in (0, 1). One larger than the rate
            is cut to nine tenths of it.
        options: what the suite states about its monitor.
    """
    detector = Detector(options)
    for each in joined_small_days(days):
        detector.add(each)
    if detector.window is None:
        return Replay(detector, drop, None)
    model = learned_day_model(detector.days[: detector.window_days])
    drop = min(drop, 0.9 * model.mean)
    return Replay(detector, drop, simulate_detector(model, drop, options))
