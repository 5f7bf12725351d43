"""How often does a gate say the wrong thing? llmeval next to rules of thumb and other tools.

    python benchmarks/gates.py [--runs 300] [--scenarios] [--only TEXT] [--out FILE]

All tools see the same recorded verdicts of 28 scenarios (`gates_scenarios.py`), whose true change is
known. llmeval decides with the rules and tests that decide real runs, at its default error rates of
a first attempt (2.5 % each). Everything is seeded. `--scenarios` prints a table for each scenario,
`--only` plays scenarios whose name contains the text, `--speed` measures one decision. `--out`
writes the figures; `gates_publish.py` makes the tables of README.md and docs/benchmarks.md of them.
Peers are played where they are installed; otherwise a line says that they are not.
"""

import argparse
import importlib.metadata
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from gates_figures import (
    GateFigures,
    ScenarioFigures,
    ToolShares,
    scenario_table,
    speed_table,
    summary_table,
    to_json,
)
from gates_scenarios import SCENARIOS, GateScenario, Recorded
from gates_speed import speed
from numpy.typing import NDArray

from llmeval.core.gate_record import GateRecord
from llmeval.core.results import Decision
from llmeval.gate.pair_classes import SPREADS
from llmeval.gate.rules.labelled_regression import draw_share
from llmeval.gate.rules.these_cases import FixedCasesTest
from llmeval.planning.simulated_change import decide_attempt
from llmeval.planning.simulated_rules import (
    ErrorRates,
    SimulatedFloor,
    SimulatedRegression,
    SimulatedRule,
    members_of,
)
from llmeval.stats.estimation.labelled_difference import (
    LabelledPairs,
    LabelledStratum,
    p_at_most,
    shares,
    stratified_difference,
)
from llmeval.stats.estimation.paired import PairCounts
from llmeval.stats.tests.fixed_cases import CaseRepeats

Floats = NDArray[np.float64]
Verdict = Callable[[Recorded], Decision]
GATE = GateRecord(
    floors={},
    regression=None,
    alpha=0.05,
    beta=0.05,
    max_unscored=0.02,
    attempts=10,
    on_inconclusive="fail",
)
"""The defaults of a suite."""
JUDGE_SHIFT = GATE.judge_shift
LABELS = 100
WEIGHTINGS = 1000
"""Random weightings of a p-value by labels; a run takes 10,000."""


class Tool(NamedTuple):
    """One gate. `verdict`: of a recorded run; INVALID and INCONCLUSIVE both mean "can't tell"."""

    name: str
    verdict: Verdict
    repeats: bool | None = None
    """Whether it applies to scenarios with several answers a case only (True), or to those with one
    answer only (False); None: to all.
    """
    judged: bool = False
    """Whether it applies only to scenarios with a judge."""

    def applies(self, scenario: GateScenario) -> bool:
        """Whether the tool's rule is about what this scenario changes."""
        model = scenario.models[0]
        return (not self.judged or not model.exact) and self.repeats in (None, model.repeats > 1)


def llmeval(rule_of: Callable[[str, Recorded], SimulatedRule]) -> Verdict:
    """The gate with one rule for each metric, at the suite's default error rates."""

    def verdict(recorded: Recorded) -> Decision:
        if recorded.gone:  # `max_gone: 0`, as `gate.missing_cases.gone_rule` decides
            return Decision.INVALID
        if not recorded.trusted:  # a rule on an UNTRUSTED judge decides nothing
            return Decision.INCONCLUSIVE
        metrics = {f"m{number}": metric for number, metric in enumerate(recorded.metrics)}
        rules = tuple(rule_of(name, recorded) for name in metrics)
        alpha, beta = GATE.first_rates
        terms = ErrorRates(alpha, beta, len(rules), False, max_unscored=GATE.max_unscored)
        decisions, _ = decide_attempt(metrics, rules, terms)
        order = (Decision.INVALID, Decision.FAIL, Decision.INCONCLUSIVE, Decision.PASS)
        return min(decisions, key=order.index)

    return verdict


