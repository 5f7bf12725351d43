"""`summary.md`: a run for a pull request's comment or a job's summary; bounded, and no model text
acts in it.
"""

from collections.abc import Sequence

from llmeval.core.manifest import Manifest
from llmeval.core.results import Decision, RuleDecision, Summary
from llmeval.report.data_words import data_trouble
from llmeval.report.failing_cases import FailingCase
from llmeval.report.number_words import HEADINGS, drop_sentences, number_rows
from llmeval.report.safe_text import (
    cell,
    fenced,
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
_MARK = {
    Decision.PASS: "✅",
    Decision.FAIL: "❌",
    Decision.INCONCLUSIVE: "❔",
    Decision.INVALID: "⚠️",
    None: "▫️",
}


def markdown(
    summary: Summary,
    manifest: Manifest,
    worst: list[FailingCase],
    warnings: Sequence[str] = (),
) -> str:
    """The run as Markdown: decision, rules, metrics, worst cases. The first line marks the comment
    to update.

    `warnings`: about the rules themselves.
    """
    decision = summary.gate.decision
    lines = [
        f"<!-- llmeval:{summary.suite} -->",
        (
            f"## {_MARK[decision]} llmeval `{summary.suite}`:"
            f" {verdict_word(summary, manifest).replace('NO DECISION', 'no decision')}"
        ),
        "",
        cell(summary.gate.reason, 1000),
        "",
    ]
    if sentence := reused(summary):
        lines += [cell(sentence, 600), ""]
    lines += (
        _rules(summary)
        + _listed(
            "The gate, compared with the baseline's:",
            [cell(c.text, 300) for c in summary.gate_changes],
        )
        + [f"> ⚠️ {cell(warning, 600)}\n" for warning in _warnings(summary, manifest, warnings)]
        + _trust(manifest, summary)
        + _metrics(summary)
        + _numbers(summary)
        + _listed(
            "Largest drops since the baseline:", [cell(t, 300) for t in drop_sentences(summary)]
        )
        + _counts(summary, manifest)
        + _listed(
            "In quarantine, so not counted:",
            [
                f"{cell(entry.case_id, 80)}: {cell(quarantined(entry), 300)}"
                for entry in summary.quarantine
            ],
        )
        + _listed(
            "Retired cases of the baseline, not compared:",
            [
                f"{cell(entry.case_id, 80)}: {cell(retired(entry), 300)}"
                for entry in summary.retired
            ],
        )
    )
    text = "\n".join(lines)
    for trouble in worst[:MAX_WORST]:
        block = _trouble(trouble)
        if len(text) + len(block) > MAX_CHARS - 200:
            text += "\nMore in report.html.\n"
            break
        text += block
    return text


def _warnings(summary: Summary, manifest: Manifest, warnings: Sequence[str]) -> list[str]:
    """What is odd about the suite, its rules and its quarantine."""
    return [
        *manifest.warnings,
        *filter(None, [data_trouble(manifest.data)]),
        *warnings,
        *map(quarantine_ended, summary.quarantine_ended),
    ]


def _rules(summary: Summary) -> list[str]:
    if len(summary.gate.rules) < 2:
        return _fell(summary)
    lines = ["| rule | decision | why |", "|---|---|---|"]
    for rule in summary.gate.rules:
        name = " ".join(
            part for part in (rule.rule, rule.metric, rule.slice and f"@ {rule.slice}") if part
        )
        why = "as stated above" if rule.reason == summary.gate.reason else cell(rule.reason, 600)
        lines.append(f"| {cell(name)} | {_MARK[rule.decision]} {rule.decision} | {why} |")
    return [*lines, "", *_fell(summary)]


def _fell(summary: Summary) -> list[str]:
    """The cases that got worse than the baseline, by rule."""
    lines = []
    for rule in summary.gate.rules:
        if rule.fell:
            names = ", ".join(cell(name, 80) for name in rule.fell)
            where = f" @ {cell(rule.slice)}" if rule.slice else ""
            lines.append(
                f"Worse than the {_compared(rule)} on {cell(rule.metric or rule.rule)}{where}:"
                f" {names}\n"
            )
    return lines


def _compared(rule: RuleDecision) -> str:
    return "release" if rule.rule == "release" else "baseline"


def _trust(manifest: Manifest, summary: Summary) -> list[str]:
    return [
        f"> **{cell(sentence, 600)}**\n" for sentence in unstated_distrust(manifest, summary)
    ] + [f"> {cell(sentence, 600)}\n" for sentence in audited(summary)]


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
            f"| {cell(metric.metric)} | {metric.pass_rate:.1%} | {metric.low:.1%} –"
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
        values = " | ".join(map(cell, row.values))
        lines.append(f"| {cell(row.name)} | {values} | {row.n:,} | {row.missing:,} |")
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
            f"{outcomes(counts)}.{spared} Candidate {cell(manifest.candidate.name)}, run"
            f" {summary.run_id}."
        ),
        *([f"{sentence[0].upper()}{sentence[1:]}."] if (sentence := sessions(manifest)) else []),
        "",
    ]


def _listed(title: str, rows: list[str]) -> list[str]:
    """A title and a list of at most `MAX_WORST` rows; nothing without a row."""
    more = len(rows) - MAX_WORST
    shown = [*rows[:MAX_WORST], *([f"and {more:,} more"] if more > 0 else [])]
    return [title, "", *(f"- {row}" for row in shown), ""] if rows else []


def _trouble(trouble: FailingCase) -> str:
    return (
        f"\n<details><summary>{cell(trouble.case_id, 80)}:"
        f" {cell(trouble.reason, 160)}</summary>\n\n"
        f"{fenced(trouble.question, 600)}\n\n"
        f"{fenced(trouble.output or '(no answer)', 1200)}\n\n</details>\n"
    )
