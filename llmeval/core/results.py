"""Results computed from the records of a run: metrics, decisions and the summary, as frozen
records.
"""

from enum import StrEnum
from typing import Literal

import msgspec

from llmeval.core.records import SCHEMA


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """Verdicts of a cascade that were sure, some of them audited by the next judge."""

    sure: int
    """Verdicts of which the judge was sure."""
    audited: int
    """How many of them the next judge saw too."""
    contradicted: int
    """How many of those it contradicted."""
    lost: int = 0
    """Audits without a verdict."""
    rate: float | None = None
    """The pass rate if the next judge had judged every answer; null where the audits are too few.
    """
    low: float | None = None
    """Lower end of its 95 % interval."""
    high: float | None = None
    """Upper end of its 95 % interval."""
    reason: str = ""
    """All this in a sentence."""


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One metric over one slice."""

    metric: str
    """Name."""
    slice: str | None = None
    """`tag=value`; null for all cases."""
    n: int
    """Cases that have a value."""
    unscored: int = 0
    """Cases without a usable verdict."""
    errors: int = 0
    """Cases without an answer, or whose check broke."""
    needs_review: int = 0
    """Cases that a person has to decide."""
    mean: float | None = None
    """Of the values, repeats reduced within the case first."""
    passed: int = 0
    """Cases that pass in every repeat."""
    pass_rate: float | None = None
    """Their share of `n`."""
    low: float | None = None
    """Lower end of the interval of the pass rate."""
    high: float | None = None
    """Upper end of it."""
    level: float = 0.95
    """Of the two-sided interval."""
    method: str = ""
    """How the interval was computed."""
    source: Literal["check", "judge", "human"] = "check"
    """What scores it."""
    trust: Literal["TRUSTED", "UNTRUSTED"] | None = None
    """Of a judge."""
    audit: Audit | None = None
    """Of a cascade, over all cases."""


class Decision(StrEnum):
    """The outcome of a rule, and of the run."""

    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    INVALID = "INVALID"


class RuleDecision(msgspec.Struct, frozen=True, kw_only=True):
    """One rule of the gate, decided."""

    rule: str
    """must_pass, floor, regression, release; or complete, max_unscored, attacks, max_gone."""
    metric: str | None = None
    """Which metric it is about."""
    slice: str | None = None
    """`tag=value`; null for all cases."""
    decision: Decision
    """Outcome of the rule."""
    estimate: float | None = None
    """The pass rate; of a regression or release rule the difference from what it compares with."""
    low: float | None = None
    """Lower bound of the estimate."""
    high: float | None = None
    """Upper bound of the estimate."""
    threshold: float | None = None
    """The floor, or the margin."""
    baseline: str | None = None
    """The run id of the baseline."""
    reason: str = ""
    """One sentence for people."""
    level: float | None = None
    """Confidence of each bound."""
    n: int | None = None
    """Cases, or pairs."""
    tipping_point: float | None = None
    """How much error that favours one side would overturn the decision."""
    assumptions: tuple[str, ...] = ()
    """What the decision rests on."""
    fell: tuple[str, ...] = ()
    """Ids of at most 10 cases that got worse, the worst first."""
    judge_scale: bool = False
    """Whether the rule is about the judge's own verdicts (`scale: judge`), not about the human pass
    rate.
    """


REPRESENTATIVE = "the cases are representative of future ones"
"""The assumption of every rule about a rate."""


class GateChange(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which a gate differs from the one that its baseline was approved with."""

    what: str
    """The rule or setting, such as `floor facts`."""
    direction: Literal["looser", "tighter", "changed"]
    """looser: more runs exit with 0. changed: which way is not known."""
    text: str
    """All of it in a line: `floor facts 0.90 -> 0.80: looser`."""


class GateResult(msgspec.Struct, frozen=True, kw_only=True):
    """The decision of a run."""

    decision: Decision | None
    """Null with `gate: none`, where nothing made the run invalid."""
    exit_code: int
    """Of the command."""
    rules: tuple[RuleDecision, ...] = ()
    """Every rule, decided."""
    reason: str = ""
    """One sentence for people."""
    remarks: tuple[str, ...] = ()
    """Notes to show with a PASS; `reason` has them too: how the gate was loosened,
    what was left out.
    """


class CaseCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Cases by outcome, by the rule of `llmeval.core.outcome`."""

    cases: int = 0
    """Cases with a record; those in quarantine do not count."""
    passed: int = 0
    """Every score of every repeat passes."""
    failed: int = 0
    """A score fails."""
    unscored: int = 0
    """A judge gave no usable verdict."""
    errors: int = 0
    """No answer, a check that broke, or nothing that applies."""
    needs_review: int = 0
    """A person has to decide."""
    not_scored: int = 0
    """Answers wait for their judge, as the run was interrupted."""
    not_needed: int = 0
    """Planned cases that did not run, because every rule was decided without them; `cases` does
    not count them.
    """


class Calls(msgspec.Struct, frozen=True, kw_only=True):
    """Calls of one model in one role."""

    made: int = 0
    """Requests sent."""
    cached: int = 0
    """Answers taken from the cache."""
    retried: int = 0
    """Attempts repeated."""
    failed: int = 0
    """Calls that gave no result."""
    input_tokens: int = 0
    """Tokens of the requests."""
    output_tokens: int = 0
    """Tokens of the replies."""
    cost_usd: float | None = None
    """Null unless the suite states prices."""


class Reused(msgspec.Struct, frozen=True, kw_only=True):
    """How many of a run's answers, or of its judges' verdicts, come from calls of earlier runs."""

    reused: int = 0
    """How many."""
    of: int = 0
    """All that there are: answers with an output, or scores for which a judge replied."""
    oldest: str | None = None
    """The time of the oldest one that is reused, ISO 8601 in UTC; null where none is, or where one
    has no time.
    """


class Reuse(msgspec.Struct, frozen=True, kw_only=True):
    """What a run took from earlier ones instead of asking."""

    answers: Reused = Reused()
    """Of the candidate."""
    verdicts: Reused = Reused()
    """Of the judges."""


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """A case that runs and is shown but does not count: in no rule, no metric, no count."""

    case_id: str
    """The case."""
    reason: str
    """Why its result says nothing now."""
    owner: str
    """Who is responsible for it."""
    expires: str
    """The last day, ISO 8601."""
    passed: bool | None = None
    """Whether it passes; null while it has no record."""


class Retired(msgspec.Struct, frozen=True, kw_only=True):
    """A case of the baseline that the suite leaves out, or asks otherwise, on purpose."""

    case_id: str
    """The case."""
    reason: str
    """Why."""
    owner: str
    """Who retired it."""
    date: str | None = None
    """The day it was retired, ISO 8601, where the entry says."""
    changed: bool = False
    """Whether the suite asks a case of this id, with other content."""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """`summary.json`: the results of a run, all of it computed from the records."""

    schema: int = SCHEMA
    """The format of the run directory."""
    suite: str
    """Name of the suite."""
    run_id: str
    """The run."""
    status: Literal["complete", "incomplete"]
    """Whether every answer that is needed is there."""
    counts: CaseCounts
    """Cases by outcome."""
    calls: dict[str, Calls] = {}
    """By role: `candidate`, `judge:<metric>`, `attacks:<metric>`, `anchors:<metric>`."""
    reuse: Reuse = Reuse()
    """What came from earlier runs."""
    wall_s: float | None = None
    """Seconds of all sessions."""
    metrics: tuple[Metric, ...] = ()
    """Every metric, over all cases and over each slice."""
    gate: GateResult
    """The decision."""
    quarantine: tuple[Quarantined, ...] = ()
    """Cases that count nowhere."""
    quarantine_ended: tuple[Quarantined, ...] = ()
    """Entries whose last day was over: these cases count."""
    retired: tuple[Retired, ...] = ()
    """Cases of the baseline that are not compared, and are not missed, as they are retired."""
    gate_changes: tuple[GateChange, ...] = ()
    """How the gate differs from the one that the baseline was approved with."""
