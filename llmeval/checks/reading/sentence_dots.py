"""Whether a dot ends a sentence: abbreviations, ordinals, initials and references, one rule each.

The first rule that has a verdict decides. Abbreviations are those common in English, German,
French, Spanish, Italian and Portuguese text. tests/checks/test_sentence_dots.py has an example of
every rule and verdict.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import regex

from llmeval.checks.reading.decisions import decide
from llmeval.checks.reading.wordlists import word_set

NEVER_LAST = word_set(
    "mr mrs ms dr prof st sra srta dra mme mlle vs cf e.g i.e viz resp approx vgl bzw ggf "
    "evtl bspw inkl exkl sog z.b"
    " d.h u.a s.o s.u p.ex p.ej figs vols eds núm pág págs tél ca zzgl abzgl geb gest bes "
    "insb lat griech env av gem"
    " sig sigg sigra sig.ra dhr mevr drs exmo exma prof.ssa dott.ssa fr.lli p.es"
)
"""Abbreviations that stand before what they belong to: a dot after them ends no sentence."""
TITLES = word_set(
    "mx rev hon fr sr ste mt gen col capt lt sgt cmdr adm maj pres gov sen rep messrs mgr hr "
    "fig vol dott avv ing"
    " ud uds abs abb tab kap anm bd hrsg tel fa ee ff aa"
)
"""The same, where written with a capital; in small letters they may be words."""
MAYBE_LAST = word_set(
    "mio mrd tsd etc usw ecc al ssp spp ph.d a.m p.m n.chr v.chr a.c d.c u.s u.a.m o.ä u.ä"
)
"""Abbreviations that may close a sentence: they do when what follows is a usual first word."""
MAYBE_LAST_NAMES = word_set(
    "inc ltd co corp jr bros ave blvd rd jan feb mar apr jun jul aug sep sept oct nov dec "
    "dez okt mär mon tue tues wed"
    " thu thurs fri sat sun"
)
"""The same, where written with a capital."""
BEFORE_NUMBER = word_set(
    "no nos nr núm n p pp pg art arts sec ch eq ver v abs kap abb tab max min cap par rn rz hab "
    "pag pagg kl rd"
)
FIRST_WORDS = word_set(
    "the a an this that these those it its he she they we you i his her their our my your "
    "there here in on at by for"
    " from with as if when while after before since although though however but and so or "
    "then thus therefore"
    " meanwhile what who where why how all some many most each every no not also another one "
    "once let"
    " der die das ein eine er sie es wir ich in im am und aber doch dann danach wenn dies diese"
    " le la les un une des il elle ils elles on nous vous je ce cette ces mais et puis dans en pour"
    " el los las una unos unas lo se su sus y pero entonces cuando este esta estos estas por para"
)
"""Words that a sentence often begins with."""
_MONTHS = word_set(
    "januar jänner februar märz april mai juni juli august september oktober november dezember "
    "jahrhundert"
)
_BEFORE_ORDINAL = word_set(
    "der die das den dem des am im vom zum zur beim ein eine einen einem einer jeder jede "
    "jedes ihr ihre sein seine mein"
    " meine unser unsere ab bis seit nach vor"
)
_DEGREES = word_set("med phil jur rer nat ing oec theol pol habil dent vet")
_AFTER_TITLE = regex.compile(r"(?:Dr|Prof|Dipl|rer|med)\.[\s-]\Z")
_DOTTED = regex.compile(r"\p{L}{1,2}(?:\.\p{L}{1,2})+")
_SPACED = regex.compile(r"(?<![\p{L}.])((?:\p{L}\.\s?)+)\Z")
_REFERENCE = regex.compile(r"\d{1,3}(?:[:,.]\d)")
_ROMAN = regex.compile(r"[IVX]{1,5}")
_LAST_WORD = regex.compile(r"(\p{L}+)\s*\Z")


class Dot(NamedTuple):
    """One dot and what stands around it."""

    token: str
    """The word before it, with the dots inside."""
    lower: str
    """The token in small letters; with what stands before it where that is spaced: `z.b` for the
    `B` of `z. B.`."""
    word: str
    """The next word, up to 20 letters of it; empty where a mark or nothing follows."""
    small: bool
    """Whether the next word's small letter says that the sentence goes on."""
    before: str = ""
    """What stands before the token."""
    following: str = ""
    """What follows, from the next word on."""
    sample: str = ""
    """The text's beginning, which tells its language."""

    @classmethod
    def of(
        cls, token: str, word: str, small: bool, before: str, following: str, sample: str
    ) -> "Dot":
        """A dot; see the fields."""
        lower = token.lower()
        if before.rstrip()[-1:] == "." and (spaced := _SPACED.search(before)):
            lower = "".join(spaced[1].split()).lower() + lower
        return cls(token, lower, word, small, before, following, sample)

    @property
    def capital(self) -> bool:
        """Whether the token is written with a capital."""
        return self.token[0].isupper()

    @property
    def before_usual(self) -> bool:
        """Whether the next word is one that a sentence often begins with."""
        return self.word.lower() in FIRST_WORDS


