"""How often decisions are wrong, and what they cost, measured by simulation.

    python benchmarks/decisions.py [--full] [--runs N] [--section
    coverage|shift|gate|naive|calls|estimated|floors|planner|speed]

Small by default (200 runs a cell, about two minutes); `--full` is 2,000 (about 15 minutes).
Everything is seeded. Base pass rate .8, margin 5 points, 1,000 cases unless said; "J" is the
judge's sensitivity + specificity - 1; "corr" the correlation of the two sides' results.
"""

import argparse
import math
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmeval.core.results import Decision
from llmeval.planning.metric_profile import MetricProfile as Suite
from llmeval.planning.sample_size import cases_for
from llmeval.planning.simulation import simulate_regression
from llmeval.stats import power
from llmeval.stats.estimation.agreement import youden_lower
from llmeval.stats.estimation.bounds import clopper_pearson, mean_bounds, wilson
from llmeval.stats.estimation.correction import estimate_rate
from llmeval.stats.estimation.label_counts import LabelCounts, Provenance
from llmeval.stats.estimation.paired import mcnemar_worse
from llmeval.stats.sequential.design import TestDesign, floor, regression
from llmeval.stats.sequential.gate_test import HybridTest, decide

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

CASES, MARGIN, BASE = 1000, 0.05, 0.8
JUDGES = {1.0: (1.0, 1.0), 0.9: (0.95, 0.95), 0.75: (0.85, 0.9)}
WITHIN = 0.2
ANALYSIS_EVERY = 10
BATCH = 100


class Shape(NamedTuple):
    """A suite: independent units, cases in each, correlation of results within a unit."""

    name: str
    units: int
    size: int
    within: float


SHAPES = (Shape("independent", 1000, 1, 0.0), Shape("200 clusters of 5", 200, 5, WITHIN))
FEW = Shape("50 clusters of 20", 50, 20, WITHIN)


class Outcomes(NamedTuple):
    """What came of many runs: shares of FAIL and PASS, and the mean share of the cases used."""

    fail: float
    passed: float
    used: float


def arms(
    rng: np.random.Generator, shape: Shape, drop: float, correlation: float, base: float = BASE
) -> tuple[Bools, Bools]:
    """People's verdicts on both sides of one run. Within a cluster the four joint outcomes share
    their probabilities.
    """
    worse, better = power.discordance(base, drop, correlation)
    cells = np.array([base - worse, worse, better, 1 - base - better])
    if shape.within:
        drawn = rng.gamma(
            np.maximum(cells * (1 - shape.within) / shape.within, 1e-12), size=(shape.units, 4)
        )
        cumulative = np.repeat(
            (drawn / drawn.sum(axis=1, keepdims=True)).cumsum(axis=1)[:, :3], shape.size, axis=0
        )
    else:
        cumulative = cells.cumsum()[None, :3]
    cell = (rng.random((shape.units * shape.size, 1)) > cumulative).sum(axis=1)
    return cell <= 1, (cell == 0) | (cell == 2)


def judged(rng: np.random.Generator, truth: Bools, judge: tuple[float, float]) -> Bools:
    """A judge's verdicts: right with its sensitivity on good answers, with its specificity on bad
    ones.
    """
    luck = rng.random(len(truth))
    return np.where(truth, luck < judge[0], luck > judge[1])


def differences(
    rng: np.random.Generator, shape: Shape, drop: float, correlation: float, youden: float
) -> Floats:
    """Each unit's mean difference, candidate minus baseline, as the judge sees it."""
    baseline, candidate = arms(rng, shape, drop, correlation)
    if youden < 1:
        baseline, candidate = (judged(rng, side, JUDGES[youden]) for side in (baseline, candidate))
    return (candidate.astype(float) - baseline).reshape(shape.units, shape.size).mean(axis=1)


def plan_for(shape: Shape, youden: float) -> TestDesign:
    """The gate's plan, as a run makes it: nothing is known of how often the sides differ."""
    return regression(
        units=shape.units,
        cases=shape.units * shape.size,
        largest=shape.size,
        margin=MARGIN,
        j_lower=youden,
    )


