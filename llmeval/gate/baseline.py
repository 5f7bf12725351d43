"""The baseline: one or more runs that a person approved, kept as one small file next to the suite.
The run that gates never writes it.
"""

import math
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType, structs

from llmeval.core.baseline_lock import (
    LOCK_SCHEMA,
    AcceptedDecision,
    Approval,
    BaselineLock,
    BaselineValues,
    KeptValue,
)
from llmeval.core.errors import SuiteError, UsageError
from llmeval.core.gate_terms import Rejudged
from llmeval.core.manifest import Manifest, ScoringInputs
from llmeval.core.person_names import person_name
from llmeval.core.records import canonical_json, digest, utc_now
from llmeval.core.results import Decision
from llmeval.gate.aggregate import RunAggregate
from llmeval.gate.gate_terms import limits_of, terms_of
from llmeval.gate.kept_numbers import kept_numbers
from llmeval.gate.rules.single_run import missing, outcome, own_rules
from llmeval.gate.run_pass import aggregate_run
from llmeval.store.directory import ANSWERS, LABELS, MANIFEST, SCORES, RunDir
from llmeval.store.people_files import files_of
from llmeval.store.record_lines import on_disk
from llmeval.store.run_store import RunStore

_DIGITS = 6
SAME = 10.0**-_DIGITS
"""Values that differ by no more are equal: they are kept to so many digits."""


def baseline_of_run(run: RunStore, approved: Approval | None = None) -> BaselineLock:
    """What a lock file keeps of a run, in one pass over its records.

    Raises:
        UsageError: the run is incomplete or INVALID: it says nothing to compare with.
    """
    manifest = run.manifest()
    aggregate = aggregate_run(run, manifest)
    gate = outcome(own_rules(aggregate, manifest), manifest.gate.on_inconclusive)
    if shard := manifest.shard:
        reason = f"shard {shard.index} of {shard.of}: `llmeval merge` makes the whole run"
        raise UsageError(f"{run.path} can't be a baseline: {reason}")
    if manifest.selection is not None:
        raise UsageError(
            f"{run.path} can't be a baseline: it is a partial run. {manifest.selection.sentence}"
            " Run the whole suite"
        )
    if manifest.status != "complete" or gate.decision is Decision.INVALID:
        why = gate.reason if gate.decision is Decision.INVALID else "it did not come to its end"
        raise UsageError(f"{run.path} can't be a baseline: {why}")
    if missing(aggregate, manifest):
        early = f"it stopped early, after {aggregate.cases:,} of {manifest.cases.n:,} cases"
        raise UsageError(
            f"{run.path} can't be a baseline: {early}. Run the suite with `--stop never` for one"
        )
    return values_of(aggregate, manifest, gate.decision, approved)


def rejudged_of(run: RunStore, kept: Collection[str]) -> Rejudged:
    """What the manifest of a run that scores a baseline's answers again keeps of it.

    Args:
        run: the baseline's run. kept: ids of its cases that are scored again.
    """
    manifest = run.manifest()
    left_out = {
        case.id: case.digest.removeprefix("sha256:")[:16]
        for case in run.cases()
        if case.id not in kept and case.id not in manifest.quarantined
    }
    before = manifest.rejudged
    if before is not None:
        left_out = {
            **{name: seen for name, seen in before.left_out.items() if name not in kept},
            **left_out,
        }
    gate = terms_of(manifest) if before is None else before.gate
    return Rejudged(left_out=left_out, gate=gate)


def values_of(
    aggregate: RunAggregate,
    manifest: Manifest,
    decision: str | None = None,
    approved: Approval | None = None,
) -> BaselineLock:
    """A run's results case by case, whatever it came to: what others are paired with."""
    judges = manifest.digests.judges
    judged = judges if manifest.repeats == 1 else ()
    rows = [aggregate.place(name)[0] for name in aggregate.case_digests()]
    rejudged = manifest.rejudged
    if approved is not None:
        rejudged = None  # a person takes these cases and this gate as they are now
    return BaselineLock(
        suite=manifest.suite,
        run_id=manifest.run_id,
        candidate=manifest.candidate.name,
        decision=decision,
        approved=approved,
        digests=manifest.digests,
        cases=aggregate.case_digests(),
        gate=terms_of(manifest) if rejudged is None else rejudged.gate,
        left_out={} if rejudged is None else rejudged.left_out,
        outputs=tuple(aggregate.outputs()) if judged else (),
        first=aggregate.first.kept(rows, list(judges)) if judges and not judged else UNSET,
        metrics={
            name: BaselineValues(
                scorer_digest(manifest, name),
                _values(aggregate, name),
                _passed(aggregate, name, judged),
            )
            for name in aggregate.columns
        },
        clusters=_clusters(aggregate),
        numbers=kept_numbers(aggregate, manifest),
    )


