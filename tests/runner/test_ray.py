"""Workers on a real Ray cluster, which is bound to loopback and requires a token.

The cluster of the session, started as a person would (`ray start`), and one that a run starts.
"""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import llmeval
from tests.support.endpoint import Endpoint, serve
from tests.support.ray_cluster import LOOPBACK, Cluster, end_processes, listening, processes
from tests.support.suites import answer, write_suite

pytestmark = pytest.mark.ray
if importlib.util.find_spec("ray") is None:
    pytest.skip("the extra `ray` is not installed", allow_module_level=True)
if sys.platform != "linux":
    pytest.skip("the processes of Ray are read from /proc", allow_module_level=True)

ROOT = Path(__file__).parent.parent.parent
CASES, CONCURRENCY = 120, 4
RUNS: "list[subprocess.Popen[str]]" = []
"""The runs of a test. Each has a session, to which the processes of its cluster belong."""


@pytest.fixture(autouse=True)
def _ended() -> Iterator[None]:
    """No process of a run stays, also after a failure."""
    yield
    for run in RUNS:
        if run.poll() is None:
            run.kill()
            run.communicate()
        end_processes(run.pid)
    RUNS.clear()


def start(
    suite: Path, out: Path, environment: dict[str, str], executor: str
) -> "subprocess.Popen[str]":
    command = ["run", suite, "--out", out, "--executor", executor, "--workers", "2",
               "--concurrency", CONCURRENCY, "--json"]  # fmt: skip
    run = subprocess.Popen(
        [sys.executable, "-m", "llmeval", *map(str, command)],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        start_new_session=True,
    )  # fmt: skip
    RUNS.append(run)
    return run


def wait_for(endpoint: Endpoint, n: int, process: "subprocess.Popen[str]") -> None:
    while len(endpoint.requests) < n and process.poll() is None:
        time.sleep(0.01)


def check_complete(suite: Path, out: Path, endpoint: Endpoint, *, in_flight: int) -> None:
    """Every case has one answer, and only requests in flight were repeated."""
    lines = [json.loads(line) for line in (out / "answers.jsonl").read_text().splitlines()]
    assert len(lines) == len({line["case_id"] for line in lines}) == CASES
    assert not [line for line in lines if line["error"]]
    assert sum(count - 1 for count in endpoint.seen.values()) <= in_flight
    summary = json.loads((out / "summary.json").read_text())
    local = suite.parent / "local"
    if not local.exists():
        llmeval("run", suite, "--out", local, "--no-cache", PROMPT="{{ question }}")
    expected = json.loads((local / "summary.json").read_text())
    assert [summary[key] for key in ("counts", "metrics", "gate")] == [
        expected[key] for key in ("counts", "metrics", "gate")
    ]


def test_a_worker_and_a_driver_are_killed(tmp_path: Path, cluster: Cluster) -> None:
    """The cluster listens on loopback alone. A worker is killed, and the run is complete; then the
    process of a run is killed, and another executor continues it.
    """
    with serve(answer, latency=0.05) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, CASES, judge=False)
        run = start(suite, tmp_path / "out", cluster.environment, f"ray://{cluster.address}")
        wait_for(endpoint, CASES // 3, run)
        running = cluster.actors()
        addresses = cluster.listening()
        os.kill(running[0], signal.SIGKILL)
        _, message = run.communicate(timeout=120)
        assert run.returncode == 0, message
        assert len(running) == 2
        assert addresses, "the test sees the ports of the cluster"
        assert addresses <= LOOPBACK
        check_complete(suite, tmp_path / "out", endpoint, in_flight=CONCURRENCY)
        assert cluster.actors() == [], "the run ended its workers"

        suite = write_suite(tmp_path / "b", endpoint.url, CASES, judge=False)
        endpoint.requests.clear()
        endpoint.seen.clear()
        out = tmp_path / "b" / "out"
        run = start(suite, out, cluster.environment, f"ray://{cluster.address}")
        wait_for(endpoint, CASES // 2, run)
        run.kill()
        run.communicate()
        done = llmeval("run", suite, "--out", out, LLMEVAL_HOME=cluster.environment["LLMEVAL_HOME"])
        assert done.returncode == 0, done.stderr
        check_complete(suite, out, endpoint, in_flight=2 * CONCURRENCY)


def test_a_worker_with_another_suite_is_refused(tmp_path: Path, cluster: Cluster) -> None:
    suite = write_suite(tmp_path, "http://127.0.0.1:9/v1", 3, judge=False)
    suite.write_text(suite.read_text().replace('"{{ question }}"', '"${PROMPT}"'))
    own = {**cluster.environment, "PROMPT": "Answer: {{ question }}"}
    run = start(suite, tmp_path / "out", own, f"ray://{cluster.address}")
    _, message = run.communicate(timeout=120)
    assert run.returncode == 2, message
    assert "a worker has another suite; these differ: suite, prompt" in message
    assert not (tmp_path / "out" / "answers.jsonl").read_bytes()


def test_a_wrong_token(tmp_path: Path, cluster: Cluster) -> None:
    suite = write_suite(tmp_path, "http://127.0.0.1:9/v1", 3, judge=False)
    wrong = {**cluster.environment, "RAY_AUTH_TOKEN": "0" * 64}
    run = start(suite, tmp_path / "out", wrong, f"ray://{cluster.address}")
    _, message = run.communicate(timeout=120)
    assert run.returncode == 3, message
    assert "can't be used" in message
    assert "RAY_AUTH_TOKEN" in message
    assert cluster.environment["RAY_AUTH_TOKEN"] not in message


def test_the_cluster_of_a_run(tmp_path: Path) -> None:
    """Without an address the run starts a cluster on loopback, and ends all of its processes. No
    log of it has a secret.
    """
    with serve(answer, latency=0.05) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, CASES, judge=False)
        own = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        with tempfile.TemporaryDirectory(prefix="ll-") as name:
            run = start(
                suite, tmp_path / "out", {**own, "PYTHONPATH": str(ROOT), "TMPDIR": name}, "ray"
            )
            wait_for(endpoint, CASES // 3, run)
            pids = set(processes(run.pid)) - {run.pid}
            addresses = listening(pids | {run.pid})
            logs = b"".join(
                path.read_bytes() for path in Path(name).glob("**/logs/**/*") if path.is_file()
            )
            run.send_signal(signal.SIGINT)
            _, message = run.communicate(timeout=120)
            assert run.returncode == 130, message
            assert pids
            assert addresses <= LOOPBACK
            assert b"secret-key-1234" not in logs
            assert not list(Path(name).iterdir()), "the folder of the cluster is removed"
            assert not processes(run.pid)
        done = llmeval("run", suite, "--out", tmp_path / "out")
        assert done.returncode == 0, done.stderr
        check_complete(suite, tmp_path / "out", endpoint, in_flight=2 * CONCURRENCY)
