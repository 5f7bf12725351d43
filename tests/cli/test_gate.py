"""`llmeval gate`: other rules or another baseline, on scores that are there."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from llmeval.api import Run, finish
from tests.support.command import llmeval
from tests.support.runs import run_of

GOOD = [1.0] * 160 + [0.0] * 40
BAD = [0.0] * 40 + [1.0] * 120 + [0.0] * 40
SUITE = "suite: qa\ncases: [{id: c0, question: x}]\nprompt: '{{ question }}'\ncandidate: {provider: replay, source: x}\n"


def gate(**rules: Any) -> dict[str, Any]:
    return {
        "floors": {}, "regression": None, "alpha": 0.05, "beta": 0.05, "max_unscored": 0.02, "on_inconclusive": "fail",
        **rules,
    }  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports")
    (folder / "suite.yaml").write_text(
        SUITE + "gate: {regression: {baseline: own.lock.json, margins: {m: 0.2}}}\n"
    )
    regression = {"margins": {"m": 0.1}, "baseline": str(folder / "qa.lock.json")}
    about = {
        "suite_file": str(folder / "suite.yaml"),
        "judges": {},
        "gate": gate(regression=regression),
    }
    run_of(folder / "qa" / "20260101T000000Z-aaaaaa", {"m": GOOD}, **about)
    run_of(folder / "qa" / "20260102T000000Z-bbbbbb", {"m": BAD}, **about)
    run_of(folder / "qa" / "20260103T000000Z-cccccc", {"m": BAD}, **about)
    return folder


def files(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.iterdir()}


@pytest.mark.parametrize(("baseline", "code", "said"), [
    ("run:aaaaaa", 1, "m fell by 20.0 points"), ("run:cccccc", 0, "m did not move"), ("cccccc", 0, "m did not move"),
    (None, 3, "There is no baseline at"),
])  # fmt: skip
def test_another_baseline(folder: Path, baseline: str | None, code: int, said: str) -> None:
    run = folder / "qa" / "20260102T000000Z-bbbbbb"
    before = files(run)
    named = [] if baseline is None else ["--baseline", baseline]
    done = llmeval("gate", run, "--reports", folder, "--json", *named)
    assert done.returncode == code, done.stderr
    assert said in json.loads(done.stdout)["gate"]["reason"]
    assert files(run) == before


def test_the_latest_is_of_the_same_suite_and_not_the_run_itself(folder: Path) -> None:
    for name, suite, status in (
        ("qa/20260104T000000Z-dddddd", "qa", "complete"), ("else/20260105T000000Z-eeeeee", "else", "complete"),
        ("qa/20260106T000000Z-ffffff", "qa", "incomplete"),
    ):  # fmt: skip
        run = finish(
            Run(
                run_of(
                    folder / name, {"m": GOOD}, suite=suite, judges={}, status=status, gate=gate()
                ).path
            )
        )
        assert run.summary.status == status
    done = llmeval("gate", "bbbbbb", "--reports", folder, "--json", "--baseline", "run:latest")
    (rule,) = json.loads(done.stdout)["gate"]["rules"]
    assert (done.returncode, rule["baseline"]) == (1, "20260104T000000Z-dddddd"), (
        done.stdout + done.stderr
    )
    itself = llmeval("gate", "eeeeee", "--reports", folder, "--baseline", "latest")
    assert (itself.returncode, "no other complete run of the suite else" in itself.stderr) == (
        3,
        True,
    )
    beside = json.loads(
        llmeval("compare", "aaaaaa", "latest", "--reports", folder, "--json").stdout
    )
    assert [run["run_id"] for run in beside["runs"]] == [
        "20260101T000000Z-aaaaaa",
        "20260106T000000Z-ffffff",
    ]
    for name in ("qa/20260104T000000Z-dddddd", "else", "qa/20260106T000000Z-ffffff"):
        shutil.rmtree(folder / name)


def test_the_latest_of_several_suites_is_asked_for_by_name(folder: Path) -> None:
    """An exit code for a suite that nobody meant would be the wrong answer in CI."""
    alone = llmeval("gate", "latest", "--reports", folder, "--baseline", "run:aaaaaa", "--json")
    assert (alone.returncode, json.loads(alone.stdout)["run_id"]) == (
        1,
        "20260103T000000Z-cccccc",
    ), alone.stderr
    run = run_of(
        folder / "else" / "20260105T000000Z-eeeeee",
        {"m": GOOD},
        suite="else",
        judges={},
        gate=gate(),
    )
    finish(Run(run.path))
    done = llmeval("gate", "latest", "--reports", folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "runs of 2 suites" in done.stderr and "20260105T000000Z-eeeeee, of else" in done.stderr
    named = llmeval(
        "gate", "latest", "--reports", folder, "--suite", folder / "suite.yaml", "--json"
    )
    assert json.loads(named.stdout)["run_id"] == "20260103T000000Z-cccccc"
    proposed = llmeval(
        "baseline", "propose", "latest", "--reports", folder, "--out", folder / "none.lock.json"
    )
    assert "llmeval baseline approve 20260105T000000Z-eeeeee --by" in proposed.stdout
    shutil.rmtree(folder / "else")


def test_other_rules_and_reports_elsewhere(folder: Path, tmp_path: Path) -> None:
    rules = folder / "strict.yaml"
    rules.write_text(SUITE + "gate: {floors: {m: 0.95}}\n")
    out = tmp_path / "decision"
    done = llmeval("gate", "bbbbbb", "--reports", folder, "--suite", rules, "--out", out)
    assert done.returncode == 1, done.stderr
    assert "m: 60.0% pass" in done.stdout
    assert {path.name for path in out.iterdir()} == {
        "summary.json",
        "report.html",
        "junit.xml",
        "summary.md",
    }
    assert json.loads((out / "summary.json").read_text())["gate"]["decision"] == "FAIL"
    assert "floor m" in (out / "junit.xml").read_text()
    assert "95%" in (out / "report.html").read_text()


def test_the_lock_of_the_suite(folder: Path) -> None:
    lock = folder / "own.lock.json"
    made = llmeval(
        "baseline",
        "approve",
        "aaaaaa",
        "--reports",
        folder,
        "--by",
        "ada",
        "--reason",
        "x",
        "--out",
        lock,
    )
    assert made.returncode == 0, made.stderr
    for name in ("lock", f"file:{lock}"):
        done = llmeval("gate", "cccccc", "--reports", folder, "--baseline", name)
        assert done.returncode == 1, done.stderr
        assert "20260101T000000Z-aaaaaa" in done.stdout


@pytest.mark.parametrize(("arguments", "said"), [
    (["--baseline", "run:bbbbbb"], "that is the run itself"),
    (["--baseline", "file:nowhere.json"], "file:nowhere.json: there is no such file or directory"),
    (["--baseline", "zzz"], "no such run"), (["--baseline", "run:zzz"], "run:zzz: there is no run zzz"),
])  # fmt: skip
def test_wrong_baselines_are_told(folder: Path, arguments: list[str], said: str) -> None:
    done = llmeval("gate", "bbbbbb", "--reports", folder, *arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_run_does_not_change(folder: Path) -> None:
    run = Run(run_of(folder / "qa" / "20260107T000000Z-abcdef", {"m": GOOD}, gate=gate()).path)
    decided = finish(run)
    assert (run.view, decided.view is None) == (None, False)
    with pytest.raises(AttributeError, match="summary can't be set"):
        decided.summary = run.summary  # type: ignore[misc]
