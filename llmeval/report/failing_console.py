"""Failing cases at a terminal and in a CI log: why, what was expected, and the answers."""

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from llmeval.core.outcome import Outcome
from llmeval.core.results import Summary
from llmeval.report.failing_cases import FailingCase
from llmeval.report.safe_text import count, one_line

_MARKS = {
    Outcome.FAIL: ("✘", "red"),
    Outcome.NEEDS_REVIEW: ("?", "yellow"),
    Outcome.NOT_SCORED: ("·", "cyan"),
}
"""How a case that did not pass is marked; every other outcome is a missing result."""
_REASON = 2000
_TEXT = 240
_INDENT = 4


def print_failing(console: Console, cases: list[FailingCase], summary: Summary) -> None:
    """The cases one below the other. Reasons wrap and are not cut; a reason that several cases
    have stands once, at the first of them.
    """
    if not cases:
        return
    console.print(Text(f"\n{_title(cases, summary)}", style="bold"))
    stated: set[str] = set()
    for case in cases:
        mark, style = _MARKS.get(case.outcome, ("!", "magenta"))
        reason = one_line(case.reason, _REASON)
        again = case.outcome.missing and reason in stated
        stated.add(reason)
        head = Text.assemble((f"{mark} ", style), one_line(case.case_id, 60))
        console.print(head.append("  the same" if again else "", style="dim"))
        if not again:
            console.print(Padding(Text(reason, style=style), (0, 0, 0, _INDENT), expand=False))
        if not case.outcome.missing or case.output:
            console.print(Padding(_texts(case), (0, 0, 0, _INDENT), expand=False))


def _title(cases: list[FailingCase], summary: Summary) -> str:
    counts = summary.counts
    total = (
        counts.failed + counts.needs_review + counts.unscored + counts.errors + counts.not_scored
    )
    waiting = all(case.outcome is Outcome.NOT_SCORED for case in cases)
    return (
        f"{min(len(cases), total)} of {count(total, 'case')}"
        f" {'not scored yet' if waiting else 'that did not pass'}"
    )


def _texts(case: FailingCase) -> Table:
    """What was expected and what was answered, in short."""
    table = Table.grid(padding=(0, 1))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    if case.expected:
        table.add_row("expected", Text(one_line(case.expected, _TEXT)))
    if case.before is not None:
        table.add_row("baseline", Text(one_line(case.before, _TEXT)))
    table.add_row("answered", Text(one_line(case.output, _TEXT) or "(no answer)"))
    return table
