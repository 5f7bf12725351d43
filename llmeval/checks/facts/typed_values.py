"""Where an answer states numbers, dates, times of the day and options, and how they fit."""

from collections.abc import Iterator

import regex

from llmeval.checks.facts.answer import ParsedAnswer
from llmeval.checks.facts.compare import EXACT, Fit, Tolerance, fit_date, fit_number
from llmeval.checks.facts.dates import Date, Precision
from llmeval.checks.facts.letters import chosen_letter
from llmeval.checks.facts.mentions import Mention
from llmeval.checks.facts.numbers import Number
from llmeval.checks.facts.qualifiers import asks_bound, asks_roughly
from llmeval.checks.facts.references import ExpectedValue
from llmeval.checks.facts.times import Time, same_time
from llmeval.checks.facts.tokens import STOPWORDS
from llmeval.checks.facts.units import unit_named


def mentioned_times(
    expected: ExpectedValue, wanted: Time, answer: ParsedAnswer
) -> Iterator[Mention]:
    """Every time of the day; one that leaves the half of the day open is not the one expected."""
    for found in answer.times:
        same = same_time(found, wanted)
        fit = Fit.SAME if same else Fit.NEAR if same is None else Fit.OTHER
        yield Mention(
            found.start, found.end, fit, answer.stance(found.start, found.end), "time", expected.raw
        )


def chosen_letters(expected: ExpectedValue, answer: ParsedAnswer) -> Iterator[Mention]:
    """The letter of the option that the answer chooses."""
    chosen = chosen_letter(answer.words.raw, answer.final)
    if chosen is not None:
        letter, at = chosen
        fit = Fit.SAME if letter == expected.letter else Fit.OTHER
        yield Mention(at, at + 1, fit, answer.stance(at, at + 1), "letter", expected.raw)


def mentioned_dates(
    expected: ExpectedValue, answer: ParsedAnswer, accept: Precision | None
) -> Iterator[Mention]:
    """Every date against those expected; a range needs every one of its ends."""
    rows = [
        [(_fit(found, wanted, accept), found) for found in answer.dates]
        for wanted in expected.dates
    ]
    complete = all(any(fit >= Fit.COARSE for fit, _ in row) for row in rows)
    for row in rows:
        for fit, found in row:
            shown = fit if complete else min(fit, Fit.NEAR)
            if found.month is None and is_limit(found.start, expected, answer):
                shown = min(shown, Fit.NEAR)
            if shown >= Fit.COARSE or not complete:
                stance = answer.stance(found.start, found.end)
                yield Mention(
                    found.start, found.end, shown, stance, _how_date(found, shown), expected.raw
                )


_LIMIT = regex.compile(
    r"\b(?:before|after|prior\s+to|later\s+than|earlier\s+than|vor|nach|avant|après|antes\s+de|después\s+de|prima\s+del|dopo\s+il"
    r"|depois\s+de|vóór)\s+(?:the\s+|year\s+|dem\s+|jahr\s+)*$",
    regex.IGNORECASE,
)


def is_limit(start: int, expected: ExpectedValue, answer: ParsedAnswer) -> bool:
    """Whether the text says that it was before or after what starts there, and neither question nor reference does."""
    raw = answer.words.raw
    if not _LIMIT.search(raw, max(0, start - 24), start):
        return False
    return not _LIMIT_ASKED.search(f"{answer.question.raw} {expected.raw}")


_LIMIT_ASKED = regex.compile(
    r"\b(?:before|after|until|since|vor|nach|avant|après|antes|después|prima|dopo|depois)\b",
    regex.IGNORECASE,
)


def _fit(found: Date, wanted: Date, accept: Precision | None) -> Fit:
    fit = fit_date(found, wanted)
    if (
        fit is Fit.COARSE
        and accept is not None
        and (found.precision < accept or found.year is None)
    ):
        return Fit.NEAR
    return fit


def _how_date(found: Date, fit: Fit) -> str:
    if fit is not Fit.COARSE:
        return "date"
    return (
        "period"
        if found.precision <= Precision.DECADE
        else "year"
        if found.precision is Precision.YEAR
        else "part"
    )


def mentioned_numbers(
    expected: ExpectedValue, answer: ParsedAnswer, tolerance: Tolerance
) -> Iterator[Mention]:
    if _TUPLE.fullmatch(expected.raw):
        yield from _tuples(expected, answer)
        return
    rows = [_fits(answer, wanted, tolerance) for wanted in expected.numbers]
    complete = all(any(fit >= Fit.COARSE for fit, _ in row) for row in rows)
    for row in rows:
        for fit, found in row:
            shown = fit if complete else min(fit, Fit.NEAR)
            stance = answer.stance(found.start, _range_end(found, answer))
            yield Mention(found.start, found.end, shown, stance, "number", expected.raw)


_TUPLE = regex.compile(r"\s*[(\[<⟨]\s*[-−]?[\d.]+(?:\s*[,;]\s*[-−]?[\d.]+)+\s*[)\]>⟩]\s*")
"""A point or vector, whose numbers have an order."""


def _tuples(expected: ExpectedValue, answer: ParsedAnswer) -> Iterator[Mention]:
    """Numbers of the answer in the order of the reference, else the first of as many."""
    wanted = [number.value for number in expected.numbers]
    found, size = answer.numbers, len(wanted)
    for i in range(len(found) - size + 1):
        window = found[i : i + size]
        fit = Fit.SAME if [n.value for n in window] == wanted else Fit.OTHER
        stance = answer.stance(window[0].start, window[-1].end)
        yield Mention(window[0].start, window[-1].end, fit, stance, "number", expected.raw)


def _fits(answer: ParsedAnswer, wanted: Number, tolerance: Tolerance) -> list[tuple[Fit, Number]]:
    rows = []
    question = answer.question.raw
    roughly, limit = asks_roughly(question), asks_bound(question)
    for found in answer.numbers:
        if _idle(found, answer) or _other_unit(found, wanted, answer):
            continue
        fit = fit_number(found, wanted, tolerance, roughly=roughly, limit=limit)
        if fit is Fit.COARSE and tolerance is not EXACT:
            fit = Fit.NEAR
        if fit is not None:
            rows.append((fit, found))
    return rows


def _other_unit(found: Number, wanted: Number, answer: ParsedAnswer) -> bool:
    """Whether a noun that is no known unit follows the number, where an amount in a unit is expected: 5 leagues."""
    words, after = answer.words, found.last + 1
    if wanted.unit is None or found.unit is not None or after >= len(words):
        return False
    if words.gap(after) != " " or not words.forms[after][0].isalpha():
        return False
    form = words.forms[after]
    if (unit := unit_named(form)) is not None and unit.dimension == wanted.unit.dimension:
        return False  # a unit that a footnote's number sticks to: 26,000 years12
    return (
        form not in STOPWORDS
        and form not in _AFTER_AMOUNT
        and words.stems[after] not in answer.question.stem_set
    )


_AFTER_AMOUNT = frozenset(
    "tall high long wide deep old thick heavy away total altogether exactly each hoch lang breit tief alt schwer".split()
)


def _range_end(found: Number, answer: ParsedAnswer) -> int:
    """Where the range that the number is part of ends."""
    return found.end if found.partner is None else max(found.end, answer.numbers[found.partner].end)


def _idle(found: Number, answer: ParsedAnswer) -> bool:
    """Whether a weak number ("one of the", "a second") counts nothing here."""
    words = answer.words
    after = words.forms[found.last + 1] if found.last + 1 < len(words) else ""
    return found.weak and after in ("of", "another", "or", "thing", "who", "that", "such", "day")
