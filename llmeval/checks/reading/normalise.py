"""How a text is normalised before it is compared with a reference: as SQuAD does, as plain text,
or not at all.

SQuAD's rule (Rajpurkar et al. 2016) drops case, punctuation and English articles. Taken literally
it makes `-5` equal to `5`, `1.5` to `15`, `C++` to `C`, and `A` to an empty answer. Here a mark
stays where it changes the value or the name, an article stays where no word follows it, and a text
that would vanish stays as it is.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Literal

import regex

from llmeval.checks.reading.text import fold

Normalise = Literal["squad", "text", "none"]

_AROUND = r"[\"'()\[\]*_]*+"
# `A` before one letter is one of a list: A B C
_ARTICLE = re.compile(
    rf"(?<![^\s\"'(\[*_])(?:a(?={_AROUND}\s+{_AROUND}\w{{2}})|(?:an"
    rf"|the)(?={_AROUND}\s+{_AROUND}\w))"
)
_GROUPED = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{2,3})*,\d{3}(?![\d,])")
_RAISED = re.compile("[⁰¹²³⁴-⁹]+")
"""Superscript digits, which would be folded to usual ones: 10² is not 102."""
_DOTS = re.compile(r"\.{4,}")
_BULLET = re.compile(r"\A[-+>*]+ ")
_SPACED = re.compile(r"(?<=\d) (?=%)|(?<=\$) (?=\d)|(?<=\d) ?(-) ?(?=\d)")

# (name, what stays, a text that shows it, the text normalised); a test reads the last two.
MEANT = (
    ("decimal mark or part of a number", r"(?<=\d)[.,:/\-](?=\d)", "at 1.5", "at 1.5"),
    ("decimal mark that starts a number", r"(?<!\w)\.(?=\d)", "is .5", "is .5"),
    ("sign", r"(?<![\w)\]])-(?=\$?\.?\d)", "at -5!", "at -5"),
    ("unit of a number", r"(?<=\d)%|\$(?=\d)", "$5, 5 %", "$5 5%"),
    ("operator", r"[+<=>]|(?<=\w)[*^](?=\w)|(?<= )\*(?= )", "a+b = c", "a+b = c"),
    (
        "mark between letters",
        r"(?<!\w\w)(?<=\w)[-/](?=\w(?!\w))|(?<=\w)_(?=\w)",
        "x-y, a/b, k_1, well-known",
        "x-y a/b k_1 wellknown",
    ),
    ("sharp in a name", r"(?<=\w)\#", "in C#.", "in c#"),
)
_KEPT = "|".join(pattern for _, pattern, _, _ in MEANT)
_MARK = r"[\p{P}`^~|$+<=>]"
_DROPPED = regex.compile(rf"(?={_MARK})(?:(?:{_KEPT})(*SKIP)(*FAIL)|.)")


def squad(text: str) -> str:
    """Caseless, without punctuation and English articles but where they matter, single spaces."""
    whole = plain(text)
    body = _BULLET.sub("", whole) if len(whole) > 2 else whole
    body = _GROUPED.sub(
        lambda match: match[0].replace(",", ""), _SPACED.sub(lambda match: match[1] or "", body)
    )
    return " ".join(_DROPPED.sub("", _ARTICLE.sub(" ", body)).split()) or whole


def plain(text: str) -> str:
    """Caseless, one kind of quotes and dashes, full-width forms as usual ones, single spaces;
    every mark stays."""
    return _DOTS.sub("...", fold.__wrapped__(_RAISED.sub(r"^\g<0>", text)))


def untouched(text: str) -> str:
    """As it is, without white space at the ends."""
    return unicodedata.normalize("NFC", text).strip()


NORMALISERS: dict[str, Callable[[str], str]] = {"squad": squad, "text": plain, "none": untouched}
