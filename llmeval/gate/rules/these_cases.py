"""Regression about these very cases (`gate.about: these_cases`): a few cases made by hand are all
that matters, and chance lies only in the answers.

FAIL where a case passes less often than in the baseline, or where the cases together do: each of
the two tests has half of the level (`stats.tests.fixed_cases`). PASS where the mean over these
cases fell by less than the margin for sure, and no case broke. Repeats carry both: with one answer
a case nothing can be told from chance.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llmeval.core.attempt import AttemptValues
from llmeval.core.baseline_lock import BaselineLock
from llmeval.core.formatting import percent_of
from llmeval.core.gate_record import GateRecord
from llmeval.core.results import Decision, RuleDecision
from llmeval.gate.aggregate import RunAggregate
from llmeval.gate.pairs import PairedCases
from llmeval.gate.rules.release import compared_with
from llmeval.gate.rules.threshold import UNTRUSTED
from llmeval.stats.tests.fixed_cases import (
    CaseRepeats,
    broken,
    fisher_fell,
    mean_change_bounds,
    p_no_case_fell,
)

if TYPE_CHECKING:
    from llmeval.gate.rules.regression_rule import RegressionRule

_WHOLE = 1e-4
"""A number of passes may differ from a whole one by so much: means are kept to six digits."""
_NAMED = 5
_MOST_REPEATS = 50


@dataclass(frozen=True)
class FixedCasesTest:
    """One rule with its data."""

    name: str
    metric: str
    slice_: str | None
    margin: float
    baseline: str
    """The run id of the baseline."""
    alpha: float
    beta: float
    cases: dict[str, CaseRepeats]
    """By id, the pairs without a missing result."""
    missing: int
    """Pairs with a missing result."""
    undecidable: str | None = None
    """Why the judge's verdicts can't decide it; None where they can, and for checks."""
    judge_scale: bool = False
    note: str = ""
    kind: str = "regression"
    """The rule's name in records."""

    def decided(self, level: float) -> RuleDecision:
        """The decision. `level`: of its FAIL, where all rules together have alpha."""
        counts, names = list(self.cases.values()), list(self.cases)
        which = [names[number] for number in broken(counts, level / 2)]
        fell = bool(which) or p_no_case_fell(counts) <= level / 2
        estimate, low, high = self._change(counts)
        decision = Decision.INCONCLUSIVE
        if self.undecidable is None and fell:
            decision = Decision.FAIL
        elif self.undecidable is None and low >= -self.margin:
            decision = Decision.PASS
        return RuleDecision(
            rule=self.kind,
            metric=self.metric,
            slice=self.slice_,
            decision=decision,
            estimate=estimate,
            low=low,
            high=high,
            threshold=self.margin,
            baseline=self.baseline,
            reason=self._reason(decision, which, (estimate, low, high), level),
            level=1 - (level if decision is Decision.FAIL else self.beta),
            n=len(counts) + self.missing,
            assumptions=(
                "the claim is about these cases alone",
                "the answers to one case are independent of each other",
            ),
            fell=tuple([*which, *(name for name in self._fallen() if name not in which)][:10]),
            judge_scale=self.judge_scale,
        )

    def _change(self, counts: list[CaseRepeats]) -> tuple[float, float, float]:
        """The change of the mean, and its bounds; a missing result is the worst for each."""
        first = counts[0]
        size, now = first.before_of, first.now_of
        worst = [CaseRepeats(size, size, 0, now)] * self.missing
        best = [CaseRepeats(0, size, now, now)] * self.missing
        estimate, _ = mean_change_bounds(counts, self.alpha, self.beta)
        low = mean_change_bounds([*counts, *worst], self.alpha, self.beta)[1].low
        high = mean_change_bounds([*counts, *best], self.alpha, self.beta)[1].high
        return estimate, low, high

    def _fallen(self) -> list[str]:
        """The cases with fewer passes than before, the clearest first."""
        fallen = [
            (fisher_fell(case), name)
            for name, case in self.cases.items()
            if case.now * case.before_of < case.before * case.now_of
        ]
        return [name for _, name in sorted(fallen)]

    def _reason(
        self,
        decision: Decision,
        which: list[str],
        change: tuple[float, float, float],
        level: float,
    ) -> str:
        first = next(iter(self.cases.values()))
        estimate, low, high = (100 * value for value in change)
        moved = (
            "did not move"
            if abs(estimate) < 0.05
            else (f"{'rose' if estimate > 0 else 'fell'} by {abs(estimate):.1f} points")
        )
        missing = f", {self.missing} more with a missing result" if self.missing else ""
        seen = (
            f"{self.name} {moved} ({percent_of(1 - self.beta)} bounds {low:+.1f} to {high:+.1f}) on"
            f" these {len(self.cases):,} cases{missing}, {first.before_of} answers each before and"
            f" {first.now_of} now; the margin is {100 * self.margin:.1f} points."
        )
        return f"{seen}{self._follows(decision, which, level)}{self.note}"

    def _follows(self, decision: Decision, which: list[str], level: float) -> str:
        sure, against = percent_of(1 - level), compared_with(self.kind)
        if decision is Decision.FAIL and which:
            listed = ", ".join(f"{name} ({_counts(self.cases[name])})" for name in which[:_NAMED])
            more = f" and {len(which) - _NAMED:,} more" if len(which) > _NAMED else ""
            verb = "passes" if len(which) == 1 else "pass"
            return f" At {sure} confidence {listed}{more} {verb} less often than in the {against}."
        if decision is Decision.FAIL:
            return (
                f" At {sure} confidence some of these cases pass less often than in the {against}."
            )
        if decision is Decision.PASS:
            sure = percent_of(1 - self.beta)
            return (
                f" At {sure} confidence their mean did not fall by the margin or more; no case is"
                " shown to pass less often."
            )
        if self.undecidable is not None:
            return f" {self.undecidable}"
        return f" These answers can't tell; {self._hint(level)}."

    def _hint(self, level: float) -> str:
        """How many answers a case would show one that stops passing, and the margin."""
        first = next(iter(self.cases.values()))
        enough = next(
            (
                repeats
                for repeats in range(2, _MOST_REPEATS)
                if 1 / math.comb(2 * repeats, repeats) <= level / 2
            ),
            _MOST_REPEATS,
        )
        if min(first.before_of, first.now_of) < enough:
            return (
                f"`repeats: {enough}` or more, in the baseline as well, would show a case that"
                " stops passing"
            )
        return "more `repeats` narrow the bounds"


