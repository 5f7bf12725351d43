"""What would settle an INCONCLUSIVE rule: how many more cases, and whether clusters are too few.

A number of cases is stated with the share of tries in which it decides (`stats.predictive`).
"""

import math
from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np

from llmeval.stats.predictive import DecisionLimit, ObservedSample, likely_cases
from llmeval.stats.tests.fixed_sample import FEW_CLUSTERS, FEW_EFFECTIVE, are_few
from llmeval.stats.tests.studentised import effective_number

TOO_CLOSE = "the rate is too close to decide by more cases"


def more_sentence(even: int | None, likely: int | None, what: str) -> str:
    """How many more cases would decide, as people read it.

    Args:
        even: in half of the tries, which is if the rate stays as it is; None where no number does.
        likely: in 4 of 5 tries; None where no number does.
        what: of which kind, such as "at this rate".
    """
    if likely is None:
        return TOO_CLOSE
    cases = f"about {likely:,} more {'case' if likely == 1 else 'cases'} {what} would decide"
    if even is None or even >= likely:
        return f"{cases} in 4 of 5 tries"
    return f"{cases} in 4 of 5 tries, and {even:,} in half of them"


def likely_floor_cases(
    passed: int, n: int, floor: float, alpha: float, strict: float
) -> int | None:
    """How many more independent cases decide a floor in 4 of 5 tries.

    Args:
        passed, n: of the cases so far.
        floor: in (0, 1).
        alpha: of a wrong PASS. strict: of a wrong FAIL.
    """
    if not 0 < floor < 1 or not n:
        return None
    rate, sd = (passed + 0.5) / (n + 1), math.sqrt(floor * (1 - floor))
    seen = ObservedSample(n, passed / n, rate, math.sqrt(rate * (1 - rate)))
    least = math.log(alpha) / math.log(floor) if passed == n else 0.0
    return likely_cases(
        seen, DecisionLimit(floor, strict, sd), DecisionLimit(floor, alpha, sd), least=least
    )


def few_note(clusters: Sequence[Hashable]) -> str:
    """What to say where clusters are too few for a test that could decide; "" otherwise."""
    sizes = np.array(list(Counter(clusters).values()), dtype=float)
    if len(sizes) == len(clusters) or not are_few(sizes):
        return ""
    weigh = effective_number(sizes)
    unequal = weigh < len(sizes) - 0.5
    as_much = f", which weigh as much as {weigh:.0f} of equal size," if unequal else ""
    return (
        f"the {len(sizes):,} clusters{as_much} are too few: it takes {FEW_CLUSTERS} clusters, and"
        f" {FEW_EFFECTIVE} by weight, and more cases of the same ones do not help"
    )
