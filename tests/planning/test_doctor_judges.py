"""`llmeval doctor` asks a judge as a run does, and names the fix."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmeval import api
from llmeval.api.judge_diagnosis import fix
from tests.support.endpoint import serve, verdict
from tests.support.suites import write_suite

YES = verdict("correct", "It is Canberra.")


def refusal(words: str) -> tuple[int, Any, dict[str, str]]:
    """HTTP 400 with these words."""
    return 400, {"error": {"message": words}}, {}


def no_schema(body: dict[str, Any]) -> Any:
    """Refuses every way to force a schema."""
    if {"response_format", "tools"} & body.keys():
        return refusal("response_format and tools are not supported")
    return YES


@pytest.mark.parametrize(
    ("judge", "logprobs", "state", "detail", "remedy"),
    [
        (lambda body: YES, False, "ok", "judges in", ""),
        (no_schema, False, "note", "judges in", "Write `structured_output: none`"),
        (lambda body: f"Sure: {YES}", False, "bad", "not one JSON", "structured_output: tool_call"),
        (lambda body: refusal("no such model"), False, "bad", "no such model", "correct it"),
        (lambda body: YES, True, "note", "without the log probabilities", "logprobs: false"),
        (
            lambda body: refusal("logprobs is not supported") if "logprobs" in body else YES,
            True,
            "bad",
            "logprobs is not supported",
            "set `logprobs: false` on the judge",
        ),
    ],
)
def test_a_judge_is_asked_in_its_own_form(
    judge: Callable[[dict[str, Any]], Any],
    logprobs: bool,
    state: str,
    detail: str,
    remedy: str,
    tmp_path: Path,
) -> None:
    def handler(body: dict[str, Any], earlier: int) -> Any:
        return judge(body) if body["model"] == "judge" else "OK"

    with serve(handler) as server:
        suite = write_suite(tmp_path, server.url, n=2)
        stated = "attacks: false" + (", logprobs: true" if logprobs else "")
        suite.write_text(suite.read_text().replace("attacks: false", stated))
        findings = api.doctor(suite, reports=tmp_path / "reports")
    (finding,) = (each for each in findings if each.what.startswith("judge correctness"))
    assert (finding.state, detail in finding.detail) == (state, True), finding
    assert remedy in finding.fix
    sent = next(body for body in server.requests if body["model"] == "judge")
    assert "BEGIN ANSWER" in sent["messages"][-1]["content"]
    assert sent["response_format"]["type"] == "json_schema" and sent["max_tokens"] == 512
    assert ("logprobs" in sent) == logprobs


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("h: HTTP 400: x (leave it out with `params: {seed: null}` on the model)", "{seed: null}"),
        ("the reply is cut off: raise `max_tokens`", "raise `max_tokens`"),
        ("h: HTTP 401: x (the key is missing or wrong: check `api_key`)", "correct it"),
    ],
)
def test_the_fix_is_read_from_the_reason(reason: str, words: str) -> None:
    assert words in fix(reason)
