"""Rules about the release anchor: as those of regression, with the release as the baseline."""

from dataclasses import replace
from typing import TYPE_CHECKING

from msgspec import structs

from llmeval.core.baseline_lock import BaselineLock
from llmeval.core.results import Decision, RuleDecision
from llmeval.gate.aggregate import RunAggregate

if TYPE_CHECKING:
    from llmeval.gate.rules.regression import RegressionRule


def of_release(rule: "RegressionRule | RuleDecision") -> "RegressionRule | RuleDecision":
    """A rule of regression as one about the release."""
    if isinstance(rule, RuleDecision):
        return structs.replace(rule, rule="release")
    return replace(rule, name=f"{rule.name} since the release", kind="release")


def name_release(tally: RunAggregate) -> str:
    """The command that makes this run the release."""
    return f"`llmeval baseline release {tally.path} --by NAME --reason TEXT`."


def no_release(tally: RunAggregate, baseline: BaselineLock) -> RuleDecision:
    """INVALID: the gate compares with a release, and the baseline has none."""
    return RuleDecision(
        rule="release",
        decision=Decision.INVALID,
        baseline=baseline.run_id,
        reason=(
            f"The gate compares with a release (`gate.regression.release`), and the baseline"
            f" {baseline.run_id} names none. To name this run: {name_release(tally)}"
        ),
    )
