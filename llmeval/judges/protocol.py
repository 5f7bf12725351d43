"""Judge protocols: a prompt, the schema a verdict must follow, and what each verdict is worth.

A protocol is one template file with a YAML head:

    ---
    version: 1                # increased with every change
    description: ...
    needs: references         # required in a case: references, context, criteria or nothing
    schema: {...}             # JSON Schema of the reply; it has the field `verdict`
    # value of each verdict; null: no verdict, so the answer is unscored
    values: {correct: 1.0, incorrect: 0.0, cannot_tell: null}
    pass: [correct]
    each: criteria            # the reply is a list of verdicts with this name; default: one verdict
    threshold: 1.0            # a list passes if the weighted mean of its values is at least this
    criteria: [...]           # the criteria if the suite names none
    # the question for a decision model
    decision: {instructions: ..., criteria: {correct: ..., incorrect: ...}}
    ---
    [system]
    ...
    [user]
    ...

Templates get `question`, `answer`, `fence`, `criteria`, and the case's own fields, `references` and
`context`.
"""

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from llmeval.core.errors import SuiteError
from llmeval.core.files import irregular_kind
from llmeval.core.records import digest
from llmeval.core.resources import resource
from llmeval.core.templates import Template
from llmeval.judges.marked_template import marked

_HEAD = re.compile(r"\A---\n(?P<head>.*?)\n---\n(?P<body>.*)\Z", re.S)
_DECISION = re.compile(r"^decision:\n(?:[ ].*\n)*", re.M)
"""Left out of the digest: only decision models use it, and their judges' digest includes it."""
_TURN = re.compile(r"^\[(system|user|assistant)\]\n", re.M)


class Criterion(BaseModel):
    """One criterion of a rubric: a statement that a good answer fulfils, and its weight."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    statement: str
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)


class DecisionQuestion(BaseModel):
    """The question for a decision model: `criteria` describes each verdict."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    instructions: str
    criteria: dict[str, str]


