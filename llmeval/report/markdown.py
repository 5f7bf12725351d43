"""`summary.md`: a run for a pull request's comment or a job's summary. It is bounded, people can
read it without rendering, and no text of a model, a suite or a person acts in it.
"""

import re
from collections.abc import Sequence
from urllib.parse import quote

from llmeval.core.manifest import Manifest
from llmeval.core.results import Decision, RuleDecision, Summary
from llmeval.report.data_words import data_trouble
from llmeval.report.failing_cases import FailingCase
from llmeval.report.inert_markdown import code, fenced, html_code, prose
from llmeval.report.metric_changes import MetricChange, metric_changes
from llmeval.report.number_words import HEADINGS, drop_sentences, number_rows
from llmeval.report.run_view import RunView
from llmeval.report.safe_text import (
    outcomes,
    quarantine_ended,
    quarantined,
    retired,
    reused,
    sessions,
    verdict_word,
)
from llmeval.report.trust import audited, unstated_distrust

MAX_CHARS = 60_000
"""Below the 65,536 characters that a comment may have."""
MAX_WORST = 20
_IN_TABLE = 10
"""Failing cases in the table; the others are below it."""
_MAX_CAUSE = 2000
_IN_SUMMARY = 160
"""Characters of a reason that are shown of a folded case."""
_MARK = {
    Decision.PASS: "✅",
    Decision.FAIL: "❌",
    Decision.INCONCLUSIVE: "❔",
    Decision.INVALID: "⚠️",
    None: "▫️",
}
_NAME = re.compile(r"[^A-Za-z0-9._-]")


def markdown(view: RunView, notes: Sequence[str] = (), report: str = "") -> str:
    """The run as Markdown: the decision and its reason, the rules, metrics, failing cases. The
    first line marks the comment to update.

    Args:
        view: the run.
        notes: about the seal of the run.
        report: the address of its `report.html`, to which each case of the table links; empty: no
            links.
    """
    summary, manifest = view.summary, view.manifest
    worst = by_urgency(view.failing, summary)
    lines = [
        marker(summary.suite),
        (
            f"## {_MARK[summary.gate.decision]} llmeval {code(summary.suite)}:"
            f" {verdict_word(summary, manifest).replace('NO DECISION', 'no decision')}"
        ),
        "",
        *_reason(view),
        *_attempts(manifest),
        *_paragraph(reused(summary)),
        *_rules(summary, view),
        *_fell(summary),
        *_listed(
            "The gate, compared with the baseline's:",
            [prose(change.text, 300) for change in summary.gate_changes],
        ),
        *[f"> ⚠️ {prose(text)}\n" for text in _warnings(summary, manifest, view.warnings)],
        *_trust(manifest, summary),
        *_table_of(worst[:_IN_TABLE], report),
        *_metrics(summary),
        *_numbers(summary),
        *_listed(
            "Largest drops since the baseline:",
            [prose(text, 300) for text in drop_sentences(summary)],
        ),
        *_counts(summary, manifest),
        *_aside(summary),
        *(text for note in notes for text in _paragraph(note)),
    ]
    return _with_details("\n".join(lines), worst[:MAX_WORST])


def marker(suite: str) -> str:
    """The first line of the summary of a suite. It is invisible where it is rendered."""
    return f"<!-- llmeval:{_NAME.sub('_', suite)} -->"


def by_urgency(failing: Sequence[FailingCase], summary: Summary) -> list[FailingCase]:
    """Cases that got worse than the baseline first, then those that fail a gated metric, then the
    others; each in their order.
    """
    fell = {case_id for rule in summary.gate.rules for case_id in rule.fell}
    gated = {rule.metric for rule in summary.gate.rules if rule.metric}
    return sorted(
        failing,
        key=lambda case: (case.case_id not in fell, gated.isdisjoint(case.metrics)),
    )


def _with_details(text: str, worst: list[FailingCase]) -> str:
    """The summary with the texts of each case, as many as there is room for."""
    text = text[: MAX_CHARS - 100]
    for number, case in enumerate(worst):
        block = _details(case)
        if len(text) + len(block) > MAX_CHARS - 100:
            return f"{text}\n{len(worst) - number} more cases are in report.html.\n"
        text += block
    return text


def _paragraph(text: str) -> list[str]:
    return [prose(text), ""] if text else []


def _reason(view: RunView) -> list[str]:
    """The commonest error in full unless the run passes, then the reason of the decision."""
    cause, reason = view.sentences
    lines = [f"**{prose(cause, _MAX_CAUSE)}**", ""] if cause else []
    return [*lines, prose(reason, 1500), ""]


def _attempts(manifest: Manifest) -> list[str]:
    attempt = manifest.attempt
    if attempt is None or not attempt.earlier:
        return []
    earlier = ", ".join(
        f"{each.decision or 'unknown'} ({code(each.run_id, 60)})" for each in attempt.earlier
    )
    return [f"Attempt {attempt.number} of this change. Earlier attempts: {earlier}.", ""]


def _warnings(summary: Summary, manifest: Manifest, warnings: Sequence[str]) -> list[str]:
    """What is odd about the suite, its rules and its quarantine."""
    return [
        *manifest.warnings,
        *filter(None, [data_trouble(manifest.data)]),
        *warnings,
        *map(quarantine_ended, summary.quarantine_ended),
    ]


def _rules(summary: Summary, view: RunView) -> list[str]:
    """The rules as a table: the baseline's figure, this run's, and what the rule asks for."""
    rows = metric_changes(summary, view.before)
    if not rows:
        return []
    lines = ["| | rule | metric | baseline → now | measured | limit |", "|---|---|---|---|---|---|"]
    lines += [_rule(row) for row in rows]
    reasons = [
        f"- {_MARK[row.decision]} {row.decision}: {prose(row.reason)}"
        for row in rows
        if row.reason and row.reason not in summary.gate.reason
    ]
    return [*lines, "", *reasons, *([""] if reasons else [])]


