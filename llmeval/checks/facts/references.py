"""What a plain reference is: yes or no, a date, a number or a text, read from how it is written."""

from dataclasses import dataclass

import regex

from llmeval.checks.facts.centuries import centuries
from llmeval.checks.facts.date_values import AMBIGUOUS_MONTHS, MONTHS, Date, Precision
from llmeval.checks.facts.dates import dates
from llmeval.checks.facts.locale import is_month_first, read_numbers
from llmeval.checks.facts.names import Reference
from llmeval.checks.facts.numbers import Number
from llmeval.checks.facts.spelled import OPENERS
from llmeval.checks.facts.times import Time, is_time
from llmeval.checks.facts.tokens import Tokens, fold
from llmeval.checks.facts.units import unit_named
from llmeval.checks.reading.wordlists import word_set

_YES = word_set(
    "yes true correct right yeah yep y ja oui si sim vrai wahr richtig verdadero vero verdadeiro "
    "waar да tak evet はい 是 对"
)
_NO = word_set(
    "no false incorrect wrong nope n nein non nao faux falsch falso nee onwaar нет nie hayir "
    "いいえ 否 不"
)
_LEADING = regex.compile(
    r"\s*(?P<word>yes|no|ja|nein|oui|non|sí|sì|sim|não|nee)\s*[,.:;–—-]\s*\S", regex.IGNORECASE
)
"""A reference that says yes or no, and then more."""
_LOOSE = word_set(
    "about around approximately approx roughly nearly almost over under up more less fewer than at "
    "least most some "
    "c ca circa estimated to a an the in on of by since until till from between and during early "
    "mid late ago "
    "only total per probably average also or was is it exactly just as ad bc bce ce "
    "le la les l der die das den dem el los las lo il gli i o os as het de du des im am nel "
    # bounds and approximations in six other languages
    "mehr als weniger mindestens hochstens uber unter bis zu maximal etwa ungefahr rund plus moins "
    "de au dela superieur inferieur environ mas menos al como minimo maximo superior inferior a "
    "unos piu di meno oltre almeno massimo superiore inferiore circa acima abaixo pelo mais "
    "meer dan minder minstens hoogstens boven onder ongeveer"
)
_WHEN = regex.compile(
    r"\b(?:when|what year|which year|year|date|since|wann|jahr|quand|année|cuándo|año|quando|anno"
    r"|ano|wanneer|jaar)\b",
    regex.IGNORECASE,
)
_MANY = regex.compile(r"\bhow (?:many|much)\b|\bnumber of\b|\bpercent", regex.IGNORECASE)


@dataclass(frozen=True)
class ExpectedValue:
    """One right answer, read. `text` is always set, `dates` and `numbers` both where it may be a
    year or a number."""

    raw: str
    text: Reference
    dates: tuple[Date, ...] = ()
    numbers: tuple[Number, ...] = ()
    boolean: bool | None = None
    time: Time | None = None
    letter: str = ""
    """the option of a multiple-choice question"""
    members: tuple[Reference, ...] = ()
    """what a text lists, all of which is expected"""
    alias: bool = False
    """another name of a reference, which no person wrote"""

    @property
    def kind(self) -> str:
        """date, number, time, letter, boolean or text."""
        if self.boolean is not None and len(self.text.forms) <= 1:
            return "boolean"
        if self.time is not None or self.letter:
            return "time" if self.time else "letter"
        return "date" if self.dates else "number" if self.numbers else "text"


def infer_type(raw: str, question: Tokens, locale: str = "") -> ExpectedValue:
    """The reference read as what its form says it is.

    `question`: the case's question. `locale`: how the reference writes numbers and dates; empty if
    unknown.
    """
    reference = Reference(raw)
    words = Tokens(reference.bare)
    result = _special(raw, reference, words, question.raw)
    if result is not None:
        return result
    counts = any(_may_count(form) for form in words.forms) or any(centuries(words.raw))
    if len(words) <= _TYPED_WORDS and counts:
        result = _counted(raw, reference, words, question, locale)
    return result or ExpectedValue(raw, reference, members=_members(raw))


def _special(raw: str, reference: Reference, words: Tokens, question: str) -> ExpectedValue | None:
    """Yes or no, the letter of an option, a time of the day, `a week`, a month by itself."""
    if len(words) == 1 and words.forms[0] in _YES | _NO:
        return ExpectedValue(raw, reference, boolean=words.forms[0] in _YES)
    if _OPTION.fullmatch(raw):
        return ExpectedValue(raw, reference, letter=raw.strip(" ().:"))
    lasts = _HOW_LONG.search(question) is not None
    time = is_time(raw) if len(raw) <= _TIME_LENGTH and not lasts else None
    if time is not None:
        return ExpectedValue(raw, reference, time=time)
    leading = _LEADING.match(raw)
    if leading:
        return ExpectedValue(raw, reference, boolean=fold(leading["word"]) in _YES)
    if len(words) == 2 and words.forms[0] in ("a", "an") and (unit := unit_named(words.forms[1])):
        return ExpectedValue(raw, reference, numbers=(Number(1, 0, 0, 0, 0, unit),))
    if len(words) == 1 and words.forms[0] in MONTHS.keys() - AMBIGUOUS_MONTHS:
        month = Date(Precision.MONTH, None, MONTHS[words.forms[0]])
        return ExpectedValue(raw, reference, dates=(month,))
    return None


