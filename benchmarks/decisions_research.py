"""Ideas that might save calls, measured before any of them is built.

    python benchmarks/decisions_research.py [--runs 400] [--section control|order|best|branch]

`control`: the baseline's results of all cases as a control variate for the cases that were asked so
far. `order`: cases that differed in past runs first, with weights. `best`: the best of several
candidates, ties included. `branch`: one error rate over a branch's life (online false discovery
rate). Normal theory with known variances and looks at every percent, so that the figures are those
of the ideas and not of a test's small-sample details. Everything is seeded.
"""

import argparse
import math
import sys
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from llmeval.stats.sequential.spending import PASS, levels, spent

Floats = NDArray[np.float64]

N, MARGIN, RATE, BASE = 1000, 0.05, 0.05, 0.8
LOOKS = tuple(range(20, N + 1, 20))


def answers(
    rng: np.random.Generator, runs: int, correlation: float, kept: int, drop: float
) -> tuple[Floats, Floats]:
    """The baseline's means and the candidate's results, runs x cases."""
    total = (1 - correlation) / correlation
    chances = rng.beta(BASE * total, (1 - BASE) * total, (runs, N))
    before = rng.binomial(kept, chances) / kept
    now = (rng.random((runs, N)) < chances * (1 - drop / BASE)).astype(float)
    return before, now


def decided(estimates: Floats, errors: Floats, information: Floats) -> tuple[float, float, float]:
    """FAIL, PASS and the share of the cases used, by looks that spend as the gate's do.

    Args:
        estimates: of the difference, runs x looks. errors: the standard error at each look, or of
            each run at each look. information: 1 / error^2, as a share of the last look's.
    """
    times = tuple(np.minimum(information, 1.0).tolist())
    whole = float((MARGIN / errors[..., -1].mean()) ** 2)
    used = tuple(RATE * spent(time, whole, PASS) for time in times)
    limits = np.array([_quantile(level) for level in levels(times, used)])
    fails, passes = estimates / errors <= -limits, (estimates + MARGIN) / errors >= limits
    first_fail, first_pass = (
        np.where(each.any(axis=1), each.argmax(axis=1), len(LOOKS)) for each in (fails, passes)
    )
    first = np.minimum(first_fail, first_pass)
    asked = np.array([*LOOKS, N])[first]
    failed = (first_fail <= first_pass) & (first < len(LOOKS))
    passed = (first_pass < first_fail) & (first < len(LOOKS))
    return float(failed.mean()), float(passed.mean()), float(asked.mean()) / N


def _quantile(level: float) -> float:
    """The z that is exceeded with this probability."""
    from statistics import NormalDist

    return NormalDist().inv_cdf(1 - level) if level > 0 else 99.0


def control(runs: int) -> Iterator[str]:
    """Plain paired differences next to those with a control variate: the mean of now - b * before
    over the cases asked so far, less (1 - b) times the baseline's mean over all cases.
    """
    yield "control variate from the baseline's own results; % FAIL, PASS, calls"
    at = np.array(LOOKS)
    for correlation in (0.2, 0.5, 0.8):
        for kept in (1, 5):
            for drop in (0.0, MARGIN):
                rng = np.random.default_rng(31)
                before, now = answers(rng, runs, correlation, kept, drop)
                covariance = np.mean((now - now.mean()) * (before - before.mean()))
                slope = float(covariance / before.var())
                rows = []
                for b in (1.0, slope):
                    rest = now - b * before
                    means = np.cumsum(rest, axis=1)[:, at - 1] / at
                    found = means - (1 - b) * before.mean(axis=1, keepdims=True)
                    mixed = np.mean((rest - rest.mean()) * (before - before.mean()))
                    variance = (
                        rest.var() / at + ((1 - b) ** 2 * before.var() - 2 * (1 - b) * mixed) / N
                    )
                    rows.append(decided(found, np.sqrt(variance), variance[-1] / variance))
                yield (
                    f"  corr {correlation} runs {kept} drop {-100 * drop:3.0f}:"
                    f" plain {told(rows[0])}   control (b {slope:.2f}) {told(rows[1])}"
                    f"   ratio {rows[1][2] / rows[0][2]:.2f}"
                )


def told(row: tuple[float, float, float]) -> str:
    """FAIL PASS used."""
    return " ".join(f"{100 * each:5.1f}" for each in row)


def order(runs: int) -> Iterator[str]:
    """Cases drawn with a probability that grows with how much they differed in past runs, each
    weighted by 1 / probability, next to a random order. The variance of the mean after a number of
    cases, as a share of that of a random order; and what is left where a drop hits cases evenly or
    only those that never differed.
    """
    yield "ordered sampling: variance of the estimate at 300 of 1,000 cases, against a random order"
    for correlation in (0.2, 0.5, 0.8):
        for kept in (2, 5, 10):
            rng = np.random.default_rng(32)
            total = (1 - correlation) / correlation
            chances = rng.beta(BASE * total, (1 - BASE) * total, 200_000)
            past = rng.binomial(kept, chances)
            guess = (past + 0.5) / (kept + 1)  # Jeffreys' estimate of the chance
            spread = np.sqrt(guess * (1 - guess))
            shares = []
            for name, lost in (
                ("no drop", np.zeros(len(chances))),
                ("drop spread evenly", 0.05 * chances / BASE),
                ("drop in cases that never differed", _in_stable(past, kept, chances)),
            ):
                now = chances - lost
                moment = now * (1 - now) + chances * (1 - chances) / kept + lost**2
                weights = spread + 0.25 * spread.mean()
                weights /= weights.mean()
                even = moment.mean() - lost.mean() ** 2
                ratio = (moment / weights).mean() - lost.mean() ** 2
                shares.append(f"{name} {ratio / even:.2f}")
            yield f"  corr {correlation}, {kept:2} past runs: {'; '.join(shares)}"


