"""Charts as inline SVG: no script, no library, crisp in print.

Each chart has a text that says the same, and a table with its numbers is next to it.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from llmeval.report.html import svg

_PAD = 10
_WIDE = 312


def outcome_bar(parts: Sequence[tuple[str, str, int]]) -> Markup:
    """One bar cut by outcome, as wide as its place. `parts`: (label, tone, count)."""
    total = sum(count for _, _, count in parts) or 1
    title = ", ".join(f"{count:,} {label}" for label, _, count in parts if count)
    x, pieces = 0.0, []
    for label, tone, count in parts:
        if count:
            width = max(1000 * count / total, 4)
            pieces.append(
                svg.rect(
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
                svg.rect(
                    "bar", _PAD + i * step + 1, base - tall, step - 2, tall, radius=1.5, title=text
                )
            )
    if outline:
        steps = "".join(
            f"H{_PAD + i * step:.1f}V{base - high * s / top:.1f}" for i, s in enumerate(outline)
        )
        parts.append(svg.path("outline", f"M{_PAD} {base}{steps}H{_WIDE - _PAD}V{base}"))
    parts += [
        svg.line("base", _PAD, base, _WIDE - _PAD, base),
        svg.text(_PAD, base + 16, labels[0]),
        svg.text(_WIDE - _PAD, base + 16, labels[1], "end"),
    ]
    return svg.chart(_WIDE, 130, title, parts, "histogram")


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
        parts.append(svg.line("grid", left, y(tick), _WIDE - _PAD, y(tick)))
        parts.append(svg.text(left - 6, y(tick) + 4, f"{100 * tick:.0f}%", "end"))
    if threshold is not None:
        parts.append(
            svg.line("limit", left, y(threshold), _WIDE - _PAD, y(threshold), dashes="3 2")
        )
    step = (_WIDE - left - 26) / max(len(runs) - 1, 1)
    places = [(left + 8 + i * step, y(estimate)) for i, (_, estimate, _, _) in enumerate(runs)]
    for (x, _), (_, _, low, high) in zip(places, runs, strict=True):
        if low is not None and high is not None:
            parts.append(svg.line("whisker", x, y(high), x, y(low), width=5))
    parts.append(svg.path("line", "M" + "L".join(f"{x:.1f} {at:.1f}" for x, at in places)))
    for i, ((x, at), (label, estimate, _, _)) in enumerate(zip(places, runs, strict=True)):
        last = " last" if i == len(runs) - 1 else ""
        parts.append(svg.dot(f"point{last}", x, at, 3.5, title=f"{label}: {100 * estimate:.1f}%"))
    first, last_run = runs[0][0], runs[-1][0]
    same = first[:10] == last_run[:10]  # on one day the hours tell more
    parts.append(svg.text(left, base + 20, first[11:] if same else first[:10]))
    parts.append(svg.text(_WIDE - _PAD, base + 20, last_run if same else last_run[:10], "end"))
    return svg.chart(_WIDE, 146, title, parts, "trend")


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
        else [svg.line("limit", pad, y(threshold), width - pad, y(threshold), dashes="3 2")]
    )
    parts.append(
        svg.path(
            "line", "M" + "L".join(f"{pad + i * step:.1f} {y(s):.1f}" for i, s in enumerate(shares))
        )
    )
    parts.append(svg.dot("point last", pad + (len(shares) - 1) * step, y(shares[-1]), 3))
    return svg.chart(width, height, title, parts, "trend spark")


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
        parts.append(svg.line("grid", left, y(tick), left + width, y(tick)))
        parts.append(svg.text(left - 6, y(tick) + 4, f"{100 * tick:.0f}%", "end"))
    parts += [
        svg.line("limit", left, y(0.5), left + width, y(1.0), dashes="3 3"),
        svg.text(left, base + 16, "50% sure"),
    ]
    parts += [
        svg.text(x(0.75), base + 16, "75%", "middle"),
        svg.text(left + width, base + 16, "100%", "end"),
    ]
    for each in bins:
        parts.append(
            svg.line("whisker", x(each.sure), y(each.high), x(each.sure), y(each.low), width=5)
        )
    for each in bins:
        span = f"{100 * each.low:.0f} to {100 * each.high:.0f}%"
        text = (
            f"{100 * each.sure:.0f}% sure, right in {100 * each.right:.0f}% ({span}) of {each.n:,}"
        )
        parts.append(svg.dot("point", x(each.sure), y(each.right), 4.5, title=text))
    return svg.chart(left + width + _PAD, base + 24, title, parts, "reliability")


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts)
    return [count / total for count in counts] if total else []
