"""GitLab: metrics that a merge request compares with those of the target branch (`artifacts:
reports: metrics`).

Source: OpenMetrics 1.0 text format; GitLab Docs, "Metrics reports". GitLab compares values as text:
they are rounded, so that noise is not a change.
"""

from collections.abc import Iterator
from pathlib import Path

from llmeval.core.files import write_atomically
from llmeval.core.results import Summary

METRICS = "metrics.txt"


def write_metrics(folder: Path, summary: Summary) -> None:
    """Write `metrics.txt` next to the run's reports."""
    write_atomically(folder / METRICS, "\n".join([*_lines(summary), "# EOF", ""]).encode())


def _lines(summary: Summary) -> Iterator[str]:
    suite, counts = summary.suite, summary.counts
    yield "# TYPE llmeval_pass_rate gauge"
    for metric in summary.metrics:
        if metric.pass_rate is not None:
            where = "" if metric.slice is None else f',slice="{_label(metric.slice)}"'
            named = f'suite="{_label(suite)}",metric="{_label(metric.metric)}"{where}'
            yield f"llmeval_pass_rate{{{named}}} {metric.pass_rate:.3f}"
    yield "# TYPE llmeval_cases gauge"
    for outcome in ("passed", "failed", "unscored", "errors", "needs_review", "not_scored"):
        yield (
            f'llmeval_cases{{suite="{_label(suite)}",outcome="{outcome}"}}'
            f" {getattr(counts, outcome)}"
        )


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
