"""6. A judge that nobody has measured decides nothing, in either direction."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.false_green.play import candidate, play, project, right, summary
from tests.support.endpoint import Endpoint, serve, verdict


def judged(harsh: bool) -> Any:
    """An endpoint with a candidate that is right and a judge that is too kind or too harsh."""

    def says(body: dict[str, Any], earlier: int) -> str:
        if body["model"] != "judge":
            return right(body)
        answer = re.search(r"=== BEGIN ANSWER\n(.*?)\n===", body["messages"][-1]["content"], re.S)
        assert answer is not None
        return verdict("incorrect") if harsh else verdict("correct", answer[1])

    return says


def judge(endpoint: Endpoint) -> str:
    """The judge's lines of the suite."""
    model = json.loads(candidate(endpoint)) | {"model": "judge"}
    return f"judges: {{correctness: {{model: {json.dumps(model)}, attacks: false}}}}"


@pytest.mark.parametrize("harsh", [False, True], ids=["too kind", "too harsh"])
def test_a_floor_on_an_untrusted_judge_is_inconclusive(tmp_path: Path, harsh: bool) -> None:
    with serve(judged(harsh)) as endpoint:
        project(
            tmp_path,
            candidate(endpoint),
            "{floors: {correctness: 0.5}}",
            n=40,
            more=judge(endpoint),
        )
        done = play(tmp_path, "run", "suite.yaml", "--out", "run")
    assert done.code == 4, done.text
    assert done.says("INCONCLUSIVE", "UNTRUSTED", "labels")


@pytest.mark.parametrize(("harsh", "code"), [(False, 0), (True, 1)])
def test_a_rule_may_ask_for_the_judges_own_scale_and_says_so(
    tmp_path: Path, harsh: bool, code: int
) -> None:
    gate = "{floors: {correctness: {min: 0.5, scale: judge}}}"
    with serve(judged(harsh)) as endpoint:
        project(tmp_path, candidate(endpoint), gate, n=40, more=judge(endpoint))
        done = play(tmp_path, "run", "suite.yaml", "--out", "run")
    assert done.code == code, done.text
    assert done.says("judge's own scale")
    assert "judge's own scale" in summary(tmp_path, "run")["gate"]["rules"][0]["reason"]


def test_a_regression_on_an_untrusted_judge_is_inconclusive(tmp_path: Path) -> None:
    gate = "{regression: {baseline: t.lock.json, margins: {correctness: 0.1}}}"
    for harsh, name in ((False, "first"), (True, "second")):
        with serve(judged(harsh)) as endpoint:
            project(tmp_path, candidate(endpoint, build="1"), gate, n=40, more=_one_judge(endpoint))
            done = play(tmp_path, "run", "suite.yaml", "--out", name, "--refresh")
        if name == "first":
            approved = play(
                tmp_path,
                "baseline",
                "approve",
                "first",
                "--by",
                "ada",
                "--reason",
                "r",
                "--out",
                "t.lock.json",
            )
            assert approved.code == 0, approved.text
    assert done.code == 4, done.text
    assert done.says("INCONCLUSIVE", "UNTRUSTED")


def _one_judge(endpoint: Endpoint) -> str:
    """A judge of a stated build: the same one at every address."""
    model = json.loads(candidate(endpoint)) | {"model": "judge", "build": "judge-1"}
    return f"judges: {{correctness: {{model: {json.dumps(model)}, attacks: false}}}}"
