"""Marks in a row, marks at the start, and their width."""

import re
from collections.abc import Iterator

from llmeval.checks.punctuation.mark_rows import MarkRow, may_be_abbreviation, row_verdict
from llmeval.checks.punctuation.rules import Violation
from llmeval.checks.punctuation.view import HAN, LanguageRun, View

# Dashes, quotes and brackets are no marks of this kind: `—,` and `.)` are usual.
_ROW = re.compile(r"[,;:.!?…،؛؟।，。；：！？、．]{2,}+")
# `"late.".`: one stop inside and one outside; not before a newline, where a list may follow.
_QUOTED_STOP = re.compile(r"(?P<first>[.,;])[\"”»](?P<second>[.,;])(?![.\w]|\s*\n)")
_TOKEN_BEFORE = re.compile(r"[\w.’'-]*\Z")
_LEADERS = frozenset(",;:.!?)]}،؛؟，。；：！？、）」』】》")
# `.NET`, `:)` and `!important` may begin a text.
_LEADING = re.compile(r"[,;:.!?)\]}،؛؟，。；：！？、）」』】》](?=[\s\w])(?!(?<=[.:!?])[\w])")
# A half-width mark beside Han or Kana. Not in a row, which is a smiley or an ellipsis.
_HALF = re.compile(
    rf"(?<=[{HAN}])[ ]?[,;:?!](?![,;:?!])|(?<=[{HAN}])\.(?!\.)|[,;?!:](?=[ ]?[{HAN}])"
)
_HALF_BRACKET = re.compile(r"\(([^()\n]{1,200}+)\)|（[^（）()\n]{0,200}+\)|\([^（）()\n]{0,200}+）")
_HAN = re.compile(rf"[{HAN}]")
# A full-width mark after a Latin letter, and before one or the end.
_FULL = re.compile(r"(?<=[A-Za-z\u00c0-\u024f])[，。；：！？、](?=\s|[A-Za-z\"”')]|\Z)")
_CJK_SPACE = re.compile(rf"[，。；：！？、]([ ]++)(?=[{HAN}])")
# Six dots, as two characters, are the Chinese ellipsis.
_CJK_DOTS = re.compile(rf"(?<=[{HAN}])\.{{3,6}}|。{{3,6}}|(?<!…)…(?!…)(?=[{HAN}]|\s|\Z)")


def marks(view: View, run: LanguageRun) -> Iterator[Violation]:
    """Breaches of the rules of marks in one stretch."""
    for match in _ROW.finditer(view.text, run.start, run.end):
        finding = _row(view.text, match, run)
        if finding:
            yield finding
    for match in _QUOTED_STOP.finditer(view.text, run.start, run.end):
        if not may_be_abbreviation(_token_before(view.text, match.start()), run.locale):
            message = f"leave out one of {match['first']!r} and {match['second']!r}"
            yield Violation(
                *match.span(), "clash" if match["first"] != match["second"] else "doubled", message
            )
    if run.locale.cjk:
        yield from _width(view, run)
    else:
        for match in _FULL.finditer(view.text, run.start, run.end):
            yield Violation(*match.span(), "full-width", f"use the half-width form of {match[0]!r}")


def leading(view: View) -> Iterator[Violation]:
    """Blocks that start with a mark."""
    for block in view.blocks:
        if view.text[block.start] not in _LEADERS or block.kind == "cell":
            continue
        match = _LEADING.match(view.text, block.start, block.end)
        if match:
            yield Violation(*match.span(), "leading", f"a text does not start with {match[0]!r}")


def _row(text: str, match: "re.Match[str]", run: LanguageRun) -> Violation | None:
    start, end = match.span()
    neighbours = text[start - 1 : start] + text[end : end + 1]
    verdict = row_verdict(MarkRow(match[0], neighbours, _token_before(text, start), run.locale))
    return Violation(start, end, *verdict) if verdict.rule else None


def _token_before(text: str, end: int) -> str:
    token = _TOKEN_BEFORE.search(text, max(0, end - 30), end)
    return token[0] if token else ""


def _width(view: View, run: LanguageRun) -> Iterator[Violation]:
    text = view.text
    for match in _HALF.finditer(text, run.start, run.end):
        # After a label in Chinese text (`姓名: 李`) the half-width colon is common: advice only.
        label = (
            match[0].strip() == ":"
            and text[match.end() : match.end() + 1].isspace()
            and match.end() != run.end
        )
        rule = "half-colon" if label and not text.startswith("\n\n", match.end()) else "half-width"
        yield Violation(*match.span(), rule, f"use the full-width form of {match[0].strip()!r}")
    for match in _HALF_BRACKET.finditer(text, run.start, run.end):
        if match[1] is None:
            yield Violation(
                *match.span(), "half-width", "these brackets differ in width: use （ ）"
            )
        elif _HAN.search(match[1]):
            yield Violation(
                *match.span(),
                "half-bracket",
                "use full-width brackets （ ） around Chinese or Japanese",
            )
    for match in _CJK_DOTS.finditer(text, run.start, run.end):
        if run.locale.language == "zh":
            yield Violation(*match.span(), "ellipsis", "a Chinese ellipsis is ……")
    spaces = list(_CJK_SPACE.finditer(text, run.start, run.end))
    if spaces:
        more = f" ({len(spaces)} places)" if len(spaces) > 1 else ""
        yield Violation(
            *spaces[0].span(1), "cjk-space", f"no space follows a full-width mark{more}"
        )
