"""Whether a space before a mark is wrong (`late , so`). The first rule that has a verdict decides.

`tests/checks/punctuation/test_spacing_tables.py` has an example of each verdict of each rule.
"""

from collections.abc import Callable
from typing import NamedTuple

from llmeval.checks.punctuation.locales import Locale
from llmeval.checks.reading.decisions import decide

_NEVER_STARTS = ",;،؛，；：。、！？"
"""Marks that no word begins with. A dot or colon may begin one: `.NET`, `:)`."""


class Gap(NamedTuple):
    """White space before a mark, and what stands around them."""

    before: str
    """The character before the space."""
    mark: str
    following: str
    """The two characters after the mark."""
    around: str
    """Up to four characters on each side."""
    locale: Locale


def _custom(gap: Gap) -> bool | None:
    """`Vraiment ?` in French; Thai sets a space before `? ! :`."""
    usual = gap.mark in gap.locale.spaced or (gap.locale.language == "th" and gap.mark in "?!:")
    return False if usual else None


def _spaced_ellipsis(gap: Gap) -> bool | None:
    """`to . . . submit`: an ellipsis as some style guides set it."""
    return False if gap.mark == "." and " . . ." in gap.around else None


def _ratio(gap: Gap) -> bool | None:
    """`3 : 4` is a ratio or a score."""
    numbers = gap.before.isdigit() and gap.following.strip().isdigit()
    return False if gap.mark == ":" and numbers else None


def _before_guillemet(gap: Gap) -> bool | None:
    """`« Moi ! »`: quoted French in a text of another language."""
    quoted = gap.mark in ";:!?" and gap.following.strip()[:1] == "»"
    return False if quoted else None


def _begins_a_word(gap: Gap) -> bool | None:
    """`the .NET way`, `a !important rule`: the mark belongs to the next word."""
    return False if gap.following[:1].isalnum() and gap.mark not in _NEVER_STARTS else None


def _wrong(gap: Gap) -> bool | None:
    """`late , so`."""
    return True


RULES: tuple[Callable[[Gap], bool | None], ...] = (
    _custom,
    _spaced_ellipsis,
    _ratio,
    _before_guillemet,
    _begins_a_word,
    _wrong,
)


def is_wrong_gap(gap: Gap) -> bool:
    """Whether the space has to go."""
    return decide(RULES, gap)
