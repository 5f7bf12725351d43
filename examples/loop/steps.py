"""Runs the steps of the loop once each, with their seconds; a second call skips what is done."""

import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

HERE = Path(__file__).parent
WORK = Path("work")


class LoopError(Exception):
    """A step did not end as expected."""


class Programs:
    """The programs that the loop starts. The tests replace what needs weights."""

    def llmeval(self, *arguments: object, **variables: str) -> int:
        """`llmeval ARGUMENTS` in a process; gives its exit code."""
        words = [sys.executable, "-m", "llmeval", *map(str, arguments)]
        return subprocess.run(words, check=False, env={**os.environ, **variables}).returncode

    def train(self, name: str, rows: str, start: str | None, epochs: int, rate: float) -> None:
        """Train an adapter in `work/models/NAME`."""
        words = [sys.executable, str(HERE / "train.py"), "--data", rows, "--epochs", str(epochs)]
        words += ["--rate", str(rate), "--out", str(WORK / "models" / name)]
        words += ["--start", str(WORK / "models" / start)] if start else []
        subprocess.run(words, check=True)

    def serve(self, model: str, log: str) -> "Server":
        """Start a server of a model."""
        return Server(model, log)


class Server:
    """A process that serves a model. The port is free when it starts."""

    def __init__(self, model: str, log: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as found:
            self.port: int = found.getsockname()[1]
        words = [sys.executable, str(HERE / "serve.py"), "--port", str(self.port)]
        words += ["--model", str(WORK / "models" / model), "--log", str(WORK / log)]
        self._process = subprocess.Popen(words)
        self._wait()

    def _wait(self) -> None:
        end = time.monotonic() + 120
        while time.monotonic() < end:
            if self._process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.1)
        self.close()
        raise LoopError("the server did not start")

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()


class Steps:
    """What is done, in `work/steps.jsonl`: name, exit code, wall and CPU seconds."""

    def __init__(self) -> None:
        self._file = WORK / "steps.jsonl"
        if not self._file.exists():
            for old in (WORK, Path("approvals")):
                shutil.rmtree(old, ignore_errors=True)
            for name in ("audit.jsonl", "release.lock.json"):
                Path(name).unlink(missing_ok=True)
            WORK.mkdir()
            self._file.touch()
        rows = [json.loads(line) for line in self._file.read_text("utf-8").splitlines()]
        self.rows: list[dict[str, object]] = rows
        self._started, self._cpu = time.monotonic(), cpu_seconds()

    def do(self, name: str, act: Callable[[], object], expected: Sequence[int] = (0,)) -> int:
        """Carry out a step, unless it is done. Gives its exit code.

        Raises:
            LoopError: the exit code is another one.
        """
        for row in self.rows:
            if row["step"] == name:
                return int(str(row["exit"]))
        print(f"\n==> {name}", flush=True)
        begun, cpu = time.monotonic(), cpu_seconds()
        result = act()
        code = result if isinstance(result, int) else 0
        wall, used = time.monotonic() - begun, cpu_seconds() - cpu
        total = time.monotonic() - self._started
        print(f"[{total:6.1f} s] {name}: exit {code}, {wall:.1f} s, CPU {used:.1f} s", flush=True)
        if code not in expected:
            wanted = " or ".join(map(str, expected))
            raise LoopError(f"{name}: exit code {code}, expected {wanted}")
        row = {"step": name, "exit": code, "wall": round(wall, 1), "cpu": round(used, 1)}
        self.rows.append(row)
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        return code

    def table(self) -> list[str]:
        """The steps as lines of a table."""
        lines = ["", f"{'step':<48}{'exit':>5}{'wall s':>9}{'CPU s':>9}", "-" * 71]
        for row in self.rows:
            lines.append(f"{row['step']!s:<48}{row['exit']:>5}{row['wall']:>9}{row['cpu']:>9}")
        sums = [sum(float(str(row[key])) for row in self.rows) for key in ("wall", "cpu")]
        return [*lines, "-" * 71, f"{'all steps':<53}{sums[0]:>9.0f}{sums[1]:>9.0f}"]


def cpu_seconds() -> float:
    """CPU seconds of this process and of all that have ended."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)
