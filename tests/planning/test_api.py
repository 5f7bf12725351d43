"""Planning and diagnosis as functions of `llmeval.api`: the commands only show what they return."""

import json
from pathlib import Path

from llmeval import api
from llmeval.planning.simulation_setup import setups_for
from llmeval.planning.suite_plan import plan_suite
from llmeval.planning.suite_profile import profile_suite
from llmeval.suite.loader import load_suite
from tests.support.command import llmeval
from tests.support.suites import write_suite

NOWHERE = "http://127.0.0.1:9/v1"
FLOOR = "gate: {floors: {contains: 0.7}}\n"


def test_plan_returns_what_the_command_prints(tmp_path: Path) -> None:
    suite = write_suite(tmp_path, NOWHERE, 40, FLOOR, judge=False)
    made = api.plan(suite, detect="5pt", reports=tmp_path / "reports")
    assert made.cost(80).calls == 80
    done = llmeval("plan", suite, "--detect", "5pt", "--json", cwd=tmp_path)
    assert json.loads(done.stdout) == json.loads(json.dumps(made.document()))


def test_simulate_returns_what_the_command_prints(tmp_path: Path) -> None:
    suite = write_suite(tmp_path, NOWHERE, 40, FLOOR, judge=False)
    runs: list[int] = []
    made = api.simulate(suite, runs=20, reports=tmp_path / "reports", on_start=runs.append)
    assert runs and runs[0] % 20 == 0
    done = llmeval("simulate", suite, "--runs", 20, "--json", cwd=tmp_path)
    assert json.loads(done.stdout) == json.loads(json.dumps(made.document()))


def test_doctor_returns_what_the_command_prints(tmp_path: Path) -> None:
    suite = write_suite(tmp_path, NOWHERE, 3, FLOOR, judge=False)
    findings = api.doctor(suite, ask=False, reports=tmp_path / "reports")
    done = llmeval("doctor", suite, "--no-ask", "--json", cwd=tmp_path)
    shown = json.loads(done.stdout)["findings"]
    assert [each.what for each in findings] == [each["what"] for each in shown]


RELEASE = """
suite: both
cases: {source: cases.jsonl}
prompt: "{{ id }}"
models: {m: {provider: replay, source: answers.jsonl}}
candidate: m
checks: [contains: a]
gate:
  floors: {contains: 0.5}
  limits: {latency.p50: 3}
  regression:
    baseline: no.lock.json
    margins: {contains: 0.1}
    release: {margins: {contains: 0.2}}
"""


def test_margins_of_the_release_are_planned_and_share_alpha(tmp_path: Path) -> None:
    rows = [{"id": f"c{n}"} for n in range(60)]
    (tmp_path / "cases.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "answers.jsonl").write_text(
        "\n".join(json.dumps({**r, "output": "a"}) for r in rows)
    )
    path = tmp_path / "both.yaml"
    path.write_text(RELEASE)
    profile = profile_suite(load_suite(path), None, tmp_path)
    setup, others = setups_for(profile, None, early=True)
    assert setup is not None and not others
    assert [rule.name for rule in setup.rules] == [
        "contains",
        "contains",
        "contains since the release",
    ]
    assert setup.terms.rules == profile.rule_count == 4, "with the limit"
    plan = plan_suite(profile)
    assert [(metric.metric, size.margin) for metric, size in plan.regression] == [
        ("contains", 0.1),
        ("contains since the release", 0.2),
    ]
    alone = path.read_text().replace("    release: {margins: {contains: 0.2}}\n", "")
    path.write_text(alone)
    assert profile_suite(load_suite(path), None, tmp_path).rule_count == 3
