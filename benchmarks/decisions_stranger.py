"""Whole gates where nobody has looked yet: odd suites, and how often their decisions are wrong.

    python benchmarks/decisions_stranger.py [--runs 1000] [--only TEXT ...] [--list]

Each scenario plays its gate through `gate.decide`, on records in memory. Everything is seeded. A
cell holds when the measured rate is at most the stated one plus two Monte-Carlo standard errors;
exit code 1 where one does not. Without attempts (`gate.attempts`, 1 here unless stated) the stated
rates are 5 %.
"""

import argparse
import math
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from stranger_gate import PastRun, StrangerGate, StrangerSuite, Values, leave_out_hints

from llmeval.core.results import Decision, GateResult
from llmeval.stats.estimation.agreement import youden_lower
from llmeval.stats.estimation.label_counts import LabelCounts
from llmeval.stats.sequential.drift import anchor_rule

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Rng = np.random.Generator
Errors = dict[str, bool]
"""By cell, whether a simulated run had the error."""
Play = Callable[[Rng], Errors]
NOMINAL = 0.05


def chances(rng: Rng, base: float, correlation: float, clusters: Whole, shared: float) -> Floats:
    """Each case's own chance of a good answer; cases of a cluster share it with a probability of
    `shared`. `correlation`: of two answers to one case.
    """
    total = (1 - correlation) / correlation
    own = rng.beta(base * total, (1 - base) * total, len(clusters))
    together = rng.beta(base * total, (1 - base) * total, int(clusters.max()) + 1)[clusters]
    return np.where(rng.random(len(clusters)) < shared, together, own)


def answers(rng: Rng, chance: Floats, repeats: int = 1) -> Floats:
    """Answers that pass, cases x repeats."""
    return (rng.random((len(chance), repeats)) < chance[:, None]).astype(float)


def rule_of(result: GateResult, kind: str, slice_: str | None = None, at: int = 0) -> Decision:
    """The decision of one rule."""
    return [rule.decision for rule in result.rules if rule.rule == kind and rule.slice == slice_][
        at
    ]


def is_pass(result: GateResult, kind: str, slice_: str | None = None, at: int = 0) -> bool:
    """Whether a rule PASSes."""
    return rule_of(result, kind, slice_, at) is Decision.PASS


def is_fail(result: GateResult, kind: str, slice_: str | None = None, at: int = 0) -> bool:
    """Whether a rule FAILs."""
    return rule_of(result, kind, slice_, at) is Decision.FAIL


def paired(
    suite: StrangerSuite, base: float, margin: float, correlation: float, shared: float = 0.0
) -> Play:
    """A margin, with a floor at the base rate where the gate has one: both errors of each."""
    gate = StrangerGate(suite)
    clusters = np.array(suite.clusters if len(suite.clusters) else range(suite.cases))
    floored = "floors" in suite.gate

    def play(rng: Rng) -> Errors:
        chance = chances(rng, base, correlation, clusters, shared)
        errors: Errors = {}
        for drop in (0.0, margin):
            gate.approve({"m": answers(rng, chance, suite.repeats)})
            now = gate.decide({"m": answers(rng, chance * (1 - drop / base), suite.repeats)})
            if drop:
                errors[f"PASS at -{100 * drop:.0f}"] = is_pass(now, "regression")
                continue
            errors["FAIL at 0"] = is_fail(now, "regression")
            if floored:
                errors["floor: PASS at it"] = is_pass(now, "floor")
                errors["floor: FAIL at it"] = is_fail(now, "floor")
                errors["whole gate: FAIL at 0"] = now.decision is Decision.FAIL
        return errors

    return play


def three_clusters() -> Play:
    """Three documents; one has 80 of the 100 cases."""
    suite = StrangerSuite(
        cases=100, gate={"floors": {"m": 0.8}}, margins={"m": 0.1},
        clusters=[0] * 80 + [1] * 10 + [2] * 10,
    )  # fmt: skip
    return paired(suite, 0.8, 0.1, 0.5, shared=0.8)


def twelve_cases() -> Play:
    """Twelve cases, margin 20."""
    suite = StrangerSuite(cases=12, gate={"floors": {"m": 0.8}}, margins={"m": 0.2})
    return paired(suite, 0.8, 0.2, 0.5)


