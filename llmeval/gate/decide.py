"""The decision of a run, by itself and compared with its baseline."""

from collections.abc import Sequence

from msgspec import structs

from llmeval.core.errors import ExitCode
from llmeval.core.manifest import Manifest, ShardRecord
from llmeval.core.results import GateResult, RuleDecision
from llmeval.gate.aggregate import RunAggregate
from llmeval.gate.attempts import attempts_of, when_alone_fails, when_spent
from llmeval.gate.holm import step_down
from llmeval.gate.rules.must_pass import must_pass_rules
from llmeval.gate.rules.regression import regression_rules
from llmeval.gate.rules.single_run import floor_rules, outcome, validity


def decide(tally: RunAggregate, manifest: Manifest, absent: Sequence[RuleDecision]) -> GateResult:
    """Apply the suite's gate to what was measured; see `single_run.outcome`. Floors and regression
    are one family of tests.

    `absent`: INVALID where answers that are needed are not there (`single_run.missing`, unless the
        run may have stopped there).
    """
    if shard := manifest.shard:
        return _part(shard, manifest, absent)
    if absent:  # a rule decided on a part of the cases would say something else than on all of them
        return outcome([*absent, *validity(tally, manifest)], manifest.gate.on_inconclusive)
    attempts = attempts_of(tally, manifest)
    now = attempts.manifest(manifest)
    alone = _alone(tally, manifest, now) if attempts.values else ()
    tally.earlier = attempts.values
    pooled = (*floor_rules(tally, now), *regression_rules(tally, now))
    asked = [when_spent(rule, attempts, manifest) for rule in pooled]
    if alone:
        asked = [when_alone_fails(*pair) for pair in zip(asked, alone, strict=True)]
    tested = step_down(asked, now.gate.alpha)
    rules = [*validity(tally, now), *must_pass_rules(tally, now), *tested]
    return _told(outcome(rules, now.gate.on_inconclusive), attempts.sentence(manifest))


def _alone(tally: RunAggregate, manifest: Manifest, now: Manifest) -> tuple[RuleDecision, ...]:
    """What the rules say on this run's answers alone, each at the whole error rates."""
    tally.earlier = ()
    rates = manifest.gate
    whole = structs.replace(now, gate=structs.replace(now.gate, alpha=rates.alpha, beta=rates.beta))
    rules = (*floor_rules(tally, whole), *regression_rules(tally, whole))
    return tuple(rule(rates.alpha) for rule in rules)


def _told(gate: GateResult, sentence: str) -> GateResult:
    """The decision with a sentence on its attempt, whatever it is."""
    if not sentence or gate.decision is None:
        return gate
    return structs.replace(
        gate, remarks=(*gate.remarks, sentence), reason=f"{gate.reason} {sentence}"
    )


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
