"""2. A reply that holds no answer is missing. It is never a grade."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.false_green.play import QUESTIONS, candidate, play, project, right, summary
from tests.support.endpoint import reply, serve


def choice(finish: str, message: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A chat completion with one choice."""
    full = {"role": "assistant", **message}
    return reply("", choices=[{"index": 0, "message": full, "finish_reason": finish, **more}])


def response(status: str, **more: Any) -> dict[str, Any]:
    """A reply of the responses API that did not end well."""
    return {"id": "r", "object": "response", "status": status, "model": "m", "output": [], **more}


EMPTY = [
    # what the endpoint sends, by which API, the kind of the missing answer, and words that tell
    # people why
    (
        choice("error", {"content": ""}, error={"message": "upstream died"}),
        "chat",
        "provider",
        "upstream died",
    ),
    (choice("content_filter", {"content": None}), "chat", "blocked", "content_filter"),
    (
        choice("stop", {"content": "", "reasoning_content": "It is"}),
        "chat",
        "truncated",
        "reasoning",
    ),
    (choice("length", {"content": None, "reasoning": "It is"}), "chat", "truncated", "max_tokens"),
    (choice("length", {"content": ""}), "chat", "truncated", "max_tokens"),
    (choice("length", {"content": "<think>It could be"}), "chat", "truncated", "max_tokens"),
    (
        response("failed", error={"code": "server_error", "message": "it fell over"}),
        "responses",
        "provider",
        "fell over",
    ),
    (response("queued"), "responses", "provider", "queued"),
    (response("cancelled"), "responses", "provider", "cancelled"),
    (response("in_progress"), "responses", "provider", "in_progress"),
    (
        response("incomplete", incomplete_details={"reason": "content_filter"}),
        "responses",
        "blocked",
        "content_filter",
    ),
    (response("completed"), "responses", "provider", "no message"),
    (choice("LENGTH", {"content": ""}), "chat", "truncated", "max_tokens"),
    (choice("OTHER", {"content": ""}), "chat", "provider", "OTHER"),
    (choice("server_error", {"content": "It is"}), "chat", "provider", "server_error"),
    (
        {**reply("It is"), "error": {"message": "the index is down"}},
        "chat",
        "provider",
        "index is down",
    ),
]


@pytest.mark.parametrize(("sent", "api", "kind", "words"), EMPTY)
def test_a_reply_without_an_answer_is_missing(
    tmp_path: Path, sent: dict[str, Any], api: str, kind: str, words: str
) -> None:
    with serve(lambda body, earlier: sent) as endpoint:
        project(tmp_path, candidate(endpoint, api=api, limits={"attempts": 1}), n=3)
        done = play(tmp_path, "run", "suite.yaml", "--out", "run")
        counts = summary(tmp_path, "run")["counts"]
        again = len(endpoint.requests)
        play(tmp_path, "run", "suite.yaml", "--out", "again", "--reuse")
    assert done.code == 3
    assert done.says("INVALID", words)
    assert (counts["errors"], counts["failed"], counts["passed"]) == (3, 0, 0)
    assert f'"kind":"{kind}"' in (tmp_path / "run" / "answers.jsonl").read_text()
    assert len(endpoint.requests) == 2 * again, "a missing answer is not kept"


def test_an_application_that_states_an_error_beside_its_output_did_not_answer(
    tmp_path: Path,
) -> None:
    with serve(
        lambda body, earlier: {"output": "", "error": {"message": "the index is down"}}
    ) as endpoint:
        model = json.dumps({"provider": "http", "url": endpoint.url, "limits": {"attempts": 1}})
        project(tmp_path, model, checks='[{not: {contains: "As an AI"}}]', n=3)
        done = play(tmp_path, "run", "suite.yaml", "--out", "run")
    assert done.code == 3
    assert done.says("INVALID", "the index is down")
    assert summary(tmp_path, "run")["counts"]["errors"] == 3


