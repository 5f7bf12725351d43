"""The baseline: a run that a person approved, kept as one small file beside the suite. The run that
gates never writes it.
"""

import math
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import structs

from llmeval.core.errors import SuiteError, UsageError
from llmeval.core.records import canonical_json, digest, utc_now
from llmeval.core.results import Decision
from llmeval.gate.aggregate import RunAggregate
from llmeval.gate.gate_terms import GateTerms, terms_of
from llmeval.gate.rules.single_run import missing, outcome, own_rules
from llmeval.gate.run_pass import tally_run
from llmeval.store.directory import ANSWERS, LABELS, MANIFEST, SCORES, RunDir

LOCK_SCHEMA = 2
"""The format of a lock file. From 2 on it holds the gate that the run was approved with."""
_DIGITS = 6
SAME = 10.0**-_DIGITS
"""Values that differ by no more are equal: they are kept to so many digits."""

Kept = float | None | Literal["-"]
"""A case's value in [0, 1]; None: it was lost; "-": the metric does not apply to it."""


class Approval(msgspec.Struct, frozen=True):
    """Who took this run as the baseline, why, when (UTC), and the last day it counts."""

    by: str
    reason: str
    at: str
    expires: str | None = None


class BaselineValues(msgspec.Struct, frozen=True):
    """One metric: what scored it, and a value for each of the baseline's cases, in their order.

    `passed`: of a judge's metric, a letter for each case: y, n, or - where it has no verdict. Empty
        with repeats.
    """

    scorer: str
    values: tuple[Kept, ...]
    passed: str = ""


class Rejudged(msgspec.Struct, frozen=True, kw_only=True):
    """What a run that is a baseline's answers scored anew keeps of that baseline, so that nothing
    is hidden by it.
    """

    left_out: dict[str, str]
    """The baseline's cases that were not scored anew, as the suite lacks them or asks them
    otherwise: digests by id.
    """
    gate: GateTerms
    """The gate that the baseline was made with."""


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """A lock file. `cases`: the beginning of each case's digest, by id. `approved` is None for a
    bare run.

    `outputs`: of runs with a judge and without repeats, `tally.output_digest` of each case's
        answer, in the same order.
    """

    schema: int = LOCK_SCHEMA
    suite: str
    run_id: str
    candidate: str
    decision: str | None
    approved: Approval | None
    digests: dict[str, Any]
    gate: GateTerms | None = None
    """The gate it was approved with; None in a lock file from before gates were kept, which nothing
    is compared with.
    """
    left_out: dict[str, str] = {}
    """Cases that belong to the baseline and have no result in it (`Rejudged`): digests by id."""
    cases: dict[str, str]
    outputs: tuple[str, ...] = ()
    metrics: dict[str, BaselineValues]

    def results(self, metric: str) -> dict[str, float]:
        """Value by case id of the cases the metric applies to; NaN where it was lost."""
        column = self.metrics.get(metric)
        pairs = zip(self.cases, () if column is None else column.values, strict=column is not None)
        return {
            name: math.nan if value is None else float(value)
            for name, value in pairs
            if value != "-"
        }

    def everything(self) -> dict[str, str]:
        """The beginning of each case's digest by id, also of those without a result."""
        return {**self.left_out, **self.cases}

    def expired(self, today: date | None = None) -> bool:
        """Whether the approval's last day is over (UTC)."""
        until = self.approved.expires if self.approved is not None else None
        return until is not None and (today or datetime.now(UTC).date()) > date.fromisoformat(until)


