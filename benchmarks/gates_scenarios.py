"""The scenarios of `gates.py`: recorded verdicts of a baseline and a candidate, with a true change.

Unless a scenario says otherwise: 200 independent cases, one answer each, a base pass rate of 85 %,
and a correlation of 0.5 between the two sides without a change.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmeval.planning.simulated_change import SimulatedMetric
from llmeval.planning.simulated_verdicts import PairedVerdicts, VerdictModel
from llmeval.stats.estimation.label_counts import LabelCounts

Bools = NDArray[np.bool_]
BASE, CASES, CORRELATION = 0.85, 200, 0.5


class Recorded(NamedTuple):
    """What one run of a scenario recorded. `gone`: cases of the baseline that the suite has no
    more. `trusted`: whether the judge has a certificate (True for checks).
    """

    metrics: tuple[SimulatedMetric, ...]
    clusters: NDArray[np.int64]
    gone: int = 0
    trusted: bool = True
    people: PairedVerdicts | None = None
    """What people would say of the first metric's answers, where a judge scores them."""

    @property
    def sides(self) -> tuple[PairedVerdicts, ...]:
        """Both sides of each metric."""
        return tuple(each.attempts[0] for each in self.metrics)


Change = Callable[[np.random.Generator, Recorded], Recorded]


@dataclass(frozen=True, kw_only=True)
class GateScenario:
    """One scenario. `drop`: of the candidate's true pass rate; at most 0 means that a FAIL is
    wrong, 0.05 or more that a PASS is wrong.
    """

    name: str
    drop: float
    models: tuple[VerdictModel, ...]
    falls: int | None = None
    """How many of the metrics have the drop; None: all."""
    trusted: bool = True
    change: Change | None = None
    """What happens to the records afterwards."""

    @property
    def unchanged(self) -> bool:
        """Whether a FAIL is wrong."""
        return self.drop <= 0

    @property
    def worse(self) -> bool:
        """Whether a PASS is wrong."""
        return self.drop >= 0.05

    def draw(self, source: np.random.Generator) -> Recorded:
        """One run."""
        falling = len(self.models) if self.falls is None else self.falls
        if not self.models[0].exact:
            recorded = self._judged(source)
            return recorded if self.change is None else self.change(source, recorded)
        metrics = tuple(
            SimulatedMetric(
                model.attempts(source, self.drop if number < falling else 0.0),
                model.certificate(source),
            )
            for number, model in enumerate(self.models)
        )
        recorded = Recorded(metrics, self.models[0].clusters, trusted=self.trusted)
        return recorded if self.change is None else self.change(source, recorded)

    def _judged(self, source: np.random.Generator) -> Recorded:
        """One run of one judged metric, with people's verdicts."""
        (model,) = self.models
        truth = model.people(source, self.drop)
        metric = SimulatedMetric((model.judged(source, truth),), model.certificate(source))
        return Recorded((metric,), model.clusters, trusted=self.trusted, people=truth)


def model_of(
    cases: int = CASES, rate: float = BASE, correlation: float = CORRELATION, repeats: int = 1
) -> VerdictModel:
    """Independent cases."""
    differ = 2 * rate * (1 - rate) * (1 - correlation)
    return VerdictModel(clusters=np.arange(cases), rate=rate, discordance=differ, repeats=repeats)


def without_the_fallen(source: np.random.Generator, recorded: Recorded) -> Recorded:
    """The cases that fell are taken out of the suite."""
    del source
    metric = recorded.metrics[0]
    sides = metric.attempts[0]
    kept = ~(sides.baseline.all(axis=0) & ~sides.candidate.all(axis=0))
    remaining = PairedVerdicts(sides.baseline[:, kept], sides.candidate[:, kept])
    return Recorded(
        (metric._replace(attempts=(remaining,)),), np.arange(kept.sum()), gone=int((~kept).sum())
    )


def one_case_breaks(source: np.random.Generator, recorded: Recorded) -> Recorded:
    """The first case passed always, and fails always."""
    del source
    metric = recorded.metrics[0]
    sides = metric.attempts[0]
    before, now = sides.baseline.copy(), sides.candidate.copy()
    before[:, 0], now[:, 0] = True, False
    return recorded._replace(metrics=(metric._replace(attempts=(PairedVerdicts(before, now),)),))


def better_by_three(source: np.random.Generator, recorded: Recorded) -> Recorded:
    """A fifth of the failing cases pass: three points of 85 %."""
    metric = recorded.metrics[0]
    sides = metric.attempts[0]
    fixed = source.random(sides.candidate.shape[1]) < 0.03 / (1 - BASE)
    repaired = PairedVerdicts(sides.baseline, sides.candidate | fixed)
    return recorded._replace(metrics=(metric._replace(attempts=(repaired,)),))


