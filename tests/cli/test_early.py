"""`run --stop early`: calls end when every rule is decided, and the records alone say the same
again.
"""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from llmeval.gate.summary import summarise
from llmeval.store.directory import RunDir
from tests.support.command import llmeval
from tests.support.endpoint import serve
from tests.support.rundirs import seal
from tests.support.suites import answer, write_suite

N = 300
FLOOR = "gate: {floors: {contains: 0.5}, stop: early}\n"
BOTH = "gate: {floors: {contains: 0.2}, regression: {baseline: base/t.lock.json, margins: {contains: 0.1}}}\n"


def number(body: dict[str, Any]) -> int:
    found = re.search(r"number (\d+)", body["messages"][-1]["content"])
    assert found is not None
    return int(found[1])


def wrong(body: dict[str, Any], earlier: int = 0) -> str:
    return "no"


def slow_when_wrong(body: dict[str, Any], earlier: int = 0) -> str:
    """Every second case is wrong, and the wrong answers come last: what arrives first looks better
    than it is.
    """
    if number(body) % 2:
        time.sleep(0.05)
        return "no"
    return answer(body, earlier)


def run(tmp_path: Path, says: Any, name: str, extra: str, *more: object, n: int = N) -> Any:
    with serve(says) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, n, extra, judge=False)
        done = llmeval("run", suite, "--out", tmp_path / name, "--no-cache", "--json", *more)
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout), len(endpoint.requests)


@pytest.mark.parametrize(("says", "code", "decision"), [(answer, 0, "PASS"), (wrong, 1, "FAIL")])
def test_a_clear_case_takes_few_calls(tmp_path: Path, says: Any, code: int, decision: str) -> None:
    returned, summary, calls = run(tmp_path, says, "r", FLOOR, "--concurrency", 4)
    (rule,) = summary["gate"]["rules"]
    assert (returned, rule["decision"], summary["status"]) == (code, decision, "complete")
    assert calls <= N // 4
    assert summary["counts"]["cases"] + summary["counts"]["not_needed"] == N
    assert f"Decided early: {N} were planned." in rule["reason"]
    assert rule["n"] <= summary["counts"]["cases"]
    assert summarise(RunDir(tmp_path / "r")).gate == summarise(RunDir(tmp_path / "r")).gate


def test_the_records_alone_decide_the_same(tmp_path: Path) -> None:
    _, summary, _ = run(tmp_path, answer, "r", FLOOR, "--concurrency", 8)
    (tmp_path / "r" / "summary.json").unlink()
    again = llmeval("report", tmp_path / "r", "--json")
    assert again.returncode == 0, again.stderr
    found = json.loads((tmp_path / "r" / "summary.json").read_text())
    assert found["gate"] == summary["gate"]
    assert found["counts"] == summary["counts"]


def test_going_on_with_a_run_that_stopped_asks_nothing(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, N, FLOOR, judge=False)
        assert llmeval("run", suite, "--out", tmp_path / "r", "--no-cache").returncode == 0
        asked = len(endpoint.requests)
        again = llmeval("run", suite, "--out", tmp_path / "r", "--no-cache")
        assert again.returncode == 2, "yesterday's PASS must not come out of today's command"
        assert "and is complete" in again.stderr
        assert 0 < len(endpoint.requests) == asked < N


def test_a_run_cut_off_after_its_decision_asks_nothing_more(tmp_path: Path) -> None:
    """Killed between the last record and the manifest, with a number of answers at which nobody
    looks.
    """
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, N, FLOOR, judge=False)
        assert (
            llmeval(
                "run", suite, "--out", tmp_path / "r", "--no-cache", "--concurrency", 1
            ).returncode
            == 0
        )
        scores = tmp_path / "r" / "scores.jsonl"
        extra = json.loads(scores.read_text().splitlines()[-1])
        answers = tmp_path / "r" / "answers.jsonl"
        known = {json.loads(line)["case_id"] for line in answers.read_text().splitlines()}
        extra["case_id"] = next(f"c{i:04d}" for i in range(N) if f"c{i:04d}" not in known)
        with scores.open("a") as file:
            file.write(json.dumps(extra) + "\n")
        with answers.open("a") as file:
            last = json.loads(answers.read_text().splitlines()[-1])
            file.write(json.dumps({**last, "case_id": extra["case_id"]}) + "\n")
        seal(tmp_path / "r", status="running")
        asked = len(endpoint.requests)
        assert llmeval("run", suite, "--out", tmp_path / "r", "--no-cache").returncode == 0
        assert len(endpoint.requests) == asked


