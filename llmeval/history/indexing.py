"""Brings the history up to date with the run directories.

Every command that asks the history compares the directories first: a stamp of each (times and sizes
of four files) says which ones are new, changed or gone. So a history that was deleted, or whose
writer was killed, gives the same answers after the next command.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from llmeval.core.errors import StoreError
from llmeval.core.redaction import redact
from llmeval.history.experiment_store import ExperimentStore
from llmeval.history.projection import project, stamp_of
from llmeval.history.rows import RunProjection, SkippedRow
from llmeval.history.run_verdicts import RunVerdicts

BATCH = 50
"""Runs a transaction: another process waits for at most so many, and a kill costs at most so many.
"""
OnProgress = Callable[[int, int], None]
"""Gets how many directories were read, and of how many."""


class IndexReport(NamedTuple):
    """What an update of the history did."""

    runs: int
    """Directories with a run."""
    indexed: int = 0
    """Runs that were read, because they are new or have changed."""
    removed: int = 0
    """Directories that are gone."""
    skipped: tuple[SkippedRow, ...] = ()
    """Directories that can't be read, with the reason."""


def run_folders(root: str) -> Iterator[str]:
    """The directories of runs below a folder: root/SUITE/RUN, those with a manifest or without."""
    for suite in _folders(root):
        yield from _folders(suite)


def _folders(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(
                entry.path for entry in entries if not entry.name.startswith(".") and entry.is_dir()
            )
    except OSError:
        return []


def update(
    store: ExperimentStore,
    root: Path,
    progress: OnProgress = lambda done, of: None,
) -> IndexReport:
    """Index the runs below a folder that are new or have changed, and remove those that are gone.

    Args:
        store: the history.
        root: the folder of the runs (`--reports`), absolute.
        progress: follows a long update.

    Raises:
        StoreError: the database can't be used. A directory that can't be read does not raise: it is
            in the report.
    """
    top = str(root)
    there = {path: stamp for path in run_folders(top) if (stamp := stamp_of(path))}
    indexed = store.stamps(top)
    gone = [] if store.shared else [path for path in indexed if path not in there]
    if gone:
        store.forget(gone)
        # A run may have been left out only because a directory that is gone now was kept.
        doubtful = {row.path for row in store.skipped(top)}
        indexed = {path: stamp for path, stamp in indexed.items() if path not in doubtful}
    changed = [path for path, stamp in there.items() if indexed.get(path) != stamp]
    for begin in range(0, len(changed), BATCH):
        progress(begin, len(changed))
        _index(store, changed[begin : begin + BATCH], root)
    if changed:
        progress(len(changed), len(changed))
    skipped = tuple(row for row in store.skipped(top) if row.path in there)
    return IndexReport(len(there), len(changed), len(gone), skipped)


def rebuild(
    store: ExperimentStore,
    root: Path,
    progress: OnProgress = lambda done, of: None,
) -> IndexReport:
    """Read every run below a folder again.

    Raises:
        StoreError: as `update`.
    """
    if not store.shared:  # other machines' runs of a shared store can't be read again here
        store.clear(str(root))
        return update(store, root, progress)
    paths = [path for path in run_folders(str(root)) if stamp_of(path)]
    for begin in range(0, len(paths), BATCH):
        progress(begin, len(paths))
        _index(store, paths[begin : begin + BATCH], root)
    skipped = [row for row in store.skipped(str(root)) if row.path in paths]
    return IndexReport(len(paths), len(paths), 0, tuple(skipped))


def index_run(
    store: ExperimentStore, path: Path, verdicts: RunVerdicts | None = None
) -> list[SkippedRow]:
    """Index one run. Its folder of runs is two levels above it. Gives the reason if it was refused.

    `verdicts`: of a run whose records this process has just read.

    Raises:
        StoreError: the directory is not a complete run, or the database can't be used.
    """
    path = absolute(path)
    return store.put([project(path, path.parent.parent, verdicts)])


def absolute(run: Path) -> Path:
    """The path of a run as the history has it: below the resolved folder of its runs."""
    path = Path(os.path.abspath(run))
    return path.parent.parent.resolve() / path.parent.name / path.name


def _index(store: ExperimentStore, paths: list[str], root: Path) -> None:
    projections: list[RunProjection] = []
    skipped: list[SkippedRow] = []
    for path in paths:
        stamp = stamp_of(path)
        try:
            projections.append(project(Path(path), root))
        except StoreError as error:
            reason = redact(str(error))
            skipped.append(SkippedRow(root=str(root), path=path, stamp=stamp, reason=reason))
    if projections:
        store.put(projections)
    if skipped:
        store.skip(skipped)
