"""The decision of a run, by itself and compared with its baseline."""

import functools
from collections.abc import Sequence

from msgspec import structs

from llmeval.core.errors import ExitCode
from llmeval.core.manifest import Manifest, SelectionRecord, ShardRecord
from llmeval.core.results import Decision, GateResult, RuleDecision
from llmeval.gate.aggregate import RunAggregate
from llmeval.gate.attempts import attempts_of, when_alone_fails, when_spent
from llmeval.gate.holm import Rule, step_down
from llmeval.gate.rules.regression import regression_rules
from llmeval.gate.rules.single_run import fact_rules, outcome, rate_rules, validity


def decide(
    aggregate: RunAggregate, manifest: Manifest, absent: Sequence[RuleDecision]
) -> GateResult:
    """Apply the suite's gate to what was measured; see `single_run.outcome`. Floors, limits
    and regression are one family of tests.

    `absent`: INVALID where answers that are needed are not there (`single_run.missing`, unless the
        run may have stopped there).
    """
    if shard := manifest.shard:
        return _part(shard, manifest, absent)
    if selection := manifest.selection:
        return _selected(selection, aggregate, manifest, absent)
    if absent:  # a rule decided on a part of the cases would say something else than on all of them
        return outcome([*absent, *validity(aggregate, manifest)], manifest.gate.on_inconclusive)
    attempts = attempts_of(aggregate, manifest)
    now = attempts.manifest(manifest)
    share = attempts.number_share(manifest)
    pooled = _tests(aggregate.pooled_with(attempts.values, share), now)
    spent_rules = [when_spent(rule, attempts, manifest) for rule in pooled]
    if attempts.values:
        alone = functools.cache(lambda: _alone(aggregate, manifest, now))
        spent_rules = [
            when_alone_fails(rule, lambda number=number: alone()[number])  # type: ignore[misc]
            for number, rule in enumerate(spent_rules)
        ]
    tested = step_down(spent_rules, now.gate.alpha)
    rules = [*validity(aggregate, now), *fact_rules(aggregate, now), *tested]
    decided = outcome(rules, now.gate.on_inconclusive)
    return _with_remarks(decided, [attempts.sentence(manifest), aggregate.data.sentence])


def _alone(aggregate: RunAggregate, manifest: Manifest, now: Manifest) -> tuple[RuleDecision, ...]:
    """What the rules say on this run's answers alone, each at the whole error rates."""
    rates = manifest.gate
    whole = structs.replace(now, gate=structs.replace(now.gate, alpha=rates.alpha, beta=rates.beta))
    return tuple(rule(rates.alpha) for rule in _tests(aggregate, whole))


def _tests(aggregate: RunAggregate, manifest: Manifest) -> tuple[Rule, ...]:
    """Floors and regression, which share alpha as one family."""
    return (*rate_rules(aggregate, manifest), *regression_rules(aggregate, manifest))


def _with_remarks(gate: GateResult, sentences: Sequence[str]) -> GateResult:
    """The decision with sentences that stand beside it, whatever it is; empty ones are left out."""
    remarks = [sentence for sentence in sentences if sentence]
    if not remarks or gate.decision is None:
        return gate
    reason = " ".join([gate.reason, *remarks])
    return structs.replace(gate, remarks=(*gate.remarks, *remarks), reason=reason)


def _part(shard: ShardRecord, manifest: Manifest, absent: Sequence[RuleDecision]) -> GateResult:
    """A shard decides nothing: INVALID where answers are not there, else no decision, and how to
    come to one.
    """
    if absent:
        return outcome(absent, manifest.gate.on_inconclusive)
    return GateResult(
        decision=None,
        exit_code=ExitCode.PASS,
        reason=f"Shard {shard.index} of {shard.of} ran completely. A part decides nothing: "
        f"`llmeval merge` puts all {shard.of} together and decides.",
    )


def _selected(
    selection: SelectionRecord,
    aggregate: RunAggregate,
    manifest: Manifest,
    absent: Sequence[RuleDecision],
) -> GateResult:
    """A partial run never passes. INVALID where answers are not there, FAIL where a rule about
    single cases fails already, else INCONCLUSIVE with exit code 4, whatever `on_inconclusive` says.
    """
    counts = aggregate.counts()
    open_ = RuleDecision(
        rule="partial",
        decision=Decision.INCONCLUSIVE,
        reason=(
            f"Partial run: {selection.sentence} {counts.passed:,} of {counts.cases:,} passed. The"
            " gate needs the whole suite: run it without these options."
        ),
        on_inconclusive="fail",
    )
    gate = manifest.gate
    rules = (gate.must_pass, gate.never, gate.floors, gate.limits, gate.regression)
    if not absent and not any(rules):  # `gate: none` decides nothing about a whole run either
        passed = f"{counts.passed:,} of {counts.cases:,} passed"
        reason = f"Partial run: {selection.sentence} {passed}. No gate, so nothing is decided."
        return GateResult(decision=None, exit_code=ExitCode.PASS, reason=reason)
    own = [*absent, *validity(aggregate, manifest)]
    failing = [rule for rule in fact_rules(aggregate, manifest) if rule.decision is Decision.FAIL]
    return outcome([*own, *([] if absent else failing), open_], "fail")
