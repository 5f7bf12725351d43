"""3. One odd reply costs its own case at most, and the run says so."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.false_green.play import QUESTIONS, candidate, number, play, project, right, summary
from tests.support.endpoint import reply, serve

FINE = json.dumps(reply("It is value-2."))
ODD: list[tuple[str, Any, bool]] = [
    # what comes back for one of the questions: a body, or (status, body, headers); whether it still
    # holds the answer
    (
        "a byte that is no UTF-8",
        (200, FINE.encode().replace(b"value-2", b"value-2 \xff"), {}),
        False,
    ),
    (
        "half of a surrogate pair",
        (200, FINE.replace("value-2", "value-2 \\ud83d").encode(), {}),
        True,
    ),
    (
        "usage in another type",
        reply("It is value-2.", usage={"prompt_tokens": 10.0, "completion_tokens": "5"}),
        True,
    ),
    ("a fingerprint that is a number", reply("It is value-2.", system_fingerprint=7), True),
    ("nested without end", (200, b'{"choices": ' + b"[" * 100_000, {}), False),
    ("no choice at all", reply("", choices=[]), False),
    ("a web page", (200, b"<!DOCTYPE html><title>Sign in</title>", {}), False),
    ("an absurd Retry-After", (429, {"error": "busy"}, {"Retry-After": "1e308"}), False),
]


@pytest.mark.parametrize(("sent", "holds"), [row[1:] for row in ODD], ids=[row[0] for row in ODD])
def test_one_odd_reply_costs_one_case(tmp_path: Path, sent: Any, holds: bool) -> None:
    with serve(lambda body, earlier: sent if number(body) == 2 else right(body)) as endpoint:
        project(tmp_path, candidate(endpoint, limits={"attempts": 2, "deadline": 5}))
        done = play(tmp_path, "run", "suite.yaml", "--out", "run")
    counts = summary(tmp_path, "run")["counts"]
    assert counts["passed"] == (QUESTIONS if holds else QUESTIONS - 1)
    assert done.code == (0 if holds else 3)
    assert "internal error" not in done.text


def test_a_reply_beyond_the_bound_costs_one_case(tmp_path: Path) -> None:
    huge = reply("x" * 200_000)
    with serve(lambda body, earlier: huge if number(body) == 2 else right(body)) as endpoint:
        project(tmp_path, candidate(endpoint, max_reply_bytes=100_000, limits={"attempts": 1}))
        done = play(tmp_path, "run", "suite.yaml", "--out", "run")
    assert done.code == 3
    assert done.says("max_reply_bytes")
    assert summary(tmp_path, "run")["counts"]["passed"] == QUESTIONS - 1