def fixed_cases_test(
    aggregate: RunAggregate,
    gate: GateRecord,
    baseline: BaselineLock,
    compared: "RegressionRule",
    pairs: PairedCases,
) -> FixedCasesTest | str:
    """The rule with its data; or why there is nothing to test.

    Args:
        aggregate: of the run. gate: with the error rates of this attempt.
        baseline: what it is compared with. compared: the rule. pairs: its cases.
    """
    counts = repeats_of(aggregate, pairs, baseline, compared.metric)
    if counts is None:
        return (
            f"{compared.name}: `about: these_cases` counts answers that pass, and this metric has"
            " values in between. Use a check that passes or fails, or leave `about` out."
        )
    if not counts:
        return (
            f"{compared.name}: no case has a result both in this run and in the baseline"
            f" {baseline.run_id}{pairs.left_out()}."
        )
    undecidable = None
    if compared.untrusted is not None:
        undecidable = UNTRUSTED.format(compared.untrusted).strip()
    elif compared.judged and not compared.judge_scale:
        undecidable = (
            "Labels correct a judge's rate over many cases, not its verdict on one case. State"
            " `scale: judge` to decide on the judge's own verdicts."
        )
    return FixedCasesTest(
        name=compared.name,
        metric=compared.metric,
        slice_=compared.slice_,
        margin=compared.margin,
        baseline=baseline.run_id,
        alpha=gate.alpha,
        beta=gate.beta,
        cases=counts,
        missing=len(pairs.cases) - len(counts),
        undecidable=undecidable,
        judge_scale=compared.judge_scale,
        kind=compared.kind,
        note=pairs.left_out(" Not compared: ", ".") + compared.note,
    )


def _counts(case: CaseRepeats) -> str:
    return f"{case.before} of {case.before_of} before, {case.now} of {case.now_of} now"


def repeats_of(
    aggregate: RunAggregate,
    pairs: PairedCases,
    baseline: BaselineLock,
    metric: str,
) -> dict[str, CaseRepeats] | None:
    """Passes and answers of each pair without a missing result, with the answers of earlier
    attempts where all cases have them; None where the metric does not pass or fail.
    """
    before = baseline.results(metric)
    repeats, gaps = baseline.answers, baseline.gaps(metric)
    names = [
        name
        for name, difference in zip(pairs.cases, pairs.differences, strict=True)
        if not math.isnan(difference) and name not in gaps
    ]
    own = {
        name: result.value
        for name in names
        if (result := aggregate.result(metric, name)) is not None
    }
    columns = [own, *_complete(aggregate.earlier, aggregate.case_digests(), metric, names)]
    counts = {}
    for name in names:
        then = _passes(before[name], repeats)
        now = [_passes(column[name], aggregate.repeats) for column in columns]
        sure = [each for each in now if each is not None]
        if then is None or len(sure) < len(now):
            return None
        counts[name] = CaseRepeats(then, repeats, sum(sure), aggregate.repeats * len(columns))
    return counts


def _complete(
    earlier: Sequence[AttemptValues], digests: dict[str, str], metric: str, names: list[str]
) -> list[dict[str, float]]:
    """The earlier attempts' values, of those attempts that have one for each case."""
    whole = []
    for attempt in earlier:
        column = attempt.metrics.get(metric)
        if column is None:
            continue
        kept = {
            name: float(value)
            for (name, seen), value in zip(attempt.cases.items(), column.values, strict=True)
            if value is not None and value != "-" and digests.get(name) == seen
        }
        if all(name in kept for name in names):
            whole.append(kept)
    return whole


def _passes(mean: float, answers: int) -> int | None:
    """The number of passes behind a mean; None where the answers do not pass or fail."""
    passes = mean * answers
    return round(passes) if abs(passes - round(passes)) <= _WHOLE * answers else None
