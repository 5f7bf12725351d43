"""Charts as inline SVG: no script, no library, crisp in print.

Colours come from classes, so both themes and a page without styles work; each chart has a text that
says the same, and stands beside a table with its numbers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup, escape

STRIP = 260
_STRIP_HEIGHT = 26
_SCALE = 15
_PAD = 10
_WIDE = 312
_GREY = "#8888"
"""For pages without styles; the style sheet overrides it."""


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
    known = [share for share in shares if share is not None]
    return Axis(0.5 if known and min(known) > 0.55 else 0.0)


def axis_svg(axis: Axis) -> Markup:
    """The scale above a column of strips.

    Labels of both ends lie inside the strip, so with six ticks there is no room for those next to
    them.
    """
    ticks = axis.ticks()
    labelled = [t for i, t in enumerate(ticks) if len(ticks) < 6 or i not in (1, len(ticks) - 2)]
    marks = [
        _text(
            axis.x(t),
            12,
            f"{100 * t:.0f}%",
            "start" if t == axis.low else "end" if t > 0.999 else "middle",
        )
        for t in labelled
    ]
    return _svg(STRIP, 16, "Scale of the bars, in percent of cases that pass", marks, "axis")


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
    parts = [_line("grid", axis.x(t), 0, axis.x(t), _STRIP_HEIGHT) for t in axis.ticks()]
    if threshold is not None:
        x = axis.x(threshold)
        parts.append(_line("limit", x, 1, x, _STRIP_HEIGHT - 1, dashes="3 2"))
    if low is not None and high is not None:
        width = max(axis.x(high) - axis.x(low), 2)
        parts.append(_rect(f"range {tone}", axis.x(low), middle - 4, width, 8, radius=4))
    if before is not None:
        parts.append(_path("before", f"M{axis.x(before):.1f} {middle - 6}l5 6l-5 6l-5 -6z"))
    if estimate is not None:
        parts.append(_dot(f"point {tone}", axis.x(estimate), middle, 4.5))
    if named and threshold is not None:
        ends = [(axis.x(axis.low), f"{100 * axis.low:.0f}%"), (axis.x(1), "100%")]
        parts += _scale(ends, axis.x(threshold), f"{named} {100 * threshold:g}%")
    return _svg(STRIP, _STRIP_HEIGHT + (_SCALE if named else 0), title, parts, "strip")


def _scale(ends: Sequence[tuple[float, str]], at: float, text: str) -> list[str]:
    """Below a strip: the name of its limit, and of the ends where that leaves room."""
    y, half = _STRIP_HEIGHT + _SCALE - 3, 3.1 * len(text)
    middle = min(max(at, _PAD + half), STRIP - _PAD - half)
    (left, first), (right, last) = ends
    marks = [_text(middle, y, text, "middle")]
    if middle - half - left > 36:
        marks.append(_text(left, y, first))
    if right - middle - half > 36:
        marks.append(_text(right, y, last, "end"))
    return marks


def shift_axis(limit: float) -> Markup:
    """The scale over a column of `shift`s: differences from -limit to +limit, in points."""
    marks = [
        _text(_shift_x(share, limit), 12, f"{100 * share:+g}" if share else "0", anchor)
        for share, anchor in ((-limit, "start"), (0.0, "middle"), (limit, "end"))
    ]
    return _svg(
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
    """A difference with its interval, beside a line at 0. `limit`: where the axis ends each way.
    `margin`: a drop that is marked by a line of its own; then the strip has a scale below it.
    """
    middle = _STRIP_HEIGHT / 2
    left, right, zero = (_shift_x(share, limit) for share in (low, high, 0.0))
    parts = [
        _line("grid", _shift_x(t, limit), 0, _shift_x(t, limit), _STRIP_HEIGHT)
        for t in (-limit, limit)
    ]
    parts.append(_line("limit", zero, 1, zero, _STRIP_HEIGHT - 1, dashes="" if margin else "3 2"))
    if margin is not None:
        drop = _shift_x(-margin, limit)
        parts.append(_line("limit", drop, 1, drop, _STRIP_HEIGHT - 1, dashes="3 2"))
        ends = [
            (_shift_x(share, limit), f"{100 * share:+g}".replace("-", "−"))
            for share in (-limit, limit)
        ]
        parts += _scale(ends, drop, f"margin −{100 * margin:g}")
        parts.append(
            _text(zero + 4 if zero - drop < 60 else zero, _STRIP_HEIGHT + _SCALE - 3, "0", "middle")
        )
    parts.append(_rect(f"range {tone}", left, middle - 4, max(right - left, 2), 8, radius=4))
    parts.append(_dot(f"point {tone}", _shift_x(estimate, limit), middle, 4.5))
    return _svg(STRIP, _STRIP_HEIGHT + (0 if margin is None else _SCALE), title, parts, "strip")


def _shift_x(share: float, limit: float) -> float:
    return _PAD + (min(limit, max(-limit, share)) + limit) / (2 * limit) * (STRIP - 2 * _PAD)


def outcome_bar(parts: Sequence[tuple[str, str, int]]) -> Markup:
    """One bar cut by outcome, as wide as its place. `parts`: (label, tone, count)."""
    total = sum(count for _, _, count in parts) or 1
    title = ", ".join(f"{count:,} {label}" for label, _, count in parts if count)
    x, pieces = 0.0, []
    for label, tone, count in parts:
        if count:
            width = max(1000 * count / total, 4)
            pieces.append(
                _rect(
                    f"part {tone}",
                    x,
                    0,
                    max(width - 3, 1),
                    12,
                    radius=2,
                    title=f"{label}: {count:,}",
                )
            )
            x += width
    return Markup(
        f'<svg class="chart outcome" viewBox="0 0 {max(x, 1):.0f} 12" preserveAspectRatio="none"'
        ' role="img" width="100%" height="12"'
        f' aria-label="{escape(title)}"><title>{escape(title)}</title>{"".join(pieces)}</svg>'
    )


def histogram(
    title: str, now: Sequence[int], before: Sequence[int] | None, labels: tuple[str, str, str]
) -> Markup:
    """Bars for this run, an outline for the baseline, both as shares. `labels`: left, right, what
    is counted.
    """
    base, high = 104, 90
    shares = _shares(now)
    outline = _shares(before or ())
    top = max([*shares, *outline, 1e-9])
    step = (_WIDE - 2 * _PAD) / len(now)
    parts = []
    for i, share in enumerate(shares):
        if now[i]:
            tall = high * share / top
            text = f"{now[i]:,} {labels[2]}"
            parts.append(
                _rect(
                    "bar", _PAD + i * step + 1, base - tall, step - 2, tall, radius=1.5, title=text
                )
            )
    if outline:
        steps = "".join(
            f"H{_PAD + i * step:.1f}V{base - high * s / top:.1f}" for i, s in enumerate(outline)
        )
        parts.append(_path("outline", f"M{_PAD} {base}{steps}H{_WIDE - _PAD}V{base}"))
    parts += [
        _line("base", _PAD, base, _WIDE - _PAD, base),
        _text(_PAD, base + 16, labels[0]),
        _text(_WIDE - _PAD, base + 16, labels[1], "end"),
    ]
    return _svg(_WIDE, 130, title, parts, "histogram")


def trend(
    title: str,
    runs: Sequence[tuple[str, float, float | None, float | None]],
    threshold: float | None,
) -> Markup:
    """A metric over runs, oldest first, each with its interval. `runs`: (label, estimate, low,
    high).
    """
    left, base, height = 42, 118, 104
    bounds = [v for _, *values in runs for v in values if v is not None]
    floor = (
        max(0, math.floor(10 * min([*bounds, 0.9 if threshold is None else threshold, 0.9]))) / 10
    )

    def y(share: float) -> float:
        return base - (share - floor) / max(1 - floor, 0.05) * height

    parts = []
    for tick in (floor, (floor + 1) / 2, 1.0):
        parts.append(_line("grid", left, y(tick), _WIDE - _PAD, y(tick)))
        parts.append(_text(left - 6, y(tick) + 4, f"{100 * tick:.0f}%", "end"))
    if threshold is not None:
        parts.append(_line("limit", left, y(threshold), _WIDE - _PAD, y(threshold), dashes="3 2"))
    step = (_WIDE - left - 26) / max(len(runs) - 1, 1)
    places = [(left + 8 + i * step, y(estimate)) for i, (_, estimate, _, _) in enumerate(runs)]
    for (x, _), (_, _, low, high) in zip(places, runs, strict=True):
        if low is not None and high is not None:
            parts.append(_line("whisker", x, y(high), x, y(low), width=5))
    parts.append(_path("line", "M" + "L".join(f"{x:.1f} {at:.1f}" for x, at in places)))
    for i, ((x, at), (label, estimate, _, _)) in enumerate(zip(places, runs, strict=True)):
        last = " last" if i == len(runs) - 1 else ""
        parts.append(_dot(f"point{last}", x, at, 3.5, title=f"{label}: {100 * estimate:.1f}%"))
    first, last_run = runs[0][0], runs[-1][0]
    same = first[:10] == last_run[:10]  # on one day the hours tell more
    parts.append(_text(left, base + 20, first[11:] if same else first[:10]))
    parts.append(_text(_WIDE - _PAD, base + 20, last_run if same else last_run[:10], "end"))
    return _svg(_WIDE, 146, title, parts, "trend")


def spark(title: str, shares: Sequence[float], threshold: float | None) -> Markup:
    """A metric over runs in the height of a line, oldest first: the way it went, no scale."""
    width, height, pad = 110, 28, 5
    ends = [*shares, *([] if threshold is None else [threshold])]
    low, span = min(ends), max(max(ends) - min(ends), 0.1)
    step = (width - 2 * pad) / max(len(shares) - 1, 1)

    def y(share: float) -> float:
        return height - pad - (share - low) / span * (height - 2 * pad)

    parts = (
        []
        if threshold is None
        else [_line("limit", pad, y(threshold), width - pad, y(threshold), dashes="3 2")]
    )
    parts.append(
        _path(
            "line", "M" + "L".join(f"{pad + i * step:.1f} {y(s):.1f}" for i, s in enumerate(shares))
        )
    )
    parts.append(_dot("point last", pad + (len(shares) - 1) * step, y(shares[-1]), 3))
    return _svg(width, height, title, parts, "trend spark")


class HistogramBin(NamedTuple):
    """Verdicts of about one confidence: its mean, the share that was right with its interval, and
    how many there were.
    """

    sure: float
    right: float
    low: float
    high: float
    n: int


def reliability(title: str, bins: Sequence[HistogramBin]) -> Markup:
    """How often a judge was right (by people), from 0% to 100%, against how sure it was, from 50%
    to 100%.
    """
    left, top, width, height = 44, 10, 260, 170
    base = top + height

    def x(sure: float) -> float:
        return left + width * 2 * (sure - 0.5)

    def y(share: float) -> float:
        return base - height * share

    parts = []
    for tick in (0.0, 0.5, 1.0):
        parts.append(_line("grid", left, y(tick), left + width, y(tick)))
        parts.append(_text(left - 6, y(tick) + 4, f"{100 * tick:.0f}%", "end"))
    parts += [
        _line("limit", left, y(0.5), left + width, y(1.0), dashes="3 3"),
        _text(left, base + 16, "50% sure"),
    ]
    parts += [
        _text(x(0.75), base + 16, "75%", "middle"),
        _text(left + width, base + 16, "100%", "end"),
    ]
    for each in bins:
        parts.append(
            _line("whisker", x(each.sure), y(each.high), x(each.sure), y(each.low), width=5)
        )
    for each in bins:
        span = f"{100 * each.low:.0f} to {100 * each.high:.0f}%"
        text = (
            f"{100 * each.sure:.0f}% sure, right in {100 * each.right:.0f}% ({span}) of {each.n:,}"
        )
        parts.append(_dot("point", x(each.sure), y(each.right), 4.5, title=text))
    return _svg(left + width + _PAD, base + 24, title, parts, "reliability")


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts)
    return [count / total for count in counts] if total else []


def _svg(width: float, height: float, title: str, parts: Sequence[str], kind: str) -> Markup:
    return Markup(
        f'<svg class="chart {kind}" width="{width:g}" height="{height:g}" viewBox="0 0 {width:g}'
        f' {height:g}" role="img"'
        f' aria-label="{escape(title)}"><title>{escape(title)}</title>{"".join(parts)}</svg>'
    )


def _line(
    kind: str, x1: float, y1: float, x2: float, y2: float, *, width: float = 1, dashes: str = ""
) -> str:
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    place = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    stroke = "currentColor" if dashes else _GREY
    return (
        f'<line class="{kind}" {place} stroke="{stroke}" stroke-width="{width:g}"'
        f' stroke-linecap="round"{dashed}/>'
    )


def _rect(
    kind: str,
    x: float,
    y: float,
    width: float,
    height: float,
    *,
    radius: float = 0,
    title: str = "",
) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{radius:g}"'
    return f'<rect class="{kind}" {place} fill="{_GREY}">{_title(title)}</rect>'


def _dot(kind: str, x: float, y: float, radius: float, *, title: str = "") -> str:
    return (
        f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}"'
        f' r="{radius:.1f}">{_title(title)}</circle>'
    )


def _path(kind: str, steps: str) -> str:
    return (
        f'<path class="{kind}" d="{steps}" fill="none" stroke="currentColor" stroke-width="1.4"/>'
    )


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return (
        f'<text class="tick" x="{x:.1f}" y="{y:.1f}" font-size="11"'
        f' text-anchor="{anchor}">{escape(text)}</text>'
    )


def _title(text: str) -> str:
    return f"<title>{escape(text)}</title>" if text else ""