def _in_stable(past: NDArray[np.int64], kept: int, chances: Floats) -> Floats:
    """A drop of 5 points on average that breaks cases which all past runs passed."""
    stable = (past == kept) & (chances > 0)
    broken = np.random.default_rng(5).random(len(chances)) < 0.05 / (stable * chances).mean()
    return np.where(stable & broken, chances, 0.0)


def best(runs: int) -> Iterator[str]:
    """One of four candidates to be chosen, each compared with the leader so far; stopped where all
    others are worse, or no more than a margin of 2 points better (a tie).
    """
    yield "best of 4 candidates, n 1,000 each, corr .5: calls, wrong choices (worse by over 2 points)"
    for gaps in ((0.0, 0.0, 0.0, 0.0), (0.0, 0.05, 0.05, 0.05), (0.0, 0.02, 0.05, 0.1)):
        rng, asked, wrong = np.random.default_rng(33), 0.0, 0
        for _ in range(runs):
            chances = rng.beta(BASE, 1 - BASE, N)
            found = np.array(
                [(rng.random(N) < chances * (1 - gap / BASE)).astype(float) for gap in gaps]
            )
            racing, calls = list(range(len(gaps))), 0
            level = _quantile(RATE / (len(gaps) - 1) / 10)
            for step in range(100, N + 1, 100):
                calls += 100 * len(racing)
                sums = {each: found[each, :step].mean() for each in racing}
                leader = max(sums, key=lambda each: sums[each])
                kept = []
                for each in racing:
                    moved = found[each, :step] - found[leader, :step]
                    error = max(float(moved.std()), 0.05) / math.sqrt(step)
                    if moved.mean() > -level * error:
                        kept.append(each)
                racing = kept
                if len(racing) == 1:
                    break
            choice = max(racing, key=lambda each: found[each].mean())
            asked += calls / (N * len(gaps))
            wrong += gaps[choice] > 0.02
        yield f"  true gaps {gaps}: {100 * asked / runs:.0f} % of the calls, wrong {wrong / runs:.3f}"


def branch(runs: int) -> Iterator[str]:
    """40 changes of a branch, two of them bad: FAIL at 5 % each, at 5 % for the whole branch, and by
    LORD (online false discovery rate, Ramdas et al., NeurIPS 2017).
    """
    yield "40 changes, 2 drop by 5 points, n 400, corr .5: wrong FAILs a branch, drops that FAIL, FDR"
    gamma = 1 / (np.arange(1, 200) * np.log(np.arange(1, 200) + 1) ** 2)
    gamma /= gamma.sum()
    rng = np.random.default_rng(34)
    noise, bad = math.sqrt(0.16 / 400), np.zeros((runs, 40), dtype=bool)
    for row in bad:
        row[rng.choice(40, 2, replace=False)] = True
    z = (rng.normal(size=(runs, 40)) * noise - MARGIN * bad) / noise
    p_values = np.vectorize(lambda each: 0.5 * math.erfc(-each / math.sqrt(2)))(z)
    rules: dict[str, Callable[[Floats], NDArray[np.bool_]]] = {
        "5 % each": lambda p: p <= RATE,
        "5 % for the branch": lambda p: p <= RATE / 40,
        "LORD at 10 %": lambda p: _lord(p, gamma, 0.1),
    }
    for name, rule in rules.items():
        failed = np.array([rule(row) for row in p_values])
        false = (failed & ~bad).sum(axis=1)
        rate = (false / np.maximum(failed.sum(axis=1), 1)).mean()
        power = (failed & bad).sum() / bad.sum()
        yield f"  {name:20} {false.mean():.2f} wrong, {100 * power:.0f} % of the drops, FDR {rate:.2f}"


def _lord(p_values: Floats, gamma: Floats, level: float) -> NDArray[np.bool_]:
    """LORD++: half of the wealth at the start, the rest after each rejection."""
    rejected: list[int] = []
    found = np.zeros(len(p_values), dtype=bool)
    for at, p_value in enumerate(p_values):
        alpha = 0.5 * level * gamma[at]
        for number, when in enumerate(rejected):
            alpha += (0.5 if number == 0 else 1.0) * level * gamma[at - when - 1]
        if p_value <= alpha:
            rejected.append(at)
            found[at] = True
    return found


SECTIONS = {"control": control, "order": order, "best": best, "branch": branch}


def main() -> int:
    """Print the sections."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--section", choices=SECTIONS)
    chosen = parser.parse_args()
    for name, section in SECTIONS.items():
        if chosen.section in (None, name):
            for line in section(chosen.runs):
                print(line, flush=True)
            print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
