"""Before the first call: how many cases, labels and repeats a decision takes, and what a given
number can show.

Rates are of independent cases; multiply by the design effect (`clusters.clustered_mean`) for
clusters.
"""

import math
from statistics import NormalDist
from typing import NamedTuple

from llmeval.stats.special.beta import beta_cdf

_NORMAL = NormalDist()
DISCORDANCE = 0.16
"""E d^2 without a drop that bets and looks are placed for: 16 % of the cases pass on one side
alone. Only speed depends on it.
"""
_TAIL = 12
"""Standard deviations after which a binomial probability is taken as 0."""


class Discordance(NamedTuple):
    """Shares of pairs that differ: P(baseline passes, candidate fails), and the other way."""

    worse: float
    better: float

    @property
    def total(self) -> float:
        """Share of pairs that differ."""
        return self.worse + self.better

    @property
    def variance(self) -> float:
        """Variance of one pair's difference: worse + better - (better - worse)^2."""
        return self.total - (self.better - self.worse) ** 2


def discordance(base: float, drop: float, correlation: float) -> Discordance:
    """The discordance of two pass rates, base and base - drop, whose results correlate by phi.

    p11 = pb pc + phi sqrt(pb (1-pb) pc (1-pc)), cut to what the rates allow.

    Raises:
        ValueError: rates outside [0, 1].
    """
    candidate = base - drop
    if not (0 <= base <= 1 and 0 <= candidate <= 1):
        raise ValueError(f"pass rates must lie in [0, 1], got {base} and {candidate}")
    both = base * candidate + correlation * math.sqrt(
        base * (1 - base) * candidate * (1 - candidate)
    )
    both = max(min(both, base, candidate), base + candidate - 1, 0.0)
    return Discordance(base - both, candidate - both)


def same_model_discordance(rates: list[float]) -> float:
    """Share of cases on which two runs of one model differ: 2 E[p (1 - p)], p each case's own pass
    rate.
    """
    return 2 * math.fsum(p * (1 - p) for p in rates) / len(rates)


def judged_discordance(
    true: Discordance, base: float, sensitivity: float, specificity: float, shared: float = 0.0
) -> Discordance:
    """The discordance a noisy judge sees, from the true one.

    Args:
        true: discordance of people's verdicts.
        base: people's pass rate of the baseline.
        sensitivity, specificity: the judge's, the same on both sides.
        shared: share of cases on which the judge's error falls on both sides alike.
    """
    both = base - true.worse
    cells = {(True, True): both, (True, False): true.worse, (False, True): true.better}
    cells[False, False] = 1 - sum(cells.values())
    wrong = {True: 1 - sensitivity, False: 1 - specificity}
    worse = better = 0.0
    for (b, c), share in cells.items():
        for wrong_b, wrong_c, chance in _errors(wrong[b], wrong[c], shared):
            seen_b, seen_c = b != wrong_b, c != wrong_c
            worse += share * chance * (seen_b and not seen_c)
            better += share * chance * (seen_c and not seen_b)
    return Discordance(worse, better)


def _errors(b: float, c: float, shared: float) -> list[tuple[bool, bool, float]]:
    """(the judge errs on the baseline, on the candidate, probability): independent, or one event
    for a share.
    """
    both = shared * min(b, c) + (1 - shared) * b * c
    return [
        (True, True, both),
        (True, False, b - both),
        (False, True, c - both),
        (False, False, 1 - b - c + both),
    ]


def paired_cases(
    null: Discordance, actual: Discordance, limit: float, alpha: float = 0.05, power: float = 0.8
) -> int:
    """Cases for a one-sided test of H0: difference = `limit`, to reject with `power` when `actual`
    holds.

    n = ((z_alpha s0 + z_power s1) / gap)^2, s0 and s1 the standard deviations of one difference,
    gap the distance of the actual difference from the limit.

    Raises:
        ValueError: no gap.

    Source: R. J. Connor, Biometrics 43 (1987) 207-211 for paired proportions.
    """
    gap = abs(actual.better - actual.worse - limit)
    if gap == 0:
        raise ValueError(
            "the difference to show is the limit itself: no number of cases can show it"
        )
    z_alpha, z_power = _NORMAL.inv_cdf(1 - alpha), _NORMAL.inv_cdf(power)
    return math.ceil(
        ((z_alpha * math.sqrt(null.variance) + z_power * math.sqrt(actual.variance)) / gap) ** 2
    )


