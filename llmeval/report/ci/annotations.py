"""Annotations of a run in a CI log: its decision, then the cases that did not pass."""

import os
from pathlib import Path
from typing import NamedTuple

from llmeval.core.manifest import Manifest
from llmeval.core.results import Decision, Summary
from llmeval.report.failing_cases import FailingCase
from llmeval.report.markdown import by_urgency
from llmeval.report.run_view import RunView
from llmeval.report.safe_text import one_line, reused, verdict_word

MOST = 10
"""Annotations of one step that GitHub shows; it drops the others silently."""
_WIDTH = 600
_TEXT = 300
_REASON = 2000


class RunNotice(NamedTuple):
    """What the CI server gets of a run."""

    run: Path
    """The run's directory."""
    folder: Path | None
    """Where its reports were written; None where none were."""
    view: RunView
    """The run; its failing cases are maybe not all."""

    @property
    def summary(self) -> Summary:
        """Of the run."""
        return self.view.summary

    @property
    def manifest(self) -> Manifest:
        """Of the run."""
        return self.view.manifest

    @property
    def failing(self) -> list[FailingCase]:
        """Cases that did not pass, the most urgent first."""
        return by_urgency(self.view.failing, self.view.summary)


class Annotation(NamedTuple):
    """A line of the CI log that the server shows next to the code."""

    level: str
    """error, warning or notice."""
    title: str
    message: str
    """One line or several."""
    file: str = ""
    """Where the case or the suite is written, relative to the working directory."""
    line: int | None = None


def annotations(notice: RunNotice) -> list[Annotation]:
    """At most `MOST` annotations: the decision, then failing cases; the last one says how many more
    there are.

    A run that passes has one: nobody reads annotations of green builds.
    """
    gate, suite = notice.summary.gate, notice.summary.suite
    first = _decision(notice)
    if not gate.exit_code:
        return [first]
    cases, count, room = notice.failing, _count(notice), MOST - 1
    shown = cases if len(cases) <= room and count == len(cases) else cases[: room - 1]
    notes = [first, *(_of_case(case, suite) for case in shown)]
    if rest := count - len(shown):
        page = _here(str(notice.folder or notice.run)) + "/report.html"
        notes.append(
            Annotation("warning", f"llmeval {suite}", f"and {rest:,} more cases: see {page}")
        )
    return notes


def _decision(notice: RunNotice) -> Annotation:
    gate = notice.summary.gate
    level = "notice"
    if gate.exit_code:
        level = "error"
    elif gate.decision is Decision.INCONCLUSIVE:
        level = "warning"
    word = verdict_word(notice.summary, notice.manifest).replace("NO DECISION", "no decision")
    cause, reason = notice.view.sentences
    sentences = (cause and f"{cause}.", reason, reused(notice.summary))
    message = one_line(" ".join(filter(None, sentences)), _REASON)
    title = f"llmeval {notice.summary.suite}: {word}"
    return Annotation(level, title, message, _here(notice.manifest.suite_file))


def _count(notice: RunNotice) -> int:
    """Cases that did not pass; `failing` may hold fewer."""
    counts = notice.summary.counts
    missing = counts.not_scored + counts.unscored + counts.errors
    return max(len(notice.failing), counts.failed + counts.needs_review + missing)


def _of_case(case: FailingCase, suite: str) -> Annotation:
    """One case at its file and line: why it did not pass, the question and the answers."""
    file, _, line = case.source.rpartition(":")
    where = (_here(file), int(line)) if file and line.isdigit() else (_here(case.source), None)
    title = f"llmeval {suite}: {one_line(case.case_id, 80)}"
    texts = [
        ("Question", case.question),
        ("Expected", case.expected),
        ("Baseline answer", case.before or ""),
        ("Answer", case.output or "(no answer)"),
    ]
    lines = [one_line(case.reason, _WIDTH)]
    lines += [f"{name}: {one_line(text, _TEXT)}" for name, text in texts if text.strip()]
    return Annotation("warning", title, "\n".join(lines), *where)


def _here(path: str) -> str:
    """A path as the repository writes it."""
    return os.path.relpath(path) if path and os.path.isabs(path) else path
