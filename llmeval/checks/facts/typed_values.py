"""Where an answer states numbers, dates, times of the day and options, and how they fit."""

from collections.abc import Iterator

import regex

from llmeval.checks.facts.answer import AnswerAnalysis
from llmeval.checks.facts.compare import EXACT, Fit, Tolerance, fit_date, fit_number
from llmeval.checks.facts.date_values import Date, Precision
from llmeval.checks.facts.letters import chosen_letter
from llmeval.checks.facts.mentions import Mention
from llmeval.checks.facts.numbers import Number
from llmeval.checks.facts.qualifiers import asks_bound, asks_roughly
from llmeval.checks.facts.references import ExpectedValue
from llmeval.checks.facts.times import Time, same_time
from llmeval.checks.facts.tokens import STOPWORDS
from llmeval.checks.facts.units import unit_named


def mentioned_times(
    expected: ExpectedValue, target: Time, answer: AnswerAnalysis
) -> Iterator[Mention]:
    """Every time of the day; one that leaves the half of the day open is not the one expected."""
    for stated in answer.times:
        same = same_time(stated, target)
        fit = Fit.SAME if same else Fit.NEAR if same is None else Fit.OTHER
        yield Mention(
            stated.start,
            stated.end,
            fit,
            answer.stance(stated.start, stated.end),
            "time",
            expected.raw,
        )


def chosen_letters(expected: ExpectedValue, answer: AnswerAnalysis) -> Iterator[Mention]:
    """The letter of the option that the answer chooses."""
    chosen = chosen_letter(answer.words.raw, answer.final)
    if chosen is not None:
        letter, at = chosen
        fit = Fit.SAME if letter == expected.letter else Fit.OTHER
        yield Mention(at, at + 1, fit, answer.stance(at, at + 1), "letter", expected.raw)


def mentioned_dates(
    expected: ExpectedValue, answer: AnswerAnalysis, accept: Precision | None
) -> Iterator[Mention]:
    """Every date against those expected; a range needs every one of its ends."""
    rows = [
        [(_fit(stated, target, accept), stated) for stated in answer.dates]
        for target in expected.dates
    ]
    complete = all(any(fit >= Fit.COARSE for fit, _ in row) for row in rows)
    for row in rows:
        for fit, stated in row:
            shown = fit if complete else min(fit, Fit.NEAR)
            if stated.month is None and is_limit(stated.start, expected, answer):
                shown = min(shown, Fit.NEAR)
            if stated.precision <= Precision.DECADE and in_other_part(stated, expected, answer):
                shown = min(shown, Fit.NEAR)
            if shown >= Fit.COARSE or not complete:
                stance = answer.stance(stated.start, stated.end)
                yield Mention(
                    stated.start, stated.end, shown, stance, _how_date(stated, shown), expected.raw
                )


_PART_BEFORE = regex.compile(r"\b(early|mid|late)[\s-](?:the\s)?$", regex.IGNORECASE)


def in_other_part(stated: Date, expected: ExpectedValue, answer: AnswerAnalysis) -> bool:
    """Whether another part of the decade or century is meant: the late 1970s for the
    mid-1970s."""
    own = regex.search(r"\b(early|mid|late)\b", expected.raw, regex.IGNORECASE)
    match = _PART_BEFORE.search(answer.words.raw, max(0, stated.start - 12), stated.start)
    return own is not None and match is not None and own[1].casefold() != match[1].casefold()


_LIMIT = regex.compile(
    r"\b(?:before|after|prior\s+to|later\s+than|earlier\s+than|vor|nach|avant|après|antes\s+de"
    r"|después\s+de|prima\s+del|dopo\s+il"
    r"|depois\s+de|vóór)\s+(?:the\s+|year\s+|dem\s+|jahr\s+)*$",
    regex.IGNORECASE,
)


def is_limit(start: int, expected: ExpectedValue, answer: AnswerAnalysis) -> bool:
    """Whether the text says that it was before or after what starts there, and neither question nor
    reference does."""
    raw = answer.words.raw
    if not _LIMIT.search(raw, max(0, start - 24), start):
        return False
    return not _LIMIT_ASKED.search(f"{answer.question.raw} {expected.raw}")


_LIMIT_ASKED = regex.compile(
    r"\b(?:before|after|until|since|vor|nach|avant|après|antes|después|prima|dopo|depois)\b",
    regex.IGNORECASE,
)


