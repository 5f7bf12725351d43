"""The reports of a run directory. They can be rebuilt at any time from the records."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from llmeval.core.files import write_atomically
from llmeval.core.manifest import Manifest
from llmeval.report.baseline_run import baseline_run
from llmeval.report.html.build import Embed, PageWriter
from llmeval.report.junit import JUnitCases, JUnitWriter
from llmeval.report.markdown import markdown
from llmeval.report.run_view import RecordTaker, RunView, view_run
from llmeval.report.seal_note import SealNote
from llmeval.store.directory import SUMMARY, RunDir, summary_bytes

HTML, JUNIT, MARKDOWN = "report.html", "junit.xml", "summary.md"


def write_results(
    run: RunDir,
    folder: Path | None = None,
    manifest: Manifest | None = None,
    embed: Embed = "default",
    junit: JUnitCases = "all",
    sealed: SealNote | None = None,
    also: Sequence[RecordTaker] = (),
) -> RunView:
    """Write summary.json, report.html, junit.xml and summary.md from one pass over the records.

    Args:
        run: where the records are.
        folder: where the files go; the run's directory by default.
        manifest: the run's, with another gate or quarantine than it was made by.
        embed: which rows the page holds in full; see `PageWriter`.
        junit: which cases junit.xml holds; see `JUnitWriter`.
        sealed: the seal of the run; None for one without, or that is sealed afterwards.
        also: take the same pass, such as the history.

    Raises:
        StoreError: a file of the run was changed, or a file can't be written. Nothing is written
            before all records were read and checked.
    """
    into, about = folder or run.path, run.manifest() if manifest is None else manifest
    baseline = baseline_run(run, about)
    with (
        PageWriter(run, about, into / HTML, baseline=baseline, embed=embed) as page,
        JUnitWriter(into / JUNIT, about, junit) as tests,
    ):
        view = view_run(
            run,
            about,
            [page.add_case, *(each.add_case for each in also)],
            [page.take, tests.take, *(each.take for each in also)],
        )
        write_atomically(into / SUMMARY, summary_bytes(view.summary))
        tests.write(view.summary, view.cause)
        notes = [] if sealed is None else sealed.sentences(view.summary)
        write_atomically(into / MARKDOWN, markdown(view, notes).encode())
        page.write(view.summary, notes)
    return replace(view, report=into / HTML)
