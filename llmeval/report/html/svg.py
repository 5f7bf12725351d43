"""The shapes that charts are made of, as SVG text.

Colours come from classes, so both themes and a page without styles work.
"""

from collections.abc import Sequence

from markupsafe import Markup, escape

from llmeval.report.html.visible import visible

GREY = "#8888"
"""For pages without styles; the style sheet overrides it."""


def chart(width: float, height: float, title: str, parts: Sequence[str], kind: str) -> Markup:
    """A chart of a kind (its class), with the text that says the same."""
    return Markup(
        f'<svg class="chart {kind}" width="{width:g}" height="{height:g}" viewBox="0 0 {width:g}'
        f' {height:g}" role="img"'
        f' aria-label="{_shown(title)}"><title>{_shown(title)}</title>{"".join(parts)}</svg>'
    )


def line(
    kind: str, x1: float, y1: float, x2: float, y2: float, *, width: float = 1, dashes: str = ""
) -> str:
    """A line; with `dashes` in the colour of the text."""
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    place = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    stroke = "currentColor" if dashes else GREY
    return (
        f'<line class="{kind}" {place} stroke="{stroke}" stroke-width="{width:g}"'
        f' stroke-linecap="round"{dashed}/>'
    )


def rect(
    kind: str,
    x: float,
    y: float,
    width: float,
    height: float,
    *,
    radius: float = 0,
    title: str = "",
) -> str:
    """A rectangle; `title` is shown by a pointer on it."""
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{radius:g}"'
    return f'<rect class="{kind}" {place} fill="{GREY}">{_title(title)}</rect>'


def dot(kind: str, x: float, y: float, radius: float, *, title: str = "") -> str:
    """A filled circle; `title` is shown by a pointer on it."""
    return (
        f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}"'
        f' r="{radius:.1f}">{_title(title)}</circle>'
    )


def path(kind: str, steps: str) -> str:
    """A line along the steps of an SVG path."""
    return (
        f'<path class="{kind}" d="{steps}" fill="none" stroke="currentColor" stroke-width="1.4"/>'
    )


def text(x: float, y: float, text: str, anchor: str = "start") -> str:
    """A small label; `anchor`: start, middle or end."""
    return (
        f'<text class="tick" x="{x:.1f}" y="{y:.1f}" font-size="11"'
        f' text-anchor="{anchor}">{_shown(text)}</text>'
    )


def _title(text: str) -> str:
    return f"<title>{_shown(text)}</title>" if text else ""


def _shown(text: str) -> Markup:
    """A text that may come from a model, as text of the page."""
    return escape(visible(text))
