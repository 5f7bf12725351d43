"""What a run is compared with, beyond its rules: cases that are left out, and a gate that is not
the baseline's.

Both belong next to a PASS: a gate that was loosened, or cases that were taken out of it, explain it
as well as a good candidate does.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from msgspec import structs

from llmeval.core.baseline_lock import BaselineLock
from llmeval.core.errors import LlmevalError
from llmeval.core.manifest import Manifest
from llmeval.core.results import GateChange, GateResult, MetricDrop
from llmeval.gate.aggregate import RunAggregate
from llmeval.gate.baseline import read_baseline
from llmeval.gate.gate_terms import changes, terms_of
from llmeval.gate.largest_drops import largest_drops
from llmeval.gate.missing_cases import MissingCases, gone_of, sample_note

_NAMED = 10
_SOON = timedelta(hours=24)
"""A PASS shows a note if the answers of one run are further apart in time. `runner.resume`
continues a run automatically within this time.
"""


class BaselineNotices(NamedTuple):
    """Notes on a run and its baseline. Empty without a baseline that can be read."""

    gone: MissingCases = MissingCases()
    changes: tuple[GateChange, ...] = ()
    quarantined: tuple[str, ...] = ()
    """Ids of cases that are in quarantine now, and were not when the baseline was approved."""
    drops: tuple[MetricDrop, ...] = ()
    """The largest drops since the baseline."""
    accepted: tuple[str, ...] = ()
    """Sentences on a baseline and a release that a person accepted although the gate did not PASS
    them.
    """
    measured: tuple[str, ...] = ()
    """How the run is measured differently from the baseline, in words: judges, checks, cases."""
    renamed: str = ""
    """A sentence where the baseline is of a suite with another name."""


def against(aggregate: RunAggregate, manifest: Manifest) -> BaselineNotices:
    """Notes on a run and the baseline that its gate names."""
    baseline = baseline_in(manifest)
    if baseline is None or baseline.gate is None:
        return BaselineNotices()
    now = terms_of(manifest)
    since = tuple(name for name in now.quarantine if name not in baseline.gate.quarantine)
    gone, differing = gone_of(aggregate, manifest, baseline), changes(baseline.gate, now)
    return BaselineNotices(
        gone,
        differing,
        since,
        largest_drops(aggregate, manifest, baseline),
        tuple(_accepted(baseline, manifest)),
        tuple(_measured(baseline, manifest, gone, differing)),
        _renamed(baseline, manifest),
    )


def _renamed(baseline: BaselineLock, manifest: Manifest) -> str:
    """The two names of the suite, and what to do; empty if they are equal."""
    if baseline.suite == manifest.suite:
        return ""
    return (
        f"The baseline is of the suite {baseline.suite}, and this run of {manifest.suite}. If the"
        " suite has a new name, delete the lock file and approve a run of it: `llmeval baseline"
        " approve RUN`. If not, name the baseline of this suite in `gate.regression.baseline`."
    )


def _measured(
    baseline: BaselineLock,
    manifest: Manifest,
    gone: MissingCases,
    differing: Sequence[GateChange],
) -> Iterator[str]:
    """What measures the run differently from its baseline and is not what is tested: candidate and
    prompt are. A baseline records digests, and neither its environment nor its packages, so
    nothing is stated about these.
    """
    scoring = [c for c in differing if c.what.startswith(("judge ", "check "))]
    yield from (c.text for c in scoring if c.direction != "looser")  # `_remarks` has the others
    before, now = baseline.digests, manifest.digests
    has_check = any(c.what.startswith("check ") for c in scoring)
    if before.checks and before.checks != now.checks and not has_check:
        yield "the checks have another digest"
    sampled = manifest.sampled_of is not None
    explained = sampled or gone.missed or gone.retired or baseline.left_out
    if before.cases and before.cases != now.cases and not explained:
        yield f"the cases have another digest ({manifest.cases.n:,} cases)"


def _accepted(baseline: BaselineLock, manifest: Manifest) -> Iterator[str]:
    """The release counts only where the gate compares with it."""
    release = baseline.release if manifest.gate.release_margins else None
    for what, lock in (("baseline", baseline), ("release", release)):
        if lock is not None and lock.approved is not None and lock.approved.accepted:
            accepted = lock.approved.accepted
            reason = accepted.reason.strip().rstrip(".")
            yield (
                f"The {what} {lock.run_id} was {accepted.decision}, and {lock.approved.by} accepted"
                f" it: {reason}."
            )


def baseline_in(manifest: Manifest) -> BaselineLock | None:
    """The baseline that a run's gate names; None where there is none, or none that can be compared
    with.
    """
    named = manifest.baseline
    try:
        return read_baseline(Path(named)) if named and Path(named).exists() else None
    except LlmevalError:
        return None  # the rules of regression say why


def with_remarks(gate: GateResult, notices: BaselineNotices, manifest: Manifest) -> GateResult:
    """The decision with what was accepted before it, and with its other notes if the run exits with
    0.
    """
    if gate.decision is None:
        return gate
    notes = [*([notices.renamed] if notices.renamed else []), *notices.accepted]
    if gate.exit_code == 0:
        notes += [*_remarks(notices), *_earlier_answers(manifest)]
        sample = sample_note(notices.gone, manifest).strip()
        if sample and sample not in gate.reason:
            notes.append(sample)
    return structs.replace(
        gate, remarks=(*gate.remarks, *notes), reason=" ".join([gate.reason, *notes])
    )


def _earlier_answers(manifest: Manifest) -> list[str]:
    """A sentence where a run, or the shards of one, was answered over more than a day: the system
    may not be the same.
    """
    sessions = [session for session in manifest.sessions if session.answers]
    begun = [datetime.fromisoformat(session.started) for session in sessions]
    old = [n for n, when in enumerate(begun) if max(begun) - when > _SOON]
    if not old:
        return []
    answers, total = (
        sum(sessions[n].answers for n in which) for which in (old, range(len(sessions)))
    )
    return [
        f"{answers:,} of {total:,} answers were asked for on {min(begun):%Y-%m-%d}, more than 24"
        " hours before the last: they say nothing about what changed since."
    ]


def _remarks(notices: BaselineNotices) -> list[str]:
    remarks, gone = [], notices.gone
    left_out = ("quarantined", "retired")
    looser = [
        c.text.removesuffix(": looser")
        for c in notices.changes
        if c.direction == "looser" and c.what not in left_out
    ]
    if looser:
        remarks.append(f"The gate is looser than the baseline's: {'; '.join(looser)}.")
    if notices.measured:
        remarks.append(f"Measured differently from the baseline: {'; '.join(notices.measured)}.")
    if notices.quarantined:
        remarks.append(
            f"{_cases(notices.quarantined)} quarantined since the baseline:"
            f" {_named(notices.quarantined)}."
        )
    if gone.retired:
        remarks.append(
            f"{_cases(gone.retired)} retired since the baseline:"
            f" {_named([e.case_id for e in gone.retired])}."
        )
    missed = [*gone.gone, *gone.changed]
    if missed:
        remarks.append(
            f"{_cases(missed)} gone or changed since the baseline, which `max_gone` allows:"
            f" {_named(missed)}."
        )
    return remarks


def _cases(ids: Sequence[object]) -> str:
    return "1 case is" if len(ids) == 1 else f"{len(ids):,} cases are"


def _named(ids: Sequence[str]) -> str:
    return ", ".join(ids[:_NAMED]) + (
        f" and {len(ids) - _NAMED:,} more" if len(ids) > _NAMED else ""
    )
