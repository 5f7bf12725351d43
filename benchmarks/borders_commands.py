"""Every command that reads a run, on damaged run directories, in this process.

A damaged record is refused with exit code 2 or 3 and a message that names the file. No command
crashes, and none returns success for records that do not match their checksums.
"""

import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from benchmarks.borders_damage import damaged, retyped_file
from llmeval import api
from llmeval.runner.options import Options
from tests.support.command import llmeval
from tests.support.endpoint import serve
from tests.support.suites import answer, write_suite

RECORDS = ("answers.jsonl", "scores.jsonl", "cases.jsonl", "manifest.json")
REFUSED = (2, 3, 5)
Count = Callable[[str, str, str], None]
"""Takes the kind, the outcome and a description of a crash."""


def commands_of(folder: Path) -> dict[str, list[object]]:
    """The commands, by name. Those that write do so outside of the run."""
    run, other, out = folder / "run", folder / "other", folder / "written"
    return {
        "gate": ["gate", run],
        "report": ["report", run],
        "compare": ["compare", run, other],
        "compare as second": ["compare", other, run],
        "score": [
            "score",
            run,
            "--suite",
            folder / "checks" / "suite.yaml",
            "--out",
            out / "scored",
        ],
        "merge": ["merge", run, folder / "first", "--out", out / "merged"],
        "labels sample": ["labels", "sample", run, "--n", "3", "--out", out / "sheet.csv"],
        "labels stats": ["labels", "stats", run],
        "labels export": ["labels", "export", run],
        "baseline approve": [
            "baseline",
            "approve",
            run,
            "--by",
            "ann",
            "--reason",
            "r",
            "--out",
            out / "lock.json",
        ],
        "runs show": ["runs", "show", run],
    }


def prepare(folder: Path) -> None:
    """A run and another one to compare, the two shards of a third, and a suite without a judge."""
    with serve(answer) as endpoint:
        write_suite(folder / "checks", endpoint.url, 6, judge=False)
        suite = write_suite(folder, endpoint.url, 6, "gate: {floors: {contains: 0.1}}\n")
        for name in ("run", "other"):
            api.run(suite, options=Options(out=folder / name, use_cache=False))
        for number, name in ((1, "first"), (2, "second")):
            # all cases may be in one shard
            llmeval("run", suite, "--shard", f"{number}/2", "--out", folder / name, "--no-cache")


def play(count: Count, rng: random.Random, folder: Path, n: int) -> None:
    """Damage one record file, and carry out one command, n times.

    Args:
        count: called with each outcome: refused, same, other or crashed.
        rng: chooses file, damage and command.
        folder: an empty folder.
        n: how often.
    """
    prepare(folder)
    commands = commands_of(folder)
    intact = {name: _output(folder, name, command) for name, command in commands.items()}
    for index in range(n):
        name = list(commands)[index % len(commands)]
        run = _fresh(folder, name)
        file = rng.choice(RECORDS)
        before = (run / file).read_bytes()
        kind = "bytes" if rng.random() < 0.6 else "types"
        after = damaged(rng, before) if kind == "bytes" else retyped_file(rng, file, before, False)
        (run / file).write_bytes(after)
        done = llmeval(*commands[name], cwd=folder)
        output = done.stdout + done.stderr
        if done.returncode < 0 or "internal error" in output or "Traceback" in output:
            count(f"command: {name}", "crashed", f"{file}: {output[-300:]}")
        elif done.returncode in REFUSED:
            count(f"command: {name}", "refused", "")
        else:
            same = _stable(output) == intact[name]
            description = "" if same else f"{file} ({kind}): exit {done.returncode}"
            count(f"command: {name}", "same" if same else "other", description)


def _fresh(folder: Path, name: str) -> Path:
    """The run of a command, intact."""
    run = folder / "run"
    shutil.rmtree(run)
    shutil.copytree(folder / ("second" if name == "merge" else "other"), run)
    shutil.rmtree(folder / "written", ignore_errors=True)
    (folder / "written").mkdir()
    return run


def _output(folder: Path, name: str, command: list[object]) -> str:
    _fresh(folder, name)
    done = llmeval(*command, cwd=folder)
    return _stable(done.stdout + done.stderr)


def _stable(output: str) -> str:
    """The output without times, which differ between two calls."""
    return re.sub(r"\d+(\.\d+)? s\b|\d{8}T\d{6}Z-\w+|[\d:]{8}Z?|attempt \d+", "", output)
