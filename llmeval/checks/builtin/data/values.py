"""Checks that the whole answer is one value of a kind: a date, a number as a locale writes it, an
address, an id.
"""

import ipaddress
import re
import uuid as stdlib_uuid
from collections.abc import Callable
from datetime import date, datetime
from math import isfinite
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationInfo

from llmeval.checks.arguments import Text, clip
from llmeval.checks.base import Result, check, verdict
from llmeval.core.records import Answer, Case

MAX_CHARS = 10_000
# Thousands separators and decimal mark, by CLDR 46; a space stands for every kind of narrow or
# no-break space
_NUMBERS = {
    "en": (",", "."),
    "de": (".", ","),
    "fr": (" ", ","),
    "es": (". ", ","),
    "it": (".", ","),
    "pt": (".", ","),
    "nl": (".", ","),
    "ru": (" ", ","),
    "pl": (" ", ","),
    "sv": (" ", ","),
    "de-CH": ("’'", "."),
    "ja": (",", "."),
    "zh": (",", "."),
    "ko": (",", "."),
    "tr": (".", ","),
    "da": (".", ","),
    "nb": (" ", ","),
    "fi": (" ", ","),
    "cs": (" ", ","),
    "uk": (" ", ","),
    "hu": (" ", ","),
    "pt-PT": (" ", ","),
    "de-AT": (" .", ","),
}
_SPACES = re.compile("[\u00a0\u2007\u2009\u202f ]")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,64}"
EMAIL = re.compile(rf"(?=[^@\s]{{1,64}}@){_LOCAL}(?:\.{_LOCAL})*@(?:{_LABEL}\.)+[A-Za-z]{{2,63}}")
PHONE = re.compile(r"\+[1-9](?:[ .()-]{0,2}\d){6,14}")
_HOST_LABEL = re.compile(r"(?!-)[\w-]{1,63}(?<!-)")
_URL = re.compile(r"(?:[^\x00-\x20\x7f<>\"{}|\\^`%]|%[0-9A-Fa-f]{2})+")
_IDENTIFIER = re.compile(r"[0-9A-Za-z-]+")
_CORE = re.compile(r"0|[1-9]\d{0,17}", re.ASCII)
# Lengths by country: SWIFT, IBAN registry, release 99
IBAN_LENGTHS = {
    country: int(length)
    for length, countries in (
        line.split(":")
        for line in (
            "15:NO|16:BE|18:DK FI FK FO GL NL SD|19:MK SI|20:AT BA EE KZ LT LU MN XK|21:CH HR LI "
            "LV|"
            "22:BG BH CR DE GB GE IE ME RS VA|23:AE GI IL IQ OM SO TL|24:AD CZ ES MD PK RO SA SE "
            "SK TN VG|25:LY PT ST|"
            "26:IS TR|27:BI DJ FR GR IT MC MR SM|28:AL AZ BY CY DO GT HN HU LB NI PL SV|29:BR EG "
            "PS QA UA|"
            "30:JO KW MU YE|31:MT SC|32:LC|33:RU"
        ).split("|")
    )
    for country in countries.split()
}


def iban(text: str) -> bool:
    """Whether a text is an IBAN: its country's length, and mod 97 of the rearranged number is 1
    (ISO 13616).
    """
    compact = re.sub(r"[ \u00a0]", "", text).upper()
    if not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", compact, re.ASCII):
        return False
    if IBAN_LENGTHS.get(compact[:2]) != len(compact):
        return False
    return int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1


def _iso_date(text: str) -> bool:
    return (
        bool(re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII))
        and date.fromisoformat(text) is not None
    )


def _iso_datetime(text: str) -> bool:
    return "T" in text and text.isascii() and datetime.fromisoformat(text) is not None


def _url(text: str) -> bool:
    """RFC 3986 with http or https and a host that is a name of several labels or an address."""
    parts = urlsplit(text)
    host = parts.hostname or ""
    if (
        parts.scheme not in ("http", "https")
        or not _URL.fullmatch(text)
        or (parts.port or 0) > 65_535
    ):
        return False
    if ":" in host or host.replace(".", "").isdigit():
        return ipaddress.ip_address(host) is not None
    labels = host.removesuffix(".").split(".")
    return (
        len(labels) > 1
        and all(_HOST_LABEL.fullmatch(label) for label in labels)
        and not labels[-1].isdigit()
    )


