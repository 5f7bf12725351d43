"""The rule `never`: no answer fails a metric, such as `not tool_call` of a tool that must not be
called.

It states facts about the answers of this run, so it has no error rate. FAIL where one answer fails;
else INVALID where the metric never ran, or a result is missing, as the missing answer may be the
one; else INCONCLUSIVE where a person has to decide, or an untrusted judge alone fails it; else
PASS. Quarantined cases don't count.
"""

import math
from dataclasses import dataclass, field

from llmeval.core.manifest import Manifest
from llmeval.core.metric_ref import Slice, parse_metric_ref, slice_label
from llmeval.core.records import Status
from llmeval.core.results import Decision, RuleDecision
from llmeval.core.rule_keys import expand_key
from llmeval.gate.aggregate import RunAggregate
from llmeval.gate.rules.expand import metrics_of, slices_of
from llmeval.gate.rules.must_pass import ASK_AGAIN, list_names

RULE = "never"


@dataclass
class _Cases:
    """The cases that the rule applies to, by result."""

    failed: list[str] = field(default_factory=list)
    doubtful: list[str] = field(default_factory=list)
    """Failed by an untrusted judge."""
    missing: list[str] = field(default_factory=list)
    review: list[str] = field(default_factory=list)
    n: int = 0


def never_rules(aggregate: RunAggregate, manifest: Manifest) -> list[RuleDecision]:
    """The rules decided, one for each key."""
    return [_decided(aggregate, manifest, key) for key in manifest.gate.never]


def _decided(aggregate: RunAggregate, manifest: Manifest, key: str) -> RuleDecision:
    metric, where = parse_metric_ref(key)
    metrics = metrics_of(aggregate, manifest)
    cases = _Cases()
    rules = [
        rule for rule in expand_key(key, metrics, slices_of(aggregate)) if rule.name in metrics
    ]
    for rule in rules:
        _add(cases, aggregate, rule.name, rule.slice_, metric != rule.name, manifest.untrusted)
    decision, reason = _outcome(cases, key, bool(rules))
    of = manifest.sampled_of
    if decision is Decision.PASS and of is not None:
        reason += f" A sample of {manifest.cases.n:,} of {of:,} cases was sent."
    return RuleDecision(
        rule=RULE,
        metric=metric,
        slice=None if where is None else slice_label(where),
        decision=decision,
        n=cases.n,
        reason=reason,
    )


def _add(
    cases: _Cases,
    aggregate: RunAggregate,
    metric: str,
    where: Slice | None,
    several: bool,
    untrusted: frozenset[str],
) -> None:
    column = aggregate.columns.get(metric)
    for result in aggregate.results(metric, where):
        cases.n += 1
        row, seen, _ = aggregate.place(result.case_id)
        notes = [metric] if several else []
        if aggregate.numbers.failures(row, seen):
            notes.append("no answer")
        name = f"{result.case_id} ({', '.join(notes)})" if notes else result.case_id
        status = None if column is None or row >= len(column) else column.status(row)
        if status is Status.NEEDS_REVIEW:
            cases.review.append(name)
        elif math.isnan(result.value):
            cases.missing.append(name)
        elif not result.passed:
            (cases.doubtful if metric in untrusted else cases.failed).append(name)


def _outcome(cases: _Cases, key: str, exists: bool) -> tuple[Decision, str]:
    if not exists:
        return Decision.INVALID, f"never {key}: no check or judge of this run has this metric."
    if not cases.n:
        return (
            Decision.INVALID,
            f"never {key}: it applied to no case of this run, so nothing shows that it holds.",
        )
    of = f"{cases.n:,} {'case' if cases.n == 1 else 'cases'}"
    missing = f"no result for {len(cases.missing):,} of {of} ({list_names(cases.missing)})"
    if cases.failed:
        also = f"; {missing}" if cases.missing else ""
        verb = "fails" if len(cases.failed) == 1 else "fail"
        sentence = f"{len(cases.failed):,} of {of} {verb} it: {list_names(cases.failed)}{also}."
        return Decision.FAIL, f"never {key}: {sentence}"
    if cases.missing:
        return (
            Decision.INVALID,
            f"never {key} can't be decided: {missing}, and each may be one; {ASK_AGAIN}.",
        )
    if cases.review or cases.doubtful:
        return Decision.INCONCLUSIVE, f"never {key} can't be decided: {_open(cases, of)}."
    return Decision.PASS, f"never {key}: none of {of} fails it."


def _open(cases: _Cases, of: str) -> str:
    parts = []
    if cases.doubtful:
        parts.append(
            f"{len(cases.doubtful):,} of {of} fail by an UNTRUSTED judge alone"
            f" ({list_names(cases.doubtful)}); `llmeval judge certify` measures it on labels"
        )
    if cases.review:
        parts.append(
            f"{len(cases.review):,} of {of} need review (`llmeval review`):"
            f" {list_names(cases.review)}"
        )
    return "; ".join(parts)
