"""`must_pass`: named cases without statistics; and floors on whole cases."""

import json
from pathlib import Path
from typing import Any

import pytest

import llmeval
from llmeval.core.records import Answer, Case, ErrorInfo, Score, Status
from llmeval.core.results import Decision, GateResult, RuleDecision
from llmeval.gate.rules.must_pass import MAX_NAMED
from llmeval.gate.summary import summarise
from llmeval.runner.options import Options
from tests.gate.test_summary import manifest, write
from tests.support.endpoint import serve
from tests.support.suites import answer, write_suite

Unit = tuple[Case, Answer, list[Score]]
P, F, E, U, OPEN = Status.PASS, Status.FAIL, Status.ERROR, Status.UNSCORED, Status.NEEDS_REVIEW


def unit(name: str, statuses: dict[str, Status], repeat: int = 0, **tags: str) -> Unit:
    """One answer with a status a metric; without any it is lost."""
    lost = ErrorInfo("provider", "no reply") if not statuses else None
    scores = [
        Score(
            case_id=name,
            repeat=repeat,
            metric=metric,
            status=status,
            value=float(status is P) if status in (P, F) else None,
            passed=status is P if status in (P, F) else None,
            source="judge" if metric == "judged" else "check",
        )
        for metric, status in statuses.items()
    ]
    return (
        Case(name, {}, tags=tags),
        Answer(case_id=name, repeat=repeat, output=None if lost else "x", error=lost),
        scores,
    )


def decide(folder: Path, units: list[Unit], repeats: int = 1, **about: Any) -> GateResult:
    gate = {"must_pass": "all", **about.pop("gate", {})}
    said = {**manifest(len({case.id for case, _, _ in units}), repeats, **gate), **about}
    return summarise(write(folder, said, units)).gate


def only(gate: GateResult) -> RuleDecision:
    """The rule `must_pass` of a decision."""
    (rule,) = (rule for rule in gate.rules if rule.rule == "must_pass")
    return rule


@pytest.mark.parametrize(
    ("statuses", "decision", "told"),
    [
        ([{"a": P}, {"a": P}], Decision.PASS, "All 2 cases pass."),
        ([{"a": P, "b": F}, {"a": P}], Decision.FAIL, "1 of 2 cases fails: c0 (b)."),
        ([{"a": F, "b": F}, {"a": F}], Decision.FAIL, "2 of 2 cases fail: c0 (a), c1 (a)."),
        ([{"a": P}, {}], Decision.INVALID, "no result for 1 (c1 (error))"),
        ([{"a": P}, {"judged": U}], Decision.INVALID, "no result for 1 (c1 (judged))"),
        (
            [{"a": F}, {}],
            Decision.FAIL,
            "1 of 2 cases fails: c0 (a); no result for 1 (c1 (error)).",
        ),
        (
            [{"a": P}, {"judged": OPEN}],
            Decision.INCONCLUSIVE,
            "1 of 2 cases need review (`llmeval review`): c1.",
        ),
        ([{"a": P}, {"a": E}], Decision.INVALID, "no result for 1 (c1 (a))"),
    ],
)
def test_each_case_decides(
    tmp_path: Path, statuses: list[dict[str, Status]], decision: Decision, told: str
) -> None:
    units = [unit(f"c{i}", each) for i, each in enumerate(statuses)]
    gate = decide(tmp_path, units, gate={"max_unscored": 1.0})
    assert (gate.decision, only(gate).decision) == (decision, decision)
    assert told in only(gate).reason


def test_a_case_passes_when_every_repeat_does(tmp_path: Path) -> None:
    units = [
        unit("c0", {"a": P}, 0),
        unit("c0", {"a": F}, 1),
        unit("c1", {"a": P}, 0),
        unit("c1", {"a": P}, 1),
    ]
    assert "1 of 2 cases fails: c0 (a)." in only(decide(tmp_path, units, repeats=2)).reason


def test_at_most_ten_are_named(tmp_path: Path) -> None:
    reason = only(decide(tmp_path, [unit(f"c{i:02}", {"a": F}) for i in range(14)])).reason
    assert reason.count("(a)") == MAX_NAMED and reason.endswith(" and 4 more.")


@pytest.mark.parametrize(
    ("wanted", "decision", "told"),
    [
        (["c1"], Decision.PASS, "The 1 case that must pass passes."),
        (["c0", "c1"], Decision.FAIL, "1 of 2 cases that must pass fails: c0 (a)."),
        (
            ["c1", "c9"],
            Decision.INCONCLUSIVE,
            "1 of 2 cases that must pass was not asked in this run: c9.",
        ),
        (["c0", "c9"], Decision.FAIL, "fails: c0 (a); 1 not asked in this run."),
        ({"tier": "gold"}, Decision.PASS, "The 1 case with tier=gold passes."),
        ({"tier": "iron"}, Decision.INVALID, "no case counts with tier=iron"),
    ],
)
def test_named_cases_and_tags(tmp_path: Path, wanted: Any, decision: Decision, told: str) -> None:
    units = [unit("c0", {"a": F}), unit("c1", {"a": P}, tier="gold")]
    gate = decide(tmp_path, units, gate={"must_pass": wanted})
    assert (only(gate).decision, gate.exit_code) == (
        decision,
        {"PASS": 0, "FAIL": 1}.get(decision, gate.exit_code),
    )
    assert told in only(gate).reason