def cases_to_detect(
    drop: float,
    base: float = 0.8,
    correlation: float = 0.5,
    alpha: float = 0.05,
    power: float = 0.8,
) -> int:
    """Cases to FAIL a candidate that is worse by `drop` with probability `power` (fixed size; see
    `gate_cases`).
    """
    return paired_cases(
        discordance(base, 0, correlation), discordance(base, drop, correlation), 0.0, alpha, power
    )


def unpaired_cases(drop: float, base: float = 0.8, alpha: float = 0.05, power: float = 0.8) -> int:
    """Cases per side when the sides answer different cases: n = 2 (z_alpha + z_power)^2 p (1 - p) /
    drop^2.
    """
    z = _NORMAL.inv_cdf(1 - alpha) + _NORMAL.inv_cdf(power)
    return math.ceil(2 * z * z * base * (1 - base) / drop**2)


def gate_cases(
    margin: float,
    second_moment: float,
    alpha: float = 0.05,
    beta: float = 0.05,
    youden: float = 1.0,
    sequential: bool = True,
    power: float = 0.95,
    expected: float = DISCORDANCE,
    counted: bool = True,
) -> int:
    """Cases so that the gate PASSes an unchanged candidate with `power`.

    n = ((z_level + z_power) / (J margin))^2 E d^2, level the error rate, or `looked_at` times it
    when the run may stop early (`gate_test.py`): so 95 % PASS within a few % of n where 5 to 40 %
    of the cases differ (`benchmarks/decisions_exact.py`). One that is worse by the margin FAILs
    about as often where no more cases differ for it, else less often.

    Args:
        margin: the drop that must not pass, on the scale of human judgement.
        second_moment: E d^2 of the judged difference without a drop: the share of cases that
            differ.
        alpha, beta: error rates of the gate.
        youden: the judge's J (its lower bound, to be safe).
        sequential: whether the run may stop early.
        power: probability to decide.
        expected: the E d^2 that looks are placed for.
        counted: passes and fails, each case by itself: FAIL then spends its whole rate
            (`counted.py`).
    """
    ratio = second_moment / expected if sequential else None
    z = gate_score(min(alpha, beta), ratio, power, counted=counted)
    return math.ceil(z * z * second_moment / (youden * margin) ** 2)


def gate_score(rate: float, ratio: float | None, power: float, *, counted: bool = True) -> float:
    """z_level + z_power: the standard errors that a margin must be worth for the gate to decide
    with `power`.

    Args:
        rate: the smaller error rate of the gate.
        ratio: E d^2 to that which looks are placed for; None where the run may not stop early.
        power: probability to decide. counted: as `gate_cases`.
    """
    level = rate * (1.0 if ratio is None else looked_at(ratio, counted=counted))
    return _NORMAL.inv_cdf(1 - level) + _NORMAL.inv_cdf(power)


def looked_at(ratio: float, *, counted: bool = True) -> float:
    """Of the error rate, what a test of fixed size may have that needs as many cases as the one
    with interim analyses.

    0.185 exp(-1.2 x - 0.13 x^2), x = ln ratio in [-1.2, 1], fitted to exact calculations at 6 to 40
    % that differ; or, where FAIL's looks are those of a normal walk, so that fewer unchanged
    candidates FAIL, 0.42 exp(-0.2 x - 0.3 x^2), fitted to simulations. Looks that are placed for
    other cases cost more of them.

    Args:
        ratio: E d^2 to that which looks are placed for.
        counted: as `gate_cases`.
    """
    x = min(1.0, max(-1.2, math.log(ratio)))
    if counted:
        return 0.185 * math.exp(-1.2 * x - 0.13 * x * x)
    return 0.42 * math.exp(-0.2 * x - 0.3 * x * x)


def detectable_shift(
    n: int, share: float, alpha: float = 0.05, power: float = 0.8, sides: int = 2
) -> float:
    """The smallest mean difference of n pairs found with `power`: (z_alpha + z_power) sqrt(share /
    n), at most 1.

    The minimum detectable effect of a bias probe or a regression test; `share` of the pairs differ
    when nothing is wrong.
    """
    return min(1.0, _normals(alpha, power, sides) * math.sqrt(share / n))


