"""A run of a million cases in shards, with recorded answers: time and memory of each step.

    python benchmarks/big_run.py [--cases 1000000] [--shards 8] [--at-once 2] [--folder DIR]

Every 20th answer is wrong. It prints, for each step (the shards, merge, the index of the history),
the seconds on the clock, the seconds of CPU, the greatest resident memory, and the sizes of the
records and of the report. The goals are those of docs/scale.md.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
SUITE = """suite: big
cases: cases.jsonl
prompt: "{{ question }}"
candidate: {provider: replay, source: answers.jsonl}
checks:
  - contains: "{{ reference }}"
gate: {floors: {contains: 0.9}}
"""


class Step(NamedTuple):
    """What a process used. `rss`: the greatest resident memory in MB."""

    code: int
    wall: float
    cpu: float
    rss: float


def write_files(folder: Path, n: int) -> Path:
    """The suite with its cases and answers."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        (folder / "cases.jsonl").open("w") as cases,
        (folder / "answers.jsonl").open("w") as answers,
    ):
        for i in range(n):
            cases.write(f'{{"id":"c{i:07}","question":"What is number {i}?","reference":"value-{i}",'
                        f'"tags":{{"kind":"k{i % 5}"}}}}\n')  # fmt: skip
            word = "other" if i % 20 == 0 else "value"
            answers.write(
                f'{{"id":"c{i:07}","output":"It is {word}-{i}, as the document says."}}\n'
            )
    (folder / "suite.yaml").write_text(SUITE)
    return folder / "suite.yaml"


def carry_out(commands: list[list[str]], folder: Path, at_once: int) -> list[Step]:
    """Run commands of llmeval, so many at once."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LLMEVAL_HOME": str(folder / "home")}
    waiting, running, steps = list(commands), dict[int, float](), []
    while waiting or running:
        while waiting and len(running) < at_once:
            process = subprocess.Popen([sys.executable, "-m", "llmeval", *waiting.pop(0)],
                                       env=environment, cwd=folder, stdout=subprocess.DEVNULL)  # fmt: skip
            running[process.pid] = time.monotonic()
        pid, status, usage = os.wait3(0)
        steps.append(step_of(status, time.monotonic() - running.pop(pid), usage))
    return steps


def step_of(status: int, wall: float, usage: resource.struct_rusage) -> Step:
    """What the operating system says about a process that ended."""
    return Step(
        os.waitstatus_to_exitcode(status),
        wall,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss / 1024,
    )


def show(name: str, steps: list[Step], wall: float) -> None:
    """One line."""
    codes = sorted({step.code for step in steps})
    print(f"{name:10} {wall:8.1f} s, {sum(step.cpu for step in steps):8.1f} s of CPU, "
          f"at most {max(step.rss for step in steps):6.0f} MB a process, exit codes {codes}", flush=True)  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--shards", type=int, default=8)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        suite = write_files(folder, options.cases)
        parts = [["run", str(suite), "--shard", f"{i}/{options.shards}", "--out", f"shards/{i}"]
                 for i in range(1, options.shards + 1)]  # fmt: skip
        merge = [["merge", "shards", "--suite", str(suite), "--out", "reports/big/merged"]]
        index = [["history", "index", "--reports", "reports"]]
        for name, commands in (("shards", parts), ("merge", merge), ("history", index)):
            began = time.monotonic()
            steps = carry_out(commands, folder, options.at_once)
            show(name, steps, time.monotonic() - began)
        run = folder / "reports/big/merged"
        sizes = {path.name: path.stat().st_size / 1e6 for path in sorted(run.iterdir())}
        print(", ".join(f"{name} {size:.1f} MB" for name, size in sizes.items() if size > 0.05))


if __name__ == "__main__":
    main()
