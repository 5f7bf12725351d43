"""`llmeval baseline`: the runs that others are compared with, approved by a person and kept next to
the suite.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmeval.cli.baseline_refusals import (
    accepted_of,
    accepted_release,
    refuse_failed,
    refuse_reused,
    refuse_shared_answers,
    refuse_unapproved_runs,
)
from llmeval.cli.baseline_screen import (
    document,
    head,
    print_agreement,
    print_chain,
    print_changes,
    print_done,
    print_others,
    which,
)
from llmeval.cli.common import Json, Reports, console, emit, find_run
from llmeval.report.safe_text import count

if TYPE_CHECKING:
    from llmeval.core.audit_event import AuditAction
    from llmeval.core.baseline_lock import BaselineLock
    from llmeval.gate.baseline_changes import Changes
    from llmeval.store.directory import RunDir

app = typer.Typer(help="Approve the runs that later runs are compared with.", no_args_is_help=True)

Runs = Annotated[
    list[Path],
    typer.Argument(
        help="Run directories, run ids, or names: latest, main@latest, tag:release=1.2.",
        metavar="RUN...",
        show_default=False,
    ),
]
By = Annotated[str, typer.Option(help="The person who approves.", metavar="NAME")]
Why = Annotated[str, typer.Option(help="The reason, in a sentence.", metavar="TEXT")]

Out = Annotated[
    Path | None,
    typer.Option(help="The lock file; default: the one the run's suite names.", metavar="FILE"),
]


@app.command()
def propose(
    runs: Runs, out: Out = None, reports: Reports = Path("reports"), as_json: Json = False
) -> int:
    """Show what would change if these runs became the baseline. Writes nothing."""
    from llmeval.gate.baseline import baseline_of_run
    from llmeval.gate.baseline_runs import joined

    directories = _directories(runs, reports)
    new, path = (
        joined([baseline_of_run(each) for each in directories]),
        _lock_path(directories[0], out),
    )
    refuse_shared_answers(directories)
    changes = _changes(path, new)
    if as_json:
        emit(document(new, path, changes))
        return 0
    screen = console()
    screen.soft_wrap = True
    print_changes(path, changes)
    decided = "" if new.decision is None else f"; by itself, compared with nothing: {new.decision}"
    screen.print(f"{which(new)}: {count(len(new.cases), 'case')}{decided}.", markup=False)
    more = "" if out is None else f" --out {out}"
    names = " ".join(
        _lasting(run, each.manifest().run_id) for run, each in zip(runs, directories, strict=True)
    )
    screen.print(
        f"To approve: llmeval baseline approve {names} --by NAME --reason TEXT{more}",
        markup=False,
    )
    return 0


@app.command()
def approve(
    runs: Runs,
    by: By,
    reason: Why,
    expires: Annotated[
        str | None,
        typer.Option(help="The last day of its validity, such as 2027-01-31.", metavar="DATE"),
    ] = None,
    out: Out = None,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Make runs the baseline: write the lock file. Of several runs each case counts by its mean.

    An incomplete or INVALID run is refused, and so are runs that are not of one unchanged suite. Of
    a run that is FAIL or INCONCLUSIVE the lock file keeps that, and later reports show it.
    """
    from llmeval.gate.baseline import approval, baseline_of_run, read_any
    from llmeval.gate.baseline_runs import joined
    from llmeval.gate.release_anchor import followed

    directories = _directories(runs, reports)
    approved = approval(by, reason, expires, accepted=accepted_of(directories, reason.strip()))
    path = _lock_path(directories[0], out)
    new = joined([baseline_of_run(each, approved) for each in directories])
    refuse_shared_answers(directories)
    refuse_unapproved_runs(directories)
    before = read_any(path) if path.exists() else None
    changes = _changes(path, new)
    new = followed(new, before)
    _write(path, new)
    _note(path, approved.by, "baseline set", new)
    if as_json:
        emit(document(new, path, changes))
        return 0
    print_changes(path, changes)
    print_done(
        f"{path}: {which(new)}, {len(new.cases):,} cases, approved by {approved.by}. Commit it."
    )
    print_agreement(new)
    print_others(directories)
    return 0