def baseline_of_run(run: RunDir, approved: Approval | None = None) -> Baseline:
    """What a lock file keeps of a run, in one pass over its records.

    Raises:
        UsageError: the run is incomplete or INVALID: it says nothing to compare with.
    """
    manifest = run.manifest()
    tally = tally_run(run, manifest)
    gate = outcome(own_rules(tally, manifest), manifest["gate"]["on_inconclusive"])
    if shard := manifest.get("shard"):
        told = f"shard {shard['index']} of {shard['of']}: `llmeval merge` makes the whole run"
        raise UsageError(f"{run.path} can't be a baseline: {told}")
    if manifest["status"] != "complete" or gate.decision is Decision.INVALID:
        why = gate.reason if gate.decision is Decision.INVALID else "it did not come to its end"
        raise UsageError(f"{run.path} can't be a baseline: {why}")
    if missing(tally, manifest):
        asked = f"it stopped early, after {tally.cases:,} of {manifest['cases']['n']:,} cases"
        raise UsageError(
            f"{run.path} can't be a baseline: {asked}. Run the suite with `--stop never` for one"
        )
    return values_of(tally, manifest, gate.decision, approved)


def rejudged_of(run: RunDir, kept: Collection[str]) -> dict[str, Any]:
    """What the manifest of a run that scores a baseline's answers anew keeps of it, as `Rejudged`.

    Args:
        run: the baseline's run. kept: ids of its cases that are scored anew.
    """
    manifest = run.manifest()
    aside = {entry["case_id"] for entry in manifest.get("quarantine") or ()}
    left_out = {
        case.id: case.digest.removeprefix("sha256:")[:16]
        for case in run.cases()
        if case.id not in kept and case.id not in aside
    }
    before = msgspec.convert(manifest.get("rejudged"), Rejudged | None)
    if before is not None:
        left_out = {
            **{name: seen for name, seen in before.left_out.items() if name not in kept},
            **left_out,
        }
    gate = terms_of(manifest) if before is None else before.gate
    found: dict[str, Any] = msgspec.to_builtins(Rejudged(left_out=left_out, gate=gate))
    return found


def values_of(
    tally: RunAggregate,
    manifest: Mapping[str, Any],
    decision: str | None = None,
    approved: Approval | None = None,
) -> Baseline:
    """A run's results case by case, whatever it came to: what others are paired with."""
    judged = manifest["digests"]["judges"] if manifest["repeats"] == 1 else ()
    rejudged = msgspec.convert(manifest.get("rejudged"), Rejudged | None)
    if approved is not None:
        rejudged = None  # a person takes these cases and this gate as they are now
    return Baseline(
        suite=manifest["suite"],
        run_id=manifest["run_id"],
        candidate=manifest["candidate"]["name"],
        decision=decision,
        approved=approved,
        digests=manifest["digests"],
        cases=tally.case_digests(),
        gate=terms_of(manifest) if rejudged is None else rejudged.gate,
        left_out={} if rejudged is None else rejudged.left_out,
        outputs=tuple(tally.outputs()) if judged else (),
        metrics={
            name: BaselineValues(
                scorer_digest(manifest, name), _values(tally, name), _passed(tally, name, judged)
            )
            for name in tally.columns
        },
    )


def _values(tally: RunAggregate, metric: str) -> tuple[Kept, ...]:
    found = {result.case_id: result.value for result in tally.results(metric)}
    return tuple(_kept(found[name]) if name in found else "-" for name in tally.case_digests())


def _passed(tally: RunAggregate, metric: str, judged: Collection[str]) -> str:
    if metric not in judged:
        return ""
    found = {
        result.case_id: result for result in tally.results(metric) if not math.isnan(result.value)
    }
    return "".join(
        "-" if name not in found else "ny"[found[name].passed] for name in tally.case_digests()
    )


def _kept(value: float) -> Kept:
    if math.isnan(value):
        return None
    return int(value) if value in (0, 1) else round(value, _DIGITS)


def scorer_digest(manifest: Mapping[str, Any], metric: str) -> str:
    """What scores a metric: its judge, or its checks as the suite writes them. A case's own are in
    the case's digest.
    """
    judge = manifest["digests"]["judges"].get(metric)
    if judge is None:
        return _checks_digest(manifest, metric)
    if manifest["judges"].get(metric, {}).get("when") == "uncertain":
        return digest(
            [judge, _checks_digest(manifest, "facts")]
        )  # the facts check gives some of its verdicts
    found: str = judge
    return found


