"""Whole gates on records in memory, for `decisions_stranger.py`: the decision comes from
`gate.decide`, as in a real run, with lock files and earlier attempts on disk.
"""

import itertools
import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from llmeval.core.attempt import (
    AttemptColumn,
    AttemptRecord,
    AttemptsFile,
    AttemptValues,
    EarlierAttempt,
)
from llmeval.core.baseline_lock import BaselineLock
from llmeval.core.manifest import Manifest
from llmeval.core.manifest_file import manifest_of
from llmeval.core.records import Answer, Case, ErrorInfo, Score, Status, digest
from llmeval.core.results import Decision, GateResult
from llmeval.gate.aggregate import RunAggregate
from llmeval.gate.baseline import lock_bytes, scorer_digest, values_of
from llmeval.gate.baseline_runs import joined
from llmeval.gate.decide import decide
from llmeval.gate.rules import floors, regression_words
from llmeval.store.directory import ATTEMPTS, Unit

Floats = NDArray[np.float64]
Values = Mapping[str, Floats]
"""By metric, cases x repeats, in [0, 1]; NaN where a result is missing."""
_NUMBERS = itertools.count()


def leave_out_hints() -> None:
    """Leave out what would settle an open rule: it takes half of the time, and decides nothing."""
    for module, name in ((floors, "_hint"), (regression_words, "regression_hint")):
        setattr(module, name, lambda *_: "")


@dataclass(frozen=True, kw_only=True)
class StrangerSuite:
    """A suite: its cases, and its gate in plain values (keys as in `gate_record.GateRecord`)."""

    cases: int
    gate: Mapping[str, object]
    repeats: int = 1
    clusters: Sequence[int] = ()
    """The number of each case's cluster; empty: no clusters."""
    tags: Sequence[Mapping[str, str]] = ()
    judges: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """By metric, the record of its judge in plain values."""
    margins: Mapping[str, float] = field(default_factory=dict)
    release_margins: Mapping[str, float] = field(default_factory=dict)

    def make_cases(self) -> list[Case]:
        """The cases, in the order in which they run."""
        return [
            Case(
                f"c{number}",
                {},
                cluster=f"g{self.clusters[number]}" if len(self.clusters) else None,
                tags=dict(self.tags[number]) if self.tags else {},
                digest=f"sha256:{number + 1:064x}",
            )
            for number in range(self.cases)
        ]


class StrangerGate:
    """Decides simulated runs of one suite. `folder`: a fast one; it is removed with the object."""

    def __init__(self, suite: StrangerSuite) -> None:
        self.suite, self.cases = suite, suite.make_cases()
        self._folder = tempfile.TemporaryDirectory(dir="/dev/shm", prefix="stranger-")
        self.path = Path(self._folder.name)
        self.lock = self.path / "baseline.lock.json"

    def manifest(self, attempt: AttemptRecord | None = None) -> Manifest:
        """The manifest of a complete run."""
        suite, regression = self.suite, None
        if suite.margins or suite.release_margins:
            regression = {"baseline": str(self.lock), "margins": dict(suite.margins)}
            if suite.release_margins:
                regression["release"] = {"margins": dict(suite.release_margins)}
        gate = {
            "floors": {},
            "regression": regression,
            "alpha": 0.05,
            "beta": 0.05,
            "max_unscored": 0.02,
            "on_inconclusive": "fail",
            **suite.gate,
        }
        plain = {
            "schema": 3,
            "suite": "s",
            "run_id": f"r{next(_NUMBERS)}",
            "status": "complete",
            "started": "2026-01-01T00:00:00Z",
            "digests": {"cases": "sha256:0", "judges": {name: "d" for name in suite.judges}},
            "cases": {"n": suite.cases},
            "candidate": {"name": "c"},
            "judges": {name: dict(judge) for name, judge in suite.judges.items()},
            "checks": [],
            "repeats": suite.repeats,
            "gate": gate,
        }
        return structs.replace(manifest_of(plain), attempt=attempt)

    def aggregate(self, values: Values, manifest: Manifest) -> RunAggregate:
        """The numbers of a run with these results."""
        names, ordered = list(values), manifest.may_stop
        aggregate = RunAggregate(self.path, self.cases if ordered else (), self.suite.repeats)
        for number, case in enumerate(self.cases):
            for repeat in range(self.suite.repeats):
                row = {name: float(values[name][number, repeat]) for name in names}
                aggregate.add(self._unit(case, repeat, row))
        return aggregate

    def _unit(self, case: Case, repeat: int, row: Mapping[str, float]) -> Unit:
        if all(map(math.isnan, row.values())):
            error = ErrorInfo(kind="timeout", message="no answer")
            return Unit(case, Answer(case_id=case.id, repeat=repeat, error=error), ())
        answer = Answer(case_id=case.id, repeat=repeat, output=f"{next(_NUMBERS)}")
        return Unit(case, answer, tuple(self._score(case, repeat, *each) for each in row.items()))

    def _score(self, case: Case, repeat: int, metric: str, value: float) -> Score:
        source = "judge" if metric in self.suite.judges else "check"
        if math.isnan(value):
            return Score(
                case_id=case.id, repeat=repeat, metric=metric, status=Status.UNSCORED,
                unscored="no verdict", source=source,
            )  # fmt: skip
        passed = value >= 0.5
        return Score(
            case_id=case.id, repeat=repeat, metric=metric, value=value, passed=passed,
            status=Status.PASS if passed else Status.FAIL, source=source,
        )  # fmt: skip

    def kept(self, values: Values) -> BaselineLock:
        """What a lock file keeps of a run."""
        manifest = self.manifest()
        whole = structs.replace(manifest, gate=structs.replace(manifest.gate, stop="never"))
        return values_of(self.aggregate(values, whole), whole, "PASS")

    def approve(self, *runs: Values, release: Values | None = None) -> None:
        """Write the lock file of one or more runs, and of a release."""
        lock = joined([self.kept(each) for each in runs])
        if release is not None:
            lock = structs.replace(lock, release=self.kept(release))
        self.lock.unlink(missing_ok=True)
        self.lock = self.path / f"b{next(_NUMBERS)}.lock.json"
        self.lock.write_bytes(lock_bytes(lock))

    def decide(self, values: Values, earlier: Sequence["PastRun"] = ()) -> GateResult:
        """The decision of a run. `earlier`: attempts of the same change that were decided."""
        record = AttemptRecord(
            earlier=tuple(EarlierAttempt(each.values.run_id, each.decision) for each in earlier)
        )
        manifest = self.manifest(record)
        file = AttemptsFile(attempts=tuple(each.values for each in earlier))
        (self.path / ATTEMPTS).write_bytes(msgspec.json.encode(file))
        return decide(self.aggregate(values, manifest), manifest, ())

    def past(self, values: Values, decision: Decision | None) -> "PastRun":
        """A run as a later attempt keeps it."""
        manifest = self.manifest()
        kept = self.kept(values)
        columns = {
            name: AttemptColumn(
                scorer=scorer_digest(manifest, name),
                values=column.values,
                passed="".join(
                    "-" if not isinstance(each, int | float) else "ny"[each >= 1]
                    for each in column.values
                ),
            )
            for name, column in kept.metrics.items()
        }
        outputs = tuple(digest([kept.run_id, name])[7:23] for name in kept.cases)
        return PastRun(AttemptValues(run_id=kept.run_id, cases=kept.cases, outputs=outputs, metrics=columns), decision)  # fmt: skip


@dataclass(frozen=True)
class PastRun:
    """An earlier attempt."""

    values: AttemptValues
    decision: Decision | None
