"""Results as `.eval_results/*.yaml` of a model repository on the Hugging Face Hub.

The format is about data sets of the Hub, so only suites whose cases come from there (`hf://`) have
entries. `verifyToken` is never set: llmeval can't vouch for itself there.

Source: huggingface/hub-docs eval_results.yaml; huggingface_hub 2.4 reads it
(`parse_eval_result_entries`).
"""

import re
from collections.abc import Sequence
from pathlib import Path

import yaml

from llmeval.core.errors import UsageError
from llmeval.core.files import write_atomically
from llmeval.history.experiment_store import ExperimentStore
from llmeval.history.rows import MetricRow, RunRow
from llmeval.store.directory import RunDir

_SOURCE = re.compile(r"hf://(?P<id>[\w.-]+/[\w.-]+)(?:@(?P<revision>[^?/]+))?")
FOLDER = ".eval_results"


def write_eval_results(store: ExperimentStore, row: RunRow, folder: Path) -> Path:
    """Write the file of one run below `folder`/.eval_results; gives its path.

    Args:
        store: the history.
        row: a complete run.
        folder: the checkout of the model repository.

    Raises:
        UsageError: the run is not complete, or its cases are not from the Hub.
        StoreError: the run can't be read, or the file can't be written.
    """
    if not row.finished or row.stopped_early:
        raise UsageError(f"{row.run_id} did not run all its cases: its figures are not published")
    source = RunDir(row.path).manifest().cases.source
    match = _SOURCE.match(source)
    if match is None:
        raise UsageError(
            f"{row.run_id}: .eval_results names a data set of the Hugging Face Hub, and the cases"
            f" are from {source or 'the suite'}"
        )
    metrics = [each for each in store.metrics([row.run_id], None, "") if each.mean is not None]
    entries = entries_of(row, metrics, match["id"], match["revision"])
    path = folder / FOLDER / f"llmeval-{row.suite}.yaml"
    text = yaml.safe_dump(entries, sort_keys=False, allow_unicode=True)
    write_atomically(path, text.encode())
    return path


def entries_of(
    row: RunRow, metrics: Sequence[MetricRow], dataset: str, revision: str | None
) -> list[dict[str, object]]:
    """An entry for each metric: its mean in [0, 1], and how sure it is as a note.

    Args:
        row: the run.
        metrics: over all cases, with a mean.
        dataset: id on the Hub.
        revision: of the data set.
    """
    entries: list[dict[str, object]] = []
    for each in metrics:
        about: dict[str, object] = {"id": dataset, "task_id": each.metric}
        if revision:
            about["revision"] = revision
        entries.append(
            {
                "dataset": about,
                "value": each.mean,
                "date": row.started,
                "notes": _note(row, each),
            }
        )
    return entries


def _note(row: RunRow, metric: MetricRow) -> str:
    interval = ""
    if metric.low is not None and metric.high is not None:
        interval = (
            f", pass rate {metric.pass_rate:.3f} (95 % interval {metric.low:.3f} to"
            f" {metric.high:.3f})"
        )
    trust = f", judge {metric.trust}" if metric.trust else ""
    return f"llmeval {row.llmeval}, suite {row.suite}, n = {metric.n}{interval}{trust}"
