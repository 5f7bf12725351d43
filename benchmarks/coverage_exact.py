"""How often the interval of people's pass rate misses it, by enumeration of all counts of labels;
needs scipy.

    python benchmarks/coverage_exact.py [--labels 50,100,200] [--shifts 0.7,0.6]

1,000 verdicts, the first n of them labelled. The counts of labels are all followed; the unlabelled
verdicts that pass are taken at four quantiles. Written without the product's numerics: scipy's beta
distribution stands in for them.
"""

import argparse
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaincinv
from scipy.stats import binom, norm

from llmeval.stats.estimation.correction import LOWER_SHIFT, UPPER_SHIFT

Floats = NDArray[np.float64]

CASES, TAIL = 1000, 0.025
JUDGES = ((0.85, 0.9), (0.92, 0.7), (0.97, 0.95), (0.75, 0.8))
RATES = (0.7, 0.9, 0.95, 0.98)
FINE, COARSE = np.arange(-4.5, 4.51, 0.18), np.arange(-4.05, 4.06, 0.9)
QUANTILES = (0.125, 0.375, 0.625, 0.875)
SURE, NEVER = 3.6, 1.1
"""Standard errors from the truth beyond which a limit misses it for sure, and below which never."""


def weights(scores: Floats) -> Floats:
    """Of evenly spaced normal scores."""
    density = norm.pdf(scores)
    found: Floats = density / density.sum()
    return found


def misses(
    judge: tuple[float, float], rate: float, n: int, shifts: tuple[float, float]
) -> tuple[float, float]:
    """Probability that the lower limit is above the rate, and the upper one below it.

    Args:
        judge: sensitivity and specificity. rate: people's. n: labels.
        shifts: of the lower and the upper limit, as `correction.LOWER_SHIFT` and `UPPER_SHIFT`.
    """
    passing = rate * judge[0] + (1 - rate) * (1 - judge[1])
    good, missed = rate * judge[0] / passing, rate * (1 - judge[0]) / (1 - passing)
    found = np.zeros(2)
    for passed in range(n + 1):
        chance = binom.pmf(passed, n, passing)
        if chance < 1e-6:
            continue
        a, c = np.arange(passed + 1), np.arange(n - passed + 1)
        mass = chance * np.outer(binom.pmf(a, passed, good), binom.pmf(c, n - passed, missed))
        ks = np.nonzero(mass > 3e-8)
        for side, up in enumerate((1 - shifts[0], shifts[1])):
            found[side] += _missed(side, up, passing, rate, (passed, n), ks, mass[ks])
    return float(found[0]), float(found[1])


def _missed(
    side: int,
    up: float,
    passing: float,
    rate: float,
    labels: tuple[int, int],
    ks: "tuple[NDArray[np.intp], ...]",
    mass: Floats,
) -> float:
    """The mass of the counts at which the limit of a side misses the rate; A ~ Beta(k + up, m - k +
    1 - up), likewise C.
    """
    (a, c), (passed, n) = ks, labels
    failed = n - passed
    mean_a, mean_c = (a + up) / (passed + 1), (c + up) / (failed + 1)
    spread = passing**2 * mean_a * (1 - mean_a) / (passed + 2) + (1 - passing) ** 2 * mean_c * (
        1 - mean_c
    ) / (failed + 2)
    spread += (mean_a - mean_c) ** 2 * passing * (1 - passing) / CASES
    z = (passing * mean_a + (1 - passing) * mean_c - rate) / np.sqrt(spread) * (-1 if side else 1)
    open_ = (z > NEVER) & (z < SURE)
    total = float(mass[z >= SURE].sum())
    if not open_.any():
        return total
    a, c, mass = a[open_], c[open_], mass[open_]
    values = {k: betaincinv(k + up, failed - k + 1 - up, norm.cdf(FINE)) for k in np.unique(c)}
    parts = np.stack([values[k] for k in c])
    for quantile in QUANTILES:
        judged = passed + int(binom.ppf(quantile, CASES - n, passing))
        below = np.zeros(len(a))
        shares = betaincinv(judged + 0.5, CASES - judged + 0.5, norm.cdf(COARSE))
        for share, weight in zip(shares, weights(COARSE), strict=True):
            reached = np.clip((rate - (1 - share) * parts) / share, 0, 1)
            below += weight * (
                betainc((a + up)[:, None], (passed - a + 1 - up)[:, None], reached) @ weights(FINE)
            )
        total += float(mass[below > 1 - TAIL if side else below < TAIL].sum()) / len(QUANTILES)
    return total


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--labels", default="50,100,200")
    parser.add_argument(
        "--shifts", default=f"{LOWER_SHIFT},{UPPER_SHIFT}", help="of the lower and the upper limit"
    )
    options = parser.parse_args()
    low, high = (float(each) for each in options.shifts.split(","))
    print(
        "| labels | pass rate | "
        + " | ".join(f"{a}/{b}" for a, b in JUDGES)
        + " |\n|"
        + "---|" * (2 + len(JUDGES))
    )
    for n, rate in product(map(int, options.labels.split(",")), RATES):
        cells = (misses(judge, rate, n, (low, high)) for judge in JUDGES)
        print(
            f"| {n} | {rate} | "
            + " | ".join(f"{100 * a:.2f} / {100 * b:.2f}" for a, b in cells)
            + " |",
            flush=True,
        )


if __name__ == "__main__":
    main()
