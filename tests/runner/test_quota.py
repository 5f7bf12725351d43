"""Endpoints that have nothing left or are slow: how a run ends, what it says, and how it goes
on.
"""

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from llmeval.api import Run, load_suite
from llmeval.api import run as run_suite
from llmeval.core.records import Status
from llmeval.core.results import Decision
from llmeval.runner.budget import Budget
from llmeval.runner.model_roles import ModelRoles, is_loopback
from llmeval.runner.options import Options
from llmeval.runner.slots import Slots
from tests.support.endpoint import serve
from tests.support.suites import answer, write_suite

USED_UP = (
    429,
    {"error": {"message": "You have used all your credits", "code": "insufficient_quota"}},
    {},
)


def run(suite: Path, out: Path, **options: Any) -> Run:
    return run_suite(load_suite(suite), options=Options(out=out, use_cache=False, **options))


@pytest.mark.parametrize("model", ["cand", "judge"])
def test_a_used_up_quota_ends_the_run_at_once_and_the_run_goes_on_later(
    tmp_path: Path, model: str
) -> None:
    def handler(body: dict[str, Any], earlier: int) -> Any:
        return USED_UP if body["model"] == model and endpoint.count(model) > 20 else answer(body)

    with serve(handler) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 300)
        part = run(suite, tmp_path / "out", concurrency=4)
        assert (part.summary.status, part.decision, part.summary.gate.exit_code) == (
            "incomplete",
            Decision.INVALID,
            3,
        )
        assert "You have used all your credits" in part.reason
        assert "You have used all your credits" in part.summary.gate.reason
        assert endpoint.count(model) <= 20 + 4, "only what was in flight"
        assert sum(calls.made for calls in part.summary.calls.values()) == len(endpoint.requests)
        errors = [a.error for a in part.directory.answers()] + [
            s.error for _, ss in part.directory.scores() for s in ss
        ]
        assert {error.kind for error in errors if error is not None} == {"quota"}

        endpoint.handler = answer
        done = run(suite, tmp_path / "out", concurrency=4)
        assert (done.summary.status, done.summary.counts.cases) == ("complete", 300)
        lost = [s for _, scores in done.directory.scores() for s in scores if s.error is not None]
        assert (done.summary.counts.errors, lost) == (0, [])


def test_a_quota_that_ends_with_the_last_case_is_invalid_too(tmp_path: Path) -> None:
    with serve(
        lambda body, earlier: USED_UP if "number 0" in str(body) else answer(body)
    ) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 1, "gate: {max_unscored: 1}\n", judge=False)
        assert run(suite, tmp_path / "out").decision is Decision.INVALID


def test_a_limit_a_minute_is_waited_for(tmp_path: Path) -> None:
    limit = (429, {"error": {"message": "20 requests per minute. Please try again in 100ms."}}, {})

    def handler(body: dict[str, Any], earlier: int) -> Any:
        return limit if earlier == 0 and "number 3" in str(body) else answer(body)

    with serve(handler) as endpoint:
        done = run(write_suite(tmp_path, endpoint.url, 10), tmp_path / "out")
    assert (done.summary.status, done.summary.counts.errors) == ("complete", 0)


