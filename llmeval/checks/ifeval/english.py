"""The 25 IFEval instructions by their public ids, and those of M-IFEval that are the same in other
languages.

What differs by language is in `ifeval_es`, `ifeval_fr`, `ifeval_ja`.
"""

import json

import regex

from llmeval.checks.base import Result, not_applicable, verdict
from llmeval.checks.builtin.text.language import UNDETERMINED, identify, matches
from llmeval.checks.ifeval.instructions import (
    Character,
    Language,
    Number,
    Positive,
    Relation,
    Text,
    Texts,
    exactly,
    filled,
    instruction,
    keyword,
    none_of,
    reads_as,
    related,
    spans_of,
    without_fence,
)
from llmeval.checks.reading.sentences import split
from llmeval.checks.reading.text import Piece, lines, number_of, stripped, trim
from llmeval.core.records import Answer, Case, Span

_WORD = regex.compile(r"\w+")
# An opening mark without a closing one takes the rest of its line, so that a text full of them is
# read once.
_PLACEHOLDER = regex.compile(r"\[[^\]\n]*+(\]?)")
_BULLET = regex.compile(r"^[^\S\n]*(?:\*(?!\*)|-(?!-))[^\n]+", regex.MULTILINE)
_HIGHLIGHT = regex.compile(r"\*\*([^\n*]*+)\*\*|\*([^\n*]*+)\*")
_COMMA = regex.compile(",")
_NUMERAL = r"\s?(?:\d+|[IVXLC]+\b)"
_STOP = regex.compile(
    r"(?r)[.!?…‽。！？।](?:[\"'”’»›)\]}」』*_]|[^\S\n]?\[\^?\d[\d,;– -]{0,30}\])*+"
)
_TOKEN = regex.compile(r"[^\s;@#$%&?!\[\](){}<>\"“”«»,:/—]+")
_MARKS = "\"'“”‘’«»*_#.,:;!?()[]{}¿¡-–— "
_OPTIONS = ("My answer is yes.", "My answer is no.", "My answer is maybe.")


@instruction("keywords:existence", "en", "es", "fr")
def existence(case: Case, answer: Answer, *, keywords: Texts, whole_words: bool = False) -> Result:
    """Every keyword is in the answer, whatever its case; also inside words, unless
    `whole_words`.
    """
    missing = [
        word for word in keywords if not keyword(word, whole=whole_words).search(answer.text)
    ]
    return verdict(
        not missing, f"missing: {', '.join(missing)}" if missing else "every keyword is there"
    )


@instruction("keywords:frequency", "en", "es", "fr")
def frequency(
    case: Case,
    answer: Answer,
    *,
    keyword: Text,
    frequency: Number,
    relation: Relation,
    whole_words: bool = False,
) -> Result:
    """How often the keyword occurs, whatever its case; also inside words, unless `whole_words`."""
    hits = spans_of(_keyword(keyword, whole=whole_words), answer.text, "keyword")
    return related(len(hits), relation, frequency, f"times {keyword!r}", hits)


_keyword = keyword


@instruction("keywords:forbidden_words", "en", "es", "fr")
def forbidden_words(case: Case, answer: Answer, *, forbidden_words: Texts) -> Result:
    """None of the words is in the answer as a whole word, whatever its case."""
    hits = [
        span
        for word in forbidden_words
        for span in spans_of(keyword(word, whole=True), answer.text, "forbidden")
    ]
    if not hits:
        return verdict(True, "no forbidden word")
    return verdict(False, f"forbidden: {answer.text[hits[0].start : hits[0].end]!r}", *hits[:20])


@instruction("keywords:letter_frequency", "en", "es", "fr")
def letter_frequency(
    case: Case, answer: Answer, *, letter: Character, let_frequency: Number, let_relation: Relation
) -> Result:
    """How often the letter, or any other character, occurs, whatever its case."""
    return related(
        answer.text.lower().count(letter.lower()),
        let_relation,
        let_frequency,
        f"times the letter {letter!r}",
    )


@instruction("language:response_language", "en", "es", "fr", "ja")
def response_language(case: Case, answer: Answer, *, language: Language) -> Result:
    """The answer is written in the language."""
    right, reason = reads_as(answer.text, language)
    return not_applicable(reason) if right is None else verdict(right, reason)


@instruction("length_constraints:number_sentences", "en", "es", "fr")
def number_sentences(
    case: Case, answer: Answer, *, num_sentences: Number, relation: Relation
) -> Result:
    """The number of sentences; a title, heading or item without a stop belongs to the sentence
    after it.
    """
    ended = [_STOP.match(answer.text, start, end) is not None for start, end in split(answer.text)]
    open_end = 1 if ended and not ended[-1] else 0
    return related(sum(ended) + open_end, relation, num_sentences, "sentences")


@instruction("length_constraints:number_paragraphs", "en", "es", "fr", "ja")
def number_paragraphs(case: Case, answer: Answer, *, num_paragraphs: Number) -> Result:
    """Exactly this many paragraphs, separated by the divider `***`; an empty one between two
    dividers is wrong.
    """
    parts = [part.strip() for part in answer.text.split("***")]
    if any(not part for part in parts[1:-1]):
        return verdict(False, "there is nothing between two dividers")
    return exactly(
        len([part for part in parts if part]), num_paragraphs, "paragraphs separated by ***"
    )


