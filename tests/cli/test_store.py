"""`llmeval run --store`: two processes on one store, and one that is killed."""

import json
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


def start(suite: Path, out: Path, store: str, home: Path, *more: str) -> "subprocess.Popen[bytes]":
    environment = {
        **os.environ,
        "LLMEVAL_STORE": store,
        "LLMEVAL_RUN_GROUP": "one",
        "LLMEVAL_HOME": str(home),
    }
    command = [sys.executable, "-m", "llmeval", "run", str(suite), "--out", str(out), *more]
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


def test_a_server_that_goes_away_ends_the_run_and_the_run_can_continue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmeval.models.client.store_session.RECONNECT_SECONDS", 0.2)
    servers = running_server()
    server = next(servers)

    def then_stop(body: dict[str, object], earlier: int) -> str:
        if len(endpoint.requests) == N // 2:
            next(servers, None)  # stops the server
        return answer(body, earlier)

    with serve(then_stop) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, N, judge=False)
        out, home = tmp_path / "r", str(tmp_path)
        ended = llmeval("run", suite, "--out", out, "--store", server.address(), LLMEVAL_HOME=home)
        assert ended.returncode == 3, ended.stdout
        assert "stopped answering" in ended.stderr and server.password not in ended.stderr
        again = llmeval("run", suite, "--out", out, LLMEVAL_HOME=home)
        assert again.returncode == 0, again.stderr
        assert N <= len(endpoint.requests) <= N + 32


def test_a_shard_that_is_done_helps_the_other_one(server: PostgresServer, tmp_path: Path) -> None:
    """No request is sent twice, each case is in its own shard, and the merged run counts the calls
    of both processes.
    """
    store = server.database()
    with serve(answer, latency=0.1) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, N)
        shards = tmp_path / "shards"
        slow = start(suite, shards / "2", store, tmp_path, "--shard", "2/2", "--concurrency", "1")
        while not endpoint.requests:
            time.sleep(0.01)
        fast = start(suite, shards / "1", store, tmp_path, "--shard", "1/2", "--steal")
        printed = [*fast.communicate(), *slow.communicate()]
        assert (fast.returncode, slow.returncode) == (0, 0), printed
        assert set(endpoint.seen.values()) == {1} and len(endpoint.seen) == 2 * N
    manifest = json.loads((shards / "1" / "manifest.json").read_text())
    stolen = manifest["unfinished_calls"]
    assert stolen["candidate"] > 0 and stolen["judge:correctness"] > 0
    merged = llmeval("merge", shards, "--suite", suite, "--out", tmp_path / "whole")
    assert merged.returncode == 0, merged.stderr
    summary = json.loads((tmp_path / "whole" / "summary.json").read_text())
    assert summary["counts"]["cases"] == N
    assert {role: calls["made"] for role, calls in summary["calls"].items()} == {
        "candidate": N, "judge:correctness": N,
    }  # fmt: skip


def test_what_steal_needs(tmp_path: Path) -> None:
    suite = write_suite(tmp_path, "http://127.0.0.1:9/v1", 3)
    for more in ([], ["--shard", "1/2"]):
        done = llmeval("run", suite, "--steal", *more)
        assert done.returncode == 2 and "the shards share replies through --store" in done.stderr