class Run(NamedTuple):
    """One run: its decision, the units used, and whether the betting leg decided."""

    decision: Decision
    used: int
    early: bool


def play(plan: TestDesign, values: Floats, size: int) -> Run:
    """One run, batch by batch as in production."""
    test = HybridTest(plan)
    for start in range(0, len(values), BATCH):
        batch = values[start : start + BATCH]
        decision = test.update(batch, np.full(len(batch), size))
        if decision is not None:
            return Run(decision, test.used, True)
    return Run(test.finish().decision, test.used, False)


def cut(run: Run, stop: int) -> Run:
    """The same run, had it been stopped after `stop` units: the final leg is not read then."""
    if run.early and run.used <= stop:
        return run
    return Run(Decision.INCONCLUSIVE, stop, False)


def outcomes(found: list[Run], units: int) -> Outcomes:
    """Shares over runs. A look is taken every 10 units, so what is used is rounded up to that."""
    decisions = [run.decision for run in found]
    looked = [min(units, math.ceil(run.used / ANALYSIS_EVERY) * ANALYSIS_EVERY) for run in found]
    return Outcomes(
        decisions.count(Decision.FAIL) / len(found),
        decisions.count(Decision.PASS) / len(found),
        sum(looked) / len(found) / units,
    )


def table(title: str, head: list[str], rows: Iterator[list[str]]) -> None:
    """Print one Markdown table, row by row as it is computed."""
    print(f"\n## {title}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)


def percent(share: float) -> str:
    """12.3"""
    return f"{100 * share:.1f}"


def limit(rate: float, runs: int) -> float:
    """The error rate plus two Monte-Carlo standard errors."""
    return rate + 2 * math.sqrt(rate * (1 - rate) / runs)


def gate(runs: int) -> None:
    """Verdict errors in every cell; "cut" is the same runs, stopped by a budget at a random
    unit.
    """

    def rows() -> Iterator[list[str]]:
        worst = 0.0
        for shape in (*SHAPES, FEW):
            for correlation in (0.2, 0.5, 0.8):
                for youden in JUDGES if shape is not FEW else (1.0,):
                    rng = np.random.default_rng(
                        [11, shape.units, int(10 * correlation), int(100 * youden)]
                    )
                    plan = plan_for(shape, youden)
                    found = []
                    for drop in (0.0, MARGIN):
                        full = [
                            play(
                                plan, differences(rng, shape, drop, correlation, youden), shape.size
                            )
                            for _ in range(runs)
                        ]
                        stops = rng.integers(1, shape.units, runs)
                        stopped = [
                            cut(run, int(stop)) for run, stop in zip(full, stops, strict=True)
                        ]
                        found += [outcomes(full, shape.units), outcomes(stopped, shape.units)]
                    same, same_cut, worse, worse_cut = found
                    worst = max(worst, same.fail, same_cut.fail, worse.passed, worse_cut.passed)
                    yield [
                        shape.name,
                        f"{correlation}",
                        f"{youden}",
                        percent(same.fail),
                        percent(worse.passed),
                        percent(same_cut.fail),
                        percent(worse_cut.passed),
                        percent(same.passed),
                        percent(worse.fail),
                        f"{100 * same.used:.0f}",
                        f"{100 * worse.used:.0f}",
                    ]
        yield [
            "worst error",
            "",
            "",
            percent(worst),
            f"limit {percent(limit(0.05, runs))}",
            *[""] * 6,
        ]

    table(
        "Verdict errors: false FAIL at no drop, false PASS at a drop of the margin (nominal 5 %)",
        [
            "suite",
            "corr",
            "J",
            "false FAIL",
            "false PASS",
            "false FAIL, cut at random",
            "false PASS, cut at random",
            "PASS at 0",
            "FAIL at -5",
            "used at 0",
            "used at -5",
        ],
        rows(),
    )


def calls(runs: int) -> None:
    """Share of the cases used, by drop, for each target; the claim of `suite` is about this suite
    only.
    """

    def rows() -> Iterator[list[str]]:
        for target in ("population", "suite"):
            for correlation in (0.2, 0.5, 0.8):
                rng = np.random.default_rng([12, int(10 * correlation)])
                cells = []
                for drop in (0.0, 0.03, 0.05, 0.10, 0.20):
                    values = [
                        differences(rng, SHAPES[0], drop, correlation, 1.0) for _ in range(runs)
                    ]
                    plan = regression(units=CASES, margin=MARGIN, target=target)  # type: ignore[arg-type]
                    decided = [play(plan, row, 1) for row in values]
                    found = outcomes(decided, CASES)
                    text = (
                        f"{100 * found.used:.0f} (F{percent(found.fail)} P{percent(found.passed)})"
                    )
                    if target == "suite":
                        pairs = zip(decided, values, strict=True)
                        wrong = sum(
                            (run.decision is Decision.FAIL and row.mean() >= 0)
                            or (run.decision is Decision.PASS and row.mean() <= -MARGIN)
                            for run, row in pairs
                        )
                        text += f", {percent(wrong / runs)} against the full suite"
                    cells.append(text)
                yield [target, f"{correlation}", *cells]

    table(
        "Cases used, % of 1,000 (share of FAIL and PASS)",
        ["target", "corr", "0", "-3", "-5", "-10", "-20"],
        rows(),
    )


def naive(runs: int) -> None:
    """What usual gates do on the same data."""

    def unpaired(worse: int, better: int, both: int, n: int) -> bool:
        pb, pc = (both + worse) / n, (both + better) / n
        pooled = (pb + pc) / 2
        return (pc - pb) / math.sqrt(max(2 * pooled * (1 - pooled) / n, 1e-12)) < -1.645

    def rows() -> Iterator[list[str]]:
        for n in (100, 300, 1000):
            rng = np.random.default_rng([13, n])
            plan = regression(units=n, margin=MARGIN)
            for drop in (0.0, MARGIN, 2 * MARGIN):
                counts = {"drop": 0, "mcnemar": 0, "unpaired": 0, "fail": 0, "pass": 0, "peek": 0}
                for _ in range(runs):
                    baseline, candidate = arms(rng, Shape("", n, 1, 0.0), drop, 0.5)
                    d = candidate.astype(float) - baseline
                    worse, better, both = (
                        int((d < 0).sum()),
                        int((d > 0).sum()),
                        int((baseline & candidate).sum()),
                    )
                    counts["drop"] += worse - better > 0.02 * n
                    counts["mcnemar"] += mcnemar_worse(worse, better) <= 0.05
                    counts["unpaired"] += unpaired(worse, better, both, n)
                    counts["peek"] += peeked(d)
                    decision = play(plan, d, 1).decision
                    counts["fail"] += decision is Decision.FAIL
                    counts["pass"] += decision is Decision.PASS
                shares = {name: count / runs for name, count in counts.items()}
                yield [
                    f"{n}",
                    f"{100 * drop:.0f}",
                    f"{percent(shares['fail'])} / {percent(shares['pass'])}",
                    *(
                        f"{percent(shares[name])} / {percent(1 - shares[name])}"
                        for name in ("drop", "unpaired", "mcnemar", "peek")
                    ),
                ]

    table(
        "Usual gates on the same data: % FAIL / % PASS (the rest is INCONCLUSIVE), corr .5",
        [
            "cases",
            "drop",
            "llmeval",
            "drop > 2 points",
            "unpaired z test",
            "McNemar, else pass",
            "z every 10 cases",
        ],
        rows(),
    )


def peeked(d: Floats) -> bool:
    """Whether a paired z test that is looked at every 10 cases ever says "worse"."""
    at = np.arange(29, len(d), 10)
    n = at + 1
    mean, square = d.cumsum()[at] / n, (d**2).cumsum()[at] / n
    return bool((mean / np.sqrt(np.maximum(square - mean**2, 1e-9) / n) < -1.645).any())


def estimated(runs: int) -> None:
    """The margin scaled by a J that is itself estimated from labels; 1 of the 5 points of beta is
    spent on its bound.
    """

    def rows() -> Iterator[list[str]]:
        for youden in (0.9, 0.75):
            for labels in (100, 200):
                rng = np.random.default_rng([14, labels, int(100 * youden)])
                found: dict[float, list[Run]] = {drop: [] for drop in (0.0, MARGIN)}
                bounds = []
                for drop, decided in found.items():
                    for _ in range(runs):
                        lower = youden_lower(label_sample(rng, labels, BASE, JUDGES[youden]), 0.01)
                        bounds.append(lower)
                        if lower <= 0:
                            decided.append(Run(Decision.INCONCLUSIVE, CASES, False))
                            continue
                        plan = regression(units=CASES, margin=MARGIN, j_lower=lower, j_alpha=0.01)
                        decided.append(
                            play(plan, differences(rng, SHAPES[0], drop, 0.5, youden), 1)
                        )
                same, worse = (outcomes(decided, CASES) for decided in found.values())
                yield [
                    f"{youden}",
                    f"{labels}",
                    f"{np.median(bounds):.2f}",
                    percent(same.fail),
                    percent(worse.passed),
                    percent(same.passed),
                    percent(worse.fail),
                ]

    table(
        "J estimated from labels: the whole budget, on the scale of human judgement (nominal 5 %)",
        ["J", "labels", "median bound", "false FAIL", "false PASS", "PASS at 0", "FAIL at -5"],
        rows(),
    )


def label_sample(
    rng: np.random.Generator, n: int, rate: float, judge: tuple[float, float]
) -> LabelCounts:
    """n labelled answers of a run."""
    truth = rng.random(n) < rate
    return counts_of(judged(rng, truth, judge), truth)


def counts_of(verdicts: Bools, truth: Bools) -> LabelCounts:
    """Labels by verdict."""
    cells = ((verdicts & truth), (verdicts & ~truth), (~verdicts & truth), (~verdicts & ~truth))
    return LabelCounts(*(int(cell.sum()) for cell in cells))


def coverage(runs: int) -> None:
    """Human-scale intervals from n random labels beside 1,000 verdicts."""

    def rows() -> Iterator[list[str]]:
        for judge in ((0.85, 0.9), (0.92, 0.7), (0.97, 0.95)):
            for rate in (0.7, 0.9, 0.95, 0.98):
                cells = []
                for n in (30, 50, 100, 200):
                    rng = np.random.default_rng([15, n, int(100 * rate), int(100 * judge[0])])
                    found: dict[str, list[tuple[float, float]]] = {
                        "raw": [],
                        "humans": [],
                        "ours": [],
                    }
                    for _ in range(runs):
                        truth = rng.random(CASES) < rate
                        verdicts = judged(rng, truth, judge)
                        passed = int(verdicts.sum())
                        found["raw"].append(wilson(passed, CASES))
                        found["humans"].append(clopper_pearson(int(truth[:n].sum()), n))
                        labels = counts_of(verdicts[:n], truth[:n])
                        estimate = estimate_rate(labels, passed, CASES, Provenance.RANDOM)
                        found["ours"].append((estimate.low, estimate.high))
                    raw, humans, ours = (np.array(rows) for rows in found.values())
                    inside = ((ours[:, 0] <= rate) & (rate <= ours[:, 1])).mean()
                    covered = ((raw[:, 0] <= rate) & (rate <= raw[:, 1])).mean()
                    narrower = (
                        1 - (ours[:, 1] - ours[:, 0]).mean() / (humans[:, 1] - humans[:, 0]).mean()
                    )
                    cells.append(
                        f"{percent(inside)} (low {percent((ours[:, 0] > rate).mean())}; raw {percent(covered)}; "
                        f"{100 * narrower:+.0f} %)"
                    )
                yield [f"{judge[0]}/{judge[1]}", f"{rate}", *cells]

    table(
        "Coverage of 95 % intervals (limit too high; raw judge's coverage; narrower than labels alone by)",
        ["judge", "pass rate", "30 labels (MOVER)", "50", "100", "200"],
        rows(),
    )


def shift(runs: int) -> None:
    """Labels from a bank that passes half, for a run that passes 70 %: the estimator must depend on
    provenance.
    """

    def rows() -> Iterator[list[str]]:
        for n in (50, 100, 200):
            rng = np.random.default_rng([16, n])
            inside = {Provenance.RANDOM: 0, Provenance.BANK: 0}
            for _ in range(runs):
                truth = rng.random(CASES) < 0.7
                passed = int(judged(rng, truth, (0.85, 0.9)).sum())
                labels = label_sample(rng, n, 0.5, (0.85, 0.9))
                for provenance in inside:
                    found = estimate_rate(labels, passed, CASES, provenance)
                    inside[provenance] += found.low <= 0.7 <= found.high
            yield [f"{n}", *(percent(count / runs) for count in inside.values())]

    table(
        "Labels from a 50/50 bank, run at .7: coverage of 95 % intervals",
        ["labels", "taken as random (wrong)", "taken as a bank (Rogan-Gladen)"],
        rows(),
    )


def floors(runs: int) -> None:
    """Floors at the limit and around it."""

    def rows() -> Iterator[list[str]]:
        for shape in (*SHAPES, FEW):
            for threshold in (0.8, 0.95):
                rng = np.random.default_rng([17, shape.units, int(100 * threshold)])
                plan = floor(
                    units=shape.units,
                    cases=shape.units * shape.size,
                    largest=shape.size,
                    threshold=threshold,
                )
                cells, bound = [], 0
                for rate in (threshold - 0.05, threshold, threshold + 0.03):
                    decided = []
                    for _ in range(runs):
                        values = rates(rng, shape, rate)
                        decided.append(play(plan, values, shape.size))
                        if rate == threshold and shape.within:
                            scores = np.repeat(np.arange(shape.units), shape.size)
                            cases = (
                                np.tile(np.arange(shape.size), shape.units)
                                < np.repeat(np.rint(values * shape.size), shape.size)
                            ).astype(float)
                            bound += mean_bounds(list(cases), 0.05, list(scores)).low > threshold
                    found = outcomes(decided, shape.units)
                    cells.append(
                        f"F{percent(found.fail)} P{percent(found.passed)}, {100 * found.used:.0f} % used"
                    )
                yield [
                    shape.name,
                    f"{threshold}",
                    *cells,
                    percent(bound / runs) if shape.within else "exact",
                ]

    table(
        "Floors: % FAIL and PASS (nominal 5 % each at the floor)",
        ["suite", "floor", "5 below", "at the floor", "3 above", "95 % lower bound too high"],
        rows(),
    )


def rates(rng: np.random.Generator, shape: Shape, rate: float) -> Floats:
    """Each unit's pass rate."""
    if not shape.within:
        return (rng.random(shape.units) < rate).astype(float)
    scale = (1 - shape.within) / shape.within
    return (
        rng.binomial(shape.size, rng.beta(rate * scale, (1 - rate) * scale, shape.units))
        / shape.size
    )


def speed(_: int) -> None:
    """Time of a decision on 1,000 cases, and of the imports."""

    def rows() -> Iterator[list[str]]:
        rng = np.random.default_rng(18)
        binary = differences(rng, SHAPES[0], MARGIN / 2, 0.5, 1.0)
        scores = np.clip(rng.normal(-MARGIN / 2, 0.3, CASES), -1, 1)
        clusters = [i // 5 for i in range(CASES)]
        pairs = regression(units=CASES, margin=MARGIN)
        groups = regression(units=200, cases=CASES, largest=5, margin=MARGIN)
        at = float(np.abs(scores).mean())
        for name, plan, values, cluster in (
            ("paired pass/fail", pairs, binary, None),
            ("paired scores", pairs, scores, None),
            ("paired pass/fail, 200 clusters", groups, binary, clusters),
            ("floor, pass/fail", floor(units=CASES, threshold=0.16), np.abs(binary), None),
            ("floor, scores", floor(units=CASES, threshold=at), np.abs(scores), None),
        ):
            verdict = decide(plan, list(values), cluster)
            times = []
            for _ in range(10):
                start = time.perf_counter()
                decide(plan, list(values), cluster)
                times.append(time.perf_counter() - start)
            yield [
                f"{name} ({verdict.method or 'betting'})",
                f"{1000 * float(np.median(times)):.1f} ms",
            ]
        for module in (
            "llmeval.stats.estimation.bounds",
            "llmeval.stats.sequential.gate_test",
            "llmeval.stats.estimation.correction",
        ):
            code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
            times = [float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(5)]
            yield [f"import {module}", f"{min(times):.2f} s"]

    table(
        "Time of one decision on 1,000 cases; imports in a fresh process", ["what", "time"], rows()
    )


def planner(runs: int) -> None:
    """The planned number of cases beside the simulated one: where an unchanged candidate PASSes in
    95 % of runs.
    """

    def passes(shape: Suite, n: int, margin: float) -> float:
        return next(
            simulate_regression(shape.sized(n), margin, 0.05, 0.05, runs, seed=19, sequential=True)
        ).passed

    def rows() -> Iterator[list[str]]:
        for name, shape, margin in (
            (
                "corr .5",
                Suite(metric="m", cases=1000, units=1000, rate=BASE, discordance=0.16),
                0.1,
            ),
            (
                "corr .5",
                Suite(metric="m", cases=1000, units=1000, rate=BASE, discordance=0.16),
                0.05,
            ),
            (
                "corr .2",
                Suite(metric="m", cases=1000, units=1000, rate=BASE, discordance=0.256),
                0.1,
            ),
            (
                "corr .8",
                Suite(metric="m", cases=1000, units=1000, rate=BASE, discordance=0.064),
                0.05,
            ),
            (
                "judge, J .75",
                Suite(
                    metric="m",
                    cases=1000,
                    units=1000,
                    rate=BASE,
                    discordance=0.33,
                    sensitivity=0.85,
                    specificity=0.9,
                    youden_lower=0.75,
                ),
                0.1,
            ),
            (
                "clusters of 5",
                Suite(metric="m", cases=1000, units=200, largest=5, rate=BASE, discordance=0.16),
                0.1,
            ),
            (
                "clusters of 5",
                Suite(metric="m", cases=1000, units=200, largest=5, rate=BASE, discordance=0.16),
                0.05,
            ),
            (
                "clusters of 10",
                Suite(metric="m", cases=1000, units=100, largest=10, rate=BASE, discordance=0.16),
                0.1,
            ),
        ):
            planned = cases_for(shape, margin, 0.05, 0.05)
            low, high = round(0.6 * planned), round(1.3 * planned)
            while high - low > 0.01 * planned:
                middle = (low + high) // 2
                low, high = (
                    (low, middle) if passes(shape, middle, margin) >= 0.95 else (middle, high)
                )
            yield [
                name,
                f"{100 * margin:.0f}",
                f"{planned:,}",
                f"{high:,}",
                f"{100 * (planned / high - 1):+.0f} %",
                percent(passes(shape, planned, margin)),
            ]

    table(
        "Cases for a decision: planned, and by simulation (PASS in 95 % of runs without a drop)",
        [
            "suite",
            "margin",
            "planned",
            "simulated",
            "planned is off by",
            "PASS at the planned size, %",
        ],
        rows(),
    )


SECTIONS = {
    "coverage": coverage,
    "shift": shift,
    "gate": gate,
    "calls": calls,
    "naive": naive,
    "estimated": estimated,
    "floors": floors,
    "planner": planner,
    "speed": speed,
}


def main() -> None:
    """Run the chosen sections."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="2,000 runs a cell")
    parser.add_argument("--runs", type=int, help="runs a cell (default 200)")
    parser.add_argument(
        "--section", action="append", choices=[*SECTIONS], help="only this one; repeatable"
    )
    options = parser.parse_args()
    runs = options.runs or (2000 if options.full else 200)
    print(
        f"# Decisions, {runs:,} runs a cell (Monte-Carlo s.e. at 5 %: {percent(math.sqrt(0.05 * 0.95 / runs))} points)"
    )
    for name in options.section or SECTIONS:
        start = time.perf_counter()
        SECTIONS[name](runs)
        print(f"\n({name}: {time.perf_counter() - start:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
