"""Planning and diagnosis as functions of `llmeval.api`: the commands only show what they return."""

import json
from pathlib import Path

from llmeval import api
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
