"""Replies that are odd, in whole runs: each costs its own case at most, and none is a grade where
there is no answer.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import llmeval
from llmeval.api import rescore
from llmeval.core.errors import SuiteError, UsageError
from llmeval.core.records import Answer, Score, Status
from llmeval.runner.options import Options
from llmeval.store.directory import RunDir
from tests.models.test_replies import RICH, VALUES, changed, places
from tests.support.endpoint import Handler, reply, serve, verdict
from tests.support.rundirs import record_lines

ODD = "c1"


def write(
    folder: Path, url: str, checks: str = "[{contains: right}]", extra: str = "", model: str = ""
) -> Path:
    """A suite of three cases c0 to c2; `model`: further options of the candidate."""
    suite = folder / "suite.yaml"
    suite.write_text(
        "suite: t\n"
        f"cases: {json.dumps([{'id': f'c{i}', 'question': f'q{i}', 'reference': 'right'} for i in range(3)])}\n"
        'prompt: "{{ question }}"\n'
        f"candidate: {{provider: openai, model: cand, base_url: '{url}', api_key: k, timeout: 20{model}}}\n"
        f"checks: {checks}\n{extra}"
    )
    return suite


def run(folder: Path, handler: Handler, **more: str) -> llmeval.Run:
    with serve(handler) as endpoint:
        suite = write(folder, endpoint.url, **more)
        return llmeval.run(suite, options=Options(out=folder / "run", use_cache=False))


def odd(payload: Any) -> Handler:
    """Replies properly to every case but c1."""

    def handle(body: dict[str, Any], earlier: int) -> Any:
        return payload if body["messages"][-1]["content"] == "q1" else "right"

    return handle


def answers(done: llmeval.Run) -> dict[str, Answer]:
    return {answer.case_id: answer for answer in done.directory.answers()}


def said(content: Any, finish: str = "stop", **message: Any) -> dict[str, Any]:
    return reply(
        "",
        choices=[{"index": 0, "finish_reason": finish, "message": {"content": content, **message}}],
    )


@pytest.mark.parametrize(
    ("payload", "kind", "attempts"),
    [
        (said(None, "content_filter"), "blocked", 1),
        (said("", reasoning_content="hm"), "truncated", 1),
        (said("<think>hm", "length"), "truncated", 1),
        ((200, b'{"choices": [{"message": {"content": "Caf\xe9"}}]}', {}), "provider", 2),
        ((200, b"[" * 100_000, {}), "provider", 1),
        ({"choices": []}, "provider", 1),
    ],
)
def test_a_reply_that_is_no_answer_is_missing(
    tmp_path: Path, payload: Any, kind: str, attempts: int
) -> None:
    done = run(tmp_path, odd(payload), checks="[{not: {contains: wrong}}]")
    lost = answers(done)[ODD]
    assert lost.error is not None
    assert (lost.error.kind, lost.attempts, lost.output) == (kind, attempts, None)
    counts = done.summary.counts
    assert (counts.passed, counts.failed, counts.errors) == (2, 0, 1)


def test_a_missing_answer_keeps_what_was_paid_for(tmp_path: Path) -> None:
    done = run(tmp_path, odd(said("<think>hm", "length")), model=", price: {input: 1, output: 1}")
    lost = answers(done)[ODD]
    assert (lost.reasoning, lost.finish_reason, lost.model) == ("hm", "length", "served-model")
    assert lost.usage is not None
    assert lost.cost_usd == pytest.approx(15e-6)


JUDGED = "models: {judge: {provider: openai, model: judge, base_url: 'URL', api_key: k}}\njudges: {correctness: {model: judge, attacks: false}}\n"


def test_a_blocked_answer_fails_every_metric_where_the_suite_says_so(tmp_path: Path) -> None:
    filtered = said(None, "content_filter")

    def handle(body: dict[str, Any], earlier: int) -> Any:
        if body["model"] == "judge":
            return verdict("correct", "right")
        return odd(filtered)(body, earlier)

    with serve(handle) as endpoint:
        extra = JUDGED.replace("URL", endpoint.url)
        suite = write(
            tmp_path,
            endpoint.url,
            "[{not: {contains: wrong}}, {contains: right}]",
            extra,
            ", on_blocked: fail",
        )
        options = Options(out=tmp_path / "run", use_cache=False)
        done = llmeval.run(suite, options=options)
        blocked = answers(done)[ODD]
        assert blocked.error is not None and blocked.error.kind == "blocked"
        scores = {key[0]: block for key, block in done.directory.scores()}[ODD]
        assert {s.metric: s.status for s in scores} == dict.fromkeys(
            ("not contains", "contains", "correctness"), Status.FAIL
        )
        assert all(s.reason.startswith("blocked by the provider: ") for s in scores)
        counts = done.summary.counts
        assert (counts.failed, counts.errors) == (1, 0)
        made = len(endpoint.requests)
        with pytest.raises(UsageError, match="and is complete"):
            llmeval.run(suite, options=options)
        assert len(endpoint.requests) == made
    scored = rescore(done.path, suite, options=Options(out=tmp_path / "scored", use_cache=False))
    assert scored.summary.counts.failed == 1


def test_checks_and_judges_do_not_see_reasoning(tmp_path: Path) -> None:
    prompts: list[str] = []

    def handle(body: dict[str, Any], earlier: int) -> Any:
        if body["model"] == "judge":
            prompts.append(json.dumps(body))
            return verdict("correct", "right")
        return "<think>perhaps wrong</think>right"

    with serve(handle) as endpoint:
        extra = JUDGED.replace("URL", endpoint.url)
        suite = write(tmp_path, endpoint.url, "[{not: {contains: wrong}}, {max_words: 1}]", extra)
        done = llmeval.run(suite, options=Options(out=tmp_path / "run", use_cache=False))
        assert done.summary.counts.passed == 3
        assert {(a.output, a.reasoning) for a in answers(done).values()} == {
            ("right", "perhaps wrong")
        }
        assert all(
            a.answered_at is not None and a.answered_at.endswith("Z")
            for a in answers(done).values()
        )
        assert prompts and not any("perhaps" in prompt for prompt in prompts)
        plain = tmp_path / "plain"
        plain.mkdir()
        suite = write(plain, endpoint.url, "[{not: {contains: wrong}}]", model=", reasoning: none")
        done = llmeval.run(suite, options=Options(out=plain / "run", use_cache=False))
        assert done.summary.counts.failed == 3


@pytest.mark.parametrize("value", ["x", "[]", "[a]", '["", b]', "[a, b, c]"])
def test_tags_of_reasoning_are_two_or_none(tmp_path: Path, value: str) -> None:
    with pytest.raises(SuiteError, match="reasoning"):
        llmeval.load_suite(write(tmp_path, "http://h/v1", model=f", reasoning: {value}"))


EVERY = places(RICH)


@given(place=st.sampled_from(EVERY), value=VALUES, cut=st.integers(0, 400), broken=st.booleans())
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_odd_reply_costs_its_case_at_most(
    tmp_path_factory: pytest.TempPathFactory,
    place: tuple[Any, ...],
    value: Any,
    cut: int,
    broken: bool,
) -> None:
    data = json.dumps(changed(RICH, place, value)).encode()
    payload = (200, data[:cut] + b"\xff" + data[cut:] if broken else data, {})
    done = run(tmp_path_factory.mktemp("odd"), odd(payload))
    assert done.summary.gate.exit_code in {0, 1, 3, 4}
    scored = {
        key[0]
        for key, block in done.directory.scores()
        if all(s.status is Status.PASS for s in block)
    }
    assert scored >= {"c0", "c2"}
    assert set(answers(done)) == {"c0", "c1", "c2"}
    assert (done.path / "report.html").exists()


class Odd:
    """An object that JSON does not know."""

    def __str__(self) -> str:
        return "odd \ud83d"


def nested(depth: int) -> Any:
    value: Any = "deep"
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        "\ud83d",
        {"\ud83d": ["\udc00"]},
        10**40,
        -(10**5000),
        float("nan"),
        Odd(),
        {1: {2, 3}},
        nested(5000),
        b"\xff",
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_record_can_be_written_and_read(tmp_path: Path, value: Any) -> None:
    answer = Answer(
        case_id="a\ud83d", output="x\ud83d", tool_calls=({"name": "f", "arguments": value},)
    )
    score = Score(
        case_id="a", metric="m", status=Status.FAIL, reason="\udfff", details={"found": value}
    )
    for name, record in (("answers.jsonl", answer), ("scores.jsonl", score)):
        (tmp_path / name).write_bytes(record_lines([record]))
    run_dir = RunDir(tmp_path)
    assert next(iter(run_dir.answers())).output == "x\ufffd"
    assert [block[0].reason for _, block in run_dir.scores()] == ["\ufffd"]
