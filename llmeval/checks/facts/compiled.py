"""Facts made ready for matching: values read once, whatever the number of answers they are held
against."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from llmeval.checks.facts.aliases import aliases_of, initials_of
from llmeval.checks.facts.compare import EXACT, Tolerance
from llmeval.checks.facts.date_values import Precision, make
from llmeval.checks.facts.locale import number_in_words
from llmeval.checks.facts.names import Reference
from llmeval.checks.facts.numbers import Number, numbers
from llmeval.checks.facts.references import ExpectedValue, infer_type, is_non_answer
from llmeval.checks.facts.regnal_names import regnal_forms
from llmeval.checks.facts.schema import Fact, FactType, Role, parse_date, shown
from llmeval.checks.facts.tokens import Tokens
from llmeval.checks.facts.units import unit_named


@dataclass(frozen=True)
class ExpectedFact:
    """One fact to look for. `expected`: any of them is right. `kind` None: read from the value,
    judged as people do.

    `shown`: the fact as a person reads it. `members`, `needed`, `ordered`: of a set.
    """

    label: str
    shown: str
    expected: tuple[ExpectedValue, ...]
    kind: FactType | None = None
    role: Role = "must_mention"
    weight: float = 1.0
    subject: tuple[str, ...] = ()
    tolerance: Tolerance = EXACT
    accept: Precision | None = None
    inflect: bool = True
    fuzzy: float | None = None
    members: tuple["ExpectedFact", ...] = ()
    needed: int = 0
    ordered: bool = False
    listed: bool = False
    """whether it may be stated as one item of a list"""


@lru_cache(maxsize=512)
def from_references(references: tuple[str, ...], question: str, locale: str = "") -> ExpectedFact:
    """The fact that plain references make: any of them is right."""
    question_words = Tokens(question)
    distinct = [text for text in dict.fromkeys(references) if text.strip()]
    # "I have no comment" among real answers would let every evasion pass.
    distinct = [text for text in distinct if not is_non_answer(text)] or distinct
    expected = tuple(infer_type(text, question_words, locale) for text in distinct)
    expected += tuple(_aliases(distinct))
    return ExpectedFact("reference", distinct[0] if distinct else "", expected)


def _aliases(names: Sequence[str]) -> Iterator[ExpectedValue]:
    """Other names of the things named, that are not among them."""
    own = frozenset(names)
    for name in names[:_ALIASED]:
        for alias in (*aliases_of(name), initials_of(name), *regnal_forms(name)):
            if alias and alias not in own:
                yield ExpectedValue(alias, Reference(alias), alias=True)
        number = number_in_words(name)
        if number is not None:
            digits = str(number.value)
            yield ExpectedValue(digits, Reference(digits), numbers=(number,), alias=True)


_ALIASED = 32


def from_fact(fact: Fact, question: str, locale: str = "") -> ExpectedFact:
    """A fact as it is written, ready for matching."""
    common: dict[str, Any] = {
        "label": fact.label,
        "shown": shown(fact.value, fact.unit),
        "kind": fact.kind,
        "role": fact.role,
        "weight": fact.weight,
        "subject": fact.subject,
        "inflect": fact.inflect,
        "fuzzy": fact.fuzzy,
    }
    values = [fact.value, *fact.aliases]
    if fact.kind == "set":
        return ExpectedFact(
            expected=(),
            members=_members(fact, question),
            needed=_needed(fact),
            ordered=fact.ordered,
            **common,
        )
    if fact.kind == "quantity":
        limits = _limits(fact)
        return ExpectedFact(
            expected=tuple(_quantity(value, fact.unit) for value in values),
            tolerance=limits,
            **common,
        )
    if fact.kind == "date":
        expected = tuple(_date(value, fact.precision) for value in values)
        accept = fact.accept_precision or fact.precision
        least = Precision[accept.upper()] if accept else expected[0].dates[0].precision
        return ExpectedFact(expected=expected, accept=least, **common)
    if fact.kind == "boolean":
        yes = (
            fact.value
            if isinstance(fact.value, bool)
            else str(fact.value).strip().casefold() in ("yes", "true")
        )
        return ExpectedFact(
            expected=(ExpectedValue(shown(yes), Reference(""), boolean=yes),), **common
        )
    if fact.kind is None:
        question_words = Tokens(question)
        expected = tuple(infer_type(shown(value), question_words, locale) for value in values)
        return ExpectedFact(expected=expected + tuple(_aliases([str(v) for v in values])), **common)
    expected = tuple(ExpectedValue(value, Reference(value)) for value in values)
    if fact.kind == "entity":
        expected += tuple(_aliases([str(value) for value in values]))
    return ExpectedFact(expected=expected, **common)


def _limits(fact: Fact) -> Tolerance:
    tolerance = fact.tolerance
    if tolerance is None:
        return EXACT
    return Tolerance(tolerance.rel or 0.0, tolerance.abs or 0.0, tolerance.sig_digits)


def _members(fact: Fact, question: str) -> tuple[ExpectedFact, ...]:
    shared = {"inflect": fact.inflect, "fuzzy": fact.fuzzy, "subject": fact.subject}
    members = (from_fact(Fact(value=value, **shared), question) for value in fact.value)
    return tuple(replace(member, listed=True) for member in members)


def _needed(fact: Fact) -> int:
    return len(fact.value) if fact.match == "all" else 1 if fact.match == "any" else fact.match


def _quantity(value: Any, unit: str | None) -> ExpectedValue:
    if isinstance(value, str):
        number = numbers(Tokens(value))[0]
        measure = unit_named(unit) if unit else number.unit
    else:
        digits = (
            len(f"{value}".lstrip("-0.").replace(".", "").rstrip("0"))
            if isinstance(value, int)
            else _digits(value)
        )
        number = Number(value, 0, 0, 0, 0, digits=max(1, digits))
        measure = unit_named(unit) if unit else None
    stated = Number(number.value, 0, 0, 0, 0, measure, digits=number.digits, ordinal=number.ordinal)
    return ExpectedValue(shown(value, unit), Reference(""), numbers=(stated,))


def _digits(value: float) -> int:
    """Significant digits of a float as it is written; of a whole number without the last zeros."""
    if value.is_integer() and abs(value) < 1e300:
        return max(1, len(str(abs(int(value))).rstrip("0")))
    return len(f"{value!r}".split("e")[0].replace(".", "").lstrip("-0"))


def _date(value: object, precision: str | None) -> ExpectedValue:
    year, month, day = parse_date(value)
    if precision in ("year", "month"):
        day, month = None, month if precision == "month" else None
    date = make(year, month, day)
    if date is None:
        raise ValueError(f"there is no day {value}")
    return ExpectedValue(str(date), Reference(""), dates=(date,))


def compile_facts(
    facts: Sequence[Fact], question: str, locale: str = ""
) -> tuple[ExpectedFact, ...]:
    """Every fact ready for matching, in order."""
    return tuple(from_fact(fact, question, locale) for fact in facts)
