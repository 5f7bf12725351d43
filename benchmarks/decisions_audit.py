"""The places where stated error rates are hardest to keep: each cell with its nominal rate.

    python benchmarks/decisions_audit.py [--runs 2000]
        [--section clusters|margin|looks|every|drift|hints|order] [--only Pareto&once]

A cell holds when the measured rate is at most the nominal one plus two Monte-Carlo standard errors;
sections `margin`, `looks` and `every` are computed exactly; `every` is both at every size. Everything is seeded. Exit code 1 where a cell
does not hold.
"""

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import NamedTuple

import numpy as np
from decisions_exact import GO, OPEN, PASS, Grid, Law, follow
from numpy.typing import NDArray

from llmeval.core.results import Decision
from llmeval.gate.pairs import PairedCases
from llmeval.gate.rules.open_hints import likely_floor_cases
from llmeval.gate.rules.regression_hints import answers_needed, likely_pairs
from llmeval.stats import power
from llmeval.stats.estimation.bounds import lower_bound, upper_bound
from llmeval.stats.estimation.paired import mcnemar_worse
from llmeval.stats.sequential.betting import bets
from llmeval.stats.sequential.design import TestDesign, floor, regression
from llmeval.stats.sequential.drift import drift_p_value, varies_at_most
from llmeval.stats.sequential.gate_test import HybridTest, decide
from llmeval.stats.sequential.spending import PASS as PASSES
from llmeval.stats.sequential.spending import levels, schedule, spent
from llmeval.stats.tests.fixed_sample import Nulls, final_test

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Sizes = Callable[[np.random.Generator], Whole]

RATE, WITHIN = 0.05, 0.2


class Cell(NamedTuple):
    """One error of the product. `se`: Monte-Carlo standard error, 0 where the rate is exact."""

    name: str
    nominal: float
    measured: float
    se: float = 0.0
    remark: str = ""

    @property
    def holds(self) -> bool:
        """Whether the measured rate is within two standard errors of the nominal one."""
        return self.measured <= self.nominal + 2 * self.se + 1e-9


def simulated(name: str, nominal: float, errors: int, runs: int, remark: str = "") -> Cell:
    """The cell of an error that was counted. The standard error is that of the nominal rate."""
    se = math.sqrt(nominal * (1 - nominal) / runs)
    return Cell(name, nominal, errors / runs, se, remark)


def effective(sizes: Whole) -> float:
    """How many clusters of equal size weigh as much as these: (sum s)^2 / sum s^2."""
    return float(sizes.sum() ** 2 / (sizes.astype(float) ** 2).sum())


def _rounded(values: Floats, most: int = 2000) -> Whole:
    return np.clip(np.rint(values), 1, most).astype(np.int64)


CLUSTERS: dict[str, Sizes] = {
    "50 of 20": lambda rng: np.full(50, 20),
    "200 of 5": lambda rng: np.full(200, 5),
    "lognormal sizes, 100": lambda rng: _rounded(rng.lognormal(1.0, 1.2, 100)),
    "lognormal sizes, 500": lambda rng: _rounded(rng.lognormal(1.0, 1.2, 500)),
    "Pareto sizes, 150": lambda rng: _rounded(3 * (1 + rng.pareto(1.5, 150)), 500),
    "Pareto sizes, 400": lambda rng: _rounded(3 * (1 + rng.pareto(1.2, 400)), 1000),
    "two large of 150, 200 of 3": lambda rng: np.r_[150, 150, np.full(200, 3)],
    "one of 500, 100 of 5": lambda rng: np.r_[500, np.full(100, 5)],
}


def pair_means(
    rng: np.random.Generator, sizes: Whole, drop: float, correlation: float, base: float
) -> Floats:
    """Each cluster's mean difference; the clusters share their four joint outcomes' chances."""
    worse, better = power.discordance(base, drop, correlation)
    cells = np.array([base - worse, worse, better, 1 - base - better])
    shares = rng.gamma(
        np.maximum(cells * (1 - WITHIN) / WITHIN, 1e-12), size=(len(sizes), len(cells))
    )
    counts = rng.multinomial(sizes, shares / shares.sum(axis=1, keepdims=True))
    means: Floats = (counts[:, 2] - counts[:, 1]) / sizes
    return means


def pass_means(rng: np.random.Generator, sizes: Whole, rate: float) -> Floats:
    """Each cluster's pass rate."""
    scale = (1 - WITHIN) / WITHIN
    passed = rng.binomial(sizes, rng.beta(rate * scale, (1 - rate) * scale, len(sizes)))
    means: Floats = passed / sizes
    return means