def test_a_budget_ends_the_run_whatever_its_message_says(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        part = run(
            write_suite(tmp_path, endpoint.url, 10), tmp_path / "out", max_calls=11, concurrency=10
        )
        blocks = list(part.directory.scores())
        scored = [
            key
            for key, block in blocks
            if Status.NOT_SCORED not in {score.status for score in block}
        ]
        assert len(endpoint.requests) == 11
        assert part.summary.counts.unscored == 0, (
            "what the budget did not reach is not recorded as lost"
        )
        assert len(scored) == 1


def test_calls_for_cases_that_were_not_finished_are_counted(tmp_path: Path) -> None:
    over = threading.Event()

    async def handler(body: dict[str, Any], earlier: int) -> Any:
        if "number 1" in str(body["messages"]):
            return USED_UP
        while not over.is_set():
            await asyncio.sleep(0.01)
        return answer(body)

    with serve(handler) as endpoint:
        part = run(write_suite(tmp_path, endpoint.url, 3, judge=False), tmp_path / "out")
        over.set()
        assert len(endpoint.requests) == 3
    assert part.summary.calls["candidate"].made == 3
    assert part.summary.counts.cases == 1
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["unfinished_calls"] == {"candidate": 2}
    assert manifest["ending"] == "quota"


def reasoning_model(body: dict[str, Any], earlier: int) -> Any:
    for name, message in (
        ("max_tokens", "Unsupported parameter: 'max_tokens'"),
        ("temperature", "Unsupported value: 'temperature'"),
    ):
        if name in body:
            return (
                400,
                {
                    "error": {
                        "message": f"{message} is not supported with this model.",
                        "param": name,
                    }
                },
                {},
            )
    return answer(body)


def test_a_reasoning_model_can_be_candidate_and_judge(tmp_path: Path) -> None:
    with serve(reasoning_model) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 5)
        text = suite.read_text()
        own = "params: {max_completion_tokens: 900, temperature: null}, api_key"
        suite.write_text(text.replace("api_key", own))
        assert run(suite, tmp_path / "a").summary.counts.unscored == 0
        suite.write_text(text)
        adapted = run(suite, tmp_path / "b")  # the request takes the form that the model accepts
    assert adapted.summary.counts.unscored == 0
    details = [s.details or {} for _, scores in adapted.directory.scores() for s in scores]
    assert any("max_completion_tokens" in str(each.get("adapted")) for each in details)


def test_a_verdict_is_not_lost_where_one_in_ten_replies_is_malformed(tmp_path: Path) -> None:
    def handler(body: dict[str, Any], earlier: int) -> Any:
        broken = body["model"] == "judge" and len(body["messages"]) < 5 and "number 7" in str(body)
        return "no JSON" if broken else answer({**body, "messages": body["messages"][:2]})

    with serve(handler) as endpoint:
        done = run(write_suite(tmp_path, endpoint.url, 10), tmp_path / "out")
    assert done.summary.counts.unscored == 0
    assert done.summary.calls["judge:correctness"].made == 12


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ("http://localhost:11434/v1", True),
        ("http://api.localhost/v1", True),
        ("http://127.0.0.1:8080/v1", True),
        ("http://127.8.9.1/v1", True),
        ("http://[::1]:8000/v1", True),
        ("http://0.0.0.0:8000/v1", True),
        ("http://192.168.1.5:8000/v1", False),
        ("https://localhost.example.org/v1", False),
        ("https://api.example.org/v1", False),
    ],
)
def test_a_server_on_this_machine_gets_few_requests_at_first(
    address: str, loopback: bool, tmp_path: Path
) -> None:
    assert is_loopback(address) is loopback
    model = f"{{provider: openai, model: m, base_url: '{address}', api_key: key-1%s}}"
    path = tmp_path / "s.yaml"
    head = (
        "suite: s\ncases: [{id: a}]\nprompt: hi\nchecks: [{contains: x}]\ncandidate: one\nmodels:\n"
    )

    def start(more: str) -> float:
        path.write_text(f"{head}  one: {model % more}\n")
        factory = ModelRoles(load_suite(path), Options(), None, Budget(None, None, None))
        return factory.model_role("x", "one", ()).caller.limiter.window.limit

    assert start("") == (4 if loopback else 16)
    assert start(", limits: {concurrency: 12}") == (12 if loopback else 16), (
        "who states a limit knows it"
    )
    assert start(", limits: {concurrency: 2}") == (4 if loopback else 16), (
        "the model keeps it within the window"
    )


def test_a_case_that_waits_lends_its_slot() -> None:
    async def run() -> list[str]:
        slots, order = Slots(1), []

        async def case(name: str, rest: float) -> None:
            await slots.take()
            order.append(f"{name} begins")
            if rest:
                await slots.rest(rest)
            order.append(f"{name} ends")
            slots.give()

        await asyncio.gather(case("first", 0.05), case("second", 0), case("third", 0))
        return order

    assert asyncio.run(run()) == [
        "first begins", "second begins", "second ends", "third begins", "third ends", "first ends",
    ]  # fmt: skip