class _Head(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    version: int
    description: str = ""
    needs: Literal["references", "context", "criteria", "nothing"] = "nothing"
    verdict_schema: dict[str, Any] = Field(alias="schema")
    values: dict[str, float | None]
    passing: list[str] = Field(alias="pass")
    each: str | None = None
    threshold: float = Field(default=1.0, gt=0, le=1)
    criteria: list[Any] = []
    decision: DecisionQuestion | None = None


@dataclass(frozen=True)
class Protocol:
    """A judge protocol.

    `values`: the value of each verdict in [0, 1]; None for a verdict that decides nothing.
    `passing`: the verdicts that pass.

    `each`: the name of the reply's list of verdicts. The list passes if its weighted mean is at
    least `threshold`. None: the reply is one verdict.
    """

    name: str
    version: int
    needs: str
    turns: tuple[tuple[str, Template], ...]
    schema: Mapping[str, Any]
    values: Mapping[str, float | None]
    passing: frozenset[str]
    digest: str
    each: str | None = None
    threshold: float = 1.0
    criteria: tuple[Criterion, ...] = ()
    decision: DecisionQuestion | None = None

    def schema_for(self, criteria: Sequence[Criterion]) -> dict[str, object]:
        """The schema of a reply about these criteria: each is answered once, by its name."""
        if not criteria or self.each is None:
            return dict(self.schema)
        schema = copy.deepcopy(dict(self.schema))
        field = schema["properties"][self.each]
        field.update(minItems=len(criteria), maxItems=len(criteria))
        field["items"]["properties"]["name"]["enum"] = [criterion.name for criterion in criteria]
        return schema


def parse_criteria(raw: object, where: str) -> tuple[Criterion, ...]:
    """Criteria as suites and cases write them: statements, or mappings of name, statement and
    weight.

    A bare statement is named by its place: criterion_1, criterion_2...

    Raises:
        SuiteError: not a list of criteria, or a name occurs twice.
    """
    if not isinstance(raw, list | tuple):
        raise SuiteError(
            f"{where}: criteria are a list of statements or of {{name, statement, weight}}"
        )
    try:
        criteria = tuple(
            (
                Criterion(name=f"criterion_{number}", statement=item)
                if isinstance(item, str)
                else Criterion.model_validate(item)
            )
            for number, item in enumerate(raw, 1)
        )
    except ValidationError as error:
        raise SuiteError(
            f"{where}: a criterion is a statement or {{name, statement, weight}}: {error}"
        ) from None
    names = [criterion.name for criterion in criteria]
    if len(set(names)) < len(names):
        raise SuiteError(f"{where}: two criteria have the same name: {', '.join(names)}")
    return criteria


def load_protocol(name: str, base: Path) -> Protocol:
    """A shipped protocol by name, or your own protocol by path.

    Args:
        name: `reference`, or a path relative to `base` that ends in .j2.
        base: the suite file's directory.

    Raises:
        SuiteError: there is none, or the file is not a protocol; names the file and the fix.
    """
    shipped = resource("prompts", "judge")
    path = base / name if name.endswith(".j2") or "/" in name else shipped / f"{name}.j2"
    kind = irregular_kind(path)
    if kind:
        raise SuiteError(f"{path}: is {kind}, and only files are read: name a file")
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        names = ", ".join(sorted(file.stem for file in shipped.glob("*.j2")))
        raise SuiteError(
            f"there is no judge protocol {name!r}; shipped: {names}; your own: a path to a .j2"
        ) from None
    return parse_protocol(text, str(path), shipped=path.is_relative_to(shipped))


def parse_protocol(text: str, file: str, *, shipped: bool = False) -> Protocol:
    """A protocol from its text.

    Args:
        text: the content of the file.
        file: for messages.
        shipped: whether it comes with llmeval. All others get marker lines around foreign text.

    Raises:
        SuiteError: it is not a protocol; names file, key and fix.
    """
    match = _HEAD.match(text)
    if match is None:
        raise SuiteError(
            f"{file}: a judge protocol begins with a YAML head between two lines `---`"
        )
    head = _head(match["head"], file)
    _check_verdicts(head, file)
    pieces = _TURN.split(match["body"])
    bodies = [body.strip("\n") for body in pieces[2::2]]
    sent = bodies if shipped else [marked(body) for body in bodies]
    turns = [
        (role, Template(body, f"{file} [{role}]"))
        for role, body in zip(pieces[1::2], sent, strict=True)
    ]
    if not turns or pieces[0].strip():
        raise SuiteError(f"{file}: after the head comes [system] or [user] on a line of its own")
    return Protocol(
        name=Path(file).stem,
        version=head.version,
        needs=head.needs,
        turns=tuple(turns),
        schema=head.verdict_schema,
        values=head.values,
        passing=frozenset(head.passing),
        digest=_digest(text, [] if sent == bodies else sent),
        each=head.each,
        threshold=head.threshold,
        criteria=parse_criteria(head.criteria, file),
        decision=head.decision,
    )


def _digest(text: str, sent: list[str]) -> str:
    """The digest of a protocol. `sent`: the turns with the marker lines that llmeval added."""
    content = _DECISION.sub("", text, count=1)
    return digest("\n".join([content, *sent]).encode())


def _head(text: str, file: str) -> _Head:
    """The YAML head, which begins in the second line of the file. Raises SuiteError."""
    try:
        return _Head.model_validate(yaml.safe_load(text))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = 2 if mark is None else mark.line + 2
        reason = error.problem or error.context
        raise SuiteError(f"{file}:{line}: the head is not valid YAML: {reason}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        if not isinstance(error, ValidationError):
            raise SuiteError(f"{file}:2: the head is not valid YAML: {error}") from None
        first = error.errors(include_url=False)[0]
        path = [str(part) for part in first["loc"]]
        key = ".".join(path) + ": " if path else ""
        raise SuiteError(
            f"{file}:{_line_of(text, path)}: {key}the head is not valid: {_words(first)}"
        ) from None


def _words(error: ErrorDetails) -> str:
    """pydantic's error in words about the head."""
    words = {
        "missing": "this key is missing",
        "extra_forbidden": f"there is no such key; valid here: {', '.join(_KEYS)}",
        "model_type": "the head is a mapping of these keys: " + ", ".join(_KEYS),
    }
    return words.get(error["type"]) or f"{error['msg'][:1].lower()}{error['msg'][1:]}"


def _line_of(text: str, path: Sequence[str]) -> int:
    """The line of a key in the file; of the head's first line if the key is missing."""
    for number, line in enumerate(text.splitlines(), 2):
        if path and re.match(rf"['\"]?{re.escape(path[0])}['\"]?\s*:", line):
            return number
    return 2


_KEYS = tuple(field.alias or name for name, field in _Head.model_fields.items())


def _check_verdicts(head: _Head, file: str) -> None:
    properties = head.verdict_schema.get("properties", {})
    if head.each is not None:
        properties = properties.get(head.each, {}).get("items", {}).get("properties", {})
        if head.needs == "criteria" and "name" not in properties:
            raise SuiteError(
                f"{file}: an item of {head.each!r} needs a `name`: the criterion that it is about"
            )
    verdicts = properties.get("verdict", {}).get("enum")
    if (
        not verdicts
        or set(verdicts) != set(head.values)
        or not set(head.passing) <= set(head.values)
    ):
        field = (
            "properties.verdict.enum"
            if head.each is None
            else f"properties.{head.each}.items.….verdict.enum"
        )
        raise SuiteError(f"{file}: schema.{field}, `values` and `pass` must name the same verdicts")
    if any(value is not None and not 0 <= value <= 1 for value in head.values.values()):
        raise SuiteError(f"{file}: `values` must lie in [0, 1]")
    if head.decision is not None and not set(head.decision.criteria) <= set(head.values):
        raise SuiteError(f"{file}: decision.criteria must describe verdicts that `values` has")
