"""Everything derived from a run directory, written beside it and rebuilt at any time: the records are the truth."""

from pathlib import Path

from llmeval.records import Summary
from llmeval.report.before import baseline_run
from llmeval.report.html import write_html
from llmeval.report.junit import MAX_CASES, write_junit
from llmeval.report.markdown import markdown
from llmeval.report.worst import Trouble, worst_cases
from llmeval.rundir import RunDir

HTML, JUNIT, MARKDOWN = "report.html", "junit.xml", "summary.md"


def write_reports(run: RunDir, summary: Summary) -> tuple[Path, list[Trouble]]:
    """Write report.html, junit.xml and summary.md; gives the report's path and the cases that did not pass."""
    manifest = run.manifest()
    troubles = worst_cases(run, MAX_CASES)
    write_junit(run.path / JUNIT, summary, manifest, troubles)
    (run.path / MARKDOWN).write_text(markdown(summary, manifest, troubles), encoding="utf-8")
    write_html(run, run.path / HTML, baseline=baseline_run(run, manifest))
    return run.path / HTML, troubles
