"""Processes that are killed while they seal or add events: the next command works."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmeval.core.records import Label
from llmeval.governance.audit import append_event, read_chain
from llmeval.governance.seal import seal_run
from llmeval.governance.verify import check_seal
from llmeval.store.directory import LABELS
from llmeval.store.labels import append, read
from tests.support.command import ROOT, llmeval

KILLS = 15
SUITE = """\
suite: killed
cases: [{id: a, question: "1", reference: "one"}, {id: b, question: "2", reference: "two"}]
prompt: "{{ question }}"
models: {words: {provider: python, function: "killed_app:answer", build: "1"}}
candidate: words
checks: [facts]
gate: {floors: {facts: 0.05}}
"""
SEAL = """\
from itertools import count
from llmeval.governance.seal import seal_run

def work(run):
    for number in count():
        (run / "labels.jsonl").write_text(chr(10) * (number % 50))
        seal_run(run)
"""
APPEND = """\
from itertools import count
from llmeval.governance.audit import append_event

def work(path):
    for number in count():
        append_event(path, "ada", "approved", f"run {number}", note="x" * 5000)
        print(number, flush=True)
"""
STARTS = """
import os, sys
from pathlib import Path

for _ in sys.stdin:
    child = os.fork()
    if child == 0:
        print(os.getpid(), flush=True)
        work(Path(sys.argv[1]))
    _, status = os.waitpid(child, 0)
    print("ended by", os.WTERMSIG(status), flush=True)
"""
"""A process that has imported what `work` needs: for each line it starts one that works."""

LABEL = """\
import os
from itertools import count
from llmeval.core.records import Label
from llmeval.store.labels import append

def work(path):
    for number in count():
        label = Label(
            label_id=f"{os.getpid()}-{number}", case_id="a", metric="facts",
            human_verdict="pass", reviewer="ada", comment="x" * 5000, at="2026-03-01T00:00:00Z",
        )
        append(path, [label])
        print(label.label_id, flush=True)
"""


@contextlib.contextmanager
def started(script: str, path: Path) -> "Iterator[subprocess.Popen[str]]":
    """The process that starts those that the test kills."""
    with subprocess.Popen(
        [sys.executable, "-c", script + STARTS, str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process


def killed(starts: "subprocess.Popen[str]", after_s: float) -> list[str]:
    """Start a process that works, kill it at a moment, and give the lines that it printed."""
    assert starts.stdin is not None and starts.stdout is not None
    starts.stdin.write("one\n")
    starts.stdin.flush()
    process = int(starts.stdout.readline())
    time.sleep(after_s)
    os.kill(process, signal.SIGKILL)
    printed = list(iter(starts.stdout.readline, f"ended by {int(signal.SIGKILL)}\n"))
    assert "" not in printed
    return printed


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_process_that_dies_while_it_seals(tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text(SUITE)
    (tmp_path / "killed_app.py").write_text(
        "def answer(prompt): return {'1': 'one', '2': 'two'}[prompt]\n"
    )
    assert llmeval("run", "suite.yaml", "--out", "run", cwd=tmp_path).returncode == 0
    run, rng = tmp_path / "run", random.Random(7)
    with started(SEAL, run) as starts:
        for _ in range(KILLS):
            killed(starts, rng.uniform(0, 0.08))
            seal_run(run)
            assert check_seal(run).problems == ()
    assert llmeval("verify", run).returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_process_that_dies_while_it_adds_an_event(tmp_path: Path) -> None:
    path, rng, reported = tmp_path / "audit.jsonl", random.Random(8), 0
    with started(APPEND, path) as starts:
        for number in range(KILLS):
            reported += len(killed(starts, rng.uniform(0, 0.08)))
            append_event(path, "ben", "rejected", f"after {number}")
            check = read_chain(path)
            assert check.problems == ()
            assert len(check.events) >= reported + number + 1  # what was reported is never removed


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_process_that_dies_while_it_adds_a_label(tmp_path: Path) -> None:
    rng, reported = random.Random(9), set[str]()
    with started(LABEL, tmp_path) as starts:
        for number in range(KILLS // 3):
            reported |= set(killed(starts, rng.uniform(0, 0.08)))
            next_label = Label(
                label_id=f"next-{number}",
                case_id="a",
                metric="facts",
                human_verdict="fail",
                reviewer="ada",
            )
            append(tmp_path, [next_label])
            ids = {f"{label.label_id}\n" for label in read(tmp_path / LABELS)}
            assert reported | {f"next-{number}\n"} <= ids, "what was saved is there"
