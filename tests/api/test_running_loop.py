"""`llmeval.run` and `llmeval.arun` where an event loop is running, and functions as candidates."""

import asyncio
import functools
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import llmeval
from llmeval.api.grid import GridResult, run_grid
from llmeval.core.errors import SuiteError, UsageError
from llmeval.models.base import Request
from tests.support.command import ROOT
from tests.support.tables import each_row

SUITE = """\
suite: notebook
cases:
  - {id: a, question: "What is 1?", reference: one}
  - {id: b, question: "What is 2?", reference: two}
  - {id: c, question: "What is 3?", reference: three}
prompt: "{{ question }}"
candidate: {provider: python, function: "nothing:here"}
checks: [{contains: "{{ reference }}"}]
"""
NUMBERS = {"1": "one", "2": "two", "3": "three"}


def reply(text: str) -> str:
    return "It is " + NUMBERS[text.rstrip("?")[-1]]


async def reply_later(text: str) -> str:
    await asyncio.sleep(0)
    return reply(text)


class App:
    """An application with an async call, as users write one."""

    async def __call__(self, request: Request) -> dict[str, object]:
        return {"output": reply(request.messages[-1].content)}

    def method(self, text: str) -> str:
        return reply(text)


def worded(text: str, start: str) -> str:
    return start + reply(text)


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "suite.yaml"
    path.write_text(SUITE)
    return path


CANDIDATES: dict[str, tuple[Callable[..., object], str]] = {
    "function": (reply, "reply"),
    "async function": (reply_later, "reply_later"),
    "object with an async __call__": (App(), "App"),
    "method": (App().method, "App.method"),
    "partial": (functools.partial(worded, start="Well. "), "worded"),
    "lambda": (lambda text: f"Yes. {reply(text)}", "<lambda>"),
}


@each_row("name", list(CANDIDATES))
def test_a_function_is_the_candidate(name: str, suite: Path) -> None:
    function, qualified = CANDIDATES[name]

    async def in_a_loop() -> llmeval.Run:
        return llmeval.run(suite, candidate=function)

    run = asyncio.run(in_a_loop())
    assert run.decision == "PASS"
    record = run.manifest.candidate
    assert record.identity["provider"] == "python"
    assert record.name == f"{__name__}:{qualified}"


def test_answers_are_reused_only_with_a_build(suite: Path) -> None:
    calls: list[str] = []

    def counted(text: str) -> str:
        calls.append(text)
        return reply(text)

    for build, total in ((None, 3), (None, 6), ("v1", 9), ("v1", 9), ("v2", 12)):
        run = llmeval.run(suite, candidate=counted, build=build)
        assert (len(calls), run.decision) == (total, "PASS")
        assert run.manifest.candidate.identity["build"] == build


@each_row(
    ("arguments", "words"),
    [
        ({"candidate": 7}, "neither the name of a model nor a function"),
        ({"build": "v1"}, "names? .*build|the name of the build"),
        ({"candidate": reply, "options": llmeval.Options(candidate="x")}, "both name a candidate"),
    ],
)
def test_wrong_candidates_are_refused(
    arguments: dict[str, object], words: str, suite: Path
) -> None:
    with pytest.raises(UsageError, match=words):
        llmeval.run(suite, **arguments)  # type: ignore[arg-type]


def test_arun_leaves_the_loop_free(suite: Path) -> None:
    async def two() -> tuple[llmeval.Run, int]:
        turns = 0
        task = asyncio.create_task(llmeval.arun(suite, candidate=reply))
        while not task.done():
            turns += 1
            await asyncio.sleep(0.001)
        return await task, turns

    run, turns = asyncio.run(two())
    assert run.decision == "PASS"
    assert turns > 1


def test_a_cancelled_run_continues(suite: Path, tmp_path: Path) -> None:
    begun, calls = threading.Event(), []

    async def slow(text: str) -> str:
        calls.append(text)
        begun.set()
        if "1" not in text:
            await asyncio.sleep(60)
        return reply(text)

    options = llmeval.Options(out=tmp_path / "out", concurrency=1)

    async def cancelled() -> None:
        task = asyncio.create_task(llmeval.arun(suite, candidate=slow, options=options))
        while len(calls) < 2:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    stopped = llmeval.load_run(tmp_path / "out")
    assert (stopped.decision, stopped.manifest.status) == ("INVALID", "incomplete")
    assert "INTERRUPTED" in stopped._repr_html_()


def test_a_grid_runs_in_a_loop(suite: Path) -> None:
    (suite.parent / "two.py").write_text("def left(p): return 'Yes.'\ndef right(p): return p\n")
    own = 'candidate: {provider: python, function: "nothing:here"}'
    models = "models: {left: {provider: python, function: 'two:left'},"
    models += " right: {provider: python, function: 'two:right'}}\ncandidate: left"
    suite.write_text(SUITE.replace(own, models))

    async def in_a_loop() -> GridResult:
        return run_grid(llmeval.load_suite(suite), candidates=["left", "right"])

    grid = asyncio.run(in_a_loop())
    assert len(grid.runs) == 2
    assert not grid.missing
    assert all(run.manifest.status == "complete" for run in grid.runs.values())


def test_errors_reach_the_caller(suite: Path) -> None:
    suite.write_text(SUITE.replace("checks:", "cheks:"))

    async def in_a_loop() -> None:
        with pytest.raises(SuiteError, match="cheks"):
            llmeval.run(suite, candidate=reply)
        with pytest.raises(SuiteError, match="cheks"):
            await llmeval.arun(suite, candidate=reply)

    asyncio.run(in_a_loop())


INTERRUPTED = """
import asyncio, signal, llmeval
async def slow(text):
    print("called", flush=True)
    await asyncio.sleep(60)
async def main():
    run = llmeval.run("suite.yaml", candidate=slow, options=llmeval.Options(out="out"))
    print(run.interrupted, run.decision, run.manifest.status)
async def hosted():
    # as in a notebook's kernel: its loop runs, and SIGINT raises KeyboardInterrupt in the cell
    signal.signal(signal.SIGINT, signal.default_int_handler)
    await main()
asyncio.run(hosted())
"""


def test_ctrl_c_ends_a_run_in_a_loop(suite: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED],
        stdout=subprocess.PIPE,
        text=True,
        cwd=suite.parent,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "LLMEVAL_HOME": str(suite.parent / "home")},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "called\n"
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=60)
    assert printed.splitlines()[-1] == "True INVALID incomplete"
    assert process.returncode == 0


def test_completion_lists_the_public_names() -> None:
    assert dir(llmeval) == sorted(llmeval.__all__)
    assert {"arun", "run", "Run", "load_run"} <= set(dir(llmeval))
