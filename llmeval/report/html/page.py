"""The first page, rendered: everything a reader needs before, or without, any script."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from llmeval.core.manifest import Manifest
from llmeval.core.results import Decision, Summary
from llmeval.report.html import (
    assets,
    charts,
    gate_table,
    judge_cards,
    metric_table,
    provenance,
    run_tables,
    strips,
    words,
)
from llmeval.report.html.data_findings import data_section
from llmeval.report.html.embed import Embedding
from llmeval.report.html.icon import favicon
from llmeval.report.html.part_pages import PageLinks
from llmeval.report.html.picture import queue_name
from llmeval.report.html.reviewer_table import ReviewersSection
from llmeval.report.html.totals import Totals
from llmeval.report.html.trend import PastRun, past_table, trends
from llmeval.report.html.triage import TriageQueue
from llmeval.report.html.visible import visible
from llmeval.report.number_words import drop_sentences, number_rows
from llmeval.report.safe_text import (
    count,
    quarantine_ended,
    quarantined,
    retired,
    reused,
    verdict_word,
)

DATA_MARK = "<!-- row data -->"


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Where the pages' templates come from; every value is escaped."""
    jinja = Environment(
        loader=PackageLoader("llmeval.report.html", "static"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    jinja.filters["visible"] = lambda value: visible(str(value))
    jinja.filters |= {
        "favicon": favicon,
        "count_of": count,
        "minus": words.minus,
        "moment": words.moment,
    }
    return jinja


def load_templates() -> Iterator[None]:
    """Compile the templates of the page, one in each step. `environment` keeps them."""
    for name in environment().list_templates(extensions=["j2"]):
        environment().get_template(name)
        yield


def render(
    manifest: Manifest,
    summary: Summary,
    totals: Totals,
    embedding: Embedding,
    baseline: tuple[Manifest, Summary] | None,
    past: list[PastRun],
    listed: list[dict[str, object]],
    served: bool = False,
    notes: Sequence[str] = (),
    reviewers: ReviewersSection | None = None,
    pages: PageLinks | None = None,
) -> str:
    """The page with DATA_MARK where the row data goes. `past`: the suite's runs up to this one;
    `listed`: the same as the page names them. `notes`: about the seal of the run.
    `reviewers`: None where the page must not show votes. `pages`: the pages with all answers."""
    differing = provenance.differences(manifest, baseline[0]) if baseline else []
    table = metric_table.MetricTable(summary, baseline[1] if baseline else None)
    metrics = metric_table.by_key(summary)
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            policy=assets.policy(served),
            style=assets.style(),
            script=assets.script(),
            decision=_decision(summary, manifest, notes),
            counts=summary.counts,
            outcome=_outcome(summary),
            manifest=manifest,
            run_id=str(manifest.run_id),
            suite=str(manifest.suite),
            baseline=_baseline(baseline, totals),
            warnings=[
                words.short_and_rest(text)
                for text in (
                    *manifest.warnings,
                    *provenance.warnings(manifest, summary, totals, differing),
                    *map(quarantine_ended, summary.quarantine_ended),
                )
            ],
            quarantine=[(entry, quarantined(entry)) for entry in summary.quarantine],
            retired=[(entry.case_id, retired(entry)) for entry in summary.retired],
            gate_changes=[change.text for change in summary.gate_changes],
            gate=gate_table.gate_rows(summary.gate, metrics, manifest),
            data=data_section(manifest),
            metrics=table.overall(),
            slices=table.slices(),
            numbers=number_rows(summary),
            drops=drop_sentences(summary),
            axis=strips.axis_svg(table.axis),
            changes=run_tables.changes(totals),
            queues=[
                _queue(queue, totals, baseline is not None)
                for queue in TriageQueue
                if totals.queues[queue]
            ],
            to_review=totals.cases_to_review,
            not_to_review=not_to_review(totals),
            top=totals.top(),
            top_of=sum(
                totals.queues[queue] for queue in TriageQueue if queue <= TriageQueue.UNTRUSTED
            ),
            distributions=run_tables.distributions(totals),
            trends=trends(past),
            past=past_table(past, listed) if len(past) > 1 else [],
            judges=judge_cards.judges(manifest, totals, summary.gate),
            reviewers=reviewers,
            calls=run_tables.calls(summary.calls),
            latency=run_tables.latency(totals),
            reasons=totals.reasons.most_common(12),
            groups=provenance.groups(manifest, summary),
            differing=differing,
            embedding=embedding,
            pages=pages,
            totals=totals,
            mark=DATA_MARK,
        )
    )


def _decision(summary: Summary, manifest: Manifest, notes: Sequence[str]) -> dict[str, object]:
    gate, alpha = summary.gate, manifest.gate.alpha
    headline = words.headline(gate, summary.metrics, alpha)
    return {
        "word": verdict_word(summary, manifest),
        "tone": words.TONES[gate.decision] if gate.decision else "plain",
        "headline": headline,
        "also": [*words.also(gate, summary.metrics, alpha), *words.remarks(gate, headline), *notes],
        "reused": reused(summary),
        "reason": gate.reason
        if gate.reason
        and gate.decision is not Decision.PASS
        and not gate.rules
        and gate.reason != headline
        else "",
        "exit_code": gate.exit_code,
        "cost": words.cost(summary.calls),
        "wall": words.duration(summary.wall_s),
    }


def _outcome(summary: Summary) -> dict[str, object]:
    counts = summary.counts
    parts = words.outcomes(counts)
    shown = [part for part in parts if part[2]]
    return {
        "bar": charts.outcome_bar(parts),
        "parts": shown,
        "cases": counts.cases,
        "not_needed": counts.not_needed,
    }


def _baseline(baseline: tuple[Manifest, Summary] | None, totals: Totals) -> dict[str, Any] | None:
    if baseline is None:
        return None
    manifest, _ = baseline
    return {
        "run_id": str(manifest.run_id),
        "started": str(manifest.started),
        "candidate": str(manifest.candidate.name),
        "regressed": totals.queues[TriageQueue.REGRESSED],
        "fixed": totals.queues[TriageQueue.FIXED],
        "unmatched": totals.unmatched,
        "changed": totals.case_changed,
    }


def _queue(queue: TriageQueue, totals: Totals, compared: bool) -> dict[str, object]:
    title, text = queue_name(queue, compared)
    return {"key": queue.name.lower(), "title": title, "text": text, "n": totals.queues[queue]}


_OTHER_CASES = {
    TriageQueue.KNOWN: "that failed in the baseline too, or are in quarantine",
    TriageQueue.UNTRUSTED: "that only a judge that is not trusted fails",
    TriageQueue.FIXED: "without all their scores yet",
    TriageQueue.REST: "without all their scores yet",
}


def not_to_review(totals: Totals) -> str:
    """Which cases did not pass and are not among those to look at first; empty if there is none."""
    reasons: Counter[str] = Counter()
    for queue, reason in _OTHER_CASES.items():
        reasons[reason] += totals.cases[queue]
    parts = [f"{count(n, 'case')} {reason}" for reason, n in reasons.items() if n]
    return f"Not among them, but also without a pass: {'; '.join(parts)}." if parts else ""