def _semver(text: str) -> bool:
    """Semantic Versioning 2.0.0, sections 2, 9 and 10."""
    rest, plus, build = text.partition("+")
    core, dash, release = rest.partition("-")
    numbers = core.split(".")
    identifiers = release.split(".") if dash else []
    return (
        len(numbers) == 3
        and all(_CORE.fullmatch(number) for number in numbers)
        and all(
            _IDENTIFIER.fullmatch(one) and (not one.isdigit() or _CORE.fullmatch(one))
            for one in identifiers
        )
        and (not plus or all(_IDENTIFIER.fullmatch(one) for one in build.split(".")))
    )


KINDS: dict[str, Callable[[str], bool]] = {
    "iso_date": _iso_date,
    "iso_datetime": _iso_datetime,
    "url": _url,
    "email": lambda text: len(text) <= 254 and bool(EMAIL.fullmatch(text)),
    "phone": lambda text: bool(PHONE.fullmatch(text)),
    "iban": iban,
    "uuid": lambda text: str(stdlib_uuid.UUID(text)) == text.lower(),
    "semver": _semver,
    "ip": lambda text: ipaddress.ip_address(text) is not None,
    "integer": lambda text: bool(re.fullmatch(r"[-+]?\d+", text, re.ASCII)),
    "boolean": lambda text: text.lower() in ("true", "false"),
}


@check(group="values", version=2)
def value(
    case: Case,
    answer: Answer,
    *,
    kind: Literal[
        "iso_date",
        "iso_datetime",
        "url",
        "email",
        "phone",
        "iban",
        "uuid",
        "semver",
        "ip",
        "integer",
        "boolean",
    ],
) -> Result:
    """The whole answer is one value of this kind (`phone`: in international form, +...). Syntax and
    check digits only; nothing is looked up."""
    text = answer.text.strip()
    try:
        passed = len(text) <= MAX_CHARS and bool(KINDS[kind](text))
    except ValueError:
        passed = False
    article = "" if passed else "not "
    return verdict(passed, f"{clip(text)} is {article}a valid {kind.replace('_', ' ')}")


def _date_pattern(pattern: str) -> str:
    moment = datetime(1999, 11, 30, 22, 58, 59)  # noqa: DTZ001
    try:
        valid = datetime.strptime(moment.strftime(pattern), pattern)  # noqa: DTZ007
    except (ValueError, re.error) as error:
        raise ValueError(f"not a strptime pattern: {error}") from None
    if valid == datetime(1900, 1, 1):  # noqa: DTZ001
        raise ValueError("the pattern has no part of a date or time, such as %d.%m.%Y")
    return pattern


@check(group="values", version=2)
def date_format(
    case: Case,
    answer: Answer,
    *,
    pattern: Annotated[Text, AfterValidator(_date_pattern)],
    padded: bool = True,
) -> Result:
    """The whole answer is a date written by this `strptime` pattern, such as `%d.%m.%Y` (with
    English names of days and months); `padded`: with leading zeros (01.02.2024, not 1.2.2024)."""
    text = answer.text.strip()[:MAX_CHARS]
    try:
        match = datetime.strptime(text, pattern)  # noqa: DTZ007
        passed = not padded or match.strftime(pattern).casefold() == text.casefold()
    except (ValueError, re.error):
        passed = False
    return verdict(
        passed, f"{clip(text)} is {'' if passed else 'not '}a date as {pattern} writes it"
    )


def _known_locale(locale: str) -> str:
    if locale not in _NUMBERS and locale.partition("-")[0] not in _NUMBERS:
        raise ValueError(f"no number format for {locale!r}; available: {', '.join(_NUMBERS)}")
    return locale


def _ordered(most: float | None, info: ValidationInfo) -> float | None:
    least = info.data.get("p_min")
    if most is not None and least is not None and most < least:
        raise ValueError(f"max ({most:g}) is less than min ({least:g})")
    return most