def decided(plan: TestDesign, values: Floats, sizes: Whole) -> tuple[Decision, bool]:
    """What the gate's test says of these clusters, in this order; and whether it would PASS, were
    FAIL not read first.
    """
    test = HybridTest(plan)
    test.update(values, sizes)
    verdict = test.finish(bounds=False)
    return verdict.decision, verdict.p_pass <= plan.rates[1]


def clusters(runs: int, chosen: str = "") -> Iterator[Cell]:
    """Rules over clusters of unequal size, read once and on the way. `chosen`: only those
    whose name holds all of these, joined by &.
    """
    for name, draw in CLUSTERS.items():
        for early in (False, True):
            how = "early" if early else "once"
            if not all(part in f"{name}, {how}" for part in chosen.split("&")):
                continue
            for rule in RULES:
                rng = np.random.default_rng([31, len(name), early])
                wrong, right, seen = {Decision.PASS: 0, Decision.FAIL: 0}, 0, 0.0
                for _ in range(runs):
                    sizes = rng.permutation(draw(rng))
                    seen += effective(sizes) / runs
                    plan = rule.plan(sizes, early)
                    wrong[Decision.PASS] += decided(plan, rule.bad(rng, sizes), sizes)[1]
                    found, _ = decided(plan, rule.good(rng, sizes), sizes)
                    wrong[Decision.FAIL] += found is Decision.FAIL
                    right += found is Decision.PASS
                title = f"{name} ({seen:.0f} effective), {rule.name}, {how}"
                passed = f"right PASS {100 * right / runs:.0f} %"
                yield simulated(f"{title}: wrong PASS", RATE, wrong[Decision.PASS], runs, passed)
                yield simulated(f"{title}: wrong FAIL", RATE, wrong[Decision.FAIL], runs)


class ClusterRule(NamedTuple):
    """A rule over clusters. `bad`: values just at the limit of PASS; `good`: of an unchanged
    candidate, or of a floor's candidate just at the floor's limit of FAIL.
    """

    name: str
    plan: Callable[[Whole, bool], TestDesign]
    bad: Callable[[np.random.Generator, Whole], Floats]
    good: Callable[[np.random.Generator, Whole], Floats]


def margin_rule(margin: float, base: float, correlation: float) -> ClusterRule:
    """A regression rule."""
    return ClusterRule(
        f"margin {100 * margin:.0f}, base {base}, corr {correlation}",
        lambda sizes, early: regression(
            units=len(sizes),
            cases=sizes.sum(),
            largest=sizes.max(),
            margin=margin,
            sequential=early,
        ),
        lambda rng, sizes: pair_means(rng, sizes, margin, correlation, base),
        lambda rng, sizes: pair_means(rng, sizes, 0.0, correlation, base),
    )


def floor_rule(threshold: float) -> ClusterRule:
    """A floor; at its threshold both PASS and FAIL are wrong."""
    return ClusterRule(
        f"floor {threshold}",
        lambda sizes, early: floor(
            units=len(sizes),
            cases=sizes.sum(),
            largest=sizes.max(),
            threshold=threshold,
            sequential=early,
        ),
        lambda rng, sizes: pass_means(rng, sizes, threshold),
        lambda rng, sizes: pass_means(rng, sizes, threshold),
    )


RULES = (
    margin_rule(0.1, 0.8, 0.2),
    margin_rule(0.1, 0.8, 0.8),
    margin_rule(0.05, 0.95, 0.5),
    floor_rule(0.8),
    floor_rule(0.95),
)


@cache
def pass_p(worse: int, better: int, n: int, null: float, level: float) -> float:
    """The product's p-value of PASS on n pairs."""
    values = np.r_[np.full(worse, -1.0), np.full(better, 1.0), np.zeros(n - worse - better)]
    nulls = Nulls(0.0, null, -1.0, 1.0, level, level)
    return final_test(values, np.ones(n), nulls, bounds=False).p_pass


