"""The candidate as its suite describes it, before it answers: the data that it will return, and the
fields of the case that its requests use.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llmeval.checks.bound import AwaitsAnswer, BoundCheck, CheckGroup, NegatedCheck, SingleCheck
from llmeval.core.errors import SuiteError
from llmeval.core.records import Case
from llmeval.core.templates import DATA, members_in, render_value, variables_in
from llmeval.models.http import OWN_NAMES
from llmeval.suite.loader import Suite
from llmeval.suite.model_schema import BaseModelSpec, HttpSpec, PythonSpec, ReplaySpec

_WHOLE_REPLY = ("", "$")
_READ_TEXT = ("facts", "grounding")
"""Checks that would treat the keys and other parts of a whole reply as the answer's text."""


@dataclass(frozen=True)
class Application:
    """A candidate's specification; None if only its recorded answers exist."""

    spec: BaseModelSpec | None

    @property
    def data(self) -> frozenset[str] | None:
        """Names of the data in each of its answers; None if only the answer shows them."""
        if isinstance(self.spec, HttpSpec | PythonSpec) and self.spec.data is not None:
            return frozenset(self.spec.data)
        known = self.spec is not None and not isinstance(self.spec, PythonSpec | ReplaySpec)
        return frozenset() if known else None

    def render(self, value: Any, values: Mapping[str, Any], metric: str) -> Any:
        """A check's arguments, rendered for a case.

        Raises:
            AwaitsAnswer: they use the data of the answer.
            SuiteError: they use a name that neither the case nor the answer will have.
        """
        if DATA not in variables_in(value):
            return render_value(value, values, metric)
        if DATA in values and self.data:
            raise SuiteError(
                f"{metric}: the case has a field `{DATA}`, and the candidate gives data too; give"
                " the field another name (`cases.map`)"
            )
        if DATA in values:
            return render_value(value, values, metric)
        if self.data is not None and not self.data:
            raise SuiteError(
                f"{metric}: `{DATA}` is what an application returns next to its text, and this"
                " candidate returns none; name it with `data: {name: path}` on the model"
            )
        unknown = sorted(members_in(value, DATA) - self.data) if self.data is not None else []
        if unknown:
            raise SuiteError(
                f"{metric}: the candidate gives no `{DATA}.{unknown[0]}`; its data are:"
                f" {', '.join(sorted(self.data or ()))}"
            )
        raise AwaitsAnswer

    def try_body(self, case: Case, values: Mapping[str, Any]) -> None:
        """Refuse a body that uses a field which the case does not have. Raises SuiteError."""
        if not isinstance(self.spec, HttpSpec):
            return
        names = variables_in(self.spec.body)
        if names - OWN_NAMES <= values.keys():
            return
        own = {"prompt": "", "messages": [], "params": {}, "run": {"unique": ""}}
        try:
            render_value(self.spec.body, {**values, **own}, "body")
        except SuiteError as error:
            raise SuiteError(f"{case.source}: {error}") from None

    def problem(self, checks: Sequence[BoundCheck]) -> str | None:
        """Why the candidate's `output` is wrong for these checks; None if it is right."""
        if not isinstance(self.spec, HttpSpec) or self.spec.output.strip() not in _WHOLE_REPLY:
            return None
        name = next((name for name in _names(checks) if name in _READ_TEXT), None)
        if name is None:
            return None
        return (
            f"the whole reply is the answer, and {name} would read its keys and every other part as"
            " text; name the path of the text, such as `output: answer`, and keep other parts with"
            " `data: {name: path}`"
        )


def stated_application(suite: Suite) -> Application:
    """The candidate that a suite names.

    Raises:
        SuiteError: no model has this name.
    """
    candidate = suite.spec.candidate
    if not isinstance(candidate, str):
        return Application(candidate)
    suite.model_exists(candidate, ("candidate",))
    return Application(suite.spec.models[candidate])


def _names(checks: Sequence[BoundCheck]) -> Iterator[str]:
    """Names of the checks, also of those in groups."""
    for check in checks:
        if isinstance(check, SingleCheck):
            yield check.kind.name
        elif isinstance(check, NegatedCheck):
            yield from _names([check.inner])
        elif isinstance(check, CheckGroup):
            yield from _names(check.members)