Locale = Annotated[str, AfterValidator(_known_locale)]
Bound = Annotated[float, Field(allow_inf_nan=False)] | None
Upper = Annotated[Bound, AfterValidator(_ordered)]


def parse_number(text: str, locale: str) -> float | None:
    """A number as the locale writes it, thousands in groups of three or not at all; None if it is
    not one.
    """
    grouping, decimal = _NUMBERS.get(locale) or _NUMBERS[locale.partition("-")[0]]
    text = _SPACES.sub(" ", text.strip()).replace("−", "-")
    group = f"[{re.escape(grouping)}]"
    pattern = rf"[-+]?(?:\d+|\d{{1,3}}({group})\d{{3}}(?:\1\d{{3}})*)(?:{re.escape(decimal)}\d+)?"
    if len(text) > 400 or not re.fullmatch(pattern, text, re.ASCII):
        return None
    whole, _, fraction = text.partition(decimal)
    matches = float(re.sub(group, "", whole) + (f".{fraction}" if fraction else ""))
    return matches if isfinite(matches) else None


@check(group="values", version=2)
def number(
    case: Case,
    answer: Answer,
    *,
    locale: Locale = "en",
    min: Bound = None,
    max: Upper = None,
    decimals: Annotated[int, Field(ge=0, le=300)] | None = None,
) -> Result:
    """The whole answer is a number as the locale writes it, from `min` to `max`, with so many
    `decimals`.
    """
    match = parse_number(answer.text[:MAX_CHARS], locale)
    if match is None:
        return verdict(False, f"{clip(answer.text)} is not a number as {locale} writes it")
    actual = (
        len(re.split(r"\D", answer.text.strip())[-1]) if _has_decimals(answer.text, locale) else 0
    )
    if decimals is not None and actual != decimals:
        return verdict(False, f"{clip(answer.text)} has {actual} decimals, not {decimals}")
    return _between(match, f"{match:.12g}", min, max)


def _has_decimals(text: str, locale: str) -> bool:
    return (_NUMBERS.get(locale) or _NUMBERS[locale.partition("-")[0]])[1] in text


def _between(matches: float, shown: str, least: float | None, most: float | None) -> Result:
    if least is not None and matches < least:
        return verdict(False, f"is {shown}, less than {least:g}")
    if most is not None and matches > most:
        return verdict(False, f"is {shown}, more than {most:g}")
    return verdict(True, f"is {shown}")


def _known_unit(name: str) -> str:
    from llmeval.checks.facts.units import unit_named

    if unit_named(name) is None:
        raise ValueError(f"unknown unit {name!r}; use for example m, kg, °C, km/h or EUR")
    return name


@check(group="values")
def quantity(
    case: Case,
    answer: Answer,
    *,
    unit: Annotated[Text, AfterValidator(_known_unit)],
    min: Bound = None,
    max: Upper = None,
    locale: Locale = "en",
    convert: bool = True,
) -> Result:
    """The whole answer is a number with this unit (`330 m`, `€ 12.50`); its amount in it lies from
    `min` to `max`.

    `convert`: another unit of the same dimension will do (`0.33 km` for m). Money is never
    converted.
    """
    from llmeval.checks.facts.units import unit_named

    text = answer.text.strip()[:MAX_CHARS]
    expected = unit_named(unit)
    digits = re.search(r"[-+−]?\d(?:.*\d)?", text, re.DOTALL)
    match = parse_number(digits[0], locale) if digits else None
    if digits is None or match is None:
        return verdict(False, f"{clip(text)} is not a number with a unit, as {locale} writes it")
    name = f"{text[: digits.start()].strip()} {text[digits.end() :].strip()}".strip()
    actual = unit_named(name.removeprefix("US")) if name else None
    if actual is None or expected is None or actual.dimension != expected.dimension:
        return verdict(
            False, f"{clip(text)} has {f'the unit {clip(name)}' if name else 'no unit'}, not {unit}"
        )
    if not convert and actual != expected:
        return verdict(False, f"{clip(text)} is not in {unit}")
    amount = (actual.base(match) - expected.offset) / expected.factor
    return _between(amount, f"{amount:.6g} {unit}", min, max)
