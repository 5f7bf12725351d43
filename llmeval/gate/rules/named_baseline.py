"""The baseline that a gate names, and what a rule says where nothing can be compared."""

from pathlib import Path

from llmeval.core.baseline_lock import BaselineLock
from llmeval.core.errors import LlmevalError
from llmeval.core.gate_record import RegressionRecord
from llmeval.core.results import Decision, RuleDecision
from llmeval.gate.aggregate import RunAggregate
from llmeval.gate.baseline import read_baseline


def named_baseline(aggregate: RunAggregate, rule: RegressionRecord) -> BaselineLock | RuleDecision:
    """The baseline; INVALID where there is nothing to compare with."""
    if rule.baseline is None:
        return nothing_compared(None, None, "The gate compares with a baseline, and names none.")
    path = Path(rule.baseline)
    try:
        if not path.exists():
            return nothing_compared(
                None,
                None,
                f"There is no baseline at {path}. To make this run one:"
                f" {approve_command(aggregate)}",
            )
        baseline = read_baseline(path)
    except LlmevalError as error:
        return nothing_compared(None, None, str(error))
    if baseline.expired():
        until = baseline.approved.expires if baseline.approved is not None else None
        reason = (
            f"The baseline {baseline.run_id} expired on {until}. Approve a new run:"
            f" {approve_command(aggregate)}"
        )
        return nothing_compared(None, baseline, reason)
    return baseline


def approve_command(aggregate: RunAggregate) -> str:
    """The command that makes a run the baseline."""
    return f"`llmeval baseline approve {aggregate.path} --by NAME --reason TEXT`."


def nothing_compared(
    metric: str | None, baseline: BaselineLock | None, reason: str, slice_: str | None = None
) -> RuleDecision:
    """A rule of regression that is INVALID."""
    run_id = None if baseline is None else baseline.run_id
    return RuleDecision(
        rule="regression",
        metric=metric,
        slice=slice_,
        decision=Decision.INVALID,
        baseline=run_id,
        reason=reason,
    )
