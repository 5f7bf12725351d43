"""7. A gate that was loosened in passing is named beside the PASS."""

import subprocess
from pathlib import Path

import pytest

from tests.false_green.play import approve_baseline, candidate, play, project, right, shown
from tests.support.endpoint import serve

N = 60
STRICT = "{floors: {contains: 0.8}, regression: {baseline: t.lock.json, margins: {contains: 0.1}}}"
LOOSE = "{floors: {contains: 0.5}, regression: {baseline: t.lock.json, margins: {contains: 0.3}}}"


@pytest.fixture
def approved(tmp_path: Path) -> Path:
    approve_baseline(tmp_path, STRICT, N)
    return tmp_path


def test_a_run_says_that_its_gate_is_looser_than_the_approved_one(approved: Path) -> None:
    with serve(right) as endpoint:
        project(approved, candidate(endpoint), LOOSE, n=N)
        done = play(approved, "run", "suite.yaml", "--out", "run")
    assert done.code == 0, done.text
    assert done.says("PASS", "looser", "contains")
    for name in ("summary.md", "report.html"):
        assert "looser" in shown(approved, "run")[name], name


def test_a_gate_that_did_not_change_says_nothing(approved: Path) -> None:
    with serve(right) as endpoint:
        project(approved, candidate(endpoint), STRICT, n=N)
        done = play(approved, "run", "suite.yaml", "--out", "run")
    assert done.code == 0, done.text
    assert "looser" not in done.text


def test_a_quarantine_younger_than_the_baseline_is_named_in_the_pass(approved: Path) -> None:
    entry = "- {case: c5, reason: the reference is wrong, owner: ada, expires: 2999-01-31}\n"
    (approved / "quarantine.yaml").write_text(entry)
    with serve(right) as endpoint:
        project(approved, candidate(endpoint), STRICT, n=N)
        done = play(approved, "run", "suite.yaml", "--out", "run")
    assert done.code == 0, done.text
    assert done.says("c5", "since the baseline")


def test_a_pull_request_sees_what_it_loosens(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        names = ["-c", "user.name=ada", "-c", "user.email=ada@example.org"]
        subprocess.run(["git", *names, *arguments], cwd=tmp_path, check=True, capture_output=True)

    with serve(right) as endpoint:
        project(tmp_path, candidate(endpoint), "{floors: {contains: 0.9}}")
        git("init", "-q")
        git("add", ".")
        git("commit", "-qm", "strict")
        project(tmp_path, candidate(endpoint), "{floors: {contains: 0.8}}")
        done = play(tmp_path, "validate", "suite.yaml", "--against", "HEAD")
    assert done.code == 0, done.text
    assert done.says("contains", "0.9", "0.8", "looser")


def test_a_gate_is_not_decided_without_a_check_that_its_suite_has(tmp_path: Path) -> None:
    with serve(right) as endpoint:
        suite = project(tmp_path, candidate(endpoint))
        assert play(tmp_path, "run", "suite.yaml", "--out", "run").code == 0
        for checks in ('[{contains: "{{ reference }}"}, {max_words: 1}]', "[{contains: nothing}]"):
            project(tmp_path, candidate(endpoint), checks=checks)
            done = play(tmp_path, "gate", "run", "--suite", "suite.yaml")
            assert done.code == 2
            assert done.says("did not score run", "llmeval score run --suite")
        assert play(tmp_path, "score", "run", "--suite", suite, "--out", "scored").code == 1
