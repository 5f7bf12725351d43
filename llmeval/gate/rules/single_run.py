"""The rules that need only the run itself: validity, `must_pass`, `never`, floors and limits."""

from collections.abc import Sequence
from functools import partial

from msgspec import structs

from llmeval.core.errors import ExitCode
from llmeval.core.formatting import percent
from llmeval.core.manifest import Manifest
from llmeval.core.metric_ref import parse_metric_ref, slice_label
from llmeval.core.results import Decision, GateResult, RuleDecision
from llmeval.gate.aggregate import CASES, RunAggregate
from llmeval.gate.holm import Rule, step_down
from llmeval.gate.rules.floors import decide_floor
from llmeval.gate.rules.judged_floors import decide_judged_floor, evidence_for
from llmeval.gate.rules.limits import limit_rules
from llmeval.gate.rules.must_pass import must_pass_rules, untrusted_judge
from llmeval.gate.rules.never import never_rules
from llmeval.gate.rules.pooled import PooledFloor, pool_of, pooled_floor
from llmeval.gate.rules.sequential import decides_early, early_floor, is_judged
from llmeval.gate.rules.threshold import (
    Threshold,
    distrust_of,
    floors_in,
    own_scale_note,
    uncorrected_note,
)

NO_GATE = "no gate: nothing was decided"
"""What every output says of a run with `gate: none`."""
_ENDING_SHOWN = 400
"""Characters of the reason that ended a run."""
_ON_INCONCLUSIVE = {"fail": ExitCode.INCONCLUSIVE, "warn": ExitCode.PASS, "pass": ExitCode.PASS}
_EXIT = {
    Decision.PASS: ExitCode.PASS,
    Decision.FAIL: ExitCode.GATE_FAILED,
    Decision.INVALID: ExitCode.INVALID,
}


def own_rules(aggregate: RunAggregate, manifest: Manifest) -> list[RuleDecision]:
    """Validity, `must_pass`, `never`, floors and limits. Whether all answers are there is for
    `missing` to say.
    """
    rates = step_down(rate_rules(aggregate, manifest), manifest.gate.alpha)
    return [*validity(aggregate, manifest), *fact_rules(aggregate, manifest), *rates]


def fact_rules(aggregate: RunAggregate, manifest: Manifest) -> list[RuleDecision]:
    """The rules that decide without statistics."""
    return [*must_pass_rules(aggregate, manifest), *never_rules(aggregate, manifest)]


_ENDINGS = {
    "budget": "The run stopped at its budget",
    "outage": "The run stopped because calls no longer got an answer",
    "quota": "The run stopped because a quota is used up",
}


def missing(aggregate: RunAggregate, manifest: Manifest) -> list[RuleDecision]:
    """INVALID where answers or scores are not there, or the run did not come to its end; nothing
    otherwise.

    A run that was killed after its last score is not complete either: its judges' attacks and
    anchors were not tried.
    """
    expected = manifest.cases.n * manifest.repeats
    ended = manifest.status == "complete"
    if ended and not aggregate.waiting and aggregate.units >= expected:
        return []
    there = aggregate.units + (aggregate.waiting if aggregate.may_stop else 0)
    waiting = f", {aggregate.waiting:,} of them not scored yet" if aggregate.waiting else ""
    if errors := aggregate.counts().errors:
        waiting += f" ({errors:,} {'case' if errors == 1 else 'cases'} with errors)"
    if ended:
        return [
            _invalid(
                "complete",
                f"Only {there:,} of {expected:,} answers are there{waiting}: incomplete.",
            )
        ]
    ending, why = manifest.ending or "", manifest.ending_reason
    how = _ENDINGS.get(ending, "The run was interrupted")
    because = f" {why[:_ENDING_SHOWN].rstrip('.')}." if why and ending in _ENDINGS else ""
    return [
        _invalid(
            "complete", f"{how}: {there:,} of {expected:,} answers are there{waiting}.{because}"
        )
    ]


def outcome(rules: Sequence[RuleDecision], on_inconclusive: str) -> GateResult:
    """What rules come to together.

    INVALID before everything (a run with too much missing measures something else), then FAIL, then
    INCONCLUSIVE. Without any rule (`gate: none`) the decision is None.
    """
    decisions = {rule.decision for rule in rules}
    for decision in (Decision.INVALID, Decision.FAIL, Decision.INCONCLUSIVE, Decision.PASS):
        if decision in decisions:
            break
    else:
        return GateResult(decision=None, exit_code=ExitCode.PASS, reason=NO_GATE)
    inconclusive = decision is Decision.INCONCLUSIVE
    code = _code(rules, on_inconclusive) if inconclusive else _EXIT[decision]
    first = next(rule for rule in rules if rule.decision is decision)
    reason = (
        first.reason
        if decision is not Decision.PASS or len(rules) == 1
        else f"All {len(rules)} rules hold."
    )
    return GateResult(decision=decision, exit_code=code, rules=tuple(rules), reason=reason)


def _code(rules: Sequence[RuleDecision], on_inconclusive: str) -> ExitCode:
    """The exit code of a run whose worst rules are INCONCLUSIVE: each rule may state its own."""
    return max(
        _ON_INCONCLUSIVE[rule.on_inconclusive or on_inconclusive]
        for rule in rules
        if rule.decision is Decision.INCONCLUSIVE
    )


