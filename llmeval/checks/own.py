"""Checks of one's own: a function `module:function`, sync or async, and what it may return.

    def check(case, answer, *, argument=default): ...

| returned | means |
|---|---|
| `True`, `False` | passes, fails |
| a number in [0, 1] | the value; it passes from `at_least` on (default 0.5) |
| `(True, "reason")`, `(0.7, "reason")` | the same with a reason |
| `{"tone": 0.7, "short": True}` | a metric each; the check passes if all of them do |
| a `Result` | as it is |

The signature is checked before the run. A mapping's metrics have names that gate rules can use if
the function declares them: its return annotation is a `TypedDict`.
"""

import asyncio
import functools
import inspect
import threading
import types
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any, Union, get_args, get_origin, is_typeddict

from pydantic import Field

from llmeval.checks.base import CheckType, Result
from llmeval.core.errors import CheckError
from llmeval.core.function_source import function_source

DEFAULT_LIMIT = 0.5
"""From which value on a number passes: the same as for the checks of overlap."""
Limit = Annotated[float, Field(ge=0, le=1)]
_FORMS = (
    "a check returns True or False, a number from 0 to 1, (passed, reason), {metric: ...} or a"
    " Result"
)
_KINDS: dict[tuple[str, int], CheckType] = {}


def own_check(name: str, function: Callable[..., object]) -> CheckType:
    """A function as a check.

    Args:
        name: `module:function`, as the suite writes it.
        function: what it names.

    Raises:
        ValueError: its signature is not that of a check; with file, line and the fix.
    """
    key = (name, id(function))  # the value keeps the function alive, so the id stays its own
    if key not in _KINDS:
        _KINDS[key] = _own_check(name, function)
    return _KINDS[key]


def _own_check(name: str, function: Callable[..., Any]) -> CheckType:
    place = f"{name} ({_place(function)})"
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):
        raise ValueError(f"{name}: has no signature that can be read; wrap it in a `def`") from None
    options = _options(signature, place)
    hints = _hints(function, [*options, "return"], place)
    returned = hints.pop("return", None)
    _check_returned(returned, place)
    limited = "at_least" not in options and _may_be_number(returned)

    @functools.wraps(function)
    def checked(case: Any, answer: Any, **arguments: Any) -> Result:
        limit = arguments.pop("at_least") if limited else DEFAULT_LIMIT
        value = function(case, answer, **arguments)
        return as_result(waited(value) if inspect.isawaitable(value) else value, limit)

    if limited:
        hints["at_least"] = Limit
        options["at_least"] = inspect.Parameter(
            "at_least", inspect.Parameter.KEYWORD_ONLY, default=DEFAULT_LIMIT, annotation=Limit
        )
    checked.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*list(signature.parameters.values())[:2], *options.values()]
    )
    checked.__annotations__ = hints
    return CheckType(
        name,
        checked,
        "own",
        raw=True,
        metrics=_metrics(returned),
        source=function_source(name, function),
        waits=_is_async(function),
    )


def _place(function: Callable[..., object]) -> str:
    """File and line of a function, as far as Python has them."""
    inner: Any = inspect.unwrap(function)
    while isinstance(inner, functools.partial):
        inner = inspect.unwrap(inner.func)
    if not (inspect.isroutine(inner) or inspect.isclass(inner)):
        inner = type(inner).__call__
    code = getattr(inner, "__code__", None)
    return "no source" if code is None else f"{code.co_filename}:{code.co_firstlineno}"


def _is_async(function: Callable[..., object]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(type(function), "__call__", None)  # noqa: B004 - the method itself, not callable()
    )


def _options(signature: inspect.Signature, place: str) -> dict[str, inspect.Parameter]:
    """The keyword-only parameters, which a suite's arguments fill."""
    first = [p for p in signature.parameters.values() if p.kind is not p.KEYWORD_ONLY]
    for parameter in first:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise ValueError(
                f"{place}: a check takes no `{parameter}`: name each argument of the suite after"
                " `*`, as in `def check(case, answer, *, limit=3)`"
            )
    names = [parameter.name for parameter in first]
    if len(names) != 2 or names == ["answer", "case"]:
        after = f"; write `*` before {names[2]!r}" if names[:2] == ["case", "answer"] else ""
        raise ValueError(
            f"{place}: a check takes `(case, answer)`, and what the suite sets after `*`; this one"
            f" takes ({', '.join(names)}){after}"
        )
    return {p.name: p for p in signature.parameters.values() if p.kind is p.KEYWORD_ONLY}


def _hints(function: Callable[..., object], names: list[str], place: str) -> dict[str, Any]:
    """The annotations of these names. `case` and `answer` may have types that are imported only
    for type checkers."""
    inner: Any = inspect.unwrap(function)
    while isinstance(inner, functools.partial):
        inner = inspect.unwrap(inner.func)
    if not (inspect.isroutine(inner) or inspect.isclass(inner)):
        inner = type(inner).__call__
    written = getattr(inner, "__annotations__", {})

    def holder() -> None:
        """Holds the annotations."""

    hints: dict[str, Any] = {}
    for name in names:
        if name not in written:
            continue
        holder.__annotations__ = {name: written[name]}
        try:
            hints |= inspect.get_annotations(
                holder, globals=getattr(inner, "__globals__", {}), eval_str=True
            )
        except Exception as error:
            if name != "return":  # a suite's value can't be read without the type
                raise ValueError(f"{place}: the type of {name!r}: {error}") from None
    return hints


