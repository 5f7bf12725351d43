"""The seal of a run that has just ended."""

import os
from pathlib import Path

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
    from llmeval.governance.authors import authors_of
    from llmeval.governance.seal import seal_run
    from llmeval.suite.files import files_of

    if run.manifest.status != "complete" or run.manifest.is_part:
        return run
    named: list[tuple[str, Path]] = []
    authors: tuple[str, ...] = ()
    if suite is not None:
        base = suite.path.resolve().parent
        named = [(_relative(str(path), str(base)), path) for path in files_of(suite)]
        authors = authors_of(run.manifest, suite.base, _approved_at(run.manifest.baseline))
    try:
        seal_run(run.path, named, authors, None if run.view is None else run.view.cases_root)
    except LlmevalError as error:
        return run.warned(f"the run was not sealed: {error}")
    return run


def _approved_at(baseline: str | None) -> str | None:
    """When the baseline of a run was approved; None without one."""
    from llmeval.gate.baseline import read_any

    try:
        lock = None if baseline is None else read_any(Path(baseline))
    except LlmevalError:
        return None
    return None if lock is None or lock.approved is None else lock.approved.at


def _relative(path: str, base: str) -> str:
    """The path from the suite's folder, with `/`; on another drive the path itself."""
    try:
        return os.path.relpath(path, base).replace(os.sep, "/")
    except ValueError:
        return path
