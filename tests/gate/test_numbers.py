"""Rules about numbers, in real runs of recorded answers: limits, margins, missing numbers, and the
lock file.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

import llmeval
from llmeval.api.deciding import redecide
from llmeval.core.errors import SuiteError
from llmeval.core.results import Decision, RuleDecision
from llmeval.gate.baseline import approval, baseline_of_run, lock_bytes, read_baseline
from llmeval.runner.options import Options

Values = Callable[[int], dict[str, Any]]


def even(seconds: float = 0.1) -> Values:
    """Seconds that differ a little from case to case, a few tokens, and three steps."""
    return lambda i: {
        "latency_ms": 1000 * seconds * (1 + (i * 7 % 50) / 100),
        "usage": {"input_tokens": 100, "output_tokens": 10 + i % 5},
        "data": {"steps": 3 + i % 2},
    }


def run(
    folder: Path, values: Values, gate: dict[str, Any], n: int = 200, **more: Any
) -> llmeval.Run:
    """A run over n recorded answers. `more`: further keys of the suite."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{"id": f"c{i}", "output": "yes", **values(i)} for i in range(n)]
    (folder / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    cases = more.pop("cases", None) or [{"id": f"c{i}", "q": i} for i in range(n)]
    suite = {
        "suite": "numbers",
        "cases": cases,
        "prompt": "{{ q }}",
        "candidate": {
            "provider": "replay",
            "source": "answers.jsonl",
            "price": {"input": 1.0, "output": 10.0},
        },
        "checks": [{"equals": "yes"}],
        "measure": {"steps": "{{ data.steps }}"},
        "gate": gate,
        **more,
    }
    path = folder / "suite.yaml"
    path.write_text(yaml.safe_dump(suite, sort_keys=False))
    return llmeval.run(path, options=Options(out=folder / "run", reports=folder))


def rules(found: llmeval.Run) -> dict[str, RuleDecision]:
    """The decisions by metric and slice."""
    return {
        f"{rule.metric} @ {rule.slice}" if rule.slice else str(rule.metric): rule
        for rule in found.summary.gate.rules
    }


def lock(found: llmeval.Run, path: Path) -> str:
    """The run as an approved baseline."""
    made = baseline_of_run(found.directory, approval("ada", "first", None))
    path.write_bytes(lock_bytes(made))
    kept = read_baseline(path)
    assert (kept.numbers, kept.metrics) == (made.numbers, made.metrics)
    return str(path)


@pytest.mark.parametrize(
    ("key", "limit", "decision"),
    [
        ("latency.p95", 0.2, Decision.PASS),
        ("latency.p95", 0.1, Decision.FAIL),
        ("latency.p95", 0.1475, Decision.INCONCLUSIVE),
        ("latency_p50", 0.15, Decision.PASS),
        ("latency", 0.14, Decision.PASS),
        ("latency.mean", 0.11, Decision.FAIL),
        ("steps", 3.5, Decision.INCONCLUSIVE),
        ("steps.p95", 4, Decision.PASS),
        ("tokens", 130, Decision.PASS),
        ("cost", 0.00023, Decision.PASS),
        ("cost", 0.0002, Decision.FAIL),
    ],
)
def test_a_limit_has_three_outcomes(
    key: str, limit: float, decision: Decision, tmp_path: Path
) -> None:
    (rule,) = run(tmp_path, even(), {"limits": {key: limit}}).summary.gate.rules
    assert (rule.rule, rule.decision, rule.threshold) == ("limit", decision, limit)
    assert rule.number == key.partition(".")[0].partition("_")[0]
    assert rule.estimate is not None
    if decision is Decision.PASS and rule.high is not None:
        assert rule.estimate <= rule.high <= limit
    if decision is Decision.FAIL:
        assert rule.low is not None
        assert rule.low > limit


def test_too_few_cases_say_how_many_are_needed(tmp_path: Path) -> None:
    gate = {"limits": {"latency.p95": 9, "steps": 9}, "attempts": 1}
    found = rules(run(tmp_path, even(), gate, n=20))
    assert [rule.decision for rule in found.values()] == [Decision.INCONCLUSIVE] * 2
    assert (
        "p95 takes at least 59 independent cases at 95% confidence, all of them within the limit;"
        " here are 20: add 39 or more." in found["latency.p95"].reason
    )
    assert "A mean takes at least 30 independent cases" in found["steps.mean"].reason
    enough = run(tmp_path / "b", even(), {**gate, "limits": {"latency.p95": 9}}, n=59)
    assert enough.summary.gate.decision is Decision.PASS


@pytest.mark.parametrize(
    ("lost", "limit", "decision"),
    [(3, 0.3, Decision.PASS), (9, 0.3, Decision.INVALID), (4, 0.1, Decision.FAIL)],
)
def test_a_missing_number_is_not_zero(
    lost: int, limit: float, decision: Decision, tmp_path: Path
) -> None:
    def values(i: int) -> dict[str, Any]:
        return {**even()(i), **({"latency_ms": None} if i < lost else {})}

    found = run(tmp_path, values, {"limits": {"latency.p95": limit}})
    (rule,) = found.summary.gate.rules
    assert rule.decision is decision
    (latency,) = (number for number in found.summary.numbers if number.name == "latency")
    assert (latency.n, latency.missing) == (200 - lost, lost)
    if decision is Decision.INVALID:
        assert "9 of 200 answers have no latency" in rule.reason
        assert "At most 2.0% of them may be missing (`max_unscored`)" in rule.reason


@pytest.mark.parametrize("value", [None, -1, "4", True, [4], float("1e999")])
def test_what_is_no_number_is_missing(value: object, tmp_path: Path) -> None:
    if value == float("inf"):
        value = "Infinity"
    found = run(tmp_path, lambda i: {"data": {"steps": value}}, {"limits": {"steps.p95": 9}})
    (rule,) = found.summary.gate.rules
    assert rule.decision is Decision.INVALID
    assert "`measure.steps` gave no number" in rule.reason


def test_without_usage_or_price_the_cost_is_missing(tmp_path: Path) -> None:
    gate = {"limits": {"cost": 1, "tokens.p95": 500}}
    found = rules(run(tmp_path, lambda i: {"data": {"steps": 1}}, gate))
    assert [rule.decision for rule in found.values()] == [Decision.INVALID] * 2
    assert "the candidate, or its replies report no tokens" in found["cost.mean"].reason


def margins(path: str, **stated: object) -> dict[str, Any]:
    return {"regression": {"baseline": path, "margins": stated}}


@pytest.mark.parametrize(
    ("values", "key", "decision", "told"),
    [
        (even(), "latency.p95", Decision.PASS, "A rise of the margin or more"),
        (even(0.2), "latency.p95", Decision.FAIL, "it is larger than in the baseline"),
        (even(0.2), "latency", Decision.FAIL, "latency.mean rose by 100.0%"),
        (even(0.09), "latency_p50", Decision.PASS, "fell by 10.0%"),
        (even(), "cost", Decision.PASS, "did not move"),
    ],
)
def test_a_number_is_compared_by_its_ratio(
    values: Values, key: str, decision: Decision, told: str, tmp_path: Path
) -> None:
    before = lock(run(tmp_path / "a", even(), {"floors": {"equals": 0.5}}), tmp_path / "b.json")
    (rule,) = run(tmp_path / "b", values, margins(before, **{key: "20%"})).summary.gate.rules
    assert (rule.rule, rule.decision, rule.threshold) == ("regression", decision, 0.2)
    assert told in rule.reason
    assert rule.number is not None


def test_ten_percent_slow_answers_are_seen(tmp_path: Path) -> None:
    def slow(i: int) -> dict[str, Any]:
        return {**even()(i), "latency_ms": 900.0} if i % 10 == 0 else even()(i)

    before = lock(run(tmp_path / "a", even(), {"floors": {"equals": 0.5}}), tmp_path / "b.json")
    found = rules(run(tmp_path / "b", slow, margins(before, **{"latency.p95": "20%"}), n=200))
    assert found["latency.p95"].decision is Decision.FAIL
    assert found["latency.p95"].fell[0] in {f"c{i}" for i in range(0, 200, 10)}


@pytest.mark.parametrize(
    ("measure", "told"),
    [
        ("{{ data.steps * 2 }}", "is not what the baseline"),
        (None, "the baseline does not have this number"),
    ],
)
def test_what_is_measured_otherwise_is_not_compared(
    measure: str | None, told: str, tmp_path: Path
) -> None:
    own = {} if measure is None else {"measure": {"steps": "{{ data.steps }}"}}
    made = run(tmp_path / "a", even(), {"floors": {"equals": 0.5}}, **(own or {"measure": {}}))
    before = lock(made, tmp_path / "b.json")
    stated = {"steps": measure or "{{ data.steps }}"}
    found = run(tmp_path / "b", even(), margins(before, steps="10%"), measure=stated)
    (rule,) = found.summary.gate.rules
    assert rule.decision is Decision.INVALID
    assert (
        told.replace("the baseline does", f"the baseline {made.manifest.run_id} does")
        in rule.reason
    )


def test_repeats_of_a_case_are_one_cluster(tmp_path: Path) -> None:
    folder = tmp_path
    rows = [
        {"id": f"c{i}", "repeat": k, "output": "yes", "latency_ms": 100.0 + 10 * i + k}
        for i in range(40)
        for k in range(3)
    ]
    (folder / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    suite = {
        "suite": "r",
        "cases": [{"id": f"c{i}", "q": i} for i in range(40)],
        "prompt": "{{ q }}",
        "candidate": {"provider": "replay", "source": "answers.jsonl"},
        "repeats": 3,
        "checks": [{"equals": "yes"}],
        "gate": {"limits": {"latency.p50": 0.5}},
    }
    (folder / "suite.yaml").write_text(yaml.safe_dump(suite))
    found = llmeval.run(folder / "suite.yaml", options=Options(out=folder / "run"))
    (rule,) = found.summary.gate.rules
    assert (rule.decision, rule.n) == (Decision.PASS, 120)
    assert "the 40 cases or clusters are independent of each other" in rule.assumptions
    kept = baseline_of_run(found.directory).numbers["latency"].values[0]
    assert kept == (0.1, 0.101, 0.102)


def test_slices_and_a_rule_that_only_warns(tmp_path: Path) -> None:
    cases = [
        {"id": f"c{i}", "q": i, "tags": {"lang": "de" if i % 4 == 0 else "en"}} for i in range(200)
    ]
    gate = {"limits": {"latency.p95 @ lang=*": {"max": 0.2, "on_inconclusive": "warn"}}}
    found = run(tmp_path, even(), gate, cases=cases)
    decided = rules(found)
    assert decided["latency.p95 @ lang=en"].decision is Decision.PASS
    assert decided["latency.p95 @ lang=de"].decision is Decision.INCONCLUSIVE
    assert (found.summary.gate.decision, found.summary.gate.exit_code) == (Decision.INCONCLUSIVE, 0)
    strict = {"limits": {**gate["limits"], "steps": 3.5}}
    assert run(tmp_path / "b", even(), strict, cases=cases).summary.gate.exit_code == 4


@pytest.mark.parametrize(
    ("gate", "more", "told"),
    [
        ({"limits": {"speed.p95": 1}}, {}, "there is no number 'speed.p95'"),
        ({"limits": {"equals": 1}}, {}, "`floors` take metrics for checks and judges"),
        ({"limits": {"latency @ lang=de": 1}}, {}, "no case has the tag 'lang'"),
        ({"floors": {"equals": 0.5}}, {"measure": {"steps": "{{ steps }}"}}, "measure.steps"),
        ({"floors": {"equals": 0.5}}, {"measure": {"equals": "{{ q }}"}}, "has the name 'equals'"),
        ({"floors": {"equals": 0.5}}, {"measure": {"steps": "about {{ q }}"}}, "one expression"),
        (margins("b", equals=1.5), {}, "5 points are 0.05"),
        (margins("b", equals="5 points"), {}, "a margin is a number"),
        (margins("b", **{"json.*": 0.1}), {}, "no metric fits 'json.*'"),
        ({"never": ["not tool_call"]}, {}, "no check or judge gives the metric"),
        ({"never": ["not *"]}, {}, "no metric fits 'not *'"),
    ],
)
def test_rules_about_nothing_are_refused(
    gate: dict[str, Any], more: dict[str, Any], told: str, tmp_path: Path
) -> None:
    with pytest.raises(SuiteError, match=r"suite\.yaml") as refused:
        run(tmp_path, even(), gate, n=3, **more)
    assert told in str(refused.value)


def test_margins_of_a_pass_rate_and_of_every_slice(tmp_path: Path) -> None:
    """The mean of `json_fields` hides that one more answer in five has a wrong field."""

    def text(right: Sequence[bool]) -> str:
        values = {name: 1 if ok else 2 for name, ok in zip("abcde", right, strict=True)}
        return json.dumps(values)

    def values(wrong: int) -> Values:
        return lambda i: {"output": text([i % wrong != 0, True, True, True, True])}

    cases = [{"id": f"c{i}", "q": i, "tags": {"lang": ["de", "en"][i % 2]}} for i in range(200)]
    want = {"json_fields": {"want": dict.fromkeys("abcde", 1)}}
    stated = {
        "json_fields": 0.1,
        "json_fields pass": 0.1,
        "json_fields.*": 0.15,
        "json_fields @ lang=*": 0.2,
    }
    shared: dict[str, Any] = {"cases": cases, "checks": [want], "measure": {}}
    first = run(tmp_path / "a", values(50), {"floors": {"json_fields": 0.5}}, **shared)
    before = lock(first, tmp_path / "b.json")
    found = rules(run(tmp_path / "b", values(5), margins(before, **stated), **shared))
    assert found["json_fields"].decision is Decision.FAIL
    assert found["json_fields pass"].decision is Decision.FAIL
    assert found["json_fields pass"].estimate == pytest.approx(-0.18)
    assert found["json_fields"].estimate == pytest.approx(-0.036)
    assert {name for name in found if name.startswith("json_fields.")} == {
        f"json_fields.{name}" for name in "abcde"
    }
    assert {"json_fields @ lang=de", "json_fields @ lang=en"} <= set(found)


@pytest.mark.parametrize(("most", "decision"), [(0, Decision.INVALID), (5, Decision.PASS)])
def test_not_compared_is_not_unchanged(most: int, decision: Decision, tmp_path: Path) -> None:
    """The check applies to an answer with a source only: five cases have none any more."""

    def sourced(missing: int) -> Values:
        return lambda i: {"output": "yes", "data": {"steps": 3} if i < missing else {"steps": 4}}

    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "own.py").write_text(
            "from llmeval.checks.base import not_applicable, verdict\n\n\n"
            "def four(case, answer):\n"
            "    if answer.data['steps'] == 3:\n"
            "        return not_applicable('no source')\n"
            "    return verdict(True, 'yes')\n"
        )
    shared: dict[str, Any] = {"checks": [{"equals": "yes"}, "own:four"]}
    first = run(tmp_path / "a", sourced(0), {"floors": {"equals": 0.5}}, **shared)
    before = lock(first, tmp_path / "b.json")
    gate = margins(before, **{"own:four": 0.1})
    gate["regression"]["max_gone"] = most
    found = run(tmp_path / "b", sourced(5), gate, **shared)
    (rule,) = found.summary.gate.rules
    assert rule.decision is decision
    assert "5 " in rule.reason
    assert "c0" in rule.reason


def test_a_run_decided_again_has_the_numbers_of_that_suite(tmp_path: Path) -> None:
    first = run(tmp_path / "a", even(), {"limits": {"steps": 9}})
    run(
        tmp_path / "b",
        even(),
        {"limits": {"double": 9}},
        measure={"double": "{{ data.steps * 2 }}"},
    )
    again = redecide(first.directory.path, tmp_path / "b" / "suite.yaml")
    (rule,) = again.summary.gate.rules
    assert (rule.metric, rule.estimate) == ("double.mean", 7.0)


def test_the_largest_drops_are_listed_tested_or_not(tmp_path: Path) -> None:
    cases = [{"id": f"c{i}", "q": i, "tags": {"lang": ["de", "en"][i % 2]}} for i in range(100)]
    shared: dict[str, Any] = {"cases": cases, "n": 100}
    first = run(tmp_path / "a", even(), {"floors": {"equals": 0.5}}, **shared)
    before = lock(first, tmp_path / "b.json")
    found = run(
        tmp_path / "b",
        lambda i: {**even()(i), "output": "no" if i % 10 == 1 else "yes"},
        margins(before, equals=0.3),
        **shared,
    )
    drops = [
        (drop.slice, round(drop.before - drop.now, 3), drop.tested) for drop in found.summary.drops
    ]
    assert drops == [("lang=en", 0.2, False), (None, 0.1, True)]
    text = (tmp_path / "b" / "run" / "summary.md").read_text()
    assert "exploratory: no rule tests it" in text
