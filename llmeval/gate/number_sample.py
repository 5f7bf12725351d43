"""One number over some cases of a run."""

import math
from dataclasses import dataclass

from llmeval.core.manifest import Manifest
from llmeval.core.metric_ref import Slice, cluster_key
from llmeval.core.numbers import parse_number
from llmeval.core.rule_keys import parse_rule_key
from llmeval.gate.aggregate import RunAggregate


@dataclass(frozen=True)
class NumberSample:
    """The values of one number, an entry for each answer; NaN where it is missing."""

    values: tuple[float, ...]
    cases: tuple[str, ...]
    """Id of each value's case."""
    clusters: tuple[str, ...]
    """Which values are not independent: those of one case, or of one cluster of cases."""
    failures: int = 0
    """Missing values of answers that are counted as failures already."""

    @property
    def present(self) -> list[float]:
        """The values that there are."""
        return [value for value in self.values if not math.isnan(value)]

    @property
    def missing(self) -> int:
        """How many values are missing."""
        return sum(map(math.isnan, self.values))

    @property
    def unexplained(self) -> float:
        """The share of answers whose value is missing, failures left out; in [0, 1]."""
        return (self.missing - self.failures) / len(self.values) if self.values else 0.0


_PARTS = ("input_tokens", "output_tokens")
"""Numbers that nobody reads next to their sum, unless a rule names them."""


def shown_numbers(aggregate: RunAggregate, manifest: Manifest) -> list[str]:
    """The numbers of a run for its summary and its lock file."""
    gate, names = manifest.gate, aggregate.numbers.names
    ruled = {
        ref.name
        for key in (*gate.limits, *gate.margins, *gate.release_margins)
        if (ref := parse_number(parse_rule_key(key).metric, names)) is not None
    }
    return [name for name in aggregate.numbers.present() if name not in _PARTS or name in ruled]


def sample_numbers(aggregate: RunAggregate, name: str, slice_: Slice | None = None) -> NumberSample:
    """The values of one number over one slice (None: all cases)."""
    values: list[float] = []
    cases: list[str] = []
    clusters: list[str] = []
    failures = 0
    for case_id in aggregate.members(slice_):
        row, seen, cluster = aggregate.place(case_id)
        numbers = aggregate.numbers.values(name, row, seen)
        values += numbers
        cases += [case_id] * len(numbers)
        clusters += [cluster_key(case_id, cluster)] * len(numbers)
        failures += aggregate.numbers.failures(row, seen)
    return NumberSample(tuple(values), tuple(cases), tuple(clusters), failures)