@instruction("length_constraints:number_words", "en", "es", "fr")
def number_words(case: Case, answer: Answer, *, num_words: Number, relation: Relation) -> Result:
    """The number of words, here runs of letters and digits: `well-known` is two."""
    return related(sum(1 for _ in _WORD.finditer(answer.text)), relation, num_words, "words")


@instruction("length_constraints:nth_paragraph_first_word", "en", "es", "fr")
def nth_paragraph_first_word(
    case: Case,
    answer: Answer,
    *,
    num_paragraphs: Positive,
    nth_paragraph: Positive,
    first_word: Text,
) -> Result:
    """Exactly this many paragraphs, separated by blank lines, and the nth starts with the word or
    phrase.
    """
    parts = [part.strip() for part in answer.text.split("\n\n") if part.strip()]
    if len(parts) != num_paragraphs:
        return exactly(len(parts), num_paragraphs, "paragraphs")
    if nth_paragraph > num_paragraphs:
        return verdict(False, f"there is no paragraph {nth_paragraph} of {num_paragraphs}")
    start = parts[nth_paragraph - 1].lstrip(_MARKS).lower()
    right = bool(
        regex.match(rf"{regex.escape(first_word.strip(_MARKS).lower())}(?![\w’'-])", start)
    )
    return verdict(
        right,
        f"paragraph {nth_paragraph} starts with {(start.split() or [''])[0]!r}; expected "
        f"{first_word!r}",
    )


@instruction("detectable_content:number_placeholders", "en", "es", "fr", "ja")
def number_placeholders(
    case: Case, answer: Answer, *, num_placeholders: Number, relation: Relation = "at least"
) -> Result:
    """At least (or as `relation` says) this many placeholders in square brackets."""
    closed = (match for match in _PLACEHOLDER.finditer(answer.text) if match[1])
    hits = [Span(match.start(), match.end(), "placeholder", "ifeval") for match in closed]
    return related(len(hits), relation, num_placeholders, "placeholders", hits)


@instruction("detectable_content:postscript", "en", "es", "fr", "ja")
def postscript(case: Case, answer: Answer, *, postscript_marker: Text) -> Result:
    """There is a postscript that starts with the marker; white space inside `P. S.` and case don't
    count.
    """
    letters = [
        regex.escape(part) for part in regex.split(r"(?<=\.)\s*", postscript_marker.strip()) if part
    ]
    match = regex.search(r"(?<![\w.])" + r"\s?".join(letters), answer.text, regex.IGNORECASE)
    return verdict(
        match is not None, f"{'there is' if match else 'no'} postscript with {postscript_marker!r}"
    )


@instruction("detectable_format:number_bullet_lists", "en", "fr")
def number_bullet_lists(case: Case, answer: Answer, *, num_bullets: Number) -> Result:
    """Exactly this many bullet points, lines that start with `*` or `-`."""
    hits = spans_of(_BULLET, answer.text, "bullet")
    return exactly(len(hits), num_bullets, "bullet points", hits)


def one_option(answer: Answer, options: tuple[str, ...]) -> Result:
    """Whether the answer holds one of the options, word for word."""
    hit = [option for option in options if option in answer.text]
    return verdict(
        bool(hit), f"the answer says {hit[0]!r}" if hit else f"none of {', '.join(options)}"
    )


@instruction("detectable_format:constrained_response", "en")
def constrained_response(case: Case, answer: Answer) -> Result:
    """The answer says `My answer is yes.`, `My answer is no.` or `My answer is maybe.`"""
    return one_option(answer, _OPTIONS)


@instruction("detectable_format:number_highlighted_sections", "en", "es", "fr")
def number_highlighted_sections(
    case: Case, answer: Answer, *, num_highlights: Number, relation: Relation = "at least"
) -> Result:
    """At least (or as `relation` says) this many passages in `*asterisks*` or `**double
    asterisks**`.
    """
    hits = filled(_HIGHLIGHT, answer.text)
    return related(len(hits), relation, num_highlights, "highlighted passages", hits)


@instruction("detectable_format:multiple_sections", "en", "es", "fr")
def multiple_sections(
    case: Case,
    answer: Answer,
    *,
    section_spliter: Text,
    num_sections: Number,
    relation: Relation = "at least",
) -> Result:
    """At least (or as `relation` says) this many sections, marked by the word and a number, also a
    Roman one.
    """
    heads = regex.findall(rf"(?<!\w){regex.escape(section_spliter.strip())}{_NUMERAL}", answer.text)
    # `Section X` written out five times is the placeholder of the request, not five numbers.
    count = len(heads) if len(set(heads)) > 1 else min(len(heads), 1)
    return related(count, relation, num_sections, f"sections marked {section_spliter!r}")