@pytest.mark.parametrize("wanted", ["all", ["c0", "c1"], {"tier": "gold"}])
def test_quarantined_cases_do_not_count_and_are_named(tmp_path: Path, wanted: Any) -> None:
    units = [unit("c0", {"a": F}, tier="gold"), unit("c1", {"a": P}, tier="gold")]
    entry = {"case_id": "c0", "reason": "flaky", "owner": "ada", "expires": "2999-01-01"}
    rule = only(decide(tmp_path, units, gate={"must_pass": wanted}, quarantine=[entry]))
    assert rule.decision is Decision.PASS and rule.n == 1
    assert "In quarantine, so not counted: c0." in rule.reason


@pytest.mark.parametrize(
    ("check", "judged", "decision"),
    [
        (P, P, Decision.INCONCLUSIVE),
        (P, F, Decision.INCONCLUSIVE),
        (F, F, Decision.FAIL),
        (F, P, Decision.FAIL),
    ],
)
def test_an_untrusted_judge_decides_no_case(
    tmp_path: Path, check: Status, judged: Status, decision: Decision
) -> None:
    judges = {"judged": {"trust": "UNTRUSTED", "trust_reason": "it has no certificate"}}
    gate = decide(tmp_path, [unit("c0", {"a": check, "judged": judged})], judges=judges)
    assert gate.decision is decision
    assert ("the judge of judged is UNTRUSTED: it has no certificate" in gate.reason) is (
        check is P
    )


def test_a_floor_on_whole_cases_takes_the_bounds_of_every_floor(tmp_path: Path) -> None:
    units = [
        unit(f"c{i}", {"a": P, "b": F if i % 10 == 0 else P}, topic="xy"[i % 2]) for i in range(100)
    ]
    floors = {"cases": 0.8, "cases @ topic=y": 0.9, "a": 0.9}
    whole, sliced, other = decide(tmp_path, units, gate={"must_pass": None, "floors": floors}).rules
    assert (whole.metric, whole.n, whole.estimate, whole.decision) == (
        "cases",
        100,
        0.9,
        Decision.PASS,
    )
    assert whole.low is not None and 0.8 < whole.low < 0.9
    assert (sliced.slice, sliced.n, sliced.estimate, sliced.decision) == (
        "topic=y",
        50,
        1.0,
        Decision.PASS,
    )
    assert (other.n, other.estimate) == (100, 1.0)


def test_a_floor_on_whole_cases_counts_lost_cases_as_the_worst(tmp_path: Path) -> None:
    units = [unit(f"c{i}", {"a": P} if i else {}) for i in range(60)]
    (rule,) = decide(tmp_path, units, gate={"must_pass": None, "floors": {"cases": 0.95}}).rules
    assert (
        rule.decision is Decision.INCONCLUSIVE
        and "1 missing results prevent a decision" in rule.reason
    )


def says_wrong(body: dict[str, Any], earlier: int = 0) -> str:
    return "no"


@pytest.mark.parametrize(
    ("says", "gate", "decision", "most"),
    [
        (says_wrong, "must_pass: all", "FAIL", 60),
        (says_wrong, "must_pass: all, floors: {cases: 0.5}", "FAIL", 60),
        (answer, "must_pass: [c0001, c0002], floors: {cases: 0.1}", "PASS", 300),
    ],
)
def test_a_run_stops_early_when_every_rule_is_settled(
    tmp_path: Path, says: Any, gate: str, decision: str, most: int
) -> None:
    with serve(says) as endpoint:
        suite = write_suite(
            tmp_path, endpoint.url, 300, f"gate: {{{gate}, stop: early}}\n", judge=False
        )
        done = llmeval.run(
            suite, options=Options(out=tmp_path / "r", use_cache=False, concurrency=4)
        )
    assert (done.decision, done.summary.status) == (decision, "complete")
    assert len(endpoint.requests) <= most
    assert decision == "PASS" or done.summary.counts.not_needed > 200
    assert summarise(done.directory).gate == done.summary.gate


def test_a_sample_names_what_it_leaves_out(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        gate = f"gate: {{must_pass: {json.dumps([f'c{i:04}' for i in range(20) if i % 5])}}}\n"
        suite = write_suite(tmp_path, endpoint.url, 20, gate, judge=False)
        done = llmeval.run(suite, options=Options(out=tmp_path / "r", limit=10))
    assert (done.decision, done.summary.gate.exit_code) == ("INCONCLUSIVE", 4)
    assert "not asked in this run: c00" in done.summary.gate.reason


def test_cases_are_named_in_order_and_the_cause_is_stated_once(tmp_path: Path) -> None:
    """Whatever order the answers came in; the sentence about lost cases has the cause already."""
    units = [unit(f"c{i}", {}) for i in (3, 1, 2, 0)]
    (tmp_path / "many").mkdir()
    (tmp_path / "few").mkdir()
    gate = decide(tmp_path / "many", units)
    assert "no result for 4 (c0 (error), c1 (error), c2 (error), c3 (error))" in only(gate).reason
    assert [rule.reason.count("4 x no reply") for rule in gate.rules] == [1, 0]
    few = decide(tmp_path / "few", units, gate={"max_unscored": 1.0})
    assert only(few).reason.endswith("4 x no reply.")


def test_a_run_that_stopped_states_the_cause_once(tmp_path: Path) -> None:
    about = {"status": "incomplete", "ending": "quota", "ending_reason": "no reply"}
    gate = decide(tmp_path, [unit("c0", {}), unit("c1", {})], **about)
    assert "2 of 2 answers are there (2 cases with errors). no reply." in gate.reason
    assert not any("x no reply" in rule.reason for rule in gate.rules)
