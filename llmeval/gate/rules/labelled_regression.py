"""Regression by people's labels of this run and its baseline, whatever the judge's errors are.

`llmeval labels sample RUN --for regression` draws both answers of some paired cases, by class
(`gate.pair_classes`). Once people have labelled them, their difference decides the rule instead of
the judge's, so neither the judge's J nor `judge_shift` matters, and the judge need not be trusted.

A drawn answer without a label may be right or wrong, and so may one on which reviewers differ or
nobody is sure: each claim takes what hurts it. So a sheet
that is filled in part decides nothing that the whole sheet would not. Further draws are a further
attempt: the first one decides at three quarters of each error rate, every other one at three
quarters of what is left, so that all draws of a run together keep the rates (Bonferroni). Attempts
of one change (`gate.attempts`) share the rates before that. Labels of earlier attempts are about
other answers and count for nothing.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llmeval.core.baseline_lock import BaselineLock
from llmeval.core.draw import Draw
from llmeval.core.formatting import percent_of, points
from llmeval.core.manifest import Manifest
from llmeval.core.results import REPRESENTATIVE, Decision, RuleDecision
from llmeval.gate.aggregate import RunAggregate
from llmeval.gate.pair_classes import LABELLED, SHOWN, PairClass, pair_classes, why_no_classes
from llmeval.gate.pairs import PairedCases
from llmeval.gate.rules.label_hints import more_labels
from llmeval.gate.rules.release import compared_with, mean_note
from llmeval.stats.estimation.labelled_difference import (
    LabelledPairs,
    LabelledStratum,
    lower_limit,
    p_at_most,
    stratified_difference,
    with_clusters,
    worth,
)
from llmeval.stats.estimation.paired import PairCounts
from llmeval.stats.label_size import LabelTerms
from llmeval.store.draws import key_of, read_draws
from llmeval.store.labels import (
    BASELINE_LABELS,
    AnswerKey,
    agreed,
    counted,
    read,
    revised,
    undecided,
)

if TYPE_CHECKING:
    from llmeval.gate.rules.regression_rule import RegressionRule

FIRST_DRAW = 0.75
"""Share of each error rate for the first draw, and of what is left for each further one."""
_MAX_FELL = 10


def draw_share(number: int) -> float:
    """The share of each error rate that the draws up to this one leave it: .75, .19, .05...

    Args:
        number: of draws with labels, from 1.
    """
    return FIRST_DRAW * (1 - FIRST_DRAW) ** (number - 1)


@dataclass(frozen=True)
class DrawnPairs:
    """What people said of the pairs that were drawn for one rule."""

    counts: LabelledPairs
    labels: int
    """Labels of single answers."""
    absent: int
    """Drawn answers without a label that people agree on."""
    disputed: int
    """Of these, answers that have a label: reviewers differ, or nobody is sure."""
    revised: int
    """Answers on which a reviewer changed a verdict; the later one counts."""
    fell: tuple[str, ...]
    """Ids of the cases that people say got worse."""
    draws: int


@dataclass(frozen=True)
class LabelledRegression:
    """One rule with its labels."""

    name: str
    metric: str
    slice_: str | None
    margin: float
    baseline: str
    """The run id of the baseline."""
    alpha: float
    beta: float
    pairs: PairedCases
    drawn: DrawnPairs
    note: str = ""
    kind: str = "regression"
    """The rule's name in records."""

    def decided(self, level: float) -> RuleDecision:
        """The decision. `level`: of its FAIL, where all rules together have alpha."""
        share, counts = draw_share(self.drawn.draws), self.drawn.counts
        decision = Decision.INCONCLUSIVE
        if p_at_most(counts.turned(), 0.0) <= level * share:
            decision = Decision.FAIL
        elif p_at_most(counts, -self.margin) <= self.beta * share:
            decision = Decision.PASS
        low = lower_limit(counts, self.beta * share)
        high = -lower_limit(counts.turned(), self.alpha * share)
        estimate = stratified_difference(counts)
        tipping = max(-high, low + self.margin, 0.0)
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
            reason=self._reason(decision, (estimate, low, high), level * share),
            level=1 - (level if decision is Decision.FAIL else self.beta) * share,
            n=len(self.pairs.differences),
            tipping_point=None if decision is Decision.INCONCLUSIVE else tipping,
            assumptions=(
                self._independent(),
                REPRESENTATIVE,
                "the labelled pairs were drawn at random within each class, and their labels are"
                " right",
            ),
            fell=self.drawn.fell[:_MAX_FELL],
        )

    def _reason(self, decision: Decision, change: tuple[float, float, float], level: float) -> str:
        estimate, low, high = change
        moved = "did not move"
        if abs(estimate) >= 0.0005:
            moved = f"{'rose' if estimate > 0 else 'fell'} by {points(abs(estimate))}"
        return (
            f"{self.name} {moved} by people's labels ({self._bounds(low, high)}):"
            f" {self._evidence()}; the margin is {points(self.margin)}."
            f"{self._follows(decision, level)}{self.pairs.left_out(' Not compared: ', '.')}"
            f"{self.note}"
        )

    def _independent(self) -> str:
        clusters = len(set(self.pairs.clusters))
        if clusters == len(self.pairs.clusters):
            return "cases are independent of each other"
        return f"the {clusters:,} clusters are independent of each other"

    def _bounds(self, low: float, high: float) -> str:
        share, ends = draw_share(self.drawn.draws), (f"{100 * low:+.1f}", f"{100 * high:+.1f}")
        sure = [percent_of(1 - rate * share) for rate in (self.beta, self.alpha)]
        if sure[0] == sure[1]:
            return f"{sure[0]} bounds {ends[0]} to {ends[1]}"
        return f"bounds {ends[0]} at {sure[0]} and {ends[1]} at {sure[1]}"

    def _evidence(self) -> str:
        """The labels, by class, and what they are worth."""
        counts = self.drawn.counts
        parts = ", ".join(
            f"{each.labelled:,} of {each.pairs:,} {SHOWN[kind]}"
            for kind, each in zip(LABELLED, counts.strata, strict=True)
        )
        same = f", and {counts.same:,} with one text on both sides" if counts.same else ""
        return (
            f"{self.drawn.labels:,} labels on {counts.labelled:,} of {counts.total:,} paired cases"
            f" (by the judge {parts}{same}), as good as labels on {worth(counts):,} cases drawn"
            f" without a judge{self._left_open()}"
        )

    def _left_open(self) -> str:
        """What reviewers left open or changed, and how it counts; empty where nothing is."""
        drawn, notes = self.drawn, []
        if drawn.disputed:
            notes.append(
                f"on {drawn.disputed:,} of the drawn answers reviewers differ or nobody is sure,"
                " and each claim takes what hurts it"
            )
        if drawn.revised:
            notes.append(
                f"on {drawn.revised:,} a reviewer changed the verdict, and the later one counts"
            )
        return "".join(f"; {note}" for note in notes)

    def _follows(self, decision: Decision, level: float) -> str:
        share, against = draw_share(self.drawn.draws), compared_with(self.kind)
        if decision is Decision.FAIL:
            sure = percent_of(1 - level)
            return (
                f" At {sure} confidence the candidate is worse than the {against} {self.baseline}."
            )
        if decision is Decision.PASS:
            sure = percent_of(1 - self.beta * share)
            return (
                f" A drop of the margin or more from the {against} {self.baseline} is ruled out at"
                f" {sure} confidence."
            )
        if self.drawn.absent:
            return (
                f" These labels can't tell: {self.drawn.absent:,} of the drawn answers have no"
                " label that people agree on, and each may be right or wrong."
            )
        following = draw_share(self.drawn.draws + 1)
        terms = LabelTerms(self.margin, level / share * following, self.beta * following)
        more = more_labels(self.drawn.counts, terms, self.drawn.draws)
        return f" These labels can't tell.{more}"


