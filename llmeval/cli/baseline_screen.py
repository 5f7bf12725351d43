"""What `llmeval baseline` shows: runs, changes, the release and the chain of baselines."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmeval.cli.common import console
from llmeval.report.safe_text import count

if TYPE_CHECKING:
    from llmeval.core.baseline_lock import BaselineLock
    from llmeval.gate.baseline_changes import Changes

_NAMED = 10


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
            "The runs agree on every case, as reused or pinned answers do: they count as one.",
            markup=False,
        )


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
    for told in changes.gate:
        out.print(f"  gate: {told}", markup=False)


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
        "runs": [run.run_id for run in baseline.runs] or [baseline.run_id],
        "release": None if baseline.release is None else head(baseline.release),
        "chain": msgspec.to_builtins(baseline.chain),
        "gate": msgspec.to_builtins(baseline.gate),
    }
