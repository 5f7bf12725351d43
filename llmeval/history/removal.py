"""Old runs deleted from the disk, with what protects a run."""

import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from llmeval.core.errors import LlmevalError, StoreError
from llmeval.gate.baseline import read_any
from llmeval.history.experiment_store import ExperimentStore, RunQuery
from llmeval.history.names import point_in_time
from llmeval.history.rows import RunRow
from llmeval.store.directory import MANIFEST


class Removal(msgspec.Struct, frozen=True, kw_only=True):
    """A run that was chosen to be deleted."""

    run_id: str
    """The run."""
    path: str
    """Its directory."""
    kept: str
    """Why it is kept; empty for one that may be deleted."""


def removals(
    store: ExperimentStore,
    query: RunQuery,
    rows: Sequence[RunRow],
    keep: str | None,
    now: datetime,
) -> list[Removal]:
    """What deleting these runs would delete, and what protects the others.

    A run is kept if it is of a baseline, if another run was decided by a comparison with it, if
    people labelled or approved it, or if it is younger than `keep`.

    Args:
        store: the history.
        query: all runs that the command can see: any of them may name a baseline.
        rows: the chosen runs.
        keep: a time span, such as 1y, or a day; None for no limit.
        now: the current time.

    Raises:
        StoreError: a baseline can't be read, so that nobody knows which runs it needs.
    """
    limit = None if keep is None else point_in_time(keep, now)
    every = store.runs(query)
    needed = _of_baselines(every)
    chosen = {row.run_id for row in rows}
    kept_ids = [row.run_id for row in every if row.run_id not in chosen]
    for rule in store.decisions(kept_ids):
        if rule.baseline_run:
            needed.setdefault(rule.baseline_run, f"{rule.run_id} was compared with it")
    return [
        Removal(run_id=row.run_id, path=row.path, kept=_protection(row, needed, limit))
        for row in rows
    ]


def remove(run: Removal) -> None:
    """Delete a run's directory.

    Raises:
        StoreError: it is kept, it is a link or not a run's directory, or it can't be deleted.
    """
    path = Path(run.path)
    if run.kept:
        raise StoreError(f"{run.run_id} is kept: {run.kept}")
    if path.is_symlink() or not (path / MANIFEST).is_file():
        raise StoreError(f"{path} is not the directory of a run")
    try:
        # Without its manifest a directory that is deleted only in part is no run.
        (path / MANIFEST).unlink()
        shutil.rmtree(path)
    except OSError as error:
        raise StoreError(f"{path} can't be deleted: {error}") from None


def _of_baselines(rows: Sequence[RunRow]) -> dict[str, str]:
    """The runs of every baseline that a run's gate names, with the reason to keep them."""
    needed: dict[str, str] = {}
    for named in sorted({row.baseline for row in rows if row.baseline}):
        path = Path(named)
        if not path.exists():
            continue
        try:
            lock = read_any(path)
        except LlmevalError as error:
            raise StoreError(
                f"{error}. Nothing is deleted: the runs of this baseline are unknown"
            ) from None
        ids = [lock.run_id, *(run.run_id for run in lock.runs)]
        ids += [link.run_id for link in lock.chain]
        if lock.release is not None:
            ids += [lock.release.run_id, *(run.run_id for run in lock.release.runs)]
        for run_id in ids:
            needed.setdefault(run_id, f"{path} is made of it")
    return needed


def _protection(row: RunRow, needed: dict[str, str], limit: datetime | None) -> str:
    if row.run_id in needed:
        return needed[row.run_id]
    if row.status == "running":
        return "it has not ended"
    if row.labels:
        return f"people gave it {row.labels:,} {'label' if row.labels == 1 else 'labels'}"
    approval = _approval(row)
    if approval:
        return f"it is approved: {approval}"
    if limit is not None and _time(row) > limit:
        return "it is younger than that"
    return ""


def _approval(row: RunRow) -> str:
    """A person's approval of the run, in its directory or in a folder `approvals` next to its suite
    or its runs.
    """
    folders = [Path(row.path), Path(row.root).parent, Path(row.suite_file).parent, Path()]
    for folder in folders:
        files = sorted((folder / "approvals").glob(f"{row.run_id}*.json"))
        if files:
            return str(files[0])
    return ""


def _time(row: RunRow) -> datetime:
    from datetime import UTC

    try:
        time = datetime.fromisoformat(row.started)
    except ValueError:  # unknown: never old enough
        return datetime.max.replace(tzinfo=UTC)
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
