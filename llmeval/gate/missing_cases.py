"""Cases that the baseline has and the run does not ask: gone, asked otherwise, retired, or only not
drawn.

A gate that pairs what both sides have would say PASS once the cases that fell are taken out of the
suite, or their references edited. So a case of the baseline that is not asked as it was makes the
run INVALID, unless a file says why (`suite.retired`) or the rule allows for it (`max_gone`). A
sample can't tell by itself which cases the suite lacks: the run notes that before it starts, from
the whole source (`Undrawn`).
"""

from collections.abc import Iterable, Sequence

import msgspec
from msgspec import structs

from llmeval.core.baseline_lock import BaselineLock
from llmeval.core.gate_record import GateRecord
from llmeval.core.manifest import Manifest, Undrawn
from llmeval.core.records import Case
from llmeval.core.results import Decision, Retired, RuleDecision
from llmeval.gate.aggregate import RunAggregate

MAX_NAMED = 10


class MissingCases(msgspec.Struct, frozen=True, kw_only=True):
    """The cases of a baseline that a run does not ask as the baseline did."""

    gone: tuple[str, ...] = ()
    """Ids of cases that the suite has no more."""
    changed: tuple[str, ...] = ()
    """Ids of cases that have other content now."""
    retired: tuple[Retired, ...] = ()
    """Those that are retired; they are in neither of the two."""
    undrawn: int = 0
    """How many more a sample did not draw."""
    of: int | None = None
    """Of a sample, how many cases the suite has; None of a run that asks all of them."""
    unknown: bool = False
    """Whether a sample was drawn before this baseline was known, so that nobody can tell which
    cases are gone.
    """

    @property
    def missed(self) -> int:
        """How many cases are gone or changed without being retired."""
        return len(self.gone) + len(self.changed)


def note_undrawn(baseline: BaselineLock, source: Iterable[Case]) -> Undrawn:
    """What a sample's manifest keeps of its baseline. `source`: all cases of the
    suite, drawn or not.
    """
    before = baseline.everything()
    now = {
        case.id: case.digest.removeprefix("sha256:")[:16] for case in source if case.id in before
    }
    gone = tuple(name for name in before if name not in now)
    changed = tuple(name for name, digest in now.items() if before[name] != digest)
    return Undrawn(baseline.run_id, gone, changed)


def gone_of(aggregate: RunAggregate, manifest: Manifest, baseline: BaselineLock) -> MissingCases:
    """How the cases of a run differ from those of its baseline. Nothing of a run that is not
    complete: its cases are not gone, they are still to come. A case in quarantine is not gone."""
    n = manifest.cases.n
    if not aggregate.may_stop and aggregate.units < n * manifest.repeats:
        return MissingCases()
    before, now = baseline.everything(), aggregate.case_digests(planned=True)
    changed = {name for name, digest in now.items() if before.get(name, digest) != digest}
    absent = [name for name in before if name not in now and name not in aggregate.quarantined]
    of, undrawn, unknown = manifest.sampled_of, 0, False
    if of is not None:
        noted = manifest.undrawn or Undrawn("")
        unknown = noted.baseline != baseline.run_id
        kept = set() if unknown else {*noted.gone, *noted.changed}
        undrawn = sum(name not in kept for name in absent)
        changed |= {name for name in absent if not unknown and name in noted.changed}
        absent = [name for name in absent if name in kept and name not in changed]
    entries = {entry.case_id: entry for entry in manifest.retired}
    ordered = [*absent, *(name for name in before if name in changed)]
    return MissingCases(
        gone=tuple(name for name in absent if name not in entries),
        changed=tuple(name for name in before if name in changed and name not in entries),
        retired=tuple(
            structs.replace(entries[name], changed=name in changed)
            for name in ordered
            if name in entries
        ),
        undrawn=undrawn,
        of=of,
        unknown=unknown,
    )


def gone_rule(
    missing: MissingCases, manifest: Manifest, baseline: BaselineLock, approve: str
) -> RuleDecision | None:
    """INVALID where more cases of the baseline are gone than may be; None otherwise. `approve`: the
    command that makes this run the baseline."""
    most = 0 if manifest.gate.regression is None else manifest.gate.regression.max_gone
    if missing.missed <= most:
        return None
    parts = [
        f"{len(ids):,} {what}"
        for ids, what in ((missing.gone, "gone"), (missing.changed, "changed"))
        if ids
    ]
    named = [*missing.gone, *(f"{name} (changed)" for name in missing.changed)]
    shown = ", ".join(named[:MAX_NAMED]) + (", ..." if len(named) > MAX_NAMED else "")
    allowed = f"at most {most:,} may be (`max_gone`)" if most else "none may be"
    return RuleDecision(
        rule="max_gone",
        decision=Decision.INVALID,
        baseline=baseline.run_id,
        n=missing.missed,
        reason=(
            f"Cases of the baseline {baseline.run_id} are not asked as they were:"
            f" {', '.join(parts)}, {allowed}. Whether they got worse is not known: {shown}. Ask"
            " them again, list them with a reason in retired.yaml next to the suite, or approve a"
            f" new baseline: {approve}"
        ),
    )


def dropped_reason(
    names: Sequence[str], gate: GateRecord, rule: str, baseline: BaselineLock
) -> str | None:
    """Why a rule is INVALID whose metric does not apply any more to cases of the baseline; None
    where no more of them are dropped than may be gone. Not compared is not unchanged.

    Args:
        names: ids of these cases. rule: its name.
    """
    most = 0 if gate.regression is None else gate.regression.max_gone
    if len(names) <= most:
        return None
    shown = ", ".join(names[:MAX_NAMED]) + (", ..." if len(names) > MAX_NAMED else "")
    return (
        f"{rule}: the metric does not apply any more to {len(names):,} cases that the baseline"
        f" {baseline.run_id} has a result for; at most {most:,} may be so (`max_gone`). Whether"
        f" they got worse is not known: {shown}. Let the check apply to them, or approve a new"
        " baseline."
    )


def sample_note(missing: MissingCases, manifest: Manifest) -> str:
    """The sentence that says that a sample was compared; empty where all cases were."""
    if missing.of is None:
        return ""
    sentence = f" Compared on a sample of {manifest.cases.n:,} of {missing.of:,} cases."
    if missing.unknown:
        sentence += (
            " Whether cases of this baseline are gone from the suite is not known: run it with this"
            " baseline to see."
        )
    return sentence
