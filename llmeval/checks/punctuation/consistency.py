"""Advice on style: one way of writing the same thing in one answer. At most one finding a rule."""

import re
from collections.abc import Iterator

from llmeval.checks.punctuation.rules import Violation
from llmeval.checks.punctuation.view import CLOSE, END, WHITE, View

# Not after a digit, where a quote is inches; a single one counts as an apostrophe only.
_STRAIGHT = re.compile(r"(?<!\d)\"|(?<=\w)'(?=[^\W\d_])")
_CURLY = re.compile(r"[“”„]|(?<=\w)’(?=[^\W\d_])")
# Between letters: `3 - 2` is a difference.
_SPACED_HYPHEN = re.compile(r"(?<=[^\W\d_]) --? (?=[^\W\d_])")
_EN_DASH = re.compile(r"(?<=[^\W\d_]) – (?=[^\W\d_])")
_EM_DASH = re.compile(r"(?<=[^\W\d_]) ?— ?(?=[^\W\d_])")
_DOTS = re.compile(r"(?<!\.)\.\.\.(?!\.)")
_ELLIPSIS = re.compile("…")
# Two commas at least, so that a pair of clauses is no list.
_WITH_COMMA = re.compile(r"\b\w+, (?:\w+ ){0,2}\w+, (?:and|or) (?=\w)")
# The end of the list is the end of the clause; `A, B and C D E` may be anything.
_WITHOUT_COMMA = re.compile(
    r"(?<!, )\b(?:\w+ )?\w+, (?:(?!and|or)\w+) (?:and|or) (?=\w+[.;!?]|\w+ \w+[.;!?])"
)
_TAIL = WHITE + "*_"


def consistency(view: View) -> Iterator[Violation]:
    """Advice where an answer writes the same thing in two ways."""
    yield from _mixed(
        view, "mixed-quotes", "straight and curly quotes are mixed", _STRAIGHT, _CURLY
    )
    yield from _mixed(
        view, "mixed-dashes", "dashes are written in two ways", _SPACED_HYPHEN, _EN_DASH, _EM_DASH
    )
    yield from _mixed(view, "mixed-ellipses", "ellipses are written in two ways", _DOTS, _ELLIPSIS)
    if view.main.language == "en":
        message = "a comma before the last item of a list stands here but not elsewhere"
        yield from _mixed(view, "serial-comma", message, _WITH_COMMA, _WITHOUT_COMMA)
    yield from _lists(view)


def _mixed(view: View, rule: str, message: str, *ways: "re.Pattern[str]") -> Iterator[Violation]:
    """One finding, at the first place written in the less usual way."""
    used = []
    for way in ways:
        first = way.search(view.text)
        if first:
            used.append((sum(1 for _ in way.finditer(view.text)), first.span()))
    if len(used) > 1:
        # The rarer way is taken as the slip.
        _, span = min(used)
        yield Violation(*span, rule, message)


def _lists(view: View) -> Iterator[Violation]:
    """Lists in which some items end with a mark and some do not."""
    lists: dict[int, list[tuple[int, bool]]] = {}
    for block in view.blocks:
        if block.kind == "item":
            body = view.block_text(block).rstrip(_TAIL).rstrip(CLOSE)
            if body and (body[-1].isalnum() or body[-1] in END):
                lists.setdefault(block.list, []).append((block.start + len(body), body[-1] in END))
    for items in lists.values():
        ended = sum(marked for _, marked in items)
        if 0 < ended < len(items):
            # The rarer kind of item is the one to change.
            rare = 2 * ended < len(items)
            at = next(at for at, marked in items if marked is rare)
            message = (
                "this item ends with a mark, others of its list do not"
                if rare
                else "this item ends without a mark"
            )
            yield Violation(at - 1, at, "list-ends", message)
            return
