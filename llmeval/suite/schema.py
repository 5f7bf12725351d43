"""The suite file as types: cases, prompt, models, checks, judges and gate. docs/suite-reference.md
is generated from this module.

The schema is strict: an unknown key is an error that names the nearest valid key.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from llmeval.core.templates import is_expression
from llmeval.suite.approvals_schema import ApprovalsSpec
from llmeval.suite.cases_schema import CasesSpec
from llmeval.suite.conversation_schema import DEFAULT_TURNS, UserSpec
from llmeval.suite.gate_schema import GateSpec
from llmeval.suite.judge_schema import JudgeSpec
from llmeval.suite.model_schema import ModelSpec, Price
from llmeval.suite.monitor_schema import MonitorSpec
from llmeval.suite.strict import Name, Strict


class Turn(Strict):
    """One message of the prompt; `content` is a template."""

    role: Literal["system", "user", "assistant"]
    content: str


class MatrixSpec(Strict):
    """Several candidates and prompts: `llmeval run` runs the suite once for each combination."""

    candidate: list[str | ModelSpec] = Field(
        default=[],
        min_length=1,
        description="Names from `models`, or models in place. By default the suite's candidate.",
    )
    prompt: list[str] = Field(
        default=[],
        min_length=1,
        description="Templates, or paths of templates. By default the suite's prompt.",
    )

    @model_validator(mode="after")
    def _not_empty(self) -> "MatrixSpec":
        if not self.candidate and not self.prompt:
            raise PydanticCustomError(
                "matrix", "a matrix lists candidates or prompts: `matrix: {candidate: [a, b]}`"
            )
        return self


class Environment(Strict):
    """The keys that may differ between environments. The run records the difference."""

    candidate: str | ModelSpec | None = None
    models: dict[Name, ModelSpec] | None = None
    judges: dict[Name, JudgeSpec] | None = None
    cases: CasesSpec | None = None
    repeats: int | None = Field(default=None, gt=0)
    allow_self_judge: bool | None = None


def _conversation(problem: str) -> PydanticCustomError:
    return PydanticCustomError("conversation", "{why}", {"why": problem})


def _one_expression(text: str) -> str:
    """A template that keeps the type of its value."""
    if not is_expression(text):
        raise PydanticCustomError(
            "measure", "a number is one expression, such as `{{ data.steps }}`"
        )
    return text


Measured = Annotated[str, AfterValidator(_one_expression)]


def _not_measured_here(name: str) -> str:
    """A name for a number. The seconds of an answer are measured by llmeval alone."""
    if name == "latency":
        raise PydanticCustomError(
            "measure",
            "`latency` is what llmeval measures; give the application's own seconds another name,"
            " such as `app_seconds`",
        )
    return name


MeasureName = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$"), AfterValidator(_not_measured_here)]


class SuiteSpec(Strict):
    """The whole file."""

    suite: Name = Field(description="The suite's name; runs are written to reports/<suite>/.")
    description: str = ""
    public: list[str] = Field(
        default=[],
        description=(
            "Environment variables that are not secret. The values of all others (`${NAME}`) appear"
            " as `***` in records, reports and messages."
        ),
    )
    cases: CasesSpec
    prompt: str | None = Field(
        default=None, description="A template, or the path of one (.j2, .txt, .md)."
    )
    messages: list[Turn] | None = Field(
        default=None,
        description="Instead of `prompt`: several messages. With `turns`, what precedes them.",
    )
    turns: str | list[str] | None = Field(
        default=None,
        description=(
            "Instead of `prompt`: messages of a user, each sent after the reply to the one before."
            " A list of templates, or one expression that gives a list of texts, such as"
            ' `"{{ questions }}"`.'
        ),
    )
    user: UserSpec | None = Field(
        default=None,
        description="A model that plays the user, from the first turn on or after `turns`.",
    )
    until: str | None = Field(
        default=None,
        description=(
            "An expression that is true or false after each turn, such as"
            " `\"{{ 'REF-' in output }}\"`; when it is true, the conversation ends. It sees output,"
            " data, tool_calls, turn, turns, transcript and the fields of the case."
        ),
    )
    max_turns: int | None = Field(
        default=None,
        gt=0,
        le=100,
        description=(
            f"A conversation ends after so many turns; with `user` by default {DEFAULT_TURNS}."
        ),
    )
    models: dict[Name, ModelSpec] = {}
    prices: str | dict[str, Price] = Field(
        default={},
        description=(
            "Prices by the models' names, written here or in a YAML file; a model's own `price`"
            " wins."
        ),
    )
    candidate: str | ModelSpec
    matrix: MatrixSpec | None = Field(
        default=None,
        description=(
            "Run the suite for each of several candidates and prompts, each with its own decision,"
            " such as `{candidate: [small, large], prompt: [short.j2, long.j2]}`."
        ),
    )
    repeats: int = Field(default=1, gt=0, le=1000, description="Number of answers for each case.")
    seed: int = 0
    checks: list[Any] = Field(
        default=[], description="name | name: argument | name: {options} | not: ... | any: [...]"
    )
    judges: dict[Name, JudgeSpec] = {}
    measure: dict[MeasureName, Measured] = Field(
        default={},
        description=(
            "Numbers of an answer by name: one expression each, such as `{{ data.steps }}` or"
            " `{{ tool_calls | length }}`. `gate.limits` and `margins` use them as `steps.p95`. A"
            " value that is not a number, or is below 0, is missing."
        ),
    )
    allow_self_judge: bool = Field(default=False, description="Let a model judge its own answers.")
    gate: GateSpec = Field(
        default=GateSpec(),
        description=(
            "The rules of the decision. Without a rule, every case must pass (`must_pass: all`). "
            "`gate: none` only measures: nothing is decided, and the exit code is 0."
        ),
    )
    environments: dict[Name, Environment] = {}
    approvals: ApprovalsSpec | None = Field(
        default=None,
        description="Who must approve a run before it becomes a baseline or is promoted.",
    )
    monitor: MonitorSpec | None = Field(
        default=None, description="Production traffic that `llmeval monitor` tests each day."
    )

    @field_validator("turns", "user")
    @classmethod
    def _only_turns(
        cls, value: str | list[str] | UserSpec | None, info: ValidationInfo
    ) -> str | list[str] | UserSpec | None:
        if value is None:
            return None
        key = str(info.field_name)
        if info.data.get("prompt") is not None:
            raise _conversation(
                f"give `prompt` or `{key}`, not both; a system prompt is a message of `messages`"
            )
        messages = info.data.get("messages")
        if messages and messages[-1].role == "user":
            raise _conversation(f"with `{key}`, `messages` end with a system or assistant message")
        if not value:
            raise _conversation("there is no turn, so nothing would be sent")
        return value

    @field_validator("until", "max_turns")
    @classmethod
    def _ends_turns(cls, value: str | int | None, info: ValidationInfo) -> str | int | None:
        if value is None or not {"turns", "user"} <= info.data.keys():
            return value
        turns, user = info.data["turns"], info.data["user"]
        if turns is None and user is None:
            raise _conversation("this ends a conversation, so it needs `turns` or `user`")
        if isinstance(value, int) and isinstance(turns, list) and len(turns) > value:
            raise _conversation(f"`turns` has {len(turns)} messages, and {value} would be sent")
        return value

    @field_validator("cases", mode="before")
    @classmethod
    def _short_cases(cls, value: object) -> object:
        return {"source": value} if isinstance(value, str | list) else value

    @field_validator(
        "gate", mode="before", json_schema_input_type=GateSpec | Literal["none"] | None
    )
    @classmethod
    def _short_gate(cls, value: object) -> object:
        if value is None:
            return GateSpec()
        if value == "none":
            return GateSpec().without_rules()
        if not isinstance(value, dict | GateSpec):
            raise PydanticCustomError(
                "gate", "`gate` must be a mapping of rules, or `none` to measure without a decision"
            )
        return value

    @model_validator(mode="after")
    def _one_prompt(self) -> "SuiteSpec":
        if self.prompt is not None and self.messages is not None:
            raise PydanticCustomError("prompt", "give `prompt` or `messages`, not both")
        return self
