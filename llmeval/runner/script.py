"""The conversation that a suite describes: what the user says, and when it ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llmeval.core.conversation import conversation_values
from llmeval.core.errors import SuiteError
from llmeval.core.records import AnswerTurn, Case, Ended
from llmeval.core.templates import Template, case_values, render_value, variables_in
from llmeval.suite.conversation_schema import DEFAULT_TURNS
from llmeval.suite.loader import Suite

KEPT_GOAL = "user.kept_goal"
"""The metric that says whether the simulated user kept to its goal."""
_SEEN = frozenset({"output", "data", "tool_calls", "turn", "turns", "transcript"})
"""Names of the conversation that `until` sees."""


@dataclass(frozen=True)
class Script:
    """The turns of a suite, and what ends them."""

    templates: tuple[Template, ...]
    """What the user says, where the suite lists it."""
    listed: str | None
    """An expression that gives the list, where the suite has one instead."""
    until: str | None
    most: int | None
    """The suite's `max_turns`."""
    where: Mapping[str, str]
    """By key, file, line and key, for messages."""
    user: Mapping[str, Template] = field(default_factory=dict)
    """Templates of the simulated user, by key; none without one."""

    @property
    def written(self) -> tuple[Template, ...]:
        """Every template over the case."""
        return (*self.templates, *self.user.values())

    @property
    def identity(self) -> dict[str, Any]:
        """What the user says and what ends it, as JSON: part of a run's digests."""
        turns = self.listed or [template.source for template in self.templates]
        return {"turns": turns, "until": self.until, "max_turns": self.most}

    @property
    def variables(self) -> frozenset[str]:
        """Names that the messages take from the case."""
        names = [template.variables for template in self.written]
        return variables_in(self.listed or "").union(*names)

    def texts(self, case: Case) -> tuple[str, ...]:
        """What the user says to one case.

        Raises:
            SuiteError: a template uses what the case does not have, a message is empty, or there
                are more than `max_turns`.
        """
        values = case_values(case)
        texts = tuple(template.render(values) for template in self.templates)
        if self.listed is not None:
            texts = self._listed(self.listed, values)
        blank = next((number for number, text in enumerate(texts, 1) if not text.strip()), None)
        if blank is not None:
            raise SuiteError(f"{self.where['turns']}: the message of turn {blank} is empty")
        if self.most is not None and len(texts) > self.most:
            raise SuiteError(
                f"{self.where['max_turns']}: the case has {len(texts)} turns, and {self.most} would"
                " be sent"
            )
        return texts

    def most_turns(self, case: Case) -> int:
        """How many turns a case has at most. Raises SuiteError."""
        return (self.most or DEFAULT_TURNS) if self.user else len(self.texts(case))

    def _listed(self, expression: str, values: Mapping[str, Any]) -> tuple[str, ...]:
        where = self.where["turns"]
        texts = render_value(expression, values, where)
        if not isinstance(texts, list | tuple) or not texts:
            raise SuiteError(f"{where}: {expression} is not a list of texts with at least one")
        wrong = next((text for text in texts if not isinstance(text, str)), None)
        if wrong is not None:
            raise SuiteError(f"{where}: {expression} contains {type(wrong).__name__}, not a text")
        return tuple(texts)

    def ended(self, case: Case, turns: Sequence[AnswerTurn], planned: int) -> Ended | None:
        """How the conversation ended after its last turn; None where it goes on.

        Args:
            case: the case.
            turns: those that were played.
            planned: how many messages the suite has for the case.

        Raises:
            SuiteError: `until` can't be evaluated, or is neither true nor false.
        """
        if self._is_over(case, turns):
            return "until"
        last = turns[-1]
        if not (last.output or "").strip() and not last.tool_calls:
            return "empty"
        if self.user:
            return "max_turns" if len(turns) >= (self.most or DEFAULT_TURNS) else None
        return "turns" if len(turns) >= planned else None

    def _is_over(self, case: Case, turns: Sequence[AnswerTurn]) -> bool:
        """Whether `until` is true."""
        if self.until is None:
            return False
        last = turns[-1]
        values = {
            **case_values(case),
            **conversation_values(turns),
            "output": last.output or "",
            "data": last.data or {},
            "tool_calls": list(last.tool_calls),
            "turn": len(turns),
        }
        value = render_value(self.until, values, self.where["until"])
        if value is None or isinstance(value, bool):
            return bool(value)
        raise SuiteError(
            f"{self.where['until']}: {self.until} is {type(value).__name__}, neither true nor false"
        )

    def check(self, case: Case) -> None:
        """Try the templates on a case. Raises SuiteError, which names the case's file and line."""
        try:
            self._try(case)
        except SuiteError as error:
            raise SuiteError(f"{case.source}: {error}") from None

    def _try(self, case: Case) -> None:
        if case.messages and case.messages[-1].role == "user":
            raise SuiteError(
                "messages: they precede `turns`, so they end with a system or assistant message"
            )
        values = case_values(case)
        self.texts(case)
        for key, template in self.user.items():
            if not template.render(values).strip() and key == "goal":
                raise SuiteError(f"{self.where['user']}: the goal is empty")
        unknown = variables_in(self.until or "") - _SEEN - values.keys()
        if unknown:
            raise SuiteError(
                f"{self.where['until']}: `{min(unknown)}` is neither a field of the case nor one of"
                f" {', '.join(sorted(_SEEN))}"
            )


def _user_exists(suite: Suite) -> None:
    """Refuse a simulated user whose models the suite does not have. Raises SuiteError."""
    user = suite.spec.user
    for key in () if user is None else ("model", "judge"):
        reference = getattr(user, key)
        if isinstance(reference, str):
            suite.model_exists(reference, ("user", key))


def script_of(suite: Suite) -> Script | None:
    """The conversation of a suite; None where each case is a single prompt.

    Raises:
        SuiteError: a template is not valid, or `until` is not one expression.
    """
    spec = suite.spec
    if spec.turns is None and spec.user is None:
        return None
    _user_exists(suite)
    listed = spec.turns if isinstance(spec.turns, str) else None
    where = {key: str(suite.error((key,), "")).removesuffix(": ") for key in (*_KEYS, "user")}
    for key, text in (("turns", listed), ("until", spec.until)):
        if text is not None and not _is_expression(text):
            raise suite.error(
                (key,), f"{text!r} is not one expression; write it like `{_KEYS[key]}`"
            )
        try:
            variables_in(text)
        except SuiteError as error:
            raise suite.error((key,), str(error)) from None
    templates = spec.turns if isinstance(spec.turns, list) else ()
    return Script(
        templates=tuple(
            suite.template(text, ("turns", number)) for number, text in enumerate(templates)
        ),
        listed=listed,
        until=spec.until,
        most=spec.max_turns,
        where=where,
        user=user_templates(suite),
    )


def user_templates(suite: Suite) -> dict[str, Template]:
    """The templates of the simulated user, by key; none without one. Raises SuiteError."""
    spec = suite.spec.user
    if spec is None:
        return {}
    texts = {"goal": spec.goal, "persona": spec.persona, "stop": spec.stop}
    return {key: suite.template(text, ("user", key)) for key, text in texts.items()}


_KEYS = {"turns": "{{ questions }}", "until": "{{ 'bye' in output }}", "max_turns": ""}


def _is_expression(text: str) -> bool:
    return text.strip().startswith("{{") and text.strip().endswith("}}") and text.count("{{") == 1
