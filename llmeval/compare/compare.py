"""Runs compared: paired by case, tested metric by metric, ranked. Nothing is compared that was
measured otherwise.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from string import ascii_uppercase

from msgspec import structs

from llmeval.compare.best import best_runs
from llmeval.compare.comparison import (
    BestRuns,
    Comparison,
    Flip,
    MetricDifference,
    SliceDifference,
    Word,
)
from llmeval.compare.differences import differing
from llmeval.compare.loaded_run import LoadedRun, load, obstacle, side, warnings
from llmeval.compare.ranks import PairwiseTest, board
from llmeval.core.errors import UsageError
from llmeval.core.metric_ref import slice_label
from llmeval.gate.baseline import SAME
from llmeval.gate.pairs import PairedCases, pair
from llmeval.stats.estimation.difference import MeanDifference, difference
from llmeval.stats.tests.multiplicity import benjamini_hochberg, holm_adjusted
from llmeval.store.run_store import RunStore

LEVEL = 0.95


@dataclass(frozen=True)
class _Tested:
    """One metric of two runs: their pairs and the test on them."""

    first: LoadedRun
    other: LoadedRun
    metric: str
    pairs: PairedCases
    difference: MeanDifference


def compare(runs: Sequence[RunStore], level: float = LEVEL, *, best: bool = False) -> Comparison:
    """The first run compared with each other one, and from three runs on their ranking.

    Args:
        runs: two or more. level: of the intervals and of the verdicts, in (0, 1).
        best: whether the runs are compared with the best of them too.

    Raises:
        UsageError: fewer than two runs, more than 26, or one of them twice. StoreError: a run can't
            be read.
    """
    if not 2 <= len(runs) <= len(ascii_uppercase):
        raise UsageError(f"name 2 to {len(ascii_uppercase)} runs to compare, not {len(runs)}")
    twice = next((run.path for number, run in enumerate(runs) if _same(run, runs[:number])), None)
    if twice is not None:
        raise UsageError(f"{twice} is named twice: a run does not differ from itself")
    sides = [load(letter, run) for letter, run in zip(ascii_uppercase, runs, strict=False)]
    first, others = sides[0], sides[1:]
    metrics = _metrics_of(sides)
    tests = {
        (one.letter, two.letter, metric): tested
        for one, two in combinations(sides, 2)
        for metric in metrics
        if (tested := _test(one, two, metric, level)) is not None
    }
    adjusted = dict(
        zip(tests, holm_adjusted([each.difference.p for each in tests.values()]), strict=True)
    )
    verdicts = {
        key: PairwiseTest(tests[key].difference.estimate, p, p <= 1 - level)
        for key, p in adjusted.items()
    }
    return Comparison(
        level=level,
        tests=len(tests),
        runs=tuple(side(each, first) for each in sides),
        metrics=tuple(
            _metric(tests.get(key), verdicts.get(key), first, other, metric)
            for other in others
            for metric in metrics
            for key in [(first.letter, other.letter, metric)]
        ),
        slices=_slices([each for key, each in tests.items() if key[0] == first.letter], level),
        boards=tuple(board(metric, sides, verdicts) for metric in metrics)
        if len(sides) > 2
        else (),
        best=best_of(sides, level) if best else (),
        differing=tuple(differing([each.manifest for each in sides])),
        warnings=tuple(text for each in sides for text in warnings(each)),
    )


def best_of(sides: Sequence[LoadedRun], level: float = LEVEL) -> tuple[BestRuns, ...]:
    """Which of two or more runs may be the best, metric by metric. `level`: of all, in (0, 1)."""
    return best_runs(sides, _metrics_of(sides), level, _paired)


def _metrics_of(sides: Sequence[LoadedRun]) -> list[str]:
    return list(dict.fromkeys(name for each in sides for name in each.kept.metrics))


def _same(run: RunStore, earlier: Sequence[RunStore]) -> bool:
    return any(run.path.resolve() == other.path.resolve() for other in earlier)


def _paired(first: LoadedRun, other: LoadedRun, metric: str) -> PairedCases | None:
    if obstacle(first, other, metric):
        return None
    pairs = pair(other.aggregate, first.kept, metric)
    return pairs if pairs.differences else None


def _test(first: LoadedRun, other: LoadedRun, metric: str, level: float) -> _Tested | None:
    pairs = _paired(first, other, metric)
    if pairs is None:
        return None
    return _Tested(
        first, other, metric, pairs, difference(pairs.differences, pairs.clusters, level)
    )


def _metric(
    tested: _Tested | None,
    verdict: PairwiseTest | None,
    first: LoadedRun,
    other: LoadedRun,
    metric: str,
) -> MetricDifference:
    judged = metric in other.manifest.judges or metric in first.manifest.judges
    if tested is None or verdict is None:
        why = (
            obstacle(first, other, metric)
            or f"no case is in both {first.name} and {other.name} with the same content."
        )
        return MetricDifference(
            letter=other.letter, metric=metric, judged=judged, word="not comparable", why=why
        )
    pairs, difference, moved = tested.pairs, tested.difference, list(_moved(tested))
    fell = sorted(
        (flip for flip in moved if flip.now < flip.before), key=lambda flip: flip.now - flip.before
    )
    rose = sorted(
        (flip for flip in moved if flip.now > flip.before), key=lambda flip: flip.before - flip.now
    )
    before, now = _means(tested)
    return MetricDifference(
        letter=other.letter,
        metric=metric,
        judged=judged,
        word=_word(verdict),
        n=len(pairs.differences),
        lost=pairs.missing,
        wins=len(rose),
        losses=len(fell),
        ties=len(pairs.differences) - pairs.missing - len(moved),
        before=before,
        now=now,
        difference=difference.estimate,
        low=difference.low,
        high=difference.high,
        p=difference.p,
        adjusted=verdict.adjusted,
        clustered=len(set(pairs.clusters)) < len(pairs.clusters),
        untrusted=first.untrusted(metric) or other.untrusted(metric),
        fell=tuple(fell),
        rose=tuple(rose),
    )


def _word(verdict: PairwiseTest) -> Word:
    if not verdict.shown:
        return "no difference shown"
    return "better" if verdict.difference > 0 else "worse"


def _moved(tested: _Tested) -> Iterator[Flip]:
    before = tested.first.kept.results(tested.metric)
    for name, moved in zip(tested.pairs.cases, tested.pairs.differences, strict=True):
        if abs(moved) > SAME:
            yield Flip(name, before[name], before[name] + moved)


def _means(tested: _Tested) -> tuple[float | None, float | None]:
    """The means of both sides over the pairs that have both results."""
    before = tested.first.kept.results(tested.metric)
    both = zip(tested.pairs.cases, tested.pairs.differences, strict=True)
    scored = [(before[name], moved) for name, moved in both if not math.isnan(moved)]
    if not scored:
        return None, None
    mean = math.fsum(value for value, _ in scored) / len(scored)
    return mean, mean + math.fsum(moved for _, moved in scored) / len(scored)


def _slices(tests: Sequence[_Tested], level: float) -> tuple[SliceDifference, ...]:
    """Every slice of the other runs, those that moved first, then by how sure it is."""
    tallies = {each.other.letter: each.other.aggregate for each in tests}
    slices = {
        letter: [(slice_label(name), aggregate.members(name)) for name in aggregate.slice_names()]
        for letter, aggregate in tallies.items()
    }
    differences = [
        _slice(each, name, rows, level)
        for each in tests
        for name, rows in _places(each, slices[each.other.letter])
        if rows
    ]
    moved = benjamini_hochberg([row.p for row in differences], 1 - level)
    marked = (
        structs.replace(row, moved=flag) for row, flag in zip(differences, moved, strict=True)
    )
    return tuple(sorted(marked, key=lambda row: (not row.moved, row.p)))


def _places(
    tested: _Tested, slices: Sequence[tuple[str, list[str]]]
) -> Iterator[tuple[str, list[int]]]:
    """The places of each slice's cases among the pairs."""
    places = {name: place for place, name in enumerate(tested.pairs.cases)}
    for name, members in slices:
        yield name, [places[case] for case in members if case in places]


def _slice(tested: _Tested, name: str, rows: Sequence[int], level: float) -> SliceDifference:
    values = [tested.pairs.differences[row] for row in rows]
    seen = difference(values, [tested.pairs.clusters[row] for row in rows], level)
    return SliceDifference(
        letter=tested.other.letter,
        metric=tested.metric,
        slice=name,
        n=len(rows),
        wins=sum(value > SAME for value in values),
        losses=sum(value < -SAME for value in values),
        difference=seen.estimate,
        low=seen.low,
        high=seen.high,
        p=seen.p,
        moved=False,
    )
