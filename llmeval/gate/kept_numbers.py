"""The numbers of a run as its lock file keeps them."""

import math

from llmeval.core.baseline_lock import BaselineNumbers, KeptNumber
from llmeval.core.manifest import Manifest
from llmeval.gate.aggregate import RunAggregate
from llmeval.gate.number_sample import shown_numbers

_DIGITS = 6
"""Significant digits of a kept number."""


def kept_numbers(aggregate: RunAggregate, manifest: Manifest) -> dict[str, BaselineNumbers]:
    """The numbers of a run, by name."""
    return {
        name: BaselineNumbers(_values(aggregate, name), manifest.measure.get(name, ""))
        for name in shown_numbers(aggregate, manifest)
    }


def _values(aggregate: RunAggregate, name: str) -> tuple[KeptNumber, ...]:
    columns: list[KeptNumber] = []
    for case_id in aggregate.case_digests():
        row, seen, _ = aggregate.place(case_id)
        kept = tuple(map(_rounded, aggregate.numbers.values(name, row, seen)))
        columns.append(kept[0] if len(kept) == 1 else kept)
    return tuple(columns)


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else float(f"{value:.{_DIGITS}g}")
