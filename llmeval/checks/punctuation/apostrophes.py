"""Apostrophes left out: English contractions, French elisions. Forms that are also other words are
not listed.
"""

import re
from collections.abc import Iterator

from llmeval.checks.punctuation.rules import Violation
from llmeval.checks.punctuation.view import LanguageRun, View


def _pairs(text: str) -> dict[str, str]:
    """Each form without its apostrophe, and the form as it should be."""
    return {form.replace("'", "").lower(): form for form in text.split()}


_ENGLISH = _pairs(
    "isn't aren't wasn't weren't hasn't haven't hadn't doesn't didn't don't can't couldn't won't "
    "wouldn't shouldn't"
    " mustn't mightn't needn't shan't ain't you're they're you've they've you'll they'll I've I'm"
    " we've you'd they'd"
    " it'll it'd that'll that's there's what's where's who's here's how's he's she's could've"
    " would've should've"
    " might've must've o'clock ma'am y'all"
)
_FRENCH = _pairs(
    "c'est c'était j'ai j'avais j'aurais j'étais j'aime n'est n'était n'ai n'ont n'avait n'avons "
    "n'avez s'est s'était"
    " qu'il qu'ils qu'on qu'un qu'une d'accord d'abord d'après d'autres d'autre d'un d'être"
    " d'avoir d'histoire d'eau"
    " d'ici d'aujourd'hui l'autre l'un l'université l'homme l'histoire l'eau l'école l'amour"
    " l'année l'enfant l'état"
    " l'avenir l'esprit l'exemple l'information l'ensemble l'intérieur l'extérieur l'origine"
    " l'idée l'occasion"
    " l'importance l'utilisation l'environnement l'air l'énergie l'une l'équipe l'entreprise"
    " l'expérience d'autant"
    " aujourd'hui jusqu'à jusqu'au jusqu'en lorsqu'il lorsqu'on puisqu'il quelqu'un presqu'île"
    " l'on s'il s'ils s'agit"
    " d'abord d'ailleurs d'entre d'environ d'Amérique l'Europe l'Afrique l'Asie l'eau l'or"
)
for _own in ("lune", "lor", "lon", "sil"):
    _FRENCH.pop(_own, None)
# An accent or a backtick that stands for an apostrophe: o´clock, l`eau
_ACCENT = re.compile(r"(?<=[^\W_])(?:´|`(?=[^\W\d_]))|´(?=[^\W\d_])")
_TABLES = {"en": _ENGLISH, "fr": _FRENCH}
# `lets` is a verb, too, but hardly before these.
_LETS = re.compile(
    r"lets(?= (?:go|see|say|start|look|take|get|do|be|have|talk|try|make|not|assume|consider"
    r"|explore|dive|break|call|hope|use|keep|move)\b)",
    re.IGNORECASE,
)
_ITS = re.compile(
    r"\bits(?= (?:an?|the|not|been|going to|because|just an?|still an?)\b)", re.IGNORECASE
)
_PATTERNS = {
    language: re.compile(
        rf"(?<![\w'’.@/-])(?:{'|'.join(sorted(table, key=len, reverse=True))})(?![\w'’/-]|\.\w)",
        re.IGNORECASE,
    )
    for language, table in _TABLES.items()
}


def apostrophes(view: View, run: LanguageRun) -> Iterator[Violation]:
    """Contractions and elisions without their apostrophe, or with an accent in its place."""
    for match in _ACCENT.finditer(view.text, run.start, run.end):
        yield Violation(*match.span(), "apostrophe", f"write ' or ’ in place of {match[0]!r}")
    language = run.locale.language
    if language not in _PATTERNS:
        return
    table = _TABLES[language]
    for match in _PATTERNS[language].finditer(view.text, run.start, run.end):
        # Capitals stand for something else: IM, LHOMME.
        if not (match[0].isupper() and len(match[0]) > 1):
            yield Violation(*match.span(), "apostrophe", f"write {table[match[0].lower()]!r}")
    if language == "en":
        for match in _LETS.finditer(view.text, run.start, run.end):
            yield Violation(*match.span(), "apostrophe", 'write "let\'s"')
        for match in _ITS.finditer(view.text, run.start, run.end):
            yield Violation(*match.span(), "apostrophe", 'write "it\'s"')
