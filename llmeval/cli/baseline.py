"""`llmeval baseline`: the run that others are compared with, approved by a person and kept next to
the suite.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmeval.cli.common import Json, Reports, RunPath, console, emit, find_run
from llmeval.report.safe_text import count

if TYPE_CHECKING:
    from llmeval.core.baseline_lock import BaselineLock
    from llmeval.gate.baseline_changes import Changes
    from llmeval.store.directory import RunDir

app = typer.Typer(help="Approve the run that later runs are compared with.", no_args_is_help=True)

Out = Annotated[
    Path | None,
    typer.Option(help="The lock file; default: the one the run's suite names.", metavar="FILE"),
]
NAMED = 10


@app.command()
def propose(
    run: RunPath, out: Out = None, reports: Reports = Path("reports"), as_json: Json = False
) -> int:
    """Show what would change if this run became the baseline. Writes nothing."""
    from llmeval.gate.baseline import baseline_of_run
    from llmeval.store.directory import RunDir

    directory = RunDir(find_run(run, reports))
    new, path = baseline_of_run(directory), _lock_path(directory, out)
    changes = _changes(path, new)
    if as_json:
        emit(
            {
                **_head(new),
                "lock_file": str(path),
                "changes": None if changes is None else changes._asdict(),
            }
        )
        return 0
    screen = console()
    screen.soft_wrap = True
    _print_changes(path, changes)
    decided = "" if new.decision is None else f"; by itself, compared with nothing: {new.decision}"
    screen.print(
        f"Run {new.run_id} of {new.candidate}: {count(len(new.cases), 'case')}{decided}.",
        markup=False,
    )
    more = "" if out is None else f" --out {out}"
    screen.print(
        f"To approve it: llmeval baseline approve {_lasting(run, new.run_id)} --by NAME --reason"
        f" TEXT{more}",
        markup=False,
    )
    return 0


@app.command()
def approve(
    run: RunPath,
    by: Annotated[str, typer.Option(help="The person who approves.", metavar="NAME")],
    reason: Annotated[str, typer.Option(help="Why this run is a valid baseline.", metavar="TEXT")],
    expires: Annotated[
        str | None,
        typer.Option(help="The last day of its validity, such as 2027-01-31.", metavar="DATE"),
    ] = None,
    out: Out = None,
    reports: Reports = Path("reports"),
    as_json: Json = False,
) -> int:
    """Make a run the baseline: write the lock file.

    An incomplete or INVALID run is refused.
    """
    from llmeval.core.files import write_atomically
    from llmeval.gate.baseline import approval, baseline_of_run, lock_bytes
    from llmeval.store.directory import RunDir

    approved = approval(by, reason, expires)
    directory = RunDir(find_run(run, reports))
    path, new = _lock_path(directory, out), baseline_of_run(directory, approved)
    changes = _changes(path, new)
    write_atomically(path, lock_bytes(new))
    if as_json:
        emit(
            {
                **_head(new),
                "lock_file": str(path),
                "changes": None if changes is None else changes._asdict(),
            }
        )
        return 0
    _print_changes(path, changes)
    screen = console()
    screen.soft_wrap = True
    screen.print(
        f"[green]✔[/] {path}: run {new.run_id}, {len(new.cases):,} cases, approved by"
        f" {approved.by}. Commit it."
    )
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

    found = read_any(file)
    if as_json:
        emit(_head(found))
        return 0
    out = console()
    out.soft_wrap = True
    out.print(
        f"{found.suite}: run {found.run_id} of {found.candidate}, {len(found.cases):,} cases",
        markup=False,
    )
    if found.approved is None:
        out.print("A run's directory; nobody approved it.")
    else:
        until = f", until {found.approved.expires}" if found.approved.expires else ""
        over = " [red](expired)[/]" if found.expired() else ""
        out.print(
            f"Approved by {found.approved.by} on {found.approved.at[:10]}{until}{over}:"
            f" {found.approved.reason}"
        )
    for row in _head(found)["metrics"]:
        mean = "–" if row["mean"] is None else f"{row['mean']:.3f}"
        out.print(
            f"  {row['metric']}: mean {mean} over {row['n']:,} cases, {row['missing']:,} missing",
            markup=False,
        )
    return 0


def _lasting(run: Path, run_id: str) -> str:
    """A name that still means this run when others have been made."""
    from llmeval.history.runs import LATEST

    return run_id if str(run) == LATEST else str(run)


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


def _print_changes(path: Path, changes: "Changes | None") -> None:
    out = console()
    out.soft_wrap = True
    if changes is None:
        out.print(f"{path} does not exist yet: this is the first baseline.")
        return
    out.print(f"[bold]{changes.line()}[/] against {path}")
    for what in ("regressed", "fixed"):
        names = getattr(changes, what)
        if names:
            out.print(
                f"  {what}: {', '.join(names[:NAMED])}{', ...' if len(names) > NAMED else ''}",
                markup=False,
            )
    for change in changes.gate:
        out.print(f"  gate: {change}", markup=False)


def _head(baseline: "BaselineLock") -> dict[str, Any]:
    """A baseline without its values."""
    import math

    import msgspec

    metrics = []
    for name in baseline.metrics:
        values = list(baseline.results(name).values())
        known = [value for value in values if not math.isnan(value)]
        mean = math.fsum(known) / len(known) if known else None
        metrics.append(
            {"metric": name, "mean": mean, "n": len(known), "missing": len(values) - len(known)}
        )
    return {
        "suite": baseline.suite,
        "run_id": baseline.run_id,
        "candidate": baseline.candidate,
        "decision": baseline.decision,
        "approved": msgspec.to_builtins(baseline.approved),
        "expired": baseline.expired(),
        "cases": len(baseline.cases),
        "metrics": metrics,
        "gate": msgspec.to_builtins(baseline.gate),
    }
