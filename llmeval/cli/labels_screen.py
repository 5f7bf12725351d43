"""What `llmeval labels stats` prints for people."""

from typing import TYPE_CHECKING, Any

from llmeval.cli.common import console
from llmeval.report.safe_text import count

if TYPE_CHECKING:
    from llmeval.review.references import ReferenceVerdict
    from llmeval.review.repair import RepairEvidence

_SHOWN = 20
"""Rows of a list; `--json` has them all."""


def print_references(verdicts: "list[ReferenceVerdict]") -> None:
    """References that people call wrong, with what prevents the repair."""
    out = console()
    if verdicts:
        out.print("\n[bold]References that people call wrong[/]")
    for each in verdicts[:_SHOWN]:
        text = each.obstacle or f"right: {' / '.join(each.proposed[0])}"
        out.print(f"  {each.case_id} ({', '.join(each.wrong)}): {text}", markup=False)
    if len(verdicts) > _SHOWN:
        out.print(f"  and {len(verdicts) - _SHOWN:,} more: --json has them all")
    if any(not each.obstacle for each in verdicts):
        out.print("  llmeval data fix SUITE writes a patch of the data", markup=False)


def print_repairs(repairs: "list[RepairEvidence]") -> None:
    """Cases to rewrite or retire, by advice."""
    out = console()
    if repairs:
        out.print(
            "\n[bold]Cases that need repair, by what people said in all runs that asked them[/]"
        )
    for each in repairs[:_SHOWN]:
        counts = {
            "people pass what failed": each.narrow,
            "people fail what passed": each.loose,
            "reviewers differ": each.differ,
            "unsure": each.unsure,
        }
        parts = ", ".join(f"{word} {count}" for word, count in counts.items() if count)
        out.print(
            f"  {each.case_id} · {each.metric}: {each.finding} ({parts};"
            f" {count(each.answers, 'answer')})",
            markup=False,
        )
    if len(repairs) > _SHOWN:
        out.print(f"  and {len(repairs) - _SHOWN:,} more: --json has them all")
    for finding, advice in {each.finding: each.advice for each in repairs[:_SHOWN]}.items():
        out.print(f"  {finding}: {advice}", markup=False)


def print_metric(metric: dict[str, Any]) -> None:
    """The labels on one metric: reviewers, disputes, and the judge against people."""
    out = console()
    out.print(f"\n[bold]{metric['metric']}[/]")
    counts = ", ".join(f"{count:,} {word}" for word, count in metric["verdicts"].items())
    drawn = ", ".join(f"{count:,} {word}" for word, count in metric["sampling"].items())
    out.print(
        f"  {count(metric['labels'], 'label')} on {count(metric['answers'], 'answer')}: {counts};"
        f" {drawn}; {metric['blind']:,} blind"
    )
    for conflict in metric["conflicts"]:
        verdicts = ", ".join(
            f"{name or '(no name)'} {verdict}" for name, verdict in conflict["verdicts"].items()
        )
        out.print(
            f"  to decide: {conflict['case_id']} (repeat {conflict['repeat']}): {verdicts}",
            markup=False,
        )
    for each in metric["settled"]:
        pairs = each["verdicts"].items()
        votes = ", ".join(f"{name or '(no name)'} {word}" for name, word in pairs)
        reason = f": {each['reason']}" if each["reason"] else ""
        out.print(
            f"  settled: {each['case_id']} (repeat {each['repeat']}): {votes}; {each['verdict']} by"
            f" {each['by'] or '(no name)'}{reason}",
            markup=False,
        )
    if metric["reviewers"] is not None:
        for pair in metric["reviewers"]["pairs"]:
            names = " and ".join(name or "(no name)" for name in pair["reviewers"])
            out.print(
                f"  {names}: {pair['n']} shared, agree {_interval(pair['accuracy'])}, kappa"
                f" {_interval(pair['kappa'])}",
                markup=False,
            )
        out.print(f"  Krippendorff's alpha {_interval(metric['reviewers']['alpha'])}")
    judge = metric["judge"]
    cells = judge["counts"]
    out.print(
        f"  the {judge['source']} against people: both pass {cells['pass_pass']}, false pass"
        f" {cells['pass_fail']}, false alarm {cells['fail_pass']}, both fail {cells['fail_fail']}"
    )
    if judge["refused"]:
        out.print(f"  no rates: {judge['refused']}", markup=False)
        return
    for name in ("sensitivity", "specificity", "youden", "kappa", "ac1"):
        out.print(f"  {name:<12} {_interval(judge[name])}")
    out.print(
        f"  from {count(judge['random'], 'label')} drawn at random; J is at least"
        f" {judge['youden_lower']:.2f} (95 %)"
    )


def _interval(measure: dict[str, object]) -> str:
    if measure["value"] is None:
        return "–"
    return f"{measure['value']:.2f} ({measure['low']:.2f} to {measure['high']:.2f})"