def _clusters(aggregate: RunAggregate) -> tuple[str | None, ...] | UnsetType:
    """The cluster of each case; a name may be personal, so it is kept as a digest."""
    named = [aggregate.cluster_of(name) for name in aggregate.case_digests()]
    if not any(named):
        return UNSET
    return tuple(None if each is None else digest(each)[7:23] for each in named)


def _values(aggregate: RunAggregate, metric: str) -> tuple[KeptValue, ...]:
    values = {result.case_id: result.value for result in aggregate.results(metric)}
    return tuple(
        _kept(values[name]) if name in values else "-" for name in aggregate.case_digests()
    )


def _passed(aggregate: RunAggregate, metric: str, judged: Collection[str]) -> str:
    passed = {
        result.case_id: result
        for result in aggregate.results(metric)
        if not math.isnan(result.value)
    }
    if metric not in judged and all(each.value == each.passed for each in passed.values()):
        return ""
    return "".join(
        "-" if name not in passed else "ny"[passed[name].passed]
        for name in aggregate.case_digests()
    )


def _kept(value: float) -> KeptValue:
    if math.isnan(value):
        return None
    return int(value) if value in (0, 1) else round(value, _DIGITS)


def scorer_digest(scoring: ScoringInputs, metric: str) -> str:
    """What scores a metric: its judge, or its checks as the suite writes them. A case's own are in
    the case's digest. Of conversations also the messages to the candidate: other messages are
    another test.
    """
    own, conversation = _own_digest(scoring, metric), scoring.digests.conversation
    return digest([own, conversation]) if conversation else own


def _own_digest(scoring: ScoringInputs, metric: str) -> str:
    """The digest of a metric's judge or checks, apart from the messages to the candidate."""
    judge = scoring.digests.judges.get(metric)
    if judge is None:
        return _checks_digest(scoring, metric)
    about = scoring.judges.get(metric)
    if about is not None and about.when == "uncertain":
        # the facts check gives some of its verdicts
        return digest([judge, _checks_digest(scoring, "facts")])
    return judge


def _checks_digest(scoring: ScoringInputs, metric: str) -> str:
    return digest([check for check in scoring.checks if check["metric"] == metric])


def approval(
    by: str,
    reason: str,
    expires: str | None,
    today: date | None = None,
    accepted: AcceptedDecision | None = None,
) -> Approval:
    """An approval of today, with the decision that it accepts where that is not PASS.

    Raises:
        UsageError: no name or one that is confusable, no reason, or a last day that is not a date
            or is over.
    """
    if not by.strip() or not reason.strip():
        raise UsageError("an approval needs a name and a reason: --by NAME --reason TEXT")
    person = person_name(by, "--by")
    if expires is not None:
        try:
            last = date.fromisoformat(expires)
        except ValueError:
            raise UsageError(
                f"--expires takes a date such as 2027-01-31, not {expires!r}"
            ) from None
        if last < (today or datetime.now(UTC).date()):
            raise UsageError(f"--expires {expires} is over already")
        expires = last.isoformat()
    return Approval(person, reason.strip(), utc_now(), expires, accepted or UNSET)


def read_baseline(path: Path) -> BaselineLock:
    """A baseline to compare with, from its lock file or made of a run's directory.

    Raises:
        SuiteError: no baseline in that file, or one from before lock files held the gate.
        UsageError: a run that can't be one. StoreError: no run directory.
    """
    lock = read_any(path)
    if lock.gate is None:
        raise SuiteError(
            f"{path}: was approved before lock files held the gate, so a gate that was loosened"
            " would not be seen: approve a run again: `llmeval baseline approve RUN --by NAME"
            f" --reason TEXT` (its run was {lock.run_id})"
        )
    return lock


def read_any(path: Path) -> BaselineLock:
    """A baseline to be shown or replaced: also one from before lock files held the gate.

    Raises:
        As `read_baseline`.
    """
    return _read(path, _stamp(path))


