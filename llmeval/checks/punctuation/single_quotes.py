"""What a straight or right single quote does: it is an apostrophe, mostly, else it opens or closes.
The first rule that has a verdict decides.

`tests/checks/punctuation/test_punctuation_tables.py` has an example of each role by each rule.
"""

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

from llmeval.checks.punctuation.masking import OBJECT
from llmeval.checks.punctuation.quote_roles import opens
from llmeval.checks.reading.decisions import decide

Role = Literal["apostrophe", "opens", "closes", "stray"]

_SPACES = " \t\u00a0\u2009\u202f"
_ELISION = re.compile(
    r"(?:[0-9]{2}s?\b|(?:tis|twas|em|til|till|cause|bout|round|n|im|tween|neath|kay|sup|ere|cuz|un"
    r"|er|s|t)\b)",
    re.IGNORECASE,
)
"""What an apostrophe stands before: `'90s`, `'tis`, `rock 'n' roll`."""
_DROPPED = frozenset("0123456789szxnoSZXNOtdlàe")
"""What an apostrophe stands after: `dogs'`, `runnin'`, `5'`, `po'`, French `l'`."""
_QUOTING = ("en", "de", "es")
"""Languages in which a single quote that closes nothing is an error and no letter or prime."""


class SingleQuote(NamedTuple):
    """One mark and what stands around it."""

    mark: str
    before: str
    """The character before it; a space at the start of a block."""
    after: str
    """The character after it; a space at the end of a block."""
    following: str
    """What follows it, for elisions."""
    is_open: bool
    """Whether a single quote is open that this mark may close."""
    language: str


def _inside_word(quote: SingleQuote) -> Role | None:
    """`don't`, and `f's` where `f` is code."""
    joined = all(char.isalnum() or char == OBJECT for char in (quote.before, quote.after))
    return "apostrophe" if joined else None


def _opening(quote: SingleQuote) -> Role | None:
    """`said 'so`, but not `the '90s`. A right quote never opens."""
    if quote.mark != "'" or not opens(quote.before, quote.after) or quote.after == "'":
        return None
    return "apostrophe" if _ELISION.match(quote.following) else "opens"


def _closing(quote: SingleQuote) -> Role | None:
    """`‘So,’ she said`. After a space only a right quote closes, and not before a word (`the
    ’90s`).
    """
    if not quote.is_open:
        return None
    spaced = quote.mark == "’" and quote.before in _SPACES and not quote.after.isalnum()
    return "closes" if spaced or not quote.before.isspace() else None


def _stray(quote: SingleQuote) -> Role | None:
    """`He said so’ and left`: nothing is open, and no letter is dropped here (`dogs'`, `runnin'`).
    A mark beside another quote may belong to it.
    """
    if quote.is_open or quote.language not in _QUOTING:
        return None
    beside_quote = quote.before in "'\"" or quote.after in "'\""
    possible = beside_quote or quote.before.isspace() or quote.before in _DROPPED
    return None if possible else "stray"


def _other(quote: SingleQuote) -> Role | None:
    """`the dogs' owner`."""
    return "apostrophe"


RULES: tuple[Callable[[SingleQuote], Role | None], ...] = (
    _inside_word,
    _opening,
    _closing,
    _stray,
    _other,
)


def single_quote_role(quote: SingleQuote) -> Role:
    """What the mark does."""
    return decide(RULES, quote)
