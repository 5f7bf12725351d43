"""Computes the figures of a certificate from labelled answers and a judge's verdicts on them."""

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

from llmeval.core.certificate import Figure, FigureGroup
from llmeval.core.records import Score
from llmeval.judges.assurance.labelled_answers import LabelledAnswer
from llmeval.stats.estimation.agreement import Agreement, Measure, agreement
from llmeval.stats.estimation.bounds import Interval
from llmeval.stats.estimation.calibration import brier, ece, fit_beta, fit_platt, reliability
from llmeval.stats.estimation.label_counts import (
    MIN_CLASS,
    MIN_LABELS,
    LabelCounts,
    Provenance,
    count_labels,
)
from llmeval.stats.estimation.paired import mcnemar
from llmeval.stats.estimation.raters import (
    MIN_ITEMS,
    alt_test,
    krippendorff_alpha,
    krippendorff_interval,
)

FIGURES = (
    "sensitivity",
    "specificity",
    "youden",
    "balanced_accuracy",
    "accuracy",
    "mcc",
    "kappa",
    "ac1",
)
MIN_YOUDEN, MAX_UNDECIDED = 0.6, 0.02
_FOLDS = 5


@dataclass(frozen=True)
class JudgedAnswer:
    """A labelled answer and the judge's score of it."""

    item: LabelledAnswer
    score: Score

    @property
    def pair(self) -> tuple[bool, bool] | None:
        """(judge, people); None if one of them has no verdict."""
        verdict = self.item.verdict
        return (
            None if self.score.passed is None or verdict is None else (self.score.passed, verdict)
        )

    @property
    def probability(self) -> float | None:
        """The judge's probability that the answer passes, if it states one that
        can be calibrated.
        """
        sure = self.score.confidence
        if sure is None or self.score.passed is None or self.score.source != "judge":
            return None
        return sure if self.score.passed else 1 - sure


def counts_of(judged: Iterable[JudgedAnswer]) -> LabelCounts:
    """The plain counts."""
    pairs = [pair for each in judged if (pair := each.pair) is not None]
    return count_labels([judge for judge, _ in pairs], [people for _, people in pairs])


def effective_counts(
    judged: Iterable[JudgedAnswer], within: Literal["judge", "people"] = "people"
) -> LabelCounts:
    """The counts with each answer weighted by the number of answers that it represents, scaled to
    Kish's effective size within each verdict of one side.

    Equal to the plain counts when all weights are equal. Source: L. Kish, Survey Sampling (1965)
    11.7.
    """
    side = ("judge", "people").index(within)
    sums = {(judge, people): 0.0 for judge in (True, False) for people in (True, False)}
    squares = {True: 0.0, False: 0.0}
    for each in judged:
        if each.pair is not None:
            sums[each.pair] += each.item.weight
            squares[each.pair[side]] += each.item.weight**2
    totals = {
        verdict: sum(sums[pair] for pair in sums if pair[side] is verdict)
        for verdict in (True, False)
    }
    return LabelCounts(
        *(
            value * totals[pair[side]] / squares[pair[side]] if value else 0.0
            for pair, value in sums.items()
        )  # type: ignore[arg-type]
    )


def measured(judged: Sequence[JudgedAnswer]) -> Agreement:
    """Every figure, with intervals; answers drawn with unequal chances are weighted back.

    Such answers were drawn within the judge's verdicts, so the sampling error is computed within
    these: a few false passes may represent many, and the effective size within people's verdicts
    does not show this (`benchmarks/judge.py planted`).
    """
    counts, weighted = counts_of(judged), effective_counts(judged)
    if len({each.item.weight for each in judged}) <= 1:
        return agreement(counts, provenance=Provenance.BANK)
    if not counts.judge_pass or not counts.judge_fail:
        return agreement(weighted, provenance=Provenance.BANK)
    weights = [(each.pair[0], each.item.weight) for each in judged if each.pair is not None]
    answers = (
        round(sum(weight for passed, weight in weights if passed)),
        round(sum(weight for _, weight in weights)),
    )
    result = agreement(
        effective_counts(judged, "judge"), provenance=Provenance.BY_VERDICT, judged=answers
    )
    return result._replace(bias=mcnemar(weighted.pass_fail, weighted.fail_pass))


def figure(measure: Measure | Interval, value: float | None = None) -> Figure:
    """A measure as a record. An undefined end of the interval becomes the end of the range."""
    low, high = (
        (0.0 if math.isnan(measure.low) else measure.low),
        (1.0 if math.isnan(measure.high) else measure.high),
    )
    return Figure(measure.value if isinstance(measure, Measure) else value, low, high)


def groups(
    judged: Sequence[JudgedAnswer], names: Mapping[int, Iterable[str]]
) -> tuple[FigureGroup, ...]:
    """Counts and figures by group. `names`: the groups of each answer, in the order of `judged`."""
    members: dict[str, list[JudgedAnswer]] = {}
    for place, each in enumerate(judged):
        for name in names[place]:
            members.setdefault(name, []).append(each)
    return tuple(
        _group(name, members[name]) for name in sorted(members) if counts_of(members[name]).n
    )


def _group(name: str, judged: Sequence[JudgedAnswer]) -> FigureGroup:
    counts, figures = counts_of(judged), measured(judged)
    return FigureGroup(
        name=name,
        n=counts.n,
        **counts._asdict(),
        sensitivity=figure(figures.sensitivity),
        specificity=figure(figures.specificity),
        youden=figure(figures.youden),
    )