_DATE_AHEAD, _DATE_BEHIND = (
    regex.compile(r"\d{1,2}\.\s?\d{2,4}\b"),
    regex.compile(r"\d{1,2}\.\s?\Z"),
)
Rule = Callable[[Dot], bool | None]


def _ordinal(dot: Dot) -> bool | None:
    """`am 3. Mai`, `the 2. part`, `Ludwig XIV. war`."""
    if dot.small and _ROMAN.fullmatch(dot.token):
        return False
    if not (dot.token.isdigit() and len(dot.token) <= 2):
        return None
    return False if dot.small or dot.word.lower() in _MONTHS else None


def _date(dot: Dot) -> bool | None:
    """`24. 12. 2020`: day and month."""
    if not (dot.token.isdigit() and len(dot.token) <= 2 and dot.word.isdigit()):
        return None
    return False if _DATE_AHEAD.match(dot.following) or _DATE_BEHIND.search(dot.before) else None


def _german_ordinal(dot: Dot) -> bool | None:
    """`der 2. Weltkrieg`: German writes nouns with a capital, so that one says nothing."""
    if not (dot.token.isdigit() and len(dot.token) <= 2) or dot.before_usual or not dot.word:
        return None
    last = _LAST_WORD.search(dot.before)
    led = last is not None and last[1].lower() in _BEFORE_ORDINAL
    return False if led and _language(dot.sample) in ("de", "und") else None


def _number_follows(dot: Dot) -> bool | None:
    """`No. 5`, `Abs. 3`, `pp. 4`, `Hauptstr. 7`; and what reads on in small letters after them."""
    if dot.word[:1].isdigit() and dot.lower.endswith("str"):
        return False
    if dot.lower in BEFORE_NUMBER and (dot.word[:1].isdigit() or (dot.lower != "no" and dot.small)):
        return False
    return None


def _reference(dot: Dot) -> bool | None:
    """`Phil. 4:8`, `Kor. 13,4`: a short name and chapter and verse."""
    short = dot.capital and len(dot.token) <= 5 and dot.token.isalpha()
    return False if short and _REFERENCE.match(dot.following) else None


def _never_last(dot: Dot) -> bool | None:
    """`Mr. Li`, `z. B. hier`, `Abs. Eins`."""
    return (
        False if dot.lower in NEVER_LAST or (dot.capital and dot.token.lower() in TITLES) else None
    )


def _degree(dot: Dot) -> bool | None:
    """`Dr. med. Wolf`, `Dr. rer. nat. Wolf`."""
    return False if dot.lower in _DEGREES and _AFTER_TITLE.search(dot.before) else None


def _maybe_last(dot: Dot) -> bool | None:
    """`etc. The end`, `Acme Inc. of Rome`, `the U.S. Army`."""
    dotted = "." in dot.token and _DOTTED.fullmatch(dot.token) is not None
    name = dot.capital and dot.lower in MAYBE_LAST_NAMES
    if not (dot.lower in MAYBE_LAST or dotted or name):
        return None
    return not dot.small and (dot.before_usual or dot.lower == "etc" or not dot.word)


def _initial(dot: Dot) -> bool | None:
    """`J. Smith`; `vitamin C. The...` ends: an initial is far commoner, so only a usual first word
    does."""
    if len(dot.token) != 1 or not dot.token.isalpha():
        return None
    return dot.word[:1].isupper() and dot.before_usual


def _short(dot: Dot) -> bool | None:
    """`2 tbsp. of salt`: a short word before a small letter is an abbreviation."""
    return False if dot.small and len(dot.token) <= 4 else None


def _stop(dot: Dot) -> bool | None:
    """`He left. She stayed`."""
    return True


RULES: tuple[Rule, ...] = (
    _ordinal,
    _date,
    _german_ordinal,
    _number_follows,
    _reference,
    _never_last,
    _degree,
    _maybe_last,
    _initial,
    _short,
    _stop,
)


@lru_cache(maxsize=4096)
def ends_after(
    token: str, word: str, small: bool, before: str, following: str, sample: str
) -> bool:
    """Whether a dot ends a sentence; the arguments are those of `Dot.of`."""
    return decide(RULES, Dot.of(token, word, small, before, following, sample))


@lru_cache(maxsize=8)
def _language(sample: str) -> str:
    from llmeval.checks.punctuation.detect import detect

    return detect(sample)
