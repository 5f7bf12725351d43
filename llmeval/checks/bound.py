"""A check with its arguments: alone, negated, or in a group.

Negation and groups stand here, once, so that no check has to know of them. Only a pass or a fail is
reversed; "not applicable" and errors stay unchanged.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from llmeval.checks.argument_models import validated
from llmeval.checks.base import CheckType, Result, not_applicable
from llmeval.checks.composed import composed_answer, composed_case, raw_spans
from llmeval.checks.needs import NEEDS
from llmeval.core.errors import CheckError
from llmeval.core.records import Answer, Case, digest

Render = Callable[[Any], Any]
"""Renders the templates in an argument for the case at hand."""


class AwaitsAnswer(Exception):
    """An argument uses the data of the answer, so it can't be tried on the case alone."""


class BoundCheck(ABC):
    """A check as a suite uses it."""

    metric: str
    """The name that its score carries."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of all its scores: `metric`, and `metric.name` for each further one."""
        return (self.metric,)

    @property
    def source(self) -> str | None:
        """The digest of the source of the suite's own functions in it; None without one."""
        return None

    @property
    def waits(self) -> bool:
        """Whether it may wait for something, such as a call."""
        return False

    @property
    @abstractmethod
    def identity(self) -> Mapping[str, Any]:
        """What is checked, as JSON: part of a run's digests."""

    @abstractmethod
    def applies(self, case: Case) -> bool:
        """Whether the case has the data that the check needs; no answer is looked at."""

    @abstractmethod
    def prepare(self, case: Case, render: Render) -> None:
        """Try the arguments on a case.

        Raises:
            ValueError: one is not valid for this case.
            LlmevalError: a template uses what the case does not have.
        """

    @abstractmethod
    def evaluate(self, case: Case, answer: Answer, render: Render) -> Result:
        """What the check says.

        Raises:
            CheckError: an argument is not valid for this case. Anything else: the check crashed.
        """


@dataclass(frozen=True)
class SingleCheck(BoundCheck):
    """A single check with its arguments."""

    metric: str
    kind: CheckType
    arguments: Mapping[str, Any]
    """As the suite writes them; some may be templates."""
    static: Mapping[str, Any] | None
    """The validated arguments; None where one of them is a template."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """See `BoundCheck.metrics`."""
        names = self.kind.metrics(self.arguments) if self.kind.metrics is not None else ()
        return (self.metric, *(f"{self.metric}.{name}" for name in names))

    @property
    def source(self) -> str | None:
        """See `BoundCheck.source`."""
        return self.kind.source

    @property
    def waits(self) -> bool:
        """See `BoundCheck.waits`."""
        return self.kind.waits

    @property
    def identity(self) -> Mapping[str, Any]:
        """Name, version and arguments as written; for an own check the digest of its source, for
        another one the form of the text that it reads.
        """
        identity = {
            "check": self.kind.name,
            "version": self.kind.version,
            "arguments": dict(self.arguments),
        }
        if self.kind.source is not None:
            identity["source"] = self.kind.source
        return identity if self.kind.raw else {**identity, "text": "NFC"}

    def applies(self, case: Case) -> bool:
        """See `BoundCheck.applies`."""
        needs = NEEDS.get(self.kind.name)
        return needs is None or needs.met(case, self.arguments)

    def prepare(self, case: Case, render: Render) -> None:
        """See `BoundCheck.prepare`."""
        if self.static is not None:
            return
        try:
            arguments = render(self.arguments)
        except AwaitsAnswer:
            return
        validated(self.kind, arguments)

    def evaluate(self, case: Case, answer: Answer, render: Render) -> Result:
        """See `BoundCheck.evaluate`."""
        arguments = self.static
        if arguments is None:
            try:
                arguments = validated(self.kind, render(self.arguments))
            except ValueError as error:
                raise CheckError(_named(self.metric, str(error))) from None
        if self.kind.raw:
            return self._called(case, answer, arguments)
        read = composed_answer(answer)
        result = self._called(composed_case(case), read, arguments)
        return result if read is answer else _in_raw_text(result, answer.text)

    def _called(self, case: Case, answer: Answer, arguments: Mapping[str, object]) -> Result:
        result = self.kind.function(case, answer, **arguments)
        if not isinstance(result, Result):
            raise CheckError(
                f"{self.metric}: the check returned {type(result).__name__}, not a Result"
            )
        declared = self.metrics[1:]
        returned = {f"{self.metric}.{name}": part for name, part in result.metrics.items()}
        if declared and result.passed is not None and set(declared) != set(returned):
            raise CheckError(
                f"{self.metric}: the check declares the metrics {', '.join(declared)} and returned"
                f" {', '.join(returned) or 'none'}"
            )
        for name, part in {self.metric: result, **returned}.items():
            _check_value(name, part.value)
        return result


def _named(metric: str, message: str) -> str:
    """The message with the name of the check in front, once."""
    return message if message.startswith(f"{metric}: ") else f"{metric}: {message}"


def _check_value(metric: str, value: float | None) -> None:
    if value is not None and not 0 <= value <= 1:
        raise CheckError(f"{metric}: the check returned the value {value}, outside [0, 1]")


def _in_raw_text(result: Result, text: str) -> Result:
    """The result with its evidence as places in `text`, whose letters are not composed."""
    parts = {name: _in_raw_text(part, text) for name, part in result.metrics.items()}
    return replace(result, evidence=raw_spans(text, result.evidence), metrics=parts)


@dataclass(frozen=True)
class NegatedCheck(BoundCheck):
    """The opposite of a check."""

    metric: str
    inner: BoundCheck

    @property
    def source(self) -> str | None:
        """See `BoundCheck.source`."""
        return self.inner.source

    @property
    def waits(self) -> bool:
        """See `BoundCheck.waits`."""
        return self.inner.waits

    @property
    def identity(self) -> Mapping[str, Any]:
        """The negated check's identity."""
        return {"not": self.inner.identity}

    def applies(self, case: Case) -> bool:
        """See `BoundCheck.applies`."""
        return self.inner.applies(case)

    def prepare(self, case: Case, render: Render) -> None:
        """See `BoundCheck.prepare`."""
        self.inner.prepare(case, render)

    def evaluate(self, case: Case, answer: Answer, render: Render) -> Result:
        """See `BoundCheck.evaluate`."""
        result = self.inner.evaluate(case, answer, render)
        if result.passed is None or result.value is None:
            return replace(result, metrics={})
        outcome = "passes, but must not" if result.passed else "fails, as it must"
        return replace(
            result,
            value=1 - result.value,
            passed=not result.passed,
            reason=f"{outcome}: {result.reason}" if result.reason else outcome,
            evidence=result.evidence if result.passed else (),
            metrics={},
        )


