"""Data tests of one's own, named in `<suite>.data.yaml`."""

from pathlib import Path

import pytest

from tests.datatests.planting import flagged, of_rule, report, rows, write
from tests.support.command import llmeval

RULE = """
def long_questions(cases):
    for case in cases:
        if len(case.fields["question"]) > 200:
            yield case.id, "the question is too long"

def no_pairs(cases):
    return [True]

def crashes(cases):
    raise ZeroDivisionError("by zero")
"""


def _suite(folder: Path, name: str, levels: str = "") -> Path:
    cases = rows(60)
    for case in cases[:50]:
        case["question"] = f"{case['question']} {'x' * 200}"
    path = write(folder, cases, accepted=f"rules: [own_data_rules:{name}]\n{levels}")
    (folder / "own_data_rules.py").write_text(RULE)
    return path


def test_an_own_rule(tmp_path: Path) -> None:
    path = _suite(tmp_path, "long_questions", "levels: {'own:long_questions': error}\n")
    done = llmeval("data", "check", path, "--rules", "own:long_questions")
    assert done.returncode == 1 and "own:long_questions error" in done.stdout
    result = report(path, "own:long_questions")
    assert flagged(result, "own:long_questions") == {f"c{n:05d}" for n in range(50)}
    assert of_rule(result, "own:long_questions")[0].line == 1


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("no_pairs", 2, "yields pairs (id of a case, message), not bool"),
        ("crashes", 3, "own:crashes crashed: ZeroDivisionError"),
        ("absent", 2, "absent"),
    ],
)
def test_a_rule_that_is_wrong(tmp_path: Path, name: str, code: int, message: str) -> None:
    done = llmeval("data", "check", _suite(tmp_path, name), "--no-runs")
    assert done.returncode == code and message in done.stderr and done.stdout == ""


def test_runs_and_fast_leave_it_out(tmp_path: Path) -> None:
    done = llmeval("data", "check", _suite(tmp_path, "crashes"), "--fast")
    assert done.returncode == 0, done.stderr
