"""Traces of applications: kept with the answer, whatever their form, and never compared."""

from pathlib import Path
from typing import Any

import pytest

import llmeval
from llmeval.core.errors import ModelError
from llmeval.core.records import Answer, Trace
from llmeval.models.traces import MOST_CHARS, MOST_STEPS, read_trace
from tests.importers.traffic_samples import document, span
from tests.support.endpoint import serve

SPANS = document(
    span("t", "agent", 0, 30, {}), span("t", "search", 5, 25, {"k": 3}, parent="agent")
)


def test_spans_become_steps_in_the_order_of_their_tree() -> None:
    trace = read_trace(SPANS, "app: trace")
    assert trace is not None
    assert [(step.name, step.depth, step.start_ms, step.duration_ms) for step in trace.steps] == [
        ("agent", 0, 0, 30),
        ("search", 1, 5, 20),
    ]
    assert trace.steps[1].attributes == {"k": 3}


def test_long_traces_are_cut_and_say_so() -> None:
    many = document(*(span("t", str(n), n, n + 1, {"text": "x" * 9_999}) for n in range(600)))
    trace = read_trace(many, "app: trace")
    assert trace is not None
    assert (len(trace.steps), trace.left_out) == (MOST_STEPS, 600 - MOST_STEPS)
    assert len(str(trace.steps[0].attributes["text"])) == MOST_CHARS


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("javascript:alert(1)", "must be an address that begins with https://"),
        ("no address", "must be an address"),
        (7, "there are no spans"),
        ([], "there are no spans"),
    ],
)
def test_anything_else_is_an_error_that_names_the_key(value: object, message: str) -> None:
    with pytest.raises(ModelError, match=f"app: trace: .*{message}"):
        read_trace(value, "app: trace")


@pytest.mark.parametrize("value", [None, "https://traces.example/1"])
def test_an_address_or_none(value: str | None) -> None:
    assert read_trace(value, "x") == (None if value is None else Trace(url=value))


def answers(suite: Path, run: Path) -> list[Answer]:
    return list(llmeval.run(suite, options=llmeval.Options(out=run)).directory.answers())


def test_a_service_returns_its_spans_and_results_of_tools(tmp_path: Path) -> None:
    calls = [{"name": "search", "arguments": {"k": 3}, "result": ["d1"]}, {"name": "close"}]

    def service(body: dict[str, Any], earlier: int) -> dict[str, Any]:
        return {"output": "yes", "steps": SPANS, "calls": calls}

    with serve(service) as server:
        (tmp_path / "s.yaml").write_text(
            "suite: s\ncases: [{id: a, question: x}]\nprompt: '{{ question }}'\n"
            f"candidate: {{provider: http, url: '{server.url}', trace: steps, tool_calls: calls}}\n"
            "checks: [min_words: 1]\n"
        )
        (answer,) = answers(tmp_path / "s.yaml", tmp_path / "run")
    assert answer.trace is not None
    assert [step.name for step in answer.trace.steps] == ["agent", "search"]
    assert answer.tool_calls[0] == {"name": "search", "arguments": {"k": 3}, "result": ["d1"]}
    assert "result" not in answer.tool_calls[1]


def test_a_function_returns_an_address(tmp_path: Path) -> None:
    (tmp_path / "traced_app.py").write_text(
        "def reply(text):\n    return {'output': 'yes', 'trace': 'https://t.example/' + text}\n"
    )
    (tmp_path / "s.yaml").write_text(
        "suite: s\ncases: [{id: a, question: x}]\nprompt: '{{ question }}'\n"
        "candidate: {provider: python, function: 'traced_app:reply'}\nchecks: [min_words: 1]\n"
    )
    (answer,) = answers(tmp_path / "s.yaml", tmp_path / "run")
    assert answer.trace == Trace(url="https://t.example/x")
