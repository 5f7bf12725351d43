"""Every error llmeval raises on purpose, and the exit code each one means.

    LlmevalError                      3  run invalid, incomplete, or an internal error
    ├── UsageError                    2  the command line asks for something impossible
    │   └── SuiteError                2  a suite, dataset, template or lock file is wrong
    (file:line, key, fix) ├── NothingEvaluated              5  the suite selected no case ├──
    StoreError                    3  the run directory or the cache can't be used └── BoundaryError
    3  one call or one check failed; recorded as data, never a grade
        ├── ModelError                   a model did not answer (kinds: records.ErrorInfo)
        │   └── Retryable                worth another attempt (timeouts, resets, 429, 5xx)
        │       ├── Overloaded           the endpoint asks for less (429, 503 with Retry-After)
        │       ├── NotConnected         no connection, so the request was never sent
        │       ├── TimedOut             no reply within the model's `timeout`
        │       └── Unreadable           a reply came that can't be read: worth one more attempt
        └── CheckError                   a check could not be carried out (kind: check)

A failure of one case is data (`ErrorInfo` in its record); one of configuration stops the run before
the first call.
"""

from enum import IntEnum

DISTRIBUTION = "llmeval-ci"
"""The name on the package index. The name `llmeval` there belongs to another project."""


def install_hint(extra: str) -> str:
    """The command that installs one of the extras, such as `data` or `local`."""
    return f"pip install '{DISTRIBUTION}[{extra}]'"


class ExitCode(IntEnum):
    """What `llmeval` tells the shell (docs/run-directory.md)."""

    PASS = 0
    GATE_FAILED = 1
    USAGE = 2
    INVALID = 3
    INCONCLUSIVE = 4
    NOTHING_EVALUATED = 5
    INTERRUPTED = 130


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
    """A suite, dataset, template or lock file is wrong. The message starts with `file:line:` where
    one is known.
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


class Retryable(ModelError):
    """A model did not answer this time; the same request may succeed later."""

    most_attempts: int | None = None
    """How often such a request is sent at most; None leaves it to the caller."""
    unprocessed = False
    """Whether the endpoint certainly did not process the request. Only then a turn of a
    conversation may be sent again in its session."""


class Overloaded(Retryable):
    """The endpoint asks for less traffic. `retry_after` is its own wish in seconds, where it gave
    one.
    """

    unprocessed = True

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NotConnected(Retryable):
    """No connection to the endpoint, so the request was never sent."""

    unprocessed = True


class TimedOut(Retryable):
    """No reply came within the model's `timeout`. With several requests in flight this may mean
    that they are too many: the limiter takes it as a refusal. `after`: the seconds waited."""

    def __init__(self, message: str, *, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class Unreadable(Retryable):
    """A whole reply came and can't be read (no JSON, not UTF-8). It was paid for, so it is asked
    for once more only.
    """

    most_attempts = 2


class CheckError(BoundaryError):
    """A check could not be carried out on this answer (crash, time limit, input past its
    limits).
    """

    kind = "check"
