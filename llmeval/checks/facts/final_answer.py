"""What an answer gives as its final answer: `\\boxed{...}`, `#### 42`, "The answer is ...", in
several languages.

What stands elsewhere in such a text is working, a check or an option that was looked at.
"""

from typing import NamedTuple

import regex

from llmeval.checks.facts.hedging_cues import RETRACT
from llmeval.checks.facts.screened import screened
from llmeval.checks.facts.tokens import STOPWORDS, Tokens

_BOXED = regex.compile(r"\\boxed\s?\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}")
_HASHES = regex.compile(r"^\s*####\s*([^\n]+)", regex.MULTILINE)
_SAID = screened(
    r"(?<![\p{L}\p{N}])(?:"
    r"final\s?:|(?:(?:the|my|our|so\sthe|thus\sthe)\s)?(?:(?:final|correct|right|actual|true"
    r"|overall)\s){0,2}(?:answer|result|solution)"
    r"(?:\sto\s(?:the|this|your)\s\w+)?\s?(?:(?:is|was|should\sbe|would\sbe|must\sbe)\b"
    r"|[:=])(?:\sthat)?"
    r"|the\s(?:total|sum|grand\stotal)\s(?:is|comes\sto|equals)|(?<=^|\n)(?-i:A):"
    r"|(?:die\s)?(?:(?:endgültige|richtige|korrekte|finale)\s)?antwort\s?(?:(?:lautet|ist)\b|:)"
    r"|(?:end)?ergebnis\s?(?:ist\b|:)"
    r"|(?:richtig|korrekt)\sist(?:\s(?:aber|jedoch))?"
    r"|(?:la\s)?(?:bonne\s)?réponse(?:\s(?:finale|correcte|exacte))?\s?(?:est\b|:)"
    r"|(?:la\s)?respuesta(?:\s(?:final|correcta))?\s?(?:es\b|:)|(?:la\s)?risposta(?:\s(?:finale"
    r"|corretta|giusta))?\s?(?:è|:)"
    r"|(?:a\s)?resposta(?:\s(?:final|correta|certa))?\s?(?:é|:)|(?:het\s)?(?:(?:juiste"
    r"|uiteindelijke)\s)?antwoord\s?(?:is\b|:)"
    r"|(?:最终|正确)?答案(?:是|为|：|:)|(?:最終的な)?答えは|正解は"
    r")",
    regex.IGNORECASE,
)
_STOP = regex.compile(r"[.!?](?=\s|$)(?<!\b(?:Dr|Mr|Mrs|Ms|St|vs|No|a\.m|p\.m)\.)|\n|。|\(")
_INITIAL = regex.compile(r"(?<![\p{L}\d])\p{Lu}$")
_GOES_ON = regex.compile(r"\.\s{1,2}(?P<word>\p{Lu}[\p{L}'’-]*)")
_MARKS = " \t*_:\"'“”«»`$=\n"
_MAX = 200


class Final(NamedTuple):
    """The stretch [start, end) that is given as the final answer. `marked`: by a form that is used
    for nothing else."""

    start: int
    end: int
    marked: bool = True


def final_answer(words: Tokens) -> Final | None:
    """The last thing that the text gives as its final answer; None where it gives none in so many
    words."""
    raw = words.raw
    if not raw:
        return None
    result = [Final(*m.span(1)) for m in _BOXED.finditer(raw)] or [
        Final(*m.span(1)) for m in _HASHES.finditer(raw)
    ]
    if result:
        return result[-1]
    last = None
    for match in _SAID.finditer(raw):
        start = match.end()
        while start < len(raw) and raw[start] in _MARKS:
            start += 1
        end = _end(raw, start, min(len(raw), start + _MAX))
        if end > start and Tokens(raw[start:end]).forms:
            last = Final(start, end, "final" in match[0].casefold() or match[0].endswith(":"))
    return _corrected(raw, last)


def _end(raw: str, start: int, limit: int) -> int:
    """Where the sentence that starts at `start` ends; the full stop of an initial, as in `J. S.
    Bach`, does not end it."""
    for stop in _STOP.finditer(raw, start, limit):
        name = _GOES_ON.match(raw, stop.start())
        initial = _INITIAL.search(raw, max(0, stop.start() - 2), stop.start())
        word = name["word"] if name is not None and initial is not None else ""
        if not word or (len(word) > 1 and word.casefold() in STOPWORDS):
            return int(stop.start())
    return limit


def _corrected(raw: str, last: Final | None) -> Final | None:
    """The value after a correction of the final answer: `The answer is 18. No, wait, 19.`"""
    if last is None:
        return None
    retracted = list(RETRACT.finditer(raw, last.start, min(len(raw), last.end + _MAX)))
    if not retracted:
        return last
    start = retracted[-1].end()
    while start < len(raw) and raw[start] in _MARKS + ",.;!-–—…，。":
        start += 1
    end = _end(raw, start, len(raw))
    return Final(start, end, last.marked) if Tokens(raw[start:end]).forms else None


def gives_a_value(
    raw: str, final: Final, question: frozenset[str], *, name: bool, number: bool
) -> bool:
    """Whether the final answer holds something like what is expected: a number, a name, or any new
    word of meaning."""
    result = Tokens(raw[final.start : final.end])
    if number:
        return any(form[0].isdigit() for form in result.stems)
    new = [
        i
        for i, s in enumerate(result.stems)
        if s not in question and result.forms[i] not in STOPWORDS
    ]
    if name and not final.marked:
        return any(
            result.raw[result.starts[i]].isupper() or result.stems[i][0].isdigit() for i in new
        )
    return bool(new) and (final.marked or len(result) <= 8)
