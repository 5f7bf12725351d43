"""The time of one decision, with its bounds and its sentence, as a run makes it (`gates.py`)."""

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


def _clusters() -> dict[str, list[str]]:
    sizes = np.maximum(1, np.rint(np.random.default_rng(5).lognormal(0.9, 1.2, CASES))).astype(int)
    numbers = {
        "independent cases": np.arange(CASES),
        "200 clusters of 5": np.arange(CASES) // 5,
        "unequal clusters": np.repeat(np.arange(CASES), sizes)[:CASES],
    }
    return {name: [f"g{each}" for each in found] for name, found in numbers.items()}


def _regression(clusters: list[str], labels: LabelCounts | None, answers: int) -> None:
    source = np.random.default_rng(6)
    chance = source.beta(4.0, 0.8, CASES)
    before, now = (source.binomial(answers, chance) / answers for _ in range(2))
    youden, spent = scale(labels, RATE)
    rule = RegressionRule("m", "m", None, MARGIN, youden, spent, labels is not None, None)
    pairs = PairedCases(tuple((now - before).tolist()), tuple(clusters))
    decided(evaluate(rule, pairs, RATE, RATE), BASELINE, RATE)


def _early(clusters: list[str]) -> None:
    """A run that may stop early: every interim analysis up to its end, and the final bounds."""
    sizes = Counter(clusters)
    rule = RegressionRule("m", "m", None, MARGIN, 1.0, 0.0, False, None)
    plan = rule.plan(RATE, RATE, len(sizes), CASES, max(sizes.values()), rules=1)
    source = np.random.default_rng(8)
    moved = source.choice((-1.0, 0.0, 1.0), p=(0.1, 0.825, 0.075), size=CASES)
    decide_in_order(plan, moved.tolist(), clusters)


def _floor(clusters: list[str], labels: LabelCounts | None) -> None:
    passed = np.random.default_rng(7).random(CASES) < 0.82
    names: dict[str, int] = {}
    sample = MetricSample(
        CASES,
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


def decisions() -> Iterator[tuple[str, Callable[[], None]]]:
    """What is measured."""
    for name, clusters in _clusters().items():
        yield f"margin 5, {name}", partial(_regression, clusters, None, 1)
        yield (
            f"margin 5 by a judge of 300 labels, {name}",
            partial(_regression, clusters, LABELS, 1),
        )
        yield f"margin 5, stop early, all analyses, {name}", partial(_early, clusters)
        yield f"floor 80 %, {name}", partial(_floor, clusters, None)
        yield f"floor 80 % corrected by 300 labels, {name}", partial(_floor, clusters, LABELS)
    alone = _clusters()["independent cases"]
    yield "margin 5, 5 answers a case", partial(_regression, alone, None, 5)


def speed() -> Iterator[list[str]]:
    """CPU time of the first decision, and the median of CPU and wall time of the next ones."""
    for name, decide in decisions():
        wall, busy = [], []
        for _ in range(REPEATS):
            start, begun = time.perf_counter(), time.process_time()
            decide()
            wall.append(1000 * (time.perf_counter() - start))
            busy.append(1000 * (time.process_time() - begun))
        yield [
            name, f"{busy[0]:.1f}", f"{np.median(busy[1:]):.1f}", f"{np.median(wall[1:]):.1f}"
        ]  # fmt: skip
