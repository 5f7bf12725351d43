"""Attempts of one change: real runs of one suite whose model answers otherwise each time."""

import json
from pathlib import Path

import pytest

from llmeval import api
from llmeval.api.view import Run
from llmeval.core.attempt import AttemptColumn, AttemptValues
from llmeval.core.results import Decision
from llmeval.gate.rules.pooled import PooledValue, pool_of
from llmeval.runner.options import Options
from llmeval.runner.sharding import Shard
from tests.support.manifests import gate_record

CASES = 120
MODEL = """
from pathlib import Path

def answer(prompt):
    wrong = (Path(__file__).parent / "wrong.txt").read_text().split()
    return "blue" if prompt.split()[-1] in wrong else "green"
"""
SUITE = """
suite: leaves
cases: {source: leaves.jsonl}
prompt: "Colour of leaf {{ id }}"
models: {m: {provider: python, function: "leaf_model_NAME:answer"}}
candidate: m
checks: [{equals: green}]
gate: {floors: {equals: 0.85}EXTRA}
"""


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("GITHUB_RUN_ATTEMPT", "GITHUB_EVENT_NAME", "CI_PIPELINE_SOURCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return written(tmp_path)


def written(folder: Path, extra: str = "") -> Path:
    name = folder.name.replace("-", "_")
    (folder / f"leaf_model_{name}.py").write_text(MODEL)
    rows = (json.dumps({"id": f"n{i}"}) for i in range(CASES))
    (folder / "leaves.jsonl").write_text("\n".join(rows) + "\n")
    path = folder / "leaves.yaml"
    path.write_text(SUITE.replace("NAME", name).replace("EXTRA", extra))
    return path


def attempt(suite: Path, first: int, wrong: int, reports: str = "reports") -> Run:
    """A run in which `wrong` cases from number `first` on get another answer."""
    names = [f"n{i % CASES}" for i in range(first, first + wrong)]
    (suite.parent / "wrong.txt").write_text(" ".join(names))
    return api.run(suite, options=Options(reports=Path(reports), use_cache=False))


@pytest.mark.parametrize("attempts", [1, 2, 5, 10, 100])
def test_the_rates_of_all_attempts_add_up_to_the_stated_ones(attempts: int) -> None:
    gate = gate_record(alpha=0.05, beta=0.1, attempts=attempts)
    rates = [gate.rates_at(number) for number in range(1, attempts + 1)]
    alphas, betas = zip(*filter(None, rates), strict=True)
    assert (sum(alphas), sum(betas)) == (pytest.approx(0.05), pytest.approx(0.1))
    assert attempts == 1 or (alphas[0] == 0.025 and gate.rates_at(attempts + 1) is None)


def test_attempts_are_pooled_and_named(suite: Path) -> None:
    first = attempt(suite, 0, 15)
    assert first.summary.gate.decision is Decision.INCONCLUSIVE
    assert first.summary.gate.rules[0].level == 0.975
    assert "ttempt" not in first.summary.gate.reason
    attempt(suite, 20, 12)
    third = attempt(suite, 40, 0)
    (rule,) = third.summary.gate.rules
    assert rule.estimate == pytest.approx(1 - (15 + 12) / (3 * CASES))
    assert rule.level == pytest.approx(1 - 0.025 / 9)
    told = (third.path / "summary.md").read_text()
    assert "Attempt 3; 1 and 2 were INCONCLUSIVE. Their answers are pooled" in told
    assert "1/18 of each error rate" in told


def test_a_good_last_attempt_does_not_undo_the_bad_ones(suite: Path) -> None:
    for start in range(2):
        assert attempt(suite, 10 * start, 40).summary.gate.decision is Decision.FAIL
    last = attempt(suite, 0, 0).summary.gate
    assert last.decision is not Decision.PASS
    assert "1 and 2 were FAIL" in last.reason


def test_the_same_answers_are_one_attempt(suite: Path) -> None:
    first, second = (attempt(suite, 0, 3).summary.gate for _ in range(2))
    assert first.decision is Decision.PASS
    assert (second.rules, second.reason) == (first.rules, first.reason)


def test_answers_that_are_scored_again_are_the_same_attempt(suite: Path) -> None:
    attempt(suite, 0, 40)
    last = attempt(suite, 0, 1)
    assert last.summary.gate.decision is not Decision.PASS
    again = api.rescore(last.path)
    assert again.manifest.attempt == last.manifest.attempt
    (rule,), (before,) = again.summary.gate.rules, last.summary.gate.rules
    assert (rule.decision, rule.level) == (before.decision, before.level)
    assert rule.estimate == before.estimate == pytest.approx(1 - 41 / (2 * CASES))


def test_a_run_that_goes_on_counts_the_attempts_that_were_decided_meanwhile(
    suite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"leaf_model_{suite.parent.name.replace('-', '_')}.py"
    (suite.parent / name).write_text(
        MODEL.replace("    wrong", "    open('up').close()\n    wrong")
    )
    begun = attempt(suite, 0, 0).path
    (suite.parent / "up").touch()
    second = attempt(suite, 0, 40)
    ended = api.run(suite, options=Options(out=begun, use_cache=False))
    record = ended.manifest.attempt
    assert record is not None
    assert [each.run_id for each in record.earlier] == [second.path.name]


def test_good_attempts_do_not_hide_a_worse_one(suite: Path) -> None:
    for first in range(5):
        assert attempt(suite, first, 1).summary.gate.decision is Decision.PASS
    last = attempt(suite, 0, 34).summary.gate
    assert last.decision is Decision.INCONCLUSIVE
    assert "this run's answers alone FAIL: equals: 71.7% pass" in last.reason


def test_merged_shards_are_attempts(suite: Path) -> None:
    def merged(wrong: int) -> Run:
        (suite.parent / "wrong.txt").write_text(" ".join(f"n{i}" for i in range(wrong)))
        parts = [
            api.run(suite, options=Options(shard=Shard(part, 2), use_cache=False)).path
            for part in (1, 2)
        ]
        return api.merge(parts)

    merged(40)
    second = merged(0)
    assert second.summary.gate.decision is not Decision.PASS
    assert second.summary.gate.rules[0].estimate == pytest.approx(1 - 40 / (2 * CASES))
    assert "Attempt 2; 1 was FAIL" in second.summary.gate.reason


def test_attempts_that_cannot_be_read_make_nothing_easier(suite: Path) -> None:
    attempt(suite, 0, 15)
    second = attempt(suite, 30, 6)
    whole = second.summary.gate.rules[0]
    (second.path / "attempts.json").write_text('{"attempts": [')
    alone = api.redecide(second.path).summary.gate
    assert alone.rules[0].level == whole.level == pytest.approx(1 - 0.025 / 9)
    assert alone.rules[0].estimate == pytest.approx(1 - 6 / CASES)
    assert "can't be read, so they are not pooled" in alone.reason


def test_an_attempt_whose_manifest_is_damaged_counts(suite: Path) -> None:
    first = attempt(suite, 0, 15)
    (first.path / "manifest.json").write_text('{"schema": 1, "run_')
    second = attempt(suite, 30, 1)
    record = second.manifest.attempt
    assert record is not None
    assert [(each.run_id, each.decision) for each in record.earlier] == [(first.path.name, None)]
    gate = second.summary.gate
    assert gate.rules[0].level == pytest.approx(1 - 0.025 / 9)
    assert f"Attempt 2; 1 can't be read. The results of {first.path.name} can't be" in gate.reason


def test_no_attempt_decides_beyond_those_that_the_rates_cover(tmp_path: Path, suite: Path) -> None:
    suite = written(tmp_path, ", attempts: 2")
    decisions = [attempt(suite, start, 1).summary.gate for start in range(3)]
    assert [gate.decision for gate in decisions[:2]] == [Decision.PASS, Decision.PASS]
    assert decisions[2].decision is Decision.INCONCLUSIVE
    assert "cover 2 attempts of one change" in decisions[2].reason


def test_the_same_answers_in_other_times_are_further_attempts_for_rules_about_numbers(
    tmp_path: Path, suite: Path
) -> None:
    suite = written(tmp_path, ", attempts: 3, limits: {latency.p50: 60}")
    gates = [attempt(suite, 0, 3).summary.gate for _ in range(4)]
    floors, limits = (
        [next(rule for rule in gate.rules if rule.rule == name) for gate in gates]
        for name in ("floor", "limit")
    )
    assert {rule.level for rule in floors} == {0.975}, "the same answers are one attempt"
    assert [rule.level for rule in limits[:3]] == pytest.approx([0.975, 0.9875, 0.9875])
    assert "Attempt 3 for rules about numbers" in gates[2].reason
    assert [rule.decision for rule in limits] == [Decision.PASS] * 3 + [Decision.INCONCLUSIVE]
    assert "have used up the error rates of rules about numbers" in limits[3].reason


def test_a_gate_of_one_attempt_keeps_its_whole_rates(tmp_path: Path, suite: Path) -> None:
    suite = written(tmp_path, ", attempts: 1")
    for start in range(2):
        made = attempt(suite, start, 1)
        assert made.manifest.attempt is None
        assert made.summary.gate.rules[0].level == 0.95


def test_the_ci_server_names_an_attempt_that_is_not_seen(
    suite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_RUN_ATTEMPT", "3")
    gate = attempt(suite, 0, 1, "elsewhere").summary.gate
    assert gate.rules[0].level == 0.975
    assert "calls this attempt 3" in gate.reason
    assert "those of a first attempt" in gate.reason


def test_regression_is_pooled_and_the_worst_is_taken_for_what_is_missing(
    tmp_path: Path, suite: Path
) -> None:
    baseline = attempt(suite, 0, 6).path
    suite = written(tmp_path, f", regression: {{baseline: {baseline}, margins: {{equals: 0.1}}}}")
    attempt(suite, 50, 18)
    second = attempt(suite, 80, 6).summary.gate
    rule = next(rule for rule in second.rules if rule.rule == "regression")
    assert rule.estimate == pytest.approx((6 - (18 + 6) / 2) / CASES)
    assert "mean over 2 attempts" in rule.reason


def test_a_pooled_value_spans_what_a_missing_one_may_be() -> None:
    earlier = AttemptValues(
        run_id="r",
        cases={"a": "1", "b": "1", "c": "0", "d": "1"},
        outputs=("", "", "", ""),
        metrics={"m": AttemptColumn("s", (0.5, None, 1.0, "-"), "y-y-")},
    )
    values, passes = pool_of([earlier], "m"), pool_of([earlier], "m", passed=True)
    assert values("a", "1", 1.0) == PooledValue(0.75, 0.75)
    assert passes("a", "1", 1.0) == PooledValue(1.0, 1.0)
    assert values("b", "1", 1.0) == PooledValue(0.5, 1.0)
    assert values("a", "1", float("nan")) == PooledValue(0.25, 0.75)
    assert values("c", "1", 0.0) == values("d", "1", 0.0) == PooledValue(0.0, 0.0)


def test_a_directory_of_another_name_is_an_attempt_too(suite: Path) -> None:
    """`--out reports/leaves/mine` must not make every try a first one."""
    decided = []
    for number in range(3):
        names = [f"n{i % CASES}" for i in range(20 * number, 20 * number + 12)]
        (suite.parent / "wrong.txt").write_text(" ".join(names))
        out = Path("reports") / "leaves" / f"mine-{number}"
        decided.append(api.run(suite, options=Options(out=out, use_cache=False)))
    records = [run.manifest.attempt for run in decided]
    assert [record and record.number for record in records] == [1, 2, 3]
    assert records[2] is not None
    earlier = {each.run_id for each in records[2].earlier}  # all began within one second
    assert earlier == {run.manifest.run_id for run in decided[:2]}
    (rule,) = decided[2].summary.gate.rules
    assert rule.estimate == pytest.approx(1 - 12 / CASES)
    assert rule.level == pytest.approx(1 - 0.025 / 9)
