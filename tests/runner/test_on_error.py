"""`on_error: fail`: the application's own errors are failures, sent once; and `gate.never`, costs
and slow answers of a real server.
"""

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest
import yaml

import llmeval
from llmeval.core.results import Decision, RuleDecision
from llmeval.gate.baseline import approval, baseline_of_run, lock_bytes
from llmeval.runner.options import Options
from tests.support.endpoint import Handler, serve

N = 200


def reply(body: dict[str, Any], **more: Any) -> dict[str, Any]:
    number = int(body["q"])
    return {
        "answer": f"echo {number}",
        "cost": 0.001 * (1 + number % 5),
        "calls": [],
        "usage": {"input_tokens": 100, "output_tokens": 20},
        **more,
    }


def healthy(body: dict[str, Any], earlier: int) -> dict[str, Any]:
    return reply(body)


def broken(body: dict[str, Any], earlier: int) -> Any:
    """One request in ten ends with HTTP 500, always."""
    return (500, {"error": "boom"}, {}) if int(body["q"]) % 10 == 0 else reply(body)


def dear(body: dict[str, Any], earlier: int) -> dict[str, Any]:
    return reply(body, cost=0.0013 * (1 + int(body["q"]) % 5))


def forbidden(body: dict[str, Any], earlier: int) -> dict[str, Any]:
    calls = [{"name": "refund", "args": {"amount": 10}}] if body["q"] == "17" else []
    return reply(body, calls=calls)


def slow(body: dict[str, Any], earlier: int) -> Awaitable[dict[str, Any]] | dict[str, Any]:
    """One answer in eight takes two seconds longer."""

    async def later() -> dict[str, Any]:
        await asyncio.sleep(2)
        return reply(body)

    return later() if int(body["q"]) % 8 == 0 else reply(body)


def run(
    folder: Path, handler: Handler, gate: dict[str, Any], **model: Any
) -> tuple[llmeval.Run, int]:
    """A run against a server, and how many requests came."""
    folder.mkdir(parents=True, exist_ok=True)
    with serve(handler) as server:
        suite = {
            "suite": "service",
            "cases": [{"id": f"c{i}", "q": str(i), "reference": f"echo {i}"} for i in range(N)],
            "prompt": "{{ q }}",
            "candidate": {
                "provider": "http",
                "url": server.url,
                "build": "1",
                "body": {"q": "{{ prompt }}"},
                "output": "answer",
                "data": {"cost": "cost"},
                "tool_calls": "calls",
                "usage": "usage",
                **model,
            },
            "checks": ["equals", {"not": {"tool_call": "refund"}}],
            "measure": {"cost": "{{ data.cost }}"},
            "gate": gate,
        }
        path = folder / "suite.yaml"
        path.write_text(yaml.safe_dump(suite, sort_keys=False))
        options = Options(out=folder / "run", concurrency=50, use_cache=False)
        found = llmeval.run(path, options=options)
        return found, len(server.requests)


def only(found: llmeval.Run, metric: str) -> RuleDecision:
    (rule,) = (rule for rule in found.summary.gate.rules if rule.metric == metric)
    return rule


def test_an_error_of_the_application_is_a_failure_and_sent_once(tmp_path: Path) -> None:
    gate = {"floors": {"equals": 0.8}}
    found, requests = run(tmp_path, broken, gate, on_error="fail")
    assert requests == N
    counts = found.summary.counts
    assert (counts.passed, counts.failed, counts.errors) == (180, 20, 0)
    assert found.summary.gate.decision is Decision.PASS
    answers = {answer.case_id: answer for answer in found.directory.answers()}
    assert answers["c10"].error is not None
    assert answers["c10"].error.kind == "application"
    assert answers["c10"].attempts == 1
    scores = [
        score for key, block in found.directory.scores() if key[0] == "c10" for score in block
    ]
    assert {score.metric for score in scores} == {"equals", "not tool_call"}
    assert all("the application ended with an error" in score.reason for score in scores)


def test_without_it_such_an_answer_is_missing(tmp_path: Path) -> None:
    model = {"limits": {"attempts": 2}}
    found, requests = run(tmp_path, broken, {"floors": {"equals": 0.8}}, **model)
    assert requests == N + 20
    assert found.summary.counts.errors == 20
    assert found.summary.gate.decision is Decision.INVALID


