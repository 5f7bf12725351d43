"""How much an answer says: words, characters, sentences, paragraphs, lines."""

from collections.abc import Callable, Sequence
from typing import Annotated, Protocol

from pydantic import AfterValidator, Field, ValidationInfo

from llmeval.checks.base import Result, check, verdict
from llmeval.checks.reading.sentences import split
from llmeval.checks.reading.text import (
    Piece,
    count_graphemes,
    count_words,
    fold,
    is_heading,
    number_of,
    stripped,
    word_texts,
    words_past,
)
from llmeval.checks.reading.text import lines as lines_of
from llmeval.checks.reading.text import paragraphs as paragraphs_of
from llmeval.core.records import Answer, Case, Span

_LIMITS = ("exactly", "min", "max")
Number = Annotated[int, Field(ge=0, le=10_000_000)]


def limits_given(value: object, info: ValidationInfo) -> object:
    """For the last of `exactly`, `min`, `max`: refuses three None, and a range that nothing lies
    in.
    """
    limits = {
        str(name).rpartition("_")[2]: limit
        for name, limit in (*info.data.items(), (info.field_name, value))
    }
    limits = {
        name: limit for name, limit in limits.items() if name in _LIMITS and limit is not None
    }
    if not limits:
        raise ValueError("give at least one of its limits: exactly, min, max")
    if "min" in limits and "max" in limits and limits["min"] > limits["max"]:
        raise ValueError(f"min ({limits['min']}) is more than max ({limits['max']})")
    return value


Exactly = Number | None
Least = Number | None
Most = Annotated[Number | None, Field(validate_default=True), AfterValidator(limits_given)]


def within(
    count: int,
    unit: str,
    exactly: int | None,
    least: int | None,
    most: int | None,
    past: Callable[[int], Piece | None] = lambda limit: None,
) -> Result:
    """Whether a count lies in its limits.

    `unit`: the name of one of what was counted, or `one|many`. `past`: what stands after the first
    n of them.
    """
    counted = number_of(count, *unit.split("|"))
    if exactly is not None and count != exactly:
        return verdict(
            False, f"{counted}; expected exactly {exactly}", *_spans(past(exactly), exactly, unit)
        )
    if least is not None and count < least:
        return verdict(False, f"{counted}; expected at least {least}")
    if most is not None and count > most:
        return verdict(
            False, f"{counted}; expected at most {most}", *_spans(past(most), most, unit)
        )
    return verdict(True, counted)


class Placed(Protocol):
    """What has a place in the text."""

    @property
    def start(self) -> int:
        """Its first code point."""

    @property
    def end(self) -> int:
        """The code point after its last one."""


def past_of(matches: Sequence[Placed]) -> Callable[[int], Piece | None]:
    """`past` of `within`, for things that are at hand."""
    return lambda limit: (
        Piece("", matches[limit].start, matches[-1].end) if len(matches) > limit else None
    )


def _spans(piece: Piece | None, limit: int, unit: str) -> tuple[Span, ...]:
    return (
        ()
        if piece is None
        else (piece.span(f"after {number_of(limit, *unit.split('|'))}", "count"),)
    )


@check(group="counts", version=2)
def max_words(case: Case, answer: Answer, *, max: Number) -> Result:
    """At most `max` words."""
    return _words(answer.text, None, None, max)


@check(group="counts", version=2)
def min_words(case: Case, answer: Answer, *, min: Number) -> Result:
    """At least `min` words."""
    return _words(answer.text, None, min, None)


@check(group="counts", name="words", version=2)
def number_of_words(
    case: Case, answer: Answer, *, exactly: Exactly = None, min: Least = None, max: Most = None
) -> Result:
    """The number of words lies in the limits. `well-known` and `don't` are one word each."""
    return _words(answer.text, exactly, min, max)


@check(group="counts", version=2)
def unique_words(
    case: Case, answer: Answer, *, min: Least = None, exactly: Exactly = None, max: Most = None
) -> Result:
    """The number of different words, upper and lower case being the same, lies in the limits."""
    return within(
        len({fold(word) for word in set(word_texts(answer.text))}),
        "different word",
        exactly,
        min,
        max,
    )


@check(group="counts", version=2)
def max_chars(case: Case, answer: Answer, *, max: Number) -> Result:
    """At most `max` characters as people see them (grapheme clusters), without white space at the
    ends.
    """
    return within(count_graphemes(stripped(answer.text).text), "character", None, None, max)


@check(group="counts", version=2)
def min_chars(case: Case, answer: Answer, *, min: Number) -> Result:
    """At least `min` characters as people see them (grapheme clusters), without white space at the
    ends.
    """
    return within(count_graphemes(stripped(answer.text).text), "character", None, min, None)


@check(group="counts", version=2)
def sentences(
    case: Case, answer: Answer, *, exactly: Exactly = None, min: Least = None, max: Most = None
) -> Result:
    """The number of sentences lies in the limits. List items count, headings don't; a line break
    alone ends none.
    """
    matches = split(answer.text)
    if "#" in answer.text:
        matches = [(start, end) for start, end in matches if not is_heading(answer.text, start)]
    return within(
        len(matches),
        "sentence",
        exactly,
        min,
        max,
        lambda limit: (
            Piece("", matches[limit][0], matches[-1][1]) if len(matches) > limit else None
        ),
    )


@check(group="counts", version=2)
def paragraphs(
    case: Case, answer: Answer, *, exactly: Exactly = None, min: Least = None, max: Most = None
) -> Result:
    """The number of paragraphs, separated by blank lines, lies in the limits."""
    matches = paragraphs_of(answer.text)
    return within(len(matches), "paragraph", exactly, min, max, past_of(matches))


@check(group="counts", version=2)
def lines(
    case: Case, answer: Answer, *, exactly: Exactly = None, min: Least = None, max: Most = None
) -> Result:
    """The number of lines that are not blank lies in the limits."""
    matches = lines_of(answer.text)
    return within(len(matches), "line", exactly, min, max, past_of(matches))


def _words(text: str, exactly: int | None, least: int | None, most: int | None) -> Result:
    return within(
        count_words(text), "word", exactly, least, most, lambda limit: words_past(text, limit)
    )