def margin(drop: float) -> Verdict:
    """A regression rule for each metric."""

    def rule(name: str, recorded: Recorded) -> SimulatedRule:
        judged = recorded.metrics[0].labels is not None
        return SimulatedRegression(
            name=name,
            metric=name,
            members=members_of(np.arange(len(recorded.clusters)), recorded.clusters),
            margin=drop,
            shift=JUDGE_SHIFT if judged else 0.0,
        )

    return llmeval(rule)


def floor(threshold: float) -> Verdict:
    """A floor for each metric, corrected by the certificate where there is a judge."""

    def rule(name: str, recorded: Recorded) -> SimulatedRule:
        return SimulatedFloor(
            name=name,
            metric=name,
            members=members_of(np.arange(len(recorded.clusters)), recorded.clusters),
            threshold=threshold,
            corrected=recorded.metrics[0].labels is not None,
        )

    return llmeval(rule)


def these_cases(recorded: Recorded) -> Decision:
    """`gate.about: these_cases` with margin 5, which needs several answers a case."""
    (sides, *others) = recorded.sides
    repeats = len(sides.candidate)
    if repeats == 1 or others or recorded.gone or sides.missing is not None:
        return Decision.INVALID
    counts = zip(sides.baseline.sum(axis=0), sides.candidate.sum(axis=0), strict=True)
    cases = {
        f"c{number}": CaseRepeats(int(before), repeats, int(now), repeats)
        for number, (before, now) in enumerate(counts)
    }
    alpha, beta = GATE.first_rates
    test = FixedCasesTest(
        name="m", metric="m", slice_=None, margin=0.05, baseline="r", alpha=alpha, beta=beta,
        cases=cases, missing=0,
    )  # fmt: skip
    return test.decided(alpha).decision