@pytest.mark.parametrize(
    "record",
    [{"output": "", "error": "timed out"}, {"output": "x", "error": {"kind": "x"}}, {"output": None}, {"output": "x", "finish_reason": "error"}],
)  # fmt: skip
def test_a_recorded_error_is_no_answer(tmp_path: Path, record: dict[str, Any]) -> None:
    project(
        tmp_path,
        "{provider: replay, source: old.jsonl}",
        checks='[{not: {contains: "As an AI"}}]',
        n=3,
    )
    records = [
        {"id": "c0", **record},
        {"id": "c1", "output": "Yes.", "error": None},
        {"id": "c2", "output": "No."},
    ]
    (tmp_path / "old.jsonl").write_text("".join(json.dumps(each) + "\n" for each in records))
    done = play(tmp_path, "run", "suite.yaml", "--out", "run")
    assert done.code == 3
    assert done.says("records no answer for the case 'c0'")
    assert (
        summary(tmp_path, "run")["counts"]["errors"],
        summary(tmp_path, "run")["counts"]["passed"],
    ) == (1, 2)


EXITS = [
    # code of a team's own that ends the process it runs in, the exit code of `validate` and of
    # `run`
    ("import sys\ndef answer(text):\n    return text\nsys.exit(0)\n", (2, 2)),
    ("import sys\ndef answer(text):\n    sys.exit(0)\n", (0, 3)),
    ("import sys\nasync def answer(text):\n    sys.exit(0)\n", (0, 3)),
    ("import asyncio\nasync def answer(text):\n    raise asyncio.CancelledError\n", (0, 3)),
    ("def answer(text):\n    return next(iter(()))\n", (0, 3)),
]


@pytest.mark.parametrize(
    ("code", "exits"),
    EXITS,
    ids=["when imported", "when called", "async", "cancelled", "StopIteration"],
)
def test_code_that_ends_the_process_is_no_pass(
    tmp_path: Path, code: str, exits: tuple[int, int]
) -> None:
    module = f"app_that_ends_{[row[0] for row in EXITS].index(code)}"
    project(
        tmp_path,
        f"{{provider: python, function: '{module}:answer'}}",
        checks="[{max_words: 9}]",
        n=3,
    )
    (tmp_path / f"{module}.py").write_text(code)
    done = [
        play(tmp_path, *words)
        for words in (["validate", "suite.yaml"], ["run", "suite.yaml", "--out", "run"])
    ]
    assert tuple(each.code for each in done) == exits, done
    assert "internal error" not in done[1].text
    assert "Traceback" not in done[1].text
    if exits == (0, 3):
        assert summary(tmp_path, "run")["counts"]["errors"] == 3


def test_a_check_that_ends_the_process_is_no_pass(tmp_path: Path) -> None:
    with serve(right) as endpoint:
        project(tmp_path, candidate(endpoint), checks="['own_check:ends']", n=3)
        (tmp_path / "own_check.py").write_text(
            "import sys\ndef ends(case, answer):\n    sys.exit(0)\n"
        )
        done = play(tmp_path, "run", "suite.yaml", "--out", "run")
    assert done.code == 3
    assert summary(tmp_path, "run")["counts"]["errors"] == 3


def test_a_team_may_count_what_its_provider_blocks_as_failed(tmp_path: Path) -> None:
    blocked = choice("content_filter", {"content": None})
    with serve(lambda body, earlier: blocked) as endpoint:
        checks = '[{not: {contains: "As an AI"}}]'
        project(tmp_path, candidate(endpoint, on_blocked="fail"), checks=checks, n=3)
        done = play(tmp_path, "run", "suite.yaml", "--out", "run")
    assert done.code == 1
    assert done.says("blocked")
    assert summary(tmp_path, "run")["counts"]["failed"] == 3


def test_an_answer_that_is_really_empty_stays_an_answer(tmp_path: Path) -> None:
    with serve(lambda body, earlier: choice("stop", {"content": ""})) as endpoint:
        project(tmp_path, candidate(endpoint), n=3)
        done = play(tmp_path, "run", "suite.yaml", "--out", "run")
    assert done.code == 1
    assert summary(tmp_path, "run")["counts"]["failed"] == 3


def test_checks_do_not_see_reasoning(tmp_path: Path) -> None:
    def thinks(body: dict[str, Any], earlier: int) -> str:
        return f"<think>{right(body)}</think>I do not know."

    with serve(thinks) as endpoint:
        project(tmp_path, candidate(endpoint))
        done = play(tmp_path, "run", "suite.yaml", "--out", "run")
    assert done.code == 1
    assert summary(tmp_path, "run")["counts"]["failed"] == QUESTIONS
