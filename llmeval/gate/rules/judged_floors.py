"""Floors on the human pass rate: a judge's pass rate, corrected for its errors by labels.

A judge's errors bias its pass rate, and adding cases does not remove the bias. Labels do: those of
this run, drawn at random, or those behind the judge's certificate. Which estimator is valid follows
from where they came from (`stats.estimation.correction`).
"""

import math
from collections.abc import Collection

from llmeval.core.formatting import cases_word, percent, percent_of, points
from llmeval.core.manifest import Manifest
from llmeval.core.results import REPRESENTATIVE, Decision, RuleDecision
from llmeval.gate.aggregate import MetricSample, RunAggregate
from llmeval.gate.rules.floors import (
    MISSING_DECIDE,
    MISSING_WORST,
    between,
    if_all,
    is_clustered,
    missing_in,
)
from llmeval.gate.rules.judge_arms import other_answers
from llmeval.gate.rules.label_evidence import LabelEvidence, bounds, label_counts
from llmeval.stats.estimation.bounds import Interval
from llmeval.stats.estimation.correction import FEW_LABELS, decision_bounds, estimate_rate
from llmeval.stats.estimation.label_counts import (
    LabelCounts,
    Provenance,
    RefusedEstimate,
    count_labels,
)
from llmeval.store.labels import AnswerKey


def evidence_for(
    aggregate: RunAggregate, manifest: Manifest, metric: str, slice_: tuple[str, str] | None
) -> LabelEvidence | None:
    """The labels to correct a judged metric by; None where there are none that may.

    Labels of this run come first, from 50 on. Those of the certificate are about the judge alone:
    not for a judge that is not trusted, nor for verdicts that a check gave in its place (`when:
    uncertain`). Where people decided some of the verdicts (`open` ones) neither holds: what they
    decided is right by definition, and no sample of the rest. Nor with
    repeats: a case passes with all of its answers, and how often a judge errs on one of several is
        not known.
    """
    judge = manifest.judges.get(metric)
    if judge is None or metric in aggregate.by_people or manifest.repeats > 1:
        return None
    own = _own_labels(aggregate, metric, slice_)
    if own.n >= FEW_LABELS and own.judge_pass and own.judge_fail:
        return _own_evidence(aggregate, metric, slice_, own)
    if judge.trust != "TRUSTED" or judge.when == "uncertain" or not judge.labels:
        return None
    plain, weighted = label_counts(judge.labels), judge.weighted
    others = other_answers(manifest, metric)
    return LabelEvidence(
        label_counts(weighted) if weighted else plain,
        Provenance.BANK,
        plain.n if weighted else None,
        others,
        manifest.gate.judge_shift if others else 0.0,
    )


def _own_labels(
    aggregate: RunAggregate, metric: str, slice_: tuple[str, str] | None
) -> LabelCounts:
    """What the judge and people said of answers of this run that were drawn at random."""
    votes = {
        place.case_id: verdict
        for place, verdict in aggregate.people.items()
        if place.metric == metric and place in aggregate.drawn
    }
    if not votes:
        return LabelCounts(0, 0, 0, 0)
    scored = (
        result for result in aggregate.results(metric, slice_) if not math.isnan(result.value)
    )
    both = [(result.passed, votes[result.case_id]) for result in scored if result.case_id in votes]
    return count_labels([judge for judge, _ in both], [person for _, person in both])


def _own_evidence(
    aggregate: RunAggregate, metric: str, slice_: tuple[str, str] | None, counts: LabelCounts
) -> LabelEvidence:
    """Labels of this run, with what reviewers left open on the drawn answers."""

    def cases(places: Collection[AnswerKey]) -> set[str]:
        return {each.case_id for each in places if each.metric == metric} & drawn

    drawn = {each.case_id for each in aggregate.drawn if each.metric == metric}
    undecided, revised = cases(aggregate.undecided), cases(aggregate.revised)
    judged = [
        result
        for result in aggregate.results(metric, slice_)
        if not math.isnan(result.value) and result.case_id in undecided | revised
    ]
    open_ = [result.passed for result in judged if result.case_id in undecided]
    return LabelEvidence(
        counts,
        Provenance.BY_VERDICT,
        open_passes=sum(open_),
        open_fails=len(open_) - sum(open_),
        revised=sum(result.case_id in revised - undecided for result in judged),
    )


def decide_judged_floor(
    metric: str,
    slice_: str | None,
    selection: MetricSample,
    floor: float,
    alpha: float,
    evidence: LabelEvidence,
    strict: float | None = None,
) -> RuleDecision | None:
    """A floor on people's pass rate, decided; None where these labels can't carry it.

    Args:
        metric, slice_: what it is about.
        selection: the judged cases.
        floor: the pass rate to clear, in [0, 1].
        alpha: largest probability of a wrong PASS, and of a wrong FAIL.
        evidence: the labels.
        strict: for FAIL instead of `alpha`, where there are more rules (`family.step_down`).
    """
    try:
        low, high = _at_worst(selection, evidence, alpha)
        if strict not in (None, alpha):
            high = _at_worst(selection, evidence, strict).high
        rate = _estimate(selection, evidence)
    except RefusedEstimate:
        return None
    decision = (
        Decision.PASS if low >= floor else Decision.FAIL if high < floor else Decision.INCONCLUSIVE
    )
    name = metric if slice_ is None else f"{metric} on {slice_}"
    level = (strict or alpha) if decision is Decision.FAIL else alpha
    missing = (
        f", {missing_in(selection):,} more are missing and may be right or wrong"
        if missing_in(selection)
        else ""
    )
    seen = (
        f"{name}: the judge passes {percent(selection.passed / selection.n)} ({selection.passed:,}"
        f" of {selection.n:,} {cases_word(selection.n)}){missing}; corrected by {evidence.shown},"
        f" people would pass {percent(rate)}"
    )
    hint = _hint(selection, evidence, floor, (alpha, strict or alpha))
    return RuleDecision(
        rule="floor",
        metric=metric,
        slice=slice_,
        decision=decision,
        estimate=rate,
        low=low,
        high=high,
        threshold=floor,
        reason=f"{seen}; {_follows(decision, low, high, floor, level, hint)}",
        level=1 - level,
        n=selection.n,
        assumptions=_assumptions(selection, evidence),
        tipping_point=(
            max(low - floor, floor - high) if decision is not Decision.INCONCLUSIVE else None
        ),
    )


