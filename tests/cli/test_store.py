"""`llmeval run --store`: two processes on one store, and one that is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.support.command import llmeval
from tests.support.endpoint import serve
from tests.support.postgres import PostgresServer, running_server
from tests.support.suites import answer, write_suite

N = 60


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    yield from running_server()


def start(suite: Path, out: Path, store: str, home: Path) -> "subprocess.Popen[bytes]":
    environment = {
        **os.environ,
        "LLMEVAL_STORE": store,
        "LLMEVAL_RUN_GROUP": "one",
        "LLMEVAL_HOME": str(home),
    }
    command = [sys.executable, "-m", "llmeval", "run", str(suite), "--out", str(out)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def test_two_runs_send_each_request_once_and_one_is_killed(
    server: PostgresServer, tmp_path: Path
) -> None:
    store = server.database()
    with serve(answer) as endpoint:
        endpoint.latency = 0.05
        suite = write_suite(tmp_path, endpoint.url, N, judge=False)
        one, two = (start(suite, tmp_path / out, store, tmp_path) for out in ("1", "2"))
        while len(endpoint.requests) < N // 3:
            time.sleep(0.01)
        os.kill(one.pid, signal.SIGKILL)
        printed = [*one.communicate(), *two.communicate()]
        assert two.returncode == 0, printed
        again = start(suite, tmp_path / "1", store, tmp_path)
        printed += again.communicate()
        assert again.returncode == 0, printed
        calls = len(endpoint.requests)
        assert len(endpoint.seen) == N and N <= calls <= N + 32
    assert not (tmp_path / "cache.sqlite3").exists()
    texts = [text for text in printed if text]
    texts += [path.read_bytes() for out in "12" for path in (tmp_path / out).rglob("*.*")]
    assert all(server.password.encode() not in text for text in texts)


def test_the_store_is_pruned_and_wrong_options_are_refused(
    server: PostgresServer, tmp_path: Path
) -> None:
    store = server.database()
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 5, judge=False)
        call = partial(llmeval, LLMEVAL_HOME=str(tmp_path), LLMEVAL_STORE=store)
        done = call("run", suite, "--out", tmp_path / "r", "--reuse")
        assert done.returncode == 0, done.stderr
        again = call("run", suite, "--out", tmp_path / "s", "--reuse")
        assert again.returncode == 0 and len(endpoint.requests) == 5
        assert "5 of 5 answers reused from earlier runs" in again.stdout
    pruned = call("cache", "prune", "--days", 0)
    assert (pruned.returncode, pruned.stdout) == (0, "5 replies deleted.\n")
    for option, message in (("--no-cache", "exclude one another"), ("--refresh", "other workers")):
        refused = call("run", suite, option)
        assert refused.returncode == 2 and message in refused.stderr
        assert server.password not in refused.stderr