def _counted(
    raw: str, reference: Reference, words: Tokens, question: Tokens, locale: str
) -> ExpectedValue | None:
    """Dates or numbers, where they are all that the reference holds."""
    result = read_numbers(words, locale, question)
    named = dates(words, result, is_month_first(locale))
    if named and _covered(words, [(d.first, d.last) for d in named], frozenset()):
        only_year = all(d.precision is Precision.YEAR for d in named)
        if not (only_year and _MANY.search(question.raw)):
            # 1200 by itself may be a year or a number; the question tells, or else both count.
            both = only_year and len(words) == 1 and not _WHEN.search(question.raw)
            return ExpectedValue(raw, reference, tuple(named), tuple(result) if both else ())
    if result and _covered(words, [(n.first, n.last) for n in result], question.stem_set):
        return ExpectedValue(raw, reference, numbers=tuple(result))
    return None


_HOW_LONG = regex.compile(
    r"\b(?:how\s(?:long|many\shours)|duration|wie\slange|dauer\w*|combien\s(?:de\stemps"
    r"|d['’]heures)"
    r"|dur(?:e|ée)\b|cuánto\s(?:tiempo|dura)|cuántas\shoras|quanto\s(?:tempo|dura)|quante\sore"
    r"|quantas\shoras|hoe\slang)",
    regex.IGNORECASE,
)
"""A question about a duration, to which `2h30` is not a time of the day."""
_TYPED_WORDS = 12
"""A longer reference is a text, whatever numbers it holds."""
_OPTION = regex.compile(r"\s*\(?[A-J]\)?[.:]?\s*")
_TIME_LENGTH = 40
_CONJUNCTION = regex.compile(
    r",?\s+(?:and|&|und|et|y|e|en|och|og)\s+|、|\s*;\s*|和|と", regex.IGNORECASE
)
_LISTED = regex.compile(r"\s*[,;、]\s*(?:(?:and|und|et|y|e|&)\s+)?")
_MEMBER_WORDS = 2


def _members(raw: str) -> tuple[Reference, ...]:
    """What the text lists: `red, green and blue`, `Watson and Crick`; empty where it is one thing.

    Commas alone make a list of four or more, as `Paris, Texas` and `Soho, London, England` are one
    place.
    """
    match = _CONJUNCTION.search(raw)
    parts = [
        part for piece in _CONJUNCTION.split(raw) for part in _LISTED.split(piece) if part.strip()
    ]
    if not 2 <= len(parts) <= 30 or (match is None and len(parts) < 4):
        return ()
    members = tuple(Reference(part) for part in parts)
    if len({member.bare.strip() for member in members}) < len(members):
        return ()  # Johnson & Johnson
    if (
        raw.casefold()
        .lstrip(" \"'")
        .startswith(("between ", "zwischen ", "entre ", "tra ", "fra "))
    ):
        return ()
    short = all(m.content and (len(m.content) <= _MEMBER_WORDS or m.is_name) for m in members)
    return members if short and all(len(m.content) <= 2 * _MEMBER_WORDS for m in members) else ()


_NON_ANSWER = regex.compile(
    r"\W*(?:i\s(?:have\sno\s(?:comment|idea|opinion|answer)|(?:do\snot|don['’]t)\sknow|can(?:not"
    r"|['’]t)\s(?:say|tell|answer))|no\scomment|unknown|n/?a|not\sapplicable"
    r"|(?:the|this)\squestion\s(?:is\s(?:ambiguous|subjective|unclear|wrong)|does(?:n['’]t"
    r"|\snot)\smake\ssense)|it\sdepends(?:\son\s[^,;.]{1,60})?"
    r"|weiß\s(?:ich\s)?nicht|je\sne\ssais\spas|no\s(?:lo\s)?sé|non\s(?:lo\s)?so|não\ssei"
    r"|ik\sweet\s(?:het\s)?niet)\W*",
    regex.IGNORECASE,
)


def is_non_answer(text: str) -> bool:
    """Whether the text declines to answer: "I have no comment", "It depends", "unknown"."""
    return bool(_NON_ANSWER.fullmatch(text[:200]))


def _may_count(form: str) -> bool:
    return not form[0].isalpha() or form in OPENERS or form in MONTHS


def _covered(words: Tokens, places: list[tuple[int, int]], question_stems: frozenset[str]) -> bool:
    """Whether the places, loose words and words of the question make up the whole text."""
    taken = {i for first, last in places for i in range(first, last + 1)}
    return all(
        i in taken or form in _LOOSE or words.stems[i] in question_stems
        for i, form in enumerate(words.forms)
    )
