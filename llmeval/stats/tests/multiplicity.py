"""Many rules at once.

PASS needs every rule to hold: the intersection-union test rejects "some rule is violated" when each
one is rejected at the full level, without correction. FAIL needs any rule to be violated: the
family-wise error needs Holm's correction. False discovery rates are for lists people explore, never
for the gate.

With early stopping each of m rules is planned (`gate_test.py`) with alpha / m and the full beta, so
that no test stops before it could fail alone; at the end `holm` on the verdicts' `p_fail`, which
hold at any stopping time, may fail more of them.
"""

from collections.abc import Sequence


def holm(p_values: Sequence[float], alpha: float = 0.05) -> list[bool]:
    """Which hypotheses to reject so that P(any true one is rejected) <= alpha, under any
    dependence.

    Step down: the i-th smallest of m is compared with alpha / (m - i + 1) until one fails. With
    p-values that are valid at any time (one over the peak of an e-process) the result may be read
    at any time too.

    Source: S. Holm, Scand. J. Statist. 6 (1979) 65-70.
    """
    return [p <= alpha for p in holm_adjusted(p_values)]


def holm_adjusted(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values: max over the smaller ones of (m - i + 1) p_(i), at most 1; compare
    each with alpha.
    """
    m, adjusted, running = len(p_values), [1.0] * len(p_values), 0.0
    for rank, index in enumerate(_order(p_values)):
        running = max(running, min(1.0, (m - rank) * p_values[index]))
        adjusted[index] = running
    return adjusted


def e_holm(e_values: Sequence[float], alpha: float = 0.05) -> list[bool]:
    """Holm's procedure on e-values: reject the i-th largest while it is at least (m - i + 1) /
    alpha.

    Valid under any dependence at any stopping time: one over an e-value is a p-value (Markov), to
    which Holm's procedure applies.

    Source: V. Vovk, R. Wang, Ann. Statist. 49 (2021) 1736-1754.
    """
    return holm([1 / e if e > 1 else 1.0 for e in e_values], alpha)


def all_hold(p_values: Sequence[float], beta: float = 0.05) -> bool:
    """Whether all rules may be said to hold: each hypothesis of violation is rejected at the full
    `beta`.

    P(True | some rule is violated) <= beta, since that one alone is rejected with at most beta.
    True for no rules.

    Source: R. L. Berger, Technometrics 24 (1982) 295-300 (intersection-union test).
    """
    return all(p <= beta for p in p_values)


def benjamini_hochberg(p_values: Sequence[float], rate: float = 0.05) -> list[bool]:
    """Which to report so that the expected share of false reports is <= `rate`, for independent
    p-values.

    Source: Y. Benjamini, Y. Hochberg, JRSS B 57 (1995) 289-300.
    """
    return _step_up(p_values, rate)


def benjamini_yekutieli(p_values: Sequence[float], rate: float = 0.05) -> list[bool]:
    """As `benjamini_hochberg`, under any dependence: the rate is divided by 1 + 1/2 + ... + 1/m.

    Source: Y. Benjamini, D. Yekutieli, Ann. Statist. 29 (2001) 1165-1188.
    """
    return _step_up(
        p_values, rate / sum(1 / i for i in range(1, len(p_values) + 1)) if p_values else rate
    )


def _step_up(p_values: Sequence[float], rate: float) -> list[bool]:
    order, m = _order(p_values), len(p_values)
    last = max(
        (rank for rank, index in enumerate(order) if p_values[index] <= rate * (rank + 1) / m),
        default=-1,
    )
    rejected = set(order[: last + 1])
    return [index in rejected for index in range(m)]


def _order(p_values: Sequence[float]) -> list[int]:
    wrong = next((p for p in p_values if not 0 <= p <= 1), None)
    if wrong is not None:
        raise ValueError(f"a p-value lies in [0, 1], got {wrong}")
    return sorted(range(len(p_values)), key=p_values.__getitem__)
