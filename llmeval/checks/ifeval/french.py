"""The M-IFEval instructions that are for French alone."""

import unicodedata
from typing import Annotated

import regex
from pydantic import AfterValidator

from llmeval.checks.base import Result, verdict
from llmeval.checks.ifeval.english import cased, one_option, titled
from llmeval.checks.ifeval.instructions import Character, instruction, none_of, spans_of
from llmeval.core.records import Answer, Case, Span

_TU = regex.compile(r"(?i)(?<!\w)(?:tu|te|toi|ton|ta|tes|t['’](?=\w))(?!\w)|(?<!\w)t['’](?=\w)")
_DIGIT = regex.compile(r"\d")
_ACCENTED = regex.compile(r"[àáâãäåçèéêëìíîïñòóôõöùúûüýÿÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖÙÚÛÜÝ]")
_WORD = regex.compile(r"\w+")
_QUOTES = {'"': '"', "'": "'", "«": "»"}


@instruction("change_case:french_capital", "fr")
def french_capital(case: Case, answer: Answer) -> Result:
    """The answer is in French and all in capitals."""
    return cased(answer, upper=True, language="fr")


@instruction("change_case:french_lowercase", "fr")
def french_lowercase(case: Case, answer: Answer) -> Result:
    """The answer is in French and all in small letters."""
    return cased(answer, upper=False, language="fr")


@instruction("detectable_format:constrained_response", "fr")
def constrained_response(case: Case, answer: Answer) -> Result:
    """The answer says `Oui.`, `Non.` or `Peut-être.`"""
    return one_option(answer, ("Oui.", "Non.", "Peut-être."))


@instruction("detectable_format:title", "fr")
def title(case: Case, answer: Answer) -> Result:
    """There is a title between double number signs: `##hymne à la joie##`."""
    return titled(answer, "##", "##")


@instruction("startend:quotation", "fr")
def quotation(case: Case, answer: Answer) -> Result:
    """The whole answer stands in quotation marks: " ", ' ' or « »."""
    body = answer.text.strip()
    right = len(body) > 1 and _QUOTES.get(body[0]) == body[-1]
    return verdict(right, f"the answer {'is' if right else 'is not'} wrapped in quotation marks")


@instruction("special_character:ethel_or_cedilla", "fr")
def ethel_or_cedilla(case: Case, answer: Answer, *, forbidden_char: Character) -> Result:
    """The character is nowhere in the answer, in either case."""
    return none_of(
        regex.compile(regex.escape(forbidden_char), regex.IGNORECASE),
        answer.text,
        repr(forbidden_char),
    )


@instruction("special_character:no_accents", "fr")
def no_accents(case: Case, answer: Answer) -> Result:
    """No letter has an accent or a cedilla."""
    return none_of(_ACCENTED, answer.text, "accented letters")


def _any_word(words: dict[str, str]) -> dict[str, str]:
    if not words or not all(key.strip() and value.strip() for key, value in words.items()):
        raise ValueError("give at least one word and its accented form")
    return words


@instruction("special_character:accents", "fr")
def accents(
    case: Case,
    answer: Answer,
    *,
    word_to_accentuate: Annotated[dict[str, str], AfterValidator(_any_word)],
) -> Result:
    """Wherever one of the words stands, it has its accents."""
    wrong = []
    for match in _WORD.finditer(answer.text):
        right = word_to_accentuate.get(_bare(match[0]))
        if right is not None and match[0].lower() != right:
            wrong.append(Span(match.start(), match.end(), f"expected {right!r}", "ifeval"))
    return verdict(
        not wrong,
        f"{len(wrong)} words without their accents" if wrong else "the accents are right",
        *wrong,
    )


def _bare(word: str) -> str:
    decomposed = unicodedata.normalize("NFD", word.lower())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


@instruction("detectable_content:informal_address", "fr")
def informal_address(case: Case, answer: Answer) -> Result:
    """The reader is addressed with tu: tu, te, t', toi, ton, ta or tes occurs."""
    matches = spans_of(_TU, answer.text, "tu")
    return verdict(
        bool(matches), "addresses with tu" if matches else "no tu, te, toi, ton, ta or tes"
    )


@instruction("detectable_content:no_digits", "fr")
def no_digits(case: Case, answer: Answer) -> Result:
    """There is no digit."""
    return none_of(_DIGIT, answer.text, "digits")
