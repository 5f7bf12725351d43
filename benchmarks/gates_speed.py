"""The time of one decision, with its bounds and its sentence, as a run makes it (`gates.py`).

python benchmarks/gates_speed.py [--n 10000]
"""

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import cast

import numpy as np

from llmeval.core.baseline_lock import BaselineLock
from llmeval.gate.aggregate import MetricSample
from llmeval.gate.pairs import PairedCases
from llmeval.gate.rules.floors import decide_floor
from llmeval.gate.rules.judge_arms import scale
from llmeval.gate.rules.label_evidence import LabelEvidence
from llmeval.gate.rules.label_evidence import bounds as judged_bounds
from llmeval.gate.rules.regression import RegressionRule, decided, evaluate
from llmeval.stats.estimation.label_counts import LabelCounts, Provenance
from llmeval.stats.sequential.gate_test import decide as decide_in_order

CASES, MARGIN, RATE = 1000, 0.05, 0.025
LABELS = LabelCounts(230, 4, 25, 41)
BASELINE = cast(BaselineLock, SimpleNamespace(run_id="r"))
REPEATS = 9


def _clusters(n: int) -> dict[str, list[str]]:
    sizes = np.maximum(1, np.rint(np.random.default_rng(5).lognormal(0.9, 1.2, n))).astype(int)
    numbers = {
        "independent cases": np.arange(n),
        f"{n // 5:,} clusters of 5": np.arange(n) // 5,
        "20 clusters": np.arange(n) * 20 // n,
        "unequal clusters": np.repeat(np.arange(n), sizes)[:n],
    }
    return {name: [f"g{each}" for each in found] for name, found in numbers.items()}


def _regression(clusters: list[str], labels: LabelCounts | None, answers: int) -> None:
    """`answers`: to a case on each side; 3 attempts that are pooled are 3 answers, with gaps."""
    source, n = np.random.default_rng(6), len(clusters)
    chance = source.beta(4.0, 0.8, n)
    before, now = (source.binomial(answers, chance) / answers for _ in range(2))
    youden, spent = scale(labels, RATE)
    rule = RegressionRule("m", "m", None, MARGIN, youden, spent, labels is not None, None)
    pairs = PairedCases(tuple((now - before).tolist()), tuple(clusters))
    decided(evaluate(rule, pairs, RATE, RATE), BASELINE, RATE)


def _pooled(clusters: list[str]) -> None:
    """The third of three attempts of one change: this run missed the result of each 100th case."""
    source, n = np.random.default_rng(9), len(clusters)
    chance = source.beta(4.0, 0.8, n)
    before, now = source.binomial(1, chance), source.binomial(3, chance) / 3
    moved, gaps = now - before, np.where(np.arange(n) % 100 == 0, 1 / 6, 0.0)
    rule = RegressionRule("m", "m", None, MARGIN, 1.0, 0.0, False, None)
    least, most = (tuple(np.clip(moved + each, -1, 1).tolist()) for each in (-gaps, gaps))
    pairs = PairedCases(tuple(moved.tolist()), tuple(clusters), least=least, most=most)
    decided(evaluate(rule, pairs, RATE / 9, RATE / 9), BASELINE, RATE / 9)


def _early(clusters: list[str]) -> None:
    """A run that may stop early: every interim analysis up to its end, and the final bounds."""
    n = len(clusters)
    sizes = Counter(clusters)
    rule = RegressionRule("m", "m", None, MARGIN, 1.0, 0.0, False, None)
    plan = rule.plan(RATE, RATE, len(sizes), n, max(sizes.values()), rules=1)
    source = np.random.default_rng(8)
    moved = source.choice((-1.0, 0.0, 1.0), p=(0.1, 0.825, 0.075), size=n)
    decide_in_order(plan, moved.tolist(), clusters)


def _floor(clusters: list[str], labels: LabelCounts | None) -> None:
    n = len(clusters)
    passed = np.random.default_rng(7).random(n) < 0.82
    names: dict[str, int] = {}
    sample = MetricSample(
        n,
        int(passed.sum()),
        0,
        0,
        tuple(passed.astype(float).tolist()),
        tuple(names.setdefault(each, len(names)) for each in clusters),
        tuple(passed.tolist()),
    )
    if labels is None:
        decide_floor("m", None, sample, 0.8, RATE, None)
    else:
        judged_bounds(sample, LabelEvidence(labels, Provenance.BANK), RATE)


def decisions(n: int) -> Iterator[tuple[str, Callable[[], None]]]:
    """What is measured."""
    for name, clusters in _clusters(n).items():
        yield f"margin 5, {name}", partial(_regression, clusters, None, 1)
        yield (
            f"margin 5 by a judge of 300 labels, {name}",
            partial(_regression, clusters, LABELS, 1),
        )
        yield f"margin 5, stop early, all analyses, {name}", partial(_early, clusters)
        yield f"floor 80 %, {name}", partial(_floor, clusters, None)
        yield f"floor 80 % corrected by 300 labels, {name}", partial(_floor, clusters, LABELS)
        yield f"margin 5, the third attempt, {name}", partial(_pooled, clusters)
    alone = _clusters(n)["independent cases"]
    yield "margin 5, 5 answers a case", partial(_regression, alone, None, 5)


def speed(n: int = CASES) -> Iterator[list[str]]:
    """CPU time of the first decision on n cases, and the median of CPU and wall time of the next
    ones.
    """
    for name, decide in decisions(n):
        wall, busy = [], []
        for _ in range(REPEATS):
            start, begun = time.perf_counter(), time.process_time()
            decide()
            wall.append(1000 * (time.perf_counter() - start))
            busy.append(1000 * (time.process_time() - begun))
        yield [
            name, f"{busy[0]:.1f}", f"{np.median(busy[1:]):.1f}", f"{np.median(wall[1:]):.1f}"
        ]  # fmt: skip


def main() -> None:
    """Print the times."""
    parser = argparse.ArgumentParser(description="The time of one decision, ms.")
    parser.add_argument("--n", type=int, default=CASES, help="cases")
    options = parser.parse_args()
    print(f"| {options.n:,} cases | CPU, first | CPU, median | wall, median |\n|---|---|---|---|")
    for row in speed(options.n):
        print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