def ruling(counts: LabelCounts, figures: Agreement, undecided: int) -> tuple[bool, str]:
    """Whether these figures make a judge trusted, and why in one sentence (docs/trust.md)."""
    seen = (
        f"on {counts.n} labels its sensitivity is {_said(figures.sensitivity)}, its specificity"
        f" {_said(figures.specificity)}, and J = {_number(figures.youden.value)}, at least"
        f" {figures.youden_lower:.2f}"
    )
    smaller = min(counts.human_pass, counts.human_fail)
    labels = counts.n + undecided
    if undecided / labels > MAX_UNDECIDED:
        return (
            False,
            f"it gave no usable verdict on {undecided} of {labels} labelled answers; {seen}",
        )
    if counts.n < MIN_LABELS:
        return False, f"{MIN_LABELS} labels are needed: {seen}"
    if smaller < MIN_CLASS:
        return (
            False,
            f"{MIN_CLASS} labels of either kind are needed, the smaller has {smaller}: {seen}",
        )
    if figures.youden_lower < MIN_YOUDEN:
        return False, f"{seen}, where {MIN_YOUDEN:.2f} is needed"
    return True, seen


def _said(measure: Measure) -> str:
    return f"{_number(measure.value)} ({measure.low:.2f} to {measure.high:.2f})"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f}"


def stated_probabilities(judged: Sequence[JudgedAnswer]) -> dict[str, Any] | None:
    """Brier score, ECE and a calibration map, if the judge states probabilities. The map is Platt's
    or beta calibration: the one with the lower Brier score on answers that it was not fitted on.
    Isotonic calibration needs more labels than people usually give.
    """
    stated = [
        (q, each.pair[1])
        for each in judged
        if each.pair is not None and (q := each.probability) is not None
    ]
    if not stated:
        return None
    p, y = [each for each, _ in stated], [each for _, each in stated]
    result: dict[str, Any] = {
        "n": len(p),
        "brier": brier(p, y),
        "ece": ece(p, y),
        "bins": [each._asdict() for each in reliability(p, y)],
        "calibration": None,
    }
    if min(sum(y), len(y) - sum(y)) >= _FOLDS:
        scores = {name: _held_out(p, y, name) for name in ("platt", "beta")}
        method = min(scores, key=lambda name: scores[name])
        result["calibration"] = {
            "method": method,
            **_fit(method, p, y)._asdict(),
            "brier_held_out": scores[method],
        }
    return result


def _fit(method: str, p: Sequence[float], y: Sequence[bool]) -> Any:
    return fit_platt(p, y) if method == "platt" else fit_beta(p, y)


def _held_out(p: Sequence[float], y: Sequence[bool], method: str) -> float:
    """Cross-validated Brier score. Each fold has answers that pass and answers that fail."""
    order = sorted(range(len(p)), key=lambda index: (y[index], index))
    total = 0.0
    for fold in range(_FOLDS):
        held = set(order[fold::_FOLDS])
        kept = [index for index in range(len(p)) if index not in held]
        mapped = _fit(method, [p[i] for i in kept], [y[i] for i in kept])(
            [p[i] for i in sorted(held)]
        )
        total += sum(
            (float(value) - y[i]) ** 2 for value, i in zip(mapped, sorted(held), strict=True)
        )
    return total / len(p)


def human_ceiling(items: Sequence[LabelledAnswer]) -> dict[str, Any] | None:
    """The agreement of people on answers with several labels. It is the ceiling: labels can't show
    that a judge is better.
    """
    reviewers = sorted({name for item in items for name in item.people})
    pairs = []
    for one, other in combinations(reviewers, 2):
        shared = [item for item in items if one in item.people and other in item.people]
        if shared:
            ceiling = agreement(
                count_labels([i.people[one] for i in shared], [i.people[other] for i in shared])
            )
            shown = {name: figure(getattr(ceiling, name)) for name in ("accuracy", "kappa", "ac1")}
            pairs.append({"reviewers": [one, other], "n": len(shared), **shown})
    if not pairs:
        return None
    table = [[item.people.get(name) for name in reviewers] for item in items]
    alpha = figure(krippendorff_interval(table), krippendorff_alpha(table))
    return {
        "double_labelled": sum(len(item.people) > 1 for item in items),
        "alpha": alpha,
        "pairs": pairs,
    }


def alternative(judged: Sequence[JudgedAnswer]) -> dict[str, Any] | None:
    """The alt-test: may this judge replace one of the annotators? None with fewer than three
    annotators.
    """
    people: dict[Hashable, dict[Hashable, Hashable]] = {}
    for place, each in enumerate(judged):
        for name, verdict in each.item.people.items():
            people.setdefault(name, {})[place] = verdict
    if len(people) < 3:
        return None
    verdicts: dict[Hashable, Hashable] = {
        place: each.score.passed
        for place, each in enumerate(judged)
        if each.score.passed is not None
    }
    try:
        test = alt_test(verdicts, people)
    except ValueError:
        return {"note": f"fewer than {MIN_ITEMS} answers shared by the judge and two annotators"}
    return {
        "passes": test.passes,
        "winning_rate": test.winning_rate,
        "advantage": test.advantage,
        "epsilon": 0.15,
        "annotators": len(test.p_values),
    }
