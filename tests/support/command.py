"""The command line for tests: `llmeval ARGUMENTS` in this process, with what it printed and its
exit code.

A process of its own takes a second longer. Tests about processes (signals, kill -9, a broken pipe,
imports at start) start one by themselves.
"""

import contextlib
import io
import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from llmeval.cli.main import exit_code

ROOT = Path(__file__).parent.parent.parent


def llmeval(*arguments: object, cwd: Path = ROOT, **environment: str) -> "CompletedProcess[str]":
    """Run the command line in a folder. `environment`: variables set for this command."""
    printed, errors = io.StringIO(), io.StringIO()
    before = dict(sys.modules)
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(errors),
    ):
        patch.chdir(cwd)
        for name, value in {"PYTHONPATH": str(ROOT), **environment}.items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["llmeval", *map(str, arguments)])
        patch.setattr(sys, "path", list(sys.path))  # a suite's folder is put on it
        code = exit_code()
    for name, module in dict(sys.modules).items():
        if before.get(name) is not module and not _is_installed(name):
            del sys.modules[name]  # a module of the test: the next command reads its file again
    return CompletedProcess(list(map(str, arguments)), code, printed.getvalue(), errors.getvalue())


def _is_installed(name: str) -> bool:
    """Whether a module belongs to Python, to a package or to the checkout."""
    file = getattr(sys.modules[name], "__file__", None)
    return (
        file is None
        or Path(file).is_relative_to(ROOT)
        or "site-packages" in file
        or file.startswith(sys.base_prefix)
    )
