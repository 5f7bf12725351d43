"""Results computed from the records of a run: metrics, decisions and the summary, as frozen
records.
"""

from enum import StrEnum
from typing import Literal

import msgspec

from llmeval.core.records import SCHEMA


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """The sure verdicts of a cascade. The next judge audits some of them."""

    sure: int
    """Verdicts of which the judge was sure."""
    audited: int
    """How many of them the next judge judged too."""
    contradicted: int
    """How many of those it contradicted."""
    lost: int = 0
    """Audits without a verdict."""
    rate: float | None = None
    """The estimated pass rate if the next judge had judged every answer; null if the audits are too
    few.
    """
    low: float | None = None
    """Lower end of its 95 % interval."""
    high: float | None = None
    """Upper end of its 95 % interval."""
    reason: str = ""
    """These results as a sentence."""


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
    """Cases without an answer, or whose check could not be carried out."""
    needs_review: int = 0
    """Cases that a person has to decide."""
    mean: float | None = None
    """The mean of the values. Repeats of a case are averaged first."""
    passed: int = 0
    """Cases that pass in every repeat."""
    pass_rate: float | None = None
    """Their share of `n`."""
    low: float | None = None
    """Lower end of the interval of the pass rate."""
    high: float | None = None
    """Upper end of it."""
    level: float = 0.95
    """The confidence level of the two-sided interval."""
    method: str = ""
    """How the interval was computed."""
    source: Literal["check", "judge", "human"] = "check"
    """What scores it."""
    trust: Literal["TRUSTED", "UNTRUSTED"] | None = None
    """Of a judge."""
    audit: Audit | None = None
    """For a cascade, over all cases."""


class Decision(StrEnum):
    """The outcome of a rule, and of the run."""

    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    INVALID = "INVALID"


class RuleDecision(msgspec.Struct, frozen=True, kw_only=True):
    """One rule of the gate, decided."""

    rule: str
    """must_pass, never, floor, limit, regression, release; or complete, max_unscored, attacks,
    max_gone.
    """
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
    """How large a one-sided error of the judge would have to be to overturn the decision."""
    assumptions: tuple[str, ...] = ()
    """The assumptions of the decision."""
    fell: tuple[str, ...] = ()
    """Ids of at most 10 cases that got worse, the worst first."""
    judge_scale: bool = False
    """Whether the rule is about the judge's own verdicts (`scale: judge`), not about the human pass
    rate.
    """
    number: str | None = None
    """Of a rule about a number, its name. A limit's estimate, bounds and threshold are in the
    number's unit; a regression's are shares of the baseline's value.
    """
    on_inconclusive: Literal["fail", "warn", "pass"] | None = None
    """What the rule means for the exit code where it is INCONCLUSIVE; null: as the gate says."""


class NumberStatistic(msgspec.Struct, frozen=True, kw_only=True):
    """A statistic of a number, with its interval."""

    statistic: str
    """mean, p50 or p95."""
    value: float
    """Of the values that there are."""
    low: float | None = None
    """Lower end of the interval; null where so few values give none."""
    high: float | None = None
    """Upper end of it."""


class NumberMetric(msgspec.Struct, frozen=True, kw_only=True):
    """One number over all answers: seconds, dollars, tokens, or what the suite measures."""

    name: str
    """Such as latency."""
    unit: str = ""
    """s, $ or tokens; empty for the numbers of `measure`."""
    n: int
    """Answers that have it."""
    missing: int = 0
    """Answers without it."""
    level: float = 0.95
    """Of the two-sided intervals."""
    statistics: tuple[NumberStatistic, ...] = ()
    """Mean, p50 and p95; empty where no answer has the number."""


class MetricDrop(msgspec.Struct, frozen=True, kw_only=True):
    """How far the mean of a metric fell since the baseline."""

    metric: str
    """Name."""
    slice: str | None = None
    """`tag=value`; null for all cases."""
    before: float
    """The baseline's mean over the paired cases."""
    now: float
    """This run's."""
    n: int
    """Paired cases."""
    tested: bool = False
    """Whether a rule of the gate tests it. If not, the drop is exploratory: with many metrics and
    slices some drop by chance.
    """


