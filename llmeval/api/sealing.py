"""The seal of a run that has just ended."""

import os

from llmeval.api.view import Run
from llmeval.core.errors import LlmevalError
from llmeval.suite.loader import Suite


def seal_complete(run: Run, suite: Suite | None = None) -> Run:
    """Seal a complete run. A run that is not complete stays without a seal.

    A seal that can't be written never changes the decision: the run then has a warning.

    Args:
        run: the run, with its summary written.
        suite: whose files the seal names as inputs; None: it names none.
    """
    from llmeval.governance.seal import seal_run
    from llmeval.suite.files import files_of

    if run.manifest.status != "complete" or run.manifest.shard is not None:
        return run
    named = []
    if suite is not None:
        base = suite.path.resolve().parent
        named = [(_relative(str(path), str(base)), path) for path in files_of(suite)]
    try:
        seal_run(run.path, named)
    except LlmevalError as error:
        return run.warned(f"the run was not sealed: {error}")
    return run


def _relative(path: str, base: str) -> str:
    """The path from the suite's folder, with `/`; on another drive the path itself."""
    try:
        return os.path.relpath(path, base).replace(os.sep, "/")
    except ValueError:
        return path
