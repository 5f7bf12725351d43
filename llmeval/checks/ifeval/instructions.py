"""What the IFEval checks of all languages share: relations, argument types, registration, counts.

Zhou et al. (2023), "Instruction-Following Evaluation for Large Language Models"; Dussolle et al.
(2025), "M-IFEval". The ids and argument names are theirs, so that their files run as checks. The
rules are written from the published definitions; where a definition and its published checker part
ways, docs/ifeval-disagreements.md says which we follow.
"""

import functools
from collections.abc import Callable, Iterable
from typing import Annotated, Literal

import regex
from pydantic import AfterValidator, BeforeValidator, Field

from llmeval.checks.base import CheckFunction, Result, check, verdict
from llmeval.checks.builtin.text.language import identify, known, matches
from llmeval.checks.reading.text import Piece, trim
from llmeval.core.records import Answer, Case, Span

Relation = Literal[
    "less than",
    "at least",
    "at most",
    "al menos",
    "como máximo",
    "moins de",
    "au moins",
    "au plus",
    "未満",
    "以上",
]
_AT_LEAST = ("at least", "al menos", "au moins", "以上")
_AT_MOST = ("at most", "como máximo", "au plus")
_SHOWN = 20
_FENCE = regex.compile(r"\s*+```[a-zA-Z]*+\s")
_HYPHENATED = regex.compile(r"\w+(?:-\w+)*")

Number = Annotated[int, Field(ge=0, le=1_000_000)]
Positive = Annotated[int, Field(ge=1, le=1_000_000)]


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("may not be empty")
    return text


def _one_character(text: str) -> str:
    if len(text.strip()) != 1:
        raise ValueError("must be one character")
    return text.strip()


def _some(values: list[str]) -> list[str]:
    if not values:
        raise ValueError("may not be an empty list")
    return values


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Text = Annotated[str, AfterValidator(_not_blank)]
Character = Annotated[str, AfterValidator(_one_character)]
Texts = Annotated[list[Text], BeforeValidator(_listed), AfterValidator(_some)]
Language = Annotated[str, AfterValidator(known)]


def instruction(name: str, *languages: str) -> Callable[[CheckFunction], CheckFunction]:
    """Register a rule under an IFEval id, for each of the languages (`en` has no prefix). A blank
    answer follows no instruction."""

    def register(rule: CheckFunction) -> CheckFunction:
        @functools.wraps(rule)
        def guarded(case: Case, answer: Answer, **arguments: object) -> Result:
            if not answer.text.strip():
                return verdict(False, "the answer is empty")
            return rule(case, answer, **arguments)

        for language in languages or ("en",):
            check(
                group="ifeval", name=name if language == "en" else f"{language}:{name}", version=2
            )(guarded)
        return guarded

    return register


def holds(count: int, relation: str, limit: int) -> bool:
    """Whether a count stands in the relation to the limit."""
    if relation in _AT_LEAST:
        return count >= limit
    return count <= limit if relation in _AT_MOST else count < limit


def related(count: int, relation: str, limit: int, what: str, spans: Iterable[Span] = ()) -> Result:
    """The verdict on a count. `spans`: what was counted, evidence when it is too much."""
    passed = holds(count, relation, limit)
    evidence = () if passed or relation in _AT_LEAST else tuple(spans)[:_SHOWN]
    return verdict(passed, f"{count} {what}; expected {relation} {limit}", *evidence)


def exactly(count: int, limit: int, what: str, spans: Iterable[Span] = ()) -> Result:
    """The verdict on a count that must be met."""
    passed = count == limit
    return verdict(
        passed, f"{count} {what}; expected {limit}", *(() if passed else tuple(spans)[:_SHOWN])
    )


def spans_of(pattern: "regex.Pattern[str]", text: str, message: str) -> list[Span]:
    """Every match as evidence."""
    return [Span(m.start(), m.end(), message, "ifeval") for m in pattern.finditer(text)]


def filled(pattern: "regex.Pattern[str]", text: str) -> list[Span]:
    """Every match that has something between its marks, in one of its groups."""
    hits = (
        match
        for match in pattern.finditer(text)
        if any(group and group.strip() for group in match.groups())
    )
    return [Span(match.start(), match.end(), "found", "ifeval") for match in hits]


def words_with(letters: str, text: str) -> list[Span]:
    """Every word, hyphens included, with one of the letters, whatever its case."""
    expected = frozenset(letters)
    hits = (
        match for match in _HYPHENATED.finditer(text) if not expected.isdisjoint(match[0].lower())
    )
    return [Span(match.start(), match.end(), f"has one of {letters}", "ifeval") for match in hits]


def none_of(pattern: "regex.Pattern[str]", text: str, what: str) -> Result:
    """Passes when nothing matches."""
    hits = spans_of(pattern, text, what)
    return verdict(not hits, f"{len(hits)} {what}" if hits else f"no {what}", *hits[:_SHOWN])


def keyword(word: str, *, whole: bool) -> "regex.Pattern[str]":
    """A keyword, whatever its case. `whole`: not inside a longer word."""
    literal = regex.escape(word.strip(), literal_spaces=True)
    return regex.compile(rf"(?<!\w){literal}(?!\w)" if whole else literal, regex.IGNORECASE)


def without_fence(text: str) -> Piece:
    """The text without a Markdown fence around it, closed or not; by its ends, as one pattern would
    take quadratic time.
    """
    opening = _FENCE.match(text)
    start = opening.end() if opening else 0
    end = len(text.rstrip())
    if text.endswith("```", start, end):
        end -= 3
    return trim(Piece(text[start : max(start, end)], start, max(start, end)))


def reads_as(text: str, expected: str) -> tuple[bool | None, str]:
    """Whether the text is in the language, and the reason. None: too short to tell."""
    guess = identify(text, (expected,))
    if guess is None:
        return None, "too few words to identify the language"
    return matches(
        guess, expected
    ), f"reads as {guess.language} ({guess.probability:.2f}); expected {expected}"