def rejects(n: int, null: float, level: float, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """At which counts (worse, better) of n pairs the test PASSes at a level."""
    found = np.zeros(shape, dtype=bool)
    fewest = 0
    for worse in range(min(shape[0], n + 1)):
        fewest = max(fewest - 2, 0)
        most = min(shape[1] - 1, n - worse)
        while fewest <= most and pass_p(worse, fewest, n, null, level) > level:
            fewest += 1
        found[worse, fewest : most + 1] = True
    return found


def shares_that_differ(margin: float) -> Floats:
    """Nuisance values at a drop of the margin: the share of pairs that differ, from the margin
    on.
    """
    shares: Floats = margin + (0.5 - margin) * np.linspace(0, 1, 60) ** 2
    return shares


def worst(actions: dict[int, Grid], margin: float, n: int) -> tuple[float, float]:
    """The largest probability of PASS at a drop of the margin, and at which share that differs."""
    sizes = [
        (follow(actions, Law((share + margin) / 2, (share - margin) / 2), n).passed, share)
        for share in shares_that_differ(margin)
    ]
    return max(sizes)


def grid_of(n: int) -> tuple[int, int]:
    """Counts that are followed: all of them, or so many that more never happen."""
    return (min(n, round(0.32 * n + 6 * math.sqrt(0.22 * n))) + 1,) * 2


def margin(_: int) -> Iterator[Cell]:
    """The size of the margin test of independent pairs, read once, exactly."""
    for n in (25, 29, 45, 52, 59, 93, 100, 150, 200):
        for drop in (0.02, 0.05, 0.1):
            if n * drop < 1:
                continue
            found = np.where(rejects(n, -drop, RATE, grid_of(n)), PASS, OPEN).astype(np.int8)
            size, share = worst({n: found}, drop, n)
            name = f"{n} pairs, margin {100 * drop:.0f}: wrong PASS, the worst share that differs"
            yield Cell(name, RATE, size, remark=f"at {100 * share:.1f} %")


def looks(_: int) -> Iterator[Cell]:
    """The same with looks on the way; FAIL, which would end some of these runs before, left out."""
    for n in (25, 52, 59, 100, 150):
        for drop in (0.05, 0.1):
            plan = regression(units=n, margin=drop)
            size, share = worst(_looked(plan, grid_of(n)), drop, n)
            name = f"{n} pairs, margin {100 * drop:.0f}, looks: wrong PASS, the worst share"
            yield Cell(name, RATE, size, remark=f"at {100 * share:.1f} %")


def every(_: int) -> Iterator[Cell]:
    """Both at every size from 20 to 120 pairs: the largest wrong PASS of any."""
    for drop in (0.05, 0.1):
        sizes = range(20, 121)
        once = [
            (
                worst(
                    {n: np.where(rejects(n, -drop, RATE, grid_of(n)), PASS, OPEN).astype(np.int8)},
                    drop,
                    n,
                ),
                n,
            )
            for n in sizes
        ]
        looked = [
            (worst(_looked(regression(units=n, margin=drop), grid_of(n)), drop, n), n)
            for n in sizes
        ]
        for how, found in (("once", once), ("looks", looked)):
            (size, share), n = max(found)
            name = f"margin {100 * drop:.0f}, {how}: the largest wrong PASS over 20 to 120 pairs"
            yield Cell(name, RATE, size, remark=f"{n} pairs, {100 * share:.1f} % differ")


def _looked(plan: TestDesign, shape: tuple[int, int]) -> dict[int, Grid]:
    """Where the test PASSes at each look; its betting leg is read after every case."""
    at = schedule(plan.units)
    times = tuple(each / plan.units for each in at)
    rate = plan.rates[1] * (1 - plan.share)
    used = tuple(rate * spent(time, plan.information, PASSES) for time in times)
    limits = dict(zip(at, levels(times, used), strict=True))
    worse, better = np.arange(float(shape[0]))[:, None], np.arange(float(shape[1]))[None, :]
    found: dict[int, Grid] = {}
    for n in range(1, plan.units + 1):
        passed = _wealthy(plan, worse, np.maximum(n - worse - better, 0.0), better)
        if limits.get(n, 0.0) > 1e-9:
            passed = passed | rejects(n, plan.pass_null, limits[n], shape)
        found[n] = np.where(passed, PASS, GO if n < plan.units else OPEN).astype(np.int8)
    return found


def _wealthy(plan: TestDesign, worse: Floats, same: Floats, better: Floats) -> NDArray[np.bool_]:
    gamblers, null, high = bets(plan.aim_pass), -plan.pass_null, -plan.low
    total = np.zeros(np.broadcast_shapes(worse.shape, better.shape))
    for fraction, share in zip(gamblers.fractions, gamblers.log_shares, strict=True):
        steps = [math.log1p(fraction * (null + value) / (high - null)) for value in (-1, 0, 1)]
        counts = (worse, same, better)
        total += np.exp(
            share + sum(step * count for step, count in zip(steps, counts, strict=True))
        )
    reached: NDArray[np.bool_] = total >= 1 / (plan.rates[1] * plan.share)
    return reached


def drift(runs: int) -> Iterator[Cell]:
    """The slow-drift alarm of a judge that varies by itself and does not change: with what it
    varies by known, and with a retest of 30 answers that says so, as in a certificate.
    """
    for anchors, natural in ((50, 0.02), (50, 0.05), (50, 0.1), (20, 0.05), (50, 0.2)):
        for kind in ("all alike", "some are coins", "spread"):
            for calls, retested in ((1, False), (3, False), (3, True)):
                rng = np.random.default_rng([33, anchors, round(100 * natural), calls, retested])
                wrong = sum(
                    _alarm(rng, kind, anchors, natural, calls, retested) for _ in range(runs)
                )
                how = f"{calls} calls an anchor{', by a retest' if retested else ''}"
                name = f"{anchors} anchors, {100 * natural:.0f} % vary, {kind}, {how}"
                yield simulated(f"{name}: alarm in 200 runs", 0.02, wrong, runs)


def _alarm(
    rng: np.random.Generator, kind: str, anchors: int, natural: float, calls: int, retested: bool
) -> bool:
    """Whether an unchanged judge is called drifting in 200 runs."""
    stated = natural
    if retested:
        split = rng.random((3, 30)) < _minorities(rng, kind, 30, natural)
        stated = varies_at_most(int((split.all(axis=0) | ~split.any(axis=0)).sum()), 30, 3)
    chance = _minorities(rng, kind, 8 * anchors, natural)
    votes = rng.random((calls, len(chance))) < chance
    kept = np.flatnonzero(votes.all(axis=0) | ~votes.any(axis=0))[:anchors]
    changed = ((rng.random((200, len(kept))) < chance[kept]) != votes[0, kept]).sum(axis=1)
    return drift_p_value(changed.tolist(), [len(kept)] * 200, stated, calls) <= 0.02


def _minorities(rng: np.random.Generator, kind: str, anchors: int, natural: float) -> Floats:
    """Each answer's chance of the rarer verdict; two calls differ on `natural` of them."""
    minority = (1 - math.sqrt(1 - 2 * natural)) / 2
    if kind == "all alike":
        return np.full(anchors, minority)
    if kind == "some are coins":
        return np.where(rng.random(anchors) < 2 * natural, 0.5, 0.0)
    return rng.beta(2 * minority, 2 * (1 - minority), anchors)


def hints(runs: int) -> Iterator[Cell]:
    """How often the stated number of more cases does not decide, where 4 of 5 tries are stated. At
    a limit itself no number decides; what is stated there is a range, and no cell of this table.
    """
    runs = max(100, runs // 4)
    for n, threshold, rate in HINT_FLOORS:
        rng = np.random.default_rng([35, n, round(1000 * rate)])
        wrong = sum(not _floor_decides(rng, n, threshold, rate) for _ in range(runs))
        name = f"{n} cases, floor {threshold}, true rate {rate}: not decided"
        yield simulated(name, 0.2, wrong, runs)
    for n, drop_limit, drop, differ in HINT_MARGINS:
        rng = np.random.default_rng([36, n, round(1000 * drop), round(1000 * differ)])
        shares = ((differ + drop) / 2, (differ - drop) / 2, 1 - differ)
        wrong = sum(not _margin_decides(rng, n, drop_limit, shares) for _ in range(runs))
        how = f"true drop {100 * drop:.1f}, {100 * differ:.0f} % differ"
        name = f"{n} pairs, margin {100 * drop_limit:.0f}, {how}: not decided"
        yield simulated(name, 0.2, wrong, runs)

    for n, drop_limit, differ in ((30, 0.15, 0.16), (60, 0.1, 0.2), (100, 0.05, 0.16)):
        rng = np.random.default_rng([37, n])
        wrong = sum(not _answers_decide(rng, n, drop_limit, differ) for _ in range(runs))
        name = f"{n} pairs, margin {100 * drop_limit:.0f}, more answers a case: not decided"
        yield simulated(name, 0.2, wrong, runs)


HINT_FLOORS = (
    (30, 0.8, 0.9),
    (60, 0.9, 0.97),
    (100, 0.8, 0.85),
    (100, 0.8, 0.75),
    (200, 0.95, 0.97),
)
HINT_MARGINS = (
    (30, 0.05, 0.0, 0.1),
    (30, 0.1, 0.0, 0.16),
    (100, 0.05, 0.0, 0.16),
    (100, 0.1, 0.03, 0.16),
    (100, 0.05, 0.1, 0.2),
    (200, 0.05, 0.0, 0.2),
)


def _floor_decides(rng: np.random.Generator, n: int, threshold: float, rate: float) -> bool:
    """Whether an open floor is decided by as many more cases as its hint states."""

    def open_at(passed: int, cases: int) -> bool:
        found = floor_bounds(passed, cases)
        return found[0] < threshold <= found[1]

    passed = int(rng.binomial(n, rate))
    while not open_at(passed, n):
        passed = int(rng.binomial(n, rate))
    more = likely_floor_cases(passed, n, threshold, RATE, RATE)
    return more is not None and not open_at(passed + int(rng.binomial(more, rate)), n + more)


def floor_bounds(passed: int, cases: int) -> tuple[float, float]:
    """The bounds that decide a floor of independent cases."""
    return lower_bound(passed, cases, RATE), upper_bound(passed, cases, RATE)


def _margin_decides(
    rng: np.random.Generator, n: int, drop: float, shares: tuple[float, float, float]
) -> bool:
    """The same of a margin."""
    plan = regression(units=n, margin=drop, sequential=False)

    def is_open(worse: int, better: int, cases: int) -> bool:
        fails = mcnemar_worse(worse, better) <= RATE
        return not fails and pass_p(worse, better, cases, -drop, RATE) > RATE

    worse, better = (int(each) for each in rng.multinomial(n, shares)[:2])
    while not is_open(worse, better, n):
        worse, better = (int(each) for each in rng.multinomial(n, shares)[:2])
    values = (-1.0,) * worse + (1.0,) * better + (0.0,) * (n - worse - better)
    pairs = PairedCases(values, tuple(str(i) for i in range(n)))
    more = likely_pairs(pairs, plan, RATE)
    if more is None:
        return False
    again = [int(each) for each in rng.multinomial(more, shares)[:2]]
    return not is_open(worse + again[0], better + again[1], n + more)


def _answers_decide(rng: np.random.Generator, n: int, drop: float, differ: float) -> bool:
    """The same of more answers a case on both sides, of an unchanged candidate; each case has its
    own chance of a good answer.
    """
    rate, plan = 0.85, regression(units=n, margin=drop, sequential=False)
    total = differ / (2 * rate * (1 - rate) - differ)
    while True:
        chance = rng.beta(rate * total, (1 - rate) * total, n)
        values = (rng.random(n) < chance).astype(float) - (rng.random(n) < chance)
        pairs = PairedCases(tuple(values.tolist()), tuple(str(i) for i in range(n)))
        answers = answers_needed(pairs, plan)
        if answers is not None and decide(plan, values.tolist()).decision is Decision.INCONCLUSIVE:
            break
    again = (rng.binomial(answers, chance) - rng.binomial(answers, chance)) / answers
    return decide(plan, again.tolist()).decision is not Decision.INCONCLUSIVE


def order(runs: int) -> Iterator[Cell]:
    """Cases never asked over 25 unchanged changes that each ask 320 of 1,000 in their order."""
    del runs
    from llmeval.data.cases import order_of

    asked: set[int] = set()
    for change in range(25):
        names = order_of(list(range(1000)), f"20261130T12{change:02d}00Z-{change:06x}")
        asked |= set(names[:320])
    chance = (1 - 0.32) ** 25
    se = math.sqrt(chance * (1 - chance) / 1000)
    yield Cell(
        "25 changes, 320 of 1,000 asked: cases never asked", chance, 1 - len(asked) / 1000, se
    )


SECTIONS: dict[str, Callable[[int], Iterator[Cell]]] = {
    "clusters": clusters,
    "margin": margin,
    "looks": looks,
    "every": every,
    "drift": drift,
    "hints": hints,
    "order": order,
}


def main() -> int:
    """Print the chosen sections; 1 where a cell does not hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--section", action="append", choices=[*SECTIONS], help="only this one")
    parser.add_argument("--runs", type=int, default=2000, help="runs a cell")
    parser.add_argument(
        "--only", default="", help="only clusters whose name holds this, as in half&once"
    )
    options = parser.parse_args()
    broken = 0
    for name in options.section or SECTIONS:
        start = time.perf_counter()
        print(f"\n## {name}\n\n| cell | nominal % | measured % | s.e. | holds | |\n|{'---|' * 6}")
        section = partial(clusters, chosen=options.only) if name == "clusters" else SECTIONS[name]
        for cell in section(options.runs):
            broken += not cell.holds
            figures = f"{100 * cell.nominal:.2f} | {100 * cell.measured:.2f} | {100 * cell.se:.2f}"
            holds = "yes" if cell.holds else "**no**"
            print(f"| {cell.name} | {figures} | {holds} | {cell.remark} |", flush=True)
        print(f"\n({name}: {time.perf_counter() - start:.0f} s)", flush=True)
    print(f"\n{broken} cells do not hold" if broken else "\nAll cells hold.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
