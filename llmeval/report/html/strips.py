"""Rows of a forest plot: an estimate with its interval on a scale that a column of rows shares."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from llmeval.report.html import svg

STRIP = 260
"""Pixels of a row."""
_STRIP_HEIGHT = 26
_SCALE = 15
_PAD = 10


@dataclass(frozen=True)
class Axis:
    """A share axis from `low` to 1, over a strip's width."""

    low: float = 0.0

    def x(self, share: float) -> float:
        """Pixels from the left."""
        share = min(1.0, max(self.low, share))
        return _PAD + (share - self.low) / (1 - self.low) * (STRIP - 2 * _PAD)

    def ticks(self) -> list[float]:
        """Five or six round shares."""
        step = 0.25 if self.low == 0 else 0.1
        return [self.low + step * i for i in range(round((1 - self.low) / step) + 1)]


def axis_for(shares: Sequence[float | None]) -> Axis:
    """From 50% where all shares are above 55%, else from 0."""
    present = [share for share in shares if share is not None]
    return Axis(0.5 if present and min(present) > 0.55 else 0.0)


def axis_svg(axis: Axis) -> Markup:
    """The scale above a column of strips.

    Labels of both ends lie inside the strip, so with six ticks there is no room for those next to
    them.
    """
    ticks = axis.ticks()
    labelled = [t for i, t in enumerate(ticks) if len(ticks) < 6 or i not in (1, len(ticks) - 2)]
    marks = [
        svg.text(
            axis.x(t),
            12,
            f"{100 * t:.0f}%",
            "start" if t == axis.low else "end" if t > 0.999 else "middle",
        )
        for t in labelled
    ]
    return svg.chart(STRIP, 16, "Scale of the bars, in percent of cases that pass", marks, "axis")


def strip(
    axis: Axis,
    title: str,
    tone: str,
    *,
    estimate: float | None,
    low: float | None,
    high: float | None,
    threshold: float | None = None,
    before: float | None = None,
    named: str = "",
) -> Markup:
    """One row of a forest plot: the interval, the estimate, the threshold it must clear, the
    baseline's estimate.
    `named`: what the threshold is called; then the strip has a scale of its own below it.
    """
    middle = _STRIP_HEIGHT / 2
    parts = [svg.line("grid", axis.x(t), 0, axis.x(t), _STRIP_HEIGHT) for t in axis.ticks()]
    if threshold is not None:
        x = axis.x(threshold)
        parts.append(svg.line("limit", x, 1, x, _STRIP_HEIGHT - 1, dashes="3 2"))
    if low is not None and high is not None:
        width = max(axis.x(high) - axis.x(low), 2)
        parts.append(svg.rect(f"range {tone}", axis.x(low), middle - 4, width, 8, radius=4))
    if before is not None:
        parts.append(svg.path("before", f"M{axis.x(before):.1f} {middle - 6}l5 6l-5 6l-5 -6z"))
    if estimate is not None:
        parts.append(svg.dot(f"point {tone}", axis.x(estimate), middle, 4.5))
    if named and threshold is not None:
        ends = [(axis.x(axis.low), f"{100 * axis.low:.0f}%"), (axis.x(1), "100%")]
        parts += _scale(ends, axis.x(threshold), f"{named} {100 * threshold:g}%")
    return svg.chart(STRIP, _STRIP_HEIGHT + (_SCALE if named else 0), title, parts, "strip")


def _scale(ends: Sequence[tuple[float, str]], at: float, text: str) -> list[str]:
    """Below a strip: the name of its limit, and of the ends where that leaves room."""
    y, half = _STRIP_HEIGHT + _SCALE - 3, 3.1 * len(text)
    middle = min(max(at, _PAD + half), STRIP - _PAD - half)
    (left, first), (right, last) = ends
    marks = [svg.text(middle, y, text, "middle")]
    if middle - half - left > 36:
        marks.append(svg.text(left, y, first))
    if right - middle - half > 36:
        marks.append(svg.text(right, y, last, "end"))
    return marks


def shift_axis(limit: float) -> Markup:
    """The scale over a column of `shift`s: differences from -limit to +limit, in points."""
    marks = [
        svg.text(_shift_x(share, limit), 12, f"{100 * share:+g}" if share else "0", anchor)
        for share, anchor in ((-limit, "start"), (0.0, "middle"), (limit, "end"))
    ]
    return svg.chart(
        STRIP,
        16,
        f"Scale of the bars, in points from {-100 * limit:g} to {100 * limit:g}",
        marks,
        "axis",
    )


def shift(
    title: str,
    tone: str,
    estimate: float,
    low: float,
    high: float,
    limit: float,
    *,
    margin: float | None = None,
) -> Markup:
    """A difference with its interval, and a line at 0. `limit`: where the axis ends each way.
    `margin`: a drop that a second line marks; then the strip has a scale below it.
    """
    middle = _STRIP_HEIGHT / 2
    left, right, zero = (_shift_x(share, limit) for share in (low, high, 0.0))
    parts = [
        svg.line("grid", _shift_x(t, limit), 0, _shift_x(t, limit), _STRIP_HEIGHT)
        for t in (-limit, limit)
    ]
    parts.append(
        svg.line("limit", zero, 1, zero, _STRIP_HEIGHT - 1, dashes="" if margin else "3 2")
    )
    if margin is not None:
        drop = _shift_x(-margin, limit)
        parts.append(svg.line("limit", drop, 1, drop, _STRIP_HEIGHT - 1, dashes="3 2"))
        ends = [
            (_shift_x(share, limit), f"{100 * share:+g}".replace("-", "−"))
            for share in (-limit, limit)
        ]
        parts += _scale(ends, drop, f"margin −{100 * margin:g}")
        parts.append(
            svg.text(
                zero + 4 if zero - drop < 60 else zero, _STRIP_HEIGHT + _SCALE - 3, "0", "middle"
            )
        )
    parts.append(svg.rect(f"range {tone}", left, middle - 4, max(right - left, 2), 8, radius=4))
    parts.append(svg.dot(f"point {tone}", _shift_x(estimate, limit), middle, 4.5))
    return svg.chart(
        STRIP, _STRIP_HEIGHT + (0 if margin is None else _SCALE), title, parts, "strip"
    )


def _shift_x(share: float, limit: float) -> float:
    return _PAD + (min(limit, max(-limit, share)) + limit) / (2 * limit) * (STRIP - 2 * _PAD)
