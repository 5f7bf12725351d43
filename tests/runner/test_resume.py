"""The same command continues its newest unfinished run, or states why it starts a new one."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from msgspec import structs

import llmeval
from llmeval.core.manifest import Session
from llmeval.runner.options import Options
from llmeval.store.directory import RunDir
from llmeval.store.writer import write_manifest
from tests.support.command import llmeval as command
from tests.support.endpoint import Endpoint, serve
from tests.support.rundirs import seal
from tests.support.suites import answer, write_suite

N = 20
GATE = "gate: {floors: {contains: 0.5}}\n"
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serve(answer) as endpoint:
        yield endpoint


@pytest.fixture
def suite(tmp_path: Path, endpoint: Endpoint) -> Path:
    return write_suite(tmp_path, endpoint.url, N, GATE)


def runs(tmp_path: Path) -> list[Path]:
    return sorted(path for path in (tmp_path / "reports").glob("t/*") if path.is_dir())


def go(suite: Path, *options: object) -> Any:
    return command(
        "run",
        suite,
        "--reports",
        suite.parent / "reports",
        "--no-cache",
        "--concurrency",
        1,
        *options,
    )


def stopped(suite: Path) -> Path:
    """A run that stopped at its budget."""
    done = go(suite, "--max-calls", 11)
    assert done.returncode == 3
    assert "INCOMPLETE" in done.stdout
    (path,) = runs(suite.parent)
    return path


def test_the_same_command_goes_on_after_a_budget(suite: Path, endpoint: Endpoint) -> None:
    path = stopped(suite)
    done = go(suite)
    assert done.returncode == 0
    assert runs(suite.parent) == [path]
    line = rf"continues run {path.name} of \d\d:\d\d (today|yesterday), which has 6 of 20 answers \(--new starts a new run\)"
    assert re.search(line, done.stderr)
    assert len(endpoint.requests) == 2 * N
    sessions = RunDir(path).manifest().sessions
    assert [session.answers for session in sessions] == [6, N - 6]
    assert "answers of 2 sessions: 6 of " in _words(done.stdout)
    assert "Answers of 2 sessions" in (path / "summary.md").read_text()
    third = go(suite)
    assert "continues run" not in third.stderr
    assert len(runs(suite.parent)) == 2


def test_new_starts_afresh_and_then_the_old_run_is_left_alone(suite: Path) -> None:
    path = stopped(suite)
    assert "continues run" not in go(suite, "--new").stderr
    assert "continues run" not in go(suite).stderr
    assert len(runs(suite.parent)) == 3
    assert RunDir(path).manifest().status == "incomplete"


@pytest.mark.parametrize(
    ("options", "edit"),
    [
        (["--limit", 10], None),
        (["--candidate", "judge"], None),
        (["--stop", "early"], None),
        (["--shard", "1/2"], None),
        ([], ("{{ question }}", "Please: {{ question }}")),
        ([], ("contains: 0.5", "contains: 0.6")),
        ([], ("attacks: false", "attacks: false, prompt: grounded")),
    ],
    ids=["limit", "candidate", "stop", "shard", "prompt", "gate", "judge"],
)
def test_another_suite_candidate_or_option_starts_a_new_run(
    suite: Path, options: list[object], edit: tuple[str, str] | None
) -> None:
    stopped(suite)
    if edit is not None:
        suite.write_text(suite.read_text().replace(*edit))
    done = go(suite, *options)
    assert "continues run" not in done.stderr


@pytest.mark.parametrize(
    "changes",
    [{"git": {"commit": "f" * 40, "branch": "main", "dirty": False}}, {"parent_run": "x"}],
)
def test_a_run_of_another_commit_or_parent_is_left_alone(
    suite: Path, changes: dict[str, Any]
) -> None:
    seal(stopped(suite), **changes)
    assert "continues run" not in go(suite).stderr
    assert len(runs(suite.parent)) == 2


def test_a_run_of_code_that_changed_since_is_left_alone(tmp_path: Path) -> None:
    """The function's module is the same; the one that it imports is not."""
    suite = write_suite(tmp_path, "http://127.0.0.1:9/v1", N, GATE)
    model = re.compile(r"^candidate:.*$", re.M)
    assert model.search(suite.read_text())
    suite.write_text(
        model.sub(
            "candidate: {provider: python, function: 'bot_of_the_test:reply'}", suite.read_text()
        )
    )
    (tmp_path / "bot_of_the_test.py").write_text(
        "from words_of_the_test import WORDS\n\n\ndef reply(text):\n    return WORDS\n"
    )
    (tmp_path / "words_of_the_test.py").write_text("WORDS = 'one'\n")
    assert go(suite, "--max-calls", 5).returncode == 3
    assert "continues run" in go(suite, "--max-calls", 5).stderr
    (tmp_path / "words_of_the_test.py").write_text("WORDS = 'other'\n")
    assert "continues run" not in go(suite).stderr


