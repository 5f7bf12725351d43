"""What a kill costs: a run is killed at random moments, and continued.

    python benchmarks/kills.py [--executor local shard ray] [--kills 50] [--cases 120]

It starts an endpoint on this machine. For each round it runs a suite, kills a process with SIGKILL after a
random number of requests, lets the run end (or continues it with the same command), and compares the
bytes of the summary (without times and counts of calls) with those of an undisturbed run of the same
executor. It prints the rounds with
another summary or a missing answer (goal 0) and the requests that were sent twice (goal: at most
those in flight).

- local, driver: the process of the run.
- shard, worker: one of two shards on one PostgreSQL store; the other one makes its calls.
- shard, driver: both shards.
- ray, worker: an actor; node: the processes of a second node, and in every other round its raylet
  alone; driver: the run. A cluster of two nodes on loopback serves all rounds.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.support.endpoint import Endpoint, serve
from tests.support.postgres import PostgresServer, running_server
from tests.support.ray_cluster import (
    Cluster,
    add_node,
    end_cluster,
    end_processes,
    processes,
    start_cluster,
)
from tests.support.suites import answer, write_suite
from tests.support.workers import comparable_summary

ROOT = Path(__file__).parent.parent
CONCURRENCY = 8
TARGETS: dict[str, list[str]] = {
    "local": ["driver"],
    "shard": ["worker", "driver"],
    "ray": ["worker", "node", "driver"],
}
PARTS: dict[str, list[list[str]]] = {
    "local": [[]],
    "shard": [["--shard", "1/2"], ["--shard", "2/2"]],
    "ray": [["--executor", "ray", "--workers", "2"]],
}


@dataclass
class Setting:
    """What all rounds share. `parts`: the options of the processes of a run."""

    executor: str
    suite: Path
    cases: int
    endpoint: Endpoint
    server: PostgresServer | None
    cluster: Cluster | None

    @property
    def parts(self) -> list[list[str]]:
        if self.cluster is None:
            return PARTS[self.executor]
        return [["--executor", f"ray://{self.cluster.address}", "--workers", "2"]]

    def environment(self, name: str) -> dict[str, str]:
        """Of the processes of a round."""
        own = {**os.environ, "PYTHONPATH": str(ROOT), "LLMEVAL_RUN_GROUP": name}
        own["LLMEVAL_HOME"] = str(self.suite.parent / f"home-{name}")
        if self.server is not None:
            own["LLMEVAL_STORE"] = self.server.database()
        if self.cluster is not None:  # the home of its workers is that of the nodes
            own |= self.cluster.environment
        return own


def start(
    suite: Path, out: Path, environment: dict[str, str], more: list[str]
) -> "subprocess.Popen[bytes]":
    """A run as a process."""
    command = [sys.executable, "-m", "llmeval", "run", str(suite), "--out", str(out),
               "--concurrency", str(CONCURRENCY), *more]  # fmt: skip
    return subprocess.Popen(
        command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def wait_for(endpoint: Endpoint, n: int, runs: "list[subprocess.Popen[bytes]]") -> None:
    """Until so many requests came, or all runs ended."""
    while len(endpoint.requests) < n and any(run.poll() is None for run in runs):
        time.sleep(0.002)


def kill(what: str, number: int, setting: Setting, runs: "list[subprocess.Popen[bytes]]") -> None:
    """End what a round ends."""
    cluster = setting.cluster
    victims = [run.pid for run in runs] if what == "driver" else [runs[0].pid]
    if cluster is not None and what == "worker":
        victims = cluster.actors()[:1]
    elif cluster is not None and what == "node":
        node = processes(cluster.nodes[-1])
        victims = [pid for pid, title in node.items() if number % 2 or "raylet/raylet" in title]
    for pid in victims:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def run_round(setting: Setting, what: str, number: int, name: str, kill_at: int | None) -> bytes:
    """One run, with one kill after `kill_at` requests; None: without a kill. Returns the summary."""
    setting.endpoint.requests.clear()
    setting.endpoint.seen.clear()
    environment = setting.environment(name)
    suite = setting.suite
    out = setting.suite.parent / f"run-{name}"
    commands = [(out / str(n), more) for n, more in enumerate(setting.parts, 1)]
    runs = [start(suite, path, environment, more) for path, more in commands]
    if kill_at is not None:
        wait_for(setting.endpoint, kill_at, runs)
        kill(what, number, setting, runs)
    for run in runs:
        run.wait()
    for path, more in commands:
        manifest = path / "manifest.json"
        if not manifest.exists() or json.loads(manifest.read_text())["status"] != "complete":
            start(suite, path, environment, more).wait()
    summary = json.loads(comparable_summary(whole(suite, out, environment, len(commands))))
    # A reply that was stored and not recorded counts as cached when the run continues.
    calls = summary.pop("calls")["candidate"]
    summary["replies"] = calls["made"] + calls["cached"]
    return json.dumps(summary).encode()


def whole(suite: Path, out: Path, environment: dict[str, str], parts: int) -> Path:
    """The directory of the whole run: merged, if it has parts."""
    if parts == 1:
        return out / "1"
    merge = [sys.executable, "-m", "llmeval", "merge", str(out), "--suite", str(suite)]
    subprocess.run([*merge, "--out", str(out / "whole")], env=environment, cwd=ROOT,
                   check=True, stdout=subprocess.DEVNULL)  # fmt: skip
    return out / "whole"


def repair(setting: Setting) -> None:
    """Start the second node again."""
    cluster = setting.cluster
    if cluster is not None:
        end_processes(cluster.nodes.pop())
        add_node(cluster)


def difference(expected: bytes, summary: bytes) -> str:
    """The keys of two summaries that differ, with the values of the second one."""
    one, two = json.loads(expected), json.loads(summary)
    keys = [key for key in {**one, **two} if one.get(key) != two.get(key)]
    return "".join(f"; {key} DIFFERS: {two.get(key)}" for key in keys)


def measure(setting: Setting, what: str, kills: int) -> str:
    """The rounds of one row of the table."""
    rng, repeats, differing = random.Random(7), [], 0
    expected = run_round(setting, what, 0, f"{setting.executor}-{what}-undisturbed", None)
    for number in range(1, kills + 1):
        name = f"{setting.executor}-{what}-{number}"
        summary = run_round(setting, what, number, name, rng.randrange(1, setting.cases))
        repeats.append(sum(count - 1 for count in setting.endpoint.seen.values()))
        differs = summary != expected or len(setting.endpoint.seen) != setting.cases
        differing += differs
        print(f"  {name}: {repeats[-1]} requests twice{difference(expected, summary)}",
              file=sys.stderr, flush=True)  # fmt: skip
        if what == "node":
            repair(setting)
    in_flight = CONCURRENCY * (2 if setting.executor == "ray" and what == "driver" else 1)
    in_flight *= 2 if (setting.executor, what) == ("shard", "driver") else 1
    return f"| {setting.executor}, {what} | {kills} | {differing} | {max(repeats)} | {in_flight} |"


def main() -> None:
    """Print a table, and the rounds to stderr."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--executor", nargs="*", choices=[*TARGETS], default=[*TARGETS])
    parser.add_argument("--what", nargs="*", choices=["worker", "node", "driver"])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--cases", type=int, default=120)
    parser.add_argument("--latency", type=float, default=0.03)
    options = parser.parse_args()
    print(
        "| executor, killed | rounds | other summary or missing answer | most requests twice | in flight |"
    )
    print("|---|---|---|---|---|", flush=True)
    for executor in options.executor:
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ll-")))
            endpoint = stack.enter_context(serve(answer, latency=options.latency))
            suite = write_suite(folder, endpoint.url, options.cases, judge=False)
            server = cluster = None
            if executor == "shard":
                servers = running_server()
                server = next(servers)
                stack.callback(servers.close)  # type: ignore[attr-defined]
            if executor == "ray":
                cluster = start_cluster(folder / "ray")
                stack.callback(end_cluster, cluster)
                add_node(cluster)
            setting = Setting(executor, suite, options.cases, endpoint, server, cluster)
            for what in TARGETS[executor]:
                if what in (options.what or TARGETS[executor]):
                    print(measure(setting, what, options.kills), flush=True)


if __name__ == "__main__":
    main()
