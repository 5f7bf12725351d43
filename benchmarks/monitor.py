"""The detector of `llmeval monitor`: false alarms in a quiet year, and days until a drop is found.

    python benchmarks/monitor.py [--streams 20000]

Days are drawn with a pass rate of .90 whose days vary with a standard deviation `sd`. "plain" is
the same detector without the design effect, which takes each answer as an independent proof. Each
row learns its own reference window. Seeds are fixed.
"""

import argparse
import itertools

import numpy as np

from llmeval.monitor import simulation
from llmeval.monitor.detector import DetectorOptions
from llmeval.monitor.simulation import DayModel, DetectorFigures, simulate_detector
from llmeval.stats.sequential.mean_drop import REFERENCE_DAYS, ReferenceWindow

MEAN = 0.9


def figures(answers: int, sd: float, drop: float, streams: int) -> DetectorFigures:
    """The detector on days of `answers` answers; the drop comes right after the first window."""
    model = DayModel(MEAN, sd, np.array([answers]))
    options = DetectorOptions()
    return simulate_detector(
        model, drop, options, streams=streams, seed=1, drop_after=REFERENCE_DAYS
    )


def plain_share(answers: int, sd: float, streams: int) -> float:
    """The share of quiet years with an alarm, without the design effect."""
    learned = simulation.learn_reference

    def without(*arguments: object) -> ReferenceWindow:
        window = learned(*arguments)  # type: ignore[arg-type]
        return window._replace(design_effect=np.ones_like(window.design_effect))

    simulation.learn_reference = without  # type: ignore[attr-defined]
    try:
        return figures(answers, sd, 0.5, streams).years_with_alarm
    finally:
        simulation.learn_reference = learned  # type: ignore[attr-defined]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=20_000)
    streams = parser.parse_args().streams
    print("| answers a day | sd of days | quiet year, plain | quiet year | .90 to .84: median / p90"
          " days | .90 to .80 |")  # fmt: skip
    print("|---|---|---|---|---|---|")
    cells = [*itertools.product((50, 100, 200, 500), (0.0, 0.02, 0.03)), (100, 0.05)]
    for answers, sd in cells:
        six, ten = (figures(answers, sd, drop, streams) for drop in (0.06, 0.1))
        print(
            f"| {answers} | {sd:.2f} | {plain_share(answers, sd, streams):.1%} |"
            f" {six.years_with_alarm:.1%} | {six.delay_median:.0f} / {six.delay_p90:.0f} |"
            f" {ten.delay_median:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
