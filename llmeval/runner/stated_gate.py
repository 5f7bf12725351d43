"""The gate of a suite in the form of a run's manifest, for a comparison without a run."""

from typing import Any

from llmeval.checks.spec import SpecError, bind
from llmeval.core.errors import SuiteError
from llmeval.core.manifest import Digests, GateInputs
from llmeval.core.model_records import JudgeRecord
from llmeval.core.templates import is_template
from llmeval.models.loading import load_function
from llmeval.suite.loader import Suite
from llmeval.suite.quarantine import read_quarantine
from llmeval.suite.retired import read_retired


def stated(suite: Suite) -> GateInputs:
    """The gate of a suite, without a run. No model is made, and no case is read.

    Raises:
        SuiteError: the suite's quarantine or retired file is wrong.
    """
    return GateInputs(
        gate=suite.spec.gate.record(),
        repeats=suite.spec.repeats,
        measure=dict(suite.spec.measure),
        checks=_checks(suite),
        digests=Digests(judges={}),
        judges={
            name: JudgeRecord(
                prompt=judge.prompt,
                when=judge.when,
                certificate=judge.certificate,
                attacks=judge.attacks,
            )
            for name, judge in suite.spec.judges.items()
        },
        quarantine=read_quarantine(suite, None).cases,
        retired=read_retired(suite).cases,
        approvals=None if suite.spec.approvals is None else suite.spec.approvals.record(),
    )


def _checks(suite: Suite) -> tuple[dict[str, object], ...]:
    """The suite's checks by their metrics. A check that can't be bound stays as it is written. An
    example is a function of an old revision that no longer exists.
    """
    checks, seen = list[dict[str, Any]](), dict[str, int]()
    for raw in suite.spec.checks:
        try:
            (bound,) = bind(
                [raw], is_template=is_template, load=lambda name: load_function(name, suite.base)
            )
            metric, identity = bound.metric, dict(bound.identity)
            further = [name.removeprefix(metric) for name in bound.metrics[1:]]
        except (SpecError, SuiteError):
            metric = (
                raw
                if isinstance(raw, str)
                else next(iter(raw), "?")
                if isinstance(raw, dict)
                else "?"
            )
            identity, further = {"written": raw}, []
        seen[metric] = seen.get(metric, 0) + 1
        unique = metric if seen[metric] == 1 else f"{metric}#{seen[metric]}"
        checks += [{"metric": unique + name, **identity} for name in ["", *further]]
    return tuple(checks)
