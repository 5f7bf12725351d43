"""Manifests and gates from plain values, for tests that decide without a run directory."""

from typing import Any

import msgspec

from llmeval.core.gate_record import GateRecord
from llmeval.core.manifest import GateInputs, Manifest
from llmeval.core.manifest_file import manifest_of

GATE = {
    "floors": {},
    "regression": None,
    "alpha": 0.05,
    "beta": 0.05,
    "max_unscored": 0.02,
    "on_inconclusive": "fail",
}


def gate_record(**changes: Any) -> GateRecord:
    """A gate without rules. `changes`: over its keys."""
    return msgspec.convert({**GATE, **changes}, GateRecord)


def manifest_record(**changes: Any) -> Manifest:
    """A complete run of one case. `changes`: over the manifest's keys, in plain values."""
    plain = {
        "schema": 3,
        "suite": "s",
        "run_id": "r",
        "status": "complete",
        "started": "2026-01-01T00:00:00Z",
        "digests": {"cases": "sha256:0", "judges": {}},
        "cases": {"n": 1},
        "candidate": {"name": "c"},
        "judges": {},
        "checks": [],
        "repeats": 1,
        "gate": GATE,
    }
    return manifest_of({**plain, **changes})


def gate_inputs(plain: dict[str, Any]) -> GateInputs:
    """What a gate is compared by, from plain values."""
    return msgspec.convert(plain, GateInputs)
