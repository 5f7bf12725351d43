"""Runs in MLflow 3: parameters, metrics with the digest of their data, and assessments.

An experiment for each suite. A run that was exported before (tag `llmeval.run_id`) is not sent
again. The tag `llmeval.decision` is for rules and webhooks of MLflow's registry. Each answer
becomes a trace with an assessment for each score: by CODE (checks), LLM_JUDGE (judges) and HUMAN
(labels).
"""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from llmeval.core.errors import StoreError, UsageError, install_hint
from llmeval.core.records import Label, Score
from llmeval.core.redaction import redact
from llmeval.history.experiment_store import ExperimentStore
from llmeval.history.postgres import without_password
from llmeval.history.rows import MetricRow, RunRow
from llmeval.store.directory import LABELS, RunDir
from llmeval.store.labels import AnswerKey, current, read
from llmeval.store.units import StoredUnit

if TYPE_CHECKING:
    from mlflow import MlflowClient

RUN_ID, DECISION = "llmeval.run_id", "llmeval.decision"
"""Tags of a run."""
_QUIET = {"MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
"""Traces are complete when the command ends; nothing is sent but to the named server."""


def log_to_mlflow(
    store: ExperimentStore, rows: Sequence[RunRow], uri: str, *, traces: bool = False
) -> int:
    """Send runs; gives how many were new.

    Args:
        store: the history.
        rows: complete runs.
        uri: of the tracking server, such as http://localhost:5000 or sqlite:///mlflow.db.
        traces: send each answer with its assessments too.

    Raises:
        UsageError: MLflow is not installed.
        StoreError: the server refuses something, or a run can't be read.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import mlflow
        from mlflow.exceptions import MlflowException
    except ModuleNotFoundError:
        raise UsageError(
            f"the export to MLflow needs mlflow-skinny (or mlflow): {install_hint('mlflow')}"
        ) from None
    shown = without_password(uri)
    try:
        mlflow.set_tracking_uri(uri)
        client = mlflow.MlflowClient(tracking_uri=uri)
        new = [row for row in reversed(rows) if not _is_there(client, row)]
        for row in new:
            _log_run(client, store, row, traces=traces)
    except MlflowException as error:
        raise StoreError(f"MLflow at {shown}: {redact(str(error))}") from None
    return len(new)


def _is_there(client: "MlflowClient", row: RunRow) -> bool:
    experiment = client.get_experiment_by_name(row.suite)
    if experiment is None:
        return False
    same_runs = client.search_runs(
        [experiment.experiment_id], f"tags.`{RUN_ID}` = '{row.run_id}'", max_results=1
    )
    return bool(same_runs)


def _log_run(client: "MlflowClient", store: ExperimentStore, row: RunRow, *, traces: bool) -> None:
    """One run, which is finished in MLflow only when everything is there."""
    from mlflow.entities import Metric, Param, RunTag

    began, ended = _milliseconds(row.started), _milliseconds(row.ended or row.started)
    experiment = client.get_experiment_by_name(row.suite)
    experiment_id = (
        client.create_experiment(row.suite) if experiment is None else experiment.experiment_id
    )
    tags = {
        RUN_ID: row.run_id,
        DECISION: row.decision or "none",
        "mlflow.source.git.commit": row.commit_id or "",
        "mlflow.source.git.branch": row.branch or "",
        "llmeval.path": row.path,
        **store.tags([row.run_id]).get(row.run_id, {}),
    }
    created = client.create_run(experiment_id, start_time=began, run_name=row.run_id)
    run_id = created.info.run_id
    metrics = store.metrics([row.run_id])
    client.log_batch(
        run_id,
        metrics=[
            Metric(name, value, ended, 0)
            for each in metrics
            for name, value in _numbers(each)
            if value is not None
        ],
        params=[Param(name, value[:6000]) for name, value in _params(row).items()],
        tags=[RunTag(name, value) for name, value in tags.items() if value],
    )
    _log_data(client, run_id, row)
    if traces:
        _log_traces(client, experiment_id, RunDir(row.path))
    client.set_terminated(run_id, "FINISHED", ended)


def _params(row: RunRow) -> dict[str, str]:
    names = (
        "candidate",
        "candidate_digest",
        "params_digest",
        "judges_digest",
        "checks_digest",
        "repeats",
        "environment",
        "llmeval",
    )
    values = {name: getattr(row, name) for name in names}
    return {name: str(value) for name, value in values.items() if value not in (None, "")}


def _numbers(row: MetricRow) -> list[tuple[str, float | None]]:
    """MLflow's names have no `=` or `@`."""
    name = row.metric if not row.slice else f"{row.metric}/{row.slice.replace('=', '/')}"
    clean = "".join(c if c.isalnum() or c in "_-. /" else "_" for c in name)
    return [
        (f"{clean}/{part}", value)
        for part, value in (
            ("pass_rate", row.pass_rate),
            ("low", row.low),
            ("high", row.high),
            ("mean", row.mean),
            ("n", float(row.n)),
        )
    ]


def _log_data(client: "MlflowClient", run_id: str, row: RunRow) -> None:
    """The data of the run as an input: a metric without the digest of its data says little."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    data = Dataset(
        name=row.suite,
        digest=row.cases_digest.removeprefix("sha256:")[:36],
        source_type="code",
        source=f'{{"tags": {{"mlflow.source.name": "{row.suite}"}}}}',
        profile=f'{{"num_rows": {row.n}}}',
    )
    client.log_inputs(run_id, [DatasetInput(data, [InputTag("mlflow.data.context", "evaluation")])])


def _log_traces(client: "MlflowClient", experiment_id: str, run: RunDir) -> None:
    people: dict[AnswerKey, list[Label]] = {}
    for (_, place), label in current(read(run.path / LABELS)).items():
        people.setdefault(place, []).append(label)
    for unit in run.units():
        _log_trace(client, experiment_id, unit, people)


def _log_trace(
    client: "MlflowClient",
    experiment_id: str,
    unit: StoredUnit,
    people: dict[AnswerKey, list[Label]],
) -> None:
    import mlflow

    span = client.start_trace(
        f"{unit.case.id} {unit.answer.repeat}",
        inputs=dict(unit.case.fields),
        experiment_id=experiment_id,
    )
    trace_id = span.trace_id
    client.end_trace(trace_id, outputs=unit.answer.output)
    for score in unit.scores:
        place = AnswerKey(score.case_id, score.repeat, score.metric)
        mlflow.log_feedback(trace_id=trace_id, **_feedback(score))
        for label in people.get(place, ()):
            if label.human_verdict in ("pass", "fail"):
                mlflow.log_feedback(
                    trace_id=trace_id,
                    name=label.metric,
                    value=label.human_verdict == "pass",
                    source=_source("HUMAN", label.reviewer or "reviewer"),
                    rationale=label.comment or None,
                )


def _feedback(score: Score) -> dict[str, object]:
    kind = "LLM_JUDGE" if score.source == "judge" else "CODE"
    missing = None if score.value is not None else str(score.unscored or score.status)
    return {
        "name": score.metric,
        "value": None if missing else score.value,
        "error": None if missing is None else ValueError(missing),
        "source": _source(kind, (score.judge or score.metric)[:64]),
        "rationale": score.reason or None,
    }


def _source(kind: str, name: str) -> object:
    from mlflow.entities import AssessmentSource

    return AssessmentSource(source_type=kind, source_id=name)


def _milliseconds(at: str) -> int:
    from datetime import datetime

    try:
        return int(datetime.fromisoformat(at).timestamp() * 1000)
    except ValueError:
        return 0
