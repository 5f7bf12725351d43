"""A run as all reports show it: its summary and failing cases, from one pass over the records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os.path import commonprefix
from pathlib import Path
from typing import Protocol

from llmeval.core.manifest import Manifest
from llmeval.core.merkle import CasesRoot
from llmeval.core.results import Decision, Summary
from llmeval.gate.human_labels import DecidedUnit, people_of
from llmeval.gate.missing_causes import MissingCauses
from llmeval.gate.rules.threshold import floor_rates
from llmeval.gate.run_pass import OnCase, OnUnit, aggregate_run, read_run
from llmeval.gate.summary import summary_of
from llmeval.planning.attainability import Attainability
from llmeval.report.baseline_run import baseline_means, baseline_run
from llmeval.report.failing_cases import (
    MAX_CASES,
    FailingCase,
    FailingCases,
    with_baseline_answers,
)
from llmeval.store.directory import CaseOutline, RunDir
from llmeval.store.units import StoredUnit

_TOLD_APART = 60
"""Characters by which two messages of errors are told apart; reasons may cut them."""


@dataclass(frozen=True)
class RunView:
    """What the console, the report, JUnit, Markdown and the CI's annotations show of a run."""

    run: RunDir
    manifest: Manifest
    """Of the run, or with the gate and quarantine that it is decided by."""
    summary: Summary
    failing: list[FailingCase]
    """Cases that did not pass, the most serious first; at most `MAX_CASES`."""
    warnings: list[str]
    """Floors that the run's cases can't pass, whatever is answered."""
    cases_root: str = ""
    """The Merkle root of the cases (`Seal.cases_root`)."""
    report: Path | None = None
    """The page, where one was written."""
    cause: str = ""
    """The commonest error in full, with its count: 15 x HTTP 400: ...; empty without errors."""
    before: Mapping[str, float] = field(default_factory=dict)
    """By metric, the baseline's mean."""

    @property
    def sentences(self) -> tuple[str, str]:
        """The commonest error in full and the reason of the decision without it. The error is empty
        where there is none, and where the run passes: then the reason says what is missing.
        """
        reason = self.summary.gate.reason
        if not self.cause or self.summary.gate.decision is Decision.PASS:
            return "", reason
        times, _, message = self.cause.partition(" x ")
        counted = reason.find(f" {times} x {message[:_TOLD_APART]}")
        if counted >= 0:  # the reason of `max_unscored` ends with it, maybe cut
            return self.cause, reason[:counted]
        start = reason.find(message[:_TOLD_APART])
        if start < 0:
            return self.cause, reason
        end = start + len(commonprefix([reason[start:], message]))
        before, after = reason[:start], reason[end:].removeprefix("…")
        if before.endswith((". ", "? ", "! ")) and not after.strip(" ."):
            return self.cause, before.rstrip()  # it was a sentence of its own
        return self.cause, f"{before}that error{after or '.'}"


class RecordTaker(Protocol):
    """Takes the cases of a run, then its answers, in the pass of the reports."""

    def add_case(self, case: CaseOutline) -> None:
        """Take a case."""

    def take(self, decided: DecidedUnit[StoredUnit]) -> None:
        """Take an answer with its scores."""


def view_run(
    run: RunDir,
    manifest: Manifest | None = None,
    on_case: Sequence[OnCase] = (),
    on_unit: Sequence[OnUnit] = (),
) -> RunView:
    """Read a run's records once.

    Args:
        run: any run that was begun.
        manifest: the run's, with another gate or quarantine than it was made by.
        on_case, on_unit: take the same pass, such as the writers of reports.

    Raises:
        StoreError: not a run directory, or a file of it was changed.
    """
    about = run.manifest() if manifest is None else manifest
    failing, floors, causes = FailingCases(about, MAX_CASES), _Floors(about), MissingCauses()
    takers = (failing.take, lambda decided: causes.add(decided.unit), *on_unit)
    root = CasesRoot()
    cases_taken = (floors.add_case, lambda case: root.add(case.id, case.digest), *on_case)
    summary = summary_of(aggregate_run(run, about, cases_taken, takers), about)
    cases = with_baseline_answers(failing.worst_first(summary), baseline_run(run, about))
    return RunView(
        run,
        about,
        summary,
        cases,
        floors.warnings(summary),
        cases_root=root.hex(),
        cause=causes.whole,
        before=baseline_means(about),
    )


def recorded_view(run: RunDir, manifest: Manifest, summary: Summary, most: int) -> RunView:
    """A run as it was decided, with at most `most` failing cases, in one pass over its records.

    Raises:
        StoreError: a file of the run was changed, or is not of llmeval.
    """
    failing, causes = FailingCases(manifest, most), MissingCauses()
    takers = (failing.take, lambda decided: causes.add(decided.unit))
    read_run(run, people_of(run.path)[0], (), takers)
    cases = with_baseline_answers(failing.worst_first(summary), baseline_run(run, manifest))
    before = baseline_means(manifest)
    return RunView(run, manifest, summary, cases, [], cause=causes.whole, before=before)


class _Floors:
    """Floors that the run's cases can't pass."""

    def __init__(self, manifest: Manifest) -> None:
        gate = manifest.gate
        self._aside, self._part = manifest.quarantined, manifest.is_part
        self._attainable = Attainability(
            floor_rates(gate.floors), gate.alpha, early=manifest.may_stop
        )

    def add_case(self, case: CaseOutline) -> None:
        """Take a case of the run."""
        if case.id not in self._aside:
            self._attainable.add(case)

    def warnings(self, summary: Summary) -> list[str]:
        """A sentence a floor. A shard, or a run that is not complete, lacks some of the cases."""
        complete = summary.status == "complete" and not self._part
        return self._attainable.warnings() if complete else []
