"""Workers on a real Ray cluster, which is bound to loopback and requires a token.

One cluster for all tests, started as a person would (`ray start`), and one that a run starts.
"""

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.command import llmeval
from tests.support.endpoint import Endpoint, serve
from tests.support.suites import answer, write_suite

pytest.importorskip("ray", reason="the extra `ray` is not installed")
if sys.platform != "linux":
    pytest.skip("the processes of Ray are read from /proc", allow_module_level=True)
pytestmark = pytest.mark.ray

ROOT = Path(__file__).parent.parent.parent
CASES, CONCURRENCY = 120, 4
RUNS: "list[subprocess.Popen[str]]" = []
"""The runs of a test. Each has a session, to which the processes of its cluster belong."""


class Cluster(NamedTuple):
    """A running cluster. `environment`: of a process that may use it."""

    address: str
    process: "subprocess.Popen[bytes]"
    environment: dict[str, str]


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


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory(prefix="ll-ray-") as name:
        port = free_port()
        environment = {
            **os.environ,
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
            "LLMEVAL_HOME": f"{name}/home",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "PROMPT": "{{ question }}",
        }
        process = subprocess.Popen(
            [Path(sys.executable).parent / "ray", "start", "--head", "--block", f"--port={port}",
             "--include-dashboard=false", "--disable-usage-stats", "--num-cpus=2",
             "--object-store-memory=100000000", f"--temp-dir={name}"],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        printed: list[bytes] = []
        try:
            assert process.stdout is not None
            for line in process.stdout:
                printed.append(line)
                if b"Ray runtime started" in line or b"timed out during startup" in line:
                    break
            if b"timed out during startup" in printed[-1]:
                pytest.skip("this machine is too busy: Ray gives its processes 30 s to start")
            assert b"Ray runtime started" in printed[-1], b"".join(printed)
            yield Cluster(f"127.0.0.1:{port}", process, environment)
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            end_processes(process.pid)
            process.kill()
            process.communicate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def processes(session: int) -> dict[int, str]:
    """The processes of a session by their id, with their titles: Ray starts no other session."""
    own = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            number = int((path / "stat").read_text().rpartition(")")[2].split()[3])
            title = (path / "cmdline").read_text()
        except (OSError, ValueError):
            continue
        if number == session and title:
            own[int(path.name)] = title
    return own


def end_processes(session: int) -> None:
    for pid in processes(session):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def listening(pids: "set[int]") -> set[str]:
    """The addresses on which these processes listen."""
    lines = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
    return {
        line.split()[3].rpartition(":")[0]
        for line in lines.splitlines()
        if any(f"pid={pid}," in line for pid in pids)
    }


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


def actors(cluster: Cluster) -> list[int]:
    return [
        pid for pid, command in processes(cluster.process.pid).items() if "BatchWorker" in command
    ]


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
        running = actors(cluster)
        addresses = listening(set(processes(cluster.process.pid)))
        os.kill(running[0], signal.SIGKILL)
        _, message = run.communicate(timeout=120)
        assert run.returncode == 0, message
        assert len(running) == 2
        assert addresses, "the test sees the ports of the cluster"
        assert addresses <= {"127.0.0.1", "[::ffff:127.0.0.1]", "[::1]"}
        check_complete(suite, tmp_path / "out", endpoint, in_flight=CONCURRENCY)
        assert actors(cluster) == [], "the run ended its workers"

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
            assert addresses <= {"127.0.0.1", "[::ffff:127.0.0.1]", "[::1]"}
            assert b"secret-key-1234" not in logs
            assert not list(Path(name).iterdir()), "the folder of the cluster is removed"
            assert not processes(run.pid)
        done = llmeval("run", suite, "--out", tmp_path / "out")
        assert done.returncode == 0, done.stderr
        check_complete(suite, tmp_path / "out", endpoint, in_flight=2 * CONCURRENCY)
