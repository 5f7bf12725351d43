"""What the tables of heuristics share."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from llmeval.checks.reading.decisions import deciding_rule

Rules = Sequence[Callable[[Any], Any]]


def verdict_of(rules: Rules, subject: Any) -> tuple[str, Any]:
    """The rule that decides, and its verdict."""
    return deciding_rule(rules, subject)


def names(rules: Rules) -> list[str]:
    """The names of the rules, as the tables write them."""
    return [rule.__name__.strip("_") for rule in rules]


def in_table(rows: Iterable[Sequence[Any]]) -> list[str]:
    """The rules of a table, each once, in the order of their first rows."""
    return list(dict.fromkeys(row[0] for row in rows))
