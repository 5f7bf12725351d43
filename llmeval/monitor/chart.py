"""The days of a stream as one SVG: rate, band, the rate below which a drop begins, open alarms."""

import html
from collections.abc import Sequence

from llmeval.core.formatting import percent
from llmeval.monitor.day_counts import DayCount
from llmeval.monitor.detector import Detector
from llmeval.stats.estimation.bounds import wilson

MOST_DAYS = 120
"""The newest days that a chart shows."""
_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 720, 200, 46, 8, 22


def stream_chart(detector: Detector, days: Sequence[DayCount], name: str) -> str:
    """The chart.

    Args:
        detector: of the stream. days: the ones to show, at least one. name: of the stream.
    """
    scale = _Scale(days)
    words = f"{name}: {percent(days[-1].rate)} on {days[-1].day}"
    parts = [*_alarms(detector, days, scale), *scale.grid(), _band(days, scale)]
    if detector.window is not None:
        y = scale.y(float(detector.window.null_mean))
        parts.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="var(--bad)"'
            ' stroke-dasharray="6 4"/>'
        )
    line = " ".join(f"{scale.x(i):.1f},{scale.y(day.rate):.1f}" for i, day in enumerate(days))
    parts.append(f'<polyline points="{line}" fill="none" stroke="var(--line)" stroke-width="2"/>')
    parts += [
        f'<circle cx="{scale.x(i):.1f}" cy="{scale.y(day.rate):.1f}" r="2.5" fill="var(--line)">'
        f"<title>{html.escape(str(day.day))}: {percent(day.rate)} of {day.answers:,}</title>"
        "</circle>"
        for i, day in enumerate(days)
    ]
    below = _HEIGHT - 4
    parts.append(f'<text x="{_LEFT}" y="{below}">{html.escape(str(days[0].day))}</text>')
    if len(days) > 1:
        last = html.escape(str(days[-1].day))
        parts.append(f'<text x="{_WIDTH}" y="{below}" text-anchor="end">{last}</text>')
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"><title>{html.escape(words)}</title>'
        f"{''.join(parts)}</svg>"
    )


def _band(days: Sequence[DayCount], scale: "_Scale") -> str:
    bands = [wilson(day.passed, day.answers) for day in days]
    upper = [f"{scale.x(i):.1f},{scale.y(band.high):.1f}" for i, band in enumerate(bands)]
    lower = [f"{scale.x(i):.1f},{scale.y(band.low):.1f}" for i, band in enumerate(bands)]
    return f'<polygon points="{" ".join([*upper, *reversed(lower)])}" fill="var(--band)"/>'


def _alarms(detector: Detector, days: Sequence[DayCount], scale: "_Scale") -> list[str]:
    """A shade behind the days of each alarm."""
    places = {str(day.day): i for i, day in enumerate(days)}
    parts = []
    for alarm in detector.alarms:
        first = places.get(str(alarm.day), 0)
        last = len(days) - 1 if alarm.ended is None else places.get(str(alarm.ended), -1)
        if last < 0:
            continue  # it ended before the days that are shown
        left, right = scale.x(first) - scale.step / 2, scale.x(last) + scale.step / 2
        parts.append(
            f'<rect x="{left:.1f}" y="{_TOP}" width="{right - left:.1f}"'
            f' height="{_HEIGHT - _TOP - _BOTTOM}" fill="var(--bad)" opacity=".13"/>'
        )
    return parts


class _Scale:
    """From days and rates to pixels."""

    def __init__(self, days: Sequence[DayCount]) -> None:
        least = min(wilson(day.passed, day.answers).low for day in days)
        self._low = min(0.9, max(0, int(10 * least)) / 10)
        self.step = (_WIDTH - _LEFT) / len(days)

    def x(self, number: int) -> float:
        """The middle of a day."""
        return _LEFT + self.step * (number + 0.5)

    def y(self, rate: float) -> float:
        """The height of a rate."""
        share = (max(rate, self._low) - self._low) / (1 - self._low)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)

    def grid(self) -> list[str]:
        """Lines at three rates."""
        parts = []
        for rate in (self._low, (self._low + 1) / 2, 1.0):
            y = self.y(rate)
            parts.append(
                f'<line x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="var(--edge)"/>'
                f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{100 * rate:.0f}%</text>'
            )
        return parts