@instruction("detectable_format:json_format", "en", "es", "fr", "ja")
def json_format(case: Case, answer: Answer) -> Result:
    """The whole answer is JSON; a Markdown fence around it is allowed."""
    try:
        json.loads(without_fence(answer.text).text)
    except ValueError as error:
        return verdict(False, f"not JSON: {str(error)[:200]}")
    except RecursionError:
        return verdict(False, "not JSON: nested too deeply")
    return verdict(True, "valid JSON")


def titled(answer: Answer, opening: str, closing: str) -> Result:
    """Whether a line holds some text between the two marks."""
    for line in lines(answer.text):
        start = line.text.find(opening)
        end = line.text.rfind(closing)
        inside = (
            line.text[start + len(opening) : end].strip(opening + closing + " ")
            if 0 <= start < end
            else ""
        )
        if inside:
            return verdict(True, f"the title is {inside[:100]!r}")
    return verdict(False, f"no title in {opening} {closing}")


@instruction("detectable_format:title", "en", "es")
def title(case: Case, answer: Answer) -> Result:
    """There is a title in double angular brackets: `<<poem of joy>>`."""
    return titled(answer, "<<", ">>")


@instruction("combination:two_responses", "en", "es", "fr", "ja")
def two_responses(case: Case, answer: Answer) -> Result:
    """Two different responses with `******` between them."""
    parts = [part.strip() for part in answer.text.split("******")]
    if any(not part for part in parts[1:-1]):
        return verdict(False, "there is nothing between two separators")
    hits = [part for part in parts if part]
    if len(hits) != 2:
        return verdict(False, f"{number_of(len(hits), 'response')} separated by ******; expected 2")
    return verdict(
        hits[0] != hits[1],
        "two responses" if hits[0] != hits[1] else "both responses are the same",
    )


@instruction("combination:repeat_prompt", "en", "es", "fr", "ja")
def repeat_prompt(case: Case, answer: Answer, *, prompt_to_repeat: Text) -> Result:
    """The answer starts with the request, word for word, whatever its case."""
    right = stripped(answer.text).text.lower().startswith(prompt_to_repeat.strip().lower())
    return verdict(right, f"the answer {'starts' if right else 'does not start'} with the request")


@instruction("startend:end_checker", "en", "fr")
def end_checker(case: Case, answer: Answer, *, end_phrase: Text) -> Result:
    """The answer ends with the phrase, whatever its case; a quotation mark may follow."""
    return ending(answer, end_phrase, '"')


def ending(answer: Answer, phrase: str, marks: str) -> Result:
    """Whether the answer ends with the phrase, but for some of `marks`."""
    end, expected = answer.text.strip().lower(), phrase.strip().lower()
    right = end.strip(marks).endswith(expected) or end.endswith(expected)
    return verdict(right, f"the answer {'ends' if right else 'does not end'} with {phrase!r}")


def capital_words(text: str) -> list[Piece]:
    """Words all in capitals, single letters among them; a word with hyphens is one."""
    hits = (Piece(m[0], m.start(), m.end()) for m in _TOKEN.finditer(text))
    return [piece for piece in hits if piece.text.isupper()]


@instruction("change_case:capital_word_frequency", "en", "es", "fr")
def capital_word_frequency(
    case: Case, answer: Answer, *, capital_frequency: Number, capital_relation: Relation
) -> Result:
    """The number of words all in capitals; `I` and `A` are such words."""
    hits = capital_words(answer.text)
    spans = (trim(piece).span("in capitals", "ifeval") for piece in hits)
    return related(len(hits), capital_relation, capital_frequency, "words in capitals", spans)


def cased(answer: Answer, *, upper: bool, language: str) -> Result:
    """Whether the answer is all in one case and in the language; lists of names, in no clear
    language, are.
    """
    right = answer.text.isupper() if upper else answer.text.islower()
    if not right:
        return verdict(False, f"not all in {'capitals' if upper else 'small letters'}")
    guess = identify(answer.text.lower(), (language,))
    if guess is None or guess.language == UNDETERMINED or matches(guess, language):
        return verdict(True, "case and language are right")
    return verdict(
        False, f"reads as {guess.language} ({guess.probability:.2f}); expected {language}"
    )


@instruction("change_case:english_capital", "en")
def english_capital(case: Case, answer: Answer) -> Result:
    """The answer is in English and all in capitals."""
    return cased(answer, upper=True, language="en")


@instruction("change_case:english_lowercase", "en")
def english_lowercase(case: Case, answer: Answer) -> Result:
    """The answer is in English and all in small letters."""
    return cased(answer, upper=False, language="en")


@instruction("punctuation:no_comma", "en", "es", "fr")
def no_comma(case: Case, answer: Answer) -> Result:
    """There is no comma."""
    return none_of(_COMMA, answer.text, "commas")


@instruction("startend:quotation", "en", "es")
def quotation(case: Case, answer: Answer) -> Result:
    """The whole answer stands in double quotation marks."""
    body = answer.text.strip()
    right = len(body) > 1 and body[0] == '"' == body[-1]
    return verdict(
        right, f"the answer {'is' if right else 'is not'} wrapped in double quotation marks"
    )