def pairs_for_shift(
    shift: float, share: float, alpha: float = 0.05, power: float = 0.8, sides: int = 2
) -> int:
    """The fewest pairs for which `detectable_shift` is at most `shift`: share ((z_alpha + z_power)
    / shift)^2.
    """
    return math.ceil(share * (_normals(alpha, power, sides) / shift) ** 2)


def _normals(alpha: float, power: float, sides: int) -> float:
    return _NORMAL.inv_cdf(1 - alpha / sides) + _NORMAL.inv_cdf(power)


def mcnemar_power(n: int, actual: Discordance, alpha: float = 0.05) -> float:
    """Exact power of the one-sided exact McNemar test: sum over m differing pairs of P(m) P(reject
    | m).

    "Not significant = pass" misses a drop with one minus this.
    """
    total, worse = actual.total, actual.worse
    if total == 0:
        return 0.0
    centre, spread = n * total, math.sqrt(n * total * (1 - total)) + 1
    power = 0.0
    for m in range(max(1, int(centre - _TAIL * spread)), min(n, int(centre + _TAIL * spread)) + 1):
        # The smallest count of worse pairs that rejects: P(X >= count) <= alpha, X ~ Binomial(m,
        # 1/2).
        count = max(0, math.floor(m / 2 + _NORMAL.inv_cdf(1 - alpha) * math.sqrt(m) / 2) - 3)
        while _at_least(count, m, 0.5) > alpha:
            count += 1
        power += _probability(m, n, total) * _at_least(count, m, worse / total)
    return power


def _at_least(count: int, n: int, p: float) -> float:
    """P(X >= count) for X ~ Binomial(n, p): I_p(count, n - count + 1).

    Source: NIST Digital Library of Mathematical Functions, 8.17.5.
    """
    if count <= 0 or count > n:
        return float(count <= 0)
    return beta_cdf(p, count, n - count + 1)


def _probability(k: int, n: int, p: float) -> float:
    """P(X = k) for X ~ Binomial(n, p), 0 < p."""
    if p == 1:
        return float(k == n)
    ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(ways + k * math.log(p) + (n - k) * math.log1p(-p))


def optimal_repeats(case_cost: float, within: float, between: float) -> float:
    """Repeats a case that cost least for a given precision: sqrt(case_cost * within / between), at
    least 1.

    Var of the mean = (between + within/K)/n. `case_cost`: what a new case costs beyond its calls,
    in calls; with 0 more cases always beat repeats. Round up or down as fits.

    Source: W. G. Cochran, Sampling Techniques (1977), section 10.6.
    """
    if between <= 0:
        return math.inf if within > 0 else 1.0
    return max(1.0, math.sqrt(case_cost * within / between))


def neyman_allocation(total: int, sizes: list[float], spreads: list[float]) -> list[int]:
    """How many of `total` labels to draw in each stratum: proportional to size times standard
    deviation.

    Strata for an anchored difference are the four verdict cells (both pass, worse, better, both
    fail). Rounded by largest remainder; a stratum with cases gets at least one.

    Raises:
        ValueError: fewer labels than strata with cases.

    Source: J. Neyman, JRSS 97 (1934) 558-625.
    """
    used = [size > 0 for size in sizes]
    if total < sum(used):
        raise ValueError(f"{total} labels can't reach {sum(used)} strata")
    products = [
        size * max(spread, 1e-9) if use else 0.0
        for size, spread, use in zip(sizes, spreads, used, strict=True)
    ]
    left = total - sum(used)
    whole = sum(products)
    shares = [left * product / whole if whole else 0.0 for product in products]
    counts = [math.floor(share) + use for share, use in zip(shares, used, strict=True)]
    by_remainder = sorted(range(len(shares)), key=lambda i: math.floor(shares[i]) - shares[i])
    for index in by_remainder[: total - sum(counts)]:
        counts[index] += 1
    return counts


def more_cases(
    cases: int, estimate: float, variance: float, fail_null: float, pass_null: float, level: float
) -> int | None:
    """About how many more cases would decide an inconclusive test, were the estimate exact; None
    when nothing would.

    Args:
        cases: used so far.
        estimate: the mean of them.
        variance: of one case's value.
        fail_null, pass_null: the limits: FAIL below the one, PASS above the other.
        level: of one leg's test.
    """
    gaps = [gap for gap in (fail_null - estimate, estimate - pass_null) if gap > 0]
    if not gaps:
        return None
    z = _NORMAL.inv_cdf(1 - level)
    return max(1, math.ceil(z * z * variance / max(gaps) ** 2) - cases)