def certified(source: np.random.Generator, recorded: Recorded) -> Recorded:
    """A certificate of 300 labels, drawn from answers of the baseline's style."""
    right, wrong = (
        source.binomial(255, STYLE.sensitivity),
        source.binomial(45, STYLE.specificity),
    )
    labels = LabelCounts(int(right), int(45 - wrong), int(255 - right), int(wrong))
    return recorded._replace(metrics=(recorded.metrics[0]._replace(labels=labels),))


def unequal(seed: int) -> NDArray[np.int64]:
    """200 cases in clusters of 4 on average, with lognormal sizes."""
    sizes = np.random.default_rng(seed).lognormal(np.log(4) - 0.72, 1.2, CASES)
    numbers: NDArray[np.int64] = np.repeat(
        np.arange(CASES), np.maximum(1, np.rint(sizes)).astype(int)
    )[:CASES]
    return numbers


class _Style(NamedTuple):
    sensitivity: float
    specificity: float
    shift: float


STYLE = _Style(0.85, 0.95, 0.085)
"""A judge, and by how many points it favours answers of the candidate's style."""
PLAIN = model_of()
FIVES = replace(PLAIN, clusters=np.repeat(np.arange(40), 5))
LOGNORMAL = replace(PLAIN, clusters=unequal(3))
REPEATED = model_of(repeats=5)
FEW = model_of(cases=20, repeats=5)
LENIENT = replace(
    PLAIN, sensitivity=STYLE.sensitivity, specificity=STYLE.specificity, judge_shift=STYLE.shift
)
UNLABELLED = replace(PLAIN, sensitivity=0.75, specificity=0.95)

SCENARIOS: tuple[GateScenario, ...] = (
    *(GateScenario(name=name, drop=drop, models=models)
    for name, drop, models in (
        ("unchanged", 0.0, (PLAIN,)),
        ("unchanged, correlation 0.2", 0.0, (model_of(correlation=0.2),)),
        ("unchanged, correlation 0.8", 0.0, (model_of(correlation=0.8),)),
        ("unchanged, base rate 0.95", 0.0, (model_of(rate=0.95),)),
        ("unchanged, 60 cases", 0.0, (model_of(cases=60),)),
        ("unchanged, 30 cases", 0.0, (model_of(cases=30),)),
        ("unchanged, 40 clusters of 5", 0.0, (FIVES,)),
        ("unchanged, unequal clusters", 0.0, (LOGNORMAL,)),
        ("unchanged, 1 % missing", 0.0, (replace(PLAIN, missing=0.01),)),
        ("unchanged, 8 metrics", 0.0, (PLAIN,) * 8),
        ("unchanged, 5 answers a case", 0.0, (REPEATED,)),
        ("-5", 0.05, (PLAIN,)),
        ("-5, correlation 0.2", 0.05, (model_of(correlation=0.2),)),
        ("-5, correlation 0.8", 0.05, (model_of(correlation=0.8),)),
        ("-5, 5 answers a case", 0.05, (REPEATED,)),
        ("-5, 5 % missing, hard cases", 0.05, (replace(PLAIN, missing=0.05, missing_where="hard"),)),
        ("-10", 0.1, (PLAIN,)),
        ("-10, 60 cases", 0.1, (model_of(cases=60),)),
        ("-10, 40 clusters of 5", 0.1, (FIVES,)),
        ("-10, unequal clusters", 0.1, (LOGNORMAL,)),
        ("-20", 0.2, (PLAIN,)),
        ("-2: less than any margin", 0.02, (PLAIN,)),
    )),
    GateScenario(name="unchanged, untrusted judge", drop=0.0, models=(UNLABELLED,), trusted=False),
    GateScenario(name="+3: better", drop=0.0, models=(PLAIN,), change=better_by_three),
    GateScenario(
        name="-5, a judge that prefers the new style", drop=0.05, models=(LENIENT,),
        change=certified,
    ),
    GateScenario(
        name="-10, a judge that prefers the new style", drop=0.1, models=(LENIENT,),
        change=certified,
    ),
    GateScenario(
        name="-20, the cases that fell are removed", drop=0.2, models=(PLAIN,),
        change=without_the_fallen,
    ),
    GateScenario(
        name="-5: one of 20 cases breaks, 5 answers", drop=0.05, models=(FEW,),
        falls=0, change=one_case_breaks,
    ),
)  # fmt: skip
"""28 scenarios. In the last one the drop is that of one case of 20."""