def test_who_answers_first_does_not_matter(tmp_path: Path) -> None:
    """Half of the cases pass, the floor is 0.7: by order of arrival the first ones would all
    pass.
    """
    gate = "gate: {floors: {contains: 0.7}, stop: early}\n"
    code, summary, _ = run(tmp_path, slow_when_wrong, "r", gate, "--concurrency", 64)
    (rule,) = summary["gate"]["rules"]
    assert (code, rule["decision"]) == (1, "FAIL")
    assert rule["estimate"] < 0.7


def test_one_rule_open_goes_to_the_end(tmp_path: Path) -> None:
    """A floor near the true rate can't be decided: every case is asked, and the final test is read
    once.
    """
    gate = "gate: {floors: {contains: 0.5}, stop: early}\n"
    code, summary, calls = run(
        tmp_path,
        lambda body, earlier=0: answer(body) if number(body) % 2 else "no",
        "r",
        gate,
        n=12,  # so few that no order of them decides
    )
    assert (code, calls, summary["counts"]["not_needed"]) == (4, 12, 0)
    assert summary["gate"]["decision"] == "INCONCLUSIVE"


def test_a_regression_stops_early_and_without_a_baseline_nothing_does(tmp_path: Path) -> None:
    code, _, calls = run(tmp_path, answer, "first", BOTH, "--stop", "early")
    assert (code, calls) == (3, N), "a run without its baseline is to become one"
    done = llmeval("baseline", "approve", tmp_path / "first", "--by", "ada", "--reason", "first")
    assert done.returncode == 0, done.stderr
    code, summary, calls = run(
        tmp_path, wrong, "worse", BOTH, "--stop", "early", "--concurrency", 4
    )
    assert (code, calls <= N // 4) == (1, True)
    rule = next(rule for rule in summary["gate"]["rules"] if rule["rule"] == "regression")
    assert rule["decision"] == "FAIL" and rule["estimate"] < -0.3
    assert "the cases run in a random order" in rule["assumptions"]
    code, summary, calls = run(
        tmp_path, answer, "same", BOTH, "--stop", "early", "--concurrency", 4
    )
    assert (code, calls < N) == (0, True)
    done = llmeval("baseline", "approve", tmp_path / "same", "--by", "ada", "--reason", "again")
    assert done.returncode == 2
    assert "it stopped early" in done.stderr


def test_stopping_early_needs_a_rule_and_one_way(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 5, "", judge=False)
        done = llmeval("run", suite, "--stop", "early")
        assert (done.returncode, "needs at least one rule" in done.stderr) == (2, True)
        suite = write_suite(tmp_path, endpoint.url, 5, FLOOR, judge=False)
        assert llmeval("run", suite, "--out", tmp_path / "r", "--stop", "never").returncode in (
            0,
            4,
        )
        done = llmeval("run", suite, "--out", tmp_path / "r")
    assert (done.returncode, "--stop never" in done.stderr) == (2, True)


def test_each_run_has_an_order_of_its_own_and_records_what_it_is_drawn_by(tmp_path: Path) -> None:
    """A fixed order would leave the same cases out of every run."""
    orders = []
    for name in ("one", "two"):
        run(tmp_path, answer, name, FLOOR, "--concurrency", 4)
        manifest = json.loads((tmp_path / name / "manifest.json").read_text())
        assert manifest["order_seed"] == manifest["run_id"]
        lines = (tmp_path / name / "cases.jsonl").read_text().splitlines()
        orders.append([json.loads(line)["id"] for line in lines])
    assert sorted(orders[0]) == sorted(orders[1]) and orders[0] != orders[1]


def test_answers_scored_again_keep_the_order_they_were_asked_in(tmp_path: Path) -> None:
    run(tmp_path, answer, "r", FLOOR, "--concurrency", 4)
    again = llmeval("score", tmp_path / "r", "--out", tmp_path / "s")
    assert again.returncode == 0, again.stderr
    first, second = (
        json.loads((tmp_path / name / "manifest.json").read_text()) for name in ("r", "s")
    )
    assert second["order_seed"] == first["order_seed"] == first["run_id"] != second["run_id"]
