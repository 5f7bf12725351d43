"""The same JSON: equal values, whatever their layout; and JSON that a repair could save."""

import json as stdlib
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, Field

from llmeval.checks.arguments import clip
from llmeval.checks.base import Result, check, graded, not_applicable
from llmeval.checks.builtin.data.json_checks import parse_json
from llmeval.checks.builtin.data.schemas import listed_problems, place
from llmeval.checks.reading.payload import Fence, Malformed, body, malformed_fails, read, too_long
from llmeval.core.errors import CheckError
from llmeval.core.records import Answer, Case

REPAIR_CHARS = 5_000
"""Longest text that is tried to be repaired: the repairer's time grows with the square of it on
hostile text.
"""
MAX_PAIRS = 100_000
Path = tuple[str | int, ...]


class JsonDifference(NamedTuple):
    """One difference; how many of the wanted leaves it takes away, and how many it adds that nobody
    asked for.
    """

    message: str
    missing: int = 0
    surplus: int = 0


class MatchOptions(NamedTuple):
    """What may differ: the order of lists, members that nobody asked for, numbers by at most
    `tolerance`.
    """

    any_order: bool
    extra: bool
    tolerance: float


def _from_text(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return parse_json(value)
    except Malformed as error:
        raise ValueError(
            f"a text must be valid JSON (write a JSON string with its own quotes): {error}"
        ) from None


Value = Annotated[Any, AfterValidator(_from_text)]


@check(group="json", version=2)
@malformed_fails
def json_equals(
    case: Case,
    answer: Answer,
    *,
    value: Value = None,
    any_order: bool = False,
    extra: bool = False,
    tolerance: Annotated[float, Field(ge=0)] = 0.0,
    fence: Fence = "allow",
) -> Result:
    """The answer is the same JSON as `value` (by default, a reference); the graded value is the
    share that is the same.

    `any_order`: lists may come in any order. `extra`: objects may have further keys. `tolerance`:
    of numbers.
    """
    expected = [value] if value is not None else [_reference(text) for text in case.references]
    if not expected:
        return not_applicable("no expected value: neither the case nor the check has one")
    actual = read(body(answer.text, fence, "JSON"), parse_json)
    rules = MatchOptions(any_order, extra, tolerance)
    return max(
        (compared(one, actual, rules) for one in expected), key=lambda result: result.value or 0.0
    )


def compared(
    expected: object, actual: object, rules: MatchOptions, same: str = "is the expected JSON"
) -> Result:
    """Whether two JSON values are the same; the value is the share of `expected` that is.

    Args:
        expected, actual: JSON values.
        rules: what may differ.
        same: the reason where they are the same.

    Raises:
        CheckError: the lists are too long to be compared in any order.
    """
    matches = list(_differences(expected, actual, (), rules))
    if not matches:
        return graded(1.0, True, same)
    leaves = _leaves(expected)
    share = (leaves - sum(d.missing for d in matches)) / (leaves + sum(d.surplus for d in matches))
    wrong = [difference.message for difference in matches]
    return graded(
        share, False, f"differs: {listed_problems(wrong)}", details={"differences": wrong[:50]}
    )


@check(group="json")
def json_repairable(case: Case, answer: Answer) -> Result:
    """The answer is a JSON object or list, or becomes one by repair: value 1 for valid JSON, 0.5
    for what needs repair.

    Whether JSON is valid is for `json` to say; this tells near misses from prose.
    """
    too_long(answer.text, REPAIR_CHARS, "JSON in need of repair")
    try:
        value = read(body(answer.text, "allow", "JSON"), parse_json)
    except Malformed as error:
        return _repaired(answer.text, str(error))
    if isinstance(value, dict | list):
        return graded(1.0, True, "is valid JSON")
    return graded(0.0, False, "is a single value, no object or list")


def _repaired(text: str, why: str) -> Result:
    try:
        import json_repair
    except ImportError:
        raise CheckError("repairing JSON needs the package json-repair") from None
    opening = min((at for at in (text.find("{"), text.find("[")) if at >= 0), default=-1)
    if opening < 0:
        return graded(0.0, False, f"{why}; nothing in it can be repaired")
    try:
        value = json_repair.loads(text[opening:], skip_json_loads=True)
    except (RecursionError, ValueError):
        value = None
    if isinstance(value, dict | list) and value:
        return graded(0.5, True, f"{why}; it can be repaired")
    return graded(0.0, False, f"{why}; nothing in it can be repaired")


def _reference(text: str) -> object:
    try:
        return parse_json(text)
    except Malformed as error:
        raise CheckError(f"the reference {clip(text)} is not JSON: {error}") from None


def _leaves(value: object) -> int:
    if isinstance(value, dict):
        return sum(map(_leaves, value.values())) or 1
    if isinstance(value, list):
        return sum(map(_leaves, value)) or 1
    return 1


def _differences(
    expected: object, actual: object, path: Path, rules: MatchOptions
) -> Iterator[JsonDifference]:
    if isinstance(expected, dict) and isinstance(actual, dict):
        yield from _in_objects(expected, actual, path, rules)
    elif isinstance(expected, list) and isinstance(actual, list):
        yield from (_in_any_order if rules.any_order else _in_order)(expected, actual, path, rules)
    elif not _same(expected, actual, rules.tolerance):
        yield JsonDifference(
            f"{place(path)}is {shown(actual)}, expected {shown(expected)}",
            missing=_leaves(expected),
        )


def _in_objects(
    expected: dict[str, object], actual: dict[str, object], path: Path, rules: MatchOptions
) -> Iterator[JsonDifference]:
    for key, value in expected.items():
        if key in actual:
            yield from _differences(value, actual[key], (*path, key), rules)
        else:
            yield _missing(value, (*path, key))
    if not rules.extra:
        yield from (
            _surplus(value, (*path, key)) for key, value in actual.items() if key not in expected
        )


def _in_order(
    expected: list[object], actual: list[object], path: Path, rules: MatchOptions
) -> Iterator[JsonDifference]:
    for index, (one, other) in enumerate(zip(expected, actual, strict=False)):
        yield from _differences(one, other, (*path, index), rules)
    yield from (
        _missing(expected[index], (*path, index)) for index in range(len(actual), len(expected))
    )
    yield from (
        _surplus(actual[index], (*path, index)) for index in range(len(expected), len(actual))
    )


def _in_any_order(
    expected: list[object], actual: list[object], path: Path, rules: MatchOptions
) -> Iterator[JsonDifference]:
    """Equal items are paired by their canonical form, the others by the first that fits: exact
    unless objects may have further keys or numbers may differ."""
    exact: dict[str, list[int]] = {}
    for index, item in enumerate(actual):
        exact.setdefault(_canonical(item), []).append(index)
    unpaired = [(i, item) for i, item in enumerate(expected) if not _taken(exact, _canonical(item))]
    left = dict.fromkeys(sorted(index for indices in exact.values() for index in indices))
    if len(unpaired) * len(left) > MAX_PAIRS:
        raise CheckError("the lists differ in too many items to be compared in any order")
    for index, item in unpaired:
        fit = next((i for i in left if not any(_differences(item, actual[i], (), rules))), None)
        if fit is None:
            yield _missing(item, (*path, index))
        else:
            del left[fit]
    yield from (_surplus(actual[index], (*path, index)) for index in left)


def _taken(exact: dict[str, list[int]], form: str) -> bool:
    """Take one of the given items of this form, if any is left."""
    indices = exact.get(form)
    if not indices:
        return False
    indices.pop()
    return True


def _missing(value: object, path: Path) -> JsonDifference:
    return JsonDifference(f"{place(path)}{shown(value)} is missing", missing=_leaves(value))


def _surplus(value: object, path: Path) -> JsonDifference:
    return JsonDifference(f"{place(path)}{shown(value)} is not expected", surplus=_leaves(value))


def _canonical(value: object) -> str:
    return stdlib.dumps(value, sort_keys=True)


def _same(expected: object, actual: object, tolerance: float) -> bool:
    if isinstance(expected, bool) or isinstance(actual, bool):
        return expected is actual
    if isinstance(expected, int | float) and isinstance(actual, int | float):
        return expected == actual or (tolerance > 0 and _near(expected, actual, tolerance))
    return type(expected) is type(actual) and bool(expected == actual)


def _near(expected: float, actual: float, tolerance: float) -> bool:
    """In decimal, as the numbers are written: in binary, 1.3 is more than 0.1 away from 1.2."""
    return abs(Decimal(repr(expected)) - Decimal(repr(actual))) <= Decimal(repr(tolerance))


def shown(value: object) -> str:
    """A JSON value on one line, cut to 60 characters."""
    text = stdlib.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:59]}…"