REPRESENTATIVE = "the cases are representative of future ones"
"""The assumption of every rule about a rate."""


class GateChange(msgspec.Struct, frozen=True, kw_only=True):
    """One difference between a gate and the gate that its baseline was approved with."""

    what: str
    """The rule or setting, such as `floor facts`."""
    direction: Literal["looser", "tighter", "changed"]
    """looser: more runs exit with 0. changed: the direction is unknown."""
    text: str
    """All of it in a line: `floor facts 0.90 -> 0.80: looser`."""


class GateResult(msgspec.Struct, frozen=True, kw_only=True):
    """The decision of a run."""

    decision: Decision | None
    """Null with `gate: none`, unless something made the run invalid."""
    exit_code: int
    """Of the command."""
    rules: tuple[RuleDecision, ...] = ()
    """Every rule, decided."""
    reason: str = ""
    """One sentence for people."""
    remarks: tuple[str, ...] = ()
    """Notes to show with a PASS, such as a looser gate or cases that were left out. `reason`
    contains them too.
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
    """No answer, a check that could not be carried out, or no check or judge that applies."""
    needs_review: int = 0
    """A person has to decide."""
    not_scored: int = 0
    """Cases with answers that wait for their judge, because the run was interrupted."""
    not_needed: int = 0
    """Planned cases that did not run, because every rule was decided without them. `cases` does not
    include them.
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
    """The total: answers with an output, or scores for which a judge replied."""
    oldest: str | None = None
    """The time of the oldest reused one, ISO 8601 in UTC; null if none is reused, or if one has no
    time.
    """


class Reuse(msgspec.Struct, frozen=True, kw_only=True):
    """The answers and verdicts that a run took from earlier runs instead of calling a model."""

    answers: Reused = Reused()
    """Of the candidate."""
    verdicts: Reused = Reused()
    """Of the judges."""


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """A case that runs and is shown, but counts in no rule, metric or total."""

    case_id: str
    """The case."""
    reason: str
    """Why its result is not usable now."""
    owner: str
    """Who is responsible for it; empty for a case that is past its own `expires`."""
    expires: str
    """The last day, ISO 8601. Empty for a case that is past its own `expires`."""
    passed: bool | None = None
    """Whether it passes; null while it has no record."""


class Retired(msgspec.Struct, frozen=True, kw_only=True):
    """A case of the baseline that was removed from the suite, or changed, on purpose."""

    case_id: str
    """The case."""
    reason: str
    """Why."""
    owner: str
    """Who retired it."""
    date: str | None = None
    """The day it was retired, ISO 8601; null if the entry does not state it."""
    changed: bool = False
    """Whether the suite has a case with this id and other content."""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """`summary.json`: the results of a run, computed from its records."""

    schema: int = SCHEMA
    """The format of the run directory."""
    suite: str
    """Name of the suite."""
    run_id: str
    """The run."""
    status: Literal["complete", "incomplete"]
    """Whether every answer that is needed exists."""
    counts: CaseCounts
    """Cases by outcome."""
    calls: dict[str, Calls] = {}
    """By role: `candidate`, `user`, `judge:<metric>`, `attacks:<metric>`, `anchors:<metric>`."""
    reuse: Reuse = Reuse()
    """Answers and verdicts from earlier runs."""
    wall_s: float | None = None
    """Seconds of all sessions."""
    metrics: tuple[Metric, ...] = ()
    """Every metric, over all cases and over each slice."""
    numbers: tuple[NumberMetric, ...] = ()
    """Every number, over all answers."""
    drops: tuple[MetricDrop, ...] = ()
    """The largest drops since the baseline, at most 5; the largest first."""
    gate: GateResult
    """The decision."""
    quarantine: tuple[Quarantined, ...] = ()
    """Cases in quarantine: they do not count."""
    quarantine_ended: tuple[Quarantined, ...] = ()
    """Quarantine entries whose last day is over: these cases count."""
    retired: tuple[Retired, ...] = ()
    """Retired cases of the baseline. They are not compared, and do not count as missing."""
    gate_changes: tuple[GateChange, ...] = ()
    """How the gate differs from the one that the baseline was approved with."""
