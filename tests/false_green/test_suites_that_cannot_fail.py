"""4. A suite that could not fail is refused, or says that it decides nothing."""

from pathlib import Path

import pytest

from tests.false_green.play import candidate, number, play, project, right
from tests.support.endpoint import serve


def test_without_a_gate_every_case_must_pass(tmp_path: Path) -> None:
    with serve(lambda body, earlier: "No." if number(body) == 2 else right(body)) as endpoint:
        project(tmp_path, candidate(endpoint), gate="")
        done = play(tmp_path, "run", "suite.yaml", "--out", "run")
    assert done.code == 1
    assert done.says("FAIL", "c2")


def test_gate_none_measures_and_says_that_nothing_was_decided(tmp_path: Path) -> None:
    with serve(lambda body, earlier: "No.") as endpoint:
        project(tmp_path, candidate(endpoint), gate="none")
        done = play(tmp_path, "run", "suite.yaml", "--out", "run")
    assert done.code == 0
    assert "PASS" not in done.text
    assert done.says("nothing was decided")


def test_a_named_case_must_pass_beside_a_floor(tmp_path: Path) -> None:
    with serve(lambda body, earlier: "No." if number(body) == 2 else right(body)) as endpoint:
        project(
            tmp_path, candidate(endpoint), gate="{floors: {contains: 0.5}, must_pass: [c2]}", n=40
        )
        done = play(tmp_path, "run", "suite.yaml", "--out", "run")
    assert done.code == 1
    assert done.says("must pass", "c2")


REFUSED = [
    # what is wrong with the suite, and words of the message
    ({"old": '"{{ question }}"', "new": '"Answer the question."'}, "prompt"),
    ({"old": '"{{ question }}"', "new": '"Answer: {question}"'}, "prompt"),
    ({"old": '"{{ question }}"', "new": "cases.jsonl"}, "cases.jsonl"),
    ({"old": '"{{ question }}"', "new": "prompts/faq.prompt"}, "prompts/faq.prompt"),
    ({"old": '"{{ question }}"', "new": '""'}, "prompt"),
    ({"old": "{{ reference }}", "new": "{{ refernce }}"}, "refernce"),
    ({"old": "[{contains: ", "new": "[grounding]  # ["}, "context"),
    ({"old": "must_pass: all", "new": "floors: {nothing: 0.9}"}, "nothing"),
    (
        {"old": "must_pass: all", "new": 'floors: {"contains @ topic=billing": 0.9}'},
        "topic=billing",
    ),
    ({"old": "must_pass: all", "new": "must_pass: [c77]"}, "c77"),
]


@pytest.mark.parametrize(("change", "words"), REFUSED)
def test_validate_and_run_refuse_it_before_the_first_call(
    tmp_path: Path, change: dict[str, str], words: str
) -> None:
    with serve(right) as endpoint:
        suite = project(tmp_path, candidate(endpoint))
        text = suite.read_text()
        assert change["old"] in text
        suite.write_text(text.replace(change["old"], change["new"]))
        checked = play(tmp_path, "validate", "suite.yaml")
        done = play(tmp_path, "run", "suite.yaml", "--out", "run")
    assert (checked.code, done.code) == (2, 2), (checked.text, done.text)
    assert checked.says(words)
    assert done.says(words)
    assert endpoint.requests == []


def test_a_pass_on_a_sample_says_so(tmp_path: Path) -> None:
    with serve(right) as endpoint:
        project(tmp_path, candidate(endpoint))
        done = play(tmp_path, "run", "suite.yaml", "--limit", 2)
    assert done.code == 0
    assert done.says("All 2 cases pass.", "A sample of 2 of 6 cases ran.")


@pytest.mark.parametrize("limit", ["--max-minutes", "--max-cost"])
def test_a_limit_that_is_no_number_is_refused(tmp_path: Path, limit: str) -> None:
    with serve(right) as endpoint:
        project(tmp_path, candidate(endpoint, price={"input": 1, "output": 1}))
        done = play(tmp_path, "run", "suite.yaml", limit, "nan")
    assert done.code == 2
    assert done.says(f"{limit} must be a number")
    assert endpoint.requests == []


def test_a_cost_limit_without_a_price_is_refused(tmp_path: Path) -> None:
    with serve(right) as endpoint:
        project(tmp_path, candidate(endpoint))
        done = play(tmp_path, "run", "suite.yaml", "--max-cost", "0.01")
    assert done.code == 2
    assert done.says("--max-cost needs a price")
    assert endpoint.requests == []


def test_a_model_does_not_judge_itself_unseen(tmp_path: Path) -> None:
    with serve(right) as endpoint:
        judges = f"judges: {{correctness: {{model: {candidate(endpoint)}}}}}"
        project(tmp_path, candidate(endpoint), more=judges)
        for command in ("validate", "run"):
            done = play(tmp_path, command, "suite.yaml")
            assert done.code == 2, command
            assert done.says("allow_self_judge")
    assert endpoint.requests == []
