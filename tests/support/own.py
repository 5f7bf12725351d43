"""Checks of our own, as a suite may name them by module:function."""

from typing import Any

from llmeval.checks.base import Result, graded, not_applicable, verdict
from llmeval.core.records import Answer, Case


def longer(case: Case, answer: Answer, *, than: int) -> Result:
    """Longer than so many characters."""
    return verdict(len(answer.text) > than, f"{len(answer.text)} characters")


def crash(case: Case, answer: Answer) -> Result:
    """Divides by zero."""
    return verdict(bool(1 // 0))


def none(case: Case, answer: Answer) -> Result:
    """Never applies."""
    return not_applicable("never")


def outside(case: Case, answer: Answer) -> Result:
    """Gives a value that is none."""
    return graded(1.5, True)


def wrong(case: Case, answer: Answer) -> Any:
    """Gives what is no verdict."""
    return "yes"
