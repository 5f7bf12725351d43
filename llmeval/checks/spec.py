"""Checks as suites write them, bound to the registry and ready to run.

    name | name: argument | name: {option: ...} | module:function | module:function: {...}
    not: <check> | any: [<check>, ...] | all: [...] | at_least: {k: 2, of: [...]}

Every check takes `metric:` among its options, the name it is reported under. Negation and groups stand here, once, so
that no check has to know of them: only a pass or a fail is turned round; "not applicable" and errors stay what they
are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from llmeval.checks.base import CheckType, Result, not_applicable
from llmeval.checks.composed import compose, composed_answer, composed_case, raw_spans
from llmeval.checks.needs import NEEDS
from llmeval.checks.registry import all_checks, find
from llmeval.core.errors import CheckError
from llmeval.core.records import Answer, Case

Render = Callable[[Any], Any]
"""Renders the templates in an argument for the case at hand."""
Loader = Callable[[str], Callable[..., Any]]
"""Imports `module:function`."""
Path = tuple[str | int, ...]

_GROUPS = ("any", "all", "at_least")


class SpecError(ValueError):
    """A check is written wrongly. `path`: where, below the list of checks."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path


class Bound:
    """One check as a suite asks for it. `metric`: the name its scores carry."""

    metric: str

    @property
    def identity(self) -> Mapping[str, Any]:
        """What is checked, as JSON: part of a run's digests."""
        raise NotImplementedError

    def applies(self, case: Case) -> bool:
        """Whether the case has the data that the check needs; no answer is looked at."""
        raise NotImplementedError

    def prepare(self, case: Case, render: Render) -> None:
        """Try the arguments on a case.

        Raises:
            ValueError: one is not valid for this case.
            LlmevalError: a template uses what the case does not have.
        """
        raise NotImplementedError

    def evaluate(self, case: Case, answer: Answer, render: Render) -> Result:
        """What the check says.

        Raises:
            CheckError: an argument is not valid for this case. Anything else: the check crashed.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class One(Bound):
    """A single check with its arguments. `static`: already validated, as no argument is a template."""

    metric: str
    kind: CheckType
    arguments: Mapping[str, Any]
    static: Mapping[str, Any] | None

    @property
    def identity(self) -> Mapping[str, Any]:
        """Name, version and arguments as written, and the form of the text that the check reads."""
        known = {"check": self.kind.name, "version": self.kind.version, "arguments": dict(self.arguments)}
        return known if self.kind.raw else {**known, "text": "NFC"}

    def applies(self, case: Case) -> bool:
        """See `Bound.applies`."""
        needs = NEEDS.get(self.kind.name)
        return needs is None or needs.met(case, self.arguments)

    def prepare(self, case: Case, render: Render) -> None:
        """See `Bound.prepare`."""
        if self.static is None:
            _validated(self.kind, render(self.arguments))

    def evaluate(self, case: Case, answer: Answer, render: Render) -> Result:
        """See `Bound.evaluate`."""
        arguments = self.static
        if arguments is None:
            try:
                arguments = _validated(self.kind, render(self.arguments))
            except ValueError as error:
                raise CheckError(f"{self.metric}: {error}") from None
        if self.kind.raw:
            return self._called(case, answer, arguments)
        read = composed_answer(answer)
        result = self._called(composed_case(case), read, arguments)
        if read is answer or not result.evidence:
            return result
        return replace(result, evidence=raw_spans(answer.text, result.evidence))

    def _called(self, case: Case, answer: Answer, arguments: Mapping[str, Any]) -> Result:
        result = self.kind.function(case, answer, **arguments)
        if not isinstance(result, Result):
            raise CheckError(f"{self.metric}: the check returned {type(result).__name__}, not a Result")
        if result.value is not None and not 0 <= result.value <= 1:
            raise CheckError(f"{self.metric}: the check returned the value {result.value}, outside [0, 1]")
        return result


@dataclass(frozen=True)
class Not(Bound):
    """The opposite of a check."""

    metric: str
    inner: Bound

    @property
    def identity(self) -> Mapping[str, Any]:
        """The negated check's identity."""
        return {"not": self.inner.identity}

    def applies(self, case: Case) -> bool:
        """See `Bound.applies`."""
        return self.inner.applies(case)

    def prepare(self, case: Case, render: Render) -> None:
        """See `Bound.prepare`."""
        self.inner.prepare(case, render)

    def evaluate(self, case: Case, answer: Answer, render: Render) -> Result:
        """See `Bound.evaluate`."""
        result = self.inner.evaluate(case, answer, render)
        if result.passed is None or result.value is None:
            return result
        return replace(
            result,
            value=1 - result.value,
            passed=not result.passed,
            reason=f"must not hold: {result.reason}" if result.reason else "negated",
            evidence=result.evidence if result.passed else (),
        )


