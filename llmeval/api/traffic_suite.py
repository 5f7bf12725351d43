"""The suite that scores one day of traffic: the same checks and judges, other cases and answers."""

import json
from dataclasses import replace
from pathlib import Path

from llmeval.monitor.redacting import REDACTED_METRICS
from llmeval.monitor.streams import StreamKey
from llmeval.runner.suite_checks import bound_checks
from llmeval.suite.cases_schema import CasesSpec
from llmeval.suite.gate_schema import GateSpec
from llmeval.suite.loader import Suite
from llmeval.suite.model_schema import ReplaySpec
from llmeval.suite.monitor_schema import MonitorSpec


def monitor_of(suite: Suite) -> MonitorSpec:
    """The monitor of a suite.

    Raises:
        SuiteError: the suite has none, or it watches what the suite does not score.
    """
    spec = suite.spec.monitor
    if spec is None:
        raise suite.error(
            (),
            "the suite has no `monitor`; add `monitor: {source: traffic://logs, metrics: [...]}`",
        )
    _kept_checks(suite, spec)
    return spec


def stream_keys(spec: MonitorSpec) -> list[StreamKey]:
    """Each metric over all traffic, then each metric in each slice."""
    return [
        *(StreamKey(metric) for metric in spec.metrics),
        *(StreamKey(metric, each) for metric in spec.metrics for each in spec.slices),
    ]


def traffic_suite(suite: Suite, spec: MonitorSpec, cases: Path, answers: Path) -> Suite:
    """The suite over sampled answers. Metrics that are not watched are left out: their checks may
    need references, which traffic does not have.

    Args:
        suite: the suite.
        spec: its monitor.
        cases: a file of cases.
        answers: the recorded answers to them.
    """
    changes: dict[str, object] = {
        "cases": CasesSpec(source=str(cases.resolve())),
        "candidate": ReplaySpec(provider="replay", source=str(answers.resolve())),
        "checks": [suite.spec.checks[index] for index in _kept_checks(suite, spec)],
        "judges": {name: suite.spec.judges[name] for name in _judges(suite, spec)},
        "gate": GateSpec(max_unscored=suite.spec.gate.max_unscored).without_rules(),
        "repeats": 1,
        "measure": {},
        **dict.fromkeys(("prompt", "messages", "turns", "user", "until", "max_turns")),
        **dict.fromkeys(("matrix", "approvals", "monitor")),
    }
    # Quarantined and retired cases are those of the suite's own file, by its name.
    path = suite.path.with_name(f"{suite.path.stem}.monitor{suite.path.suffix}")
    return replace(suite, spec=suite.spec.model_copy(update=changes), path=path)


def _judges(suite: Suite, spec: MonitorSpec) -> list[str]:
    return [name for name in suite.spec.judges if name in spec.metrics]


def _kept_checks(suite: Suite, spec: MonitorSpec) -> list[int]:
    """The places in `checks` of those that score a watched metric, and of those that share its
    name: the second `contains` is `contains#2` only after the first.
    """
    bound = bound_checks(suite)
    scored = {name: index for index, check in enumerate(bound) for name in check.metrics}
    for place, metric in enumerate(spec.metrics):
        if metric not in scored and metric not in suite.spec.judges:
            valid = ", ".join([*scored, *suite.spec.judges]) or "nothing"
            raise suite.error(
                ("monitor", "metrics", place),
                f"no check or judge scores {metric!r}; the suite scores: {valid}",
            )
    names = {metric.partition("#")[0] for metric in spec.metrics}
    kept = [
        index
        for index, check in enumerate(bound)
        if any(name in spec.metrics or name.partition("#")[0] in names for name in check.metrics)
    ]
    for index in kept if spec.redact else ():
        text = json.dumps(suite.spec.checks[index], default=str)
        if any(name in text for name in REDACTED_METRICS):
            raise suite.error(
                ("monitor", "metrics"),
                "traffic is redacted before it is scored, so a check for personal data or secrets"
                " would always pass; leave the metric out, or set `redact: false`",
            )
    return kept
