"""Audits of a cascade: weighted back to all sure verdicts, or refused with the reason."""

import random
from typing import Any

import pytest

from llmeval.core.records import Score, Status
from llmeval.gate.audits import Audits, note
from llmeval.stats.estimation.correction import post_stratified_interval
from llmeval.stats.estimation.label_counts import LabelCounts


def trail(*stages: tuple[str, bool]) -> list[dict[str, Any]]:
    return [{"status": status, "decides": decides} for status, decides in stages]


def cascade(sure: list[tuple[bool, bool | None]], band: list[bool]) -> Audits:
    """Two judges. `sure`: (the first one's verdict, the audit's or None without one); `band`: the
    second one's verdicts.
    """
    word = {True: "pass", False: "fail"}
    found = Audits()
    for verdict, audit in sure:
        more = [] if audit is None else [(word[audit], False)]
        found.add(trail((word[verdict], True), *more), verdict)
    for verdict in band:
        found.add(trail(("pass", True), (word[verdict], True)), verdict)
    return found


def test_audited_verdicts_stand_for_the_others_of_their_kind() -> None:
    """60 sure passes, 20 audited, 2 contradicted; 20 sure fails, 10 audited, 1 contradicted; 10 of
    20 in the band pass.
    """
    passes = [(True, True)] * 18 + [(True, False)] * 2 + [(True, None)] * 40
    fails = [(False, False)] * 9 + [(False, True)] + [(False, None)] * 10
    found = cascade([*passes, *fails], [True] * 10 + [False] * 10).found(2)
    assert found is not None
    assert (found.sure, found.audited, found.contradicted) == (80, 30, 3)
    assert found.rate == pytest.approx((60 * 0.9 + 20 * 0.1 + 10) / 100)
    assert found.low is not None and found.high is not None and found.low < found.rate < found.high
    assert (
        "contradicts 3 of 30" in found.reason
        and "66.0% would pass" in found.reason
        and "where 70.0% do" in found.reason
    )


def test_the_interval_is_that_of_labels_within_each_verdict() -> None:
    passes = [(True, True)] * 36 + [(True, False)] * 4 + [(True, None)] * 40
    fails = [(False, False)] * 18 + [(False, True)] * 2 + [(False, None)] * 20
    found = cascade([*passes, *fails], []).found(2)
    low, high = post_stratified_interval(LabelCounts(36, 4, 2, 18), 80, 120)
    assert found is not None and (found.low, found.high) == (
        pytest.approx(low),
        pytest.approx(high),
    )


def test_verdicts_that_no_audit_reached_are_told_and_not_guessed() -> None:
    found = cascade([(True, True)] * 5 + [(False, None)] * 3, []).found(2)
    assert found is not None and found.rate is None
    assert "can't be estimated: none of the 3 answers the judge failed is audited" in found.reason
    assert cascade([(True, None)] * 5, [True]).found(2) is None


def test_a_lost_audit_says_nothing_and_is_counted() -> None:
    audits = cascade([(True, True)] * 4, [])
    audits.add(trail(("pass", True), ("unscored", False)), True)
    found = audits.found(2)
    assert found is not None and (found.audited, found.lost, found.sure) == (4, 1, 5)


def test_only_decided_scores_of_cascades_count() -> None:
    audits: dict[str, Audits] = {}
    shared: dict[str, Any] = {"case_id": "a", "metric": "m", "source": "judge"}
    note(audits, Score(status=Status.PASS, passed=True, value=1.0, **shared))
    note(
        audits,
        Score(status=Status.NEEDS_REVIEW, details={"cascade": trail(("pass", True))}, **shared),
    )
    assert audits == {}


def test_the_interval_holds_what_the_next_judge_would_say() -> None:
    """400 runs of 300 answers, a fifth audited: the next judge's rate on all of them is inside in
    95 % (92 to 100 %).
    """
    source, inside, tried = random.Random(3), 0, 0
    for _ in range(400):
        sure, truth = list[tuple[bool, bool | None]](), 0
        for _ in range(300):
            first = source.random() < 0.7
            second = first if source.random() < 0.9 else not first
            truth += second
            sure.append((first, second if source.random() < 0.2 else None))
        found = cascade(sure, []).found(2)
        if found is not None and found.low is not None and found.high is not None:
            tried += 1
            inside += found.low <= truth / 300 <= found.high
    assert tried > 390 and inside / tried >= 0.92
