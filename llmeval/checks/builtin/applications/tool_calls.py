"""The tool calls of an answer against those that are wanted, with the reason call by call."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict

from llmeval.checks.arguments import Text, clip
from llmeval.checks.base import Result, check, graded
from llmeval.checks.builtin.data.json_diff import shown
from llmeval.checks.builtin.run.tools import MAX_CALLS, ToolCall, read_calls, same_value
from llmeval.core.errors import CheckError
from llmeval.core.json_values import plain
from llmeval.core.records import Answer, Case

_SHOWN = 5


class WantedCall(BaseModel):
    """A call that is wanted: its tool, and arguments that it must have."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Text
    arguments: dict[str, Any] = {}


class _Pairs(NamedTuple):
    """Which wanted call is which actual one, both by their index, and what is left over."""

    same: list[tuple[int, int]]
    wrong: list[tuple[int, int]]
    missing: list[int]
    extra: list[int]


Got = Annotated[
    list[dict[str, Any]] | None, BeforeValidator(lambda value: [] if value is None else value)
]
"""Calls from data: a null means no calls, never the answer's own calls."""


def _call(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


@check(group="applications")
def tool_calls(
    case: Case,
    answer: Answer,
    *,
    calls: list[Annotated[WantedCall, BeforeValidator(_call)]] | None = None,
    forbidden: list[Text] = [],  # noqa: B006 - never changed
    order: bool = False,
    extra: bool = False,
    exact: bool = False,
    got: Got = None,
) -> Result:
    """The answer's tool calls are these `calls`, each a name or {name, arguments}; `calls: []`
    wants no call, and so does the check without arguments.

    The reason tells apart: a call that is missing, one that is not wanted, a wrong argument (with
    the wanted and the actual value), a forbidden tool, and the wrong order. The graded value is the
    F1 of the calls.

    `arguments`: a call may have further ones, unless `exact`. `forbidden`: names of tools that must
    not be called. `order`: the calls come in this order. `extra`: further calls are allowed; they
    always are where only `forbidden` is set. `got`: the calls, for an application that returns them
    in its data; by default the answer's own.
    """
    only_forbidden = calls is None and bool(forbidden)
    expected = calls or []
    actual = read_calls(answer.tool_calls if got is None else got)
    if len(actual) > MAX_CALLS or len(expected) > MAX_CALLS:
        raise CheckError(f"tool_calls: more than {MAX_CALLS} calls")
    pairs = _paired(expected, actual, exact)
    surplus = [] if extra or only_forbidden else pairs.extra
    troubles = [
        *_forbidden(actual, forbidden),
        *(f"missing: {_written(expected[i].name, expected[i].arguments)}" for i in pairs.missing),
        *(_wrong(expected[i], actual[j], exact) for i, j in pairs.wrong),
        *(_surplus(actual[j]) for j in surplus if actual[j].name not in forbidden),
        *(_disorder(pairs, actual) if order else ()),
    ]
    total = len(expected) + len(expected) - len(pairs.missing) + len(surplus)
    value = 2 * len(pairs.same) / total if total else 1.0
    if troubles:
        more = f" and {len(troubles) - _SHOWN} more" if len(troubles) > _SHOWN else ""
        reason = "; ".join(troubles[:_SHOWN]) + more
        details = {
            "problems": troubles[:50],
            "calls": _states(expected, actual, pairs, surplus, forbidden, exact),
            "missing": [
                {"name": expected[i].name, "arguments": plain(expected[i].arguments)}
                for i in pairs.missing
            ],
        }
        return graded(min(value, 0.99), False, reason, details=details)
    return graded(1.0, True, _all_right(actual, only_forbidden))


def _states(
    expected: Sequence[WantedCall],
    actual: Sequence[ToolCall],
    pairs: _Pairs,
    surplus: Sequence[int],
    forbidden: Sequence[str],
    exact: bool,
) -> list[str]:
    """For each call, in order, what is wrong with it; empty where nothing is. For the report."""
    wrong = {j: "; ".join(_differing(expected[i], actual[j], exact)) for i, j in pairs.wrong}
    wrong |= dict.fromkeys(surplus, "not wanted")
    wrong |= {j: "forbidden" for j, call in enumerate(actual) if call.name in forbidden}
    return [wrong.get(j, "") for j in range(len(actual))]


def _all_right(actual: Sequence[ToolCall], only_forbidden: bool) -> str:
    if only_forbidden:
        return f"no forbidden call among {len(actual)}"
    return f"called {_names(actual)}, as wanted" if actual else "called no tool, as wanted"


def _names(actual: Sequence[ToolCall]) -> str:
    more = f" and {len(actual) - 10} more" if len(actual) > 10 else ""
    return ", ".join(clip(call.name) for call in actual[:10]) + more


def _paired(expected: Sequence[WantedCall], actual: Sequence[ToolCall], exact: bool) -> _Pairs:
    """Calls that are as wanted are paired first, those with the most arguments before the others;
    then the rest of the same name, each with the one that it is nearest to."""
    same: list[tuple[int, int]] = []
    wrong: list[tuple[int, int]] = []
    missing: list[int] = []
    left = dict.fromkeys(range(len(actual)))
    rest: list[int] = []
    for i in sorted(range(len(expected)), key=lambda i: (-len(expected[i].arguments), i)):
        j = next((j for j in left if not _differing(expected[i], actual[j], exact)), None)
        if j is None:
            rest.append(i)
        else:
            del left[j]
            same.append((i, j))
    for i in sorted(rest):
        named = [j for j in left if actual[j].name == expected[i].name]
        if named:
            j = min(named, key=lambda j: (len(_differing(expected[i], actual[j], exact)), j))
            del left[j]
            wrong.append((i, j))
        else:
            missing.append(i)
    return _Pairs(sorted(same), wrong, missing, list(left))


def _differing(expected: WantedCall, actual: ToolCall, exact: bool) -> list[str]:
    """What is wrong with a call; empty where it is as wanted."""
    if actual.name != expected.name:
        return [f"called {clip(actual.name)}"]
    if actual.broken:
        return [f"its arguments: {actual.broken}"] if expected.arguments or exact else []
    problems = []
    for name, value in expected.arguments.items():
        if name not in actual.arguments:
            problems.append(f"argument {clip(name)} is missing, expected {shown(plain(value))}")
        elif not same_value(actual.arguments[name], value):
            problems.append(
                f"argument {clip(name)} is {shown(plain(actual.arguments[name]))}, expected"
                f" {shown(plain(value))}"
            )
    if exact:
        surplus = [name for name in actual.arguments if name not in expected.arguments]
        problems += [f"argument {clip(name)} is not wanted" for name in surplus]
    return problems


def _wrong(expected: WantedCall, actual: ToolCall, exact: bool) -> str:
    problems = _differing(expected, actual, exact)
    return f"wrong argument of {clip(expected.name)}: {', '.join(problems[:_SHOWN])}"


def _surplus(call: ToolCall) -> str:
    return f"not wanted: {_written(call.name, call.arguments)}"


def _forbidden(actual: Sequence[ToolCall], forbidden: Iterable[str]) -> list[str]:
    names = set(forbidden)
    return [
        f"forbidden: {_written(call.name, call.arguments)}" for call in actual if call.name in names
    ]


def _disorder(pairs: _Pairs, actual: Sequence[ToolCall]) -> list[str]:
    """The first call that comes before one that it should follow."""
    places = [j for _, j in sorted([*pairs.same, *pairs.wrong])]
    late = next((n for n in range(1, len(places)) if places[n] < places[n - 1]), None)
    if late is None:
        return []
    first, second = actual[places[late]].name, actual[places[late - 1]].name
    return [f"wrong order: {clip(first)} was called before {clip(second)}, expected after it"]


def _written(name: str, arguments: dict[str, object]) -> str:
    inside = ", ".join(f"{key}={shown(plain(value))}" for key, value in arguments.items())
    return f"{name}({inside if len(inside) <= 120 else inside[:119] + '…'})"
