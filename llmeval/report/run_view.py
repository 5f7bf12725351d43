"""A run as all reports show it: its summary and failing cases, from one pass over the records."""

from dataclasses import dataclass
from pathlib import Path

from llmeval.core.manifest import Manifest
from llmeval.core.merkle import CasesRoot
from llmeval.core.results import Summary
from llmeval.gate.rules.threshold import floor_rates
from llmeval.gate.run_pass import OnCase, OnUnit, aggregate_run
from llmeval.gate.summary import summary_of
from llmeval.planning.attainability import Attainability
from llmeval.report.failing_cases import FailingCase, FailingCases
from llmeval.report.html.build import PageWriter
from llmeval.report.junit import MAX_CASES
from llmeval.store.directory import CaseOutline, RunDir


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


def view_run(
    run: RunDir, manifest: Manifest | None = None, page: PageWriter | None = None
) -> RunView:
    """Read a run's records once.

    Args:
        run: any run that was begun.
        manifest: the run's, with another gate or quarantine than it was made by.
        page: takes the same pass; it is for the caller to write it.

    Raises:
        StoreError: not a run directory, or a file of it was changed.
    """
    about = run.manifest() if manifest is None else manifest
    failing, floors = FailingCases(about, MAX_CASES), _Floors(about)
    root = CasesRoot()
    on_case: list[OnCase] = [floors.add_case, lambda case: root.add(case.id, case.digest)]
    on_unit: list[OnUnit] = [failing.take]
    if page is not None:
        on_case.append(page.add_case)
        on_unit.append(page.take)
    summary = summary_of(aggregate_run(run, about, on_case, on_unit), about)
    shown, warnings = failing.worst_first(summary), floors.warnings(summary)
    return RunView(run, about, summary, shown, warnings, root.hex())


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
