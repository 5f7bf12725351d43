"""Heuristics as lists of rules. Each rule has a verdict or none; the first verdict counts.

A rule is one function whose docstring has its examples and, where it is not plain, its reason. The
tests have a table with an example of each verdict of each rule, and find the rule by its name.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

Subject = TypeVar("Subject")
Verdict = TypeVar("Verdict")


def deciding_rule(
    rules: Sequence[Callable[[Subject], Verdict | None]], subject: Subject
) -> tuple[str, Verdict]:
    """The name of the rule that decides, without underscores around it, and its verdict.

    Raises:
        AssertionError: no rule decides; the last rule of a list must always do.
    """
    for rule in rules:
        verdict = rule(subject)
        if verdict is not None:
            return rule.__name__.strip("_"), verdict
    raise AssertionError("the last rule always decides")


def decide(rules: Sequence[Callable[[Subject], Verdict | None]], subject: Subject) -> Verdict:
    """The verdict of the first rule that has one."""
    return deciding_rule(rules, subject)[1]