def _checks_digest(manifest: Mapping[str, Any], metric: str) -> str:
    return digest([check for check in manifest["checks"] if check["metric"] == metric])


def approval(by: str, reason: str, expires: str | None, today: date | None = None) -> Approval:
    """An approval given now.

    Raises:
        UsageError: no name, no reason, or a last day that is no date or over.
    """
    if not by.strip() or not reason.strip():
        raise UsageError("an approval needs a name and a reason: --by NAME --reason TEXT")
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
    return Approval(by.strip(), reason.strip(), utc_now(), expires)


def read_baseline(path: Path) -> Baseline:
    """A baseline to compare with, from its lock file or made of a run's directory.

    Raises:
        SuiteError: no baseline in that file, or one from before lock files held the gate.
        UsageError: a run that can't be one. StoreError: no run directory.
    """
    found = read_any(path)
    if found.gate is None:
        raise SuiteError(
            f"{path}: was approved before lock files held the gate, so a gate that was loosened"
            " would not be seen: approve a run anew: `llmeval baseline approve RUN --by NAME"
            f" --reason TEXT` (its run was {found.run_id})"
        )
    return found


def read_any(path: Path) -> Baseline:
    """A baseline to be shown or replaced: also one from before lock files held the gate.

    Raises:
        As `read_baseline`.
    """
    return _read(path, _stamp(path))


@lru_cache(maxsize=4)
def _read(path: Path, stamp: tuple[int, ...]) -> Baseline:
    """Read once for all who ask: a run reads its baseline before it starts, for each look at it,
    and in the end.
    """
    if path.is_dir():
        return baseline_of_run(RunDir(path))
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Baseline)
        if found.approved is not None and found.approved.expires is not None:
            date.fromisoformat(found.approved.expires)
    except FileNotFoundError:
        raise SuiteError(f"{path}: there is no such baseline") from None
    except (OSError, ValueError) as error:  # msgspec's errors are ValueErrors
        raise SuiteError(
            f"{path}: can't be read as a baseline ({error}); `llmeval baseline approve` writes one"
        ) from None
    if found.schema > LOCK_SCHEMA:
        raise SuiteError(
            f"{path}: has schema {found.schema}, this llmeval reads up to {LOCK_SCHEMA}: upgrade"
            " llmeval"
        )
    if found.schema < 2:
        found = structs.replace(found, gate=None)
    for name, column in found.metrics.items():
        if len(column.values) != len(found.cases) or len(column.passed) not in (
            0,
            len(found.cases),
        ):
            raise SuiteError(
                f"{path}: {len(column.values)} values of {name} for {len(found.cases)} cases;"
                " approve it again"
            )
    return found


def _stamp(path: Path) -> tuple[int, ...]:
    """Another one when what is there has changed."""
    files = (
        [path / name for name in (MANIFEST, ANSWERS, SCORES, LABELS)] if path.is_dir() else [path]
    )
    found = [file.stat() for file in files if file.exists()]
    return tuple(number for each in found for number in (each.st_mtime_ns, each.st_size))


def lock_bytes(baseline: Baseline) -> bytes:
    """The lock file's content: the head indented for people who review it, a line for the cases and
    for each metric.
    """
    whole: dict[str, Any] = msgspec.to_builtins(baseline)
    cases, outputs, metrics = whole.pop("cases"), whole.pop("outputs"), whole.pop("metrics")
    if not whole["left_out"]:
        del whole["left_out"]
    head = msgspec.json.format(canonical_json(whole), indent=2).decode()[:-2]
    rows = ",\n".join(
        f"    {_plain(name)}: {canonical_json(column).decode()}" for name, column in metrics.items()
    )
    return (
        f'{head},\n  "cases": {_plain(cases)},\n  "outputs": {_plain(outputs)},\n  "metrics":'
        f" {{\n{rows}\n  }}\n}}\n".encode()
    )


def _plain(value: object) -> str:
    return msgspec.json.encode(value).decode()
