"""Which rules do not apply to a suite, and why. Such a rule has not passed: it tested nothing."""

from collections.abc import Iterable, Mapping

from llmeval.datatests.findings import SuiteCase
from llmeval.datatests.prompt_length import context_window
from llmeval.datatests.rules import RuleInputs

_NEED_REFERENCES = ("D002a", "D003", "D006", "D008", "D016")


class Applicable:
    """Counts what the rules need, and names the rules that lack it."""

    def __init__(self, inputs: RuleInputs) -> None:
        self._inputs = inputs
        self._with_reference = 0

    def add(self, case: SuiteCase) -> None:
        """Count one case."""
        self._with_reference += bool(case.references or case.case.facts)

    def reasons(self, rules: Iterable[str], runs: int | None) -> Mapping[str, str]:
        """The reason of each of these rules that does not apply.

        Args:
            rules: ids of the rules that ran.
            runs: the stored runs of the suite that were read; None if the rule did not run.
        """
        suite = self._inputs.suite
        gate = suite.spec.gate
        baseline = None if gate.regression is None else gate.regression.baseline
        reasons: dict[str, str] = {}
        if not self._with_reference:
            reasons |= dict.fromkeys(_NEED_REFERENCES, "no case has a reference")
        if self._inputs.against is None:
            reasons["D005"] = "no corpus is given (--against)"
        if not gate.record().floors:
            reasons["D007"] = "the gate has no floor"
        if context_window(suite) is None:
            reasons["D010"] = "the candidate states no `context_window`"
        if not runs:
            reasons |= dict.fromkeys(("D016", "D022"), "no stored run of the suite was read")
        if self._inputs.baseline is None and (
            baseline is None or not (suite.base / baseline).exists()
        ):
            reasons["D019"] = "there is no baseline"
        if not suite.spec.checks:
            reasons["D021"] = "the suite has no check"
        return {rule: reasons[rule] for rule in rules if rule in reasons}
