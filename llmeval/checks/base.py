"""What a check is: a pure function of (case, answer), found by name in one closed registry.

A check is written as a plain function whose keyword-only parameters are its arguments:

    @check(group="counts")
    def max_words(case: Case, answer: Answer, *, max: int) -> Result:
        '''At most `max` words.'''

The parameters' annotations are the schema of the suite file: they are validated by pydantic when
the suite is loaded (use `Annotated[..., AfterValidator(f)]` where a type is not enough, e.g. "a
pattern RE2 compiles"), and documented by `llmeval checks show`. `name: argument` in a suite is the
first keyword-only parameter.

A check returns a `Result`; it never decides anything by raising. What it raises (`CheckError` on
purpose, anything else by accident) is recorded as an error of that check, never as a grade.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from llmeval.core.records import Span


@dataclass(frozen=True, slots=True)
class Result:
    """What a check says. `value` in [0, 1]; both None = not applicable to this case.

    `confidence`: calibrated P(verdict is right) in [0.5, 1], or None. `evidence`: places in the
    answer's text.
    """

    value: float | None
    passed: bool | None
    reason: str = ""
    evidence: tuple[Span, ...] = ()
    confidence: float | None = None
    details: Mapping[str, Any] | None = None
    metrics: Mapping[str, "Result"] = field(default_factory=dict)
    """Further results, which a run records as `check.name`, for example
    `retrieval.recall`. A check type declares their names (`CheckType.metrics`)."""


def verdict(passed: bool, reason: str = "", *evidence: Span, **more: Any) -> Result:
    """A yes/no result: value 1.0 or 0.0."""
    return Result(1.0 if passed else 0.0, passed, reason, evidence, **more)


def graded(value: float, passed: bool, reason: str = "", *evidence: Span, **more: Any) -> Result:
    """A result with a degree: `value` in [0, 1] and whether that is good enough."""
    return Result(value, passed, reason, evidence, **more)


def not_applicable(reason: str) -> Result:
    """The check has nothing to say about this case (no reference, a language it does not
    know...).
    """
    return Result(None, None, reason)


CheckFunction = Callable[..., Result]
MetricNames = Callable[[Mapping[str, Any]], Sequence[str]]
"""From arguments as a suite writes them (some may be templates), the names of `Result.metrics`."""


@dataclass(frozen=True)
class CheckType:
    """One entry of the registry."""

    name: str
    function: CheckFunction
    group: str
    version: int = 1
    raw: bool = False
    """Whether the check gets the text as it came, byte for byte; else its letters are composed
    (`composed.py`).
    """
    metrics: MetricNames | None = None
    """Which further metrics the check gives; None: none, or none whose names are certain before the
    run."""
    source: str | None = None
    """Of a check from a suite's own module, the digest of its source."""
    waits: bool = False
    """Whether the check is a coroutine function, which may wait for something."""

    @cached_property
    def parameters(self) -> dict[str, inspect.Parameter]:
        """The arguments a suite may give, in order."""
        signature = inspect.signature(self.function)
        return {
            n: p
            for n, p in signature.parameters.items()
            if p.kind is inspect.Parameter.KEYWORD_ONLY
        }

    @property
    def summary(self) -> str:
        """The first paragraph of the docstring, on one line."""
        return " ".join((inspect.getdoc(self.function) or "").split("\n\n", 1)[0].split())


_REGISTRY: dict[str, CheckType] = {}


def check(
    *,
    group: str,
    name: str | None = None,
    version: int = 1,
    raw: bool = False,
    metrics: MetricNames | None = None,
) -> Callable[[CheckFunction], CheckFunction]:
    """Register a function as the check `name` (default: the function's own name). Raise `version`
    whenever the same answer may now get another result: it is part of a run's identity. `raw` and
    `metrics`: see `CheckType`.

    Raises:
        ValueError: when the name is taken.
    """

    def register(function: CheckFunction) -> CheckFunction:
        key = name or function.__name__
        if key in _REGISTRY:
            raise ValueError(f"check {key!r} is registered twice")
        _REGISTRY[key] = CheckType(key, function, group, version, raw, metrics)
        return function

    return register