def test_a_run_before_other_uncommitted_changes_is_left_alone(suite: Path) -> None:
    git = ["git", "-C", str(suite.parent), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    (suite.parent / "app.txt").write_text("one")
    for words in (["init", "-q"], ["add", "app.txt"], ["commit", "-qm", "one"]):
        subprocess.run([*git, *words], check=True)
    (suite.parent / "app.txt").write_text("two")
    stopped(suite)
    assert "continues run" in go(suite, "--max-calls", 3).stderr
    (suite.parent / "app.txt").write_text("three")
    assert "continues run" not in go(suite).stderr


def test_a_run_of_another_day_is_told_and_left_alone(suite: Path) -> None:
    path = stopped(suite)
    at = datetime.now(UTC) - timedelta(hours=25)
    seal(path, started=at.isoformat(timespec="seconds").replace("+00:00", "Z"))
    done = go(suite)
    assert (
        f"run {path.name} is unfinished, but it began more than 24 hours ago: a new run starts"
        in done.stderr
    )
    assert len(runs(suite.parent)) == 2


def test_a_run_that_is_being_written_is_told_and_left_alone(suite: Path) -> None:
    path = stopped(suite)
    with FileLock(path / ".lock"):
        done = go(suite)
    assert done.returncode == 0
    assert f"another llmeval is writing run {path.name}: a new run starts" in done.stderr


def test_a_damaged_run_is_told_and_left_alone(suite: Path) -> None:
    path = stopped(suite)
    answers = path / "answers.jsonl"
    answers.write_text(answers.read_text().replace("value-1", "value-2"))
    done = go(suite)
    assert done.returncode == 0
    assert f"run {path.name} is unfinished, but damaged: a new run starts" in done.stderr


def test_from_python_a_run_goes_on_only_where_that_is_asked_for(
    suite: Path, tmp_path: Path
) -> None:
    stopped(suite)
    told: list[str] = []
    plain = llmeval.run(suite, options=Options(reports=tmp_path / "reports"), warn=told.append)
    assert (plain.decision, told) == ("PASS", [])


def slow_judge(release: threading.Event, fast: int) -> Any:
    """Judges `fast` answers at once and holds back the others until `release` is set."""
    judged = [0]

    def handler(body: dict[str, Any], earlier: int) -> Any:
        if body["model"] != "judge":
            return answer(body)
        judged[0] += 1
        return answer(body) if judged[0] <= fast else held(body)

    async def held(body: dict[str, Any]) -> str:
        import asyncio

        while not release.is_set():
            await asyncio.sleep(0.01)
        return answer(body)

    return handler


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_answers_that_wait_for_their_judge_are_no_errors(
    tmp_path: Path, number: signal.Signals
) -> None:
    release, fast = threading.Event(), 4
    with serve(slow_judge(release, fast)) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, N, GATE)
        words = [sys.executable, "-m", "llmeval", "run", suite, "--reports", tmp_path / "reports", "--no-cache",
                 "--concurrency", "32"]  # fmt: skip
        process = subprocess.Popen(
            list(map(str, words)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        while endpoint.count("judge") < N and process.poll() is None:
            time.sleep(0.01)
        _wait_for_scores(tmp_path, fast)
        process.send_signal(number)
        told, _ = process.communicate(timeout=60)
        (path,) = runs(tmp_path)
        if number == signal.SIGINT:
            assert process.returncode == 130
        else:
            shown = command("report", path)
            told = shown.stdout
            assert shown.returncode == 3
        release.set()
        _check_interrupted(path, told, fast)
        asked = endpoint.count("cand")
        done = command(*words[3:])
    assert "continues run" in done.stderr
    assert done.returncode == 0
    assert endpoint.count("cand") == asked == N
    counts = json.loads((path / "summary.json").read_text())["counts"]
    assert (counts["passed"], counts["failed"], counts["not_scored"]) == (16, 4, 0)


def _wait_for_scores(tmp_path: Path, fast: int) -> None:
    """Until the early block of every answer and the final ones of those judged are there: 2 lines
    each.
    """
    (path,) = runs(tmp_path)
    deadline = time.monotonic() + 30
    while (path / "scores.jsonl").read_bytes().count(b"\n") < 2 * (
        N + fast
    ) and time.monotonic() < deadline:
        time.sleep(0.01)


def _words(text: str) -> str:
    """On one line, without what frames it."""
    return " ".join(re.sub("[│╭╮╰╯─]", " ", text).split())


def _check_interrupted(path: Path, told: str, fast: int) -> None:
    words = _words(told)
    assert "INTERRUPTED" in words
    assert f"{N - fast} of them not scored yet" in words
    summary = json.loads((path / "summary.json").read_text())
    counts, gate = summary["counts"], summary["gate"]
    assert (counts["errors"], counts["unscored"], counts["not_scored"]) == (0, 0, N - fast)
    assert counts["passed"] + counts["failed"] == fast
    assert (summary["status"], gate["decision"]) == ("incomplete", "INVALID")
    assert "PASS" not in str(gate)
    metrics = {metric["metric"]: metric for metric in summary["metrics"]}
    assert (metrics["contains"]["n"], metrics["contains"]["passed"]) == (
        N,
        16,
    )  # every answer's checks are scored
    assert (metrics["correctness"]["n"], metrics["correctness"]["unscored"]) == (fast, 0)
    for text in (told, (path / "summary.md").read_text(), (path / "report.html").read_text()):
        assert "INTERRUPTED" in text
        assert "not scored yet" in _words(text)
    assert "✔ PASS" not in told
    assert "✅" not in (path / "summary.md").read_text()
    junit = (path / "junit.xml").read_text()
    assert junit.count('type="not_scored"') == N - fast, "missing, and neither failed nor passed"


def test_two_blocks_of_one_answer_side_by_side_are_two(suite: Path, endpoint: Endpoint) -> None:
    """One worker: the early block of each answer stands right before its final one."""
    path = stopped(suite)
    blocks = [(key, size) for key, _, size in RunDir(path).places("scores.jsonl")]
    keys = [key for key, _ in blocks]
    assert keys[:2] == [("c0000", 0), ("c0000", 0)]
    for unit in RunDir(path).units():
        assert [score.metric for score in unit.scores] == ["contains", "correctness"]


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a POSIX matter")
def test_cut_at_any_byte_a_run_goes_on(suite: Path, endpoint: Endpoint, tmp_path: Path) -> None:
    """What `kill -9` may leave: records up to some byte, in the order they were written, and a
    manifest that says running.
    """
    import random

    whole = llmeval.run(suite, options=Options(out=tmp_path / "whole", use_cache=False))
    rng = random.Random(int(os.environ.get("LLMEVAL_TEST_SEED", "5")))
    for number in range(8):
        cut = tmp_path / f"cut{number}"
        cut.mkdir()
        share = rng.random()
        for name in ("cases.jsonl", "answers.jsonl", "scores.jsonl"):
            data = (whole.path / name).read_bytes()
            # a case is there before its answer, an answer before its scores
            end = {"cases.jsonl": len(data), "answers.jsonl": int(len(data) * share)}.get(name, 0)
            (cut / name).write_bytes(data[:end])
        killed = structs.replace(
            whole.manifest,
            status="running",
            ended=None,
            ending=None,
            records=None,
            sessions=(Session(whole.manifest.started),),
        )
        write_manifest(cut, killed)
        left = (cut / "answers.jsonl").read_bytes().count(b"\n")
        shown = command("report", cut)
        assert (shown.returncode, "INTERRUPTED" in shown.stdout) == (3, True)
        again = llmeval.run(suite, options=Options(out=cut, use_cache=False))
        assert again.summary.counts == whole.summary.counts
        assert again.summary.metrics == whole.summary.metrics
        assert [session.answers for session in again.manifest.sessions] == [left, N - left]
        again.directory.verify()
