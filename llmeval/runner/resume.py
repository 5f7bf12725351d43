"""Selects the unfinished run that the same command continues.

It is the newest run of the same suite, candidate and options, if it is unfinished, no process
writes to it, and it began within the last 24 hours. An older run may contain answers of a different
day.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec
from filelock import FileLock, Timeout

from llmeval.core.errors import StoreError
from llmeval.core.manifest import GitRecord, Manifest
from llmeval.runner.execute import run_folder
from llmeval.runner.manifest import make_manifest
from llmeval.runner.options import Options
from llmeval.runner.plan import RunPlan
from llmeval.store.directory import RunDir
from llmeval.store.writer import LOCK

WITHIN = timedelta(hours=24)
_NEW_RUN = "new"
"""The id of the plan's manifest, which no comparison uses. An empty id is not valid."""
_LOOK_AT = 50
"""The most directories that are examined. More would delay the start in a large folder."""
_SAME = (
    "digests",
    "modules",
    "environment",
    "repeats",
    "seed",
    "parent_run",
    "quarantine",
    "gate",
    "shard",
    "selection",
)


class Unfinished(NamedTuple):
    """The result of the search. `path`: the run to continue; None starts a new one. `line`: a
    message for the user, if there is one.
    """

    path: Path | None = None
    line: str = ""


def find_unfinished(plan: RunPlan, options: Options, now: datetime | None = None) -> Unfinished:
    """Search for the run that a command without `--out` continues.

    Args:
        plan: the plan of the new run.
        options: its options.
        now: the current time; by default that of the clock.
    """
    now = now or datetime.now(UTC)
    identity: dict[str, object] | None = None
    for run, manifest in _newest(run_folder(plan, options)):
        if identity is None:
            identity = run_identity(make_manifest(plan, options, _NEW_RUN))
        if run_identity(manifest) == identity:
            return Unfinished() if manifest.status == "complete" else _usable(run, manifest, now)
    return Unfinished()


def _newest(folder: Path) -> Iterator[tuple[RunDir, Manifest]]:
    """The runs whose directory has the name of their id. A run in another directory is continued
    only with `--out`.
    """
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir(), key=_age, reverse=True)[:_LOOK_AT]:
        run = RunDir(path)
        try:
            manifest = run.manifest() if run.exists() else None
        except StoreError:
            continue
        if manifest is not None and manifest.run_id == path.name:
            yield run, manifest


def _age(path: Path) -> tuple[str, int]:
    """The sort key: the time in the run's id, and within one second the last change."""
    return path.name.partition("-")[0], path.stat().st_mtime_ns


def run_identity(manifest: Manifest) -> dict[str, object]:
    """What two runs must share for one to be the continuation of the other, as plain JSON."""
    git = manifest.git or GitRecord()
    identity = {
        **{key: getattr(manifest, key) for key in _SAME},
        "limit": manifest.cases.limit,
        "candidate": manifest.candidate.name,
        "certificates": {name: judge.certificate_digest for name, judge in manifest.judges.items()},
        "llmeval": manifest.llmeval.version,
        "git": [git.commit, git.dirty, git.changes],
    }
    plain: dict[str, object] = msgspec.to_builtins(identity)
    return plain


def _usable(run: RunDir, manifest: Manifest, now: datetime) -> Unfinished:
    name = f"run {manifest.run_id}"
    try:
        started = datetime.fromisoformat(manifest.started)
        if now - started > WITHIN:
            return Unfinished(
                line=(
                    f"{name} is unfinished, but it began more than 24 hours ago: a new run starts "
                    f"(--out {run.path} continues the old one)"
                )
            )
        with FileLock(run.path / LOCK, timeout=0):
            run.verify()
            there = sum(answer.error is None for answer in run.answers())
    except Timeout:
        return Unfinished(line=f"another llmeval is writing {name}: a new run starts")
    except (StoreError, ValueError, TypeError) as error:
        return Unfinished(line=f"{name} is unfinished, but damaged: a new run starts ({error})")
    total = manifest.cases.n * manifest.repeats
    return Unfinished(
        run.path,
        f"continues {name} of {_when(started, now)}, which has {there:,} of {total:,} answers"
        " (--new starts a new run)",
    )


def _when(started: datetime, now: datetime) -> str:
    """14:02 today, or 23:50 yesterday, in local time."""
    local = started.astimezone()
    day = "today" if local.date() == now.astimezone().date() else "yesterday"
    return f"{local:%H:%M} {day}"
