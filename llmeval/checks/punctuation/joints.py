"""Whether a space is missing after a comma, semicolon or colon (`late,so`). The first rule that has
a verdict decides. Stops have rules of their own (`stops.py`).

`tests/checks/punctuation/test_spacing_tables.py` has an example of each verdict of each rule.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from llmeval.checks.punctuation.masking import OBJECT
from llmeval.checks.reading.decisions import decide

_GENDER = re.compile(r"(?:innen|in|n|r|m|s|e|er|es)\b")
"""What German writes after a colon for all genders: `Lehrer:innen`, `jede:r`."""
_DECIMAL_POINT = ("en", "zh", "ja", "th")
"""Languages whose decimal mark is a point, so that a comma before four digits parts two numbers."""
_GREEK_WORDS = ("ό,τι", "ο,τι")


class Joint(NamedTuple):
    """A mark without a space after it, and what it joins."""

    mark: str
    close: str
    """A closing quote or bracket after the mark, or nothing."""
    neighbours: str
    """The characters before the mark and after the closing quote."""
    before: str
    """The word before."""
    after: str
    """The word after."""
    language: str


def _object(joint: Joint) -> bool | None:
    """A colon beside code, a formula or an address: ``see `f`:x``."""
    return False if OBJECT in joint.neighbours and joint.mark == ":" else None


def _after_quote(joint: Joint) -> bool | None:
    """`word,"next`: the quote opens or closes, and a space is missing either way. `(a:)b` and
    `word:”x` are left alone, as a colon inside of a quote is rare in prose.
    """
    if not joint.close:
        return None
    if joint.mark == ":" and joint.close != '"':
        return False
    return joint.after[:1].isalpha()


def _short_label(joint: Joint) -> bool | None:
    """`a:b`, `12:30`, `HTTP:get`: a name, a time, a key. Prose has words on both sides."""
    if joint.mark != ":":
        return None
    before = joint.before
    key = before.isupper() and joint.after.islower()
    return False if len(before) < 2 or not before[-1].isalpha() or key else None


def _gender(joint: Joint) -> bool | None:
    """`Lehrer:innen`; in a text whose language is not known only the commonest of these endings."""
    if joint.mark != ":":
        return None
    german = joint.language == "de" and _GENDER.match(joint.after) is not None
    return False if german or (joint.language == "und" and joint.after == "innen") else None


def _inflected(joint: Joint) -> bool | None:
    """Finnish and Swedish inflect abbreviations after a colon (`EU:n`, `BBC:s`). French has a rule
    of its own for the colon, `fr-space`.
    """
    return False if joint.mark == ":" and joint.language in ("fi", "sv", "fr") else None


def _colon(joint: Joint) -> bool | None:
    """`note:this`; a single letter after the colon may be a variable or a drive."""
    return (len(joint.after) > 1 or joint.after.isdigit()) if joint.mark == ":" else None


def _digits(joint: Joint) -> bool | None:
    """`1,234` and `3,5` are numbers. `July 4,1926` is not, where a comma is no decimal mark; nor is
    `1;2`.
    """
    if not (joint.before.isdigit() and joint.after.isdigit()):
        return None
    return joint.mark == ";" or (joint.language in _DECIMAL_POINT and len(joint.after) == 4)


def _greek(joint: Joint) -> bool | None:
    """`ό,τι`: a Greek word with a comma in it."""
    return False if (joint.before + joint.mark + joint.after).endswith(_GREEK_WORDS) else None


def _variables(joint: Joint) -> bool | None:
    """`x,y` and `N,N-dimethyl`: variables, and chemical names."""
    if len(joint.before) != 1:
        return None
    return False if len(joint.after) == 1 or "-" in joint.after else None


def _missing(joint: Joint) -> bool | None:
    """`late,so`."""
    return True


RULES: tuple[Callable[[Joint], bool | None], ...] = (
    _object,
    _after_quote,
    _short_label,
    _gender,
    _inflected,
    _colon,
    _digits,
    _greek,
    _variables,
    _missing,
)


def needs_space(joint: Joint) -> bool:
    """Whether a space is missing after the mark."""
    return decide(RULES, joint)
