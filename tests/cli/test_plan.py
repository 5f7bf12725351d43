"""`plan` and `simulate` as scripts see them."""

import json
from pathlib import Path

import pytest

from tests.support.command import llmeval
from tests.support.endpoint import serve
from tests.support.suites import answer, write_suite

NOWHERE = "http://127.0.0.1:9/v1"
FLOOR = "gate: {floors: {contains: 0.7}}\n"


def test_a_plan_says_what_it_assumes(tmp_path: Path) -> None:
    suite = write_suite(tmp_path, NOWHERE, 200, FLOOR, judge=False)
    done = llmeval("plan", suite, "--detect", "5pt", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["regression"][0]["needed"] == 1155
    assert found["regression"][0]["enough"] is False
    assert found["now"]["calls"] == 200 and found["now"]["cost_usd"] is None
    assert found["floors"][0]["rule"] == "contains"
    assert any("assumed" in note for note in found["notes"])
    told = llmeval("plan", suite, "--detect", "5pt", cwd=tmp_path).stdout
    assert "for 5 points you need 1,155" in told and "No model was called" in told


def test_a_plan_takes_rates_from_past_runs(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 50, FLOOR, judge=False)
        assert llmeval("run", suite, cwd=tmp_path).returncode in (0, 4)
        done = llmeval("plan", suite, "--json", cwd=tmp_path)
    found = json.loads(done.stdout)
    assert found["regression"][0]["pass_rate"] == pytest.approx(0.8)
    assert "(run " in found["notes"][0]
    assert found["now"]["minutes"] is not None


def test_an_untrusted_judge_is_said_to_be_one(tmp_path: Path) -> None:
    suite = write_suite(tmp_path, NOWHERE, 100)
    # a great drop needs few cases, and its simulation less time
    options = ("--metric", "correctness", "--detect", "20pt")
    found = json.loads(llmeval("plan", suite, *options, "--json", cwd=tmp_path).stdout)
    assert "UNTRUSTED" in found["notes"][0]
    assert 0 < found["regression"][0]["youden_lower"] < 0.8


def test_a_small_proof_runs_and_holds(tmp_path: Path) -> None:
    suite = write_suite(tmp_path, NOWHERE, 100, FLOOR, judge=False)
    done = llmeval("simulate", suite, "--runs", "50", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["metrics"][0]["rows"]
    assert [row["drop"] for row in rows] == pytest.approx([0, 0.05, 0.1, 0.2])
    assert all(row["holds"] for row in rows)


@pytest.mark.parametrize(
    ("option", "told"),
    [(("--detect", "much"), "takes a drop such as 3pt"), (("--detect", "3"), "3pt or 0.03"), (("--metric", "x"), "no metric 'x'")],
)  # fmt: skip
def test_wrong_options_are_explained(tmp_path: Path, option: tuple[str, str], told: str) -> None:
    done = llmeval("plan", write_suite(tmp_path, NOWHERE, 20), *option, cwd=tmp_path)
    assert done.returncode == 2 and told in done.stderr


@pytest.mark.parametrize("command", ["plan", "simulate"])
def test_a_rule_without_pairs_is_not_planned_as_one_with_pairs(
    tmp_path: Path, command: str
) -> None:
    gate = "gate: {regression: {paired: false, margins: {contains: 0.05}}}\n"
    done = llmeval(command, write_suite(tmp_path, NOWHERE, 20, gate, judge=False), cwd=tmp_path)
    assert done.returncode == 2 and "know only rules that compare the same cases" in done.stderr


def test_the_suites_own_margins_and_rates_are_played(tmp_path: Path) -> None:
    rules = "gate: {beta: 0.2, regression: {baseline: b.json, margins: {contains: 0.2}}}\n"
    suite = write_suite(tmp_path, NOWHERE, 100, rules, judge=False)
    proved = json.loads(llmeval("simulate", suite, "--runs", "30", "--json", cwd=tmp_path).stdout)[
        "metrics"
    ][0]
    assert proved["margin"] == 0.2
    assert [row["limit"] for row in proved["rows"]] == [0.025, 0.1, 0.1, 0.1]
    planned = json.loads(llmeval("plan", suite, "--json", cwd=tmp_path).stdout)["regression"][0]
    assert planned["margin"] == 0.2
    other = json.loads(llmeval("plan", suite, "--detect", "5pt", "--json", cwd=tmp_path).stdout)[
        "regression"
    ][0]
    assert other["margin"] == 0.05


def test_a_run_that_may_stop_is_proved_as_one(tmp_path: Path) -> None:
    """The same rates, and how many cases are asked: few for a large drop."""
    suite = write_suite(tmp_path, NOWHERE, 200, FLOOR, judge=False)
    asked = ("simulate", suite, "--detect", "10pt", "--runs", "40", "--json")
    plain, early = (
        json.loads(llmeval(*asked, *more, cwd=tmp_path).stdout)
        for more in ((), ("--stop", "early"))
    )
    assert (plain["stop"], early["stop"]) == ("never", "early")
    assert {row["used"] for row in plain["metrics"][0]["rows"]} == {1.0}
    used = [row["used"] for row in early["metrics"][0]["rows"]]
    assert used[3] < used[2] < 1
    assert used[3] < 0.3


def test_a_whole_gate_is_played_with_its_slices_and_judge(tmp_path: Path) -> None:
    rules = (
        "gate: {floors: {correctness: 0.7, contains @ lang=de: 0.6},"
        " regression: {baseline: b.json, margins: {contains: 0.1, contains @ lang=en: 0.2}}}\n"
    )
    suite = write_suite(tmp_path, NOWHERE, 120, rules)
    cases = [json.loads(line) for line in (tmp_path / "cases.jsonl").read_text().splitlines()]
    for number, case in enumerate(cases):
        case["tags"] = {"lang": "de" if number % 2 else "en"}
    (tmp_path / "cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in cases))
    asked = ("simulate", suite, "--runs", "30")
    found = json.loads(llmeval(*asked, "--json", cwd=tmp_path).stdout)
    assert [row["margins"] for row in found["gate"]] == [0, 1, 2, 4]
    assert [floor["rule"] for floor in found["floors"]] == ["correctness", "contains @ lang=de"]
    assert [row["rate"] for row in found["floors"][1]["rows"]] == pytest.approx([0.6, 0.55, 0.5])
    assert [(rule["metric"], rule["stated"]) for rule in found["metrics"]] == [
        ("contains", True), ("contains @ lang=en", True),
    ]  # fmt: skip
    planned = llmeval("plan", suite, "--metric", "contains", cwd=tmp_path).stdout
    assert "contains @ lang=en\n  60 cases can certify" in planned
    told = llmeval(*asked, cwd=tmp_path).stdout
    assert (
        "The whole gate, 4 rules" in told and "contains @ lang=de: at least 60%, 60 cases" in told
    )


def test_a_plan_needs_no_weights_and_takes_each_slices_own_rate(tmp_path: Path) -> None:
    rows = [
        {"id": f"{part}{n}", "text": part, "tags": {"slice": part}}
        for part in ("old", "new")
        for n in range(60)
    ]
    (tmp_path / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "sliced_app.py").write_text("def answer(prompt): return prompt\n")
    margins = '"equals @ slice=old": 0.1, "equals @ slice=new": 0.1'
    text = (
        'suite: sliced\ncases: {source: cases.jsonl}\nprompt: "{{ text }}"\n'
        'models: {app: {provider: python, function: "sliced_app:answer"}}\ncandidate: app\n'
        f'checks: [{{equals: "old"}}]\ngate: {{regression: {{baseline: b, margins: {{{margins}}}}}}}\n'
    )
    (tmp_path / "suite.yaml").write_text(text)
    assert llmeval("run", "suite.yaml", cwd=tmp_path).returncode == 3
    weights = text.replace(
        'provider: python, function: "sliced_app:answer"', "provider: transformers, model: ./next"
    )
    (tmp_path / "suite.yaml").write_text(weights)
    done = llmeval("plan", "suite.yaml", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rates = {row["metric"]: row["pass_rate"] for row in json.loads(done.stdout)["regression"]}
    assert rates["equals @ slice=old"] == 1 and rates["equals @ slice=new"] == 0