@lru_cache(maxsize=4)
def _read(path: Path, stamp: tuple[int, ...]) -> BaselineLock:
    """Read once for all who ask: a run reads its baseline before it starts, for each look at it,
    and in the end.
    """
    if path.is_dir():
        return baseline_of_run(RunDir(path))
    try:
        lock = msgspec.json.decode(path.read_bytes(), type=BaselineLock)
        if lock.gate is not None:
            limits_of(lock.gate)
        if lock.approved is not None and lock.approved.expires is not None:
            date.fromisoformat(lock.approved.expires)
    except FileNotFoundError:
        raise SuiteError(f"{path}: there is no such baseline") from None
    except (OSError, ValueError) as error:  # msgspec's errors are ValueErrors
        raise SuiteError(
            f"{path}: can't be read as a baseline ({error}); `llmeval baseline approve` writes one"
        ) from None
    if lock.schema > LOCK_SCHEMA:
        raise SuiteError(
            f"{path}: has schema {lock.schema}, this llmeval reads up to {LOCK_SCHEMA}: upgrade"
            " llmeval"
        )
    if lock.schema < 2:  # such files have no digest, so nothing of them is passed on
        lock = structs.replace(lock, gate=None, release=None, chain=())
    elif lock.digest != lock_digest(lock):
        raise SuiteError(
            f"{path}: was changed after it was approved, as its content does not fit its digest."
            f" Restore it as it was committed (`git checkout -- {path}`); or delete it and approve"
            " a new run, which ends its chain and its release: `llmeval baseline approve RUN --by"
            " NAME --reason TEXT`"
        )
    if any(len(column.values) != len(lock.cases) for column in lock.numbers.values()):
        raise SuiteError(f"{path}: a number has not one value a case; approve it again")
    for name, column in lock.metrics.items():
        if len(column.values) != len(lock.cases) or len(column.passed) not in (
            0,
            len(lock.cases),
        ):
            raise SuiteError(
                f"{path}: {len(column.values)} values of {name} for {len(lock.cases)} cases;"
                " approve it again"
            )
    return lock


def _stamp(path: Path) -> tuple[int, ...]:
    """Another one when what is there has changed."""
    files = (
        [*(on_disk(path / name) for name in (MANIFEST, ANSWERS, SCORES)), *files_of(path / LABELS)]
        if path.is_dir()
        else [path]
    )
    stats = [file.stat() for file in files if file.exists()]
    return tuple(number for each in stats for number in (each.st_mtime_ns, each.st_size))


def lock_bytes(baseline: BaselineLock) -> bytes:
    """The lock file's content: the head indented for people who review it, a line for the cases and
    for each metric.
    """
    several = baseline.run_count > 1 or baseline.first is not UNSET
    newest = several or baseline.release is not None
    kept = structs.replace(baseline, schema=LOCK_SCHEMA if newest else 2)
    whole: dict[str, Any] = msgspec.to_builtins(structs.replace(kept, digest=lock_digest(kept)))
    cases, outputs, metrics = whole.pop("cases"), whole.pop("outputs"), whole.pop("metrics")
    numbers, first = _rows(whole.pop("numbers")), whole.pop("first", None)
    release, chain = whole.pop("release"), whole.pop("chain")
    for name in ("left_out", "runs"):
        if not whole[name]:
            del whole[name]
    head = msgspec.json.format(canonical_json(whole), indent=2).decode()[:-2]
    shown = f'"numbers": {{\n{numbers}\n  }},\n  ' if numbers else ""
    shown += f'"first": {_plain(first)},\n  ' if first else ""
    links = ",\n".join(f"    {canonical_json(link).decode()}" for link in chain)
    return (
        f'{head},\n  "chain": [\n{links}\n  ],\n  "release": {_plain(release)},\n  "cases":'
        f' {_plain(cases)},\n  "outputs": {_plain(outputs)},\n  {shown}'
        f'"metrics": {{\n{_rows(metrics)}\n  }}\n}}\n'
    ).encode()


def _rows(columns: Mapping[str, object]) -> str:
    """A line for each column."""
    return ",\n".join(
        f"    {_plain(name)}: {canonical_json(column).decode()}" for name, column in columns.items()
    )


def lock_digest(baseline: BaselineLock) -> str:
    """sha256 of what a lock file holds: an edit by hand, or a merge of two versions line by line,
    no longer fits it, nor does another order of the cases. The approval's last day may be moved:
    that is a line which reviewers read.
    """
    approved = baseline.approved
    if approved is not None:
        approved = structs.replace(approved, expires=None)
    plain = msgspec.json.encode(
        structs.replace(baseline, schema=LOCK_SCHEMA, digest="", approved=approved)
    )
    read = msgspec.json.decode(plain, type=BaselineLock)
    # values follow the order of the cases, which a canonical object does not keep
    orders = [list(each.cases) for each in (read, read.release) if each is not None]
    return digest([msgspec.to_builtins(read), orders])


def _plain(value: object) -> str:
    return msgspec.json.encode(value).decode()
