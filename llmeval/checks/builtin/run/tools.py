"""Checks of tool calls: which tools the model asked for, in which order, with which arguments."""

import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from llmeval.checks.arguments import Count, Most, Share, Text, clip
from llmeval.checks.base import Result, check, graded, verdict
from llmeval.checks.builtin.data.json_checks import parse_json
from llmeval.checks.builtin.data.schemas import Schema, listed_problems, problems
from llmeval.checks.reading.payload import Malformed
from llmeval.core.records import Answer, Case

MAX_CALLS = 1000
Names = Annotated[list[Text], Field(min_length=1)]


class ToolCall(NamedTuple):
    """One call. `broken`: why its arguments are not a JSON object; empty if they are one."""

    name: str
    arguments: dict[str, Any]
    broken: str = ""


def read_calls(calls: Iterable[Mapping[str, object]]) -> list[ToolCall]:
    """Calls in order. Arguments may be a mapping or a JSON text; none at all are an empty
    mapping.
    """
    return [_call(raw) for raw in calls]


def _call(raw: Mapping[str, object]) -> ToolCall:
    name, actual = str(raw.get("name") or ""), raw.get("arguments")
    if actual is None or actual == "":
        return ToolCall(name, {})
    if isinstance(actual, str):
        try:
            actual = parse_json(actual)
        except Malformed as error:
            return ToolCall(name, {}, str(error))
    if not isinstance(actual, Mapping):
        return ToolCall(name, {}, "they are not a JSON object")
    return ToolCall(name, dict(actual))


@check(group="tools")
def no_tool_calls(case: Case, answer: Answer) -> Result:
    """The model asked for no tool."""
    names = [call.name for call in read_calls(answer.tool_calls)]
    return verdict(not names, f"called {_listed(names)}" if names else "called no tool")


@check(group="tools", version=2)
def tool_call(
    case: Case,
    answer: Answer,
    *,
    name: Text,
    arguments: dict[str, object] | None = None,
    schema: Schema | None = None,
    times: Annotated[int, Field(ge=1)] | None = None,
    max: Most = None,
) -> Result:
    """The model called this tool, each time with arguments that follow `schema`; in at least one of
    the calls they are these `arguments` (others may be there too).

    `times`: exactly so often; `max`: at most so often.
    """
    calls = [call for call in read_calls(answer.tool_calls) if call.name == name]
    often = f"called {clip(name)} {len(calls)} times"
    if not calls or (times is not None and len(calls) != times):
        return verdict(False, f"{often}; expected {times or 'at least 1'}")
    if max is not None and len(calls) > max:
        return verdict(False, f"{often}; expected at most {max}")
    for call in calls:
        why = call.broken or (
            listed_problems(problems(schema, call.arguments)) if schema is not None else ""
        )
        if why:
            return verdict(False, f"the arguments of {clip(name)}: {why}")
    if arguments is not None and not any(_has(call, arguments) for call in calls):
        return verdict(
            False, f"no call of {clip(name)} has the arguments {clip(json.dumps(arguments), 200)}"
        )
    return verdict(True, often)


@check(group="tools")
def tool_calls_valid(
    case: Case,
    answer: Answer,
    *,
    tools: Annotated[dict[Text, Schema], Field(min_length=1)],
    min: Count = 0,
) -> Result:
    """Every call is of one of these `tools` (name: JSON Schema of its arguments) with arguments
    that follow its schema; there are at least `min` calls."""
    calls = read_calls(answer.tool_calls)
    for call in calls:
        if call.name not in tools:
            return verdict(False, f"called {clip(call.name)}, which is not one of the tools")
        why = call.broken or listed_problems(problems(tools[call.name], call.arguments))
        if why:
            return verdict(False, f"the arguments of {clip(call.name)}: {why}")
    return verdict(
        len(calls) >= min, f"{len(calls)} calls, all valid" if calls else "called no tool"
    )


@check(group="tools")
def tool_sequence(case: Case, answer: Answer, *, names: Names, exactly: bool = True) -> Result:
    """The model called these tools in this order; with `exactly: false`, others may stand between
    them.
    """
    called = [call.name for call in read_calls(answer.tool_calls)]
    rest = iter(called)
    passed = called == names if exactly else all(name in rest for name in names)
    return verdict(passed, f"called {_listed(called)}; expected {_listed(names)}")


class ExpectedCall(NamedTuple):
    """A call that is wanted; `arguments` that it must have among its own."""

    name: str
    arguments: dict[str, Any] | None = None


@check(group="tools", version=2)
def tool_f1(
    case: Case,
    answer: Answer,
    *,
    names: Names | None = None,
    calls: list[ExpectedCall] | None = None,
    threshold: Share = 1.0,
) -> Result:
    """F1 of the calls against these `names`, or these `calls` ([name, arguments] each), is at least
    `threshold`.

    Each counts as often as it stands; the order does not matter. With neither, or `calls: []`, no
    call is wanted. `tool_calls` says what is wrong with a call.
    """
    expected = [*(ExpectedCall(name) for name in names or ()), *(calls or ())]
    actual = read_calls(answer.tool_calls)[:MAX_CALLS]
    open_calls = list(actual)
    common = 0
    for want in sorted(expected, key=lambda one: one.arguments is None):
        hit = next(
            (call for call in open_calls if call.name == want.name and _has(call, want.arguments)),
            None,
        )
        if hit is not None:
            open_calls.remove(hit)
            common += 1
    total = len(answer.tool_calls) + len(expected)
    score = 2 * common / total if total else 1.0
    return graded(
        score,
        score >= threshold,
        f"F1 {score:.2f}: called {_listed([call.name for call in actual])}",
    )


def _has(call: ToolCall, arguments: Mapping[str, object] | None) -> bool:
    if arguments is None:
        return True
    return not call.broken and all(
        name in call.arguments and same_value(call.arguments[name], value)
        for name, value in arguments.items()
    )


def same_value(one: object, other: object) -> bool:
    """Equality of JSON values: true is not 1, 1.0 is."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_value, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_value(one[key], other[key]) for key in one)
    return bool(one == other)


def _listed(names: list[str]) -> str:
    shown = ", ".join(clip(name) for name in names[:20])
    return (shown + (f" and {len(names) - 20} more" if len(names) > 20 else "")) or "nothing"
