"""A judge that errs differently on the two sides of a regression, without and with people's labels.

    python benchmarks/decisions_judge_arms.py [--tries 1000] [--section arms|hidden|clusters|first]
        [--only 0.85]

`arms`: the judge was certified on 300 labels of the baseline's answers, at their expected counts. Its sensitivity on the
candidate's answers is another one. People pass .85 of the baseline's answers, correlation .5
between the sides; each error rate 5 %. The first two rows of a judge are the rule by its verdicts,
at `judge_shift` 0 and .02; the others are labels as `llmeval labels sample --for regression` draws
them.

`hidden`: the drop lies in one class of pairs alone, or in all alike: the worst for labels.
`clusters`: labels of about 1,000 cases in clusters that share what becomes of them.
`first`: 3 answers a case on both sides, or 5 runs of the baseline, where the first answer of the
newest run is labelled; the cases differ in difficulty.

Everything is seeded. A p-value by labels takes 1,000 random weightings here instead of 10,000.
"""

import argparse
import math
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from decisions import limit, percent, table
from numpy.typing import NDArray

from llmeval.gate.pair_classes import SPREADS
from llmeval.gate.rules.judge_arms import scale
from llmeval.gate.rules.labelled_regression import draw_share
from llmeval.stats.estimation.label_counts import LabelCounts
from llmeval.stats.estimation.labelled_difference import (
    LabelledPairs,
    LabelledStratum,
    p_at_most,
    shares,
    stratified_difference,
    with_clusters,
    worth,
)
from llmeval.stats.estimation.paired import PairCounts
from llmeval.stats.power import discordance
from llmeval.stats.sequential.design import regression
from llmeval.stats.tests.fixed_sample import Nulls, final_test

Whole = NDArray[np.int64]

RATE, CORRELATION, LEVEL = 0.85, 0.5, 0.05
CERTIFICATE = 300
WEIGHTINGS = 1000
SHIFTS = (0.0, 0.02)
LABELS = (40, 100, 200)


class Arms(NamedTuple):
    """A judge's sensitivity on either side; its specificity is .9 on both."""

    before: float
    now: float
    specificity: float = 0.9

    @property
    def name(self) -> str:
        """As the table has it."""
        return f"{self.before:.2f} -> {self.now:.2f}"


JUDGES = (Arms(0.9, 0.9), Arms(0.9, 0.92), Arms(0.85, 0.95), Arms(0.95, 0.85))


class Tally:
    """How often a rule came to each decision, over all tries."""

    def __init__(self) -> None:
        self.fails = self.passes = self.tries = 0

    def add(self, fail: bool, pass_: bool) -> None:
        """One try. FAIL comes first."""
        self.tries += 1
        self.fails += fail
        self.passes += pass_ and not fail

    @property
    def failed(self) -> float:
        """Share of FAIL."""
        return self.fails / self.tries

    @property
    def passed(self) -> float:
        """Share of PASS."""
        return self.passes / self.tries


class Try(NamedTuple):
    """One run and its baseline: the class of each pair, and people's difference."""

    classes: Whole
    people: Whole

    @property
    def sizes(self) -> list[int]:
        """Pairs that both pass, fell, rose, both fail."""
        return [int(size) for size in np.bincount(self.classes, minlength=4)]


def play(source: np.random.Generator, n: int, drop: float, judge: Arms) -> Try:
    """n pairs, and what the judge says of them."""
    rate = RATE - drop
    spread = math.sqrt(RATE * (1 - RATE) * rate * (1 - rate))
    both = min(RATE * rate + CORRELATION * spread, rate)
    kinds = source.choice(4, n, p=[both, RATE - both, rate - both, 1 - RATE - rate + both])
    before, now = kinds < 2, kinds % 2 == 0
    chance = source.random((2, n))
    seen_before = chance[0] < np.where(before, judge.before, 1 - judge.specificity)
    seen_now = chance[1] < np.where(now, judge.now, 1 - judge.specificity)
    return Try(
        2 * (1 - seen_before.astype(np.int64)) + (1 - seen_now.astype(np.int64)),
        now.astype(np.int64) - before.astype(np.int64),
    )


