"""Which of several runs may be the best: those that no other run is shown to beat.

The claim is about the set: with probability `level` the best run is in it, on every metric at once.
A tie is shown as a tie. Only the best run must not be beaten by chance, so each run is compared
with its k - 1 rivals, one-sided, at (1 - level) / (k - 1) / metrics; a ranking of all pairs
(`compare.ranks`) needs more evidence for the same question.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from llmeval.compare.comparison import BestRuns, Contender
from llmeval.compare.loaded_run import LoadedRun, obstacle
from llmeval.core.results import Decision
from llmeval.gate.pairs import PairedCases
from llmeval.stats.estimation.difference import MeanDifference, difference

Pairs = Callable[[LoadedRun, LoadedRun, str], PairedCases | None]
"""The paired cases of two runs on a metric, the second minus the first; None where there are
none.
"""


class BestSet(NamedTuple):
    """Which may be the best, and the bounds of each one's lead over the best of the others."""

    among: tuple[bool, ...]
    """Of each, whether it may be the best."""
    low: tuple[float, ...]
    """At most 0, or 0 where it alone may be the best."""
    high: tuple[float, ...]
    """At least 0."""


def best_set(leads: Mapping[tuple[int, int], MeanDifference], count: int, rate: float) -> BestSet:
    """Multiple comparisons with the best.

    A run is out where some rival's lead over it is shown, one-sided at `rate`. The true best is
    wrongly out only if one of its k - 1 rivals is: with `rate` = alpha / (k - 1) that has
    probability alpha at most (Bonferroni), however the runs depend on each other, also with ties.
    The bounds of mu_i - max over j of mu_j hold for all runs at once on the same event.

    Args:
        leads: for i < j the mean of j minus that of i, its bounds at `rate` a side, and its
            two-sided p-value.
        count: of runs. rate: of each one-sided comparison.

    Source: J. C. Hsu, Ann. Statist. 9 (1981) 1026-1034 and 12 (1984) 1136-1144; S. S. Gupta,
        Technometrics 7 (1965) 225-245.
    """

    def lead(one: int, two: int) -> MeanDifference:
        """Of `two` over `one`."""
        if one < two:
            return leads[one, two]
        difference = leads[two, one]
        return MeanDifference(-difference.estimate, -difference.high, -difference.low, difference.p)

    def beats(two: int, one: int) -> bool:
        difference = lead(one, two)
        return difference.estimate > 0 and difference.p / 2 <= rate

    names = range(count)
    among = [not any(beats(two, one) for two in names if two != one) for one in names]
    rivals = [[two for two in names if two != one and among[two]] for one in names]
    low = [min((min(0.0, lead(two, one).low) for two in rivals[one]), default=0.0) for one in names]
    high = [
        max(0.0, min(lead(two, one).high for two in names if two != one)) if among[one] else 0.0
        for one in names
    ]
    return BestSet(tuple(among), tuple(low), tuple(high))


def best_runs(
    sides: Sequence[LoadedRun], metrics: Sequence[str], level: float, pairs: Pairs
) -> tuple[BestRuns, ...]:
    """The runs that may be the best on each metric that two or more of them share.

    Args:
        sides: the runs. metrics: names. level: of the claim on all metrics at once, in (0, 1).
        pairs: how two runs are paired.
    """
    joined = [_joining(sides, metric, pairs) for metric in metrics]
    tested = sum(len(each.joining) > 1 for each in joined)
    return tuple(_best(each, (1 - level) / max(1, tested)) for each in joined)


class _Joining(NamedTuple):
    """The runs that are compared on one metric, and why others are not."""

    metric: str
    joining: tuple[LoadedRun, ...]
    left_out: dict[str, str]
    paired: dict[tuple[int, int], PairedCases]


def _joining(sides: Sequence[LoadedRun], metric: str, pairs: Pairs) -> _Joining:
    left_out = {each.letter: why for each in sides if (why := _unfit(each, metric))}
    fit = [each for each in sides if each.letter not in left_out]
    left_out |= {each.letter: why for each in fit[1:] if (why := obstacle(fit[0], each, metric))}
    for each in fit[1:]:
        if each.letter not in left_out and not _same_cases(fit[0], each):
            left_out[each.letter] = f"its cases are not those of {fit[0].name}"
    joining = tuple(each for each in fit if each.letter not in left_out)
    paired = {
        (one, two): both
        for one in range(len(joining))
        for two in range(one + 1, len(joining))
        if (both := pairs(joining[one], joining[two], metric)) is not None
    }
    return _Joining(metric, joining, left_out, paired)


def _unfit(side: LoadedRun, metric: str) -> str:
    """Why a run can't be the best, whatever its results are; empty where it can."""
    if metric not in side.kept.metrics:
        return "it has no such metric"
    if side.manifest.status != "complete":
        return "it is incomplete"
    selection = side.manifest.selection
    if selection is not None and (selection.cases or selection.failed_of is not None):
        return "its cases were named one by one, perhaps because of their results"
    if side.summary is None:
        return ""
    if side.summary.counts.not_needed:
        return "it stopped early, so the number of its cases depends on their results"
    invalid = [
        rule
        for rule in side.summary.gate.rules
        if rule.decision is Decision.INVALID and rule.rule not in ("regression", "release")
    ]
    return f"it is INVALID: {invalid[0].reason}" if invalid else ""


def _same_cases(one: LoadedRun, two: LoadedRun) -> bool:
    """Whether both hold the same cases: a run without its hard cases looks better than it is."""
    return one.kept.cases == two.kept.cases


def _best(joining: _Joining, alpha: float) -> BestRuns:
    count = len(joining.joining)
    untrusted = any(each.untrusted(joining.metric) for each in joining.joining)
    if count < 2 or len(joining.paired) < count * (count - 1) // 2:
        return BestRuns(metric=joining.metric, rate=alpha, left_out=joining.left_out)
    rate = alpha / (count - 1)
    leads = {
        key: difference(each.differences, each.clusters, 1 - 2 * rate)
        for key, each in joining.paired.items()
    }
    chosen = best_set(leads, count, rate)
    return BestRuns(
        metric=joining.metric,
        rate=alpha,
        n=len(next(iter(joining.paired.values())).differences),
        contenders=tuple(_contenders(joining.joining, chosen)),
        untrusted=untrusted,
        left_out=joining.left_out,
    )


def _contenders(runs: Sequence[LoadedRun], chosen: BestSet) -> Iterator[Contender]:
    for run, among, low, high in zip(runs, chosen.among, chosen.low, chosen.high, strict=True):
        yield Contender(letter=run.letter, among=among, low=low, high=high)