def all_pass() -> Play:
    """A baseline that always passes, a candidate that breaks 5 % of the answers, 75 cases."""
    suite = StrangerSuite(cases=75, gate={"floors": {"m": 0.95}}, margins={"m": 0.05})
    gate = StrangerGate(suite)
    gate.approve({"m": np.ones((75, 1))})

    def play(rng: Rng) -> Errors:
        worse = gate.decide({"m": answers(rng, np.full(75, 0.95))})
        return {
            "PASS at -5": is_pass(worse, "regression"),
            "floor: PASS at it": is_pass(worse, "floor"),
            "floor: FAIL at it": is_fail(worse, "floor"),
        }

    return play


def early_repeats_clusters() -> Play:
    """60 clusters of 5, 2 answers a case, stopped early."""
    suite = StrangerSuite(
        cases=300, gate={"floors": {"m": 0.7}, "stop": "early"}, margins={"m": 0.1}, repeats=2,
        clusters=[number // 5 for number in range(300)],
    )  # fmt: skip
    gate = StrangerGate(suite)
    clusters = np.array(suite.clusters)

    def play(rng: Rng) -> Errors:
        order = rng.permutation(60)[clusters]
        chance = chances(rng, 0.8, 0.5, order, 0.5)
        errors: Errors = {}
        for drop in (0.0, 0.1):
            gate.approve({"m": answers(rng, chance, 2)})
            now = gate.decide({"m": answers(rng, chance * (1 - drop / 0.8), 2)})
            if drop:
                errors["PASS at -10"] = is_pass(now, "regression")
            else:
                errors["FAIL at 0"] = is_fail(now, "regression")
        return errors

    return play


def slices_and_margin() -> Play:
    """Five slices of 60 with floors, a floor and a margin over all, and a margin on one slice."""
    floors = {f"m @ s=v{number}": 0.8 for number in range(5)}
    suite = StrangerSuite(
        cases=300, gate={"floors": {"m": 0.75, **floors}},
        margins={"m": 0.05, "m @ s=v0": 0.15},
        tags=[{"s": f"v{number % 5}"} for number in range(300)],
    )  # fmt: skip
    gate = StrangerGate(suite)
    first = np.arange(300) % 5 == 0
    every = np.arange(300)

    def play(rng: Rng) -> Errors:
        chance = chances(rng, 0.8, 0.5, every, 0.0)
        gate.approve({"m": answers(rng, chance)})
        same = gate.decide({"m": answers(rng, chance)})
        worse = gate.decide({"m": answers(rng, np.where(first, chance * (1 - 0.15 / 0.8), chance))})
        easy = np.where(first, 0.8, 1.0)
        gate.approve({"m": answers(rng, easy)})
        lone = gate.decide({"m": answers(rng, easy)})
        return {
            "all at their floors, unchanged: any FAIL": same.decision is Decision.FAIL,
            "one slice at its floor, all others above: PASS of the gate": lone.decision
            is Decision.PASS,
            "slice at -15: PASS of its margin": is_pass(worse, "regression", "s=v0"),
        }

    return play


def vanishing(base: float, margin: float, *, failures: bool, early: bool) -> Play:
    """1.5 % of the answers are missing in both runs: failures only, or passes only."""
    suite = StrangerSuite(
        cases=300, gate={"floors": {"m": base}, "stop": "early" if early else "never"},
        margins={"m": margin},
    )  # fmt: skip
    gate = StrangerGate(suite)
    every = np.arange(300)

    def missing(rng: Rng, values: Floats) -> Floats:
        rows = np.flatnonzero(values[:, 0] == (0.0 if failures else 1.0))
        gone = rng.permutation(rows)[: min(len(rows), 5)]
        values[gone] = np.nan
        return values

    def play(rng: Rng) -> Errors:
        chance = chances(rng, base, 0.5, every, 0.0)
        gate.approve({"m": missing(rng, answers(rng, chance))})
        same = gate.decide({"m": missing(rng, answers(rng, chance))})
        worse = gate.decide({"m": missing(rng, answers(rng, chance * (1 - margin / base)))})
        return {
            "FAIL at 0": is_fail(same, "regression"),
            f"PASS at -{100 * margin:.0f}": is_pass(worse, "regression"),
            "floor: PASS at it": is_pass(same, "floor"),
            "floor: FAIL at it": is_fail(same, "floor"),
        }

    return play


def judge_record(labels: LabelCounts, trusted: bool) -> dict[str, object]:
    """A judge with a certificate of these labels."""
    names = ("pass_pass", "pass_fail", "fail_pass", "fail_fail")
    return {
        "trust": "TRUSTED" if trusted else "UNTRUSTED",
        "trust_reason": "its labels",
        "labels": dict(zip(names, labels, strict=True)) if trusted else None,
    }


def verdicts(rng: Rng, truth: Floats, sensitivity: float, specificity: float) -> Floats:
    """What a judge says of answers."""
    luck = rng.random(truth.shape)
    return np.where(truth > 0, luck < sensitivity, luck > specificity).astype(float)


def labelled(rng: Rng, n: int, rate: float, sensitivity: float, specificity: float) -> LabelCounts:
    """Labels of n answers, half of them wrong as in a balanced pool."""
    truth = (rng.random(n) < rate).astype(float)
    said = verdicts(rng, truth, sensitivity, specificity)
    cells = ((1, 1), (1, 0), (0, 1), (0, 0))
    return LabelCounts(*(int(((said == a) & (truth == b)).sum()) for a, b in cells))


def weak_judge(*, old: float) -> Play:
    """A judge with a specificity of 60 % and 300 labels; `old`: what its specificity was when it
    was certified. 50 anchors, half of them wrong answers, raise the alarm as in a run.
    """
    every = np.arange(400)
    limit = anchor_rule(50)

    def play(rng: Rng) -> Errors:
        labels = labelled(rng, 300, 0.5, 0.95, old)
        drifted = old - 0.6
        changed = rng.binomial(50, 0.02) + rng.binomial(25, drifted)
        trusted = youden_lower(labels, 0.05) >= 0.6 and changed < limit.alarm
        suite = StrangerSuite(
            cases=400, gate={"floors": {"m": 0.8}}, margins={"m": 0.1},
            judges={"m": judge_record(labels, trusted)},
        )  # fmt: skip
        gate = StrangerGate(suite)
        chance = chances(rng, 0.8, 0.5, every, 0.0)
        errors: Errors = {}
        for drop in (0.0, 0.1):
            truth = answers(rng, chance), answers(rng, chance * (1 - drop / 0.8))
            before, now = (verdicts(rng, side, 0.95, 0.6) for side in truth)
            gate.approve({"m": before})
            made = gate.decide({"m": now})
            if drop:
                errors["PASS at -10"] = is_pass(made, "regression")
                errors["floor: PASS 10 below it"] = is_pass(made, "floor")
            else:
                errors["FAIL at 0"] = is_fail(made, "regression")
                errors["floor: PASS at it"] = is_pass(made, "floor")
                errors["floor: FAIL at it"] = is_fail(made, "floor")
        return errors

    return play


def five_runs(*, outlier: float, early: bool) -> Play:
    """A baseline of five runs of which one lost `outlier` of its good answers. The drop is counted
    from the mean of the five, as the rule's sentence says.
    """
    suite = StrangerSuite(
        cases=200, gate={"stop": "early" if early else "never"}, margins={"m": 0.1}
    )
    gate = StrangerGate(suite)
    every = np.arange(200)
    mean = 1 - outlier / 5

    def play(rng: Rng) -> Errors:
        chance = chances(rng, 0.85, 0.5, every, 0.0)
        odd = int(rng.integers(5))
        runs = [
            {"m": answers(rng, chance * (1 - outlier) if number == odd else chance)}
            for number in range(5)
        ]
        gate.approve(*runs)
        same = gate.decide({"m": answers(rng, chance * mean)})
        worse = gate.decide({"m": answers(rng, chance * (mean - 0.1 / 0.85))})
        return {
            "FAIL at the mean of the runs": is_fail(same, "regression"),
            "PASS 10 below it": is_pass(worse, "regression"),
        }

    return play


def five_runs_with_gaps() -> Play:
    """Five runs and a candidate that each miss up to 4 of their 200 answers, failures only; early."""
    suite = StrangerSuite(cases=200, gate={"stop": "early"}, margins={"m": 0.1})
    gate = StrangerGate(suite)
    every = np.arange(200)

    def missing(rng: Rng, values: Floats) -> Values:
        rows = rng.permutation(np.flatnonzero(values[:, 0] == 0))[:4]
        values[rows] = np.nan
        return {"m": values}

    def play(rng: Rng) -> Errors:
        chance = chances(rng, 0.85, 0.5, every, 0.0)
        gate.approve(*(missing(rng, answers(rng, chance)) for _ in range(5)))
        same = gate.decide(missing(rng, answers(rng, chance)))
        worse = gate.decide(missing(rng, answers(rng, chance * (1 - 0.1 / 0.85))))
        return {
            "FAIL at 0": is_fail(same, "regression"),
            "PASS at -10": is_pass(worse, "regression"),
        }

    return play


def attempts(*, stop: str, invalid: bool) -> Play:
    """Up to ten attempts of one change. `invalid`: about 40 % of the runs miss too many answers,
    failures only, and are INVALID, so they do not count.
    """
    n, tries = 100, 10
    suite = StrangerSuite(
        cases=n, gate={"floors": {"m": 0.85}, "attempts": 10, "stop": stop}, margins={"m": 0.1}
    )
    gate = StrangerGate(suite)
    every = np.arange(n)

    def one_change(rng: Rng, chance: Floats, now: Floats) -> list[GateResult]:
        gate.approve({"m": answers(rng, chance)})
        results: list[GateResult] = []
        earlier: list[PastRun] = []
        for _ in range(tries):
            values = answers(rng, now)
            if invalid:
                rows = np.flatnonzero(values[:, 0] == 0)
                gone = rows[rng.random(len(rows)) < 0.12]
                values[gone] = np.nan
            made = gate.decide({"m": values}, earlier)
            if made.decision is Decision.INVALID:
                continue
            results.append(made)
            if made.decision is Decision.PASS:
                break
            earlier.append(gate.past({"m": values}, made.decision))
        return results

    def play(rng: Rng) -> Errors:
        chance = chances(rng, 0.85, 0.5, every, 0.0)
        same = one_change(rng, chance, chance)
        worse = one_change(rng, chance, chance * (1 - 0.1 / 0.85))
        return {
            "margin: FAIL at 0 in any": any(is_fail(each, "regression") for each in same),
            "margin: PASS at -10 in any": any(is_pass(each, "regression") for each in worse),
            "floor: PASS at it in any": any(is_pass(each, "floor") for each in same),
            "floor: FAIL at it in any": any(is_fail(each, "floor") for each in same),
            "gate: FAIL at 0 in any": any(each.decision is Decision.FAIL for each in same),
        }

    return play


def rare_failures() -> Play:
    """99 % pass, margin 2, 300 cases, stopped early."""
    suite = StrangerSuite(
        cases=300, gate={"floors": {"m": 0.99}, "stop": "early"}, margins={"m": 0.02}
    )
    return paired(suite, 0.99, 0.02, 0.3)


def opposite_answers() -> Play:
    """Half of the cases pass, and the candidate mostly passes the others: 50 cases, margin 20."""
    suite = StrangerSuite(cases=50, gate={}, margins={"m": 0.2})
    gate = StrangerGate(suite)

    def play(rng: Rng) -> Errors:
        before = rng.random(50) < 0.5
        gate.approve({"m": before[:, None].astype(float)})
        turned = np.where(before, 0.1, 0.9)
        worse = np.where(before, 0.0, 0.6)
        return {
            "FAIL at 0": is_fail(gate.decide({"m": answers(rng, turned)}), "regression"),
            "PASS at -20": is_pass(gate.decide({"m": answers(rng, worse)}), "regression"),
        }

    return play


def broken_clusters(*, early: bool) -> Play:
    """40 clusters of 6: the candidate breaks whole clusters, each with a probability of 10 %."""
    suite = StrangerSuite(
        cases=240, gate={"stop": "early" if early else "never"}, margins={"m": 0.1},
        clusters=[number // 6 for number in range(240)],
    )  # fmt: skip
    gate = StrangerGate(suite)
    clusters = np.array(suite.clusters)

    def play(rng: Rng) -> Errors:
        before, now = ((rng.random(40) >= 0.1)[clusters].astype(float)[:, None] for _ in range(2))
        gate.approve({"m": np.ones((240, 1))})
        worse = gate.decide({"m": now})
        gate.approve({"m": before})
        same = gate.decide({"m": now})
        return {
            "PASS at -10": is_pass(worse, "regression"),
            "FAIL at 0": is_fail(same, "regression"),
        }

    return play


def sizes_and_results() -> Play:
    """150 clusters of unequal size; the larger a cluster, the worse its answers. The floor is at
    the rate of cases, not of clusters.
    """
    pool = np.clip(np.rint(np.random.default_rng(5).lognormal(1.0, 0.8, 4000)), 1, 30).astype(int)
    rates = np.clip(0.97 - 0.12 * np.log(pool), 0.05, 1.0)
    true = float((pool * rates).sum() / pool.sum())

    def play(rng: Rng) -> Errors:
        places = rng.integers(0, len(pool), 150)
        sizes, rate = pool[places], rates[places]
        suite = StrangerSuite(
            cases=int(sizes.sum()), gate={"floors": {"m": true}},
            clusters=np.repeat(np.arange(150), sizes).tolist(),
        )  # fmt: skip
        chance = np.repeat(rng.beta(4 * rate, 4 * (1 - rate) + 1e-9), sizes)
        made = StrangerGate(suite).decide({"m": answers(rng, chance)})
        return {
            "floor: PASS at it": is_pass(made, "floor"),
            "floor: FAIL at it": is_fail(made, "floor"),
        }

    return play


def rare_total_losses(n: int) -> Play:
    """Graded scores near 1: 5 % of them fall to 0, or (unchanged) rare rises balance small falls."""
    suite = StrangerSuite(cases=n, gate={}, margins={"m": 0.05})
    gate = StrangerGate(suite)

    def play(rng: Rng) -> Errors:
        before = np.full((n, 1), 0.98)
        gate.approve({"m": before})
        lost = np.where(rng.random((n, 1)) < 0.05 / 0.98, 0.0, 0.98)
        worse = gate.decide({"m": lost})
        gate.approve({"m": np.full((n, 1), 0.5)})
        moved = np.where(rng.random((n, 1)) < 0.04, 0.5 + 0.48, 0.5 - 0.02)
        same = gate.decide({"m": moved})
        return {
            "PASS at -5": is_pass(worse, "regression"),
            "FAIL at 0": is_fail(same, "regression"),
        }

    return play


def improvement() -> Play:
    """A rise of 20 points must be reached on a slice of 60 cases, and the rest must not fall."""
    suite = StrangerSuite(
        cases=200, gate={"improve": {"m @ s=new": 0.2}}, margins={"m @ s=old": 0.1},
        tags=[{"s": "new" if number < 60 else "old"} for number in range(200)],
    )  # fmt: skip
    gate = StrangerGate(suite)
    new = np.arange(200) < 60

    def play(rng: Rng) -> Errors:
        chance = chances(rng, 0.6, 0.4, np.arange(200), 0.0)
        gate.approve({"m": answers(rng, chance)})
        risen = np.where(new, chance + (1 - chance) * 0.2 / 0.4, chance)
        made = gate.decide({"m": answers(rng, risen)})
        return {
            "rise: PASS at it": is_pass(made, "improve", "s=new"),
            "rise: FAIL at it": is_fail(made, "improve", "s=new"),
            "gate: FAIL": made.decision is Decision.FAIL,
        }

    return play


def release_and_rolling() -> Play:
    """A rolling baseline and a release, two metrics, floors, first attempt, stopped early. The
    rates of a first attempt are half of the stated ones.
    """
    suite = StrangerSuite(
        cases=200, gate={"floors": {"a": 0.85, "b": 0.85}, "attempts": 10, "stop": "early"},
        margins={"a": 0.1, "b": 0.1}, release_margins={"a": 0.1, "b": 0.1},
    )  # fmt: skip
    gate = StrangerGate(suite)
    every = np.arange(200)

    def play(rng: Rng) -> Errors:
        easy = {name: chances(rng, 0.85, 0.5, every, 0.0) for name in "ab"}

        def run(drop: float) -> Values:
            return {
                name: answers(rng, chance * (1 - drop / 0.85 if name == "b" else 1.0))
                for name, chance in easy.items()
            }

        gate.approve(run(0.0), release=run(0.0))
        same, worse = gate.decide(run(0.0)), gate.decide(run(0.1))
        return {
            "any FAIL at 0": same.decision is Decision.FAIL,
            "b at -10: PASS of its margin": is_pass(worse, "regression", at=1),
            "b at -10: PASS since the release": is_pass(worse, "release", at=1),
            "b at -10: PASS of the gate": worse.decision is Decision.PASS,
        }

    return play


def whole_cases() -> Play:
    """The metric `cases`: three checks and 3 answers a case, each must pass; a floor at its rate."""
    rate = 0.6
    suite = StrangerSuite(cases=150, gate={"floors": {"cases": rate}}, repeats=3)
    gate = StrangerGate(suite)

    def play(rng: Rng) -> Errors:
        good = rng.random(150) < rate  # a good case passes everything, a bad one fails something
        values = {name: np.ones((150, 3)) for name in "abc"}
        for number in np.flatnonzero(~good):
            values["abc"[rng.integers(3)]][number, rng.integers(3)] = 0.0
        made = gate.decide(values)
        return {
            "floor: PASS at it": is_pass(made, "floor"),
            "floor: FAIL at it": is_fail(made, "floor"),
        }

    return play


def pass_rate_of_repeats() -> Play:
    """The margin of a pass rate, where a case passes with all of its 3 answers."""
    suite = StrangerSuite(cases=200, gate={}, margins={"m pass": 0.1}, repeats=3)
    gate = StrangerGate(suite)

    def play(rng: Rng) -> Errors:
        chance = rng.beta(8, 1, 200)
        rate = float(8 / (8 + 3))  # E chance^3 of a beta(8, 1)
        gate.approve({"m": answers(rng, chance, 3)})
        same = gate.decide({"m": answers(rng, chance, 3)})
        broken = rng.random(200) < 0.1 / rate
        now = answers(rng, chance, 3)
        now[broken, 0] = 0.0
        worse = gate.decide({"m": now})
        return {
            "FAIL at 0": is_fail(same, "regression"),
            "PASS at -10": is_pass(worse, "regression"),
        }

    return play


def hand_made_cases() -> Play:
    """`about: these_cases`, 20 cases and 5 answers; missing answers are failures only."""
    suite = StrangerSuite(
        cases=20, gate={"about": "these_cases", "max_unscored": 0.2}, margins={"m": 0.1}, repeats=5
    )
    gate = StrangerGate(suite)

    def missing(rng: Rng, values: Floats) -> Values:
        rows = np.flatnonzero(values.reshape(-1) == 0)
        values.reshape(-1)[rng.permutation(rows)[:2]] = np.nan
        return {"m": values}

    def play(rng: Rng) -> Errors:
        chance = np.linspace(0.7, 1.0, 20)
        gate.approve({"m": answers(rng, chance, 5)})
        same = gate.decide(missing(rng, answers(rng, chance, 5)))
        worse = gate.decide(missing(rng, answers(rng, chance * (1 - 0.1 / chance.mean()), 5)))
        return {
            "FAIL at 0": is_fail(same, "regression"),
            "PASS at -10": is_pass(worse, "regression"),
        }

    return play


def tiny_slices() -> Play:
    """Ten slices of 6 cases, each with a floor at its true rate: any FAIL, and any PASS of one."""
    suite = StrangerSuite(
        cases=60, gate={"floors": {f"m @ s=v{number}": 0.6 for number in range(10)}},
        tags=[{"s": f"v{number % 10}"} for number in range(60)],
    )  # fmt: skip
    gate = StrangerGate(suite)

    def play(rng: Rng) -> Errors:
        made = gate.decide({"m": answers(rng, np.full(60, 0.6))})
        return {
            "any FAIL": made.decision is Decision.FAIL,
            "PASS of one slice": is_pass(made, "floor", "s=v0"),
        }

    return play


HINTED = 20
"""Runs of the first scenario whose open rules say what would settle them (`leave_out_hints`)."""
HALF = {"release and rolling": 0.025}
"""The stated rate of scenarios that play a first attempt."""
SCENARIOS: dict[str, Callable[[], Play]] = {
    "3 clusters, one of 80 %": three_clusters,
    "12 cases": twelve_cases,
    "all pass before, 75 cases": all_pass,
    "2 answers, early, 60 clusters of 5": early_repeats_clusters,
    "6 floors and 2 margins over slices": slices_and_margin,
    "failures go missing": lambda: vanishing(0.85, 0.1, failures=True, early=False),
    "failures go missing, early": lambda: vanishing(0.85, 0.1, failures=True, early=True),
    "passes go missing": lambda: vanishing(0.85, 0.1, failures=False, early=False),
    "weak judge (specificity 60 %), 300 labels": lambda: weak_judge(old=0.6),
    "judge that fell from 90 to 60 % specificity": lambda: weak_judge(old=0.9),
    "5 runs, one an outlier": lambda: five_runs(outlier=0.5, early=False),
    "5 runs, one an outlier, early": lambda: five_runs(outlier=0.5, early=True),
    "5 runs with gaps, early": five_runs_with_gaps,
    "10 attempts": lambda: attempts(stop="never", invalid=False),
    "10 attempts, early": lambda: attempts(stop="early", invalid=False),
    "10 attempts after INVALID ones": lambda: attempts(stop="never", invalid=True),
    "99 % pass, early": rare_failures,
    "opposite answers, 50 cases": opposite_answers,
    "whole clusters break": lambda: broken_clusters(early=False),
    "whole clusters break, early": lambda: broken_clusters(early=True),
    "large clusters are worse": sizes_and_results,
    "rare total losses, 60 graded scores": lambda: rare_total_losses(60),
    "rare total losses, 200 graded scores": lambda: rare_total_losses(200),
    "a rise that must be reached": improvement,
    "release and rolling": release_and_rolling,
    "3 checks x 3 answers must pass": whole_cases,
    "pass rate of 3 answers": pass_rate_of_repeats,
    "20 hand-made cases, failures go missing": hand_made_cases,
    "10 slices of 6 cases": tiny_slices,
}


def measured(name: str, runs: int) -> Iterator[tuple[str, float, float, float]]:
    """Each cell: its name, stated rate, measured rate, standard error."""
    play = SCENARIOS[name]()
    rng = np.random.default_rng([51, *name.encode()])
    counts = Counter[str]()
    for number in range(runs):
        if number == HINTED:
            leave_out_hints()
        counts.update({cell: int(wrong) for cell, wrong in play(rng).items()})
    nominal = HALF.get(name, NOMINAL)
    error = math.sqrt(nominal * (1 - nominal) / runs)
    for cell, wrong in counts.items():
        yield cell, nominal, wrong / runs, error


def main() -> int:
    """Print the table; 1 where a cell does not hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=1000, help="simulated runs of each scenario")
    parser.add_argument(
        "--only", action="append", help="scenarios whose name contains this; repeatable"
    )
    parser.add_argument("--list", action="store_true", help="print the names only")
    options = parser.parse_args()
    names = [name for name in SCENARIOS if any(each in name for each in options.only or [""])]
    if options.list:
        print("\n".join(names))
        return 0
    print("| scenario | error | stated % | measured % | s.e. | holds |\n|---|---|---|---|---|---|")
    broken = 0
    for name in names:
        begun = time.perf_counter()
        for cell, nominal, rate, error in measured(name, options.runs):
            holds = rate <= nominal + 2 * error + 1e-9
            broken += not holds
            figures = f"{100 * nominal:.1f} | {100 * rate:.2f} | {100 * error:.2f}"
            print(f"| {name} | {cell} | {figures} | {'yes' if holds else '**no**'} |", flush=True)
        print(f"{name}: {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
    print(f"\n{broken} cells do not hold" if broken else "\nAll cells hold.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
