"""Seconds of seal, verify, attest, evidence and the check of a pack, by number of cases.

    python benchmarks/governance.py [--cases 1000 10000]

Each run has one answer a case and two checks, by a Python function. The figures are the smallest of
three calls in one process, without the start of Python.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from llmeval import Options
from llmeval.api import run as run_suite
from llmeval.governance.attest import attest
from llmeval.governance.pack import write_pack
from llmeval.governance.pack_check import verify_pack
from llmeval.governance.seal import SEAL, seal_run
from llmeval.governance.verified_run import Trusted, verify_run

SUITE = """\
suite: governance
cases: cases.jsonl
prompt: "{{ question }}"
models:
  words: {provider: python, function: "governance_app:answer", build: "1"}
candidate: words
checks: [facts, {max_words: 300}]
gate: {floors: {facts: 0.5}}
"""
APP = "def answer(prompt): return prompt + ' and more words' * 20\n"


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--runs", type=Path, nargs="*", help="use these runs instead of new ones")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        runs = options.runs or [made(Path(folder) / str(n), n) for n in options.cases]
        print("| step | " + " | ".join(f"{_lines(run):,} cases" for run in runs) + " |")
        print("|---|" + "---|" * len(runs))
        rows = [steps(run, Path(folder) / f"{n}.zip") for n, run in enumerate(runs)]
        for name in rows[0]:
            print(f"| {name} | " + " | ".join(measured(row[name]) for row in rows) + " |")


def made(folder: Path, n: int) -> Path:
    """A complete run of n cases."""
    folder.mkdir()
    (folder / "suite.yaml").write_text(SUITE)
    (folder / "governance_app.py").write_text(APP)
    rows = ({"id": f"c{i}", "question": f"What is {i}?", "reference": f"{i}"} for i in range(n))
    (folder / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return run_suite(folder / "suite.yaml", options=Options(out=folder / "run")).path


def steps(run: Path, pack: Path) -> dict[str, Callable[[], object]]:
    """What is measured, in its order."""

    def seal_again() -> None:
        (run / SEAL).unlink()
        seal_run(run)

    return {
        "seal": seal_again,
        "verify": lambda: verify_run(run, Trusted()),
        "attest": lambda: attest(run),
        "evidence": lambda: write_pack([run], pack, ["eu-ai-act"]),
        "verify the pack": lambda: verify_pack(pack, Trusted()),
    }


def measured(step: Callable[[], object]) -> str:
    """`0.21 s (0.09 s CPU)`."""
    walls, cpus = [], []
    for _ in range(3):
        wall, cpu = time.perf_counter(), time.process_time()
        step()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return f"{min(walls):.2f} s ({min(cpus):.2f} s CPU)"


def _lines(run: Path) -> int:
    return (run / "cases.jsonl").read_bytes().count(b"\n")


if __name__ == "__main__":
    main()
