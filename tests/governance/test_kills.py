"""Processes that are killed while they seal or add events: the next command works."""

import random
import signal
import subprocess
import sys
import time
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
import sys
from itertools import count
from pathlib import Path
from llmeval.governance.seal import seal_run
run = Path(sys.argv[1])
print("ready", flush=True)
for number in count():
    (run / "labels.jsonl").write_text(chr(10) * (number % 50))
    seal_run(run)
"""
APPEND = """\
import sys
from itertools import count
from pathlib import Path
from llmeval.governance.audit import append_event
print("ready", flush=True)
for number in count():
    append_event(Path(sys.argv[1]), "ada", "approved", f"run {number}", note="x" * 5000)
    print(number, flush=True)
"""

LABEL = """\
import sys
from itertools import count
from pathlib import Path
from llmeval.core.records import Label
from llmeval.store.labels import append
print("ready", flush=True)
for number in count():
    label = Label(
        label_id=f"{sys.argv[2]}-{number}", case_id="a", metric="facts", human_verdict="pass",
        reviewer="ada", comment="x" * 5000, at="2026-03-01T00:00:00Z",
    )
    append(Path(sys.argv[1]), [label])
    print(label.label_id, flush=True)
"""


def killed(script: str, path: Path, after_s: float, *more: str) -> str:
    """Start a process, kill it at a moment, and give what it printed."""
    command = [sys.executable, "-c", script, str(path), *more]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as output:
        assert output.readline() == "ready\n"
        time.sleep(after_s)
        process.send_signal(signal.SIGKILL)
        printed = output.read()
    assert process.wait() == -signal.SIGKILL
    return printed


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_process_that_dies_while_it_seals(tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text(SUITE)
    (tmp_path / "killed_app.py").write_text(
        "def answer(prompt): return {'1': 'one', '2': 'two'}[prompt]\n"
    )
    assert llmeval("run", "suite.yaml", "--out", "run", cwd=tmp_path).returncode == 0
    run, rng = tmp_path / "run", random.Random(7)
    for _ in range(KILLS):
        killed(SEAL, run, rng.uniform(0, 0.08))
        seal_run(run)
        assert check_seal(run).problems == ()
    assert llmeval("verify", run).returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_process_that_dies_while_it_adds_an_event(tmp_path: Path) -> None:
    path, rng, reported = tmp_path / "audit.jsonl", random.Random(8), 0
    for number in range(KILLS):
        reported += len(killed(APPEND, path, rng.uniform(0, 0.08)).splitlines())
        append_event(path, "ben", "rejected", f"after {number}")
        check = read_chain(path)
        assert check.problems == ()
        assert len(check.events) >= reported + number + 1  # what was reported is never removed


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_process_that_dies_while_it_adds_a_label(tmp_path: Path) -> None:
    rng, reported = random.Random(9), set[str]()
    for number in range(KILLS // 3):
        printed = killed(LABEL, tmp_path, rng.uniform(0, 0.08), str(number))
        reported |= {line for line in printed.splitlines(keepends=True) if line.endswith("\n")}
        next_label = Label(
            label_id=f"next-{number}", case_id="a", metric="facts", human_verdict="fail",
            reviewer="ada",
        )  # fmt: skip
        append(tmp_path, [next_label])
        ids = {f"{label.label_id}\n" for label in read(tmp_path / LABELS)}
        assert reported | {f"next-{number}\n"} <= ids, "what was saved is there"
