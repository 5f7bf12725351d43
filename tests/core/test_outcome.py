"""The one rule for a case's outcome: every combination, and the same answer everywhere it is
shown.
"""

import itertools

import pytest

from llmeval.core.outcome import Outcome, answer_outcome, worst
from llmeval.core.records import Answer, ErrorInfo, Status
from tests.support.tables import each_row

ANSWER = Answer(case_id="a", output="text")
LOST = Answer(case_id="a", error=ErrorInfo("provider", "HTTP 500"))

PAIRS = [
    # two scores of one answer, and the outcome that they have together
    ("pass", "pass", "pass"),
    ("pass", "needs_review", "needs_review"),
    ("pass", "fail", "fail"),
    ("pass", "not_scored", "not_scored"),
    ("pass", "unscored", "unscored"),
    ("pass", "error", "error"),
    ("pass", "not_applicable", "pass"),
    ("needs_review", "needs_review", "needs_review"),
    ("needs_review", "fail", "fail"),
    ("needs_review", "not_scored", "not_scored"),
    ("needs_review", "unscored", "unscored"),
    ("needs_review", "error", "error"),
    ("needs_review", "not_applicable", "needs_review"),
    ("fail", "fail", "fail"),
    ("fail", "not_scored", "not_scored"),
    ("fail", "unscored", "unscored"),
    ("fail", "error", "error"),
    ("fail", "not_applicable", "fail"),
    ("not_scored", "not_scored", "not_scored"),
    ("not_scored", "unscored", "unscored"),
    ("not_scored", "error", "error"),
    ("not_scored", "not_applicable", "not_scored"),
    ("unscored", "unscored", "unscored"),
    ("unscored", "error", "error"),
    ("unscored", "not_applicable", "unscored"),
    ("error", "error", "error"),
    ("error", "not_applicable", "error"),
    ("not_applicable", "not_applicable", "error"),
]


@each_row(("one", "other", "outcome"), PAIRS)
def test_two_scores(one: str, other: str, outcome: str) -> None:
    assert answer_outcome(ANSWER, (Status(one), Status(other))) == outcome
    assert answer_outcome(ANSWER, (Status(other), Status(one))) == outcome


def test_the_table_has_every_pair() -> None:
    pairs = itertools.combinations_with_replacement(Status, 2)
    assert {frozenset(map(str, pair)) for pair in pairs} == {
        frozenset((one, other)) for one, other, _ in PAIRS
    }


@pytest.mark.parametrize(
    ("answer", "statuses", "outcome"),
    [
        (LOST, (), Outcome.ERROR),
        (ANSWER, (), Outcome.NOT_SCORED),
        (
            LOST,
            (Status.FAIL,),
            Outcome.FAIL,
        ),  # blocked by the provider, and the suite counts that as a failure
        (ANSWER, (Status.NOT_APPLICABLE,), Outcome.ERROR),
    ],
)
def test_answers_with_no_scores_or_none_that_applies(
    answer: Answer, statuses: tuple[Status, ...], outcome: Outcome
) -> None:
    assert answer_outcome(answer, statuses) is outcome


def test_only_a_grade_is_not_missing() -> None:
    assert [outcome for outcome in Outcome if not outcome.missing] == [
        Outcome.PASS,
        Outcome.NEEDS_REVIEW,
        Outcome.FAIL,
    ]


def test_worst_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="max"):
        worst(())
