"""What a quotation mark does where it stands: `“` closes in German and opens in English, and `"`
does both.

tests/checks/test_punctuation_tables.py has an example of each role by each rule.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

from llmeval.checks.punctuation.masking import OBJECT
from llmeval.checks.reading.decisions import decide

Role = Literal["letter", "closes", "opens", "opens anew", "inches", "stray"]
_OPENING_BEFORE = "([{（—–-/«„“‘'\"¿¡「『【《"
_NOT_OPENED = ".,;:!?)]}。，"
_ALWAYS_OPEN = "„‚«‘“‟‹"
_LATIN_END = "\u0250"


class Quote(NamedTuple):
    """One mark and what stands around it."""

    mark: str
    before: str
    """The character before it; a space at the start of a block."""
    after: str
    """The character after it; a space at the end of a block."""
    is_open: bool
    """Whether a quote is open that this mark may close."""
    language: str
    inches: bool
    """Whether a number stands before it that may be in inches or minutes."""


def opens(before: str, after: str) -> bool:
    """Whether a mark between these two characters stands where a quote opens."""
    starts = before.isspace() or before in _OPENING_BEFORE
    return starts and not after.isspace() and after not in _NOT_OPENED


def _closes(before: str, after: str) -> bool:
    return not before.isspace() and (after.isspace() or not after.isalnum())


def _letter(quote: Quote) -> Role | None:
    """A letter of transcribed Arabic (`al-‘Arab`), or the mark inside a Hebrew abbreviation
    (`צה"ל`)."""
    before, after = quote.before, quote.after
    # Letters beyond the IPA block are no Latin transcription.
    latin = before.isalpha() and before < _LATIN_END
    if quote.mark == "‘" and (before == "-" or latin) and after.isalpha():
        return "letter"
    inside = before.isalpha() and after.isalpha()
    return "letter" if quote.mark == '"' and inside and quote.language == "he" else None


def _closing(quote: Quote) -> Role | None:
    """A quote is open that the mark closes, unless it clearly opens another one."""
    if not quote.is_open:
        return None
    # Beside a word on the right and a space on the left, a mark opens, even where another is open.
    word_follows = quote.after.isalnum() or quote.after in "¿¡'‘" + OBJECT
    another = quote.mark in '"‘' and word_follows and opens(quote.before, quote.after)
    return None if another else "closes"


def _opening(quote: Quote) -> Role | None:
    """A mark that only opens, one that stands where a quote opens, or one that can't close
    anything there."""
    before, after = quote.before, quote.after
    # `word"word` and `word»word`: nothing closes before a letter.
    cannot_close = quote.mark in '"»›' and not _closes(before, after)
    if not (quote.mark in _ALWAYS_OPEN or opens(before, after) or cannot_close):
        return None
    return "opens anew" if quote.mark == '"' and quote.is_open else "opens"


def _other(quote: Quote) -> Role | None:
    """Nothing is open: inches (`6"`), or a mark without its other half."""
    return "inches" if quote.inches else "stray"


RULES: tuple[Callable[[Quote], Role | None], ...] = (_letter, _closing, _opening, _other)


def quote_role(quote: Quote) -> Role:
    """What a quotation mark does."""
    return decide(RULES, quote)
