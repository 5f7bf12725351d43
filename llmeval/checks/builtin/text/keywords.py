"""Keywords as whole words: `art` is not in `start`.

A word ends where a letter, digit or mark meets something else. Scripts that write no spaces, or
join particles to the noun (Han, Kana, Hangul, Thai, Lao, Khmer, Burmese), have no such ends to go
by, and any place counts there.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator

from llmeval.checks.arguments import MAX_SPANS, Count, Most, Text, Texts, clip, counted
from llmeval.checks.base import Result, check, graded
from llmeval.checks.reading.payload import MAX_CHARS, too_long
from llmeval.core.errors import CheckError
from llmeval.core.records import Answer, Case, Span

if TYPE_CHECKING:
    import regex

LEMMA_CHARS = 400_000
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_ALIKE = {" ": r"\s", "'": "['’]", "’": "['’]", "-": r"[\-‑]"}


def _language(code: str) -> str:
    if not (code.isalpha() and code.islower() and 2 <= len(code) <= 3):
        raise ValueError("expected a language code, such as en or de")
    return code


Language = Annotated[str, AfterValidator(_language)]


@check(group="strings", version=2)
def keyword(
    case: Case,
    answer: Answer,
    *,
    word: Text,
    exactly: Count | None = None,
    min: Count = 1,
    max: Most = None,
    ignore_case: bool = True,
    lemma: Language | None = None,
) -> Result:
    """`word` stands in the answer as a whole word (or several), so many times.

    `lemma`: a language code; inflected forms count too then (`wars` for `war`).
    """
    matches = list(_places(answer.text, word, ignore_case, lemma))
    spans = (
        Span(start, end, f"keyword {clip(word)}", "keyword", "info")
        for start, end in matches[:MAX_SPANS]
    )
    return counted(len(matches), f"time {clip(word)}|times {clip(word)}", exactly, min, max, *spans)


@check(group="strings", version=2)
def keywords(
    case: Case,
    answer: Answer,
    *,
    words: Texts,
    ignore_case: bool = True,
    lemma: Language | None = None,
) -> Result:
    """Every one of `words` stands in the answer as a whole word; the value is the share that
    does.
    """
    matches = {word: next(_places(answer.text, word, ignore_case, lemma), None) for word in words}
    spans = [
        Span(*place, "keyword", "keywords", "info")
        for place in matches.values()
        if place is not None
    ]
    missing = [word for word, place in matches.items() if place is None]
    reason = (
        f"does not have {', '.join(map(clip, missing[:10]))}"
        if missing
        else f"has all {len(words)} keywords"
    )
    return graded(len(spans) / len(words), not missing, reason, *spans[:MAX_SPANS])


def _places(
    text: str, word: str, ignore_case: bool, lemma: str | None
) -> Iterator[tuple[int, int]]:
    """Where the word stands as a whole word, first to last."""
    too_long(text, MAX_CHARS if lemma is None else LEMMA_CHARS, "words")
    if lemma is not None:
        yield from _inflected(text, word, lemma)
        return
    for match in _whole_word(word, ignore_case).finditer(text):
        yield match.start(), match.end()


@lru_cache(maxsize=512)
def _whole_word(word: str, ignore_case: bool) -> "regex.Pattern[str]":
    import regex

    spaced = rf"[[\w\p{{M}}]--[{_UNSPACED}]]"
    joined = rf"(?V1)[{_UNSPACED}]"
    before = "" if regex.match(joined, word[0]) else rf"(?<!{spaced})"
    after = "" if regex.match(joined, word[-1]) else rf"(?!{spaced})"
    literal = "".join(_ALIKE.get(letter) or regex.escape(letter) for letter in word)
    return regex.compile(rf"(?V1){before}{literal}{after}", regex.IGNORECASE if ignore_case else 0)


def _inflected(text: str, word: str, language: str) -> Iterator[tuple[int, int]]:
    """Where the word stands in any inflected form.

    Raises:
        CheckError: the lemmas of the language are not there.
    """
    from llmeval.checks.reading.text import words

    expected = [_lemma(piece.text, language) for piece in words(word)]
    matches = words(text)
    valid = {form: _lemma(form, language) for form in {piece.text for piece in matches}}
    lemmas = [valid[piece.text] for piece in matches]
    for index in range(len(matches) - len(expected) + 1):
        if expected and lemmas[index : index + len(expected)] == expected:
            yield matches[index].start, matches[index + len(expected) - 1].end


def _lemma(word: str, language: str) -> str:
    try:
        import simplemma
    except ImportError:
        raise CheckError("lemmas need the package simplemma") from None
    try:
        return str(simplemma.lemmatize(word, lang=language)).casefold()
    except ValueError:
        raise CheckError(f"no lemmas for the language {language!r}") from None
