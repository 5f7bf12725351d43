"""Runs below a reports directory: found by id, listed by time. The directories are the truth;
nothing is indexed.
"""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from llmeval.core.errors import StoreError, UsageError
from llmeval.core.manifest import Manifest
from llmeval.core.results import Summary
from llmeval.store.directory import GRIDS, MANIFEST, PARTIAL, RunDir

LATEST = "latest"


def find(name: Path, reports: Path) -> Path:
    """The directory of a run given by its path, its id, or a beginning or end of its id; `latest`
    is the newest of any suite.

    Raises:
        StoreError: there is none, or several.
    """
    if (name / MANIFEST).exists():
        return name
    runs = _directories(reports)
    if str(name) == LATEST and (whole := [path for path in runs if not _is_part(path)]):
        return whole[-1]
    matching = [
        path
        for path in (*runs, *_inner_directories(reports))
        if path.name.startswith(str(name)) or path.name.endswith(str(name))
    ]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise StoreError(
            f"{name} is the name of {len(matching)} runs: {', '.join(p.name for p in matching[:5])}"
        )
    raise StoreError(
        f"there is no run {name}, neither as a directory nor below {reports}; `llmeval runs list`"
        " shows them"
    )


def sole_latest(reports: Path) -> Path:
    """The directory of the newest run, where all runs are of one suite: something is decided by it,
    and not by another's.

    Raises:
        StoreError: there is none.
        UsageError: there are runs of several suites.
    """
    newest = {path.parent.name: path for path in _directories(reports) if not _is_part(path)}
    if len(newest) > 1:
        last = max(newest.values(), key=lambda path: path.name)
        raise UsageError(
            f"{LATEST}: there are runs of {len(newest)} suites below {reports}. Say whose: --suite"
            " FILE (its newest run, by that file's gate), or the run's id; the newest of all is"
            f" {last.name}, of {last.parent.name}"
        )
    return find(Path(LATEST), reports)


def latest_of(
    suite: str, reports: Path, but: Collection[Path] = (), *, complete: bool = True
) -> Path:
    """The directory of the newest run of a suite.

    Args:
        but: runs that it is to be compared with.
        complete: only one that came to its end.

    Raises:
        StoreError: there is none.
    """
    others = {path.resolve() for path in but}
    for path, manifest, summary in recorded(reports):
        whole = summary is not None and summary.status == "complete"
        wanted = manifest.suite == suite and not manifest.is_part
        if wanted and path.resolve() not in others and (whole or not complete):
            return path
    what = f"{'other ' if but else ''}{'complete ' if complete else ''}run"
    raise StoreError(f"{LATEST}: there is no {what} of the suite {suite} below {reports}")


def of_id(run_id: str, reports: Path) -> Path | None:
    """The directory of the run with this id, whatever the directory's name; None where there is
    none below `reports`.
    """
    return next(
        (path for path, manifest, _ in recorded(reports) if manifest.run_id == run_id), None
    )


def recorded(reports: Path) -> Iterator[tuple[Path, Manifest, Summary | None]]:
    """Each run's directory, its manifest, and its summary when it came to an end; the newest
    first.
    """
    for path in reversed(_directories(reports)):
        run = RunDir(path)
        try:
            yield path, run.manifest(), run.summary() if run.has_summary() else None
        except StoreError:
            continue  # not ours, or half written: `runs show` says what is wrong with it


def newest_of(suite: str, reports: Path) -> Path:
    """The directory of the newest run of a suite that ended, whole or partial.

    Raises:
        StoreError: there is none.
    """
    folders = [*_directories(reports), *_inner_directories(reports)]
    for path in sorted(folders, key=_age, reverse=True):
        run = RunDir(path)
        try:
            if run.has_summary() and run.manifest().suite == suite:
                return path
        except StoreError:
            continue
    raise StoreError(f"--last-failed: there is no run of the suite {suite} below {reports}")


def list_runs(reports: Path, suite: str | None = None) -> Iterator[dict[str, Any]]:
    """What each run was and came to, the newest first."""
    for path, manifest, summary in recorded(reports):
        if suite is not None and manifest.suite != suite:
            continue
        yield {
            "run_id": manifest.run_id,
            "path": str(path),
            "suite": manifest.suite,
            "candidate": manifest.candidate.name,
            "environment": manifest.environment,
            "started": manifest.started,
            "status": manifest.status if summary is None else summary.status,
            "decision": (
                None
                if summary is None or summary.gate.decision is None
                else str(summary.gate.decision)
            ),
            "cases": manifest.cases.n if summary is None else summary.counts.cases,
            "passed": 0 if summary is None else summary.counts.passed,
        }


def _directories(reports: Path) -> list[Path]:
    return sorted((path.parent for path in reports.glob(f"*/*/{MANIFEST}")), key=_age)


def _inner_directories(reports: Path) -> list[Path]:
    """Partial runs and cells of grids. They are named by their id, and never are `latest`."""
    places = (f"*/{PARTIAL}/*/{MANIFEST}", f"*/{GRIDS}/*/*/{MANIFEST}")
    return sorted(path.parent for place in places for path in reports.glob(place))


def _is_part(path: Path) -> bool:
    """Whether a run has only a part of its suite on purpose, whatever folder it is in."""
    try:
        return RunDir(path).manifest().is_part
    except StoreError:
        return False


def _age(path: Path) -> str:
    """A key that sorts directories by the time of their runs. Ids sort by time, and a directory
    may have any name (`--out`). A manifest that can't be read leaves only the name.
    """
    try:
        return RunDir(path).manifest().run_id
    except StoreError:
        return path.name
