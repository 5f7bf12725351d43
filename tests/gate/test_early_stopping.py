"""A rule on its way: only what is done counts, in the planned order, and error rates hold where the
run stops.
"""

import math
import random
from pathlib import Path

import pytest

from llmeval.core.records import Answer, Case, Score, Status
from llmeval.core.results import Decision
from llmeval.gate.aggregate import RunAggregate
from llmeval.gate.rules.floors import cases_needed
from llmeval.gate.rules.sequential import early_floor, floor_walk
from llmeval.store.directory import Unit
from tests.support.manifests import gate_record

GATE = gate_record(stop="early")


def cases(n: int, size: int = 1) -> list[Case]:
    return [Case(f"c{i}", {}, cluster=f"g{i // size}" if size > 1 else None) for i in range(n)]


def unit(case: Case, passed: bool | None, repeat: int = 0) -> Unit:
    answer = Answer(case_id=case.id, repeat=repeat, output="x")
    if passed is None:
        score = Score(
            case_id=case.id, repeat=repeat, metric="m", status=Status.UNSCORED, unscored="lost"
        )
    else:
        status = Status.PASS if passed else Status.FAIL
        score = Score(
            case_id=case.id,
            repeat=repeat,
            metric="m",
            status=status,
            value=float(passed),
            passed=passed,
        )
    return Unit(case, answer, (score,))


def test_a_case_waits_for_those_before_it() -> None:
    planned = cases(100)
    aggregate = RunAggregate(Path("r"), planned)
    walk = floor_walk(aggregate, GATE, "m", 0.5)
    for case in planned[1:60]:
        aggregate.add(unit(case, passed=True))
    walk.advance()
    assert (walk.used, walk.settled) == ([], False)
    aggregate.add(unit(planned[0], passed=True))
    walk.advance()
    assert walk.settled
    assert walk.used == [case.id for case in planned[: len(walk.used)]]
    assert len(walk.used) < 60


@pytest.mark.parametrize("repeats", [1, 3])
def test_a_cluster_counts_when_all_of_it_is_there(repeats: int) -> None:
    planned = cases(12, size=4)
    aggregate = RunAggregate(Path("r"), planned, repeats)
    walk = floor_walk(aggregate, GATE, "m", 0.5)
    for index, case in enumerate(planned[:8]):
        for repeat in range(repeats - (index == 7)):
            aggregate.add(unit(case, passed=True, repeat=repeat))
    walk.advance()
    assert len(walk.used) == 4


def test_lost_answers_hurt_both_claims() -> None:
    planned = cases(40)
    aggregate = RunAggregate(Path("r"), planned)
    for case in planned:
        aggregate.add(unit(case, passed=None))
    rule = early_floor(aggregate, GATE, "m", 0.5)
    assert rule is not None
    assert (rule.decision, rule.low, rule.high) == (Decision.INCONCLUSIVE, 0, 1)
    assert "(40 cases, 40 of them missing, which may have passed or failed)" in rule.reason
    assert "missing results are treated as worst case, for PASS and for FAIL" in rule.assumptions


@pytest.mark.parametrize("threshold", [0.75, 0.85])
def test_what_the_end_leaves_open_says_how_many_more_cases(threshold: float) -> None:
    planned = cases(60)
    aggregate = RunAggregate(Path("r"), planned)
    for index, case in enumerate(planned):
        aggregate.add(unit(case, passed=index % 5 != 0))
    rule = early_floor(aggregate, GATE, "m", threshold)
    assert rule is not None and rule.decision is Decision.INCONCLUSIVE
    assert (
        "more cases at this rate would decide in 4 of 5 tries, and"
        f" {cases_needed(0.8, 60, threshold, 0.025, 0.025):,} in half of them."
    ) in rule.reason


def test_what_comes_after_the_decision_changes_nothing() -> None:
    planned = cases(400)
    aggregate = RunAggregate(Path("r"), planned)
    for case in planned[:100]:
        aggregate.add(unit(case, passed=True))
    before = early_floor(aggregate, GATE, "m", 0.5)
    for case in planned[100:]:
        aggregate.add(unit(case, passed=False))
    assert early_floor(aggregate, GATE, "m", 0.5) == before
    assert before is not None
    assert before.decision is Decision.PASS
    assert before.n is not None
    assert before.n < 100
    assert "Decided early: 400 were planned." in before.reason


def test_error_rates_hold_at_the_floor() -> None:
    """The true rate is the floor: wrong either way at most 5 % of runs each, although every case is
    looked at.
    """
    source, rounds, n, wrong = random.Random(5), 300, 150, {Decision.PASS: 0, Decision.FAIL: 0}
    planned = cases(n)
    for _ in range(rounds):
        aggregate = RunAggregate(Path("r"), planned)
        for case in planned:
            aggregate.add(unit(case, passed=source.random() < 0.8))
        rule = early_floor(aggregate, GATE, "m", 0.8)
        assert rule is not None
        if rule.decision in wrong:
            wrong[rule.decision] += 1
    limit = rounds * 0.05 + 2.5 * math.sqrt(rounds * 0.05 * 0.95)
    assert max(wrong.values()) <= limit, wrong
