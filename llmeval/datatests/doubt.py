"""How doubtful a reference is, by the answers that miss it: the order of D016.

Candidates that miss a hard question give different answers, or refuse. Candidates that miss a wrong
or narrow reference give the same answer, or one with words of the reference. Measured on EVOUNA,
see `benchmarks/data.py`.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

READ = 200
"""Characters of an answer that are compared. The fact comes first in most answers."""
_WORD = re.compile(r"\w+")
_STEM = 5
"""Characters of a word that are compared, so that inflected forms are equal."""
_COMMON = frozenset(
    "a an and are as at be been by did do does for had has have in is it its of on or that the"
    " their there these this those to was were will with would can could i he she they you not know"
    " no also who which what when where how from his her but one first called known name".split()
)
_REFUSED = re.compile(
    r"\b(?:sorry|cannot|can['’]t|couldn['’]t|unable|do(?:n['’]t| not) have|not sure|no information"
    r"|unclear|not clear|it is difficult|clarify|specify)\b",
    re.IGNORECASE,
)


class Doubt(NamedTuple):
    """Counts over the answers that miss the reference."""

    alike: int
    """Answers that share the most common content word."""
    touching: int
    """Answers with a content word of a reference that is not in the question."""
    close: int
    """Answers with at least half of the words of a reference."""

    @property
    def total(self) -> int:
        """The three counts together."""
        return self.alike + self.touching + self.close


def doubt(question: str, references: Sequence[str], missing: Sequence[str]) -> Doubt:
    """How much the answers speak against the reference.

    Args:
        question: the text of the case. Its words say nothing about the answer.
        references: of the case.
        missing: the answers that miss every reference.
    """
    in_question = {word[:_STEM] for word in _words(question)}
    parts = [_content(text) - in_question for text in references]
    whole = [set(_words(text)) for text in references]
    shared: Counter[str] = Counter()
    touching = close = 0
    for text in missing:
        words = _words(text)
        stems = {word[:_STEM] for word in words}
        touching += any(part & stems for part in parts)
        close += any(needed and 2 * len(needed & set(words)) >= len(needed) for needed in whole)
        if not _REFUSED.search(text):
            shared.update(_content(text[:READ]) - in_question)
    return Doubt(max(shared.values(), default=0), touching, close)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _content(text: str) -> set[str]:
    return {word[:_STEM] for word in _words(text) if word not in _COMMON}
