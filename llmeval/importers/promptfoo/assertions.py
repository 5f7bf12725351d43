"""Assertions as checks. Each type has one function here; a type without one has a reason in
`refused.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llmeval.checks.bound import BoundCheck
from llmeval.checks.spec import SpecError, bind
from llmeval.core.records import Answer, Case
from llmeval.core.templates import is_template
from llmeval.importers.ledger import Ledger, SourcePlace, UnmappedError
from llmeval.importers.promptfoo.refused import REFUSED, SILENT_NOT
from llmeval.importers.promptfoo.scripts import check_of_script
from llmeval.importers.promptfoo.templates import template
from llmeval.suite import yaml_file

KEYS = (
    "type",
    "value",
    "threshold",
    "weight",
    "metric",
    "provider",
    "rubricPrompt",
    "transform",
    "config",
    "assert",
)
GRADED = frozenset(["bleu", "rouge-n", "tool-call-f1"])
"""Types whose score is a degree in promptfoo: a test's `threshold` over them
does not count passes.
"""
_DIALECTS = {
    "postgresql": "postgres",
    "mariadb": "mysql",
    "transactsql": "tsql",
    **{
        name: name
        for name in ("athena", "bigquery", "hive", "mysql", "redshift", "sqlite", "snowflake")
    },
}


@dataclass(frozen=True)
class Assertion:
    """One assertion. `kind`: its type without `not-`. `value`: with files read in."""

    kind: str
    negated: bool
    value: Any
    place: SourcePlace
    threshold: float | None = None
    weight: float = 1.0
    metric: str | None = None
    provider: Any = None
    transforms: tuple[str, ...] = ()
    """Code that changes the answer before it is compared, in the order in which it runs."""

    @property
    def graded(self) -> bool:
        """Whether its score is a degree."""
        return self.kind in GRADED


def read_assertion(place: SourcePlace, value: object, ledger: Ledger) -> Assertion:
    """One assertion as the configuration has it; `value`: what it holds once files are read.

    Raises:
        UnmappedError: not an assertion, of a type without counterpart, or with a key without one.
    """
    raw = place.value
    if not isinstance(raw, dict) or not isinstance(raw.get("type"), str):
        raise UnmappedError("an assertion is a mapping with a `type`")
    kind = raw["type"].removeprefix("not-")
    negated = kind != raw["type"]
    if kind in SILENT_NOT and negated:
        raise UnmappedError(
            f"`{raw['type']}`: promptfoo ignores `not-` here, so what passed was"
            f" `{kind}`; say what you want as a criterion of `llm-rubric`",
            place.at("type"),
        )
    if kind in REFUSED:
        raise UnmappedError(f"`{raw['type']}`: {REFUSED[kind]}", place.at("type"))
    for key in raw:
        if key in ("contextTransform", "valueTransform"):
            raise UnmappedError(f"`{key}` of an assertion has no counterpart", place.at(key))
        if key not in KEYS:
            ledger.note(place.at(key), f"`{key}` of an assertion has no meaning here")
    if raw.get("rubricPrompt") is not None:
        ledger.note(
            place.at("rubricPrompt"),
            "a judge's own prompt is not used: the protocol is llmeval's, with this assertion's"
            " text (docs/judges.md, Your own protocol)",
        )
    weight = _number(raw.get("weight"), place.at("weight"))
    if weight == 0:
        ledger.note(
            place.at("weight"),
            "weight 0: no floor is set on its metric, but a case that fails it does not pass",
        )
    return Assertion(
        kind,
        negated,
        value,
        place,
        _number(raw.get("threshold"), place.at("threshold")),
        1.0 if weight is None else weight,
        _metric(raw.get("metric"), place, ledger),
        raw.get("provider"),
        transforms_of(raw.get("transform")),
    )


def transforms_of(code: object) -> tuple[str, ...]:
    """The code that changes an answer; none for one that no check would notice."""
    return () if str(code).strip() in ("None", "output.trim()") else (str(code),)


def as_check(assertion: Assertion) -> object:
    """The check of an assertion that code decides, as a suite writes it.

    Raises:
        UnmappedError: its type or value has no counterpart.
    """
    make = CHECKS.get(assertion.kind)
    if make is None:
        raise UnmappedError(
            f"`{assertion.kind}` is not a type of assertion that llmeval imports",
            assertion.place.at("type"),
        )
    check = named(assertion, _templated(make(assertion)))
    bound(check)
    return check


def bound(check: object) -> BoundCheck:
    """A check as a suite binds it. A function of the code file, which is not written yet, counts as
    one that exists.

    Raises:
        UnmappedError: it is none.
    """
    try:
        return bind([check], is_template=is_template, load=lambda name: _unwritten)[0]
    except SpecError as error:
        raise UnmappedError(str(error)) from None


def _unwritten(case: Case, answer: Answer, *, texts: list[str] | None = None) -> float:
    raise NotImplementedError


def named(assertion: Assertion, check: Any) -> object:
    """The check under the assertion's metric, negated if the assertion is."""
    check = _named(check, assertion.metric)
    return {"not": check} if assertion.negated else check


