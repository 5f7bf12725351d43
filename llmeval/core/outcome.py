"""The rule for the outcome of an answer and of a case.

The console, summary.json, the report, JUnit, CI annotations and pytest all show this outcome, so
they can't disagree.

An answer takes the worst status of its scores. A case takes the worst outcome of its answers. From
best to worst:

    pass          every score that applies passes
    needs_review  no score fails, and a person has to decide at least one
    fail          at least one score fails; no verdict of a person can change that
    not_scored    a judge has not been called yet, because the run was interrupted
    unscored      a judge gave no usable verdict
    error         the answer is missing, a check could not be carried out, or no check or judge
                  applies
"""

from collections.abc import Iterable
from enum import StrEnum

from llmeval.core.records import Answer, Status


class Outcome(StrEnum):
    """The outcome of an answer, or of a case with all its answers."""

    PASS = "pass"
    NEEDS_REVIEW = "needs_review"
    FAIL = "fail"
    NOT_SCORED = "not_scored"
    UNSCORED = "unscored"
    ERROR = "error"

    @property
    def rank(self) -> int:
        """Its rank: 0 is the best outcome."""
        return _RANKS[self]

    @property
    def missing(self) -> bool:
        """Whether there is no result. A missing result is never a grade."""
        return self in (Outcome.NOT_SCORED, Outcome.UNSCORED, Outcome.ERROR)


_RANKS = {outcome: rank for rank, outcome in enumerate(Outcome)}
_BY_STATUS: dict[Status, Outcome] = {
    Status.PASS: Outcome.PASS,
    Status.NEEDS_REVIEW: Outcome.NEEDS_REVIEW,
    Status.FAIL: Outcome.FAIL,
    Status.NOT_SCORED: Outcome.NOT_SCORED,
    Status.UNSCORED: Outcome.UNSCORED,
    Status.ERROR: Outcome.ERROR,
}


def status_outcome(status: Status) -> Outcome | None:
    """The outcome of one score; None if the metric does not apply."""
    return _BY_STATUS.get(status)


def answer_outcome(answer: Answer, statuses: Iterable[Status]) -> Outcome:
    """The outcome of one answer.

    Args:
        answer: the record. Its error counts only if nothing was scored: a blocked answer may be
            scored as a failure (`on_blocked: fail`).
        statuses: the statuses of all its scores, after the decisions of people.
    """
    present = list(statuses)
    if not present:
        return Outcome.ERROR if answer.error is not None else Outcome.NOT_SCORED
    outcomes = [outcome for outcome in map(status_outcome, present) if outcome is not None]
    return worst(outcomes) if outcomes else Outcome.ERROR


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The worst of some outcomes.

    Raises:
        ValueError: there is none.
    """
    return max(outcomes, key=_RANKS.__getitem__)
