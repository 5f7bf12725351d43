"""`llmeval` as a program on the path, without the second that Python needs to import it.

A server has imported the commands and forks for each call. The call is a process: it has the
caller's arguments, folder, variables and streams, and an exit code. What a first import costs or
prints is tested where `python -m llmeval` is started (tests/cli/test_start.py).
"""

import contextlib
import gc
import importlib
import json
import os
import random
import socket
import stat
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).parent.parent.parent
OPENED = "LLMEVAL_TEST_OPENED"
"""A variable of the call: the file for the paths that the command opens for reading, as JSON."""
_IMPORTED = (
    "llmeval.api.failing",
    "llmeval.api.running",
    "llmeval.checks.builtin.text.strings",
    "llmeval.cli.app",
    "llmeval.compare.environments",
    "llmeval.datatests.at_run",
    "llmeval.history.runs",
    "llmeval.models.factory",
    "llmeval.planning.simulation",
    "llmeval.report.ci.dispatch",
    "llmeval.report.command_console",
    "llmeval.report.console",
    "llmeval.report.progress_display",
    "llmeval.report.write",
    "llmeval.runner.execute",
    "llmeval.runner.plan",
)
_LONGEST = 1_000_000
"""Bytes of a call: its arguments and variables."""
_CALLER = """\
#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
    server.connect({address!r})
    call = [sys.argv[1:], os.getcwd(), dict(os.environ)]
    socket.send_fds(server, [json.dumps(call).encode()], [0, 1, 2])
    sys.exit(int(server.recv(20)))
"""


@contextlib.contextmanager
def program() -> Iterator[Path]:
    """The path of a program that does what `llmeval` does, as long as the context lasts."""
    with tempfile.TemporaryDirectory(prefix="llmeval-program-") as name:
        address = f"{name}/socket"
        path = Path(name) / "llmeval"
        path.write_text(_CALLER.format(python=sys.executable, address=address))
        path.chmod(stat.S_IRWXU)
        with subprocess.Popen(
            [sys.executable, "-m", "tests.support.program", address],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        ) as server:
            assert server.stdout is not None
            assert server.stdout.readline() == b"ready\n"
            try:
                yield path
            finally:
                server.kill()


def _serve(address: str) -> NoReturn:
    del sys.path[0]  # as for an installed program: the folder is not on it
    for name in _IMPORTED:
        importlib.import_module(name)
    gc.freeze()  # the forks share this memory until one writes to it
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
        server.bind(address)
        server.listen(20)
        print("ready", flush=True)
        while True:
            caller, _ = server.accept()
            if os.fork() == 0:
                server.close()
                _answer(caller)
            caller.close()
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass


def _answer(caller: socket.socket) -> NoReturn:
    """In the fork: carry out the call, and tell the caller the exit code."""
    code = 70
    try:
        message, streams, _, _ = socket.recv_fds(caller, _LONGEST, 3)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        code = _carry_out(*json.loads(message))
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        caller.send(str(code).encode())
        os._exit(code)


def _carry_out(arguments: list[str], folder: str, variables: dict[str, str]) -> int:
    from llmeval.cli.main import main

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    sys.argv = ["llmeval", *arguments]
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
    random.seed()
    opened: list[str] = []
    if OPENED in variables:
        sys.addaudithook(lambda event, about: _note(opened, event, about))
    try:
        main()
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else 1
    finally:
        if OPENED in variables:
            Path(variables[OPENED]).write_text(json.dumps(opened))


def _note(opened: list[str], event: str, about: tuple[Any, ...]) -> None:
    if event == "open" and isinstance(about[0], str) and not about[2] & (os.O_WRONLY | os.O_RDWR):
        opened.append(os.path.realpath(about[0]))


if __name__ == "__main__":
    _serve(sys.argv[1])
