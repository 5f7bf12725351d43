"""Which runs a command is about, from what people write on a command line: no SQL."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import get_type_hints

from llmeval.core.errors import UsageError
from llmeval.core.results import Decision
from llmeval.core.run_tags import parse_tag
from llmeval.history.experiment_store import Condition, Operator, RunQuery
from llmeval.history.names import point_in_time
from llmeval.history.rows import RunRow

_CONDITION = re.compile(r"\s*([a-z_]+)\s*(!=|<=|>=|=|<|>)\s*(.*?)\s*\Z", re.S)
_ALIASES = {"commit": "commit_id", "cases": "n"}
_INTERNAL = ("root", "path", "stamp")
_OPERATORS: dict[str, Operator] = {
    "=": "=",
    "!=": "!=",
    "<": "<",
    "<=": "<=",
    ">": ">",
    ">=": ">=",
}
NO_DECISION = "NONE"
"""The name of a run without a decision."""


def filterable() -> list[str]:
    """The names that a condition may have."""
    names = [name for name in RunRow.__struct_fields__ if name not in _INTERNAL]
    return sorted([*(name for name in names if name not in _ALIASES.values()), *_ALIASES])


def select_runs(
    query: RunQuery,
    *,
    suite: str | None = None,
    branch: str | None = None,
    tags: Sequence[str] = (),
    since: str | None = None,
    decision: str | None = None,
    where: Sequence[str] = (),
    last: int | None = None,
    now: datetime | None = None,
) -> RunQuery:
    """A narrower query.

    Args:
        query: what the command is about.
        suite, branch: exact names.
        tags: `name=value`, all of them.
        since: a day, a time or a time span (`point_in_time`).
        decision: PASS, FAIL, INCONCLUSIVE, INVALID or NONE.
        where: conditions such as `candidate=small`, `cost_usd>1`.
        last: the newest so many.
        now: for `since`.

    Raises:
        UsageError: one of them has another form; names what is possible.
    """
    query = query.where("suite", suite).where("branch", branch)
    query = query._replace(tags=tuple(parse_tag(text) for text in tags), limit=last or None)
    if since is not None:
        begin = point_in_time(since, now or datetime.now(UTC)).astimezone(UTC)
        query = query.where("started", begin.strftime("%Y-%m-%dT%H:%M:%S"), ">=")
    if decision is not None:
        query = _decided(query, decision.upper())
    for text in where:
        query = _conditioned(query, text)
    return query


def _decided(query: RunQuery, decision: str) -> RunQuery:
    if decision not in (*Decision.__members__, NO_DECISION):
        names = ", ".join((*Decision.__members__, NO_DECISION))
        raise UsageError(f"--decision {decision}: choose one of {names}")
    return query.where("decision", "" if decision == NO_DECISION else decision)


def _conditioned(query: RunQuery, text: str) -> RunQuery:
    match = _CONDITION.match(text)
    name = "" if match is None else match[1]
    if match is None or name not in filterable():
        raise UsageError(
            f"--where {text!r}: write NAME=VALUE (or !=, <, <=, >, >=) with one of these names:"
            f" {', '.join(filterable())}"
        )
    column = _ALIASES.get(name, name)
    kind = str(get_type_hints(RunRow)[column])
    value: str | float = match[3]
    if "str" not in kind:
        try:
            value = float({"true": "1", "false": "0"}.get(match[3].lower(), match[3]))
        except ValueError:
            raise UsageError(f"--where {text!r}: {name} is a number") from None
    condition = Condition(column, _OPERATORS[match[2]], value)
    return query._replace(conditions=(*query.conditions, condition))
