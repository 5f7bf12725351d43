"""Finding a reference text whose spaces or hyphens the answer has elsewhere, or has not at all."""

from bisect import bisect_left, bisect_right

from llmeval.checks.facts.names import Place, Reference
from llmeval.checks.facts.tokens import Tokens
from llmeval.checks.facts.word_forms import is_known
from llmeval.checks.reading.wordlists import word_set


def squeezed(reference: Reference, answer: Tokens) -> Place | None:
    """Where the reference stands when spaces and hyphens are left out, or a space around it was
    lost.

    `News paper`, `Li'l Abner`, `starredLynda Carteras`, `the capital islima`.
    """
    target = "".join(reference.forms)
    if len(target) < 4:
        return None
    text, starts = answer.squeezed
    at = text.find(target)
    if at < 0:
        return None
    if len(reference.forms) > 1 and reference.is_name:
        raw = answer.raw.find(reference.bare)
        if raw > 0 and answer.raw[raw - 1].islower():
            first = bisect_right(answer.starts, raw) - 1
            return first, bisect_left(answer.ends, raw + len(reference.bare))
    while at >= 0:
        first = bisect_right(starts, at) - 1
        last = bisect_left(starts, at + len(target)) - 1
        if _is_one_run(first, last, answer) and _fills(target, at, first, last, answer):
            return first, last
        at = text.find(target, at + 1)
    return None


def _is_one_run(first: int, last: int, answer: Tokens) -> bool:
    """Whether no mark that ends a phrase stands between the words: `Henry VII, I think` is no
    VIII."""
    return all(_MARKS.isdisjoint(answer.gap(index)) for index in range(first + 1, last + 1))


_MARKS = frozenset(",;:!?")


def _fills(target: str, at: int, first: int, last: int, answer: Tokens) -> bool:
    """Whether what the words first..last have beside the text at `at` is nothing, or words that
    lost their space."""
    _, starts = answer.squeezed
    before = answer.forms[first][: at - starts[first]]
    after = answer.forms[last][at + len(target) - starts[last] :]
    if not before and not after:
        return True
    if (
        len(target) < _GLUED_LETTERS
        or (before and before not in _GLUED)
        or (after and after not in _GLUED)
    ):
        return False
    # `Isadora` is no `is` with `adora`, and `informal` is a word of its own.
    begins = answer.raw[answer.starts[first]]
    return begins.islower() and not any(is_known(answer.forms[i]) for i in (first, last))


_GLUED = word_set("a the is was are were in of by on at to for from and which who")
"""Function words that lose the space before a name in text taken from web pages."""
_GLUED_LETTERS = 5
"""A shorter text is too often a part of another word by chance."""