def _estimate(selection: MetricSample, evidence: LabelEvidence) -> float:
    """The rate that people would pass; an answer without an agreed verdict counts halfway.

    Raises:
        RefusedEstimate: the labels can't carry it.
    """
    rates = [
        estimate_rate(
            evidence.counted(passes=passes), selection.passed, selection.n, evidence.provenance
        ).rate
        for passes in ((False, True) if evidence.undecided else (False,))
    ]
    return math.fsum(rates) / len(rates)


def _follows(
    decision: Decision, low: float, high: float, floor: float, alpha: float, hint: str
) -> str:
    sure, limit = f"at {percent_of(1 - alpha)} confidence", f"the floor is {percent(floor)}."
    if decision is Decision.PASS:
        return f"{sure} at least {percent(low)}, {limit}"
    if decision is Decision.FAIL:
        return f"{sure} at most {percent(high)}, {limit}"
    bounds = between(low, high, alpha, alpha)
    both = f"on both sides of the floor of {percent(floor)}"
    return f"the true rate may lie between {bounds}, {both}; {hint}."


def _at_worst(selection: MetricSample, evidence: LabelEvidence, alpha: float) -> Interval:
    """`bounds` where results are missing: as verdicts and as answers they may all be wrong, or all
    right.

    Raises:
        RefusedEstimate: the labels can't carry it.
    """
    scored = bounds(selection, evidence, alpha)
    if not missing_in(selection):
        return scored
    share = selection.n / (selection.n + missing_in(selection))
    low = bounds(if_all(selection, False), evidence, alpha).low
    high = bounds(if_all(selection, True), evidence, alpha).high
    return Interval(min(low, scored.low * share), max(high, scored.high * share + 1 - share))


def _hint(
    selection: MetricSample, evidence: LabelEvidence, floor: float, rates: tuple[float, float]
) -> str:
    """How many more labels or cases would decide if all stayed as it is, to the next power of
    two.
    """
    if missing_in(selection):
        low, high = (
            bounds(selection, evidence, rates[0]).low,
            bounds(selection, evidence, rates[1]).high,
        )
        if low >= floor or high < floor:
            return MISSING_DECIDE.format(f"{missing_in(selection):,}")
    if evidence.undecided:
        agreed = evidence._replace(open_passes=0, open_fails=0)
        low, high = (
            bounds(selection, agreed, rates[0]).low,
            bounds(selection, agreed, rates[1]).high,
        )
        if low >= floor or high < floor:
            return (
                f"the {evidence.undecided:,} answers without an agreed verdict decide: settle them"
                " (`llmeval review`, under *To decide*)"
            )
    if is_clustered(selection):
        return "more clusters or more labels would tell"
    hints = []
    labels, n = evidence.counts, selection.n
    for times in (2, 4, 8, 16):
        most = LabelCounts(*(times * count for count in labels))
        within = evidence.provenance is Provenance.BANK or times * evidence.n <= n
        if within and _decides(most, selection.passed, n, evidence.provenance, floor, rates):
            hints.append(f"about {(times - 1) * evidence.n:,} more labels like these")
            break
    for times in (2, 4, 8, 16):
        if _decides(labels, times * selection.passed, times * n, evidence.provenance, floor, rates):
            hints.append(f"about {(times - 1) * n:,} more cases like these")
            break
    return (
        f"{' or '.join(hints)} may decide"
        if hints
        else "the rate is too close to decide by more labels or cases"
    )


def _decides(
    labels: LabelCounts,
    passed: int,
    n: int,
    provenance: Provenance,
    floor: float,
    rates: tuple[float, float],
) -> bool:
    """`rates`: of a wrong PASS, and of a wrong FAIL."""
    try:
        low, high = (decision_bounds(labels, passed, n, provenance, rate) for rate in rates)
    except (RefusedEstimate, ValueError):
        return False
    return low.low >= floor or high.high < floor


def _to_within(evidence: LabelEvidence) -> str:
    return f", to within {points(evidence.shift)} (`judge_shift`)" if evidence.others else ""


def _assumptions(selection: MetricSample, evidence: LabelEvidence) -> tuple[str, ...]:
    assumptions = [
        (
            f"the {max(selection.clusters) + 1:,} clusters are independent of each other"
            if is_clustered(selection)
            else "cases are independent of each other"
        ),
        REPRESENTATIVE,
    ]
    if evidence.provenance is Provenance.BANK:
        assumptions.append(
            "the judge is as often right on these answers as on the labelled ones of its"
            f" certificate{_to_within(evidence)}"
        )
    else:
        assumptions.append(
            "the labelled answers were drawn at random within each verdict, and their labels are"
            " right"
        )
    if missing_in(selection):
        assumptions.append(MISSING_WORST)
    return tuple(assumptions)
