"""The numbers of a run as its lock file keeps them."""

import math

from llmeval.core.baseline_lock import BaselineNumbers, KeptNumber
from llmeval.core.manifest import Manifest
from llmeval.gate.aggregate import RunAggregate
from llmeval.gate.number_sample import shown_numbers

_DIGITS = 6
"""Significant digits of a kept number."""


def kept_numbers(tally: RunAggregate, manifest: Manifest) -> dict[str, BaselineNumbers]:
    """The numbers of a run, by name."""
    return {
        name: BaselineNumbers(_values(tally, name), manifest.measure.get(name, ""))
        for name in shown_numbers(tally, manifest)
    }


def _values(tally: RunAggregate, name: str) -> tuple[KeptNumber, ...]:
    columns: list[KeptNumber] = []
    for case_id in tally.case_digests():
        row, seen, _ = tally.place(case_id)
        kept = tuple(map(_rounded, tally.numbers.values(name, row, seen)))
        columns.append(kept[0] if len(kept) == 1 else kept)
    return tuple(columns)


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else float(f"{value:.{_DIGITS}g}")
