"""FAIL over all rules of a gate: the probability that a run fails though no rule is violated is at
most alpha.

Each rule can say whether it fails at any level. Holm's procedure needs no more: with m rules every
one is asked at alpha / m; when k of them fail the others are asked again at alpha / (m - k), and so
on until none does. PASS needs no such care, since all rules have to hold
(`stats.tests.multiplicity`).

Source: S. Holm, Scand. J. Statist. 6 (1979) 65-70.
"""

from collections.abc import Callable, Sequence

from msgspec import structs

from llmeval.core.results import Decision, RuleDecision

Rule = Callable[[float], RuleDecision]
"""A rule by the level at which it may FAIL; at a smaller level it never fails more easily."""


def step_down(rules: Sequence[Rule], alpha: float) -> list[RuleDecision]:
    """All rules decided, in their order. Those that are INVALID test nothing and take no share of
    alpha.
    """
    decisions = [rule(alpha) for rule in rules]
    tested = sum(each.decision is not Decision.INVALID for each in decisions)
    alone = {number for number, each in enumerate(decisions) if each.decision is Decision.FAIL}
    waiting, left = set(alone), tested
    while waiting and left > 1:
        for number in waiting:
            decisions[number] = rules[number](alpha / left)
        failed = {number for number in waiting if decisions[number].decision is Decision.FAIL}
        if not failed:
            break
        waiting, left = waiting - failed, left - len(failed)
    if left == 1:
        for number in waiting:
            decisions[number] = rules[number](alpha)
    for number, each in enumerate(decisions):
        if each.decision is Decision.INCONCLUSIVE and left > 1 and number not in alone:
            decisions[number] = rules[number](
                alpha / left
            )  # so that what more cases would decide is said at this level
    note = f" By itself it would FAIL, but one of {tested} rules may seem so by chance."
    for number in alone:
        if decisions[number].decision is not Decision.FAIL:
            decisions[number] = structs.replace(
                decisions[number], reason=decisions[number].reason + note
            )
    return decisions
