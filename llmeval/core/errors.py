"""The errors that llmeval raises on purpose, each with its exit code.

    LlmevalError                      3  run invalid, incomplete, or an internal error
    ├── UsageError                    2  the command line asks for something impossible
    │   └── SuiteError                2  a suite, data, template or lock file (file, line, key, fix)
    ├── NothingEvaluated              5  the suite selected no case
    ├── StoreError                    3  the run directory or the cache can't be used
    └── BoundaryError                 3  one call or check failed; recorded, never a grade
        ├── ModelError                   a model did not answer (kinds: records.ErrorInfo)
        │   └── Retryable                worth another attempt (timeouts, resets, 429, 5xx)
        │       ├── Overloaded           the endpoint asks for less (429, 503 with Retry-After)
        │       ├── NotConnected         no connection, so the request was never sent
        │       ├── ServerError          HTTP 500
        │       ├── TimedOut             no reply within the model's `timeout`
        │       └── Unreadable           a reply came that can't be read: worth one more attempt
        └── CheckError                   a check could not be carried out (kind: check)

A failure of one case is data (`ErrorInfo` in its record); one of configuration stops the run before
the first call.
"""

from collections.abc import Iterable
from enum import IntEnum

DISTRIBUTION = "llmeval-ci"
"""The name on the package index. The name `llmeval` there belongs to another project."""


def install_hint(extra: str) -> str:
    """The command that installs one of the extras, such as `data` or `local`."""
    return f"pip install '{DISTRIBUTION}[{extra}]'"


class ExitCode(IntEnum):
    """The exit codes of `llmeval` (docs/run-directory.md)."""

    PASS = 0
    GATE_FAILED = 1
    USAGE = 2
    INVALID = 3
    INCONCLUSIVE = 4
    NOTHING_EVALUATED = 5
    INTERRUPTED = 130


WORST_FIRST = (
    ExitCode.INTERRUPTED,
    ExitCode.INVALID,
    ExitCode.USAGE,
    ExitCode.GATE_FAILED,
    ExitCode.INCONCLUSIVE,
    ExitCode.NOTHING_EVALUATED,
    ExitCode.PASS,
)
"""Of several runs: what measured nothing is worse than what measured badly."""


def worst_of(codes: Iterable[int]) -> ExitCode:
    """The worst of several exit codes.

    Args:
        codes: at least one.
    """
    return min(map(ExitCode, codes), key=WORST_FIRST.index)


class LlmevalError(Exception):
    """Base of all errors raised on purpose. `str(error)` is one message for a person: what, where,
    and the fix.
    """

    exit_code = ExitCode.INVALID


class UsageError(LlmevalError):
    """The command line, or a call of the Python API, asks for something impossible; nothing was
    called.
    """

    exit_code = ExitCode.USAGE


class SuiteError(UsageError):
    """A suite, dataset, template or lock file is wrong. The message starts with `file:line:` if the
    place is known.
    """


class NothingEvaluated(LlmevalError):
    """The suite, its filters or its sample selected no case."""

    exit_code = ExitCode.NOTHING_EVALUATED


class StoreError(LlmevalError):
    """The run directory or the cache can't be read or written, or another process is writing to
    it.
    """


class BoundaryError(LlmevalError):
    """One call or one check failed. `kind`: one of those that `records.ErrorInfo` lists."""

    kind = "config"

    def __init__(self, message: str, *, kind: str | None = None) -> None:
        super().__init__(message)
        if kind is not None:
            self.kind = kind


class ModelError(BoundaryError):
    """A model did not answer. Not retried: the same request would fail again (400, 401, a missing
    replay id...).
    """

    kind = "provider"


class RequestRefused(ModelError):
    """The endpoint refuses the request itself (HTTP 400, 422).

    Args:
        message: for people.
        parameter: the parameter that it refuses, `response_format` for any part that forces a
            schema; None if it names none.
        about_tools: whether its words are about tools or functions.
    """

    def __init__(
        self, message: str, *, parameter: str | None = None, about_tools: bool = False
    ) -> None:
        super().__init__(message)
        self.parameter = parameter
        self.about_tools = about_tools


class Retryable(ModelError):
    """A model did not answer this time; the same request may succeed later."""

    most_attempts: int | None = None
    """The most attempts for such a request; None: the caller decides."""
    unprocessed = False
    """Whether the endpoint certainly did not process the request. Only then a turn of a
    conversation may be sent again in its session."""


class ServerError(Retryable):
    """The server answered with HTTP 500: an error of its own code, for an application."""


class Overloaded(Retryable):
    """The endpoint refuses a request because of too much traffic. `retry_after`: the pause in
    seconds that the endpoint states; None without one.
    """

    unprocessed = True

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RequestAdapted(Retryable):
    """The endpoint refused a part of the request. The next attempt is sent without this part."""

    unprocessed = True


class NotConnected(Retryable):
    """No connection to the endpoint, so the request was never sent."""

    unprocessed = True


class TimedOut(Retryable):
    """No reply came within the model's `timeout`. `after`: the seconds waited. With several
    requests in flight, the cause may be too many requests. The limiter therefore treats it as a
    refusal.
    """

    def __init__(self, message: str, *, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class Unreadable(Retryable):
    """A complete reply came, but it can't be read (not JSON, not UTF-8). The reply was paid for, so
    the request is sent only once more.
    """

    most_attempts = 2


class CheckError(BoundaryError):
    """A check could not be carried out on this answer (crash, time limit, input past its
    limits).
    """

    kind = "check"
