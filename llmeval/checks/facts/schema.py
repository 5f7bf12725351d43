"""Facts as suites and cases write them, validated when they are loaded."""

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

Role = Literal["must_mention", "must_not_contradict", "must_not_mention"]
FactType = Literal["text", "entity", "quantity", "date", "boolean", "quote", "set", "regex"]
PrecisionName = Literal["year", "month", "day"]

MAX_FACTS = 1000
MAX_VALUES = 20_000
MAX_TEXT = 10_000
_DATE = re.compile(r"(-?\d{1,4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
# Keys that only some types know.
_ONLY = {
    "unit": ("quantity",),
    "tolerance": ("quantity",),
    "precision": ("date",),
    "accept_precision": ("date",),
    "inflect": ("text", "entity", "set"),
    "fuzzy": ("text", "entity", "set", "quote"),
    "match": ("set",),
    "ordered": ("set",),
    "aliases": ("text", "entity", "quantity", "date"),
}


class ToleranceSpec(BaseModel):
    """How far a quantity may be off: a share of the value, an amount in its unit, or after
    rounding."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    rel: float | None = Field(None, ge=0, le=1)
    abs: float | None = Field(None, ge=0, allow_inf_nan=False)
    sig_digits: int | None = Field(None, ge=1, le=15)


class Fact(BaseModel):
    """One fact that an answer is held against.

    `value`: what is right; `aliases`: other ways to say it. `subject`: names of what it is about; a
    different value contradicts only near one of them. `type`: left out, it is read from the value,
    and a rougher statement of a date counts, as people judge it (1889 for 31 March 1889); a number
    has to be equal. `fuzzy`: how alike (0.7 to 1) a spelling must be. `match` of a set: all, any,
    or how many.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str = ""
    role: Role = "must_mention"
    type: FactType | None = None
    value: Any = None
    aliases: tuple[Any, ...] = ()
    subject: tuple[str, ...] = ()
    unit: str | None = None
    tolerance: ToleranceSpec | None = None
    precision: PrecisionName | None = None
    accept_precision: PrecisionName | None = None
    inflect: bool = True
    fuzzy: float | None = Field(None, ge=0.7, le=1)
    match: Literal["all", "any"] | int = "all"
    ordered: bool = False
    weight: float = Field(1.0, gt=0, allow_inf_nan=False)

    @field_validator("aliases", "subject", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: object) -> object:
        return (
            [value]
            if isinstance(value, str | int | float) and not isinstance(value, bool)
            else value
        )

    @model_validator(mode="after")
    def _fits_its_type(self) -> "Fact":
        for key, types in _ONLY.items():
            if key in self.model_fields_set and self.kind is not None and self.kind not in types:
                raise ValueError(
                    f"{key!r} is only for facts of type {' or '.join(types)}, not {self.kind}"
                )
        for value in (self.value, *self.aliases):
            _VALUES[self.kind](self, value)
        return self

    @property
    def kind(self) -> FactType | None:
        """Its type; a quantity where it has a unit or tolerance; None where it is to be read from
        the value."""
        return self.type or ("quantity" if self.unit or self.tolerance else None)

    @property
    def label(self) -> str:
        """Its id, or else its value."""
        return self.id or shown(self.value, self.unit)


def shown(value: object, unit: str | None = None) -> str:
    """A value as people write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(shown(item) for item in value)
    text = (
        value.isoformat()
        if isinstance(value, date)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )
    return f"{text} {unit}" if unit else text


def parse_facts(raw: Sequence[object]) -> tuple[Fact, ...]:
    """Facts from what is written in a case or a suite: mappings, or plain values to be stated.

    Raises:
        ValueError: one message that names the fact, the key and, for an unknown key, the nearest
        known one.
    """
    if len(raw) > MAX_FACTS:
        raise ValueError(f"{len(raw)} facts; at most {MAX_FACTS} in a case")
    facts = tuple(_parse(item, f"facts[{index}]") for index, item in enumerate(raw))
    ids = [fact.id for fact in facts if fact.id]
    twice = next((name for i, name in enumerate(ids) if name in ids[:i]), None)
    if twice is not None:
        raise ValueError(f"two facts have the id {twice!r}")
    return facts


def parse_argument(raw: object) -> tuple[Fact, ...]:
    """Facts from an argument of a check: one or a list, each a value or a mapping.

    Raises:
        ValueError: see `parse_facts`.
    """
    if raw is None or isinstance(raw, Fact):
        return () if raw is None else (raw,)
    return parse_facts(list(raw) if isinstance(raw, list | tuple) else [raw])


def _parse(item: object, where: str) -> Fact:
    if isinstance(item, Fact):
        return item
    if not isinstance(item, Mapping):
        item = {"value": item}
    for key in item:
        if key not in Fact.model_fields:
            near = difflib.get_close_matches(str(key), Fact.model_fields, n=1, cutoff=0.4)
            hint = (
                f"did you mean {near[0]!r}?"
                if near
                else f"known here: {', '.join(Fact.model_fields)}"
            )
            raise ValueError(f"{where}: unknown key {key!r}; {hint}")
    if "value" not in item:
        raise ValueError(f"{where}: a fact needs a `value`")
    try:
        return Fact.model_validate(dict(item))
    except ValidationError as error:
        raise ValueError(
            f"{where}: " + "; ".join(_message(e) for e in error.errors(include_url=False))
        ) from None


def _message(error: Any) -> str:
    where = ".".join(
        str(part) for part in error["loc"] if part not in ("literal['all','any']", "int")
    )
    text = error["msg"].removeprefix("Value error, ")
    if error["type"] == "literal_error" and isinstance(error["input"], str):
        options = [str(o) for name in (Role, FactType, PrecisionName) for o in get_args(name)] + [
            "all",
            "any",
        ]
        near = difflib.get_close_matches(error["input"], options, n=1, cutoff=0.4)
        text += f" (given: {error['input']!r}" + (f"; did you mean {near[0]!r}?)" if near else ")")
    elif error["type"] == "extra_forbidden":
        text = "unknown key; known here: rel, abs, sig_digits"
    return f"{where}: {text}" if where else text


def _text(fact: Fact, value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"value: a text is wanted, not {value!r}; write it in quotes")
    if len(value) > MAX_TEXT:
        raise ValueError(f"value: longer than {MAX_TEXT:,} characters")


def _any(fact: Fact, value: object) -> None:
    if isinstance(value, bool | int | float | date):
        return
    _text(fact, value)


def _quantity(fact: Fact, value: object) -> None:
    from llmeval.checks.facts.units import unit_named

    if fact.unit is not None and unit_named(fact.unit) is None:
        raise ValueError(
            f"unit: {fact.unit!r} is not known; write it as in `km`, `kg`, `km/h`, `°C`, `%`, "
            f"`USD`, and leave it out for things counted"
        )
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"value: a number is wanted, not {value!r}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("value: must be finite")
    if isinstance(value, str):
        from llmeval.checks.facts.numbers import numbers
        from llmeval.checks.facts.tokens import Tokens

        if len(numbers(Tokens(value[:MAX_TEXT]))) != 1:
            raise ValueError(f"value: {value!r} is not one number")


def parse_date(value: object) -> tuple[int, int | None, int | None]:
    """Year, month and day of `1889`, `1889-03`, `1889-03-31`, `-0044`, or of a date read by YAML.

    Raises:
        ValueError: it is none of these, or there is no such day.
    """
    if isinstance(value, datetime | date):
        return value.year, value.month, value.day
    match = _DATE.fullmatch(str(value)) if not isinstance(value, bool) else None
    if match is None:
        raise ValueError(f"value: a date is written 1889, 1889-03 or 1889-03-31, not {value!r}")
    year, month, day = (int(part) if part else None for part in match.groups())
    try:
        date(year if year and 1 <= year <= 9999 else 2000, month or 1, day or 1)
    except ValueError:
        raise ValueError(f"value: there is no day {value}") from None
    return year or 0, month, day


def _date(fact: Fact, value: object) -> None:
    _, month, day = parse_date(value)
    written = "day" if day else "month" if month else "year"
    order = get_args(PrecisionName)
    for name in ("precision", "accept_precision"):
        target = getattr(fact, name)
        if target is not None and order.index(target) > order.index(written):
            raise ValueError(f"{name}: {target}, but the value is only precise to the {written}")


def _boolean(fact: Fact, value: object) -> None:
    if not isinstance(value, bool) and str(value).strip().casefold() not in (
        "yes",
        "no",
        "true",
        "false",
    ):
        raise ValueError(f"value: yes or no, true or false is wanted, not {value!r}")


def _set(fact: Fact, value: object) -> None:
    if not isinstance(value, list | tuple) or not value:
        raise ValueError("value: a list is wanted")
    if len(value) > MAX_FACTS:
        raise ValueError(f"value: at most {MAX_FACTS} members")
    for item in value:
        _any(fact, item)
    if isinstance(fact.match, int) and not 1 <= fact.match <= len(value):
        raise ValueError(f"match: a number from 1 to {len(value)}, `all` or `any`")


def _regex(fact: Fact, value: object) -> None:
    from llmeval.checks.builtin.text.regex import compile_pattern

    _text(fact, value)
    compile_pattern(value)


_VALUES = {
    None: _any,
    "text": _text,
    "entity": _text,
    "quantity": _quantity,
    "date": _date,
    "boolean": _boolean,
    "quote": _text,
    "set": _set,
    "regex": _regex,
}