def validity(aggregate: RunAggregate, manifest: Manifest) -> list[RuleDecision]:
    """Reasons why the run measures something else than it was asked to. Nothing here when all is
    well.
    """
    counts, invalid = aggregate.counts(), []
    for metric, tried in aggregate.attacks.items():
        fell = [name for name, passed in tried.items() if passed]
        if fell:
            message = (
                f"The judge of {metric} is open to prompt injection: it passed {len(fell)} of"
                f" {len(tried)} known attacks"
            )
            invalid.append(
                _invalid(
                    "attacks",
                    f"{message} ({', '.join(fell[:5])}{', ...' if len(fell) > 5 else ''});"
                    " judge_probes.jsonl lists them.",
                )
            )
        missing = sum(passed is None for passed in tried.values())
        if 2 * missing > len(tried):
            message = (
                f"{missing} of {len(tried)} known attacks on the judge of {metric} got no answer:"
                " whether it withstands them"
            )
            invalid.append(_invalid("attacks", f"{message} is not known."))
    limit = manifest.gate.max_unscored
    missing = counts.errors + counts.unscored
    if counts.cases and missing / counts.cases > limit:
        parts = []
        if counts.errors:
            parts.append(f"{counts.errors:,} with errors")
        if counts.unscored:
            parts.append(f"{counts.unscored:,} without a usable verdict")
        invalid.append(
            _invalid(
                "max_unscored",
                f"{percent(missing / counts.cases)} of the cases are missing ({', '.join(parts)}); "
                f"at most {percent(limit)} may be (`max_unscored`).{_cause(aggregate, manifest)}",
                estimate=missing / counts.cases,
                threshold=limit,
            )
        )
    return invalid


def _cause(aggregate: RunAggregate, manifest: Manifest) -> str:
    """The commonest cause; empty where the reason that ended the run has stated it already."""
    stated = (manifest.ending_reason or "")[:_ENDING_SHOWN]
    return (
        ""
        if aggregate.causes.commonest and aggregate.causes.commonest in stated
        else aggregate.causes.sentence
    )


def _invalid(
    rule: str, reason: str, *, estimate: float | None = None, threshold: float | None = None
) -> RuleDecision:
    return RuleDecision(
        rule=rule,
        decision=Decision.INVALID,
        reason=reason,
        estimate=estimate,
        threshold=threshold,
    )


def rate_rules(aggregate: RunAggregate, manifest: Manifest) -> list[Rule]:
    """The gate's floors and limits, each to be decided at a level."""
    floors = [
        partial(_floor, aggregate, manifest, key, floor)
        for key, floor in floors_in(manifest.gate.floors).items()
    ]
    return [*floors, *limit_rules(aggregate, manifest)]


def _floor(
    aggregate: RunAggregate, manifest: Manifest, key: str, floor: Threshold, level: float
) -> RuleDecision:
    decided = _decided_floor(aggregate, manifest, key, floor, level)
    return structs.replace(decided, on_inconclusive=floor.on_inconclusive)


def _decided_floor(
    aggregate: RunAggregate, manifest: Manifest, key: str, floor: Threshold, level: float
) -> RuleDecision:
    """One floor: before the end where the run may stop, on people's scale where labels carry it,
    else as judged.
    """
    metric, slice_ = parse_metric_ref(key)
    name = None if slice_ is None else slice_label(slice_)
    gate, own = manifest.gate, floor.judge_scale
    note = own_scale_note(manifest, metric) if own else ""
    if decides_early(manifest, metric, floor):
        early = early_floor(aggregate, gate, key, floor.value, level, note)
        if early is not None:
            return structs.replace(early, judge_scale=own)
    selection = aggregate.select(metric, slice_)
    if (
        aggregate.earlier
        and not selection.needs_review
        and (own or not is_judged(manifest, metric))
    ):
        attempts = len(aggregate.earlier) + 1
        pooled_terms = PooledFloor(metric, slice_, floor.value, gate.alpha, level, attempts)
        pooled = pooled_floor(
            aggregate, pooled_terms, pool_of(aggregate.earlier, metric, passed=True)
        )
        if pooled is not None:
            return structs.replace(pooled, judge_scale=own, reason=pooled.reason + note)
    if not own and selection.n and not selection.needs_review:
        evidence = evidence_for(aggregate, manifest, metric, slice_)
        args = (metric, name, selection, floor.value, gate.alpha)
        corrected = None if evidence is None else decide_judged_floor(*args, evidence, level)
        if corrected is not None:
            return corrected
    untrusted = None if own else distrust_of(manifest, metric)
    if metric == CASES and not own and (judge := untrusted_judge(aggregate, manifest)) is not None:
        untrusted = f"for {judge[0]}, {judge[1]}"
    plain = not own and untrusted is None and metric in manifest.judges
    if plain and selection.n:
        note = uncorrected_note(manifest, metric)
    decided = decide_floor(metric, name, selection, floor.value, gate.alpha, untrusted, level, note)
    return structs.replace(decided, judge_scale=own or plain)
