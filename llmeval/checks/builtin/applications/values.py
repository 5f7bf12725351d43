"""Values of any kind compared: two JSON values, or a number with a limit."""

import math
from typing import Annotated, Any

from pydantic import Field

from llmeval.checks.arguments import clip
from llmeval.checks.base import Result, check, verdict
from llmeval.checks.builtin.data.json_diff import MatchOptions, compared, shown
from llmeval.checks.reading.plain_numbers import plain_number
from llmeval.core.json_values import plain
from llmeval.core.records import Answer, Case

Limit = Annotated[float, Field(allow_inf_nan=False)]


@check(group="applications")
def equal(
    case: Case,
    answer: Answer,
    *,
    got: object,
    want: object,
    any_order: bool = False,
    tolerance: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0,
) -> Result:
    """`got` is the same JSON value as `want`: true is not 1, "1" is not 1, 1.0 is 1.

    Both are values or templates. The graded value is the share of `want` that is the same; the
    reason names each place that differs. `any_order`: lists may come in any order. `tolerance`: of
    numbers.
    """
    rules = MatchOptions(any_order, False, tolerance)
    return compared(plain(want), plain(got), rules, "is the expected value")


@check(group="applications")
def at_most(case: Case, answer: Answer, *, got: object, limit: Limit) -> Result:
    """The number `got` is at most `limit`. A value that is not a number fails."""
    return _limited(got, limit, "at most", lambda number: number <= limit)


@check(group="applications")
def at_least(case: Case, answer: Answer, *, got: object, limit: Limit) -> Result:
    """The number `got` is at least `limit`. A value that is not a number fails.

    `at_least` with `of` is a group of checks instead.
    """
    return _limited(got, limit, "at least", lambda number: number >= limit)


def _limited(got: Any, limit: float, words: str, holds: Any) -> Result:
    number = plain_number(got)
    if number is None or not math.isfinite(number):
        return verdict(
            False, f"{clip(shown(plain(got)))} is not a number; expected {words} {limit:g}"
        )
    return verdict(bool(holds(number)), f"{number:g}; expected {words} {limit:g}")
