"""How a block ends, and whether a terminal mark is missing. The first rule that has a verdict
decides.

`tests/checks/punctuation/test_sentence_tables.py` has an example of each verdict of each rule.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from llmeval.checks.punctuation.locales import Locale
from llmeval.checks.punctuation.masking import OBJECT
from llmeval.checks.punctuation.prose import is_prose
from llmeval.checks.punctuation.view import CLOSE, END, View
from llmeval.checks.reading.decisions import decide

Verdict = Literal["right", "wrong-end", "terminal", "short-terminal"]
"""`right`, or the id of the rule of punctuation that is broken."""

_PAUSES = ",;，；、،؛"
_OPEN_ENDS = ",;:，；：、،؛—–-/="
_EMOJI = re.compile(
    "[\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\ufe0f\u200d\U0001f000-\U0001faff]+\\Z"
)


@dataclass(frozen=True)
class Ending:
    """The end of a block."""

    view: View
    index: int
    """Of the block."""
    body: str
    """The block's text without closing marks and markup at its end; not empty."""
    locale: Locale
    fragments: bool
    """Whether fragments must end with a mark, too."""

    @property
    def last(self) -> str:
        """The last character."""
        return self.body[-1]

    @property
    def kind(self) -> str:
        """The kind of the block."""
        return self.view.blocks[self.index].kind

    @cached_property
    def prose(self) -> bool:
        """Whether the block is a paragraph of prose."""
        return self.kind == "paragraph" and is_prose(self.view, self.index, self.body, self.locale)


def _terminal_mark(ending: Ending) -> Verdict | None:
    """`It rained.`; Greek asks with a semicolon."""
    greek = ending.last == ";" and ending.locale.language == "el"
    return "right" if ending.last in END or greek else None


def _pause(ending: Ending) -> Verdict | None:
    """`The capital of France is Paris,`: prose does not end with a comma."""
    return "wrong-end" if ending.last in _PAUSES and ending.prose else None


def _open_end(ending: Ending) -> Verdict | None:
    """`as follows:`, a dash, code, an emoji: what ends like this goes on below, or needs no
    stop.
    """
    open_end = ending.last in _OPEN_ENDS or ending.last == OBJECT
    return "right" if open_end or _EMOJI.search(ending.body) else None


def _prose(ending: Ending) -> Verdict | None:
    """`We left. It was very late`."""
    return "terminal" if ending.prose else None


def _fragment(ending: Ending) -> Verdict | None:
    """`Paris`, a heading or an item, where a suite requires `short-terminal`. Cells need no
    mark.
    """
    ends = ending.last.isalnum() or ending.last in CLOSE
    return "short-terminal" if ending.fragments and ending.kind != "cell" and ends else None


def _other(ending: Ending) -> Verdict | None:
    """`Paris`: a fragment."""
    return "right"


RULES: tuple[Callable[[Ending], Verdict | None], ...] = (
    _terminal_mark,
    _pause,
    _open_end,
    _prose,
    _fragment,
    _other,
)


def ending_verdict(ending: Ending) -> Verdict:
    """Whether the block ends as it should."""
    return decide(RULES, ending)