@lru_cache(maxsize=65536)
def by_judge(
    n: int, fell: int, rose: int, certificate: LabelCounts, margin: float, shift: float
) -> tuple[bool, bool]:
    """FAIL and PASS of the rule by the judge's verdicts."""
    youden, spent = scale(certificate, LEVEL)
    plan = regression(
        units=n, margin=margin, j_lower=youden, j_alpha=spent, shift=shift, sequential=False
    )
    values = np.repeat([-1.0, 0.0, 1.0], (fell, n - fell - rose, rose))
    nulls = Nulls(plan.fail_null, plan.pass_null, -1.0, 1.0, *plan.rates)
    side = final_test(values, np.ones(n), nulls, bounds=False)
    return side.p_fail <= plan.rates[0], side.p_pass <= plan.rates[1]


def certified(judge: Arms) -> LabelCounts:
    """The labels of the baseline's answers, as many of each kind as expected."""
    good = round(CERTIFICATE * RATE)
    right, bad = round(good * judge.before), CERTIFICATE - good
    sure = round(bad * judge.specificity)
    return LabelCounts(right, bad - sure, good - right, sure)


def label(source: np.random.Generator, seen: Try, labels: int) -> LabelledPairs:
    """Both answers of labels / 2 pairs, labelled."""
    strata = []
    for kind, drawn in enumerate(shares(seen.sizes, SPREADS, labels // 2)):
        places = np.flatnonzero(seen.classes == kind)
        chosen = seen.people[source.choice(places, drawn, replace=False)] if drawn else places[:0]
        worse, better = int((chosen < 0).sum()), int((chosen > 0).sum())
        counts = PairCounts(worse, drawn - worse - better, better)
        strata.append(LabelledStratum(len(places), counts, counts))
    return LabelledPairs(tuple(strata))


def by_labels(pairs: LabelledPairs, margin: float) -> tuple[bool, bool]:
    """FAIL and PASS of the rule by labels of a first draw. A p-value is above .5 where the estimate
    is on the wrong side.
    """
    level, estimate = LEVEL * draw_share(1), stratified_difference(pairs)
    fail = estimate < 0 and p_at_most(pairs.turned(), 0.0, WEIGHTINGS) <= level
    return fail, estimate > -margin and p_at_most(pairs, -margin, WEIGHTINGS) <= level


class World(NamedTuple):
    """What several rules are tried on. `drop`: of people's pass rate."""

    n: int
    judge: Arms
    margin: float
    drop: float


def played(world: World, tries: int, seed: int) -> tuple[list[Tally], Tally, list[list[int]]]:
    """Of each rule (by the judge at both shifts, by 40, 100 and 200 labels) what it decided on the
    same runs; of the judge's (at .02) or 100 labels, whether either of them PASSes; and what the
    labelled pairs were worth.
    """
    n, judge, margin, drop = world
    source = np.random.default_rng([seed, n, round(1000 * margin), round(1000 * drop)])
    tallies, either = [Tally() for _ in (*SHIFTS, *LABELS)], Tally()
    worths: list[list[int]] = [[] for _ in LABELS]
    certificate = certified(judge)
    for _ in range(tries):
        seen = play(source, n, drop, judge)
        _, fell, rose, _ = seen.sizes
        found = [by_judge(n, fell, rose, certificate, margin, shift) for shift in SHIFTS]
        for place, labels in enumerate(LABELS):
            pairs = label(source, seen, labels)
            worths[place].append(worth(pairs))
            found.append(by_labels(pairs, margin))
        for tally, decided in zip(tallies, found, strict=True):
            tally.add(*decided)
        passes = [pass_ and not fail for fail, pass_ in found]
        either.add(False, passes[1] or passes[3])
    return tallies, either, worths


def _rows(judge: Arms, n: int, margin: float, tries: int, seed: int) -> Iterator[list[str]]:
    """A row for each rule: without a drop, and with one of the margin."""
    same, _, worths = played(World(n, judge, margin, 0.0), tries, seed)
    worse, either, _ = played(World(n, judge, margin, margin), tries, seed)
    names = [
        *(f"judge, shift {shift:g}" for shift in SHIFTS),
        *(f"{labels} labels" for labels in LABELS),
    ]
    for place, name in enumerate(names):
        unchanged, dropped = same[place], worse[place]
        worth_of = worths[place - len(SHIFTS)] if place >= len(SHIFTS) else []
        yield [
            judge.name,
            f"{n:,}",
            f"{100 * margin:.0f}",
            name,
            percent(dropped.passed),
            percent(unchanged.failed),
            percent(unchanged.passed),
            percent(dropped.failed),
            percent(1 - unchanged.passed - unchanged.failed),
            percent(either.passed) if name == "100 labels" else "",
            f"{np.mean(worth_of):.0f}" if worth_of else "",
        ]


def arms(tries: int, seed: int, judges: Sequence[Arms]) -> None:
    """The rule by the judge and by labels, for judges that differ between the sides."""
    table(
        f"Judges that differ between the sides, {tries:,} tries a figure, %;"
        f" s.e. at 5 {percent(math.sqrt(0.05 * 0.95 / tries))}, limit"
        f" {percent(limit(0.05, tries))}",
        [
            "sensitivity", "cases", "margin", "rule", "wrong PASS at the margin", "wrong FAIL",
            "right PASS", "right FAIL at the margin", "INCONCLUSIVE without a drop",
            "PASS by the judge (.02) or these labels, at the margin", "labelled pairs are worth",
        ],
        (
            row
            for judge in judges
            for n in (200, 1000)
            for margin in (0.05, 0.1)
            for row in _rows(judge, n, margin, tries, seed)
        ),
    )  # fmt: skip


WEIGHTS = {"a noisy judge": (0.68, 0.11, 0.11, 0.1), "a sure judge": (0.9, 0.03, 0.04, 0.03)}
"""Shares of the classes: both pass, fell, rose, both fail."""


def _hidden_rates(weights: tuple[float, ...], margin: float) -> dict[str, list[list[float]]]:
    """By name, for each class the chances of worse, equal and better; the mean is -margin."""
    found = {}
    for place, name in enumerate(("both pass", "fell", "rose", "both fail")):
        if weights[place] > margin:
            drop = margin / weights[place]
            found[f"all in {name}"] = [
                [drop, 1 - drop, 0.0] if kind == place else [0.0, 1.0, 0.0] for kind in range(4)
            ]
    found["in all alike"] = [[margin, 1 - margin, 0.0]] * 4
    seen = -0.5 * weights[1] + 0.4 * weights[2]
    rest = (-margin - seen) / weights[0]
    if rest < 0:
        found["half of what is seen, and in both pass"] = [
            [0.01 - rest, 0.98 + rest, 0.01], [0.5, 0.5, 0.0], [0.0, 0.6, 0.4], [0.1, 0.8, 0.1]
        ]  # fmt: skip
    return found


def hidden(tries: int, seed: int) -> None:
    """Wrong PASS where a class hides the drop."""

    def rows() -> Iterator[list[str]]:
        for shown, weights in WEIGHTS.items():
            for n in (200, 1000):
                for margin in (0.05, 0.1):
                    for name, rates in _hidden_rates(weights, margin).items():
                        yield [shown, f"{n:,}", f"{100 * margin:.0f}", name, *(
                            percent(_wrong(weights, rates, (n, pairs), margin, tries, seed))
                            for pairs in (50, 100)
                        )]  # fmt: skip

    table(
        f"The drop hides in one class: wrong PASS at the margin, {tries:,} tries a figure, %;"
        f" limit {percent(limit(LEVEL, tries))}",
        ["classes", "cases", "margin", "the drop", "50 pairs", "100 pairs"],
        rows(),
    )


SIZES: dict[str, Callable[[np.random.Generator], Whole]] = {
    "200 of 5": lambda source: np.full(200, 5),
    "50 of 20": lambda source: np.full(50, 20),
    "20 of 50": lambda source: np.full(20, 50),
    "lognormal sizes, 150": lambda source: np.clip(
        np.rint(source.lognormal(1.4, 1.0, 150)), 1, 400
    ).astype(np.int64),
    "one of 500, 100 of 5": lambda source: np.r_[500, np.full(100, 5)],
}


class ClusteredWorld(NamedTuple):
    """Pairs in clusters. `within`: how alike the pairs of a cluster are, 0 to 1."""

    sizes: str
    within: float
    judge: Arms
    drop: float


def _clustered(source: np.random.Generator, world: ClusteredWorld) -> tuple[Try, Whole]:
    """The pairs of one run, and the cluster of each. The clusters share the chances of the four
    joint outcomes of people.
    """
    judge, sizes = world.judge, SIZES[world.sizes](source)
    worse, better = discordance(RATE, world.drop, CORRELATION)
    cells = np.array([RATE - worse, worse, better, 1 - RATE - better])
    spread = (1 - world.within) / world.within
    chances = source.gamma(np.maximum(cells * spread, 1e-12), size=(len(sizes), 4))
    chances /= chances.sum(axis=1, keepdims=True)
    cluster = np.repeat(np.arange(len(sizes)), sizes)
    limits = chances.cumsum(axis=1)[cluster]
    kinds = np.minimum((source.random(len(cluster))[:, None] > limits).sum(axis=1), 3)
    before, now = kinds < 2, kinds % 2 == 0
    chance = source.random((2, len(cluster)))
    seen_before = chance[0] < np.where(before, judge.before, 1 - judge.specificity)
    seen_now = chance[1] < np.where(now, judge.now, 1 - judge.specificity)
    classes = 2 * (1 - seen_before.astype(np.int64)) + (1 - seen_now.astype(np.int64))
    return Try(classes, now.astype(np.int64) - before.astype(np.int64)), cluster


def _labelled_in_clusters(
    source: np.random.Generator, seen: Try, cluster: Whole, labels: int
) -> LabelledPairs:
    strata, together = [], []
    for kind, drawn in enumerate(shares(seen.sizes, SPREADS, labels // 2)):
        places = np.flatnonzero(seen.classes == kind)
        chosen = source.choice(places, drawn, replace=False) if drawn else places[:0]
        moved = seen.people[chosen]
        worse, better = int((moved < 0).sum()), int((moved > 0).sum())
        counts = PairCounts(worse, drawn - worse - better, better)
        strata.append(LabelledStratum(len(places), counts, counts))
        together.append(cluster[chosen].tolist())
    return with_clusters(LabelledPairs(tuple(strata)), cluster.tolist(), together)


def clusters(tries: int, seed: int) -> None:
    """Labels of cases in clusters, at margin 10 and the whole rate of 5 %."""

    def tally(world: ClusteredWorld, labels: int) -> Tally:
        source, found = np.random.default_rng([seed, labels, round(100 * world.within)]), Tally()
        for _ in range(tries):
            seen, cluster = _clustered(source, world)
            pairs = _labelled_in_clusters(source, seen, cluster, labels)
            estimate = stratified_difference(pairs)
            fail = estimate < 0 and p_at_most(pairs.turned(), 0.0, WEIGHTINGS) <= LEVEL
            found.add(fail, estimate > -0.1 and p_at_most(pairs, -0.1, WEIGHTINGS) <= LEVEL)
        return found

    def rows() -> Iterator[list[str]]:
        for name in SIZES:
            for within in (0.2, 0.5):
                for judge in (JUDGES[0], JUDGES[2]):
                    for labels in (100, 200):
                        same, worse = (
                            tally(ClusteredWorld(name, within, judge, drop), labels)
                            for drop in (0.0, 0.1)
                        )
                        figures = (worse.passed, same.failed, same.passed, worse.failed)
                        yield [name, f"{within}", judge.name, f"{labels}", *map(percent, figures)]

    table(
        f"Labels of cases in clusters, margin 10, {tries:,} tries a figure, %;"
        f" limit {percent(limit(LEVEL, tries))}",
        [
            "clusters", "correlation", "sensitivity", "labels", "wrong PASS at the margin",
            "wrong FAIL", "right PASS", "right FAIL at the margin",
        ],
        rows(),
    )  # fmt: skip


def _first_answers(source: np.random.Generator, n: int, drop: float, judge: Arms) -> Try:
    """The first of several answers to n cases of different difficulty, and what the judge says. The
    further answers are drawn too, so that a later choice of one could not go unnoticed.
    """
    spread = (1 - CORRELATION) / CORRELATION
    easy = source.beta(RATE * spread, (1 - RATE) * spread, n)
    before = source.random((5, n)) < easy
    now = source.random((3, n)) < easy * (1 - drop / RATE)
    chance = source.random((2, n))
    old, new = before[-1], now[0]
    seen_before = chance[0] < np.where(old, judge.before, 1 - judge.specificity)
    seen_now = chance[1] < np.where(new, judge.now, 1 - judge.specificity)
    classes = 2 * (1 - seen_before.astype(np.int64)) + (1 - seen_now.astype(np.int64))
    return Try(classes, new.astype(np.int64) - old.astype(np.int64))


def first(tries: int, seed: int) -> None:
    """Wrong decisions by labels of the first answers."""

    def rows() -> Iterator[list[str]]:
        for judge in JUDGES[1:]:
            for labels in LABELS[1:]:
                source, tallies = np.random.default_rng([seed, 9, labels]), []
                for drop in (0.0, 0.05, 0.1):
                    tally = Tally()
                    for _ in range(tries):
                        seen = _first_answers(source, 300, drop, judge)
                        tally.add(*by_labels(label(source, seen, labels), 0.05))
                    tallies.append(tally)
                same, margin, worse = tallies
                figures = (same.failed, margin.passed, worse.passed, worse.failed)
                yield [judge.name, f"{labels}", *map(percent, figures)]

    table(
        f"Labels of the first of several answers, 300 cases, margin 5, {tries:,} tries, %; limit"
        f" {percent(limit(LEVEL * draw_share(1), tries))}",
        ["judge", "labels", "wrong FAIL", "wrong PASS at -5", "wrong PASS at -10", "FAIL at -10"],
        rows(),
    )


def _wrong(
    weights: tuple[float, ...],
    rates: list[list[float]],
    sizes: tuple[int, int],
    margin: float,
    tries: int,
    seed: int,
) -> float:
    """Share of PASS at the whole level."""
    n, labelled = sizes
    source, passes = np.random.default_rng([seed, n, labelled]), 0
    for _ in range(tries):
        counts = [int(size) for size in source.multinomial(n, weights)]
        strata = []
        for size, drawn, chances in zip(
            counts, shares(counts, SPREADS, labelled), rates, strict=True
        ):
            found = PairCounts(*(int(each) for each in source.multinomial(drawn, chances)))
            strata.append(LabelledStratum(size, found, found))
        pairs = LabelledPairs(tuple(strata))
        if stratified_difference(pairs) > -margin:
            passes += p_at_most(pairs, -margin, WEIGHTINGS) <= LEVEL
    return passes / tries


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tries", type=int, default=1000, help="tries a figure")
    parser.add_argument("--section", choices=("arms", "hidden", "clusters", "first"))
    parser.add_argument("--only", default="", help="only judges whose sensitivities begin so")
    parser.add_argument("--seed", type=int, default=18)
    options = parser.parse_args()
    if options.section in (None, "arms"):
        judges = [judge for judge in JUDGES if judge.name.startswith(options.only)]
        arms(options.tries, options.seed, judges)
    if options.section in (None, "hidden"):
        hidden(options.tries, options.seed)
    if options.section in (None, "clusters"):
        clusters(options.tries, options.seed)
    if options.section in (None, "first"):
        first(options.tries, options.seed)


if __name__ == "__main__":
    main()