@dataclass(frozen=True)
class CheckGroup(BoundCheck):
    """At least `k` of several checks.

    Members that are not applicable are left out; an error of a member is an error of the group.
    """

    metric: str
    word: str
    """`any`, `all` or `at_least`."""
    k: int
    members: tuple[BoundCheck, ...]

    @property
    def source(self) -> str | None:
        """See `BoundCheck.source`."""
        sources = [member.source for member in self.members if member.source is not None]
        return digest(sources) if sources else None

    @property
    def waits(self) -> bool:
        """See `BoundCheck.waits`."""
        return any(member.waits for member in self.members)

    @property
    def identity(self) -> Mapping[str, Any]:
        """How many of which checks."""
        return {"at_least": self.k, "of": [member.identity for member in self.members]}

    def applies(self, case: Case) -> bool:
        """See `BoundCheck.applies`."""
        return any(member.applies(case) for member in self.members)

    def prepare(self, case: Case, render: Render) -> None:
        """See `BoundCheck.prepare`."""
        for member in self.members:
            member.prepare(case, render)

    def evaluate(self, case: Case, answer: Answer, render: Render) -> Result:
        """See `BoundCheck.evaluate`."""
        results = [(member, member.evaluate(case, answer, render)) for member in self.members]
        decided = [(member, result) for member, result in results if result.passed is not None]
        if not decided:
            return not_applicable("none of the group's checks applies to this case")
        needed = len(decided) if self.word == "all" else self.k
        passing = sum(1 for _, result in decided if result.passed)
        failed = [(member, result) for member, result in decided if not result.passed]
        reasons = "; ".join(f"{m.metric}: {r.reason or 'failed'}" for m, r in failed)
        return Result(
            value=min(1.0, passing / needed),
            passed=passing >= needed,
            reason=f"{passing} of {len(decided)} checks pass, {needed} needed"
            + (f" ({reasons})" if reasons else ""),
            evidence=tuple(span for _, result in failed for span in result.evidence),
            details={
                "checks": {m.metric: {"passed": r.passed, "reason": r.reason} for m, r in decided}
            },
        )