def labelled(recorded: Recorded) -> Decision:
    """A margin of 5, decided by 100 labels of the run instead of the judge's verdicts: both answers
    of 50 cases, drawn by pair class (`llmeval labels sample --for regression`).
    """
    if recorded.people is None:
        return Decision.INVALID
    (sides,), people = recorded.sides, recorded.people
    before, now = sides.baseline[0], sides.candidate[0]
    classes = 2 * (~before).astype(int) + (~now).astype(int)
    moved = people.candidate[0].astype(int) - people.baseline[0].astype(int)
    sizes = np.bincount(classes, minlength=4).tolist()
    source, strata = np.random.default_rng(sizes), []
    for kind, drawn in enumerate(shares(sizes, SPREADS, LABELS // 2)):
        places = np.flatnonzero(classes == kind)
        chosen = moved[source.choice(places, drawn, replace=False)] if drawn else moved[:0]
        worse, better = int((chosen < 0).sum()), int((chosen > 0).sum())
        counts = PairCounts(worse, drawn - worse - better, better)
        strata.append(LabelledStratum(len(places), counts, counts))
    pairs = LabelledPairs(tuple(strata))
    estimate, level = stratified_difference(pairs), GATE.first_rates[0] * draw_share(1)
    if estimate < 0 and p_at_most(pairs.turned(), 0.0, WEIGHTINGS) <= level:
        return Decision.FAIL
    passed = estimate > -0.05 and p_at_most(pairs, -0.05, WEIGHTINGS) <= level
    return Decision.PASS if passed else Decision.INCONCLUSIVE


class Rates(NamedTuple):
    """One metric as most tools see it: cases with a result on both sides."""

    before: Floats
    now: Floats

    @property
    def drop(self) -> float:
        """Of the pass rate."""
        return float(self.before.mean() - self.now.mean())


def seen(recorded: Recorded) -> Iterator[Rates]:
    """The metrics, without the cases that have no result."""
    for sides in recorded.sides:
        kept = slice(None) if sides.missing is None else ~sides.missing
        yield Rates(sides.baseline.mean(axis=0)[kept], sides.candidate.mean(axis=0)[kept])


def any_metric(fails: Callable[[Rates], bool]) -> Verdict:
    """FAIL where any metric fails, else PASS."""

    def verdict(recorded: Recorded) -> Decision:
        return Decision.FAIL if any(map(fails, seen(recorded))) else Decision.PASS

    return verdict


def unpaired(rates: Rates) -> bool:
    """A z test of two proportions at 5 %, which ignores that both sides have the same cases."""
    pooled = (rates.before.mean() + rates.now.mean()) / 2
    error = math.sqrt(max(2 * pooled * (1 - pooled) / len(rates.now), 1e-12))
    return rates.drop / error > 1.6449


def bootstrap(rates: Rates) -> bool:
    """A paired percentile bootstrap of 1,000 draws: the upper 95 % bound is below 0."""
    values, counts = np.unique(rates.now - rates.before, return_counts=True)
    source = np.random.default_rng(len(rates.now))
    drawn = source.multinomial(counts.sum(), counts / counts.sum(), 1000) @ values
    return bool(np.quantile(drawn / counts.sum(), 0.95) < 0)


OWN = (
    Tool("llmeval, margin 5", margin(0.05)),
    Tool("llmeval, margin 10", margin(0.10)),
    Tool("llmeval, floor 80 %", floor(0.80), repeats=False),
    Tool("llmeval, margin 5, 100 labels of the run", labelled, judged=True),
    Tool("llmeval, these cases, margin 5", these_cases, repeats=True),
)
RULES = (
    Tool('rule "drop > 2 points"', any_metric(lambda rates: rates.drop > 0.02 + 1e-9)),
    Tool('rule "drop > 5 points"', any_metric(lambda rates: rates.drop > 0.05 + 1e-9)),
    Tool("unpaired z test", any_metric(unpaired)),
    Tool("paired bootstrap", any_metric(bootstrap)),
    Tool("threshold 80 %", any_metric(lambda rates: rates.now.mean() < 0.80 - 1e-9)),
)


def play(
    scenario: GateScenario, number: int, tools: Sequence[Tool], runs: int
) -> dict[str, ToolShares]:
    """Every tool on the same runs of one scenario."""
    source, playing = np.random.default_rng([41, number]), [t for t in tools if t.applies(scenario)]
    fails, passes = Counter[str](), Counter[str]()
    for _ in range(runs):
        recorded = scenario.draw(source)
        for tool in playing:
            decision = tool.verdict(recorded)
            fails[tool.name] += decision is Decision.FAIL
            passes[tool.name] += decision is Decision.PASS
    return {t.name: ToolShares(fails[t.name] / runs, passes[t.name] / runs) for t in playing}


def peers() -> tuple[list[Tool], list[str]]:
    """The peers that are installed; a line for each of the others."""
    import gates_peers

    tools, absent = [], []
    for name, make in gates_peers.PEERS.items():
        try:
            version = importlib.metadata.version(name)
            tools.append(Tool(f"{name} {version}", make(), gates_peers.REPEATS.get(name)))
        except (importlib.metadata.PackageNotFoundError, ImportError):
            absent.append(f"{name}: not installed")
    for name in gates_peers.SAME_AS_THRESHOLD:
        absent.append(f"{name}: {gates_peers.version_of(name)} (its gate is the threshold)")
    return tools, absent


def measured(runs: int, only: str) -> GateFigures:
    """Play the scenarios whose name contains `only`, and measure the time of one decision."""
    others, absent = peers()
    tools = [*OWN, *RULES, *others]
    scenarios = []
    for number, scenario in enumerate(SCENARIOS):
        if only in scenario.name:
            shares = play(scenario, number, tools, runs)
            scenarios.append(
                ScenarioFigures(scenario.name, scenario.unchanged, scenario.worse, shares)
            )
            print(f"{number + 1}/{len(SCENARIOS)} {scenario.name}", file=sys.stderr)
    names = [tool.name for tool in tools]
    return GateFigures(runs, names, absent, scenarios, list(speed()))


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=300, help="runs of each scenario")
    parser.add_argument("--scenarios", action="store_true", help="a row for each scenario too")
    parser.add_argument("--only", default="", help="scenarios whose name contains this")
    parser.add_argument("--speed", action="store_true", help="only the time of one decision")
    parser.add_argument("--out", type=Path, help="write the figures to this file too")
    options = parser.parse_args()
    if options.speed:
        print(speed_table(list(speed())))
        return 0
    figures = measured(options.runs, options.only)
    if options.out is not None:
        options.out.write_bytes(to_json(figures))
    print("\n".join(figures.absent))
    print(f"\n{summary_table(figures)}")
    if options.scenarios:
        print(f"\n{scenario_table(figures)}")
    print(f"\n{speed_table(figures.speed)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