@dataclass(frozen=True)
class Group(Bound):
    """At least `k` of several checks. Members that are not applicable are left out; a member's error is the group's."""

    metric: str
    word: str
    k: int
    members: tuple[Bound, ...]

    @property
    def identity(self) -> Mapping[str, Any]:
        """How many of which checks."""
        return {"at_least": self.k, "of": [member.identity for member in self.members]}

    def applies(self, case: Case) -> bool:
        """See `Bound.applies`."""
        return any(member.applies(case) for member in self.members)

    def prepare(self, case: Case, render: Render) -> None:
        """See `Bound.prepare`."""
        for member in self.members:
            member.prepare(case, render)

    def evaluate(self, case: Case, answer: Answer, render: Render) -> Result:
        """See `Bound.evaluate`."""
        results = [(member, member.evaluate(case, answer, render)) for member in self.members]
        known = [(member, result) for member, result in results if result.passed is not None]
        if not known:
            return not_applicable("none of the group's checks applies to this case")
        needed = len(known) if self.word == "all" else self.k
        passing = sum(1 for _, result in known if result.passed)
        failed = "; ".join(f"{m.metric}: {r.reason or 'failed'}" for m, r in known if not r.passed)
        return Result(
            value=min(1.0, passing / needed),
            passed=passing >= needed,
            reason=f"{passing} of {len(known)} hold, {needed} needed" + (f" ({failed})" if failed else ""),
            evidence=tuple(span for _, result in known if not result.passed for span in result.evidence),
            details={"checks": {m.metric: {"passed": r.passed, "reason": r.reason} for m, r in known}},
        )


def bind(
    raw: Sequence[Any], *, is_template: Callable[[Any], bool] = lambda value: False, load: Loader | None = None
) -> tuple[Bound, ...]:
    """The checks of a suite or a case, each under a metric name of its own (a second `contains` is `contains#2`).

    Args:
        raw: checks as written.
        is_template: whether an argument has to be rendered for each case; others are validated here, once.
        load: imports `module:function`; None refuses such checks.

    Raises:
        SpecError: unknown check, bad argument, malformed group; `path` says where.
    """
    return _unique([_bind(item, (index,), is_template, load) for index, item in enumerate(raw)])


def merge(suite: Sequence[Bound], case: Sequence[Bound]) -> tuple[Bound, ...]:
    """A suite's checks and one case's own, with names kept apart."""
    return _unique([*suite, *case]) if case else tuple(suite)


def _unique(bound: Sequence[Bound]) -> tuple[Bound, ...]:
    seen: dict[str, int] = {}
    result = []
    for item in bound:
        base = item.metric.partition("#")[0]
        seen[base] = seen.get(base, 0) + 1
        metric = base if seen[base] == 1 else f"{base}#{seen[base]}"
        result.append(item if metric == item.metric else replace(item, metric=metric))  # type: ignore[type-var]
    return tuple(result)


def arguments_schema() -> dict[str, Any]:
    """The JSON Schema of every check's arguments, by name."""
    return {name: _model(kind).model_json_schema() for name, kind in all_checks().items()}


def _bind(raw: Any, path: Path, is_template: Callable[[Any], bool], load: Loader | None) -> Bound:
    if isinstance(raw, str):
        return _one(raw, {}, path, is_template, load)
    if not isinstance(raw, dict) or not raw:
        raise SpecError(path, f"a check is `name`, `name: argument` or `name: {{options}}`; given: {raw!r}")
    if len(raw) > 1:
        names = ", ".join(repr(str(name)) for name in raw)
        raise SpecError(path, f"one list item is one check, this has {names}; start each with its own `-`")
    ((name, argument),) = raw.items()
    path = (*path, name)
    if name == "not":
        inner = _bind(argument, path, is_template, load)
        return Not(f"not {inner.metric}", inner)
    if name in _GROUPS:
        return _group(name, argument, path, is_template, load)
    return _one(name, argument, path, is_template, load)


