"""`monitor.html`: rate, band, evidence, alarms and what was done, as one page without scripts."""

import html
from collections.abc import Sequence
from datetime import datetime

from llmeval.core.formatting import percent
from llmeval.monitor.firings import FiringRecord
from llmeval.monitor.outcome import MonitorOutcome
from llmeval.monitor.streams import Stream
from llmeval.monitor.words import outcome_lines
from llmeval.stats.estimation.bounds import wilson

PAGE = "monitor.html"
_WIDTH, _HEIGHT, _MOST = 720, 160, 120
_STYLE = """
:root{color-scheme:light dark;--line:#0b62a4;--band:#0b62a433;--bad:#b3261e;--soft:#8884}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}
svg{width:100%;height:auto}table{border-collapse:collapse;width:100%}td,th{text-align:left;
padding:.3rem .6rem;border-bottom:1px solid var(--soft)}.scroll{overflow-x:auto}
@media(prefers-color-scheme:dark){:root{--line:#7fbdf0;--band:#7fbdf033;--bad:#ff8a80}}
"""


def monitor_page(outcome: MonitorOutcome, firings: Sequence[FiringRecord], now: datetime) -> str:
    """The page as HTML. It loads nothing, and every text in it is escaped."""
    title = f"Monitor: {outcome.suite}"
    lines = "".join(f"<p>{html.escape(each)}</p>" for each in outcome_lines(outcome))
    streams = "".join(_stream(each) for each in outcome.streams.streams.values())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src'
        " 'unsafe-inline'\">"
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>{html.escape(title)}</h1><p>{now:%Y-%m-%d %H:%M} UTC</p>{lines}{streams}"
        f"{_history(outcome)}{_done(firings)}</main></body></html>\n"
    )


def _stream(stream: Stream) -> str:
    days = stream.detector.days[-_MOST:]
    name = html.escape(stream.key.name)
    if not days:
        return f"<h2>{name}</h2><p>No day yet.</p>"
    bands = [wilson(day.passed, day.answers) for day in days]
    low = min(*(band.low for band in bands), 0.99)

    def place(index: int, rate: float) -> str:
        across = _WIDTH * (index + 0.5) / len(days)
        return f"{across:.1f},{(_HEIGHT - 10) * (1 - (rate - low) / (1 - low)) + 5:.1f}"

    upper = [place(index, band.high) for index, band in enumerate(bands)]
    lower = [place(index, band.low) for index, band in enumerate(bands)]
    line = " ".join(place(index, day.rate) for index, day in enumerate(days))
    words = f"{name}: {percent(days[-1].rate)} on {days[-1].day}"
    window, null = stream.detector.window, ""
    if window is not None:
        height = place(0, max(low, float(window.null_mean))).partition(",")[2]
        null = (
            f'<line x1="0" x2="{_WIDTH}" y1="{height}" y2="{height}" stroke="var(--bad)"'
            ' stroke-dasharray="6 4"/>'
        )
    return (
        f'<h2>{name}</h2><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"><title>{words}</title>'
        f'<polygon points="{" ".join([*upper, *reversed(lower)])}" fill="var(--band)"/>'
        f'<polyline points="{line}" fill="none" stroke="var(--line)" stroke-width="2"/>{null}</svg>'
        f"<p>{html.escape(str(days[0].day))} to {html.escape(str(days[-1].day))}. Line: pass rate."
        " Band: 95 % interval of each day. Dashed: a rate below this counts as a drop.</p>"
    )


def _history(outcome: MonitorOutcome) -> str:
    rows = []
    for stream in outcome.streams.streams.values():
        for alarm in stream.detector.alarms:
            end = "still open" if alarm.ended is None else str(alarm.ended)
            cells = (stream.key.name, str(alarm.day), str(alarm.since), percent(alarm.rate), end)
            rows.append(_row(cells))
    marked = [each for each in outcome.records if each.kind != "look"][-50:]
    rows += [_row((each.kind, each.day, "", each.by, each.reason)) for each in reversed(marked)]
    head = _row(("what", "day", "drop since", "rate or person", "ended, or reason"), "th")
    table = f'<div class="scroll"><table>{head}{"".join(rows)}</table></div>'
    return f"<h2>Alarms and invalid looks</h2>{table if rows else '<p>None.</p>'}"


def _done(firings: Sequence[FiringRecord]) -> str:
    rows = [_row((each.at, each.name, each.state, each.reason)) for each in reversed(firings[-50:])]
    head = _row(("at", "what", "state", "reason"), "th")
    table = f'<div class="scroll"><table>{head}{"".join(rows)}</table></div>'
    return f"<h2>What was done</h2>{table if rows else '<p>Nothing.</p>'}"


def _row(cells: Sequence[str], tag: str = "td") -> str:
    return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"
