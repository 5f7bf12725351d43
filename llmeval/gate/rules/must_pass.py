"""The rule `must_pass`: each of its cases passes, in every repeat.

It states facts about named cases, so it has no error rate. FAIL where a case fails; else INVALID
where one has no result, as a missing result is never a pass; else INCONCLUSIVE where one was not
asked, needs review, or rests on an untrusted judge; else PASS. A case that only untrusted judges
fail does not make the rule FAIL: nobody knows how often they are wrong. Quarantined cases don't
count.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from llmeval.core.formatting import cases_word
from llmeval.core.gate_record import MustPass
from llmeval.core.manifest import Manifest
from llmeval.core.metric_ref import named_metric, slice_label
from llmeval.core.outcome import Outcome
from llmeval.core.results import Decision, RuleDecision
from llmeval.gate.aggregate import RunAggregate

RULE = "must_pass"
MAX_NAMED = 10
ASK_AGAIN = (
    "the same command with --out and this run's directory asks again for answers that ended in an"
    " error"
)


@dataclass
class RuleCases:
    """The cases of the rule by outcome; `failed`, `doubtful` and `missing` as (id, metric or
    outcome).
    """

    failed: list[tuple[str, str]] = field(default_factory=list)
    missing: list[tuple[str, str]] = field(default_factory=list)
    doubtful: list[tuple[str, str]] = field(default_factory=list)
    """Failed by untrusted judges alone."""
    review: list[str] = field(default_factory=list)
    not_asked: list[str] = field(default_factory=list)
    quarantined: list[str] = field(default_factory=list)
    passed: int = 0

    @property
    def n(self) -> int:
        """How many there are, those in quarantine left out."""
        lists = (self.failed, self.doubtful, self.missing, self.review, self.not_asked)
        return self.passed + sum(len(names) for names in lists)


def must_pass_rules(aggregate: RunAggregate, manifest: Manifest) -> list[RuleDecision]:
    """The rule decided; nothing where the gate has none."""
    must_pass = manifest.gate.must_pass
    if not must_pass:
        return []
    cases = _cases(aggregate, must_pass, manifest.untrusted)
    decision, reason = _decided(cases, must_pass, untrusted_judge(aggregate, manifest))
    if cases.missing and not _too_many_missing(
        aggregate, manifest
    ):  # else `max_unscored` states the cause
        reason += aggregate.causes.sentence
    of = manifest.sampled_of
    if decision is Decision.PASS and not isinstance(must_pass, list) and of is not None:
        reason += f" A sample of {manifest.cases.n:,} of {of:,} {cases_word(of)} ran."
    if cases.quarantined:
        reason += f" In quarantine, so not counted: {list_names(cases.quarantined)}."
    where = _tag(must_pass)
    n = cases.n - len(cases.not_asked)
    rate = cases.passed / n if n else None
    return [
        RuleDecision(
            rule=RULE,
            slice=None if where is None else slice_label(where),
            decision=decision,
            estimate=rate,
            n=cases.n,
            reason=reason,
        )
    ]


class MustPassWalk:
    """The rule in a run that may stop early: settled at the first failing case, or at the last
    case.

    Cases are taken in the planned order, as far as all before them are done: a look costs little.
    """

    def __init__(
        self, aggregate: RunAggregate, must_pass: MustPass, untrusted: frozenset[str]
    ) -> None:
        self._aggregate, self._untrusted = aggregate, untrusted
        planned = [name for group in aggregate.planned(_tag(must_pass)) for name in group]
        chosen = set(must_pass) if isinstance(must_pass, list) else set(planned)
        self._names = [name for name in planned if name in chosen]
        self._at = 0
        self._failed = False

    @property
    def planned(self) -> int:
        """How many cases it is about."""
        return len(self._names)

    @property
    def settled(self) -> bool:
        """Whether more cases would change nothing."""
        return self._failed or self._at == len(self._names)

    def advance(self) -> None:
        """Take the cases that are done."""
        while not self.settled and self._aggregate.done(self._names[self._at]):
            became = self._aggregate.outcome(self._names[self._at])
            self._failed = became is not None and _fails(became, self._untrusted)
            self._at += 1


def _too_many_missing(aggregate: RunAggregate, manifest: Manifest) -> bool:
    counts, limit = aggregate.counts(), float(manifest.gate.max_unscored)
    return bool(counts.cases) and (counts.errors + counts.unscored) / counts.cases > limit


def _fails(became: tuple[Outcome, Sequence[str]], untrusted: frozenset[str]) -> bool:
    """Whether a case fails, and not by the word of untrusted judges alone."""
    outcome, metrics = became
    return outcome is Outcome.FAIL and not (metrics and untrusted.issuperset(metrics))


def untrusted_judge(aggregate: RunAggregate, manifest: Manifest) -> tuple[str, str] | None:
    """The metric of the first judge of this run that is not trusted, and why; None where all
    are.
    """
    for metric, judge in manifest.judges.items():
        if metric in aggregate.columns and judge.trust != "TRUSTED":
            return metric, judge.trust_reason
    return None


def _tag(must_pass: MustPass) -> tuple[str, str] | None:
    return next(iter(must_pass.items())) if isinstance(must_pass, dict) else None


def _cases(aggregate: RunAggregate, must_pass: MustPass, untrusted: frozenset[str]) -> RuleCases:
    """`must_pass`: `all`, ids, or one tag and its value."""
    rule_cases, where = RuleCases(), _tag(must_pass)
    if not isinstance(must_pass, list):
        rule_cases.quarantined = aggregate.set_aside(where)
        names: Iterable[str] = sorted(name for group in aggregate.planned(where) for name in group)
    else:
        rule_cases.quarantined = [name for name in must_pass if name in aggregate.quarantined]
        names = [name for name in must_pass if name not in aggregate.quarantined]
    for name in names:
        became = aggregate.outcome(name)
        if became is None or not aggregate.done(name):
            rule_cases.not_asked.append(name)
            continue
        outcome, metrics = became
        named = (name, named_metric(metrics) if metrics else str(outcome))
        if outcome.missing:
            rule_cases.missing.append(named)
        elif outcome is Outcome.FAIL:
            (rule_cases.failed if _fails(became, untrusted) else rule_cases.doubtful).append(named)
        elif outcome is Outcome.NEEDS_REVIEW:
            rule_cases.review.append(name)
        else:
            rule_cases.passed += 1
    return rule_cases


def _decided(
    cases: RuleCases, must_pass: MustPass, untrusted: tuple[str, str] | None
) -> tuple[Decision, str]:
    of = f"{cases.n:,} {'case' if cases.n == 1 else 'cases'}" + _which(must_pass)
    if not cases.n:
        return (
            Decision.INVALID,
            f"must_pass: no case counts{_which(must_pass)}, so nothing can be decided.",
        )
    if cases.failed:
        rest = [_missing(cases)] if cases.missing else []
        rest += [f"{len(cases.not_asked):,} not asked in this run"] if cases.not_asked else []
        verb = "fails" if len(cases.failed) == 1 else "fail"
        sentence = f"{len(cases.failed):,} of {of} {verb}: {_named(cases.failed)}"
        return Decision.FAIL, "; ".join([sentence, *rest]) + "."
    if cases.missing:
        return (
            Decision.INVALID,
            f"must_pass can't be decided: {_missing(cases)}, of {of}; {ASK_AGAIN}.",
        )
    if cases.not_asked:
        return (
            Decision.INCONCLUSIVE,
            (
                f"must_pass can't be decided: {len(cases.not_asked):,} of {of}"
                f" {_were(cases.not_asked)} not asked in this run: {list_names(cases.not_asked)}."
            ),
        )
    if cases.review:
        return (
            Decision.INCONCLUSIVE,
            (
                f"must_pass can't be decided: {len(cases.review):,} of {of} need review (`llmeval"
                f" review`): {list_names(cases.review)}."
            ),
        )
    passes = f"The {of} passes." if cases.n == 1 else f"All {of} pass."
    if cases.doubtful:
        passes = f"{len(cases.doubtful):,} of {of} fail by a judge alone: {_named(cases.doubtful)}."
    if untrusted is not None:
        return (
            Decision.INCONCLUSIVE,
            (
                f"{passes} But the judge of {untrusted[0]} is UNTRUSTED: {untrusted[1]}. An"
                " untrusted judge decides no rule: `llmeval judge certify` measures it on labels;"
                " `on_inconclusive: warn` exits with 0 until then."
            ),
        )
    return Decision.PASS, passes


def _were(cases: Sequence[str]) -> str:
    return "was" if len(cases) == 1 else "were"


def _which(must_pass: MustPass) -> str:
    where = _tag(must_pass)
    if where is not None:
        return f" with {'='.join(where)}"
    return "" if must_pass == "all" else " that must pass"


def _missing(cases: RuleCases) -> str:
    return f"no result for {len(cases.missing):,} ({_named(cases.missing)})"


def _named(cases: Sequence[tuple[str, str]]) -> str:
    return list_names([f"{name} ({why})" for name, why in cases])


def list_names(names: Sequence[str]) -> str:
    """At most `MAX_NAMED` names, and how many more there are."""
    more = len(names) - MAX_NAMED
    return ", ".join(names[:MAX_NAMED]) + (f" and {more:,} more" if more > 0 else "")
