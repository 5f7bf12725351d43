"""Several judges, several votes, and decision models."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmeval.core.errors import ModelError, SuiteError
from llmeval.core.records import Case, Status, Usage
from llmeval.judges.cascade import Cascade
from llmeval.judges.panel import Panel
from llmeval.judges.protocol import load_protocol
from llmeval.judges.verdict_source import ProbabilityVerdicts
from llmeval.models.base import Request
from tests.judges.test_protocols import TWO
from tests.support.endpoint import verdict
from tests.support.judging import Fake, chances, judge_of, rubric, scored

YES, NO = verdict("correct", "Paris"), verdict("incorrect")


def panel(*said: str | Exception) -> Panel:
    return Panel("m", [judge_of(Fake(one, name=f"m{number}")) for number, one in enumerate(said)])


@pytest.mark.parametrize(
    ("said", "status", "agreement"),
    [
        ([YES, YES, NO], Status.PASS, 0.6667),
        ([NO, YES, NO], Status.FAIL, 0.6667),
        ([YES, YES, "?"], Status.PASS, 0.6667),
        (
            [YES, "?", ModelError("HTTP 401")],
            Status.UNSCORED,
            0.3333,
        ),  # one voice of three is no majority
        ([YES, NO], Status.UNSCORED, 0.5),
        ([YES, YES, NO, NO, "?"], Status.UNSCORED, 0.4),
    ],
)
def test_a_panel_needs_a_strict_majority_of_all_seats(
    said: list[Any], status: Status, agreement: float
) -> None:
    score = scored(panel(*said))
    assert (score.status, score.details and score.details["agreement"]) == (status, agreement)
    assert score.details is not None
    assert len(score.details["seats"]) == len(said)


def test_a_panel_counts_every_call() -> None:
    score = scored(panel(YES, "?", NO))
    assert (score.attempts, score.usage) == (5, Usage(50, 10))
    assert panel(YES).digest != panel(YES, YES).digest
    assert scored(panel(YES, YES), case=Case("a", {})).status is Status.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("said", "calls", "status"),
    [
        ([YES, YES, NO], 2, Status.PASS),  # the third can't change it
        ([YES, NO, NO], 3, Status.FAIL),
        ([NO, NO, YES], 2, Status.FAIL),
    ],
)
def test_votes_end_when_their_majority_is_certain(
    said: list[str], calls: int, status: Status
) -> None:
    model = Fake(*said)
    score = scored(judge_of(model, votes=3))
    assert (score.status, len(model.requests), score.attempts) == (status, calls, calls)
    assert (
        len({(request.repeat, request.params["temperature"] > 0) for request in model.requests})
        == calls
    )


def test_votes_that_decide_nothing_stay_in_the_denominator() -> None:
    model = Fake(*[rubric(right="met", short=word) for word in ("met", "cannot_tell", "not_met")])
    score = scored(judge_of(model, "rubric", criteria=TWO, votes=3))
    assert (score.status, score.unscored) == (
        Status.UNSCORED,
        "the judge could not decide: no majority in 3 votes",
    )


@pytest.mark.parametrize(("p", "passed"), [(0.97, True), (0.51, True), (0.49, False), (0.0, False)])
def test_a_decision_model_gives_a_probability(p: float, passed: bool) -> None:
    model = Fake(chances(correct=p, partially_correct=0.0, incorrect=1 - p))
    score = scored(judge_of(model, decides=True))
    assert (score.passed, score.value) == (passed, pytest.approx(p))
    assert score.confidence == pytest.approx(max(p, 1 - p))
    (request,) = model.requests
    assert request.questions is not None
    assert set(request.questions["verdict"]["criteria"]) == {
        "correct",
        "partially_correct",
        "incorrect",
    }
    state = json.loads(request.messages[-1].content)
    assert (state["answer"], state["reference_answers"]) == ("It is Paris.", ["Paris"])


def test_one_request_asks_a_decision_model_the_whole_rubric() -> None:
    def said(request: Request) -> str:
        assert request.questions is not None
        return json.dumps({name: {"met": 0.9, "not_met": 0.1} for name in request.questions})

    model = Fake(said)
    score = scored(judge_of(model, "rubric", criteria=TWO, decides=True))
    assert len(model.requests) == 1
    assert (score.passed, score.value, score.confidence) == (
        True,
        pytest.approx(0.9),
        pytest.approx(0.81),
    )


@pytest.mark.parametrize(
    "said",
    ["yes", chances(correct=1.0), chances(correct=2.0, partially_correct=-1, incorrect=0),
     chances(correct=0.5, partially_correct=0, incorrect=0), '{"verdict": {"correct": NaN}}'],
)  # fmt: skip
def test_what_is_no_probability_is_unscored(said: str) -> None:
    assert scored(judge_of(Fake(said), decides=True)).status is Status.UNSCORED


@pytest.mark.parametrize(
    ("word", "passed"), [("supported", True), ("unsupported", False), ("contradicted", False)]
)
def test_a_decision_model_is_asked_of_the_whole_answer_where_a_judge_lists_claims(
    word: str, passed: bool
) -> None:
    shares = {"supported": 0.1, "unsupported": 0.1, "contradicted": 0.1, word: 0.8}
    model = Fake(chances(**shares))
    score = scored(judge_of(model, "grounded", decides=True))
    assert (score.passed, score.value) == (passed, pytest.approx(0.8 if passed else 0.1))
    (request,) = model.requests
    assert request.questions is not None
    assert list(request.questions) == ["verdict"]


def test_a_protocol_without_a_question_can_not_ask_a_decision_model() -> None:
    protocol = replace(load_protocol("grounded", Path()), decision=None)
    judge = judge_of(Fake("{}"), "grounded", source=ProbabilityVerdicts(protocol))
    with pytest.raises(SuiteError, match="decision"):
        scored(judge)


def cascade(p: float, then: str | Exception, audit: float = 0.0) -> tuple[Cascade, Fake, Fake]:
    first = Fake(chances(correct=p, partially_correct=0.0, incorrect=1 - p), name="small")
    second = Fake(then, name="large")
    return (
        Cascade("m", [judge_of(first, decides=True), judge_of(second)], (0.1, 0.9), audit),
        first,
        second,
    )


@pytest.mark.parametrize(
    ("p", "calls", "status"),
    [(0.95, 0, Status.PASS), (0.05, 0, Status.FAIL), (0.5, 1, Status.FAIL), (0.89, 1, Status.FAIL)],
)
def test_a_cascade_asks_the_next_judge_only_where_the_first_is_not_sure(
    p: float, calls: int, status: Status
) -> None:
    whole, _, second = cascade(p, NO)
    score = scored(whole)
    assert (score.status, len(second.requests)) == (status, calls)
    assert score.details is not None
    assert [part["inclusion"] for part in score.details["cascade"]] == [1.0] * (1 + calls)


def test_a_share_of_the_sure_verdicts_is_audited_and_decides_nothing() -> None:
    whole, _, second = cascade(0.95, NO, audit=1.0)
    score = scored(whole)
    assert (score.passed, len(second.requests)) == (True, 1)
    assert score.details is not None
    last = score.details["cascade"][-1]
    assert (last["inclusion"], last["decides"], last["status"]) == (1.0, False, "fail")
    drawn = 0
    for number in range(200):
        whole, _, second = cascade(0.95, NO, audit=0.2)
        scored(whole, f"It is Paris {number}.")
        drawn += len(second.requests)
    assert 22 <= drawn <= 60  # binomial(200, 0.2), 99.9 %


def test_what_no_judge_decides_is_for_a_person() -> None:
    first = Fake(chances(correct=0.5, partially_correct=0.0, incorrect=0.5), name="small")
    score = scored(Cascade("m", [judge_of(first, decides=True)], (0.1, 0.9), 0))
    assert score.status is Status.NEEDS_REVIEW
    assert score.unscored is not None
    assert score.unscored.startswith("for a person: the last judge is not sure")


def test_a_last_judge_that_says_nothing_usable_is_a_loss_and_not_for_a_person() -> None:
    whole, _, _ = cascade(0.5, "?")
    assert scored(whole).status is Status.UNSCORED


def test_a_judge_that_is_down_does_not_end_a_cascade() -> None:
    first, second = Fake(ModelError("HTTP 401"), name="small"), Fake(YES, name="large")
    whole = Cascade("m", [judge_of(first, decides=True), judge_of(second)], (0.1, 0.9), 0)
    assert scored(whole).passed is True