@app.command()
def extend(
    runs: Runs,
    out: Out = None,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Add runs of the same system to the approved baseline, such as nightly runs of main.

    Each case then counts by its mean over all runs. A run that FAILed is refused.
    """
    from llmeval.core.errors import UsageError
    from llmeval.gate.baseline import baseline_of_run, read_baseline
    from llmeval.gate.baseline_runs import extended
    from llmeval.gate.release_anchor import updated

    directories = _directories(runs, reports)
    path = _lock_path(directories[0], out)
    if not path.exists():
        raise UsageError(
            f"there is no baseline at {path} to extend: `llmeval baseline approve RUN --by NAME"
            " --reason TEXT` makes one"
        )
    new = before = read_baseline(path)
    if before.expired():
        raise UsageError(f"the baseline {path} has expired: approve new runs")
    refuse_unapproved_runs(directories)
    for each in directories:
        refuse_reused(each)
        refuse_failed(each, path)
        new = extended(new, baseline_of_run(each))
    new = updated(new)
    _write(path, new)
    if as_json:
        emit(document(new, path, None))
        return 0
    print_done(f"{path}: {which(new)} (there were {before.run_count}). Commit it.")
    print_agreement(new)
    return 0


@app.command()
def release(
    by: By,
    reason: Why,
    runs: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Runs of the release; default: those of the current baseline.", metavar="[RUN...]"
        ),
    ] = None,
    despite: Annotated[
        str | None,
        typer.Option(
            help="Why a run that is not PASS becomes the release; without it such a run is"
            " refused.",
            metavar="TEXT",
        ),
    ] = None,
    out: Out = None,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Name the release that later runs are compared with, next to the rolling baseline.

    The suite's `gate.regression.release` says by how much they may be worse. A run that is not PASS
    is refused without a reason of its own (`--despite`), which later reports show.
    """
    from msgspec.structs import replace

    from llmeval.gate.baseline import approval, baseline_of_run, read_baseline
    from llmeval.gate.baseline_runs import joined
    from llmeval.gate.release_anchor import released

    approved = approval(by, reason, None)
    directories = _directories(runs or [], reports)
    path = _release_path(directories, out)
    before = read_baseline(path)
    locks = [baseline_of_run(each, approved) for each in directories]
    anchor = joined(locks) if locks else None
    refuse_shared_answers(directories)
    refuse_unapproved_runs(directories)
    released(before, approved, anchor)  # what can't be compared is refused before what is not PASS
    accepted = accepted_release(before, path, list(zip(directories, locks, strict=True)), despite)
    if accepted is not None:
        approved = replace(approved, accepted=accepted)
    new = released(before, approved, anchor)
    _write(path, new)
    _note(path, approved.by, "baseline released", new)
    if as_json:
        emit(document(new, path, None))
        return 0
    kept = new.release or new
    print_done(f"{path}: the release is {which(kept)}, approved by {approved.by}. Commit it.")
    return 0


@app.command()
def show(
    file: Annotated[
        Path, typer.Argument(help="The lock file, or a run's directory.", metavar="FILE")
    ],
    as_json: Json = False,
) -> int:
    """Show what a baseline holds, who approved it, and until when."""
    from llmeval.gate.baseline import read_any

    lock = read_any(file)
    if as_json:
        emit(head(lock))
        return 0
    out = console()
    out.soft_wrap = True
    out.print(f"{lock.suite}: {which(lock)}, {len(lock.cases):,} cases", markup=False)
    if lock.approved is None:
        out.print("A run's directory; nobody approved it.")
    else:
        until = f", until {lock.approved.expires}" if lock.approved.expires else ""
        over = " [red](expired)[/]" if lock.expired() else ""
        out.print(
            f"Approved by {lock.approved.by} on {lock.approved.at[:10]}{until}{over}:"
            f" {lock.approved.reason}"
        )
        if lock.approved.accepted:
            out.print(f"It was {lock.approved.accepted.decision} then.", markup=False)
    for row in head(lock)["metrics"]:
        mean = "–" if row["mean"] is None else f"{row['mean']:.3f}"
        out.print(
            f"  {row['metric']}: mean {mean} over {row['n']:,} cases, {row['missing']:,} missing",
            markup=False,
        )
    print_chain(lock)
    return 0


def _lasting(run: Path, run_id: str) -> str:
    """A name that still means this run when others have been made."""
    return str(run) if run.exists() else run_id


def _lock_path(run: "RunDir", out: Path | None) -> Path:
    """Where the lock file goes.

    Raises:
        UsageError: the suite names none and no --out is given.
    """
    from llmeval.core.errors import UsageError

    if out is not None:
        return out
    stated = run.manifest().baseline
    if stated is None or Path(stated).is_dir():
        raise UsageError(
            f"{run.path} names no lock file to write: give one with --out baselines/NAME.lock.json"
        )
    return Path(stated)


def _changes(path: Path, new: "BaselineLock") -> "Changes | None":
    from llmeval.gate.baseline import read_any
    from llmeval.gate.baseline_changes import changes

    return changes(read_any(path), new) if path.exists() else None


def _directories(runs: list[Path], reports: Path) -> "list[RunDir]":
    from llmeval.store.directory import RunDir

    return [RunDir(find_run(run, reports)) for run in runs]


def _write(path: Path, baseline: "BaselineLock") -> None:
    from llmeval.core.files import write_atomically
    from llmeval.gate.baseline import lock_bytes

    write_atomically(path, lock_bytes(baseline))


def _note(path: Path, by: str, action: "AuditAction", baseline: "BaselineLock") -> None:
    """Add an event to the chain next to a lock file, if there is one."""
    from llmeval.governance.audit import AUDIT, append_event
    from llmeval.governance.seal import digest_of_file

    chain = path.parent / AUDIT
    if chain.exists():
        target = f"{path.name}: {which(baseline)}"
        append_event(chain, by, action, target, digest_of_file(path))


def _release_path(directories: "list[RunDir]", out: Path | None) -> Path:
    """The lock file that a release belongs to.

    Raises:
        UsageError: nothing names one, or there is none yet.
    """
    from llmeval.core.errors import UsageError

    if out is None and not directories:
        raise UsageError(
            "name the lock file whose baseline becomes the release, `--out"
            " baselines/NAME.lock.json`; or the release's runs: `llmeval baseline release RUN"
            " --by NAME --reason TEXT`"
        )
    path = out if out is not None else _lock_path(directories[0], None)
    if not path.is_file():
        raise UsageError(
            f"there is no lock file at {path}: approve a baseline first, `llmeval baseline approve"
            " RUN --by NAME --reason TEXT`"
        )
    return path
