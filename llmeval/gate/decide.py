"""The run's decision: is it valid, and what do its rules say?"""

from collections.abc import Mapping
from typing import Any

from llmeval.errors import ExitCode
from llmeval.gate.floors import decide_floor, parse_key, percent
from llmeval.gate.tally import Tally
from llmeval.records import Counts, Decision, Gate, RuleDecision

_ON_INCONCLUSIVE = {"fail": ExitCode.INCONCLUSIVE, "warn": ExitCode.PASS, "pass": ExitCode.PASS}
_EXIT = {
    Decision.PASS: ExitCode.PASS,
    Decision.FAIL: ExitCode.GATE_FAILED,
    Decision.INVALID: ExitCode.INVALID,
}


def decide(tally: Tally, manifest: Mapping[str, Any], *, compare: bool = True) -> Gate:
    """Apply the suite's gate to what was measured.

    INVALID before everything (a run that lost too much measures something else), then FAIL, then INCONCLUSIVE.
    Without any rule the decision of a valid run is None: nothing was asked to be decided. `compare`: with the baseline.
    """
    gate: Mapping[str, Any] = manifest["gate"]
    counts = tally.counts()
    rules = [*_validity(tally, counts, manifest), *_floors(tally, manifest)]
    if compare:
        from llmeval.gate.regression import decide_regression  # the baseline is decided on by this module too

        rules += decide_regression(tally, manifest)
    decisions = {rule.decision for rule in rules}
    for decision in (Decision.INVALID, Decision.FAIL, Decision.INCONCLUSIVE, Decision.PASS):
        if decision in decisions:
            break
    else:
        return Gate(decision=None, exit_code=ExitCode.PASS, reason="The suite's gate has no rule: nothing was decided.")
    code = _ON_INCONCLUSIVE[gate["on_inconclusive"]] if decision is Decision.INCONCLUSIVE else _EXIT[decision]
    first = next(rule for rule in rules if rule.decision is decision)
    reason = first.reason if decision is not Decision.PASS else f"All {len(rules)} rules hold."
    if decision is Decision.PASS and len(rules) == 1:
        reason = first.reason
    return Gate(decision=decision, exit_code=code, rules=tuple(rules), reason=reason)


def _validity(tally: Tally, counts: Counts, manifest: Mapping[str, Any]) -> list[RuleDecision]:
    """Reasons why the run measures something else than it was asked to. Nothing here when all is well."""
    expected = manifest["cases"]["n"] * manifest["repeats"]
    invalid = []
    if tally.units < expected:
        invalid.append(_invalid("complete", f"Only {tally.units:,} of {expected:,} answers are there: incomplete."))
    for metric, tried in tally.attacks.items():
        fell = [name for name, passed in tried.items() if passed]
        if fell:
            told = f"The judge of {metric} can be talked into a pass: {len(fell)} of {len(tried)} known attacks passed"
            invalid.append(
                _invalid(
                    "attacks",
                    f"{told} ({', '.join(fell[:5])}{', ...' if len(fell) > 5 else ''}); canaries.jsonl has them.",
                )
            )
    limit = manifest["gate"]["max_unscored"]
    lost = counts.errors + counts.unscored
    if counts.cases and lost / counts.cases > limit:
        parts = []
        if counts.errors:
            parts.append(f"{counts.errors:,} with errors")
        if counts.unscored:
            parts.append(f"{counts.unscored:,} without a usable verdict")
        invalid.append(
            _invalid(
                "max_unscored",
                f"{percent(lost / counts.cases)} of the cases were lost ({', '.join(parts)}); at most {percent(limit)} may be.",
                estimate=lost / counts.cases,
                threshold=limit,
            )
        )
    return invalid


def _invalid(rule: str, reason: str, **numbers: float) -> RuleDecision:
    return RuleDecision(rule=rule, decision=Decision.INVALID, reason=reason, **numbers)  # type: ignore[arg-type]


def _floors(tally: Tally, manifest: Mapping[str, Any]) -> list[RuleDecision]:
    rules = []
    for key, floor in manifest["gate"]["floors"].items():
        metric, slice_ = parse_key(key)
        judge = manifest["judges"].get(metric)
        untrusted = judge["trust_reason"] if judge is not None and judge["trust"] != "TRUSTED" else None
        selection = tally.select(metric, slice_)
        name = None if slice_ is None else "=".join(slice_)
        rules.append(decide_floor(metric, name, selection, floor, manifest["gate"]["alpha"], untrusted))
    return rules
