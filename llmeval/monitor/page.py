"""`monitor.html`: rate, band, evidence, alarms and what was done, as one page without scripts."""

import html
from collections.abc import Sequence
from datetime import datetime

from llmeval.core.errors import ExitCode
from llmeval.core.formatting import percent
from llmeval.monitor.chart import MOST_DAYS, stream_chart
from llmeval.monitor.firings import FiringRecord
from llmeval.monitor.outcome import MonitorOutcome
from llmeval.monitor.streams import Stream
from llmeval.monitor.words import alarm_sentence, headline
from llmeval.stats.estimation.bounds import wilson

PAGE = "monitor.html"
_TONES = {
    ExitCode.PASS: "good",
    ExitCode.GATE_FAILED: "bad",
    ExitCode.INVALID: "bad",
    ExitCode.INCONCLUSIVE: "open",
    ExitCode.NOTHING_EVALUATED: "open",
}
_STYLE = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--quiet:#57606a;--edge:#d0d7de;
--line:#0b62a4;--band:#0b62a426;--bad:#b3261e;--good:#1a7f37;--open:#8a6100}
@media(prefers-color-scheme:dark){:root{--paper:#12161b;--ink:#e6edf3;--quiet:#9da7b1;
--edge:#353c45;--line:#7fbdf0;--band:#7fbdf033;--bad:#ff8a80;--good:#6fdd8b;--open:#e3b341}}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;max-width:64rem;margin:0 auto;padding:1rem;
background:var(--paper);color:var(--ink)}
h1{font-size:1.5rem;margin:.2rem 0}h2{font-size:1.15rem;margin:2rem 0 .5rem}
.quiet{color:var(--quiet);font-size:.9rem}.state{font-weight:700;border-left:6px solid;
padding:.4rem .8rem;margin:1rem 0}.good{color:var(--good)}.bad{color:var(--bad)}
.open{color:var(--open)}
.state span{color:var(--ink);font-weight:400;display:block}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.5rem;margin:.5rem 0}
dl div{border:1px solid var(--edge);border-radius:8px;padding:.4rem .7rem;min-width:0}
dt{color:var(--quiet);font-size:.85rem}dd{margin:0;font-size:1.1rem;overflow-wrap:anywhere}
svg{width:100%;height:auto;display:block}svg text{fill:var(--quiet);font-size:12px}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{text-align:left;vertical-align:top;padding:.35rem .6rem;border-bottom:1px solid var(--edge);
overflow-wrap:anywhere}th{color:var(--quiet);font-weight:600}@media(min-width:561px){
td:nth-child(-n+3){white-space:nowrap}}
@media(max-width:560px){thead{display:none}tr{display:block;border-bottom:1px solid var(--edge);
padding:.4rem 0}td{display:block;border:0;padding:.1rem 0}td[data-is]:not(:empty)::before{
content:attr(data-is) ": ";color:var(--quiet)}td:empty{display:none}
svg text{font-size:22px}}
"""


def monitor_page(outcome: MonitorOutcome, firings: Sequence[FiringRecord], now: datetime) -> str:
    """The page as HTML. It loads nothing, and every text in it is escaped."""
    title = f"Monitor: {outcome.suite}"
    alarms = "".join(
        f"<span>{_text(alarm_sentence(each))}</span>" for each in outcome.streams.alarms
    )
    if outcome.volume_alarm:
        alarms += f"<span>{_text(outcome.volume_alarm)}.</span>"
    notes = "".join(f'<p class="quiet">Note: {_text(each)}.</p>' for each in outcome.notes)
    streams = "".join(_stream(each) for each in outcome.streams.streams.values())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src'
        " 'unsafe-inline'\">"
        f"<title>{_text(title)}</title><style>{_STYLE}</style></head><body><main>"
        f'<h1>{_text(title)}</h1><p class="quiet">Written on {now:%Y-%m-%d %H:%M} UTC</p>'
        f'<p class="state {_TONES.get(outcome.code, "open")}">{_text(headline(outcome))}'
        f"{alarms}</p>{notes}{streams}{_history(outcome)}{_done(firings)}</main></body></html>\n"
    )


def _stream(stream: Stream) -> str:
    days = stream.detector.days[-MOST_DAYS:]
    name = _text(stream.key.name)
    if not days:
        return f'<h2>{name}</h2><p class="quiet">No day with enough answers yet.</p>'
    window = stream.detector.window
    newest = days[-1]
    band = wilson(newest.passed, newest.answers)
    cards = [
        (f"Pass rate on {newest.day}", percent(newest.rate)),
        ("95 % interval of that day", f"{percent(band.low)} to {percent(band.high)}"),
    ]
    if window is None:
        cards.append(("Learning", f"day {stream.learning_day}"))
    else:
        evidence = 0.0 if stream.newest is None else stream.newest.evidence
        cards += [
            ("Reference", percent(float(window.mean))),
            ("A drop is below", percent(float(window.null_mean))),
            ("Evidence for a drop", f"{evidence:,.1f}"),
            ("An alarm begins at", f"{stream.detector.options.threshold:,.0f}"),
        ]
    shown = "".join(f"<div><dt>{_text(one)}</dt><dd>{_text(two)}</dd></div>" for one, two in cards)
    key = "Line: pass rate of each day. Band: its 95 % interval."
    if window is not None:
        key += " Dashed: a rate below this counts as a drop."
    if stream.detector.alarms:
        key += " Shaded: an alarm was open."
    chart = stream_chart(stream.detector, days, stream.key.name)
    return f'<h2>{name}</h2><dl>{shown}</dl>{chart}<p class="quiet">{key}</p>'


def _history(outcome: MonitorOutcome) -> str:
    head = ("What", "Day", "Drop since", "Rate, or person", "Ended, or reason")
    rows = []
    for stream in outcome.streams.streams.values():
        for alarm in stream.detector.alarms:
            end = "still open" if alarm.ended is None else f"ended on {alarm.ended}"
            what = f"alarm of {stream.key.name}"
            rows.append((what, str(alarm.day), str(alarm.since), percent(alarm.rate), end))
    marked = [each for each in outcome.records if each.kind != "look"][-50:]
    rows += [(_kind(each.kind), each.day, "", each.by, each.reason) for each in reversed(marked)]
    return f"<h2>Alarms, invalid days, acknowledgements</h2>{_table(head, rows)}"


def _kind(kind: str) -> str:
    return {"invalid": "invalid day", "acknowledged": "new reference"}.get(kind, kind)


def _done(firings: Sequence[FiringRecord]) -> str:
    rows = [
        (each.at.replace("T", " ").removesuffix("Z"), each.name, each.state, _reason(each))
        for each in reversed(firings[-50:])
    ]
    return f"<h2>What was done</h2>{_table(('At (UTC)', 'What', 'State', 'More'), rows)}"


def _reason(firing: FiringRecord) -> str:
    cost = "" if firing.cost_usd is None or firing.state != "begun" else f"${firing.cost_usd:.2f}"
    by = f"approved by {firing.approved_by}" if firing.approved_by else ""
    return "; ".join(part for part in (cost, by, firing.reason) if part)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return '<p class="quiet">None.</p>'
    top = "".join(f'<th scope="col">{_text(name)}</th>' for name in head)
    body = "".join(
        "<tr>"
        + "".join(
            f'<td data-is="{_text(name)}">{_text(cell)}</td>'
            for name, cell in zip(head, row, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    inner = f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody>"
    return f'<div class="scroll"><table>{inner}</table></div>'


def _text(text: str) -> str:
    return html.escape(text)
