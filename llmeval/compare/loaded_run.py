"""A run read for a comparison, and what keeps two runs from being compared."""

from dataclasses import dataclass

from msgspec import structs

from llmeval.compare.comparison import ComparedRun
from llmeval.core.baseline_lock import BaselineLock
from llmeval.core.manifest import Manifest
from llmeval.core.results import Decision, Summary
from llmeval.core.used_judges import with_trust_of
from llmeval.gate.aggregate import RunAggregate
from llmeval.gate.baseline import values_of
from llmeval.gate.run_pass import aggregate_run
from llmeval.store.run_store import RunStore


@dataclass(frozen=True)
class LoadedRun:
    """A run under its letter. `kept`: its results case by case."""

    letter: str
    run: RunStore
    manifest: Manifest
    aggregate: RunAggregate
    kept: BaselineLock
    summary: Summary | None
    title: str = ""
    """What names the run instead of its letter, such as the cell of a grid."""

    @property
    def name(self) -> str:
        """The title or the letter, and the run's id."""
        return f"{self.title or self.letter} ({self.kept.run_id})"

    def untrusted(self, metric: str) -> bool:
        """Whether the metric's judge is not trusted; False for checks."""
        judge = self.manifest.judges.get(metric)
        return judge is not None and judge.trust != "TRUSTED"


def load(letter: str, run: RunStore, title: str = "") -> LoadedRun:
    """Read a run once. `title`: what names it instead of its letter.

    Raises:
        StoreError: not a run directory, or a newer one.
    """
    manifest = structs.replace(run.manifest(), quarantine=())  # shown: every case that was asked
    aggregate = aggregate_run(run, manifest)
    manifest = with_trust_of(manifest, aggregate.judges)
    return LoadedRun(
        letter,
        run,
        manifest,
        aggregate,
        values_of(aggregate, manifest),
        run.summary() if run.has_summary() else None,
        title,
    )


def side(loaded: LoadedRun, first: LoadedRun) -> ComparedRun:
    """The run as a record, with the cases that it does not share with the first one."""
    mine, theirs = loaded.kept.cases, first.kept.cases
    gate = None if loaded.summary is None else loaded.summary.gate.decision
    return ComparedRun(
        letter=loaded.letter,
        run_id=loaded.kept.run_id,
        path=str(loaded.run.path),
        suite=loaded.kept.suite,
        candidate=loaded.kept.candidate,
        started=str(loaded.manifest.started),
        status=_status(loaded),
        decision=None if gate is None else str(gate),
        cases=len(mine),
        shared=sum(theirs.get(name) == digest for name, digest in mine.items()),
        only=tuple(name for name in mine if name not in theirs),
        missing=tuple(name for name in theirs if name not in mine),
        changed=tuple(name for name in mine if theirs.get(name, mine[name]) != mine[name]),
    )


def _status(loaded: LoadedRun) -> str:
    if loaded.summary is not None:
        return loaded.summary.status
    return "complete" if loaded.manifest.status == "complete" else "incomplete"


def obstacle(first: LoadedRun, other: LoadedRun, metric: str) -> str:
    """Why one metric of two runs can't be compared, and the fix; empty when it can."""
    lacking = next((each for each in (first, other) if metric not in each.kept.metrics), None)
    if lacking is not None:
        return f"{lacking.name} has no such metric. {_anew(first, other)}"
    if first.kept.metrics[metric].scorer != other.kept.metrics[metric].scorer:
        what = (
            "judge"
            if metric in other.manifest.judges or metric in first.manifest.judges
            else "check"
        )
        return (
            f"another {what} scored {other.name}, so a difference may be the {what}'s own."
            f" {_anew(first, other)}"
        )
    return ""


def _anew(first: LoadedRun, other: LoadedRun) -> str:
    return (
        f"Score one by the other's suite: `llmeval score {first.kept.run_id} --suite"
        f" {other.manifest.suite_file}`."
    )


def warnings(loaded: LoadedRun) -> list[str]:
    """What to know about a run before its numbers are read."""
    warnings_ = []
    if _status(loaded) != "complete":
        warnings_.append(
            f"{loaded.name} is incomplete: {loaded.aggregate.cases:,} cases have an answer so far."
        )
    if loaded.manifest.selection is not None:
        warnings_.append(f"{loaded.name} is a partial run: {loaded.manifest.selection.sentence}")
    stopped = 0 if loaded.summary is None else loaded.summary.counts.not_needed
    if stopped:
        warnings_.append(
            f"{loaded.name} stopped early, and {stopped:,} cases did not run: the intervals here do"
            " not account for that, its own gate does."
        )
    gate = None if loaded.summary is None else loaded.summary.gate
    for rule in () if gate is None else gate.rules:
        if rule.decision is Decision.INVALID and rule.rule not in (
            "regression",
            "release",
        ):  # what it was compared with is not asked here
            warnings_.append(f"{loaded.name} is INVALID: {rule.reason}")
    return warnings_
