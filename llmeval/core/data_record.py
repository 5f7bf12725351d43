"""The result of the data tests in a manifest: what was known about the cases when they were run."""

from typing import Literal

import msgspec

from llmeval.core.gate_record import Count


class AcceptedDefect(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of `<suite>.data.yaml` that holds at the time of the run."""

    rule: str
    """Id of the data test."""
    findings: Count
    """Findings that it covers."""
    reason: str
    """Why the data are right as they are."""
    by: str
    """Who accepted them."""
    until: str | None = None
    """The last day, ISO 8601; null without an end."""


class OpenDefect(msgspec.Struct, frozen=True, kw_only=True):
    """The open findings of one rule and level."""

    rule: str
    """Id of the data test."""
    level: Literal["error", "warn", "info"]
    """Only errors fail `llmeval data check`."""
    findings: Count
    """How many."""
    first: str
    """The message of the first one."""


class DataCheckRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The cheap data tests (`llmeval data check --fast`, without D019), at the time of the run."""

    cases: Count
    """Cases that were read."""
    of: Count
    """Cases of the source. A run reads at most 2,000 of them."""
    rules: tuple[str, ...] = ()
    """Ids of the rules that ran and apply to the suite."""
    open: tuple[OpenDefect, ...] = ()
    """Findings that nobody accepted, by rule and level."""
    accepted: tuple[AcceptedDefect, ...] = ()
    """Accepted findings."""
    digest: str = ""
    """sha256 of all findings, open and accepted, as `data check --json` prints it."""
    failed: str | None = None
    """Why the tests could not be carried out; null if they were."""

    def count(self, level: str) -> int:
        """The number of open findings of one level."""
        return sum(each.findings for each in self.open if each.level == level)
