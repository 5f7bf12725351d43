"""Runs below a reports directory, by name and by time.

Names are resolved by the history (`names.py`), which is compared with the directories first. Where
the history can't be used, the directories alone give the same answer.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from llmeval.core.errors import StoreError, UsageError
from llmeval.core.manifest import Manifest
from llmeval.core.results import Summary
from llmeval.history.experiment_store import RunQuery
from llmeval.history.indexing import update
from llmeval.history.names import BASELINE as BASELINE
from llmeval.history.names import LATEST as LATEST
from llmeval.history.names import RunHead, RunNames
from llmeval.history.opening import is_server, open_store
from llmeval.history.projection import PART, status_of
from llmeval.store.directory import GRIDS, MANIFEST, PARTIAL, RunDir
from llmeval.store.run_tags import read_tags

_NAMED = 5


def find(name: Path, reports: Path, suite: str | None = None, but: Collection[Path] = ()) -> Path:
    """The directory of a run by its path or any name of `names.py`.

    Args:
        name: path or name.
        reports: the folder of the runs.
        suite: the suite that is meant, where it is clear.
        but: directories that are not meant, because the run is compared with them.

    Raises:
        UsageError, StoreError: as `RunNames.resolve`.
    """
    if (name / MANIFEST).exists():
        return name
    text = str(name)
    places = ("*", f"*/{PARTIAL}", f"*/{GRIDS}/*")
    same = sorted(
        path.parent
        for place in places
        for path in reports.glob(f"{place}/{_plain(text)}/{MANIFEST}")
        if text not in (LATEST, BASELINE)  # a directory of that name may be an old run
    )
    if len(same) > 1:
        raise StoreError(
            f"{text} is the name of {len(same)} runs: {', '.join(map(str, same[:_NAMED]))}"
        )
    return same[0] if same else run_names(reports).resolve(text, suite, but).path


def _plain(name: str) -> str:
    """A name for a pattern of files: nothing in it is a wildcard, and nothing leaves the folder."""
    if "/" in name or name in ("", ".", ".."):
        return "\0"  # no file has this name
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def run_names(reports: Path) -> RunNames:
    """All runs below a folder, to resolve names among them."""
    inner = [
        RunHead(path.name, "", path, "", PART) for path in reversed(_inner_directories(reports))
    ]
    return RunNames([*heads(reports), *inner], f"below {reports}", datetime.now(UTC))


def heads(reports: Path) -> list[RunHead]:
    """The runs below a folder, the newest first: from the history, or from the directories where it
    can't be used. A server's runs are of other machines too, so it is not asked.
    """
    if is_server():
        return _heads_of_directories(reports)
    root = reports.resolve()
    try:
        store = open_store(root)
        try:
            update(store, root)
            rows = store.runs(RunQuery(root=str(root)))
            tags = store.tags([row.run_id for row in rows])
        finally:
            store.close()
    except StoreError:
        return _heads_of_directories(reports)
    base = {str(root): reports}  # paths as the user writes them
    return [
        RunHead.of(row, tags.get(row.run_id, {}))._replace(
            path=base[row.root] / Path(row.path).relative_to(row.root)
        )
        for row in rows
    ]


def _heads_of_directories(reports: Path) -> list[RunHead]:
    all_heads = []
    for path, manifest, summary in recorded(reports):
        try:
            tags = tuple(read_tags(path).items())
        except StoreError:
            continue  # as the history skips it
        all_heads.append(
            RunHead(
                manifest.run_id,
                manifest.suite,
                path,
                manifest.started,
                status_of(manifest, summary),
                None if manifest.git is None else manifest.git.branch,
                manifest.baseline,
                tags,
            )
        )
    return all_heads


def sole_latest(reports: Path) -> Path:
    """The directory of the newest run, where all runs are of one suite: something is decided by it,
    and not by another's.

    Raises:
        StoreError: there is none.
        UsageError: there are runs of several suites.
    """
    names = run_names(reports)
    whole = [head for head in names.heads if head.status != PART]
    suites = {head.suite for head in whole}
    if len(suites) > 1:
        last = whole[0]
        raise UsageError(
            f"{LATEST}: there are runs of {len(suites)} suites below {reports}. Say whose: --suite"
            " FILE (its newest run, by that file's gate), or the run's id; the newest of all is"
            f" {last.run_id}, of {last.suite}"
        )
    return names.resolve(LATEST).path


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
    try:
        return run_names(reports).resolve(LATEST, suite, but, complete=complete).path
    except StoreError:
        what = f"{'other ' if but else ''}{'complete ' if complete else ''}run"
        raise StoreError(
            f"{LATEST}: there is no {what} of the suite {suite} below {reports}"
        ) from None


def of_id(run_id: str, reports: Path) -> Path | None:
    """The directory of the run with this id, whatever the directory's name; None where there is
    none below `reports`.
    """
    return next((head.path for head in heads(reports) if head.run_id == run_id), None)


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


def ended_of(suite: str, reports: Path) -> Iterator[RunDir]:
    """The runs of a suite that ended, whole and partial, the newest first. Cells of grids are left
    out, as for `latest`: several of them began at the same time.

    Raises:
        StoreError: there is none.
    """
    partial = [path.parent for path in reports.glob(f"*/{PARTIAL}/*/{MANIFEST}")]
    folders = [*_directories(reports), *partial]
    some = False
    for path in sorted(folders, key=_age, reverse=True):
        run = RunDir(path)
        try:
            if not run.has_summary() or run.manifest().suite != suite:
                continue
        except StoreError:
            continue
        some = True
        yield run
    if not some:
        raise StoreError(
            f"--last-failed: there is no run of the suite {suite} below {reports}. Of a cell of a"
            " grid: --failed ID"
        )


def _inner_directories(reports: Path) -> list[Path]:
    """Partial runs and cells of grids. They are named by their id, and never are `latest`."""
    places = (f"*/{PARTIAL}/*/{MANIFEST}", f"*/{GRIDS}/*/*/{MANIFEST}")
    return sorted(path.parent for place in places for path in reports.glob(place))


def _directories(reports: Path) -> Sequence[Path]:
    return sorted((path.parent for path in reports.glob(f"*/*/{MANIFEST}")), key=_age)


def _age(path: Path) -> str:
    """A key that sorts directories by the time of their runs. Ids sort by time, and a directory
    may have any name (`--out`). A manifest that can't be read leaves only the name.
    """
    try:
        return RunDir(path).manifest().run_id
    except StoreError:
        return path.name
