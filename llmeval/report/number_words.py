"""Numbers and drops of a run as all reports show them."""

from typing import NamedTuple

from llmeval.core.formatting import NOTHING, percent, points
from llmeval.core.numbers import SHOWN, show_number
from llmeval.core.results import MetricDrop, NumberMetric, NumberStatistic, RuleDecision, Summary


class NumberRow(NamedTuple):
    """One number in a table."""

    name: str
    values: tuple[str, ...]
    """Mean, p50 and p95, each with its interval."""
    n: int
    missing: int


HEADINGS = SHOWN
"""Of `NumberRow.values`."""


def number_rows(summary: Summary) -> list[NumberRow]:
    """A row for each number of a run."""
    return [_row(number) for number in summary.numbers]


def _row(number: NumberMetric) -> NumberRow:
    by_name = {each.statistic: each for each in number.statistics}
    values = tuple(_value(number.name, by_name.get(name)) for name in HEADINGS)
    return NumberRow(number.name, values, number.n, number.missing)


def _value(name: str, statistic: NumberStatistic | None) -> str:
    if statistic is None:
        return NOTHING
    shown = show_number(statistic.value, name)
    if statistic.low is None and statistic.high is None:
        return shown
    low, high = (
        NOTHING if end is None else show_number(end, name).partition(" ")[0]
        for end in (statistic.low, statistic.high)
    )
    return f"{shown} ({low} to {high})"


def drop_sentences(summary: Summary) -> list[str]:
    """A sentence for each of the largest drops since the baseline."""
    return [_drop(drop) for drop in summary.drops]


def _drop(drop: MetricDrop) -> str:
    where = "" if drop.slice is None else f" @ {drop.slice}"
    tested = "tested by a rule" if drop.tested else "exploratory: no rule tests it"
    return (
        f"{drop.metric}{where}: {percent(drop.before)} to {percent(drop.now)},"
        f" {points(drop.before - drop.now)} lower on {drop.n:,} cases ({tested})"
    )


def rule_value(rule: RuleDecision, value: float | None) -> str:
    """The estimate, a bound or the limit of a rule about a number, as people read it."""
    if value is None or rule.number is None:
        return NOTHING
    if rule.rule == "limit":
        return show_number(value, rule.number)
    return f"{100 * value:+.1f}%".replace("-", "−")
