"""The lock file of a baseline: one or more approved runs, with a value for each case and metric."""

import math
from datetime import UTC, date, datetime
from typing import Literal

import msgspec

from llmeval.core.gate_terms import GateTerms
from llmeval.core.manifest import Digests

LOCK_SCHEMA = 3
"""The newest format of a lock file. From 2 on it holds the gate that the run was approved with; 3
is that of several runs, of a release, or of several answers a case with a judge, which an older
llmeval would misread.
"""

KeptValue = float | None | Literal["-"]
"""A case's value in [0, 1], the mean over the baseline's runs; None: it is missing in all of them;
"-": the metric does not apply to it.
"""


class AcceptedDecision(msgspec.Struct, frozen=True):
    """What the gate said of a run that was not PASS, and why a person took the run anyway."""

    decision: str
    """FAIL or INCONCLUSIVE; INVALID, or none, of a run that the gate did not decide."""
    reason: str
    """In a sentence."""


class Approval(msgspec.Struct, frozen=True):
    """Who approved this run as the baseline, why, when (UTC), and the last day of the approval."""

    by: str
    """Name."""
    reason: str
    """In a sentence."""
    at: str
    """ISO 8601, UTC."""
    expires: str | None = None
    """ISO 8601; null for an approval without an end."""
    accepted: AcceptedDecision | msgspec.UnsetType = msgspec.UNSET
    """Only of a run that was not PASS. Later reports show it."""


class BaselineValues(msgspec.Struct, frozen=True):
    """One metric: what scored it, and a value for each of the baseline's cases, in their order."""

    scorer: str
    """Digest of the judge or of the checks."""
    values: tuple[KeptValue, ...]
    """One value for each case, in the order of `cases`."""
    passed: str = ""
    """A letter for each case: y (pass), n (fail), or - (no result). For a judge's metric without
    repeats, and where a value in between does not say whether the case passed; empty otherwise, and
    with several runs.
    """
    gaps: dict[str, float] = {}
    """Of cases that are missing in some of several runs, the share of those runs, by id. The value
    then counts a missing result as 0, so the mean may be higher by up to this much.
    """
    noise: float | None = None
    """The variance of one run's value around its case's mean, averaged over the cases that are
    missing in no run. Null with one run.
    """

    @property
    def tells_passes(self) -> bool:
        """Whether it says of each case whether it passed."""
        return bool(self.passed) or all(value in (0, 1, None, "-") for value in self.values)


class FirstAnswers(msgspec.Struct, frozen=True):
    """The first answers of the newest run, in the order of the baseline's cases. People label
    single answers, and a mean is of none.
    """

    outputs: tuple[str, ...]
    """`output_digest` of each answer."""
    passed: dict[str, str]
    """By judged metric, a letter for each case: y (pass), n (fail), or - (no verdict)."""


class BaselineRun(msgspec.Struct, frozen=True, kw_only=True):
    """One of the runs that a baseline is the mean of."""

    run_id: str
    """The id of the run."""
    candidate: str
    """Digest of the candidate's identity."""
    system: str = ""
    """The candidate and its prompt, as `Digests.system`."""
    decision: str | None = None
    """Of that run."""


class BaselineLink(msgspec.Struct, frozen=True, kw_only=True):
    """One baseline in the chain of those that a suite has had."""

    run_id: str
    """Its latest run."""
    runs: int = 1
    """How many runs it is the mean of."""
    candidate: str
    """Name of the model."""
    approved: Approval
    """Who approved it, and why."""
    release: bool = False
    """Whether it became the release anchor."""
    against: str | None = None
    """The run of the release that the drops are measured from; null where there was none."""
    drops: dict[str, float | None] = {}
    """By metric, how far its mean is below the release's, over the cases that both have: 0.02 is 2
    points lower. Null where they share no result.
    """
    cases: int = 0
    """How many cases it shares with the release."""


KeptNumber = float | None | tuple[float | None, ...]
"""A number of a case's answer, or of each of its repeats, one run after the other; None: it is
missing.
"""


class BaselineNumbers(msgspec.Struct, frozen=True):
    """One number: how it is measured, and its values of each of the baseline's cases."""

    values: tuple[KeptNumber, ...]
    """In the order of `cases`."""
    runs: int = 1
    """How many runs they are of: the newest ones of the baseline."""
    measure: str = ""
    """The suite's expression; empty for the numbers of every answer."""


