"""Marker lines around the foreign text in a team's own judge prompt.

A judge's prompt shows the answer, its data and the fields of the case. All of them are text of
other people, which may contain orders to the judge. The shipped prompts put each of them between
two marker lines. A team's prompt may leave that out, so the lines are added here.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from jinja2 import Environment, TemplateSyntaxError

MARKER = "fence"
"""The variable of the marker, which no text of the prompt can contain."""
_OWN = frozenset([MARKER, "criteria", "loop"])
"""Variables whose values the team or llmeval wrote."""
_WORDS = frozenset(
    ["and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "True", "False", "None"]
)
_COUNTS = ("length", "count")
"""Filters that give a number, which needs no marker."""
_SIDE = re.compile(r" (BEGIN|END)\b")
_ENVIRONMENT = Environment(autoescape=False, keep_trailing_newline=True)


class _Token(NamedTuple):
    kind: str
    text: str


def marked(source: str) -> str:
    """The template with marker lines around each foreign value that has none.

    Args:
        source: one turn of a judge's prompt. What is between two lines that begin with
            `{{ fence }}` stays as it is. A template that is not valid Jinja2 stays too.
    """
    try:
        tokens = [_Token(kind, text) for _, kind, text in _ENVIRONMENT.lex(source)]
    except TemplateSyntaxError:
        return source
    parts = list(_parts(tokens))
    own, inside, written = set(_OWN), False, ""
    for part, following in zip(parts, [*parts[1:], ()], strict=True):
        if part[0].kind == "block_begin":
            own |= _defined(part, own)
        if part[0].kind != "variable_begin":
            written += _text(part)
        elif _is_marker(part) and written[-1:] in ("", "\n"):
            side = _SIDE.match(_text(following))
            inside = side[1] == "BEGIN" if side else not inside
            written += _text(part)
        else:
            foreign = next((name for name in _names(part) if name not in own), None)
            plain = inside or foreign is None or _is_count(part)
            written += _text(part) if plain else _between(str(foreign), part, written)
    return written


def _parts(tokens: Sequence[_Token]) -> Iterator[tuple[_Token, ...]]:
    """The tokens by part: an expression, a statement, or one token of text."""
    part: list[_Token] = []
    for token in tokens:
        part.append(token)
        begins = part[0].kind in ("variable_begin", "block_begin")
        if not begins or token.kind in ("variable_end", "block_end"):
            yield tuple(part)
            part = []
    if part:
        yield tuple(part)


def _text(part: Sequence[_Token]) -> str:
    return "".join(token.text for token in part)


def _words(part: Sequence[_Token]) -> list[_Token]:
    return [token for token in part[1:-1] if token.kind != "whitespace"]


def _names(part: Sequence[_Token]) -> Iterator[str]:
    """The variables that an expression uses, without attributes, filters and words of Jinja2."""
    before = ""
    for token in _words(part):
        if token.kind == "name" and before not in (".", "|") and token.text not in _WORDS:
            yield token.text
        before = token.text


def _defined(part: Sequence[_Token], own: set[str]) -> set[str]:
    """The variables that a `for` or `set` defines, if their values are the team's own."""
    words = _words(part)
    if not words or words[0].text not in ("for", "set"):
        return set()
    split = "in" if words[0].text == "for" else "="
    at = next((i for i, token in enumerate(words) if token.text == split), None)
    if at is None:
        return set()
    values = [part[0], *words[at + 1 :], part[-1]]
    targets = {token.text for token in words[1:at] if token.kind == "name"}
    return targets if all(name in own for name in _names(values)) else set()


def _is_marker(part: Sequence[_Token]) -> bool:
    return [token.text for token in _words(part)] == [MARKER]


def _is_count(part: Sequence[_Token]) -> bool:
    words = [token.text for token in _words(part)]
    return len(words) > 2 and words[-2] == "|" and words[-1] in _COUNTS


def _between(name: str, part: Sequence[_Token], written: str) -> str:
    """The expression between marker lines of their own."""
    first = "" if written[-1:] in ("", "\n") else "\n"
    marker, label = f"{{{{ {MARKER} }}}}", name.upper()
    value = "{{" + _text(part[1:-1]) + "}}"
    return f"{first}{marker} BEGIN {label}\n{value}\n{marker} END {label}\n"
