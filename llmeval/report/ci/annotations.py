"""The few things of a run worth a line of their own in a CI log: the decision, then the cases to
look at.
"""

import os
from typing import NamedTuple

from llmeval.core.results import Decision
from llmeval.report.ci.dispatch import RunNotice
from llmeval.report.failing_cases import FailingCase
from llmeval.report.safe_text import one_line, reused, verdict_word

MOST = 10
"""Annotations of one step that GitHub shows; it drops the others silently."""
_WIDTH = 600


class Annotation(NamedTuple):
    """`level`: error, warning or notice. `file`, `line`: where the case or the suite is written,
    relative to here.
    """

    level: str
    title: str
    message: str
    file: str = ""
    line: int | None = None


def annotations(told: RunNotice) -> list[Annotation]:
    """At most `MOST` points, the decision first; the last one says how many more there are.

    A run that passes has one: nobody reads annotations of green builds.
    """
    gate, suite = told.summary.gate, told.summary.suite
    level = (
        "error"
        if gate.exit_code
        else "warning"
        if gate.decision is Decision.INCONCLUSIVE
        else "notice"
    )
    title = (
        f"llmeval {suite}:"
        f" {verdict_word(told.summary, told.manifest).replace('NO DECISION', 'no decision')}"
    )
    message = one_line(f"{gate.reason} {reused(told.summary)}", _WIDTH)
    found = [Annotation(level, title, message, _here(str(told.manifest.suite_file)))]
    if not gate.exit_code:
        return found
    cases = _ordered(told)
    room = MOST - len(found)
    shown = cases if len(cases) <= room and _all(told) == len(cases) else cases[: room - 1]
    found += [_point(trouble, suite) for trouble in shown]
    if rest := _all(told) - len(shown):
        found.append(
            Annotation(
                "warning",
                f"llmeval {suite}",
                f"and {rest:,} more cases: see {_here(str(told.folder or told.run))}/report.html",
            )
        )
    return found


def _all(told: RunNotice) -> int:
    """Cases that did not pass; `troubles` may hold fewer."""
    counts = told.summary.counts
    missing = counts.not_scored + counts.unscored + counts.errors
    return max(len(told.troubles), counts.failed + counts.open + missing)


def _ordered(told: RunNotice) -> list[FailingCase]:
    """Cases that fell against the baseline first, then as they came."""
    fell = {case_id for rule in told.summary.gate.rules for case_id in rule.fell}
    return sorted(told.troubles, key=lambda trouble: trouble.case_id not in fell)


def _point(trouble: FailingCase, suite: str) -> Annotation:
    file, _, line = trouble.source.rpartition(":")
    where = (_here(file), int(line)) if file and line.isdigit() else (_here(trouble.source), None)
    title = f"llmeval {suite}: {one_line(trouble.case_id, 80)}"
    return Annotation("warning", title, one_line(trouble.reason, _WIDTH), *where)


def _here(path: str) -> str:
    """A path as the repository writes it."""
    return os.path.relpath(path) if path and os.path.isabs(path) else path
