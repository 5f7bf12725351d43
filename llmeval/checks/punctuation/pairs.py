"""Brackets and quotes: each opens and closes, and in the way that matches.

One pass, with a stack for each block. The characters next to a quote show whether it opens or
closes, because `“` closes in German and opens in English, and `"` does both. What a block leaves
open may be closed in a later one (a list in brackets); a quote that runs over paragraphs may open
each of them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from llmeval.checks.punctuation.locales import Locale
from llmeval.checks.punctuation.quote_roles import Quote, quote_role
from llmeval.checks.punctuation.rules import Violation
from llmeval.checks.punctuation.single_quotes import SingleQuote, single_quote_role
from llmeval.checks.punctuation.view import View

# Straight single quotes are here, too, although most are apostrophes: `single_quotes.py` decides.
_MARKS = re.compile("[\"“”„‟«»‹›‘’‚'()\\[\\]{}（）［］【】〔〕〈〉《》「」『』｛｝]")
_BRACKETS = dict(zip(")]}）］】〕〉》」』｝", "([{（［【〔〈《「『｛", strict=True))
_OPENING = frozenset(_BRACKETS.values())
# Chinese and Japanese writers mix the widths; that is a mistake of style, not a missing bracket.
_MIXED = {"(": "）", "（": ")", "[": "］", "［": "]"}
# More than one mark may close, as typing `"` for a curly mark is common; `_usual` says which is
# right.
_CLOSERS = {
    "„": '“”"',
    "“": '””"',
    "«": "»",
    "»": "«",
    "‹": "›",
    "›": "‹",
    "‚": "‘’",
    "‘": "’",
    '"': '"',
    "'": "'",
    "”": "”",
    "‟": "”",
}
_SPACES = " \t\u00a0\u2009\u202f"
# Prose has far fewer.
_MOST = 50_000
# `a)` and `1)` close nothing: they count.
_LIST_MARK = re.compile(r"(?:\A|[\s(,;:])(?:[0-9]{1,2}|[a-zA-Z]|[ivxIVX]{1,4})\Z")
# `6"` and `5½"` are inches. Two digits at most: nothing is 100 inches in prose.
_INCHES = re.compile(r"(?<![0-9.])[0-9]{1,2}(?:[.,][0-9]|\s?[½¼¾]|/[0-9])?\Z")


@dataclass
class _Open:
    mark: str
    at: int
    block: int


@dataclass
class _State:
    """What is open in the block at hand, and what blocks left open or could not close."""

    stack: list[_Open] = field(default_factory=list)
    opened: list[_Open] = field(default_factory=list)
    closed: list[_Open] = field(default_factory=list)
    findings: list[Violation] = field(default_factory=list)


def pairs(view: View) -> Iterator[Violation]:
    """Brackets and quotes without their other half, or with one of another style."""
    state, text = _State(), view.text
    places = [match.start() for match in islice(_MARKS.finditer(text), _MOST + 1)]
    index, current = 0, -1
    for at in places[:_MOST]:
        while index < len(view.blocks) and view.blocks[index].end <= at:
            index += 1
        if index == len(view.blocks):
            break
        if index != current:
            _end_block(state)
            current = index
        if view.blocks[index].start <= at:
            _step(state, view, index, at)
    _end_block(state)
    if len(places) > _MOST:
        message = f"more than {_MOST:,} brackets and quotes: from here on they were not matched"
        yield Violation(places[_MOST], places[_MOST] + 1, "unbalanced", message)
    yield from state.findings
    yield from _left_over(state, view)


def _step(state: _State, view: View, index: int, at: int) -> None:
    text, mark, block = view.text, view.text[at], view.blocks[index]
    before = text[at - 1] if at > block.start else " "
    after = text[at + 1] if at + 1 < block.end else " "
    if mark in _OPENING:
        state.stack.append(_Open(mark, at, index))
    elif mark in _BRACKETS:
        _close_bracket(state, view, index, at)
    elif mark in "'’":
        _single(state, view, index, at, before, after)
    else:
        _quote(state, view, index, at, before, after)


def _close_bracket(state: _State, view: View, index: int, at: int) -> None:
    mark, stack = view.text[at], state.stack
    expected = _BRACKETS[mark]
    depth = _depth(stack, expected)
    if depth is None and stack and _MIXED.get(stack[-1].mark) == mark:
        stack.pop()
        state.findings.append(
            Violation(at, at + 1, "quote-style", f"{mark!r} does not match the bracket that opened")
        )
    elif depth is None:
        if not (
            mark == ")" and _LIST_MARK.search(view.text[max(view.blocks[index].start, at - 6) : at])
        ):
            state.closed.append(_Open(mark, at, index))
    else:
        _close(state, depth)


def _depth(stack: list[_Open], expected: str) -> int | None:
    """Where `wanted` is open, seen from the top; not deeper than 40, so that no text takes
    quadratic time.
    """
    for depth in range(len(stack) - 1, max(-1, len(stack) - 40), -1):
        if stack[depth].mark in expected:
            return depth
    return None


def _close(state: _State, depth: int) -> None:
    """Close what is open at `depth`; what was opened inside it stays without its other half."""
    state.opened += [opened for opened in state.stack[depth + 1 :] if opened.mark != "'"]
    del state.stack[depth:]


def _quote(state: _State, view: View, index: int, at: int, before: str, after: str) -> None:
    mark, stack, locale = view.text[at], state.stack, view.locales[index]
    depth = next(
        (
            d
            for d in range(len(stack) - 1, max(-1, len(stack) - 12), -1)
            if mark in _CLOSERS.get(stack[d].mark, "")
        ),
        None,
    )
    inches = mark in '"”' and _INCHES.search(view.text, max(0, at - 6), at) is not None
    role = quote_role(Quote(mark, before, after, depth is not None, locale.language, inches))
    if role == "closes" and depth is not None:
        _inner_space(state, view, index, at, at - 1)
        _close_quote(state, depth, mark, at, locale)
    elif role in ("opens", "opens anew"):
        # Quotes of one kind do not nest: the earlier one was never closed.
        if role == "opens anew" and depth is not None:
            state.opened.append(stack.pop(depth))
        _inner_space(state, view, index, at, at + 1)
        stack.append(_Open(mark, at, index))
    elif role == "stray":
        state.closed.append(_Open(mark, at, index))


def _inner_space(state: _State, view: View, index: int, at: int, beside: int) -> None:
    """A finding where a space stands between a quotation mark and what it quotes. Guillemets have
    rules of their own."""
    text, block, locale = view.text, view.blocks[index], view.locales[index]
    if not block.start <= beside < block.end or text[beside] not in _SPACES:
        return
    own_rule = locale.tight_guillemets or locale.language in ("es", "und")
    if locale.language != "fr" and not (text[at] in "«»‹›" and own_rule):
        span = (at + 1, at + 2) if beside > at else (at - 1, at)
        state.findings.append(Violation(*span, "inner-space", "remove the space inside the quote"))


def _close_quote(state: _State, depth: int, mark: str, at: int, locale: Locale) -> None:
    opened = state.stack[depth].mark
    wrong = mark not in _usual(opened, locale)
    _close(state, depth)
    if wrong:
        state.findings.append(
            Violation(
                at,
                at + 1,
                "quote-style",
                f"{mark!r} does not match {opened!r} that opened the quote",
            )
        )


def _usual(opened: str, locale: Locale) -> str:
    # German and its neighbours close with “; other languages also with ”.
    if opened == "„":
        return "“" if locale.language in ("de", "cs", "sk", "sl", "bg", "et", "lt", "is") else "“”"
    return {"“": "”", "‚": "‘’"}.get(opened, _CLOSERS[opened])


def _single(state: _State, view: View, index: int, at: int, before: str, after: str) -> None:
    """A straight or right single quote."""
    mark, stack, text = view.text[at], state.stack, view.text
    depth = _depth(stack, "'" if mark == "'" else "‘‚")
    following = text[at + 1 : at + 8]
    language = view.locales[index].language
    role = single_quote_role(
        SingleQuote(mark, before, after, following, depth is not None, language)
    )
    if role == "opens":
        stack.append(_Open(mark, at, index))
    elif role == "closes" and depth is not None:
        if before in _SPACES:
            _inner_space(state, view, index, at, at - 1)
        _close(state, depth)
    elif role == "stray":
        state.closed.append(_Open(mark, at, index))


def _end_block(state: _State) -> None:
    state.opened += state.stack
    state.stack.clear()


def _left_over(state: _State, view: View) -> Iterator[Violation]:
    """What stays open or unopened, once blocks that belong together are taken together."""
    openers, closers = sorted(state.opened, key=_place), sorted(state.closed, key=_place)
    joined = _joined(openers, closers)
    for left in openers:
        if left.at not in joined and not _carried_on(left, view):
            yield Violation(
                left.at, left.at + 1, "unbalanced", f"close this {left.mark}, or remove it"
            )
    for left in closers:
        if left.at not in joined:
            yield Violation(
                left.at,
                left.at + 1,
                "unbalanced",
                f"nothing opened this {left.mark}: open it, or remove it",
            )


def _place(item: _Open) -> int:
    return item.at


def _joined(openers: list[_Open], closers: list[_Open]) -> set[int]:
    """Places of marks whose other half stands in another block."""
    waiting: dict[str, list[_Open]] = {}
    matches: set[int] = set()
    position = 0
    for closer in closers:
        while position < len(openers) and openers[position].at < closer.at:
            waiting.setdefault(openers[position].mark, []).append(openers[position])
            position += 1
        for mark in _BRACKETS.get(closer.mark) or [
            o for o, c in _CLOSERS.items() if closer.mark in c
        ]:
            # In the same block it would have been matched, if it were its other half.
            if waiting.get(mark) and waiting[mark][-1].block < closer.block:
                matches |= {waiting[mark].pop().at, closer.at}
                break
    return matches


def _carried_on(left: _Open, view: View) -> bool:
    """Whether a quote left open at a block's start is opened again by the next one, as long
    quotations are.
    """
    here = view.blocks[left.block]
    if left.at != here.start or left.block + 1 >= len(view.blocks):
        return False
    return view.text[view.blocks[left.block + 1].start] == left.mark
