"""Everything derived from a run directory, written beside it and rebuilt at any time: the records
are the truth.
"""

from pathlib import Path
from typing import Literal

from llmeval.core.files import write_atomically
from llmeval.core.manifest import Manifest
from llmeval.core.results import Summary
from llmeval.gate.rules.threshold import floor_rates
from llmeval.planning.attainability import out_of_reach
from llmeval.report.baseline_run import baseline_run
from llmeval.report.failing_cases import FailingCase, worst_cases
from llmeval.report.html import write_html
from llmeval.report.html.build import RunSummary
from llmeval.report.junit import MAX_CASES, write_junit
from llmeval.report.markdown import markdown
from llmeval.store.directory import RunDir

HTML, JUNIT, MARKDOWN = "report.html", "junit.xml", "summary.md"


def write_reports(
    run: RunDir,
    summary: Summary,
    folder: Path | None = None,
    manifest: Manifest | None = None,
    embed: Literal["default", "all"] = "default",
) -> tuple[Path, list[FailingCase]]:
    """Write report.html, junit.xml and summary.md; gives the report's path and the cases that did
    not pass.

    Args:
        run: where the records are.
        summary: what they came to.
        folder: where the files go; the run's directory by default.
        manifest: the run's, where it was decided by other rules than those in it.
        embed: which rows the page holds in full; see `write_html`.
    """
    into, about = folder or run.path, manifest or run.manifest()
    troubles = worst_cases(run, MAX_CASES, {entry.case_id for entry in summary.quarantine})
    write_junit(into / JUNIT, summary, about, troubles)
    text = markdown(summary, about, troubles, _out_of_reach(run, summary, about))
    write_atomically(into / MARKDOWN, text.encode())
    write_html(
        run,
        into / HTML,
        baseline=baseline_run(run, about),
        told=RunSummary(about, summary),
        embed=embed,
    )
    return into / HTML, troubles


def _out_of_reach(run: RunDir, summary: Summary, manifest: Manifest) -> list[str]:
    """Floors that the run's cases could not PASS whatever was answered. A run that is not complete
    lacks some of them.
    """
    if summary.status != "complete" or manifest.shard:
        return []
    gate, aside = manifest.gate, {entry.case_id for entry in summary.quarantine}
    counted = (case for case in run.cases() if case.id not in aside)
    return out_of_reach(floor_rates(gate.floors), gate.alpha, counted, early=manifest.may_stop)
