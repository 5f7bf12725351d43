"""Whether a space is missing between a stop (`. ! ? …`) and the word after it. One rule a case;
the first one decides.

tests/checks/test_punctuation_tables.py has an example of each verdict of each rule.
"""

from collections.abc import Callable
from typing import NamedTuple

from llmeval.checks.punctuation.detect import STOP_WORDS
from llmeval.checks.punctuation.locales import Locale
from llmeval.checks.reading.decisions import decide

_ONE_LETTER_WORDS = "IAaIyoеиоя"
"""Words of one letter, of English, Spanish, Italian and Russian."""
_JOINED_BEFORE = ("ph", "m", "b")
"""What stands before the dot in `Ph.D`, `M.Sc`, `B.Sc`."""


class TerminalMark(NamedTuple):
    """A stop without a space after it, and what stands around it."""

    marks: str
    """The stop, or a row of them."""
    close: str
    """A closing quote or bracket after it, or nothing."""
    right: str
    """The first character after them."""
    before: str
    """The word before, with the dots inside."""
    after: str
    """The word after."""
    spaced: bool
    """Whether white space follows the first character after the stop."""
    locale: Locale

    @property
    def last(self) -> str:
        """What stands after the last dot of the word before."""
        return self.before.rpartition(".")[2]


def is_cjk(char: str) -> bool:
    """Whether a character is Chinese, Japanese or Korean."""
    return (
        "\u3040" <= char <= "\u30ff" or "\u3400" <= char <= "\u9fff" or "\uac00" <= char <= "\ud7af"
    )


def _opening(stop: TerminalMark) -> bool | None:
    """`It rained.(So` and `Really?"No`, but not after an abbreviation (`approx.(3`)."""
    if stop.after[:1].isalpha():
        return None
    if stop.right not in '"“(':
        return False
    valid = stop.before.lower() in stop.locale.abbreviations
    return stop.marks[0] in "!?" or (len(stop.last) > 2 and not valid)


def _row(stop: TerminalMark) -> bool | None:
    """`Well...Then`: a capital after a row of marks; `wait...what` and `y'all.'s` may be style."""
    if stop.close not in ("'", "’") and not (len(stop.marks) > 1 and "." in stop.marks):
        return None
    return (
        len(stop.last) > 1
        and stop.after[0].isupper()
        and len(stop.marks) > 1
        and stop.marks != ".."
    )


def _loud(stop: TerminalMark) -> bool | None:
    """`Yes!We` and `Why?I`; a single letter that is no word may be a sign (`a!b`)."""
    if stop.marks[0] not in "!?…":
        return None
    return len(stop.after) > 1 or stop.after in _ONE_LETTER_WORDS


def _initials(stop: TerminalMark) -> bool | None:
    """`U.S.Army`, `J.Smith`: dots inside a name."""
    return False if "." in stop.before or (stop.last.isalpha() and len(stop.last) == 1) else None


def _capital(stop: TerminalMark) -> bool | None:
    """`It rained.We`; not `Node.JS`, `NASA.TV`, `Ph.D`, nor one capital that does not stand alone
    (`word.Xy`)."""
    if not stop.after[0].isupper():
        return None
    # Two capitalised parts (`Node.JS`, `NASA.TV`) are a name.
    joined = (
        stop.after.isupper()
        and len(stop.after) > 1
        and (stop.last.isupper() or stop.last[:1].isupper())
    )
    alone = stop.spaced and len(stop.last) > 2
    return (
        not joined and (len(stop.after) > 1 or alone) and stop.before.lower() not in _JOINED_BEFORE
    )


def _small(stop: TerminalMark) -> bool | None:
    """`It rained.the`: a usual word, or a letter of a script without capitals; other small words
    may be names of files."""
    # Scripts without capitals give no sign of a new sentence but the mark.
    uncased = stop.after[0].lower() == stop.after[0].upper() and stop.locale.terminal
    usual = stop.after in STOP_WORDS.get(stop.locale.language, frozenset())
    return (
        len(stop.last) > 2
        and stop.last.isalpha()
        and (usual or (uncased and not is_cjk(stop.after[0])))
    )


RULES: tuple[Callable[[TerminalMark], bool | None], ...] = (
    _opening,
    _row,
    _loud,
    _initials,
    _capital,
    _small,
)


def needs_space(stop: TerminalMark) -> bool:
    """Whether a space is missing after the stop."""
    return decide(RULES, stop)
