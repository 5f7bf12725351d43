"""What a shared store costs, and what a second worker brings.

    python benchmarks/scale.py [--cases 1500] [--latency 0.2] [--concurrency 32] [--repeat 3] [--ray] [--weights]

It starts a PostgreSQL server and an endpoint on this machine, and runs one suite: alone without a
store, alone with one, in two shards with one, and twice at once as one group. Times are those of
the runs' manifests, without the start of the process. All of them share this machine's cores with
the server and the endpoint, so the figures are lower bounds.

`--ray` also starts a Ray cluster, and measures how much later than a run in one process a run with
two workers on that cluster sends its first request. `--weights` runs a small model with random weights
on this machine, in one process and in two shards, each of them with one thread of torch.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.support.endpoint import Endpoint, serve
from tests.support.postgres import PostgresServer, running_server
from tests.support.ray_cluster import Cluster, end_cluster, start_cluster
from tests.support.suites import answer, write_suite

ROOT = Path(__file__).parent.parent


def runs(suite: Path, outs: list[Path], more: list[list[str]], store: str | None) -> float:
    """The longest time of runs that go on at once, in seconds."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LLMEVAL_RUN_GROUP": "bench"}
    environment.pop("LLMEVAL_STORE", None)
    if store is not None:
        environment["LLMEVAL_STORE"] = store
    processes = []
    for out, options in zip(outs, more, strict=True):
        environment["LLMEVAL_HOME"] = str(out.with_suffix(".home"))
        command = [sys.executable, "-m", "llmeval", "run", str(suite), "--out", str(out), *options]
        processes.append(
            subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, cwd=suite.parent)
        )
    codes = [process.wait() for process in processes]
    if any(codes):
        raise SystemExit(f"a run ended with one of the exit codes {codes}")
    return max(float(json.loads((out / "manifest.json").read_text())["wall_s"]) for out in outs)


def measure(
    suite: Path, server: PostgresServer, endpoint: Endpoint, concurrency: int, name: str
) -> dict[str, float]:
    """Seconds of the four ways to run, and the calls of two equal runs."""
    folder = suite.parent
    flight = ["--concurrency", str(concurrency)]
    parts = [[*flight, "--shard", f"{i}/2"] for i in (1, 2)]

    def outs(kind: str, n: int) -> list[Path]:
        return [folder / f"{name}-{kind}-{i}" for i in range(n)]

    result = {
        "alone": runs(suite, outs("alone", 1), [flight], None),
        "store": runs(suite, outs("store", 1), [flight], server.database()),
        "shards": runs(suite, outs("shards", 2), parts, server.database()),
    }
    before = len(endpoint.requests)
    result["twice"] = runs(suite, outs("twice", 2), [flight, flight], server.database())
    result["calls"] = len(endpoint.requests) - before
    return result


def first_request(suite: Path, endpoint: Endpoint, cluster: Cluster | None, name: str) -> float:
    """Seconds from the start of the process to the first request of a run."""
    more = [] if cluster is None else ["--executor", f"ray://{cluster.address}", "--workers", "2"]
    environment = {**os.environ, **(cluster.environment if cluster else {})}
    environment["LLMEVAL_HOME"] = str(suite.parent / f"{name}.home")
    before, began = len(endpoint.requests), time.perf_counter()
    command = [sys.executable, "-m", "llmeval", "run", str(suite), "--no-cache"]
    process = subprocess.Popen(
        [*command, "--out", str(suite.parent / name), *more], env=environment, cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    while len(endpoint.requests) == before and process.poll() is None:
        time.sleep(0.005)
    seconds = time.perf_counter() - began
    if process.wait():
        raise SystemExit(f"{name} ended with exit code {process.returncode}")
    return seconds


def ray_start(suite: Path, endpoint: Endpoint, repeat: int, folder: Path) -> float:
    """The median of the seconds that workers on a running cluster add before the first request."""
    cluster = start_cluster(folder / "ray")
    try:
        return statistics.median(
            first_request(suite, endpoint, cluster, f"{n}-ray")
            - first_request(suite, endpoint, None, f"{n}-local")
            for n in range(repeat)
        )
    finally:
        end_cluster(cluster)


def weights_gain(folder: Path, cases: int, repeat: int) -> float:
    """How many times as fast two shards are as one process, both with one thread a process."""
    from tests.models.test_local_model import make_model

    folder.mkdir()
    make_model(folder / "model")
    suite = write_suite(folder, "http://127.0.0.1:9/v1", cases, judge=False)
    model = "candidate: {provider: transformers, model: ./model, params: {max_tokens: 128}}"
    suite.write_text(suite.read_text().replace("candidate: cand", model))
    os.environ["OMP_NUM_THREADS"] = "1"
    parts = [["--no-cache", "--shard", f"{n}/2"] for n in (1, 2)]
    gains = []
    for i in range(repeat):
        alone = runs(suite, [folder / f"{i}-alone"], [["--no-cache"]], None)
        gains.append(alone / runs(suite, [folder / f"{i}-{n}" for n in (1, 2)], parts, None))
    return statistics.median(gains)


def main() -> None:
    """Print the figures next to the goals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1500)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--ray", action="store_true")
    parser.add_argument("--weights", action="store_true")
    options = parser.parse_args()
    started = gain = None
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ll-")))
        endpoint = stack.enter_context(serve(answer, latency=options.latency))
        servers = running_server()
        server = next(servers)
        stack.callback(servers.close)  # type: ignore[attr-defined]
        suite = write_suite(folder, endpoint.url, options.cases, judge=False)
        limits = f"api_key: secret-key-1234, limits: {{concurrency: {options.concurrency}}}"
        suite.write_text(suite.read_text().replace("api_key: secret-key-1234", limits))
        rows = [
            measure(suite, server, endpoint, options.concurrency, str(i))
            for i in range(options.repeat)
        ]
        if options.ray:
            few = write_suite(folder / "few", endpoint.url, 40, judge=False)
            started = ray_start(few, endpoint, options.repeat, folder)
        if options.weights:
            gain = weights_gain(folder / "weights", options.cases, options.repeat)
    median = {key: statistics.median(row[key] for row in rows) for key in rows[0]}
    load = os.getloadavg()[0]
    print(f"{options.cases} cases, {options.latency * 1000:.0f} ms a call, "
          f"{options.concurrency} in flight a worker; medians of {options.repeat}; load {load:.1f}")  # fmt: skip
    for key in ("alone", "store", "shards", "twice"):
        print(f"  {key:8} {median[key]:7.2f} s")
    print(f"two workers against one: {median['store'] / median['shards']:.2f} (goal 1.8)")
    print(f"the store costs {median['store'] / median['alone'] - 1:.1%} of the time (goal 10 %)")
    print(f"two equal runs at once: {median['calls']:.0f} calls of {options.cases} requests")
    if started is not None:
        print(f"workers on a running Ray cluster start {started:.1f} s later (goal 5 s)")
    if gain is not None:
        print(f"two shards with local weights against one process: {gain:.2f}")


if __name__ == "__main__":
    main()
