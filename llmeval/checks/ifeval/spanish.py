"""The M-IFEval instructions that are for Spanish alone."""

import regex

from llmeval.checks.base import Result, verdict
from llmeval.checks.ifeval.english import cased, ending, one_option
from llmeval.checks.ifeval.instructions import (
    Number,
    Relation,
    Text,
    exactly,
    instruction,
    related,
    spans_of,
    words_with,
)
from llmeval.core.records import Answer, Case

_BULLET = regex.compile(r"^[^\S\n]*\*(?!\*)[^\n]+", regex.MULTILINE)
_QUESTION = regex.compile(r"¿([^?]*+)(\??)")
_EXCLAMATION = regex.compile(r"¡([^!]*+)(!?)")


@instruction("change_case:spanish_capital", "es")
def spanish_capital(case: Case, answer: Answer) -> Result:
    """The answer is in Spanish and all in capitals."""
    return cased(answer, upper=True, language="es")


@instruction("change_case:spanish_lowercase", "es")
def spanish_lowercase(case: Case, answer: Answer) -> Result:
    """The answer is in Spanish and all in small letters."""
    return cased(answer, upper=False, language="es")


@instruction("detectable_format:constrained_response", "es")
def constrained_response(case: Case, answer: Answer) -> Result:
    """The answer says `Sí.`, `No.` or `Quizás.`"""
    return one_option(answer, ("Sí.", "No.", "Quizás."))


@instruction("detectable_format:number_bullet_lists", "es")
def number_bullet_lists(case: Case, answer: Answer, *, num_bullets: Number) -> Result:
    """Exactly this many bullet points, lines that start with `*`."""
    matches = spans_of(_BULLET, answer.text, "bullet")
    return exactly(len(matches), num_bullets, "bullet points", matches)


@instruction("punctuation:question_marks", "es")
def question_marks(case: Case, answer: Answer) -> Result:
    """There is a question between ¿ and ?."""
    matches = _marked(_QUESTION, "¿", answer.text)
    return verdict(matches, "there is a question" if matches else "no question between ¿ and ?")


@instruction("punctuation:exclamation_marks", "es")
def exclamation_marks(case: Case, answer: Answer) -> Result:
    """There is an exclamation between ¡ and !."""
    matches = _marked(_EXCLAMATION, "¡", answer.text)
    return verdict(
        matches, "there is an exclamation" if matches else "no exclamation between ¡ and !"
    )


@instruction("special_character:enie", "es")
def enie(case: Case, answer: Answer, *, let_frequency: Number) -> Result:
    """Exactly this many words with ñ."""
    matches = words_with("ñ", answer.text)
    return exactly(len(matches), let_frequency, "words with ñ", matches)


@instruction("special_character:dieresis", "es")
def dieresis(case: Case, answer: Answer, *, let_frequency: Number) -> Result:
    """Exactly this many words with ü."""
    matches = words_with("ü", answer.text)
    return exactly(len(matches), let_frequency, "words with ü", matches)


@instruction("special_character:tildes", "es")
def tildes(case: Case, answer: Answer, *, num_words: Number, relation: Relation) -> Result:
    """The number of words with an acute accent."""
    matches = words_with("áéíóú", answer.text)
    return related(len(matches), relation, num_words, "words with an accent", matches)


@instruction("startend:end_checker", "es")
def end_checker(case: Case, answer: Answer, *, end_phrase: Text) -> Result:
    """The answer ends with the phrase, whatever its case; marks may follow, but no word."""
    return ending(answer, end_phrase, "\"'”»*_.!,;: ")


def _marked(pattern: "regex.Pattern[str]", opening: str, text: str) -> bool:
    return any(match[2] and match[1].strip(opening + " \n\t") for match in pattern.finditer(text))
