"""Checks as suites write them, bound to the registry and ready to run.

    name | name: argument | name: {option: ...} | module:function | module:function: {...}
    not: <check> | any: [<check>, ...] | all: [...] | at_least: {k: 2, of: [...]}

Every check takes two more options: `metric:`, the name it is reported under, and `turn:`, the turn
of a conversation that it sees (`turns.py`). `not` of a check with `turn: all` passes if no turn
passes the check.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from llmeval.checks.argument_models import model_of, no_such_argument, validated
from llmeval.checks.base import CheckType
from llmeval.checks.bound import BoundCheck, CheckGroup, NegatedCheck, SingleCheck
from llmeval.checks.own import own_check
from llmeval.checks.registry import all_checks, find
from llmeval.checks.turns import TurnCheck, read_turn
from llmeval.core.errors import SuiteError

Loader = Callable[[str], Callable[..., Any]]
"""Imports `module:function`."""
Path = tuple[str | int, ...]

_GROUPS = ("any", "all", "at_least")


class SpecError(ValueError):
    """A check is written wrongly. `path`: where, below the list of checks."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path


def bind(
    raw: Sequence[object],
    *,
    is_template: Callable[[object], bool] = lambda value: False,
    load: Loader | None = None,
) -> tuple[BoundCheck, ...]:
    """The checks of a suite or a case, each under a metric name of its own (a second `contains` is
    `contains#2`).

    Args:
        raw: checks as written.
        is_template: whether an argument has to be rendered for each case; others are validated
            here, once.
        load: imports `module:function`; None refuses such checks.

    Raises:
        SpecError: unknown check, bad argument, malformed group; `path` says where.
    """
    return _unique([_bind(item, (index,), is_template, load) for index, item in enumerate(raw)])


def merge(suite: Sequence[BoundCheck], case: Sequence[BoundCheck]) -> tuple[BoundCheck, ...]:
    """A suite's checks and one case's own, with names kept apart."""
    return _unique([*suite, *case]) if case else tuple(suite)


def _unique(bound: Sequence[BoundCheck]) -> tuple[BoundCheck, ...]:
    """The checks with names that are kept apart, also from the further metrics of each other."""
    times: dict[str, int] = {}
    taken: set[str] = set()
    result = []
    for item in bound:
        base = item.metric.partition("#")[0]
        renamed = item
        while True:
            times[base] = times.get(base, 0) + 1
            metric = base if times[base] == 1 else f"{base}#{times[base]}"
            if metric != renamed.metric:
                renamed = replace(renamed, metric=metric)  # type: ignore[type-var]
            if taken.isdisjoint(renamed.metrics):
                break
        taken.update(renamed.metrics)
        result.append(renamed)
    return tuple(result)


def check_type(name: str, load: Loader | None) -> CheckType:
    """A check by its name, or an own one by `module:function`.

    Raises:
        ValueError: there is none, or the function is not a check.
    """
    own = ":" in name and not _registered(name)
    return own_check(name, _loaded(name, load)) if own else find(name)


def arguments_schema() -> dict[str, object]:
    """The JSON Schema of every check's arguments, by name."""
    return {name: model_of(kind).model_json_schema() for name, kind in all_checks().items()}


def _bind(
    raw: object, path: Path, is_template: Callable[[object], bool], load: Loader | None
) -> BoundCheck:
    if isinstance(raw, str):
        return _one(raw, {}, path, is_template, load)
    if not isinstance(raw, dict) or not raw:
        raise SpecError(
            path, f"a check is `name`, `name: argument` or `name: {{options}}`, not {raw!r}"
        )
    if len(raw) > 1:
        names = ", ".join(repr(str(name)) for name in raw)
        raise SpecError(
            path, f"this item has several checks ({names}); begin each one with a `-` of its own"
        )
    ((name, argument),) = raw.items()
    path = (*path, name)
    if name == "not":
        inner = _bind(argument, path, is_template, load)
        metric = f"not {inner.metric}"
        if isinstance(inner, TurnCheck):
            return replace(inner, metric=metric, inner=NegatedCheck(metric, inner.inner))
        return NegatedCheck(metric, inner)
    if name in _GROUPS and not (isinstance(argument, dict) and "got" in argument):
        return _group(name, argument, path, is_template, load)
    return _one(name, argument, path, is_template, load)


def _group(
    word: str,
    argument: object,
    path: Path,
    is_template: Callable[[object], bool],
    load: Loader | None,
) -> CheckGroup:
    k, metric, items, below = 1, word, argument, path
    if isinstance(argument, dict):
        unknown = set(argument) - {"k", "of", "metric"}
        if unknown:
            raise SpecError(
                path, f"unknown key {min(unknown)!r}; the keys here are k, of and metric"
            )
        items, below = argument.get("of"), (*path, "of")
        k, metric = argument.get("k", 1), str(argument.get("metric", word))
    if not isinstance(items, list) or not items:
        check = "; the check `at_least` needs `got` and `limit`" if word == "at_least" else ""
        raise SpecError(path, f"`{word}` needs a list of checks{check}")
    if not isinstance(k, int) or isinstance(k, bool) or not 1 <= k <= len(items):
        raise SpecError(path, f"k must be a whole number from 1 to {len(items)}, not {k!r}")
    members = [_bind(item, (*below, index), is_template, load) for index, item in enumerate(items)]
    return CheckGroup(metric, word, len(items) if word == "all" else k, _unique(members))


def _one(
    name: str,
    argument: object,
    path: Path,
    is_template: Callable[[object], bool],
    load: Loader | None,
) -> BoundCheck:
    try:
        kind = check_type(name, load)
    except ValueError as error:
        raise SpecError(path, str(error)) from None
    arguments, metric = _arguments(kind, argument, path)
    turn = None if "turn" in kind.parameters else arguments.pop("turn", None)
    static = None
    if not is_template(arguments):
        try:
            static = validated(kind, arguments)
        except ValueError as error:
            raise SpecError(path, str(error)) from None
    else:
        _known_arguments(kind, arguments, path)
    single = SingleCheck(metric, kind, arguments, static)
    if turn is None:
        return single
    try:
        return TurnCheck(metric, single, read_turn(turn))
    except ValueError as error:
        raise SpecError((*path, "turn"), str(error)) from None


def _registered(name: str) -> bool:
    try:
        find(name)
    except ValueError:
        return False
    return True


def _loaded(name: str, load: Loader | None) -> Callable[..., object]:
    if load is None:
        raise ValueError(f"unknown check {name!r}")
    try:
        return load(name)
    except SuiteError as error:
        raise ValueError(str(error)) from error


def _arguments(kind: CheckType, argument: object, path: Path) -> tuple[dict[str, Any], str]:
    metric = kind.name
    if isinstance(argument, dict):
        arguments = dict(argument)
        if "metric" in arguments and "metric" not in kind.parameters:
            metric = str(arguments.pop("metric"))
        return arguments, metric
    if argument is None or argument is True:
        return {}, metric
    first = next(iter(kind.parameters), None)
    if first is None:
        raise SpecError(path, f"{kind.name} takes no argument")
    return {first: argument}, metric


def _known_arguments(kind: CheckType, arguments: Mapping[str, object], path: Path) -> None:
    for name in arguments:
        if name not in kind.parameters:
            raise SpecError(path, no_such_argument(kind, name))
    for name, parameter in kind.parameters.items():
        if parameter.default is parameter.empty and name not in arguments:
            raise SpecError(path, f"{kind.name} needs the argument {name!r}")
