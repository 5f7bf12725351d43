"""`metrics.txt`: the newest state as OpenMetrics text, for Prometheus, Argo Rollouts and Flagger.

`llmeval_decision` is 1 for PASS, 0 for FAIL, and NaN where nothing is decided: a rule such as
`result == 1` and one such as `result == 0` are then both false, and a rollout pauses. A file does
not age by itself, so a rule also needs `llmeval_written_timestamp_seconds`: compare it with
`time()`.

Source: OpenMetrics 1.0, sections 5 and 6.
"""

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from llmeval.core.errors import ExitCode
from llmeval.monitor.outcome import MonitorOutcome
from llmeval.monitor.streams import Stream
from llmeval.stats.estimation.bounds import wilson

METRICS = "metrics.txt"
_HELP = {
    "llmeval_decision": "1 PASS, 0 FAIL, NaN not decided.",
    "llmeval_metric": "Pass rate of the newest day, with its 95 % interval.",
    "llmeval_drift_evidence": "Evidence for a drop.",
    "llmeval_drift_threshold": "Evidence at which an alarm begins.",
    "llmeval_age_seconds": "Age when this file was written, of the newest look and of each part.",
    "llmeval_written_timestamp_seconds": "When this file was written.",
}


class MetricValue(NamedTuple):
    """One value of a metric."""

    name: str
    labels: Mapping[str, str]
    value: float


def decision_value(code: ExitCode) -> float:
    """1 for quiet, 0 for an alarm, NaN for everything else."""
    return {ExitCode.PASS: 1.0, ExitCode.GATE_FAILED: 0.0}.get(code, math.nan)


def monitor_samples(outcome: MonitorOutcome, now: datetime) -> list[MetricValue]:
    """The values of an outcome."""
    suite = {"suite": outcome.suite}
    samples = [
        MetricValue("llmeval_decision", {**suite, "rule": "monitor"}, decision_value(outcome.code))
    ]
    for stream in outcome.streams.streams.values():
        samples += _of_stream(stream, suite)
    newest = outcome.newest
    if newest is not None:
        age = now - datetime.fromisoformat(newest.at)
        labels = {**suite, "part": "look"}
        samples.append(MetricValue("llmeval_age_seconds", labels, max(0.0, age.total_seconds())))
    return samples


def undecided_samples(suite: str) -> list[MetricValue]:
    """The values where the monitor ended with an error: nothing is decided."""
    return [MetricValue("llmeval_decision", {"suite": suite, "rule": "monitor"}, math.nan)]


def _of_stream(stream: Stream, suite: Mapping[str, str]) -> list[MetricValue]:
    newest = stream.newest
    if newest is None:
        return []
    labels = {**suite, "metric": stream.key.metric, "slice": stream.key.slice or ""}
    interval = wilson(newest.passed, newest.answers)
    bounds = {"low": interval.low, "mean": newest.passed / newest.answers, "high": interval.high}
    return [
        *(
            MetricValue("llmeval_metric", {**labels, "bound": name}, v)
            for name, v in bounds.items()
        ),
        MetricValue("llmeval_drift_evidence", labels, newest.evidence),
        MetricValue("llmeval_drift_threshold", labels, stream.detector.options.threshold),
    ]


def metrics_text(samples: Iterable[MetricValue], now: datetime) -> str:
    """The values as OpenMetrics text."""
    written = now.astimezone(UTC).timestamp()
    every = [*samples, MetricValue("llmeval_written_timestamp_seconds", {}, written)]
    lines: list[str] = []
    for name, text in _HELP.items():
        own = [each for each in every if each.name == name]
        if own:
            lines += [f"# TYPE {name} gauge", f"# HELP {name} {text}", *map(_line, own)]
    return "\n".join([*lines, "# EOF"]) + "\n"


def _line(sample: MetricValue) -> str:
    labels = ",".join(f'{name}="{_escaped(text)}"' for name, text in sample.labels.items())
    value = "NaN" if math.isnan(sample.value) else repr(float(sample.value))
    return f"{sample.name}{{{labels}}} {value}" if labels else f"{sample.name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
