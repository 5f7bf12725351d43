"""What a kill costs: a run is killed at random moments, and continued.

    python benchmarks/kills.py [--executor local|shard|ray] [--kills 50] [--cases 120] [--what worker|driver]

It starts an endpoint on this machine. For each round it runs a suite, kills a process with SIGKILL after a
random number of requests, lets the run end (or continues it with the same command), and compares the
result with an undisturbed run. It prints the rounds with a missing answer (goal 0) and the requests
that were sent twice (goal: at most those in flight).

- local, driver: the process of the run.
- shard, worker: one of two shards on one PostgreSQL store; the other one takes its calls over.
- ray, worker or driver: an actor of a cluster that the run starts (or `--address`), or the run.
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
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.support.endpoint import Endpoint, serve
from tests.support.postgres import running_server
from tests.support.suites import answer, write_suite

ROOT = Path(__file__).parent.parent
CONCURRENCY = 8


def start(
    suite: Path, out: Path, environment: dict[str, str], more: list[str]
) -> "subprocess.Popen[bytes]":
    """A run as a process."""
    command = [sys.executable, "-m", "llmeval", "run", str(suite), "--out", str(out),
               "--concurrency", str(CONCURRENCY), *more]  # fmt: skip
    return subprocess.Popen(
        command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def descendants(pid: int, word: str) -> list[int]:
    """The processes below a process whose title contains a word."""
    parents: dict[int, tuple[int, str]] = {}
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            parents[int(path.name)] = parent, (path / "cmdline").read_text()
    below = {pid}
    while more := {each for each, (parent, _) in parents.items() if parent in below} - below:
        below |= more
    return [each for each in below - {pid} if word in parents[each][1]]


def wait_for(endpoint: Endpoint, n: int, runs: "list[subprocess.Popen[bytes]]") -> None:
    """Until so many requests came, or all runs ended."""
    while len(endpoint.requests) < n and any(run.poll() is None for run in runs):
        time.sleep(0.002)


def results(out: Path) -> object:
    """What two equal runs share."""
    summary = json.loads((out / "summary.json").read_text())
    return summary["counts"], summary["metrics"], summary["gate"]["decision"]


def whole(suite: Path, out: Path, environment: dict[str, str], parts: int) -> Path:
    """The directory of the whole run: merged, if it has parts."""
    if parts == 1:
        return out / "1"
    merge = [sys.executable, "-m", "llmeval", "merge", str(out), "--suite", str(suite)]
    subprocess.run([*merge, "--out", str(out / "whole")], env=environment, cwd=ROOT,
                   check=True, stdout=subprocess.DEVNULL)  # fmt: skip
    return out / "whole"


def one_round(
    options: argparse.Namespace, suite: Path, out: Path, environment: dict[str, str],
    endpoint: Endpoint, kill_at: int,
) -> Path:  # fmt: skip
    """One run with one kill. Returns the directory of the whole run."""
    ray = ["--executor", f"ray://{options.address}" if options.address else "ray", "--workers", "2"]
    parts = {"local": [[]], "shard": [["--shard", "1/2"], ["--shard", "2/2"]], "ray": [ray]}[
        options.executor
    ]
    commands = [(out / str(n), more) for n, more in enumerate(parts, 1)]
    runs = [start(suite, path, environment, more) for path, more in commands]
    wait_for(endpoint, kill_at, runs)
    victim = runs[0].pid
    if options.executor == "ray" and options.what == "worker":
        root = options.raylet or runs[0].pid
        victim = next(iter(descendants(root, "BatchWorker")), victim)
    with contextlib.suppress(ProcessLookupError):
        os.kill(victim, signal.SIGKILL)
    for run in runs:
        run.wait()
    for path, more in commands:
        manifest = path / "manifest.json"
        if not manifest.exists() or json.loads(manifest.read_text())["status"] != "complete":
            start(suite, path, environment, more).wait()
    return whole(suite, out, environment, len(parts))


def main() -> None:
    """Print one line a round, and the sums."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--executor", choices=["local", "shard", "ray"], default="local")
    parser.add_argument("--what", choices=["worker", "driver"], default="worker")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--cases", type=int, default=120)
    parser.add_argument("--latency", type=float, default=0.03)
    parser.add_argument("--address", default="", help="of a running Ray cluster on this machine")
    parser.add_argument("--raylet", type=int, default=0, help="the id of its first process")
    options = parser.parse_args()
    rng, repeats, differing = random.Random(7), [], 0
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        endpoint = stack.enter_context(serve(answer, latency=options.latency))
        suite = write_suite(folder, endpoint.url, options.cases, judge=False)
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        if options.executor == "shard":
            servers = running_server()
            server = next(servers)
            stack.callback(servers.close)  # type: ignore[attr-defined]
        environment["LLMEVAL_HOME"] = str(folder / "home")
        start(suite, folder / "expected", environment, ["--no-cache"]).wait()
        for number in range(options.kills):
            environment["LLMEVAL_HOME"] = str(folder / f"home{number}")
            environment["LLMEVAL_RUN_GROUP"] = f"round-{number}"
            if options.executor == "shard":
                environment["LLMEVAL_STORE"] = server.database()
            endpoint.requests.clear()
            endpoint.seen.clear()
            out = one_round(options, suite, folder / f"r{number}", environment, endpoint,
                            rng.randrange(1, options.cases))  # fmt: skip
            repeats.append(sum(count - 1 for count in endpoint.seen.values()))
            equal = (
                results(out) == results(folder / "expected") and len(endpoint.seen) == options.cases
            )
            differing += not equal
            print(f"round {number + 1}: {repeats[-1]} requests twice, result {'equal' if equal else 'DIFFERS'}",
                  flush=True)  # fmt: skip
    print(f"{options.executor}, {options.what} killed {options.kills} times: {differing} results differ (goal 0), "
          f"at most {max(repeats)} requests twice (in flight: {CONCURRENCY} a worker)")  # fmt: skip


if __name__ == "__main__":
    main()