def test_a_function_that_raises_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "def answer(text):\n    if text == '3':\n        raise ValueError('no')\n    return 'yes'\n"
    )
    suite = {
        "suite": "f",
        "cases": [{"id": f"c{i}", "q": str(i)} for i in range(5)],
        "prompt": "{{ q }}",
        "candidate": {"provider": "python", "function": "app:answer", "on_error": "fail"},
        "checks": [{"equals": "yes"}],
    }
    (tmp_path / "suite.yaml").write_text(yaml.safe_dump(suite))
    found = llmeval.run(tmp_path / "suite.yaml", options=Options(out=tmp_path / "run"))
    assert found.summary.gate.decision is Decision.FAIL
    assert "1 of 5 cases fails: c3 (equals)" in found.summary.gate.reason


def test_never_names_the_case(tmp_path: Path) -> None:
    gate = {"never": ["not tool_call"], "floors": {"equals": 0.8}}
    passed, _ = run(tmp_path / "a", healthy, gate)
    failed, _ = run(tmp_path / "b", forbidden, gate)
    lost, _ = run(tmp_path / "c", broken, {**gate, "max_unscored": 0.5}, limits={"attempts": 1})
    assert only(passed, "not tool_call").decision is Decision.PASS
    assert "fails it: c17." in only(failed, "not tool_call").reason
    assert only(lost, "not tool_call").decision is Decision.INVALID
    counted, _ = run(tmp_path / "d", broken, gate, on_error="fail")
    rule = only(counted, "not tool_call")
    assert rule.decision is Decision.FAIL
    assert "c0 (no answer)" in rule.reason


@pytest.mark.parametrize(
    ("handler", "metric", "decision"),
    [(dear, "cost.mean", Decision.FAIL), (healthy, "cost.mean", Decision.PASS)],
)
def test_costs_of_a_service(
    handler: Handler, metric: str, decision: Decision, tmp_path: Path
) -> None:
    first, _ = run(tmp_path / "a", healthy, {"floors": {"equals": 0.8}})
    path = tmp_path / "b.json"
    path.write_bytes(lock_bytes(baseline_of_run(first.directory, approval("ada", "one", None))))
    gate = {"regression": {"baseline": str(path), "margins": {"cost": "10%"}}}
    found, _ = run(tmp_path / "b", handler, gate)
    rule = only(found, metric)
    assert rule.decision is decision
    assert found.summary.gate.exit_code == (1 if decision is Decision.FAIL else 0)


def test_slow_answers_break_the_limit(tmp_path: Path) -> None:
    """25 of 200 answers take two seconds longer; a busy machine adds less than that."""
    found, _ = run(tmp_path, slow, {"limits": {"latency.p95": 1.9}})
    rule = only(found, "latency.p95")
    assert rule.decision is Decision.FAIL
    assert rule.estimate is not None
    assert rule.estimate >= 2


def test_reused_answers_have_the_numbers_of_their_call(tmp_path: Path) -> None:
    """The second run asks nothing: seconds and cost are those on record."""
    folder = tmp_path / "home"
    gate = {"limits": {"latency.p95": 60, "cost": 1}}
    price = {"input": 1.0, "output": 2.0}
    with serve(healthy) as server:
        suite = {
            "suite": "reuse",
            "cases": [{"id": f"c{i}", "q": str(i), "reference": f"echo {i}"} for i in range(80)],
            "prompt": "{{ q }}",
            "candidate": {
                "provider": "http",
                "url": server.url,
                "build": "1",
                "body": {"q": "{{ prompt }}"},
                "output": "answer",
                "usage": "usage",
                "price": price,
            },
            "checks": ["equals"],
            "gate": gate,
        }
        path = tmp_path / "suite.yaml"
        path.write_text(yaml.safe_dump(suite, sort_keys=False))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LLMEVAL_HOME", str(folder))
            first = llmeval.run(path, options=Options(out=tmp_path / "a"))
            second = llmeval.run(path, options=Options(out=tmp_path / "b"))
        assert len(server.requests) == 80
    assert second.summary.reuse.answers.reused == 80
    assert second.summary.numbers == first.summary.numbers
    cost = next(number for number in second.summary.numbers if number.name == "cost")
    assert cost.statistics[0].value == pytest.approx((100 * 1.0 + 20 * 2.0) / 1e6)
    assert second.summary.gate.decision is Decision.PASS