def _fit(stated: Date, target: Date, accept: Precision | None) -> Fit:
    fit = fit_date(stated, target)
    if (
        fit is Fit.COARSE
        and accept is not None
        and (stated.precision < accept or stated.year is None)
    ):
        return Fit.NEAR
    return fit


def _how_date(stated: Date, fit: Fit) -> str:
    if fit is not Fit.COARSE:
        return "date"
    return (
        "period"
        if stated.precision <= Precision.DECADE
        else "year"
        if stated.precision is Precision.YEAR
        else "part"
    )


def mentioned_numbers(
    expected: ExpectedValue, answer: AnswerAnalysis, tolerance: Tolerance
) -> Iterator[Mention]:
    if _TUPLE.fullmatch(expected.raw):
        yield from _tuples(expected, answer)
        return
    rows = [_fits(answer, target, tolerance) for target in expected.numbers]
    complete = all(any(fit >= Fit.COARSE for fit, _ in row) for row in rows)
    for row in rows:
        for fit, stated in row:
            shown = fit if complete else min(fit, Fit.NEAR)
            stance = answer.stance(stated.start, _range_end(stated, answer))
            yield Mention(stated.start, stated.end, shown, stance, "number", expected.raw)


_TUPLE = regex.compile(r"\s*[(\[<⟨]\s*[-−]?[\d.]+(?:\s*[,;]\s*[-−]?[\d.]+)+\s*[)\]>⟩]\s*")
"""A point or vector, whose numbers have an order."""


def _tuples(expected: ExpectedValue, answer: AnswerAnalysis) -> Iterator[Mention]:
    """Numbers of the answer in the order of the reference, else the first of as many."""
    target = [number.value for number in expected.numbers]
    stated, size = answer.numbers, len(target)
    for i in range(len(stated) - size + 1):
        window = stated[i : i + size]
        fit = Fit.SAME if [n.value for n in window] == target else Fit.OTHER
        stance = answer.stance(window[0].start, window[-1].end)
        yield Mention(window[0].start, window[-1].end, fit, stance, "number", expected.raw)


def _fits(answer: AnswerAnalysis, target: Number, tolerance: Tolerance) -> list[tuple[Fit, Number]]:
    rows = []
    question = answer.question.raw
    roughly, limit = asks_roughly(question), asks_bound(question)
    for stated in answer.numbers:
        if _idle(stated, answer) or _other_unit(stated, target, answer):
            continue
        if stated.weak and stated.unit is None and target.unit is not None:
            continue  # `number one` is not `a week`
        fit = fit_number(stated, target, tolerance, roughly=roughly, limit=limit)
        if fit is Fit.COARSE and tolerance is not EXACT:
            fit = Fit.NEAR
        if fit is not None:
            rows.append((fit, stated))
    return rows


def _other_unit(stated: Number, target: Number, answer: AnswerAnalysis) -> bool:
    """Whether a noun that is no known unit follows the number, where an amount in a unit is
    expected: 5 leagues."""
    words, after = answer.words, stated.last + 1
    if target.unit is None or stated.unit is not None or after >= len(words):
        return False
    if words.gap(after) != " " or not words.forms[after][0].isalpha():
        return False
    form = words.forms[after]
    if (unit := unit_named(form)) is not None and unit.dimension == target.unit.dimension:
        return False  # a unit that a footnote's number sticks to: 26,000 years12
    return (
        form not in STOPWORDS
        and form not in _AFTER_AMOUNT
        and words.stems[after] not in answer.question.stem_set
    )


_AFTER_AMOUNT = frozenset(
    "tall high long wide deep old thick heavy away total altogether exactly each hoch lang breit "
    "tief alt schwer".split()
)


def _range_end(stated: Number, answer: AnswerAnalysis) -> int:
    """Where the range that the number is part of ends."""
    return (
        stated.end
        if stated.partner is None
        else max(stated.end, answer.numbers[stated.partner].end)
    )


def _idle(stated: Number, answer: AnswerAnalysis) -> bool:
    """Whether a weak number ("one of the", "a second") counts nothing here."""
    words = answer.words
    after = words.forms[stated.last + 1] if stated.last + 1 < len(words) else ""
    return stated.weak and after in ("of", "another", "or", "thing", "who", "that", "such", "day")
