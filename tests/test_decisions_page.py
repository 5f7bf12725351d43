"""The example of docs/decisions.md about numbers, run against a service with planted faults."""

import json
from pathlib import Path
from typing import Any

import pytest

import llmeval
from llmeval.core.results import Decision
from llmeval.stats.estimation.quantiles import smallest_sample
from llmeval.stats.tests.number_ratio import INTERVAL_SHARE
from tests.support.endpoint import Handler, serve
from tests.test_applications_page import examples

PAGE = "docs/decisions.md"
N = 120


def service(body: dict[str, Any], earlier: int) -> dict[str, Any]:
    number = int(body["question"])
    return {
        "answer": f"echo {number}",
        "steps": 3 + number % 2,
        "calls": [{"name": "search", "args": {}}],
        "usage": {"input_tokens": 100, "output_tokens": 20},
    }


def loops(body: dict[str, Any], earlier: int) -> dict[str, Any]:
    return {**service(body, earlier), "steps": 9}


def refunds(body: dict[str, Any], earlier: int) -> dict[str, Any]:
    calls = [{"name": "refund", "args": {}}] if body["question"] == "7" else []
    return {**service(body, earlier), "calls": calls}


def uncounted(body: dict[str, Any], earlier: int) -> dict[str, Any]:
    return {**service(body, earlier), "usage": {}}


@pytest.mark.parametrize(
    ("handler", "exit_code", "rule"),
    [
        (service, 0, None),
        (loops, 1, ("steps.mean", Decision.FAIL)),
        (refunds, 1, ("not tool_call", Decision.FAIL)),
        (uncounted, 3, ("cost.p50", Decision.INVALID)),
    ],
    ids=["no fault", "a loop of steps", "a forbidden call", "no tokens"],
)
def test_the_example_about_numbers_finds_the_planted_fault(
    handler: Handler,
    exit_code: int,
    rule: tuple[str, Decision] | None,
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = examples((repository / PAGE).read_text(encoding="utf-8"))["numbers.yaml"]
    (tmp_path / "numbers.yaml").write_text(text, encoding="utf-8")
    cases = [{"id": f"c{i}", "question": str(i), "reference": f"echo {i}"} for i in range(N)]
    (tmp_path / "cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in cases))
    with serve(handler) as server:
        monkeypatch.setenv("APP_URL", server.url)
        run = llmeval.run(tmp_path / "numbers.yaml", options=llmeval.Options(out=tmp_path / "run"))
    decided = {each.metric: each.decision for each in run.summary.gate.rules}
    assert run.summary.gate.exit_code == exit_code
    assert rule is None or decided[rule[0]] is rule[1]
    calls = next(number for number in run.summary.numbers if number.name == "calls")
    assert calls.n == N


def test_the_smallest_samples_of_the_page(repository: Path) -> None:
    page = (repository / PAGE).read_text(encoding="utf-8")
    limit = [smallest_sample(0.95, level) for level in (0.05, 0.025)]
    margin = [smallest_sample(0.95, INTERVAL_SHARE * level / 2) for level in (0.05, 0.025)]
    assert "{} for `p95` at 95 % confidence, {} at 97.5 %".format(*limit) in page
    assert "takes {} cases at 95 % confidence, and {} at 97.5 %".format(*margin) in page
