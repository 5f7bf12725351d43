"""The newest run of each suite in the text format of OpenMetrics 1.0: for Prometheus (textfile
collector, Pushgateway), Grafana, Argo Rollouts and Flagger.

`llmeval_decision` is 1 for PASS, 0 for FAIL, and NaN for everything else, so that neither
`result == 1` nor `result == 0` holds for a run that is INCONCLUSIVE, INVALID or not finished. Guard
it with `llmeval_age_seconds`, or `time() - llmeval_run_timestamp_seconds`: an old PASS says nothing
about today.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from llmeval.history.experiment_store import ExperimentStore, RunQuery
from llmeval.history.rows import DecisionRow, MetricRow, RunRow

_CODES = {"PASS": "1", "FAIL": "0"}
_RUN_RULE = "gate"
"""The label `rule` of the decision of the whole run."""


def openmetrics(
    store: ExperimentStore, query: RunQuery, now: datetime, suite: str | None = None
) -> str:
    """The text, which ends with `# EOF`.

    Args:
        store: the history.
        query: which runs.
        now: for the age of each run.
        suite: only this one.
    """
    suites = [each.suite for each in store.suites(query.root) if suite in (None, each.suite)]
    rows = [
        row for each in suites for row in store.runs(query.where("suite", each)._replace(limit=1))
    ]
    ids = [row.run_id for row in rows]
    by_id = {row.run_id: row for row in rows}
    lines = [
        *_family("llmeval_decision", "1 PASS, 0 FAIL, NaN anything else.", ""),
        *_decisions(by_id, store.decisions(ids)),
        *_family("llmeval_metric", "Pass rate of a metric with its 95 % interval.", ""),
        *_metrics(by_id, store.metrics(ids)),
        *_family("llmeval_age_seconds", "Time since the run began.", "seconds"),
        *(_sample("llmeval_age_seconds", _labels(row), _age(row, now)) for row in rows),
        *_family("llmeval_run_timestamp_seconds", "When the run began.", "seconds"),
        *(_sample("llmeval_run_timestamp_seconds", _labels(row), _epoch(row)) for row in rows),
        "# EOF",
    ]
    return "\n".join(lines) + "\n"


def _family(name: str, text: str, unit: str) -> list[str]:
    head = [f"# TYPE {name} gauge"]
    if unit:
        head.append(f"# UNIT {name} {unit}")
    return [*head, f"# HELP {name} {text}"]


def _decisions(rows: dict[str, RunRow], rules: Sequence[DecisionRow]) -> Iterator[str]:
    for row in rows.values():
        code = _CODES.get(row.decision or "", "NaN") if row.finished else "NaN"
        yield _sample("llmeval_decision", {**_labels(row), "rule": _RUN_RULE}, code)
    seen: set[tuple[str, str]] = set()
    for rule in rules:
        row = rows[rule.run_id]
        name = " ".join(filter(None, (rule.rule, rule.metric, rule.slice and f"@ {rule.slice}")))
        if (row.suite, name) in seen:  # a sample may occur once
            continue
        seen.add((row.suite, name))
        code = _CODES.get(rule.decision, "NaN") if row.finished else "NaN"
        yield _sample("llmeval_decision", {**_labels(row), "rule": name}, code)


def _metrics(rows: dict[str, RunRow], metrics: Sequence[MetricRow]) -> Iterator[str]:
    for each in metrics:
        labels = {**_labels(rows[each.run_id]), "metric": each.metric, "slice": each.slice}
        for bound, value in (("low", each.low), ("mean", each.pass_rate), ("high", each.high)):
            if value is not None:
                yield _sample("llmeval_metric", {**labels, "bound": bound}, repr(float(value)))


def _labels(row: RunRow) -> dict[str, str]:
    return {"suite": row.suite}


def _sample(name: str, labels: dict[str, str], value: str) -> str:
    pairs = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"{name}{{{pairs}}} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _epoch(row: RunRow) -> str:
    try:
        time = datetime.fromisoformat(row.started)
    except ValueError:
        return "NaN"
    time = time if time.tzinfo is not None else time.replace(tzinfo=UTC)
    return f"{time.timestamp():.0f}"


def _age(row: RunRow, now: datetime) -> str:
    began = _epoch(row)
    return "NaN" if began == "NaN" else f"{max(0.0, now.timestamp() - float(began)):.0f}"
