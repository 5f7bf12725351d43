"""The candidate as its suite describes it, before it answers: the data that it will return, and the
fields of the case that its requests use.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from llmeval.checks.bound import AwaitsAnswer, BoundCheck, CheckGroup, NegatedCheck, SingleCheck
from llmeval.checks.turns import TurnCheck
from llmeval.core.conversation import TRANSCRIPT, TURNS
from llmeval.core.errors import SuiteError
from llmeval.core.records import Case
from llmeval.core.templates import DATA, members_in, render_value, variables_in
from llmeval.runner.script import Script
from llmeval.suite.loader import Suite
from llmeval.suite.model_schema import (
    BaseModelSpec,
    HttpSpec,
    PythonSpec,
    ReplaySpec,
    TransformersSpec,
)

_WHOLE_REPLY = ("", "$")
_READ_TEXT = ("facts", "grounding")
"""Checks that would treat the keys and other parts of a whole reply as the answer's text."""


@dataclass(frozen=True)
class Application:
    """A candidate's specification; None if only its recorded answers exist."""

    spec: BaseModelSpec | None
    script: Script | None = None
    """The conversation that the suite plays; None where each case is a single prompt."""

    @property
    def data(self) -> frozenset[str] | None:
        """Names of the data in each of its answers; None if only the answer shows them."""
        if isinstance(self.spec, HttpSpec | PythonSpec) and self.spec.data is not None:
            return frozenset(self.spec.data)
        fixed = self.spec is not None and not isinstance(self.spec, PythonSpec | ReplaySpec)
        return frozenset() if fixed else None

    def render(self, value: object, values: Mapping[str, object], metric: str) -> object:
        """A check's arguments, rendered for a case.

        Raises:
            AwaitsAnswer: they use the data of the answer.
            SuiteError: they use a name that neither the case nor the answer will have.
        """
        names = variables_in(value)
        if used := sorted(names & {TRANSCRIPT, TURNS} - values.keys()):
            self._refuse_single(f"{metric}: `{used[0]}` is a conversation, and")
            raise AwaitsAnswer
        if self.script is not None and (clash := sorted({TRANSCRIPT, TURNS} & names)):
            raise SuiteError(
                f"{metric}: the case has a field `{clash[0]}`, and so has a conversation; give the"
                " field another name (`cases.map`)"
            )
        if DATA not in names:
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

    def _refuse_single(self, what: str) -> None:
        """Refuse what needs a conversation where the suite plays none. Raises SuiteError."""
        if self.script is None and not isinstance(self.spec, ReplaySpec | None):
            raise SuiteError(f"{what} the suite plays none; name its messages under `turns`")

    def problem_of_until(self) -> str | None:
        """Why `until` can't be evaluated with the data that the candidate gives; None where it
        can.
        """
        until = None if self.script is None else self.script.until
        if until is None or self.data is None:
            return None
        unknown = sorted(members_in(until, DATA) - self.data)
        if not unknown:
            return None
        return (
            f"the candidate gives no `{DATA}.{unknown[0]}`; name it with"
            f" `data: {{{unknown[0]}: path}}` on the model"
        )

    def try_images(self, case: Case) -> None:
        """Refuse images for a candidate that gets texts only. Raises SuiteError."""
        spec = self.spec
        if not isinstance(spec, HttpSpec | TransformersSpec):
            return
        if not any(message.parts for message in case.messages):
            return
        provider = spec.provider
        raise SuiteError(
            f"{case.source}: messages: an image can't be sent to a candidate of the provider"
            f" `{provider}`. Use `openai` or `python`"
            + ("; or put the image's address into a field" if provider == "http" else "")
        )

    def try_turns(self, check: BoundCheck, case: Case) -> None:
        """Refuse a check of a turn that the conversation of a case does not have. Raises
        SuiteError.
        """
        for one in _single(check):
            if not isinstance(one, TurnCheck):
                continue
            self._refuse_single(f"{one.metric}: `turn` names a turn of a conversation, and")
            most = None if self.script is None else self.script.most_turns(case)
            if most is not None and isinstance(one.turn, int) and one.turn > most:
                raise SuiteError(
                    f"{one.metric}: turn {one.turn} is never played: the conversation has at most"
                    f" {most}"
                )

    def try_body(self, case: Case, values: Mapping[str, object]) -> None:
        """Refuse a body that uses a field which the case does not have. Raises SuiteError."""
        if not isinstance(self.spec, HttpSpec):
            return
        names = variables_in(self.spec.body)
        own: dict[str, object] = {
            "prompt": "",
            "messages": [],
            "params": {},
            "run": {"unique": ""},
            "turn": 1,
        }
        if self.spec.session:
            own["session"] = dict.fromkeys(self.spec.session)
        if "session" in names and not ("session" in values and not self.spec.session):
            self._try_session(self.spec)
        if names - own.keys() <= values.keys():
            return
        try:
            render_value(self.spec.body, {**values, **own}, "body")
        except SuiteError as error:
            raise SuiteError(f"{case.source}: {error}") from None

    def _try_session(self, spec: HttpSpec) -> None:
        """Refuse a name of `session` that no path gives. Raises SuiteError."""
        unknown = sorted(members_in(spec.body, "session") - spec.session.keys())
        if unknown or not spec.session:
            name = unknown[0] if unknown else "id"
            raise SuiteError(
                f"body: there is no `session.{name}`; name the path in the reply with"
                f" `session: {{{name}: path}}` on the model"
            )

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
        for one in _single(check):
            if isinstance(one, SingleCheck):
                yield one.kind.name


def _single(check: BoundCheck) -> Iterator[BoundCheck]:
    """The check and those in it."""
    yield check
    if isinstance(check, NegatedCheck | TurnCheck):
        yield from _single(check.inner)
    elif isinstance(check, CheckGroup):
        for member in check.members:
            yield from _single(member)
