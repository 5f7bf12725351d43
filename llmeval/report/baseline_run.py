"""The run that a run was compared with, where its directory is still there: the reports then show
both answers; and the values that its lock file keeps.
"""

import math
from collections.abc import Iterator
from pathlib import Path

from llmeval.core.errors import LlmevalError
from llmeval.core.manifest import Manifest
from llmeval.gate.baseline import baseline_of_run, read_baseline
from llmeval.store.directory import RunDir, suite_folder

_LOOK_AT = 200
"""Directories looked at; more would slow the report down in a folder that holds everything."""


def baseline_means(manifest: Manifest) -> dict[str, float]:
    """The baseline's mean of each metric, in [0, 1], over all its cases that have a result. Empty
    without a baseline, and where it can't be read: no decision rests on these figures.
    """
    if not manifest.baseline:
        return {}
    path = Path(manifest.baseline)
    try:
        baseline = baseline_of_run(RunDir(path)) if path.is_dir() else read_baseline(path)
    except (LlmevalError, OSError):
        return {}
    means = {}
    for name in baseline.metrics:
        values = [each for each in baseline.results(name).values() if not math.isnan(each)]
        if values:
            means[name] = math.fsum(values) / len(values)
    return means


def baseline_run(run: RunDir, manifest: Manifest) -> RunDir | None:
    """The baseline's run: the directory that the gate names, or one next to this run with the id
    that the lock file names.

    None when there is none, or it can't be read: the gate's decision does not need it, and the page
    can do without.
    """
    named = manifest.baseline
    if not named:
        return None
    path = Path(named)
    try:
        if path.is_dir():
            return _readable(RunDir(path), run)
        run_id = read_baseline(path).run_id
        if run_id == manifest.run_id:
            return None
        beside = (other for other in _beside(run, run_id) if _run_id(other) == run_id)
        return next((other_run for other in beside if (other_run := _readable(other, run))), None)
    except (LlmevalError, OSError):
        return None


def _beside(run: RunDir, run_id: str) -> Iterator[RunDir]:
    folder = suite_folder(run.path)
    yield RunDir(folder / run_id)
    others = sorted((path for path in folder.iterdir() if path.is_dir()), reverse=True)
    yield from map(RunDir, others[:_LOOK_AT])


def _run_id(run: RunDir) -> str | None:
    try:
        return run.manifest().run_id if run.exists() else None
    except LlmevalError:
        return None


def _readable(other: RunDir, run: RunDir) -> RunDir | None:
    usable = other.exists() and other.has_summary() and other.path.resolve() != run.path.resolve()
    return other if usable else None