class BaselineLock(msgspec.Struct, frozen=True, kw_only=True):
    """The content of a lock file, also for a run that nobody has approved."""

    schema: int = 2
    """The format of the lock file."""
    suite: str
    """Name of the suite."""
    run_id: str
    """The run that it was made from."""
    candidate: str
    """Name of the model."""
    decision: str | None
    """Of that run."""
    approved: Approval | None
    """Null if nobody has approved the run."""
    digests: Digests
    """Of that run."""
    gate: GateTerms | None = None
    """The gate that it was approved with. Null in an old lock file, which had no gate: then gates
    are not compared.
    """
    left_out: dict[str, str] = {}
    """Cases that belong to the baseline and have no result in it (`Rejudged`): digests by id."""
    cases: dict[str, str]
    """The beginning of each case's digest, 16 hex digits, by id."""
    outputs: tuple[str, ...] = ()
    """For runs with a judge and without repeats: `output_digest` of each case's answer, in the same
    order.
    """
    first: FirstAnswers | msgspec.UnsetType = msgspec.UNSET
    """Only with a judge, and several runs or several answers a case."""
    metrics: dict[str, BaselineValues]
    """Results by metric."""
    clusters: tuple[str | None, ...] | msgspec.UnsetType = msgspec.UNSET
    """The cluster of each case, in the order of `cases`; absent where no case has one, and in a
    lock file from before there were comparisons without pairs.
    """
    numbers: dict[str, BaselineNumbers] = {}
    """Seconds, dollars, tokens and what the suite measures, by name."""
    runs: tuple[BaselineRun, ...] = ()
    """The runs that it is the mean of, the oldest first; empty in a lock file from before there
    could be several, and of one run.
    """
    release: "BaselineLock | None" = None
    """The release that later runs are compared with as well; null where no run was released."""
    chain: tuple[BaselineLink, ...] = ()
    """The baselines that this suite has had, the oldest first, the last one this."""
    digest: str = ""
    """sha256 of everything else in the lock file but the format and the approval's last day; empty
    of a run's directory, and in a lock file of schema 1.
    """

    @property
    def run_count(self) -> int:
        """How many runs it is the mean of."""
        return max(1, len(self.runs))

    @property
    def systems(self) -> tuple[str, ...]:
        """What gave the answers of its runs (`Digests.system`), each once."""
        return tuple(dict.fromkeys(run.system for run in self.runs)) or (self.digests.system,)

    @property
    def answers(self) -> int:
        """How many answers there are to each case, over all runs and repeats."""
        return self.run_count * (1 if self.gate is None else self.gate.repeats)

    def first_answers(self, metric: str) -> dict[str, tuple[str, str]] | None:
        """By case id, the judge's verdict on the first answer of the newest run (y, n, or -), and
        that answer's digest; None where the lock file does not keep them.
        """
        column = self.metrics.get(metric)
        if column is None:
            return None
        letters, outputs = column.passed, self.outputs
        if self.first is not msgspec.UNSET:
            letters, outputs = self.first.passed.get(metric, ""), self.first.outputs
        graded = any(value not in (0, 1, None, "-") for value in column.values)
        if not letters or not outputs or (self.first is msgspec.UNSET and graded):
            return None
        return dict(zip(self.cases, zip(letters, outputs, strict=True), strict=True))

    def gaps(self, metric: str) -> dict[str, float]:
        """By case id, how much higher than its least the mean may be, as some runs miss it."""
        column = self.metrics.get(metric)
        return {} if column is None else column.gaps

    def tells_passes(self, metric: str) -> bool:
        """Whether it says of each case whether it passed; a mean over several runs does not."""
        return self.run_count == 1 and self.metrics[metric].tells_passes

    def numbers_of(self, name: str) -> dict[str, tuple[float, ...]]:
        """The values of a number by case id, for each run one after the other; NaN where one is
        missing.
        """
        column = self.numbers.get(name)
        pairs = zip(self.cases, () if column is None else column.values, strict=column is not None)
        return {
            case_id: tuple(
                math.nan if value is None else float(value)
                for value in (kept if isinstance(kept, tuple) else (kept,))
            )
            for case_id, kept in pairs
        }

    def results(self, metric: str, *, passes: bool = False) -> dict[str, float]:
        """Value by case id of the cases the metric applies to; NaN where it is missing.

        Where some of several runs miss it, the middle of what the mean may be (`gaps`).

        Args:
            metric: the name.
            passes: 1 of a case that passed and 0 of another, where `tells_passes`.
        """
        column = self.metrics.get(metric)
        if column is None:
            return {}
        if passes and column.passed:
            letters = zip(self.cases, column.values, column.passed, strict=True)
            return {
                name: math.nan if letter == "-" else float(letter == "y")
                for name, value, letter in letters
                if value != "-"
            }
        gaps = column.gaps
        return {
            name: math.nan if value is None else float(value) + gaps.get(name, 0.0) / 2
            for name, value in zip(self.cases, column.values, strict=True)
            if value != "-"
        }

    def everything(self) -> dict[str, str]:
        """The beginning of each case's digest by id, also of those without a result."""
        return {**self.left_out, **self.cases}

    def expired(self, today: date | None = None) -> bool:
        """Whether the approval's last day is over (UTC)."""
        until = self.approved.expires if self.approved is not None else None
        return until is not None and (today or datetime.now(UTC).date()) > date.fromisoformat(until)