def _choices(annotation: object) -> tuple[Any, ...]:
    """The members of a union; of any other type, itself."""
    union = get_origin(annotation) in (Union, types.UnionType)
    return get_args(annotation) if union else (annotation,)


def _check_returned(annotation: object, place: str) -> None:
    for choice in _choices(annotation):
        origin = get_origin(choice) or choice
        if origin in (str, bytes, list, set) or (choice is type(None) and annotation is not None):
            shown = getattr(choice, "__name__", str(choice))
            raise ValueError(f"{place}: returns {shown}; {_FORMS}")


def _may_be_number(annotation: object) -> bool:
    """Whether the function may return a number, as far as its annotation says."""
    return not all(
        choice in (bool, Result) or choice == tuple[bool, str] for choice in _choices(annotation)
    )


def _metrics(annotation: object) -> Callable[[Mapping[str, Any]], tuple[str, ...]] | None:
    if not is_typeddict(annotation):
        return None
    names = tuple(annotation.__annotations__)
    return lambda arguments: names


def waited(value: Awaitable[object]) -> Any:
    """What an async check returns. It runs in a new event loop, as this is called from
    synchronous code that may itself stand in a loop.
    """

    async def wait() -> Any:
        return await value

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(wait())
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append((asyncio.run(wait()), None))
        except BaseException as error:  # raised again in the thread that waits
            outcome.append((None, error))

    thread = threading.Thread(target=run, name="llmeval own check")
    thread.start()
    thread.join()
    returned, raised = outcome[0]
    if raised is not None:
        raise raised
    return returned


def as_result(value: object, limit: float = DEFAULT_LIMIT) -> Result:
    """What a check returned, as a Result.

    Args:
        value: bool, number, (bool or number, reason), mapping of metrics, or Result.
        limit: from which value on a number passes.

    Raises:
        CheckError: anything else. None is not a verdict either.
    """
    if isinstance(value, Result):
        return _sound(value)
    if isinstance(value, Mapping):
        return _of_metrics(value, limit)
    reason = ""
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], str):
        value, reason = value
    value = _scalar(value)
    if isinstance(value, bool):
        return Result(1.0 if value else 0.0, value, reason)
    if isinstance(value, int | float):
        if not 0 <= value <= 1:
            raise CheckError(f"the check returned the value {value}, outside [0, 1]")
        compared = f"{value:.4g}; expected at least {limit:g}"
        return Result(
            float(value), value >= limit, f"{reason} ({compared})" if reason else compared
        )
    raise CheckError(f"the check returned {_shown(value)}; {_FORMS}")


def _scalar(value: object) -> Any:
    """A scalar of numpy as Python's; anything else as it is."""
    if type(value).__module__ == "numpy" and hasattr(value, "item"):
        return value.item()
    return value


def _sound(result: Result) -> Result:
    """The result with Python's own types. A `passed` without a value is no verdict, and must not
    count as `not_applicable`: that would hide a case that fails.
    """
    value, passed = _scalar(result.value), _scalar(result.passed)
    neither = value is None and passed is None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not neither and not (number and isinstance(passed, bool)):
        raise CheckError(
            f"the check returned a Result with the value {_shown(value)} and passed"
            f" {_shown(passed)}; it needs a number and True or False, or neither"
            " (`not_applicable`)"
        )
    metrics = {name: _sound(part) for name, part in result.metrics.items()}
    return replace(result, value=None if neither else float(value), passed=passed, metrics=metrics)


def _of_metrics(value: Mapping[object, object], limit: float) -> Result:
    """The mean of the metrics, and whether all pass."""
    if not value:
        raise CheckError("the check returned a mapping without a metric")
    parts: dict[str, Result] = {}
    for name, item in value.items():
        if not isinstance(name, str) or not name or isinstance(item, Mapping):
            raise CheckError(f"the check returned {_shown(value)}; a metric is a text: value")
        try:
            parts[name] = as_result(item, limit)
        except CheckError as error:
            raise CheckError(f"the metric {name!r}: {error}") from None
    decided = {name: part for name, part in parts.items() if part.passed is not None}
    if not decided:
        reason = "; ".join(f"{name}: {part.reason}" for name, part in parts.items())
        return Result(None, None, reason, metrics=parts)
    failed = [name for name, part in decided.items() if not part.passed]
    reasons = "; ".join(f"{name}: {decided[name].reason or 'fails'}" for name in failed)
    return Result(
        sum(part.value or 0.0 for part in decided.values()) / len(decided),
        not failed,
        reasons or f"all pass: {', '.join(decided)}",
        metrics=parts,
    )


def _shown(value: object) -> str:
    text = repr(value)
    return f"{type(value).__name__} ({text if len(text) <= 80 else text[:79] + '…'})"
