"""Several suites in one command, and only those that a change touches."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import llmeval
from tests.support.endpoint import serve
from tests.support.suites import answer, write_suite

PASSES, FAILS, OPEN = (f"gate: {{floors: {{contains: {floor}}}}}\n" for floor in (0.3, 0.99, 0.8))


def git(folder: Path, *arguments: str) -> None:
    named = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    subprocess.run(["git", "-C", str(folder), *named, *arguments], check=True, capture_output=True)


def three(tmp_path: Path, url: str) -> list[Path]:
    return [
        write_suite(tmp_path / name, url, 30, gate, judge=False)
        for name, gate in (("good", PASSES), ("bad", FAILS), ("open", OPEN))
    ]


def test_the_worst_exit_code_and_every_suite_runs(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        good, bad, undecided = three(tmp_path, endpoint.url)
        for named, code in (((good, undecided), 4), ((undecided, bad, good), 1), ((good, good), 0)):
            done = llmeval("run", *named, "--no-cache", "--reports", tmp_path / "r", cwd=tmp_path)
            assert done.returncode == code, done.stderr
        assert (
            "llmeval: exit codes: t 4, t 1, t 0"
            in llmeval("run", undecided, bad, good, cwd=tmp_path).stderr
        )
        assert llmeval("run", good, bad, "--out", tmp_path / "x").returncode == 2


def test_a_wrong_suite_among_several_stops_before_the_first_call(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        good, bad, _ = three(tmp_path, endpoint.url)
        bad.write_text(bad.read_text().replace("contains:", "contians:"))
        done = llmeval("run", good, bad)
        assert (done.returncode, endpoint.requests) == (2, [])
    assert "contians" in done.stderr


def test_a_folder_stands_for_its_suites(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        folder = write_suite(tmp_path / "suites", endpoint.url, 30, PASSES, judge=False).parent
        (folder / "prices.yaml").write_text("model: {input: 1, output: 2}\n")
        done = llmeval("run", folder, "--json", "--reports", tmp_path / "r")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["suite"] == "t"
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "no suite in this folder" in llmeval("run", empty).stderr


@pytest.fixture
def repository(tmp_path: Path) -> Any:
    """A branch off main with two suites committed, and a prompt and a check module of the
    second.
    """
    with serve(answer) as endpoint:
        one = write_suite(tmp_path / "one", endpoint.url, 10, PASSES, judge=False)
        two = write_suite(tmp_path / "two", endpoint.url, 10, PASSES, judge=False)
        two.write_text(two.read_text().replace('prompt: "{{ question }}"', "prompt: ask.j2"))
        (two.parent / "ask.j2").write_text("{{ question }}")
        git(tmp_path, "init", "-q", "-b", "main")
        git(tmp_path, "add", "-A")
        git(tmp_path, "commit", "-qm", "first")
        git(tmp_path, "checkout", "-qb", "change")
        yield one, two


def runs(repository: Any, *more: object) -> list[str]:
    """Which suites ran."""
    one, two = repository
    done = llmeval("run", one, two, "--changed-since", "main", *more, cwd=one.parent.parent)
    assert done.returncode == 0, done.stderr
    made = sorted((one.parent.parent / "reports").glob("*/*/manifest.json"))
    return [Path(json.loads(path.read_text())["suite_file"]).parent.name for path in made]


def test_what_no_change_touches_does_not_run(repository: Any) -> None:
    assert runs(repository) == []


@pytest.mark.parametrize("commit", [True, False])
def test_a_prompt_that_changed_runs_its_suite(repository: Any, commit: bool) -> None:
    root = repository[1].parent
    (root / "ask.j2").write_text("Say: {{ question }}")
    if commit:
        git(root, "commit", "-qam", "change")
    assert runs(repository) == ["two"]


def test_too_little_history_is_told(repository: Any) -> None:
    done = llmeval("run", repository[0], "--changed-since", "origin/main", cwd=repository[0].parent)
    assert done.returncode == 2
    assert "fetch-depth: 0" in done.stderr


def test_a_floor_that_nothing_can_pass_is_told_before_the_run(tmp_path: Path) -> None:
    """34 cases without a failure show .897 at most, 36 show .903: closed form .025^(1/n), as a first
    attempt has half of alpha.
    """
    for n, told in ((34, True), (36, False)):
        suite = write_suite(
            tmp_path / str(n),
            "http://127.0.0.1:9/v1",
            n,
            "gate: {floors: {contains: 0.9}}\n",
            judge=False,
        )
        done = llmeval("validate", suite, "--json")
        assert done.returncode == 0
        warnings = json.loads(done.stdout)["warnings"]
        assert bool(warnings) is told
        assert (
            not told
            or "34 cases can't show 90.0% even if all pass (at least 89.7% would be sure)"
            in warnings[0]
        )
