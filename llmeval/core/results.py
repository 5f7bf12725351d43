"""Results computed from the records of a run: metrics, decisions and the summary, as frozen
records.
"""

from enum import StrEnum
from typing import Literal

import msgspec

from llmeval.core.records import SCHEMA


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """Verdicts of a cascade that were sure, some of them audited by the next judge, which
    contradicted a few.

    `rate`, `low`, `high`: the pass rate had the next judge judged every answer, with its two-sided
    95 % interval; None where the audits can't carry it. `lost`: audits without a verdict. `reason`:
    all this in a sentence.
    """

    sure: int
    audited: int
    contradicted: int
    lost: int = 0
    rate: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str = ""


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One metric over one slice (`slice` None = all cases). `n` counts cases that have a value;
    `open` those that wait for a person.

    `mean`: of the values, repeats reduced within the case first. `pass_rate`: share of cases
        passing in every repeat;
    `low`, `high`: its two-sided interval at `level`, by `method`. `audit`: of a cascade, over all
        cases.
    """

    metric: str
    slice: str | None = None
    n: int
    unscored: int = 0
    errors: int = 0
    open: int = 0
    mean: float | None = None
    passed: int = 0
    pass_rate: float | None = None
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    method: str = ""
    source: Literal["check", "judge", "human"] = "check"
    trust: Literal["TRUSTED", "UNTRUSTED"] | None = None
    audit: Audit | None = None


class Decision(StrEnum):
    """The outcome of a rule, and of the run."""

    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    INVALID = "INVALID"


class RuleDecision(msgspec.Struct, frozen=True, kw_only=True):
    """One rule of the gate, decided. `reason` is one sentence a person understands.

    `threshold`: the floor, or the margin of a regression rule, whose `estimate`, `low` and `high`
    are differences from the run `baseline`. `level`: confidence of each bound. `n`: cases, or
    pairs. `tipping_point`: how much error that favours one side would overturn the decision.
    `assumptions`: what it rests on. `fell`: ids of at most 10 cases that got worse, the worst
    first.
    """

    rule: str
    metric: str | None = None
    slice: str | None = None
    decision: Decision
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    threshold: float | None = None
    baseline: str | None = None
    reason: str = ""
    level: float | None = None
    n: int | None = None
    tipping_point: float | None = None
    assumptions: tuple[str, ...] = ()
    fell: tuple[str, ...] = ()
    judge_scale: bool = False
    """Whether the rule is about the judge's own verdicts (`scale: judge`), not about what people
    would say.
    """


class GateChange(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which a gate differs from the one that its baseline was approved with."""

    what: str
    """The rule or setting, such as `floor facts`."""
    direction: Literal["looser", "tighter", "changed"]
    """looser: more runs exit with 0. changed: which way is not known."""
    text: str
    """All of it in a line: `floor facts 0.90 -> 0.80: looser`."""


class GateResult(msgspec.Struct, frozen=True, kw_only=True):
    """The decision of a run. `decision` is None with `gate: none`, where nothing made the run
    invalid.
    """

    decision: Decision | None
    exit_code: int
    rules: tuple[RuleDecision, ...] = ()
    reason: str = ""
    remarks: tuple[str, ...] = ()
    """Sentences that belong beside a PASS, and stand in `reason` too: how the gate was loosened,
    what was left out.
    """


class CaseCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Cases by outcome, by the rule of `llmeval.core.outcome`.

    `not_scored`: answers wait for their judge, as the run was interrupted. `not_needed`: planned
    cases that were not asked, because every rule was decided without them; `cases` does not count
    them.
    """

    cases: int = 0
    passed: int = 0
    failed: int = 0
    unscored: int = 0
    errors: int = 0
    open: int = 0
    not_scored: int = 0
    not_needed: int = 0


class Calls(msgspec.Struct, frozen=True, kw_only=True):
    """Calls of one model in one role: requests sent, answers taken from cache, attempts repeated,
    calls lost.
    """

    made: int = 0
    cached: int = 0
    retried: int = 0
    failed: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None


class Reused(msgspec.Struct, frozen=True, kw_only=True):
    """How many of a run's answers, or of its judges' verdicts, come from calls of earlier runs."""

    reused: int = 0
    of: int = 0
    """All that there are: answers with an output, or scores for which a judge replied."""
    oldest: str | None = None
    """The time of the oldest one that is reused, ISO 8601 in UTC; None where none is, or where one
    has no time.
    """


class Reuse(msgspec.Struct, frozen=True, kw_only=True):
    """What a run took from earlier ones instead of asking."""

    answers: Reused = Reused()
    verdicts: Reused = Reused()


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """A case that is asked and shown but counts nowhere: no rule, no metric, no count. `expires`:
    the last day, ISO 8601.

    `passed`: what came of it; None while it has no record.
    """

    case_id: str
    reason: str
    owner: str
    expires: str
    passed: bool | None = None


class Retired(msgspec.Struct, frozen=True, kw_only=True):
    """A case of the baseline that the suite leaves out, or asks otherwise, on purpose."""

    case_id: str
    reason: str
    owner: str
    date: str | None = None
    """The day it was retired, ISO 8601, where the entry says."""
    changed: bool = False
    """Whether the suite asks a case of this id, with other content."""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """`summary.json`: what a run came to. Everything in it is recomputed from the records.

    `quarantine_ended`: entries whose last day was over: these cases count.
    """

    schema: int = SCHEMA
    suite: str
    run_id: str
    status: Literal["complete", "incomplete"]
    counts: CaseCounts
    calls: dict[str, Calls] = {}
    reuse: Reuse = Reuse()
    wall_s: float | None = None
    metrics: tuple[Metric, ...] = ()
    gate: GateResult
    quarantine: tuple[Quarantined, ...] = ()
    quarantine_ended: tuple[Quarantined, ...] = ()
    retired: tuple[Retired, ...] = ()
    """Cases of the baseline that are not compared, and are not missed, as they are retired."""
    gate_changes: tuple[GateChange, ...] = ()
    """How the gate differs from the one that the baseline was approved with."""
