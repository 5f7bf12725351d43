"""A trend as one SVG: lines that end where results stop being comparable."""

import math
from collections.abc import Sequence
from string import ascii_lowercase
from typing import NamedTuple

from markupsafe import Markup

from llmeval.core.formatting import percent, signed_points
from llmeval.history.trends import Trend, TrendLine, TrendPoint
from llmeval.report.html import charts, svg
from llmeval.report.safe_text import count

_WIDE, _BASE, _HEIGHT, _LEFT, _PAD = 312, 118, 104, 42, 10


class DrawnTrend(NamedTuple):
    """A trend for a page."""

    metric: str
    """Name, with its slice."""
    text: str
    """What it shows, in a sentence."""
    chart: Markup
    """The SVG."""
    breaks: list[tuple[str, str]]
    """The letter of each break in the chart, and what changed there."""


def drawn(trend: Trend) -> DrawnTrend:
    """A trend with its chart."""
    name = f"{trend.metric} @ {trend.slice}" if trend.slice else trend.metric
    return DrawnTrend(name, unbroken(trend.words), _chart(name, trend), _breaks(trend.lines))


def unbroken(words: str) -> str:
    """A sentence whose p-value stays on one line."""
    return words.replace("(p ", "(p\u00a0").replace("< ", "<\u00a0")


def spark(trend: Trend) -> Markup:
    """The last line of a trend in the height of a text line."""
    points = trend.lines[-1].points
    shares = [point.pass_rate for point in points]
    title = f"{trend.metric}: {percent(shares[0])} → {percent(shares[-1])}"
    return charts.spark(f"{title} over {count(len(points), 'run')}", shares, trend.floor)


def _breaks(lines: Sequence[TrendLine]) -> list[tuple[str, str]]:
    breaks = []
    for number, line in enumerate(lines[1:]):
        text = f"{line.points[0].started[:10]}: {' and '.join(line.changed)} changed"
        if line.common is not None:
            common = line.common
            text += (
                f"; on {count(common.n, 'common case')} {signed_points(common.difference)} points"
                f" ({signed_points(common.low)} to {signed_points(common.high)})"
            )
        breaks.append((_letter(number), text))
    return breaks


def _letter(number: int) -> str:
    return ascii_lowercase[number % len(ascii_lowercase)]


def _chart(name: str, trend: Trend) -> Markup:
    points = [point for line in trend.lines for point in line.points]
    scale = _Scale(points, trend.floor)
    parts = scale.grid(trend.floor)
    begin, previous = 0, None
    for number, line in enumerate(trend.lines):
        places = [(scale.x(begin + i), scale.y(p.pass_rate)) for i, p in enumerate(line.points)]
        if previous is not None:
            middle = (previous[0] + places[0][0]) / 2
            parts.append(svg.line("break", middle, 14, middle, _BASE, dashes="2 3"))
            parts.append(svg.text(middle, 10, _letter(number - 1), "middle"))
            if line.common is not None:
                parts.append(svg.path("join", _steps([previous, places[0]])))
        for (x, _), point in zip(places, line.points, strict=True):
            if point.low is not None and point.high is not None:
                parts.append(
                    svg.line("whisker", x, scale.y(point.high), x, scale.y(point.low), width=4)
                )
        parts.append(svg.path("line", _steps(places)))
        begin, previous = begin + len(places), places[-1]
    for number, point in enumerate(points):
        kind = "hollow" if point.stopped_early else "last" if number == len(points) - 1 else ""
        label = f"{point.started[:10]} {point.commit}: {percent(point.pass_rate)}"
        parts.append(
            svg.dot(
                f"point {kind}".strip(),
                scale.x(number),
                scale.y(point.pass_rate),
                3 if len(points) < 30 else 2.2,
                title=label,
            )
        )
    parts.append(svg.text(_LEFT, _BASE + 20, points[0].started[:10]))
    parts.append(svg.text(_WIDE - _PAD, _BASE + 20, points[-1].started[:10], "end"))
    return svg.chart(_WIDE, 146, f"{name}: {trend.words}", parts, "trend")


def _steps(places: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)


class _Scale:
    """From runs and shares to pixels."""

    def __init__(self, points: Sequence[TrendPoint], floor: float | None) -> None:
        ends = [p.low if p.low is not None else p.pass_rate for p in points]
        least = min([*ends, *([] if floor is None else [floor]), 0.9])
        self._low = max(0, math.floor(10 * least)) / 10
        self._step = (_WIDE - _LEFT - 26) / max(len(points) - 1, 1)

    def x(self, number: int) -> float:
        return _LEFT + 8 + number * self._step

    def y(self, share: float) -> float:
        return _BASE - (share - self._low) / max(1 - self._low, 0.05) * _HEIGHT

    def grid(self, floor: float | None) -> list[str]:
        """Lines at three shares, and at the floor."""
        parts = []
        for tick in (self._low, (self._low + 1) / 2, 1.0):
            parts.append(svg.line("grid", _LEFT, self.y(tick), _WIDE - _PAD, self.y(tick)))
            parts.append(svg.text(_LEFT - 6, self.y(tick) + 4, f"{100 * tick:.0f}%", "end"))
        if floor is not None:
            y = self.y(floor)
            parts.append(svg.line("limit", _LEFT, y, _WIDE - _PAD, y, dashes="3 2"))
        return parts
