"""1. An answer of yesterday never stands for the system of today."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.false_green.play import QUESTIONS, candidate, play, project, right, shown, summary
from tests.support.endpoint import reply, serve
from tests.support.rundirs import seal


def broken(body: dict[str, Any], earlier: int = 0) -> str:
    """An application that is up and answers nothing of use."""
    return "Internal error."


def test_an_application_that_broke_since_yesterday_fails(tmp_path: Path) -> None:
    works = True
    with serve(lambda body, earlier: right(body) if works else broken(body)) as endpoint:
        project(tmp_path, candidate(endpoint))
        assert play(tmp_path, "run", "suite.yaml", "--out", "monday").code == 0
        works = False
        tuesday = play(tmp_path, "run", "suite.yaml", "--out", "tuesday")
    assert tuesday.code == 1
    assert len(endpoint.requests) == 2 * QUESTIONS


def test_an_application_that_is_switched_off_is_no_pass(tmp_path: Path) -> None:
    with serve(right) as endpoint:
        project(tmp_path, candidate(endpoint, limits={"attempts": 1}))
        assert play(tmp_path, "run", "suite.yaml", "--out", "monday").code == 0
    off = play(tmp_path, "run", "suite.yaml", "--out", "tuesday")
    assert off.code == 3
    assert off.says("INVALID", "connect")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"base_url": "/other/v1"}),
        ({"headers": {"x-route": "a"}}, {"headers": {"x-route": "b"}}),
        ({}, {"params": {"temperature": 1}}),
        ({"build": "1"}, {"build": "2"}),
    ],
    ids=["another path", "another header", "another parameter", "another build"],
)
def test_another_deployment_is_asked_itself(
    tmp_path: Path, before: dict[str, Any], after: dict[str, Any]
) -> None:
    with serve(right) as endpoint:
        address = endpoint.url.removesuffix("/v1")
        for name, keys in (("one", before), ("two", after)):
            place = {"base_url": address + keys["base_url"]} if "base_url" in keys else {}
            project(tmp_path, candidate(endpoint, **{**keys, **place}))
            assert play(tmp_path, "run", "suite.yaml", "--out", name, "--reuse").code == 0
    assert len(endpoint.requests) == 2 * QUESTIONS


def test_a_function_is_asked_again_after_an_edit(tmp_path: Path) -> None:
    works = 'def answer(text: str) -> str:\n    return "It is value-" + text.split("number ")[1].rstrip("?") + "."\n'
    (tmp_path / "app.py").write_text(works)
    project(tmp_path, "{provider: python, function: app:answer}")
    assert play(tmp_path, "run", "suite.yaml", "--out", "one", "--reuse").code == 0
    (tmp_path / "app.py").write_text('def answer(text: str) -> str:\n    return "I do not know."\n')
    assert play(tmp_path, "run", "suite.yaml", "--out", "two", "--reuse").code == 1


def test_answers_of_a_stated_build_are_reused_and_every_page_says_so(tmp_path: Path) -> None:
    with serve(right) as endpoint:
        project(tmp_path, candidate(endpoint, build="support-v8"))
        play(tmp_path, "run", "suite.yaml", "--out", "one")
        again = play(tmp_path, "run", "suite.yaml", "--out", "two")
    assert again.code == 0
    assert len(endpoint.requests) == QUESTIONS
    words = f"{QUESTIONS} of {QUESTIONS} answers"
    assert again.says(words, "reused")
    for name, text in shown(tmp_path, "two").items():
        assert words in text, name
    assert summary(tmp_path, "two")["reuse"]["answers"]["reused"] == QUESTIONS


def test_refresh_asks_a_stated_build_again(tmp_path: Path) -> None:
    with serve(right) as endpoint:
        project(tmp_path, candidate(endpoint, build="support-v8"))
        play(tmp_path, "run", "suite.yaml", "--out", "one")
        play(tmp_path, "run", "suite.yaml", "--out", "two", "--refresh")
    assert len(endpoint.requests) == 2 * QUESTIONS


def test_a_reply_that_was_cut_off_is_not_kept(tmp_path: Path) -> None:
    def cut(body: dict[str, Any], earlier: int) -> dict[str, Any]:
        message = {"role": "assistant", "content": right(body)}
        return reply("", choices=[{"index": 0, "message": message, "finish_reason": "length"}])

    with serve(cut) as endpoint:
        project(tmp_path, candidate(endpoint, build="1"))
        play(tmp_path, "run", "suite.yaml", "--out", "one")
        play(tmp_path, "run", "suite.yaml", "--out", "two")
    assert len(endpoint.requests) == 2 * QUESTIONS


def three_days_ago(run: Path) -> None:
    """Let a run's sessions have begun three days earlier."""
    sessions = json.loads((run / "manifest.json").read_text())["sessions"]
    for session in sessions:
        day = datetime.fromisoformat(session["started"]) - timedelta(days=3)
        session["started"] = day.isoformat().replace("+00:00", "Z")
    seal(run, sessions=sessions)


def test_a_run_that_was_begun_days_ago_says_so_in_its_pass(tmp_path: Path) -> None:
    with serve(right) as endpoint:
        project(tmp_path, candidate(endpoint))
        play(tmp_path, "run", "suite.yaml", "--out", "run", "--max-calls", 4)
        three_days_ago(tmp_path / "run")
        done = play(tmp_path, "run", "suite.yaml", "--out", "run")
    assert done.code == 0
    assert done.says(
        "PASS", "4 of 6 answers were asked for on", "more than 24 hours before the last"
    )
    assert "4 of 6 answers were asked for on" in shown(tmp_path, "run")["summary.md"]


def test_a_shard_of_days_ago_is_told_in_the_pass(tmp_path: Path) -> None:
    with serve(right) as endpoint:
        project(tmp_path, candidate(endpoint))
        for index in (1, 2):
            play(tmp_path, "run", "suite.yaml", "--out", f"parts/{index}", "--shard", f"{index}/2")
        fresh = play(tmp_path, "merge", "parts", "--out", "fresh")
        three_days_ago(tmp_path / "parts" / "2")
        done = play(tmp_path, "merge", "parts", "--out", "run")
    assert (fresh.code, done.code) == (0, 0)
    assert "asked for on" not in fresh.text
    assert done.says("PASS", "answers were asked for on")


def test_an_unfinished_run_of_other_code_is_not_gone_on_with(tmp_path: Path) -> None:
    """The function's own file stays; what it imports breaks between the two commands."""
    project(tmp_path, "{provider: python, function: 'bot_with_words:answer'}")
    (tmp_path / "bot_with_words.py").write_text(
        "import its_words\ndef answer(text):\n    return its_words.said(text)\n"
    )
    words = tmp_path / "its_words.py"
    words.write_text("def said(text):\n    return 'value-' + text.split()[-1].rstrip('?')\n")
    assert play(tmp_path, "run", "suite.yaml", "--max-calls", 4).code == 3
    words.write_text(
        "def said(text):\n    return 'value-' + str(max(4, int(text.split()[-1].rstrip('?'))))\n"
    )
    done = play(tmp_path, "run", "suite.yaml")
    assert done.code == 1
    assert done.says("4 of 6 cases fail")
