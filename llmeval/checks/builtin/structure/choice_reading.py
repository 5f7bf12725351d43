"""Which letter an answer to a multiple-choice question names.

Rules in order of how explicit they are; the first that finds a letter decides, and what later rules
would find (the letters of a reasoning) does not count. A rule that finds several different letters
says so. Nothing is guessed: a last or first capital of a text, which other harnesses fall back on
(MMLU-Pro's scripts, OpenCompass), is not a choice here.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

import regex

from llmeval.checks.reading.text import fold

# Every repeat is bounded, so that reading stays linear. `#` opens no comment here: the patterns are
# not verbose.
_GAP = r"\s{0,20}+"
_DECOR = r"[*_`$\"'“”‘’\s]{0,20}+"
_OPTION = (
    r"(?i:(?:(?:option|choice|answer|letter|opción|opção|opzione|antwort|réponse|respuesta|optie"
    r"|letra|lettera|lettre|buchstabe|вариант)\s{1,9}+|选项|選項)?)"
)
# What may follow a letter that stands bare, so that it is a choice and no word: `B vitamins`, `A
# cat`, `I think`.
_CAUSE = (
    r"(?i:because|since|due\s+to|given|as\s+(?:it|the|this|they|that)|weil|denn|car|parce"
    r"|puisque|porque|ya\s+que"
    r"|perché|poiché|omdat|ponieważ|потому)\b"
)
_GOES_ON = rf"(?:{_CAUSE}|(?i:as|which|where|so|and|or|but|with|based|is|are|oder|und|ou|et|y|o)\b)"
_END = (
    rf"(?=[*_`$\"'“”‘’]{{0,9}}+(?:{_GAP}(?:\Z|\n|[.,:;!?)\]}}。，、；：）<(]|[-–—]+\s)"
    rf"|[\p{{Han}}\p{{Hiragana}}\p{{Hangul}}]))"
    r"(?!\.\w|[)'’]\w)"
)
_SURELY = (
    r"(?:\s+(?:clearly|definitely|probably|most\s+likely|likely|therefore|thus|then|still)){0,3}"
)
_SAID = "|".join(
    (
        r"\b(?:answer|choice|option|letter|solution|response|pick)(?:\s+(?:to|for|here"
        r"|of)\b[^.:\n]{0,60}?)?"
        rf"{_DECOR}(?:(?:is|was|would\s+be|must\s+be|should\s+be|has\s+to\s+be"
        rf"|will\s+be)\b{_SURELY}{_GAP}:?|:|=|->|→|–|—)",
        r"<answer>",
        rf"\b(?:antwort|lösung){_DECOR}(?:ist|lautet|wäre|:){_GAP}:?",
        rf"\bréponse(?:\s+(?:correcte|exacte))?{_DECOR}(?:est|serait|:){_GAP}:?",
        rf"\brespuesta(?:\s+correcta)?{_DECOR}(?:es|sería|:){_GAP}:?",
        rf"\bresposta(?:\s+(?:correta|certa))?{_DECOR}(?:é|:){_GAP}:?",
        rf"\brisposta(?:\s+(?:corretta|giusta|esatta))?{_DECOR}(?:è|:){_GAP}:?",
        rf"\bantwoord{_DECOR}(?:is|:){_GAP}:?",
        rf"\bodpowiedź(?:\s+prawidłowa)?{_DECOR}(?:to|:){_GAP}:?",
        rf"\bответ{_DECOR}(?::|—|–|-|это)",
        rf"(?:答案|正解|解答|答え|答)(?:选项|選項)?(?:应该|應該|应当)?(?:是|为|為|选|選|は)?{_GAP}[:：]?",
        rf"[选選](?:择|擇)?{_GAP}[:：]?",
        rf"(?:정답|답)(?:은|:){_GAP}:?",
        r"\b(?:i|we)(?:['’]d|['’]ll|\s+would|\s+will|\s+have\s+to)?\s+(?:choose|pick|select"
        r"|go\s+with|say|answer|opt\s+for)",
        r"\b(?:it|this|that)(?:['’]s|\s+is|\s+must\s+be|\s+has\s+to\s+be)",
        r"\b(?:therefore|thus|hence|so),?",
        r"(?:\A|\n)[^\S\n]{0,9}+A[^\S\n]?[:：]",
    )
)
_RIGHT = (
    r"(?i:(?:is|are|ist|est|es|è|é|to)\s+(?:the\s+|die\s+|la\s+|my\s+)?(?:most\s+likely\s+)?"
    r"(?:correct|right|true|best|answer|choice|richtig|korrekt|bonne|correcta|corretta|giusta"
    r"|exacte)\b"
    r"|是(?:正确|對|对|正確)|正确|正確|が正(?:しい|解))"
)
_WRONG = (
    r"(?!\s+(?i:(?:is|are|was|would\s+be)\s+(?:not|wrong|incorrect|false|never|out)|(?:isn|aren"
    r"|can)['’]t)\b)"
)
_NEGATED = regex.compile(
    r"(?:\b(?:not|neither|never|nor|nicht|keine?|pas|no|non)\b|n['’]t\b|不是|不选"
    r"|ではない)[^.!?\n。,;:]{0,40}\Z",
    regex.IGNORECASE,
)
_STATED = regex.compile(
    rf"\A\W{{0,20}}+(?:the\s+)?(?:(?:correct|right|best|final)\s+)*(?:{_SAID})", regex.IGNORECASE
)


class NamedLetter(NamedTuple):
    """A letter, and where the text names it."""

    letter: str
    start: int
    end: int


class ChoiceReading(NamedTuple):
    """What a text names: each letter once, and the rule that read it; nothing where no rule did."""

    named: tuple[NamedLetter, ...]
    rule: str


def read_choice(text: str, letters: str, options: Mapping[str, str] | None = None) -> ChoiceReading:
    """The letter that a text names.

    Args:
        text: an answer.
        letters: those allowed, as in `ABCD`.
        options: their texts by letter, where they are known.
    """
    valid = {letter: _plain(option) for letter, option in (options or {}).items()}
    for rule, pattern in _rules(letters).items():
        matches = [one for match in pattern.finditer(text) for one in _named(match, text, rule)]
        if matches:
            return ChoiceReading(_once([*matches, *_contradicted(matches, text, valid)]), rule)
    return ChoiceReading(_once(_by_text(text, valid)), "option's text")


@lru_cache(maxsize=64)
def _rules(letters: str) -> "dict[str, regex.Pattern[str]]":
    """The rules by name, the most explicit first."""
    # A and I are words, too: what may follow them is told more narrowly.
    words, others = _set(c for c in letters if c in "AI"), _set(c for c in letters if c not in "AI")
    capital, both = _set(letters), _set(letters + letters.lower())
    # a, e, i, o and y are words of the languages read.
    small = _set(c for c in letters.lower() if c not in "aeioy")
    others_both = _set(c for c in letters + letters.lower() if c not in "AIai")
    bracketed = rf"[(\[{{（【]{_DECOR}(?P<L>{both}){_DECOR}[)\]}}）】]"
    joint = r"(?:(?:,\s?)?\b(?i:or|and|oder|und|ou|et|y|o)\b|[/&,、]|或|和)"
    token = (
        rf"(?:{bracketed}|(?P<L>{both}){_END}|(?P<L>{others_both})(?=\s+{_GOES_ON})"
        rf"|(?P<L>{words})(?=\s+(?:{_CAUSE}|{joint}\s{capital}\b))"
        rf"|(?P<L>{others})(?=\s+[\p{{Lu}}\d]))"
    )
    joined = rf"[*_`)\]]{{0,6}}+(?:{_GAP}{joint}{_GAP}{_OPTION}{_DECOR}{token}){{0,25}}+"
    lead = (
        rf"(?:{bracketed}|(?P<L>{both})[).:、．](?=[\s*]|\Z)"
        rf"|(?P<L>{both})(?=[*_`$\"'”]{{0,6}}+[^\S\n]{{0,20}}+(?:\Z|\n))"
        rf"|(?P<L>{small})(?=\s+{_CAUSE})"
        rf"|(?P<L>{capital})(?=\s+{_CAUSE}|[*_`]{{0,6}}+(?:,\s|\s+[-–—]|\s+(?i:or"
        rf"|and)\s+{capital}\b))"
        rf"|(?<=\*\*)(?P<L>{both})(?=\*\*))"
    )
    emphasised = rf"(?<![\w*])\*\*(?P<L>{capital})\*\*(?![\w*])"
    wrapped = r"(?:\s|\\(?:text|textbf|mathrm|mathbf)\s?\{|[({]){0,6}+"
    start = r"(?:\A|(?<=\n))[^\S\n]{0,20}+(?:[>#]{1,6}\s)?[*_`$\"'“]{0,6}+"
    stated_of = (
        r"(?<=(?:\A|[.!?:;,\n(*]\s?|\b(?i:option|choice|answer|letter|that|think|believe|so|thus"
        r"|hence)\s)[*_`\"'“]{0,3})"
    )
    patterns = {
        "boxed": rf"\\f?boxed\s?\{{{wrapped}(?P<L>{both})(?!\w)",
        "stated": rf"(?i:{_SAID}){_DECOR}(?i:either\s+|the\s+letter\s+|l[ae]\s+"
        rf"|die\s+|der\s+|a\s+(?=letra)|de\s+)?{_OPTION}{_DECOR}{token}{joined}"
        rf"|{stated_of}(?:{bracketed}|(?P<L>{capital}))[*_`\"'”’)]{{0,6}}+{_GAP}{_RIGHT}",
        "leads a line": rf"{start}(?:[-•]\s)?{_OPTION}{_DECOR}{lead}{_WRONG}{joined}",
        "in brackets": rf"(?<![\w)\]]){bracketed}(?![\w(]){_WRONG}|{emphasised}",
    }
    return {name: regex.compile(pattern) for name, pattern in patterns.items()}


def _set(letters: Iterable[str]) -> str:
    """A class of these letters; one that never matches where there are none."""
    members = "".join(letters)
    return f"[{members}]" if members else "(?!)"


def _named(match: "regex.Match[str]", text: str, rule: str) -> Iterator[NamedLetter]:
    if rule != "boxed" and _NEGATED.search(text, max(0, match.start() - 60), match.start()):
        return
    for letter, (start, end) in zip(match.captures("L"), match.spans("L"), strict=True):
        yield NamedLetter(letter.upper(), start, end)


def _once(named: Iterable[NamedLetter]) -> tuple[NamedLetter, ...]:
    """Each letter where it is first named, in order."""
    first: dict[str, NamedLetter] = {}
    for one in sorted(named, key=lambda each: each.start):
        first.setdefault(one.letter, one)
    return tuple(first.values())


def _contradicted(
    matches: list[NamedLetter], text: str, valid: Mapping[str, str]
) -> Iterator[NamedLetter]:
    """Other options whose text stands right after a letter: `B) Lyon` where Lyon is A."""
    for one in matches if valid else ():
        rest = _plain(text[one.end : one.end + 500].lstrip("*_`)]}.:-–— \t").partition("\n")[0])
        for letter, option in valid.items():
            if option and option == rest and valid.get(one.letter) != rest:
                yield NamedLetter(letter, one.end, one.end + 1)


def _by_text(text: str, valid: Mapping[str, str]) -> Iterator[NamedLetter]:
    """The options whose text is the whole answer, or all that follows `the answer is`."""
    start, body = len(text) - len(text.lstrip()), text.strip()
    if not valid or not body or len(body) > 5000:
        return
    actual = {_plain(body), _plain(_STATED.sub("", body, count=1))}
    for letter, option in valid.items():
        if option and option in actual:
            yield NamedLetter(letter, start, start + len(body))


def _plain(text: str) -> str:
    return fold(text.strip("*_`\"'“”‘’.,;:!?()[] \t\n"))
