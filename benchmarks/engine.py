"""How fast the engine is, beside the floor, on the same server in the same run.

    python benchmarks/engine.py [--rig ../shared/bench] [--n 1000] [--repeat 3] [--mode MODE]

The rig is a stand-in for an OpenAI-compatible server (server.py), writes cases (cases.py) and has
bare loops as floors (limit.py). Each case costs one candidate call, one judge call and one check.
The physical limit is n * 2 * latency / concurrency. Runs alternate, medians are printed; `other` is
the share of the machine's cores that neither the runner nor the server used: read nothing from a
line where it is high.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FAULTS = {"e500": 0.05, "e429": 0.02, "reset": 0.01, "malformed": 0.01}
MORE_FAULTS = {**FAULTS, "hang": 0.002, "truncated": 0.005}
MODES = {
    "plain": "beside the floors",
    "start": "one case",
    "cache": "twice; the second time from the cache",
    "faults": "500s, 429s, resets, malformed verdicts; then with hangs and truncated bodies as well; beside a plain run",
    "limits": "a server that allows 8 requests in flight, or 100 a second",
    "dead": "a server that dies half-way",
    "tails": "lognormal latency",
    "equal": "three repeats with equal answers: each judged once",
}
SUITE = """\
suite: bench
cases: {{source: cases.jsonl}}
prompt: "{{{{ question }}}}"
models:
  cand: {{provider: openai, model: cand, base_url: "{url}", api_key: bench, timeout: {timeout}, params: {{temperature: 0, max_tokens: 128}}}}
  judge: {{provider: openai, model: judge, base_url: "{url}", api_key: bench, timeout: {timeout}, params: {{temperature: 0, max_tokens: 256}}}}
