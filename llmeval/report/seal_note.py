"""What a report says about the seal of its run: sealed or not any more, approvals, an override."""

from dataclasses import dataclass

from llmeval.core.approvals import RunApproval
from llmeval.core.results import Summary

_DIGITS = 12
_WORDS = {"approve": "approval", "reject": "rejection", "override": "override"}


@dataclass(frozen=True, slots=True)
class SealNote:
    """The seal of a run when its report is written.

    digest: of the seal. summary: as it was sealed; None where it can't be read. problem: why the
    run does not fit the seal; empty if it does. approvals: those that name this seal. Nobody has
    checked their signatures.
    """

    digest: str
    summary: Summary | None
    problem: str = ""
    approvals: tuple[RunApproval, ...] = ()

    def sentences(self, summary: Summary) -> list[str]:
        """What readers must know, the override first. `summary`: as the report shows it."""
        if self.problem:
            return [f"The run does not fit its seal: {self.problem}"]
        if summary != self.summary:
            return [
                "The run was sealed with other results, because labels or the gate have changed"
                " since. `llmeval seal RUN --again` seals these."
            ]
        overrides = [
            f"OVERRIDE by {each.by} ({each.role}) until {each.until}: {each.reason}. The decision"
            " of the run is unchanged."
            for each in self.approvals
            if each.decision == "override"
        ]
        return [*overrides, f"Sealed: {self.digest[:_DIGITS]}.{self._counts()}"]

    def _counts(self) -> str:
        parts = []
        for decision, word in _WORDS.items():
            number = sum(each.decision == decision for each in self.approvals)
            if number:
                parts.append(f"{number} {word}{'' if number == 1 else 's'}")
        if not parts:
            return ""
        return f" It has {', '.join(parts)}; `llmeval verify` checks who signed them."
