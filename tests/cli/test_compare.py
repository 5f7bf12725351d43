"""`llmeval compare` as people and CI call it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

import llmeval as library
from llmeval.runner.options import Options
from tests.support.command import llmeval
from tests.support.endpoint import serve
from tests.support.runs import run_of
from tests.support.suites import answer, write_suite

GOOD = [1.0] * 40 + [0.0] * 10


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports")
    run_of(folder / "qa" / "20260101T000000Z-aaaaaa", {"m": GOOD})
    run_of(folder / "qa" / "20260102T000000Z-bbbbbb", {"m": [0.0] * 15 + [1.0] * 25 + [0.0] * 10})
    run_of(folder / "qa" / "20260103T000000Z-cccccc", {"m": GOOD}, content="2")
    return folder


def test_runs_by_id_and_directory(reports: Path, tmp_path: Path) -> None:
    other = reports / "qa" / "20260102T000000Z-bbbbbb"
    done = llmeval(
        "compare", "aaaaaa", other, "--reports", reports, "--json", "--html", tmp_path / "page.html"
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    (row,) = found["metrics"]
    assert (row["word"], row["losses"], len(row["fell"])) == ("worse", 15, 15)
    assert row["fell"][0] == {"case_id": "c0", "before": 1.0, "now": 0.0}
    assert (tmp_path / "page.html").exists()
    people = llmeval("compare", "aaaaaa", other, "--reports", reports)
    assert "B vs. A: worse on m (−30.0)" in people.stdout


def test_nothing_comparable_exits_3(reports: Path) -> None:
    done = llmeval("compare", "aaaaaa", "latest", "--reports", reports)
    assert done.returncode == 3
    assert "no case is in both" in done.stdout


@pytest.mark.parametrize(("names", "code", "said"), [
    (["aaaaaa"], 2, "name 2 to 26 runs"), (["aaaaaa", "aaaaaa"], 2, "named twice"), (["aaaaaa", "zzz"], 3, "no run zzz"),
])  # fmt: skip
def test_wrong_names_are_told(reports: Path, names: list[str], code: int, said: str) -> None:
    done = llmeval("compare", *names, "--reports", reports)
    assert done.returncode == code
    assert said in done.stderr


def test_a_judge_of_the_suite_says_which_answer_it_prefers(tmp_path: Path) -> None:
    """The newer candidate differs on two of six cases: on one it is right now, on the other the
    judge follows the place.
    """
    state = {"newer": False}

    def handler(body: dict[str, Any], earlier: int) -> str:
        text = body["messages"][-1]["content"]
        if body["model"] == "cand":
            better = (
                {"number 5?": "It is value-5.", "number 1?": "It is value-1. Indeed."}
                if state["newer"]
                else {}
            )
            return next(
                (said for question, said in better.items() if question in text), answer(body)
            )
        if "FIRST ANSWER" not in text:
            return answer(body)
        shown = re.findall(r"BEGIN \w+ ANSWER\n(.*)\n", text)
        place = "first" if "number 1?" in text or "value" in shown[0] else "second"
        return json.dumps({"difference": "", "verdict": place})

    with serve(handler) as served:
        suite = write_suite(tmp_path, served.url, n=6)
        runs = []
        for state["newer"] in (False, True):
            runs.append(
                library.run(suite, options=Options(reports=tmp_path / "r", use_cache=False)).path
            )
        before = served.count("judge")
        done = llmeval(
            "compare",
            *runs,
            "--judge",
            "correctness",
            "--json",
            LLMEVAL_HOME=str(tmp_path / "home"),
        )
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)["preferences"]["runs"][0]
        assert served.count("judge") - before == 4  # two cases differ, both orders each
        people = llmeval(
            "compare", *runs, "--judge", "correctness", LLMEVAL_HOME=str(tmp_path / "home")
        )
        assert served.count("judge") - before == 4  # from the cache
        wrong = llmeval("compare", *runs, "--judge", "style")
    figures = {
        key: found[key] for key in ("n", "first", "second", "ties", "splits", "equal", "unanswered")
    }
    assert figures == {
        "n": 6,
        "first": 0,
        "second": 1,
        "ties": 5,
        "splits": 1,
        "equal": 4,
        "unanswered": 0,
    }
    assert [each["case_id"] for each in found["cases"] if each["winner"] == "second"] == ["c0005"]
    assert (
        "B 1, A 0, ties 5 of 6; net +16.7 points for B" in people.stdout
        and "of the ties 1 split" in people.stdout
    )
    assert wrong.returncode == 2 and "has no such judge; it has: correctness" in wrong.stderr
