"""What a shared store costs, and what a second worker brings.

    python benchmarks/scale.py [--cases 1500] [--latency 0.2] [--concurrency 32] [--repeat 3]

It starts a PostgreSQL server and an endpoint on this machine, and runs one suite: alone without a
store, alone with one, in two shards with one, and twice at once as one group. Times are those of
the runs' manifests, without the start of the process. All of them share this machine's cores with
the server and the endpoint, so the figures are lower bounds.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.support.endpoint import Endpoint, serve
from tests.support.postgres import PostgresServer, running_server
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


def main() -> None:
    """Print the figures next to the goals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1500)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
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
    median = {key: statistics.median(row[key] for row in rows) for key in rows[0]}
    load = os.getloadavg()[0]
    print(f"{options.cases} cases, {options.latency * 1000:.0f} ms a call, "
          f"{options.concurrency} in flight a worker; medians of {options.repeat}; load {load:.1f}")  # fmt: skip
    for key in ("alone", "store", "shards", "twice"):
        print(f"  {key:8} {median[key]:7.2f} s")
    print(f"two workers against one: {median['store'] / median['shards']:.2f} (goal 1.8)")
    print(f"the store costs {median['store'] / median['alone'] - 1:.1%} of the time (goal 10 %)")
    print(f"two equal runs at once: {median['calls']:.0f} calls of {options.cases} requests")


if __name__ == "__main__":
    main()