def _rule(row: MetricChange) -> str:
    arrow = f" {row.arrow}" if row.arrow else ""
    moved = f"{row.before} → {row.now}{arrow}" if row.arrow else row.now
    name = code(row.name) if row.name else ""
    return (
        f"| {_MARK[row.decision]} {row.decision} | {prose(row.rule)} | {name} | {moved} |"
        f" {prose(row.estimate)} | {prose(row.limit)} |"
    )


def _fell(summary: Summary) -> list[str]:
    """The cases that got worse than the baseline, by rule."""
    lines = []
    for rule in summary.gate.rules:
        if rule.fell:
            names = ", ".join(prose(name, 80) for name in rule.fell)
            where = f" @ {prose(rule.slice)}" if rule.slice else ""
            lines.append(
                f"Worse than the {_compared(rule)} on {prose(rule.metric or rule.rule)}{where}:"
                f" {names}\n"
            )
    return lines


def _compared(rule: RuleDecision) -> str:
    return "release" if rule.rule == "release" else "baseline"


def _trust(manifest: Manifest, summary: Summary) -> list[str]:
    return [f"> **{prose(sentence)}**\n" for sentence in unstated_distrust(manifest, summary)] + [
        f"> {prose(sentence)}\n" for sentence in audited(summary)
    ]


def _table_of(cases: list[FailingCase], report: str) -> list[str]:
    """The failing cases in short, with the baseline's answers where there are any."""
    if not cases:
        return []
    compared = any(case.before is not None for case in cases)
    answers = "baseline answer | new answer" if compared else "answer"
    lines = [
        f"| case | question | expected | {answers} |",
        "|---|---|---|---|---|" if compared else "|---|---|---|---|",
    ]
    for case in cases:
        before = [code(case.before or "", 60)] if compared else []
        cells = [
            _linked(case.case_id, report),
            code(case.question, 60),
            code(case.expected, 40),
            *before,
            code(case.output, 60) if case.output else "(no answer)",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def _linked(case_id: str, report: str) -> str:
    """A case's id, as a link to the case in the report. The report opens and marks it."""
    shown = code(case_id, 40)
    return f"[{shown}]({report}#case-{quote(case_id, safe='')})" if report else shown


def _metrics(summary: Summary) -> list[str]:
    lines = ["| metric | pass rate | 95% interval | cases | missing |", "|---|---:|---:|---:|---:|"]
    for metric in summary.metrics:
        if (
            metric.slice is not None
            or metric.pass_rate is None
            or metric.low is None
            or metric.high is None
        ):
            continue
        lines.append(
            f"| {code(metric.metric)} | {metric.pass_rate:.1%} | {metric.low:.1%} –"
            f" {metric.high:.1%} | {metric.n:,} | {metric.unscored + metric.errors:,} |"
        )
    return [*lines, ""]


def _numbers(summary: Summary) -> list[str]:
    rows = number_rows(summary)
    lines = [
        f"| number | {' | '.join(HEADINGS)} | answers | missing |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        values = " | ".join(map(prose, row.values))
        lines.append(f"| {code(row.name)} | {values} | {row.n:,} | {row.missing:,} |")
    return [*lines, ""] if rows else []


def _counts(summary: Summary, manifest: Manifest) -> list[str]:
    counts = summary.counts
    spared = (
        f" {counts.not_needed:,} more were not needed: every rule was decided."
        if counts.not_needed
        else ""
    )
    if counts.needs_review:
        spared = f" {counts.needs_review:,} need review by a person (`llmeval review`).{spared}"
    return [
        (
            f"{outcomes(counts)}.{spared} Candidate {code(manifest.candidate.name)}, run"
            f" {code(summary.run_id)}."
        ),
        *([f"{sentence[0].upper()}{sentence[1:]}."] if (sentence := sessions(manifest)) else []),
        "",
    ]


def _aside(summary: Summary) -> list[str]:
    """Cases that do not count, with the reasons."""
    return [
        *_listed(
            "In quarantine, so not counted:",
            [
                f"{code(entry.case_id, 80)}: {prose(quarantined(entry), 300)}"
                for entry in summary.quarantine
            ],
        ),
        *_listed(
            "Retired cases of the baseline, not compared:",
            [
                f"{code(entry.case_id, 80)}: {prose(retired(entry), 300)}"
                for entry in summary.retired
            ],
        ),
    ]


def _listed(title: str, rows: list[str]) -> list[str]:
    """A title and a list of at most `MAX_WORST` rows; nothing without a row."""
    more = len(rows) - MAX_WORST
    shown = [*rows[:MAX_WORST], *([f"and {more:,} more"] if more > 0 else [])]
    return [title, "", *(f"- {row}" for row in shown), ""] if rows else []


def _details(case: FailingCase) -> str:
    """One case, folded: the reason, the question and the answers in full."""
    texts = [
        ("Reason", case.reason if len(case.reason) > _IN_SUMMARY else "", 1500),
        ("Question", case.question, 600),
        ("Expected", case.expected, 400),
        ("Baseline answer", case.before or "", 1200),
        ("Answer", case.output or "(no answer)", 1200),
    ]
    blocks = "".join(
        f"{title}:\n\n{fenced(text, limit)}\n\n" for title, text, limit in texts if text
    )
    return (
        f"\n<details><summary>{html_code(case.case_id, 80)}: {html_code(case.reason, _IN_SUMMARY)}"
        f"</summary>\n\n{blocks}</details>\n"
    )