def _group(word: str, argument: Any, path: Path, is_template: Callable[[Any], bool], load: Loader | None) -> Group:
    k, metric, items, below = 1, word, argument, path
    if isinstance(argument, dict):
        unknown = set(argument) - {"k", "of", "metric"}
        if unknown:
            raise SpecError(path, f"unknown key {min(unknown)!r}; known here: k, of, metric")
        items, below = argument.get("of"), (*path, "of")
        k, metric = argument.get("k", 1), str(argument.get("metric", word))
    if not isinstance(items, list) or not items:
        raise SpecError(path, f"`{word}` needs a list of checks")
    if not isinstance(k, int) or isinstance(k, bool) or not 1 <= k <= len(items):
        raise SpecError(path, f"k must be a whole number from 1 to {len(items)}, not {k!r}")
    members = [_bind(item, (*below, index), is_template, load) for index, item in enumerate(items)]
    return Group(metric, word, len(items) if word == "all" else k, _unique(members))


def _one(name: str, given: Any, path: Path, is_template: Callable[[Any], bool], load: Loader | None) -> One:
    try:
        own = ":" in name and not _registered(name)
        kind = CheckType(name, _loaded(name, load), "own", raw=True) if own else find(name)
    except ValueError as error:
        raise SpecError(path, str(error)) from None
    arguments, metric = _arguments(kind, given, path)
    static = None
    if not is_template(arguments):
        try:
            static = _validated(kind, arguments)
        except ValueError as error:
            raise SpecError(path, str(error)) from None
    else:
        _known_arguments(kind, arguments, path)
    return One(metric, kind, arguments, static)


def _registered(name: str) -> bool:
    try:
        find(name)
    except ValueError:
        return False
    return True


def _loaded(name: str, load: Loader | None) -> Callable[..., Any]:
    if load is None:
        raise ValueError(f"unknown check {name!r}")
    return load(name)


def _arguments(kind: CheckType, given: Any, path: Path) -> tuple[dict[str, Any], str]:
    metric = kind.name
    if isinstance(given, dict):
        arguments = dict(given)
        if "metric" in arguments and "metric" not in kind.parameters:
            metric = str(arguments.pop("metric"))
        return arguments, metric
    if given is None or given is True:
        return {}, metric
    first = next(iter(kind.parameters), None)
    if first is None:
        raise SpecError(path, f"{kind.name} takes no argument")
    return {first: given}, metric


@lru_cache(maxsize=512)
def _model(kind: CheckType) -> type[BaseModel]:
    """The check's keyword-only parameters as a pydantic model."""
    import inspect

    hints = inspect.get_annotations(kind.function, eval_str=True)
    fields: dict[str, Any] = {
        f"p_{name}": (hints.get(name, Any), ... if p.default is p.empty else p.default)
        for name, p in kind.parameters.items()
    }
    config = ConfigDict(
        extra="forbid", arbitrary_types_allowed=True, protected_namespaces=(), alias_generator=_unprefixed
    )
    return create_model(f"arguments of {kind.name}", __config__=config, **fields)


def _unprefixed(name: str) -> str:
    return name.removeprefix("p_")


def _validated(kind: CheckType, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as the check's own types.

    Raises:
        ValueError: one message with every argument that is wrong.
    """
    try:
        model = _model(kind).model_validate(dict(arguments) if kind.raw else compose(dict(arguments)))
    except ValidationError as error:
        raise ValueError("; ".join(_message(kind, item) for item in error.errors(include_url=False))) from None
    return {name: getattr(model, f"p_{name}") for name in kind.parameters}


def _known_arguments(kind: CheckType, arguments: Mapping[str, Any], path: Path) -> None:
    for name in arguments:
        if name not in kind.parameters:
            raise SpecError(path, _unknown(kind, name))
    for name, parameter in kind.parameters.items():
        if parameter.default is parameter.empty and name not in arguments:
            raise SpecError(path, f"{kind.name} needs the argument {name!r}")


def _unknown(kind: CheckType, name: str) -> str:
    known = ", ".join(kind.parameters) or "none"
    return f"{kind.name} has no argument {name!r}; it takes: {known}"


def _message(kind: CheckType, item: Any) -> str:
    where = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        return _unknown(kind, where)
    if item["type"] == "missing":
        return f"{kind.name} needs the argument {where!r}"
    text = item["msg"].removeprefix("Value error, ")
    return f"{kind.name}: {where}: {text[:1].lower()}{text[1:]} (given: {item['input']!r})"[:400]