def labelled_regression(
    tally: RunAggregate,
    manifest: Manifest,
    baseline: BaselineLock,
    rule: "RegressionRule",
    pairs: PairedCases,
) -> LabelledRegression | str:
    """The rule by people's labels; or a sentence on why labels that were drawn for it do not count,
    empty where none were.

    Args:
        tally: of the run. manifest: of the run, with the error rates of this attempt.
        baseline: what it is compared with.
        rule: on a judged metric. pairs: of the rule.
    """
    draws = [
        draw
        for draw in read_draws(tally.path)
        if draw.metric == rule.metric and draw.baseline == baseline.run_id
    ]
    if not draws:
        return ""
    why = why_no_classes(tally, manifest, baseline, rule.metric)
    classes = None if why else pair_classes(tally, baseline, rule.metric, pairs.cases)
    if classes is None:
        return f" The labels drawn for it do not count: {why or 'its scores are not pass or fail'}."
    clusters = dict(zip(pairs.cases, pairs.clusters, strict=True))
    drawn = _drawn(tally, rule.metric, draws, classes, clusters)
    if isinstance(drawn, str):
        return drawn
    gate = manifest.gate
    return LabelledRegression(
        rule.name,
        rule.metric,
        rule.slice_,
        rule.margin,
        baseline.run_id,
        gate.alpha,
        gate.beta,
        pairs,
        drawn,
        rule.note.replace(mean_note(baseline, rule.metric, rule.kind), "")
        + _single_note(baseline, manifest),
        rule.kind,
    )


