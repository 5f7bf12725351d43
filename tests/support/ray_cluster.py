"""A Ray cluster of the tests' own: bound to loopback, with a token, and without a dashboard.

    python -m tests.support.ray_cluster FOLDER PID

starts one and writes its address into FOLDER. It ends the cluster when the process PID is gone, or
at SIGTERM. Each node is a session of processes, so they are ended by their ids, and no others are.
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
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
STATE = "cluster.json"
SESSION = "LLMEVAL_TEST_SESSION"
LOOPBACK = {"127.0.0.1", "[::ffff:127.0.0.1]", "[::1]"}
# With RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER=0 Ray binds to 127.0.0.1, and `ray start` refuses a second
# node. Ray's own tests start one like this.
_SECOND = """
import sys, time
from ray._private.node import Node
from ray._private.parameter import RayParams
parameters = RayParams(
    gcs_address=sys.argv[1], node_ip_address="127.0.0.1", num_cpus=2, include_log_monitor=False,
    object_store_memory=100_000_000, dashboard_agent_listen_port=int(sys.argv[2]),
)
node = Node(parameters, head=False, shutdown_at_exit=False, spawn_reaper=False)
print("Ray runtime started", flush=True)
while True:
    time.sleep(60)
"""
_BUSY = "timed out during startup"


_NODES: list[int] = []
"""The nodes that this process started, also those that do not run yet."""
_KEEPERS: "list[subprocess.Popen[bytes]]" = []


class TooBusy(Exception):
    """Ray gives its processes 30 seconds to start, and they did not."""


class Cluster(NamedTuple):
    """A running cluster. `nodes`: the sessions of its nodes. `environment`: variables of a process
    that may use it.
    """

    address: str
    nodes: list[int]
    environment: dict[str, str]

    def actors(self) -> list[int]:
        """The processes of llmeval's workers."""
        return [
            pid
            for node in self.nodes
            for pid, title in processes(node).items()
            if "BatchWorker" in title
        ]

    def listening(self) -> set[str]:
        """The addresses on which its processes listen."""
        return listening({pid for node in self.nodes for pid in processes(node)})


def start_cluster(folder: Path) -> Cluster:
    """Start a cluster of one node, with its files in `folder`, whose path must be short.

    Raises:
        TooBusy: the machine is too slow today.
    """
    token = secrets.token_hex(32)
    environment = {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": token,
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "LLMEVAL_HOME": str(folder / "home"),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "PROMPT": "{{ question }}",
    }
    port = free_port()
    cluster = Cluster(f"127.0.0.1:{port}", [], environment)
    _start_node(
        cluster, str(Path(sys.executable).parent / "ray"), "start", "--block",
        "--disable-usage-stats", "--num-cpus=2", "--object-store-memory=100000000",
        f"--dashboard-agent-listen-port={free_port()}", "--head", f"--port={port}",
        "--include-dashboard=false", f"--temp-dir={folder}",
    )  # fmt: skip
    return cluster


def add_node(cluster: Cluster) -> None:
    """Start one more node on this machine."""
    _start_node(cluster, sys.executable, "-c", _SECOND, cluster.address, str(free_port()))


def end_cluster(cluster: Cluster) -> None:
    """End all processes of a cluster."""
    for node in cluster.nodes:
        end_processes(node)


def _start_node(cluster: Cluster, *command: str) -> None:
    process = subprocess.Popen(
        command,
        env={**os.environ, **cluster.environment}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    cluster.nodes.append(process.pid)
    _NODES.append(process.pid)
    printed = []
    assert process.stdout is not None
    for line in process.stdout:
        printed.append(line)
        if "Ray runtime started" in line:
            return
        if _BUSY in line:
            break
    end_cluster(cluster)
    text = "".join(printed)
    raise TooBusy(text) if _BUSY in text else RuntimeError(text)


def free_port() -> int:
    """A port of the loopback interface that is free now."""
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
    """End the processes of a session. Repeated, because they may start others meanwhile."""
    while own := processes(session):
        for pid in own:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def listening(pids: "set[int]") -> set[str]:
    """The addresses on which these processes listen, as `ss` shows them."""
    lines = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
    return {
        line.split()[3].rpartition(":")[0]
        for line in lines.splitlines()
        if any(f"pid={pid}," in line for pid in pids)
    }


def session_folder() -> tuple[Path, int]:
    """The folder of the cluster that all processes of a test session share, and the process of the
    session.
    """
    owner, _, folder = os.environ[SESSION].partition(":")
    return Path(folder), int(owner)


def start_keeper(folder: Path, owner: int) -> None:
    """Start a cluster for the process `owner`, without waiting for it."""
    with (folder / "log").open("wb") as log:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "tests.support.ray_cluster", str(folder), str(owner)],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    _KEEPERS.append(keeper)
    (folder / "keeper").write_text(str(keeper.pid))


def end_keeper(folder: Path) -> list[str]:
    """End the cluster of a keeper. Returns the titles of processes that still run: none."""
    if not (folder / "keeper").exists():
        return []
    keeper = int((folder / "keeper").read_text())
    with contextlib.suppress(ProcessLookupError):
        os.kill(keeper, signal.SIGTERM)
    while processes(keeper):  # a process that ended and waits for its parent has no title
        time.sleep(0.02)
    state = folder / STATE
    nodes = json.loads(state.read_text()).get("nodes", []) if state.exists() else []
    return [title for node in nodes for title in processes(node).values()]


def await_cluster(folder: Path) -> Cluster:
    """The cluster of a keeper.

    Raises:
        TooBusy: the machine is too slow today.
    """
    keeper = int((folder / "keeper").read_text())
    while not (folder / STATE).exists():
        if not processes(keeper):
            raise RuntimeError((folder / "log").read_text())
        time.sleep(0.05)
    state = json.loads((folder / STATE).read_text())
    if "error" in state:
        raise TooBusy(state["error"]) if _BUSY in state["error"] else RuntimeError(state["error"])
    return Cluster(state["address"], state["nodes"], {**os.environ, **state["environment"]})


def _keep(folder: Path, owner: int) -> None:
    """See the module."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    state = folder / (STATE + ".new")
    state.touch(mode=0o600)  # it has the token
    with tempfile.TemporaryDirectory(prefix="ll-ray-", ignore_cleanup_errors=True) as name:
        try:
            cluster = start_cluster(Path(name))
            state.write_text(json.dumps(cluster._asdict()))
            state.replace(folder / STATE)
            while Path(f"/proc/{owner}").exists():
                time.sleep(0.5)
        except (TooBusy, RuntimeError) as error:
            state.write_text(json.dumps({"error": str(error)}))
            state.replace(folder / STATE)
        finally:
            for node in _NODES:
                end_processes(node)


if __name__ == "__main__":
    _keep(Path(sys.argv[1]), int(sys.argv[2]))
