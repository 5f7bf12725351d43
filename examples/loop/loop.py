"""The loop, from the first training to the retrained release. One command plays it offline:

    python loop.py

Every step is a command of llmeval that a shell, a Makefile or an orchestrator runs as well. A step
with another exit code than the expected one ends the loop.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import data

HERE = Path(__file__).parent
WORK = Path("work")
Command = Callable[..., int]
"""Runs `llmeval ARGUMENTS` with environment variables, and returns its exit code."""
Training = Callable[[str, str, str | None, int, float], None]
"""Trains: (name, data, adapter to continue from, epochs, rate)."""
BASELINE = WORK / "release.lock.json"
PRODUCTION = WORK / "models" / "production"
OLD, NEW = "work/data/train-old.jsonl", "work/data/train-new.jsonl"


class LoopError(Exception):
    """A step did not end as expected."""


def command(*arguments: object, **variables: str) -> int:
    """`llmeval ARGUMENTS` in a process."""
    words = [sys.executable, "-m", "llmeval", *map(str, arguments)]
    return subprocess.run(words, check=False, env={**os.environ, **variables}).returncode


def train(name: str, rows: str, start: str | None, epochs: int, rate: float) -> None:
    """Train an adapter in `work/models/NAME`."""
    words = [sys.executable, str(HERE / "train.py"), "--data", rows, "--epochs", str(epochs)]
    words += ["--rate", str(rate), "--out", str(WORK / "models" / name)]
    words += ["--start", str(WORK / "models" / start)] if start else []
    subprocess.run(words, check=True)


class Loop:
    """The steps, in their order."""

    def __init__(self, llmeval: Command, training: Training, window: int = 240) -> None:
        self._llmeval, self._train, self._window = llmeval, training, window
        self._started = time.monotonic()

    def play(self) -> None:
        """Play all of it.

        Raises:
            LoopError: a step did not end as expected.
        """
        self.first_release()
        self.notice_the_change()
        self.refuse_the_bad_one()
        self.release_the_retrained_one()

    def first_release(self) -> None:
        """Train on six departments, test, promote, and keep the baseline."""
        data.write_all(WORK / "data")
        (WORK / "audit.jsonl").touch()
        self._train("v1", OLD, None, 2, 2e-3)
        self._step("test v1", 0, "run", "first.yaml", "--out", WORK / "runs/v1", model="v1")
        self._promote("v1", 0)
        reason = ("--by", "release manager", "--reason", "first release", "--expires", "2099-01-01")
        self._step(
            "baseline v1", 0, "baseline", "approve", WORK / "runs/v1", *reason, "--out", BASELINE
        )

    def notice_the_change(self) -> None:
        """Two windows of traffic: days 1 to 30, and from day 31 on."""
        self._traffic("before", 1)
        self._traffic("after", data.FIRST_NEW_DAY)
        if not self._is_worse("before", "after"):
            raise LoopError("the change of day 31 was not shown")
        print("decision: refresh the data and retrain", flush=True)

    def refuse_the_bad_one(self) -> None:
        """Training on the new messages alone forgets the old ones; the gate stops it."""
        self._train("bad", NEW, "v1", 6, 1e-3)
        self._step("test bad", 1, "run", "release.yaml", "--out", WORK / "runs/bad", model="bad")
        self._promote("bad", 2)

    def release_the_retrained_one(self) -> None:
        """From the base with old and new messages: tested, promoted, and the traffic recovers."""
        self._train("v2", f"{OLD},{NEW}:2", None, 2, 2e-3)
        self._step("test v2", 0, "run", "release.yaml", "--out", WORK / "runs/v2", model="v2")
        self._promote("v2", 0)
        self._traffic("recovered", data.FIRST_NEW_DAY + 14)
        if self._is_worse("before", "recovered"):
            raise LoopError("the traffic did not recover")

    def _promote(self, name: str, code: int) -> None:
        run = WORK / "runs" / name
        self._step(f"promote {name}", code, "promote", run, "--to", PRODUCTION, model=name)

    def _traffic(self, name: str, day: int) -> None:
        rows = data.day_of_traffic(day, self._window)
        path = WORK / "data" / f"window-{name}.jsonl"
        data.write_lines(path, data.cases(rows, name))
        self._step(
            f"traffic {name}", 0, "run", "traffic.yaml", "--out", WORK / "runs" / name,
            model="production", window=str(path),
        )  # fmt: skip

    def _is_worse(self, first: str, second: str) -> bool:
        """Whether the second window has a lower share of right answers, at 95 %."""
        summaries = [WORK / "runs" / name for name in (first, second)]
        self._step(
            "compare windows", 0, "compare", *summaries, "--unpaired", "--label", "$.department"
        )
        from llmeval.compare.unpaired import compare_windows
        from llmeval.store.directory import RunDir

        made = compare_windows(*(RunDir(path) for path in summaries), label="$.department")
        return any(row.metric == "equals" and row.word == "lower" for row in made.differences)

    def _step(
        self, name: str, code: int, *arguments: object, model: str = "", window: str = ""
    ) -> None:
        folder = str(WORK / "models" / model) if model else "none"
        got = self._llmeval(*arguments, LOOP_MODEL=folder, LOOP_WINDOW=window or "none")
        seconds = time.monotonic() - self._started
        print(f"[{seconds:6.1f} s] {name}: exit {got}", flush=True)
        if got != code:
            raise LoopError(f"{name}: exit code {got}, expected {code}")


def main() -> None:
    """Play the loop in the current folder, next to the suites."""
    os.chdir(HERE)
    try:
        Loop(command, train).play()
    except LoopError as error:
        sys.exit(f"loop: {error}")
    print(json.dumps({"production": os.readlink(PRODUCTION)}))


if __name__ == "__main__":
    main()