def _named(check: Any, metric: str | None) -> object:
    """The check under the metric's name, without options that are empty."""
    ((name, options),) = check.items()
    if name == "not":
        return {"not": _named(options, metric)}
    options = options if metric is None else {**options, "metric": metric}
    return {name: options} if options else name


def short(check: object) -> object:
    """A check with a single plain argument in its short form: `name: argument`."""
    if not isinstance(check, dict):
        return check
    ((name, options),) = check.items()
    if name == "not":
        return {"not": short(options)}
    first = {"regex": "pattern", "max_latency": "seconds", "max_cost": "usd"}.get(name, "text")
    if isinstance(options, dict) and list(options) == [first]:
        return {name: options[first]}
    return check


def _templated(value: object) -> object:
    if isinstance(value, dict):
        return {key: _templated(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_templated(item) for item in value]
    return template(value) if isinstance(value, str) and is_template(value) else value


def _metric(value: object, place: SourcePlace, ledger: Ledger) -> str | None:
    if value is None:
        return None
    name = "".join(" " if char in "@#{}%" else char for char in str(value)).strip()
    if name != value:
        ledger.note(place.at("metric"), f"the metric is called {name!r} here")
    return name or None


def _number(value: Any, place: SourcePlace) -> float | None:
    if value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        raise UnmappedError(f"is not a number: {value!r}", place) from None


def _text(assertion: Assertion) -> str:
    value = assertion.value
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise UnmappedError(
            f"`{assertion.kind}` needs a text, not {value!r}", assertion.place.at("value")
        )
    return str(value)


def _texts(assertion: Assertion) -> list[str]:
    value = assertion.value
    if isinstance(value, str) and not is_template(value):
        return [part.strip() for part in value.split(",")]
    if (
        not isinstance(value, list)
        or not value
        or any(isinstance(item, dict | list) for item in value)
    ):
        raise UnmappedError(
            f"`{assertion.kind}` needs a list of texts, not {value!r}", assertion.place.at("value")
        )
    return [str(item) for item in value]


def _equals(a: Assertion) -> dict[str, object]:
    if isinstance(a.value, dict | list):
        return {"json_equals": {"value": a.value, "fence": "forbid"}}
    return {"equals": {"text": _text(a)}}


def _schema(name: str) -> Callable[[Assertion], dict[str, object]]:
    def make(a: Assertion) -> dict[str, object]:
        value, options = a.value, {} if name == "contains_json" else {"fence": "forbid"}
        if isinstance(value, str) and value.strip():
            value = yaml_file.parse(value, "value").data
        if value in (None, ""):
            return {name: options}
        if not isinstance(value, dict):
            raise UnmappedError("not a JSON Schema", a.place.at("value"))
        return {name: {"schema": value, **options}}

    return make


def _xml(a: Assertion) -> dict[str, object]:
    options: dict[str, object] = {"fence": "forbid"}
    if a.value:
        elements = (
            a.value.get("requiredElements")
            if isinstance(a.value, dict)
            else str(a.value).split(",")
        )
        if not isinstance(elements, list):
            raise UnmappedError("names no `requiredElements`", a.place.at("value"))
        options["has"] = ["/" + str(each).strip().replace(".", "/") for each in elements]
    return {"xml": options}


def _contains_xml(a: Assertion) -> dict[str, object]:
    if a.value:
        raise UnmappedError(
            "required elements of XML inside a text: ask for XML alone and use `is-xml`"
        )
    return {"contains_xml": {}}


def _sql(a: Assertion) -> dict[str, object]:
    value = a.value or {}
    if not isinstance(value, dict) or set(value) - {"databaseType"}:
        raise UnmappedError(
            "lists of allowed tables or columns: `sql` takes `tables: [...]` and `columns: [...]`"
            " here"
        )
    database = str(value.get("databaseType", "mysql")).lower()
    dialect = _DIALECTS.get(database)
    if dialect is None:
        raise UnmappedError(
            f"there is no SQL dialect {database!r} here", a.place.at("value", "databaseType")
        )
    return {"sql": {"dialect": dialect}}


def _words(a: Assertion) -> dict[str, object]:
    value = a.value
    if isinstance(value, dict) and value and set(value) <= {"min", "max"}:
        return {"words": {key: int(number) for key, number in value.items()}}
    try:
        return {"words": {"exactly": int(value)}}
    except (TypeError, ValueError):
        raise UnmappedError("needs a number, or `min` and `max`", a.place.at("value")) from None


def _limit(name: str, option: str, unit: float) -> Callable[[Assertion], dict[str, object]]:
    def make(a: Assertion) -> dict[str, object]:
        if a.threshold is None:
            raise UnmappedError(
                f"`{a.kind}` without `threshold` only measures; latency and cost are in every run"
            )
        return {name: {option: a.threshold * unit}}

    return make


def _overlap(name: str, threshold: float) -> Callable[[Assertion], dict[str, object]]:
    def make(a: Assertion) -> dict[str, object]:
        references = [str(item) for item in a.value] if isinstance(a.value, list) else [_text(a)]
        return {
            name: {
                "references": references,
                "threshold": threshold if a.threshold is None else a.threshold,
            }
        }

    return make


def _finish(a: Assertion) -> dict[str, object]:
    return {"finish_reason": {"reason": [_text(a)]}}


def _tools(a: Assertion) -> dict[str, object]:
    return {
        "tool_f1": {"names": _texts(a), "threshold": 1.0 if a.threshold is None else a.threshold}
    }


def _script(a: Assertion) -> dict[str, object]:
    if a.threshold is not None:
        raise UnmappedError("a script's own score can't be computed here", a.place.at("threshold"))
    return check_of_script(_text(a))


def _plain(name: str, **options: object) -> Callable[[Assertion], dict[str, object]]:
    return lambda a: {name: dict(options)}


def _with_text(name: str, **options: object) -> Callable[[Assertion], dict[str, object]]:
    return lambda a: {name: {"text": _text(a), **options}}


def _with_texts(name: str, **options: object) -> Callable[[Assertion], dict[str, object]]:
    return lambda a: {name: {"texts": _texts(a), **options}}


CHECKS: dict[str, Callable[[Assertion], dict[str, object]]] = {
    "equals": _equals,
    "contains": _with_text("contains"),
    "icontains": _with_text("icontains"),
    "contains-all": _with_texts("contains_all"),
    "contains-any": _with_texts("contains_any"),
    "icontains-all": _with_texts("contains_all", ignore_case=True),
    "icontains-any": _with_texts("contains_any", ignore_case=True),
    "starts-with": _with_text("starts_with"),
    "regex": lambda a: {"regex": {"pattern": _text(a)}},
    "is-json": _schema("json"),
    "contains-json": _schema("contains_json"),
    "is-html": _plain("html", fence="forbid", forbidden=[]),
    "contains-html": _plain("contains_html"),
    "is-xml": _xml,
    "contains-xml": _contains_xml,
    "is-sql": _sql,
    "is-refusal": _plain("refusal"),
    "word-count": _words,
    "bleu": _overlap("bleu", 0.5),
    "rouge-n": _overlap("rouge_n", 0.75),
    "latency": _limit("max_latency", "seconds", 0.001),
    "cost": _limit("max_cost", "usd", 1.0),
    "finish-reason": _finish,
    "tool-call-f1": _tools,
    "javascript": _script,
}
