"""Numbers of an answer as metrics: what they are called, their units, and how a rule names one of
their statistics.

`latency.p95` is the 95th percentile of the seconds, `latency` and `latency.mean` their mean. A
number is a cost: the larger it is, the worse.
"""

import re
from collections.abc import Collection
from typing import NamedTuple

UNITS = {
    "latency": "s",
    "cost": "$",
    "tokens": "tokens",
    "input_tokens": "tokens",
    "output_tokens": "tokens",
}
"""Numbers that every answer may have, with their units. Those of `measure` have no unit."""
MEAN = "mean"
SHOWN = (MEAN, "p50", "p95")
"""Statistics that every output shows."""
_STATISTIC = re.compile(r"(?P<name>.+)[._](?P<statistic>mean|p[1-9][0-9]?)")


class NumberRef(NamedTuple):
    """One statistic of one number."""

    name: str
    """Such as `latency`."""
    statistic: str
    """`mean`, or a percentile such as `p95`."""

    @property
    def quantile(self) -> float | None:
        """The share of answers at or below the percentile, in (0, 1); None of the mean."""
        return None if self.statistic == MEAN else int(self.statistic[1:]) / 100

    @property
    def label(self) -> str:
        """`latency.p95`, or `latency mean`."""
        return f"{self.name}.{self.statistic}"


def parse_number(metric: str, names: Collection[str]) -> NumberRef | None:
    """The statistic that a metric of a rule names; None where it names no number.

    `latency_p95` means `latency.p95`, unless there is a number of that name.

    Args:
        metric: as in a rule, without its slice.
        names: the numbers that there are.
    """
    if metric in names:
        return NumberRef(metric, MEAN)
    parts = _STATISTIC.fullmatch(metric)
    if parts is None or parts["name"] not in names:
        return None
    return NumberRef(parts["name"], parts["statistic"])


def show_number(value: float, name: str) -> str:
    """A number with its unit as people read it: `2.31 s`, `$0.0021`, `1,240 tokens`."""
    unit = UNITS.get(name, "")
    if unit == "$":
        return f"${_digits(value)}"
    return f"{_digits(value)} {unit}".strip()


def _digits(value: float) -> str:
    """Three significant digits, and all digits before the point."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) < 1e-4:
        return f"{value:.2e}"
    places = 2 if abs(value) >= 1 else 3
    while abs(value) * 10**places < 100 and places < 7:
        places += 1
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
