"""The command `llmeval`: what its parts are called, and what its exit codes mean.

Every unexpected exception becomes exit code 3 with one line and a log file: a Python traceback
would exit 1, and 1 must mean nothing but "the gate failed".
"""

import contextlib
import errno
import gc
import os
import sys
import tempfile
import traceback
from typing import NoReturn

from llmeval.core.errors import ExitCode, LlmevalError
from llmeval.core.redaction import redact
from llmeval.report.safe_text import visible
from llmeval.report.streams import safe_streams

_COMPLETING = "_LLMEVAL_COMPLETE"
"""Set by the completion of shells, which ends the program by itself."""


GC_OBJECTS = 50_000
"""New objects after which Python collects cyclic garbage. With its own number (700) the collections
while modules are loaded take 45 ms, a tenth of the time before the first call of a run.
"""


def main() -> NoReturn:
    """Run the command line, as the only thing that this process does, and exit."""
    gc.set_threshold(GC_OBJECTS)
    code = exit_code()
    gc.freeze()  # the process ends: a last collection of all objects would take 30 ms
    sys.exit(code)


def exit_code() -> int:
    """Run the command line. Returns its exit code."""
    with safe_streams():
        return _flushed(_guarded())


def _guarded() -> int:
    """The exit code of the command; every exception becomes a message and a code."""
    code: int
    try:
        code = _run()
    except LlmevalError as error:
        _say(str(error))
        code = error.exit_code
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    except BrokenPipeError:
        _silence()
        code = ExitCode.INVALID
    except SystemExit as error:
        if _is_closed_pipe(error):  # click turns `llmeval ... | head` into an exit
            _silence()
            return ExitCode.INVALID
        if _COMPLETING in os.environ:  # the shell asks what could come next
            raise
        _say(
            f"something that was imported or called ended the program (sys.exit): {error}\nDetails:"
            f" {_log()}"
        )
        code = ExitCode.INVALID
    except BaseException as error:
        if isinstance(error, OSError) and _is_full(error):
            return _unwritten(error)
        _say(f"internal error: {type(error).__name__}: {error}\nDetails: {_log()}")
        code = ExitCode.INVALID
    return int(code)


def _is_closed_pipe(error: BaseException) -> bool:
    """Whether an exit was raised because nobody reads the output any more."""
    cause = error.__context__
    return isinstance(cause, OSError) and cause.errno == errno.EPIPE and cause.filename is None


def _is_full(error: OSError) -> bool:
    """Whether a stream, not a file, has no room: an error about a file names it."""
    return error.filename is None and error.errno in (errno.ENOSPC, errno.EIO)


def _flushed(code: int) -> int:
    """The code, or 3 if the output can't be written, as on a full disk: nobody has read it then."""
    try:
        sys.stdout.flush()
    except OSError as error:
        return _unwritten(error)
    return code


def _unwritten(error: OSError) -> int:
    _silence()
    _say(f"the output can't be written: {error.strerror or error}")
    return ExitCode.INVALID


def _silence() -> None:
    """Send the rest of the output nowhere: the interpreter must not complain about it while it
    exits.
    """
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run() -> int:
    import typer

    from llmeval.cli.app import entry_point

    try:
        carry_out = entry_point(next(iter(sys.argv[1:]), ""))
        result = carry_out(prog_name="llmeval", standalone_mode=False)
    except typer.Exit as stop:
        return stop.exit_code
    except typer.Abort:
        return ExitCode.INTERRUPTED
    except Exception as error:
        # wrong usage: typer has its own class for it, click's or a copy of click's, by version
        if not hasattr(error, "format_message"):
            raise
        _say(f"{error.format_message()}\n`llmeval --help` shows what there is.")
        return ExitCode.USAGE
    return result if isinstance(result, int) else ExitCode.PASS


def _say(message: str) -> None:
    prefix = (
        "\x1b[31mllmeval:\x1b[0m"
        if sys.stderr.isatty() and not os.environ.get("NO_COLOR")
        else "llmeval:"
    )
    with contextlib.suppress(OSError):
        print(f"{prefix} {visible(message)}", file=sys.stderr)


def _log() -> str:
    """The traceback in a file; its path, or the traceback itself where no file can be written."""
    trace = redact(traceback.format_exc())
    try:
        descriptor, path = tempfile.mkstemp(prefix="llmeval-", suffix=".log")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(trace)
    except OSError:
        return trace
    return path
