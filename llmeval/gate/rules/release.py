"""Rules about the release anchor: as those of regression, with the release as the baseline."""

from llmeval.core.baseline_lock import BaselineLock
from llmeval.core.results import Decision, RuleDecision
from llmeval.gate.aggregate import RunAggregate

RELEASE = "release"
"""The name of these rules in records."""


def compared_with(kind: str) -> str:
    """What a rule of this name compares with, in words."""
    return "release" if kind == RELEASE else "baseline"


def mean_note(baseline: BaselineLock, metric: str, kind: str = "regression") -> str:
    """A sentence about a baseline of several runs; empty for one run.

    Args:
        baseline: what is compared with. metric: the rule's. kind: the rule's name in records.
    """
    if baseline.run_count < 2:
        return ""
    value = "baseline" if compared_with(kind) == "baseline" else "value in the release"
    note = f" Each case's {value} is its mean over {baseline.run_count} runs."
    gaps = baseline.gaps(metric)
    if not gaps:
        return note
    some = "1 case has" if len(gaps) == 1 else f"{len(gaps):,} cases have"
    return (
        f"{note} {some} no result in some of them, which may have been anything: each bound takes"
        " the worst for its own claim."
    )


def name_release(aggregate: RunAggregate) -> str:
    """The command that makes this run the release."""
    return f"`llmeval baseline release {aggregate.path} --by NAME --reason TEXT`."


def no_release(baseline: BaselineLock, lock: str) -> RuleDecision:
    """INVALID: the gate compares with a release, and the baseline has none. The hint names the
    approved baseline, and never this run: a candidate must not become the release by a hint.

    Args:
        baseline: the approved baseline.
        lock: the path of its lock file.
    """
    return RuleDecision(
        rule=RELEASE,
        decision=Decision.INVALID,
        baseline=baseline.run_id,
        reason=(
            "The gate compares with a release (`gate.regression.release`), and the baseline"
            f" {baseline.run_id} names none. To make this baseline the release:"
            f" `llmeval baseline release --out {lock} --by NAME --reason TEXT`."
        ),
    )
