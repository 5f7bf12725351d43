"""The baseline: a run that a person approved, kept as one small file beside the suite. The run that gates never writes it."""

import math
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import msgspec

from llmeval.errors import SuiteError, UsageError
from llmeval.gate.own import missing, outcome, own_rules
from llmeval.gate.tally import Tally, tally_run
from llmeval.records import SCHEMA, Decision, canonical_json, digest, utc_now
from llmeval.rundir import ANSWERS, LABELS, MANIFEST, SCORES, RunDir

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


class Values(msgspec.Struct, frozen=True):
    """One metric: what scored it, and a value for each of the baseline's cases, in their order.

    `passed`: of a judge's metric, a letter for each case: y, n, or - where it has no verdict. Empty with repeats.
    """

    scorer: str
    values: tuple[Kept, ...]
    passed: str = ""


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """A lock file. `cases`: the beginning of each case's digest, by id. `approved` is None for a bare run.

    `outputs`: of runs with a judge and without repeats, `tally.output_digest` of each case's answer, in the same order.
    """

    schema: int = SCHEMA
    suite: str
    run_id: str
    candidate: str
    decision: str | None
    approved: Approval | None
    digests: dict[str, Any]
    cases: dict[str, str]
    outputs: tuple[str, ...] = ()
    metrics: dict[str, Values]

    def results(self, metric: str) -> dict[str, float]:
        """Value by case id of the cases the metric applies to; NaN where it was lost."""
        column = self.metrics.get(metric)
        pairs = zip(self.cases, () if column is None else column.values, strict=column is not None)
        return {name: math.nan if value is None else float(value) for name, value in pairs if value != "-"}

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
        raise UsageError(f"{run.path} can't be a baseline: {asked}. Run the suite with `--stop never` for one")
    return values_of(tally, manifest, gate.decision, approved)


def values_of(
    tally: Tally, manifest: Mapping[str, Any], decision: str | None = None, approved: Approval | None = None
) -> Baseline:
    """A run's results case by case, whatever it came to: what others are paired with."""
    judged = manifest["digests"]["judges"] if manifest["repeats"] == 1 else ()
    return Baseline(
        suite=manifest["suite"], run_id=manifest["run_id"], candidate=manifest["candidate"]["name"],
        decision=decision, approved=approved, digests=manifest["digests"], cases=tally.case_digests(),
        outputs=tuple(tally.outputs()) if judged else (),
        metrics={
            name: Values(scorer_digest(manifest, name), _values(tally, name), _passed(tally, name, judged))
            for name in tally.columns
        },
    )  # fmt: skip


def _values(tally: Tally, metric: str) -> tuple[Kept, ...]:
    found = {result.case_id: result.value for result in tally.results(metric)}
    return tuple(_kept(found[name]) if name in found else "-" for name in tally.case_digests())


def _passed(tally: Tally, metric: str, judged: Collection[str]) -> str:
    if metric not in judged:
        return ""
    found = {result.case_id: result for result in tally.results(metric) if not math.isnan(result.value)}
    return "".join("-" if name not in found else "ny"[found[name].passed] for name in tally.case_digests())


def _kept(value: float) -> Kept:
    if math.isnan(value):
        return None
    return int(value) if value in (0, 1) else round(value, _DIGITS)


def scorer_digest(manifest: Mapping[str, Any], metric: str) -> str:
    """What scores a metric: its judge, or its checks as the suite writes them. A case's own are in the case's digest."""
    judge = manifest["digests"]["judges"].get(metric)
    if judge is None:
        return _checks_digest(manifest, metric)
    if manifest["judges"].get(metric, {}).get("when") == "uncertain":
        return digest([judge, _checks_digest(manifest, "facts")])  # the facts check gives some of its verdicts
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
            raise UsageError(f"--expires takes a date such as 2027-01-31, not {expires!r}") from None
        if last < (today or datetime.now(UTC).date()):
            raise UsageError(f"--expires {expires} is over already")
        expires = last.isoformat()
    return Approval(by.strip(), reason.strip(), utc_now(), expires)


def read_baseline(path: Path) -> Baseline:
    """A baseline from its lock file, or made of a run's directory.

    Raises:
        SuiteError: no baseline in that file. UsageError: a run that can't be one. StoreError: no run directory.
    """
    return _read(path, _stamp(path))


@lru_cache(maxsize=4)
def _read(path: Path, stamp: tuple[int, ...]) -> Baseline:
    """Read once for all who ask: a run reads its baseline before it starts, for each look at it, and in the end."""
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
    if found.schema > SCHEMA:
        raise SuiteError(f"{path}: has schema {found.schema}, this llmeval reads up to {SCHEMA}: upgrade llmeval")
    for name, column in found.metrics.items():
        if len(column.values) != len(found.cases) or len(column.passed) not in (0, len(found.cases)):
            raise SuiteError(
                f"{path}: {len(column.values)} values of {name} for {len(found.cases)} cases; approve it again"
            )
    return found


def _stamp(path: Path) -> tuple[int, ...]:
    """Another one when what is there has changed."""
    files = [path / name for name in (MANIFEST, ANSWERS, SCORES, LABELS)] if path.is_dir() else [path]
    found = [file.stat() for file in files if file.exists()]
    return tuple(number for each in found for number in (each.st_mtime_ns, each.st_size))


def lock_bytes(baseline: Baseline) -> bytes:
    """The lock file's content: the head indented for people who review it, a line for the cases and for each metric."""
    whole: dict[str, Any] = msgspec.to_builtins(baseline)
    cases, outputs, metrics = whole.pop("cases"), whole.pop("outputs"), whole.pop("metrics")
    head = msgspec.json.format(canonical_json(whole), indent=2).decode()[:-2]
    rows = ",\n".join(f"    {_plain(name)}: {canonical_json(column).decode()}" for name, column in metrics.items())
    return f'{head},\n  "cases": {_plain(cases)},\n  "outputs": {_plain(outputs)},\n  "metrics": {{\n{rows}\n  }}\n}}\n'.encode()


def _plain(value: object) -> str:
    return msgspec.json.encode(value).decode()
