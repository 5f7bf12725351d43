"""An extracted record against the wanted one, field by field, a metric each."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from llmeval.checks.arguments import clip
from llmeval.checks.base import Result, check, graded
from llmeval.checks.builtin.applications.field_values import FieldRule, field_trouble
from llmeval.checks.builtin.data.json_checks import json_values, parse_json
from llmeval.checks.reading.payload import Malformed, body
from llmeval.core.errors import CheckError
from llmeval.core.json_values import plain
from llmeval.core.records import Answer, Case

_ABSENT = object()
_NULL = object()
"""A `got` that is null, unlike one that the suite leaves out."""
Got = Annotated[Any, BeforeValidator(lambda value: _NULL if value is None else value)]


class FieldOptions(BaseModel):
    """How one field is compared."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tolerance: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    fold: bool = False
    date: bool = False

    @property
    def rule(self) -> FieldRule:
        """The same for `field_trouble`."""
        return FieldRule(self.tolerance, self.fold, self.date)


def _fields(value: object) -> object:
    """A list of names is a mapping without options; so is a name with nothing after it."""
    if isinstance(value, list):
        return {name: {} for name in value}
    if isinstance(value, Mapping):
        return {name: {} if options is None else options for name, options in value.items()}
    return value


def _record(value: object) -> object:
    if isinstance(value, str):
        try:
            value = parse_json(value)
        except Malformed as error:
            raise ValueError(f"a text must be valid JSON: {error}") from None
    if not isinstance(value, Mapping):
        raise ValueError("this must be an object, such as {total: 12.5}")
    return plain(value)


def _not_empty(value: dict[str, object]) -> dict[str, object]:
    if not value:
        raise ValueError("there is no field")
    return value


Record = Annotated[dict[str, Any], BeforeValidator(_record)]
Fields = Annotated[dict[str, FieldOptions] | None, BeforeValidator(_fields)]


def _names(arguments: Mapping[str, object]) -> tuple[str, ...]:
    """The fields whose names are certain before the run: those of `fields`, or of a `want` that is
    no template."""
    for key in ("fields", "want"):
        value = arguments.get(key)
        if isinstance(value, list | Mapping) and value:
            return tuple(str(name) for name in value)
    return ()


@check(group="applications", metrics=_names)
def json_fields(
    case: Case,
    answer: Answer,
    *,
    want: Record,
    fields: Fields = None,
    got: Got = None,
) -> Result:
    """The answer is a JSON object with these fields; each is a metric, `json_fields.total`.

    `want`: the wanted object. `fields`: which of its fields count, each with how it is compared
    (default: all, exactly). A name with dots leads to a field below, `vendor.name`. `{tolerance:
    0.01}`: numbers may differ by so much. `{fold: true}`: case, accents, punctuation and space do
    not count. `{date: true}`: the same day, in any form that leaves no doubt. A field that `want`
    lacks, or where it has null, must be absent or null. `got`: the object, for an application that
    returns it in its data; by default the answer's text. A null fails.

    Raises:
        CheckError: `want` has no field, or none of `fields`.

    The graded value is the share of the fields that are right. The reason tells apart: prose around
    the JSON (which fails the check, while the fields inside are compared), a missing field, a
    number as text, a thousands separator that was read as a decimal point, day and month swapped.
    Gate rules can name a field if it stands in `fields`.
    """
    names = list(fields) if fields else list(want)
    if not names:
        raise CheckError("json_fields: `want` has no field")
    if all(_at(want, name) is _ABSENT for name in names):
        raise CheckError(
            f"json_fields: `want` has none of the `fields` ({clip(', '.join(names))}), so every "
            "answer without them would pass; correct the names, or write `null` for a field that "
            "the answer must not have"
        )
    record, trouble = _record_of(answer, got)
    parts = {}
    for name in names:
        rule = fields[name].rule if fields else FieldRule()
        parts[name] = _compared(name, want, record, rule, trouble)
    wrong = [f"{name}: {part.reason}" for name, part in parts.items() if not part.passed]
    if record is None:
        wrong = []
    right = sum(bool(part.passed) for part in parts.values())
    troubles = [*([trouble] if trouble else []), *wrong]
    reason = "; ".join(troubles[:10]) if troubles else f"all {len(parts)} fields are right"
    return graded(right / len(parts), not troubles, reason, metrics=parts)


def _record_of(answer: Answer, got: object) -> tuple[dict[str, object] | None, str]:
    """The object, and what is wrong with how it is written."""
    if got is _NULL:
        return None, "the JSON is not an object but null"
    if got is not None:
        value, trouble = plain(got), ""
    else:
        value, trouble = _read(answer.text)
    if isinstance(value, dict):
        return value, trouble
    return None, trouble or f"the JSON is not an object but {_kind(value)}"


def _read(text: str) -> tuple[Any, str]:
    try:
        return parse_json(body(text, "allow", "JSON").text), ""
    except Malformed as error:
        trouble = str(error)
    objects = [(s, e, v) for s, e, v in json_values(text) if isinstance(v, dict)]
    if not objects:
        return None, trouble
    if len(objects) > 1:
        return None, f"there are {len(objects)} JSON objects in the answer, expected one"
    return objects[0][2], "there is prose around the JSON"


def _kind(value: object) -> str:
    return {list: "a list", str: "a text", bool: "true or false", type(None): "null"}.get(
        type(value), "a number"
    )


def _compared(
    name: str,
    want: Mapping[str, object],
    record: Mapping[str, object] | None,
    rule: FieldRule,
    trouble: str,
) -> Result:
    reference = _at(want, name)
    expected = None if reference is _ABSENT else reference
    if record is None:
        return graded(0.0, False, trouble, details={"want": expected})
    actual = _at(record, name)
    details = {"want": expected, "got": None if actual is _ABSENT else actual}
    if actual is _ABSENT:
        problem = "" if expected is None else "the field is missing"
    else:
        problem = field_trouble(expected, actual, rule)
    if problem:
        return graded(0.0, False, problem, details=details)
    return graded(1.0, True, "as wanted", details=details)


def _at(record: Mapping[str, object], name: str) -> object:
    """The field of this name, or below by a name with dots."""
    if name in record:
        return record[name]
    value: object = record
    for part in name.split("."):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return _ABSENT
    return value
