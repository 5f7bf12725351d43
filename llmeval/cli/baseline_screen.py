"""What `llmeval baseline` shows: runs, changes, the release and the chain of baselines."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmeval.cli.common import console
from llmeval.report.safe_text import count

if TYPE_CHECKING:
    from llmeval.core.baseline_lock import BaselineLock
    from llmeval.gate.baseline_changes import Changes
    from llmeval.store.directory import RunDir

_NAMED = 10
_LOOK_AT = 200
"""Directories that are read in search of runs like the approved ones."""


def which(baseline: "BaselineLock") -> str:
    """run R of M; or the mean of 5 runs of M, the last one R."""
    if baseline.run_count == 1:
        return f"run {baseline.run_id} of {baseline.candidate}"
    return (
        f"the mean of {baseline.run_count} runs of {baseline.candidate}, the last one"
        f" {baseline.run_id}"
    )


def print_done(line: str) -> None:
    screen = console()
    screen.soft_wrap = True
    screen.print("[green]✔[/] ", end="")
    screen.print(line, markup=False)


def print_agreement(baseline: "BaselineLock") -> None:
    """A line where several runs differ nowhere, so that more of them add nothing."""
    columns = baseline.metrics.values()
    if baseline.run_count > 1 and all(not column.noise for column in columns):
        console().print(
            "The runs agree on every case, as those of a model that always answers alike: more of"
            " them add little.",
            markup=False,
        )


def print_others(runs: "list[RunDir]") -> None:
    """A warning where a single run was approved and more runs of the same system lie near it: the
    best of several is too good a baseline (`benchmarks/decisions_baselines.py --section curse`).
    """
    if len(runs) != 1:
        return
    others = _runs_like(runs[0])
    if not others:
        return
    names = " ".join(str(each.path) for each in (*runs, *others[: _NAMED - 1]))
    verb = "are" if len(others) > 1 else "is"
    console().print(
        f"{count(len(others), 'more run')} of this suite and model {verb} in"
        f" {runs[0].path.parent}. If this one was chosen because it is good, an unchanged model may"
        f" FAIL against it. Their mean has less noise: llmeval baseline approve {names} --by NAME"
        " --reason TEXT",
        markup=False,
        soft_wrap=True,
    )


def _runs_like(run: "RunDir") -> "list[RunDir]":
    """Complete runs of the same suite and candidate in the same folder, with their own answers."""
    from llmeval.core.errors import LlmevalError
    from llmeval.store.directory import RunDir

    own, runs = run.manifest(), []
    for path in sorted(run.path.resolve().parent.iterdir(), reverse=True)[:_LOOK_AT]:
        other = RunDir(path)
        try:
            seen = other.manifest() if path.is_dir() and other.exists() else None
        except (LlmevalError, OSError):
            continue
        if (
            seen is not None
            and seen.run_id != own.run_id
            and seen.status == "complete"
            and seen.parent_run is None
            and seen.digests == own.digests
        ):
            runs.append(other)
    return runs


def print_changes(path: Path, changes: "Changes | None") -> None:
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
                f"  {what}: {', '.join(names[:_NAMED])}{', ...' if len(names) > _NAMED else ''}",
                markup=False,
            )
    for change in changes.gate:
        out.print(f"  gate: {change}", markup=False)


def print_chain(baseline: "BaselineLock") -> None:
    """The release, and each baseline's drop from it."""
    from llmeval.core.formatting import points
    from llmeval.gate.release_anchor import drops_from

    out = console()
    out.soft_wrap = True
    kept = baseline.release
    if kept is not None:
        by = kept.approved.by if kept.approved is not None else "nobody"
        out.print(f"Release: {which(kept)}, approved by {by}", markup=False)
        if kept.approved is not None and kept.approved.accepted:
            accepted = kept.approved.accepted
            out.print(f"  It was {accepted.decision}, accepted: {accepted.reason}", markup=False)
        for name, drop in drops_from(baseline, kept).items():
            moved = "shares no result" if drop is None else _moved(drop, points(abs(drop)))
            out.print(f"  {name}: the baseline {moved}", markup=False)
    if len(baseline.chain) < 2:
        return
    out.print("Chain of baselines, the oldest first:")
    for link in baseline.chain:
        parts = [
            f"{name} {_moved(drop, points(abs(drop)))}"
            for name, drop in link.drops.items()
            if drop is not None
        ]
        what = "release" if link.release else "; ".join(parts) or "no release to compare with"
        out.print(
            f"  {link.approved.at[:10]} {link.run_id} ({count(link.runs, 'run')},"
            f" {link.approved.by}): {what}",
            markup=False,
        )


def _moved(drop: float, size: str) -> str:
    if abs(drop) < 0.0005:
        return "as the release"
    return f"{size} {'below' if drop > 0 else 'above'} the release"


def document(baseline: "BaselineLock", path: Path, changes: "Changes | None") -> dict[str, Any]:
    return {
        **head(baseline),
        "lock_file": str(path),
        "changes": None if changes is None else changes._asdict(),
    }


def head(baseline: "BaselineLock") -> dict[str, Any]:
    """A baseline without its values."""
    import math

    import msgspec

    metrics = []
    for name in baseline.metrics:
        values = list(baseline.results(name).values())
        present = [value for value in values if not math.isnan(value)]
        mean = math.fsum(present) / len(present) if present else None
        metrics.append(
            {"metric": name, "mean": mean, "n": len(present), "missing": len(values) - len(present)}
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
        "runs": [run.run_id for run in baseline.runs] or [baseline.run_id],
        "release": None if baseline.release is None else head(baseline.release),
        "chain": msgspec.to_builtins(baseline.chain),
        "gate": msgspec.to_builtins(baseline.gate),
    }
