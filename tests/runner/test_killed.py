"""`kill -9`, Ctrl-C and a full disk, on real processes: nothing recorded is lost, nothing is asked
twice in vain. The run that continues is in this process: nothing ends it.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.command import llmeval
from tests.support.endpoint import serve
from tests.support.suites import answer, write_suite

CASES = 60
CONCURRENCY = 8


def arguments(suite: Path, out: Path) -> list[str]:
    return ["run", str(suite), "--out", str(out), "--no-cache",
            "--concurrency", str(CONCURRENCY), "--json"]  # fmt: skip


def start(suite: Path, out: Path, **more: object) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "llmeval", *arguments(suite, out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=Path(__file__).parent.parent.parent,
        **more,
    )  # type: ignore[call-overload, no-any-return]


def metrics(out: Path) -> object:
    summary = json.loads((out / "summary.json").read_text())
    return summary["counts"], summary["metrics"], summary["gate"]


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a POSIX matter")
def test_kill_9_at_any_moment(tmp_path: Path) -> None:
    rounds = int(os.environ.get("LLMEVAL_TEST_KILLS", "3"))
    with serve(answer, latency=0.03) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, CASES)
        assert llmeval(*arguments(suite, tmp_path / "whole")).returncode == 0
        rng = random.Random(11)
        for number in range(rounds):
            out = tmp_path / f"killed{number}"
            endpoint.requests.clear()
            endpoint.seen.clear()
            process = start(suite, out)
            kill_at = rng.randrange(1, 2 * CASES)
            while len(endpoint.requests) < kill_at and process.poll() is None:
                time.sleep(0.001)
            process.kill()
            process.communicate(timeout=30)
            assert llmeval(*arguments(suite, out)).returncode == 0
            assert metrics(out) == metrics(tmp_path / "whole")
            assert len(endpoint.requests) <= 2 * CASES + CONCURRENCY
            answers = [
                json.loads(line)["case_id"]
                for line in (out / "answers.jsonl").read_text().splitlines()
            ]
            assert len(answers) == len(set(answers)) == CASES


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_an_interrupt_ends_cleanly_and_the_run_goes_on(tmp_path: Path, number: str) -> None:
    with serve(answer, latency=0.05) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, CASES)
        process = start(suite, tmp_path / "out")
        while len(endpoint.requests) < 20:
            time.sleep(0.005)
        process.send_signal(getattr(signal, number))
        said, told = process.communicate(timeout=30)
        assert process.returncode == 130
        summary = json.loads(said)
        assert summary["status"] == "incomplete"
        assert 0 < summary["counts"]["cases"] < CASES
        assert b"--out" in told
        assert (tmp_path / "out" / "report.html").exists()
        assert llmeval(*arguments(suite, tmp_path / "out")).returncode == 0
        assert len(endpoint.requests) <= 2 * CASES + CONCURRENCY


@pytest.mark.skipif(sys.platform == "win32", reason="resource limits are a POSIX matter")
def test_a_full_disk_stops_the_run_and_loses_nothing(tmp_path: Path) -> None:
    """A limit on the size of files stands in for the full disk: the write fails in the same
    place.
    """
    import resource

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (12_000, 12_000))

    with serve(answer) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, CASES)
        # the limit would tear what Python compiles for later, too
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        process = start(suite, tmp_path / "out", preexec_fn=limit, env=environment)
        _, told = process.communicate(timeout=60)
        assert process.returncode == 3
        assert b"scores.jsonl" in told or b"answers.jsonl" in told
        recorded = (tmp_path / "out" / "answers.jsonl").read_bytes().count(b"\n")
        assert llmeval(*arguments(suite, tmp_path / "out")).returncode == 0
        assert recorded > 5
        assert len(endpoint.requests) <= 2 * CASES + 2 * CONCURRENCY