candidate: cand
repeats: {repeats}
checks: [{{contains: "{{{{ reference }}}}"}}]
judges: {{correctness: {{model: judge, prompt: reference, attacks: false}}}}
gate: none
"""


@dataclass
class Rig:
    """The server and its cases."""

    folder: Path
    rig: Path
    python: str
    port: int
    latency: float
    process: "subprocess.Popen[bytes] | None" = None
    seen: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, n: int) -> None:
        cases = [
            self.python,
            str(self.rig / "cases.py"),
            "--n",
            str(n),
            "--port",
            str(self.port),
            "--out",
            str(self.folder),
        ]
        subprocess.run(cases, check=True)
        self.serve()

    def serve(self) -> None:
        """Start the server, and wait until it answers."""
        command = [
            self.python,
            str(self.rig / "server.py"),
            "--port",
            str(self.port),
            "--table",
            str(self.folder / "table.jsonl"),
            "--latency-ms",
            str(self.latency),
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        for _ in range(200):
            try:
                self.ask("/stats")
                return
            except OSError:
                time.sleep(0.05)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait()

    def ask(self, path: str, data: Any = None) -> Any:
        body = None if data is None else json.dumps(data).encode()
        with urllib.request.urlopen(
            urllib.request.Request(self.url + path, data=body), timeout=10
        ) as response:
            return json.load(response)

    def timed(self, command: list[str]) -> dict[str, Any]:
        """Wall, CPU, peak memory of one command, and what the server saw."""
        self.ask("/reset", {})
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment["LLMEVAL_HOME"] = str(self.folder / "home")
        busy, started = _busy(), time.monotonic()
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert process.stdout is not None
        out = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - started
        server = self.ask("/stats")
        cpu = usage.ru_utime + usage.ru_stime
        other = (
            max(0.0, _busy() - busy - cpu - server["server_cpu_s"]) / wall / (os.cpu_count() or 1)
        )
        return {
            "wall": wall,
            "cpu": cpu,
            "rss": usage.ru_maxrss / 1024,
            "exit": os.waitstatus_to_exitcode(status),
            "requests": server["requests"],
            "status": server["status"],
            "duplicates": server["duplicate_bodies"],
            "other": other,
            "out": out,
        }


def _busy() -> float:
    values = [int(x) for x in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(values) - values[3] - values[4]) / os.sysconf("SC_CLK_TCK")


def llmeval(
    rig: Rig, concurrency: int, *more: str, timeout: float = 120, repeats: int = 1
) -> list[str]:
    """The command of one run into a fresh directory."""
    suite = rig.folder / "suite.yaml"
    suite.write_text(SUITE.format(url=rig.url + "/v1", timeout=timeout, repeats=repeats))
    shutil.rmtree(rig.folder / "run", ignore_errors=True)
    return [
        sys.executable,
        "-m",
        "llmeval",
        "run",
        str(suite),
        "--out",
        str(rig.folder / "run"),
        "--concurrency",
        str(concurrency),
        "--json",
        *more,
    ]


def floor(rig: Rig, kind: str, concurrency: int) -> list[str]:
    """The command of a bare loop."""
    return [
        rig.python,
        str(rig.rig / "limit.py"),
        kind,
        str(rig.folder / "cases.jsonl"),
        rig.url + "/v1",
        str(concurrency),
    ]


def counts(result: dict[str, Any]) -> str:
    """The run's own counts, or the floor's."""
    text = result["out"].decode()
    try:
        found = json.loads(text)["counts"]
        return f"{found['passed']}/{found['failed']}/{found['unscored']}/{found['errors']}"
    except ValueError:
        found = json.loads(text.rpartition("BENCH ")[2])
        return f"{found['pass']}/{found['fail']}/0/{found['error']}"


def show(name: str, results: list[dict[str, Any]], limit: float, n: int) -> dict[str, float]:
    """One line of medians."""
    middle = {
        key: statistics.median(r[key] for r in results)
        for key in ("wall", "cpu", "rss", "requests", "other")
    }
    print(
        f"| {name} | {middle['wall']:.2f} | {limit / middle['wall']:.2f} | {1000 * middle['cpu'] / n:.2f} "
        f"| {middle['rss']:.0f} | {middle['requests']:.0f} | {results[-1]['exit']} | {counts(results[-1])} "
        f"| {100 * middle['other']:.0f}% |",
        flush=True,
    )
    return middle


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rig", type=Path, default=Path("../shared/bench"))
    parser.add_argument(
        "--rig-python", default=sys.executable, help="a Python with uvloop, orjson, aiohttp"
    )
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--latency-ms", type=float, default=50)
    parser.add_argument("--port", type=int, default=8399)
    parser.add_argument("--floors", default="raw,aiohttp")
    parser.add_argument("--mode", default="plain", choices=MODES)
    a = parser.parse_args()
    if not (a.rig / "server.py").exists():
        sys.exit(f"not measured: there is no rig at {a.rig}")
    n = 1 if a.mode == "start" else a.n
    with tempfile.TemporaryDirectory() as folder:
        rig = Rig(Path(folder), a.rig.resolve(), a.rig_python, a.port, a.latency_ms)
        rig.start(n)
        try:
            measure(rig, a, n)
        finally:
            rig.stop()


def measure(rig: Rig, a: argparse.Namespace, n: int) -> None:
    """One mode."""
    limit = n * 2 * rig.latency / 1000 / a.concurrency
    print(
        f"\n{a.mode}: n={n}, concurrency {a.concurrency}, {rig.latency:g} ms a call, limit {limit:.2f} s\n"
    )
    print(
        "| runner | wall s | limit/wall | CPU ms/case | peak MiB | calls | exit | pass/fail/unscored/error | other |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    if a.mode == "faults":
        plain = 0.0
        for name, faults in (
            ("plain", {}),
            ("faults", FAULTS),
            ("faults, hangs, truncated bodies", MORE_FAULTS),
        ):
            rig.ask("/config", {"faults": faults})
            runs = [
                rig.timed(llmeval(rig, a.concurrency, "--no-cache", timeout=5))
                for _ in range(a.repeat)
            ]
            middle = show(f"llmeval, {name}", runs, limit, n)
            plain = plain or middle["wall"]
            times, calls = middle["wall"] / plain, middle["requests"] / (2 * n)
            print(
                f"  {times:.2f} times the plain run; {calls:.3f} times the least calls", flush=True
            )
        return
    if a.mode == "cache":
        for name in ("cold", "warm"):
            show(f"llmeval, {name} cache", [rig.timed(llmeval(rig, a.concurrency))], limit, n)
        return
    if a.mode == "dead":
        command = llmeval(rig, a.concurrency, "--no-cache")
        killer = threading.Timer(limit / 2 + 0.5, rig.stop)
        killer.start()
        started = time.monotonic()
        done = subprocess.run(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
        )
        wall = time.monotonic() - started - killer.interval
        answers = (rig.folder / "run" / "answers.jsonl").read_text().count('"output":"')
        print(
            f"exit {done.returncode}, {wall:.1f} s after the server died, {answers} answers kept; then the server is back:"
        )
        rig.serve()
        show("llmeval, the same command again", [rig.timed(command)], limit, n)
        return
    if a.mode == "tails":
        rig.ask("/config", {"dist": "lognormal", "sigma": 1.0})
        command = llmeval(rig, a.concurrency, "--no-cache")
        show("llmeval", [rig.timed(command) for _ in range(a.repeat)], limit, n)
        return
    if a.mode == "equal":
        result = rig.timed(llmeval(rig, a.concurrency, repeats=3))
        show("llmeval, three repeats", [result], limit, n)
        print(
            f"  requests: {3 * n} for the candidate, {result['requests'] - 3 * n} for the judge of {n} different answers"
        )
        return
    if a.mode == "limits":
        for name, config in (
            ("8 in flight", {"max_concurrent": 8}),
            ("100 a second", {"rpm": 6000}),
        ):
            rig.ask("/config", {"max_concurrent": 0, "rpm": 0, **config})
            result = rig.timed(llmeval(rig, a.concurrency, "--no-cache"))
            allowed = 8 / rig.latency * 1000 if "max_concurrent" in config else 100
            show(f"llmeval, server allows {name}", [result], 2 * n / allowed, n)
            print(f"  refused: {result['status'].get('429', 0)} of {result['requests']}")
        return
    floors = [] if a.mode == "start" else a.floors.split(",")
    results: dict[str, list[dict[str, Any]]] = {}
    for _ in range(a.repeat):
        for kind in floors:
            results.setdefault(f"floor: {kind}", []).append(
                rig.timed(floor(rig, kind, a.concurrency))
            )
        results.setdefault("llmeval", []).append(
            rig.timed(llmeval(rig, a.concurrency, "--no-cache"))
        )
    middles = {name: show(name, found, limit, n) for name, found in results.items()}
    if "floor: aiohttp" in middles:
        ratio = middles["llmeval"]["cpu"] / middles["floor: aiohttp"]["cpu"]
        print(f"\nCPU a case: {ratio:.2f} times the aiohttp floor.")


if __name__ == "__main__":
    main()