def _single_note(baseline: BaselineLock, manifest: Manifest) -> str:
    """Sentences on which answers were labelled, where a case has several."""
    note = ""
    if baseline.run_count > 1:
        note = (
            f" People labelled the answers of {baseline.run_id}, the newest of the baseline's"
            f" {baseline.run_count} runs."
        )
    answers = max(manifest.repeats, 1 if baseline.gate is None else baseline.gate.repeats)
    if answers > 1:
        note += f" Of {answers} answers to a case they labelled the first one."
    return note


def _drawn(
    tally: RunAggregate,
    metric: str,
    draws: list[Draw],
    classes: dict[str, PairClass],
    clusters: Mapping[str, Hashable],
) -> DrawnPairs | str:
    """The labels of the draws; or why they do not count, empty where no drawn answer has one.

    Args:
        tally: of the run. metric: the rule's. draws: for it.
        classes, clusters: of each paired case.
    """
    written = read(tally.path / BASELINE_LABELS)
    theirs, changed = counted(written), revised(written)
    before, in_doubt = agreed(theirs).verdicts, undecided(theirs)
    places = {key_of(AnswerKey(name, 0, metric)): name for name in classes}
    differences: dict[PairClass, list[tuple[int, int]]] = {kind: [] for kind in LABELLED}
    together: dict[PairClass, list[Hashable]] = {kind: [] for kind in LABELLED}
    used = labels = absent = disputed = revisions = 0
    fell = []
    for draw in draws:
        both = {}
        for name in (places[key] for key in draw.drawn if key in places):
            place = AnswerKey(name, 0, metric)
            both[name] = before.get(place), tally.people.get(place)
        labelled = sum(verdict is not None for pair in both.values() for verdict in pair)
        keys = [AnswerKey(name, 0, metric) for name in both]
        differ = sum((each in in_doubt) + (each in tally.undecided) for each in keys)
        if not labelled + differ:
            continue
        disputed += differ
        revisions += sum((each in changed) + (each in tally.revised) for each in keys)
        if any(
            classes[places[key]] != draw.strata[number].verdict
            for key, number in draw.drawn.items()
            if key in places
        ):
            return (
                " The labels drawn for it do not count: the verdicts are not those that the pairs"
                " were drawn by. Draw again."
            )
        used, labels, absent = used + 1, labels + labelled, absent + 2 * len(both) - labelled
        for name, (old, new) in both.items():
            least = (new is True) - (old is not False)
            most = (new is not False) - (old is True)
            differences[classes[name]].append((least, most))
            together[classes[name]].append(clusters[name])
            if most < 0:
                fell.append(name)
    if not used:
        return ""
    sizes = list(classes.values())
    strata = tuple(
        LabelledStratum(
            sizes.count(kind),
            _counts([least for least, _ in differences[kind]]),
            _counts([most for _, most in differences[kind]]),
        )
        for kind in LABELLED
    )
    counts = LabelledPairs(strata, sizes.count(PairClass.SAME), sizes.count(PairClass.MISSING))
    if len(set(clusters.values())) < len(clusters):
        counts = with_clusters(counts, list(clusters.values()), list(together.values()))
    return DrawnPairs(counts, labels, absent, disputed, revisions, tuple(fell), used)


def _counts(differences: list[int]) -> PairCounts:
    return PairCounts(differences.count(-1), differences.count(0), differences.count(1))
