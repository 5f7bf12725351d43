"""Checks of Markdown structure, on the tokens of a CommonMark parser (with tables) rather than on
patterns.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field

from llmeval.checks.arguments import MAX_SPANS, Count, Most, Text, Texts, clip, counted
from llmeval.checks.base import Result, check, verdict
from llmeval.checks.reading.payload import too_long
from llmeval.core.records import Answer, Case, Span

MAX_CHARS = 100_000
"""Longest answer whose blocks are read; 60,000 where emphasis and links count too (hostile brackets
are slow).
"""
INLINE_CHARS = 60_000
_TYPOGRAPHIC = re.compile(
    r"(?m)^((?:>[ \t]?|[ \t])*+)(?:[•‣◦▪▫●○·∙⁃■□▶►➤➢❖✦・◉◎◆◇★☆▸▹▻][ \t]*+|[–—→⇒✓✔✗✘][ \t]++)(?=\S)"
)
"""A bullet point's mark that is not Markdown's; dashes need a space after them, as a line of
dialogue may have none."""
_MARK = re.compile(r"[^\s>]")
_LINE_END = re.compile(r"\r\n|\n|\r")
_LISTS = {"bullet_list_open": "bullet", "ordered_list_open": "ordered"}
_PLAIN = frozenset(
    ["paragraph_open", "paragraph_close", "inline", "text", "softbreak", "hardbreak"]
)
Exactly = Count | None
Level = Annotated[int, Field(ge=1, le=6)]


@lru_cache(maxsize=2)
def _parser(inline: bool) -> Any:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable("table")
    return parser if inline else parser.disable("inline")


def tokens(text: str, inline: bool = True) -> list[Any]:
    """markdown-it's tokens of a text; without `inline`, those of its blocks only.

    Raises:
        CheckError: the text is too long to be parsed within the time a check has.
    """
    too_long(text, INLINE_CHARS if inline else MAX_CHARS, "Markdown")
    return _parsed(text, inline)


@lru_cache(maxsize=1)  # the checks of a suite read one answer after another
def _parsed(text: str, inline: bool) -> list[Any]:
    result: list[Any] = _parser(inline).parse(text)
    return result


@check(group="markdown", version=3)
def bullets(
    case: Case,
    answer: Answer,
    *,
    exactly: Exactly = None,
    min: Count = 1,
    max: Most = None,
    marker: Literal["-", "*", "+", "•", "–"] | None = None,
    max_depth: Annotated[int, Field(ge=1)] | None = None,
) -> Result:
    """The answer has so many bullet points, nested ones included, all marked by `marker`, nested at
    most so deep.

    Typographic marks (`•`, `–`, `▪`...) count as those of Markdown do.
    """
    items = [item for item in _items(answer.text, typographic=True) if item[0] == "bullet"]
    for _, mark, depth, span in items:
        if marker is not None and mark != marker:
            return verdict(False, f"a bullet point begins with {mark}, not {marker}", span)
        if max_depth is not None and depth > max_depth:
            return verdict(
                False, f"bullet points are nested {depth} deep; expected at most {max_depth}", span
            )
    return counted(len(items), "bullet point", exactly, min, max, *(span for *_, span in items))


@check(group="markdown", version=2)
def numbered_list(
    case: Case,
    answer: Answer,
    *,
    exactly: Exactly = None,
    min: Count = 1,
    max: Most = None,
    consecutive: bool = False,
) -> Result:
    """The answer has so many numbered list items (`1.`, `2)`), nested ones included; `consecutive`:
    1, 2, 3...
    """
    items = [item for item in _items(answer.text) if item[0] == "ordered"]
    wrong = _misnumbered(items) if consecutive else None
    return wrong or counted(
        len(items), "numbered item", exactly, min, max, *(span for *_, span in items)
    )


def _misnumbered(items: list[tuple[str, str, int, Span]]) -> Result | None:
    expected: dict[int, int] = {}
    previous = 0
    for _, number, depth, span in items:
        if depth > previous:
            expected[depth] = 1
        if int(number) != expected[depth]:
            return verdict(False, f"an item has the number {number}, not {expected[depth]}", span)
        expected[depth] += 1
        previous = depth
    return None


@check(group="markdown", version=2)
def headings(
    case: Case,
    answer: Answer,
    *,
    exactly: Exactly = None,
    min: Count = 1,
    max: Most = None,
    level: Level | None = None,
    titles: Texts | None = None,
    nested: bool = False,
) -> Result:
    """The answer has so many headings, of `level` if one is given; these `titles` in this order
    among them; `nested`: a heading is at most one level below the one before."""
    matches = list(_headings(answer.text))
    if nested:
        for (above, _, _), (depth, _, span) in pairwise(matches):
            if depth > above + 1:
                return verdict(
                    False, f"a heading of level {depth} follows one of level {above}", span
                )
    chosen = [(title, span) for depth, title, span in matches if level in (None, depth)]
    if titles is not None:
        rest = iter([_bare(title) for title, _ in chosen])
        missing = next((title for title in titles if _bare(title) not in rest), None)
        if missing is not None:
            return verdict(False, f"has no heading {clip(missing)}, or not in this order")
    what = "heading" if level is None else f"heading of level {level}|headings of level {level}"
    return counted(len(chosen), what, exactly, min, max, *(span for _, span in chosen))


@check(group="markdown", version=2)
def code_fences(
    case: Case,
    answer: Answer,
    *,
    exactly: Exactly = None,
    min: Count = 1,
    max: Most = None,
    language: Text | None = None,
) -> Result:
    """The answer has so many fenced code blocks, in `language` if one is given; what is not closed
    does not count.
    """
    matches = [
        span
        for token, span in _blocks(answer.text)
        if token.type == "fence"
        and (language is None or _word(token.info) == language.lower())
        and _closed(answer.text[span.start : span.end], token.markup)
    ]
    what = (
        "code block" if language is None else f"code block in {language}|code blocks in {language}"
    )
    return counted(len(matches), what, exactly, min, max, *matches)


@check(group="markdown")
def table(
    case: Case,
    answer: Answer,
    *,
    columns: Texts | None = None,
    min_rows: Count = 1,
    max_rows: Count | None = None,
    exactly: Exactly = None,
) -> Result:
    """The answer has a table with these `columns` in order and so many rows below its head;
    `exactly`: so many tables.
    """
    matches = list(_tables(answer.text))
    if exactly is not None and len(matches) != exactly:
        return counted(
            len(matches), "table", exactly, None, None, *(span for _, _, span in matches)
        )
    reason = "has no table"
    for head, rows, span in matches:
        if columns is not None and [_bare(name) for name in head] != [
            _bare(name) for name in columns
        ]:
            reason = f"the columns are {', '.join(map(clip, head[:20]))}"
        elif rows < min_rows or (max_rows is not None and rows > max_rows):
            reason = f"the table has {rows} rows"
        else:
            return verdict(True, f"has a table of {len(head)} columns and {rows} rows", span)
    return verdict(exactly == 0, reason)


@check(group="markdown")
def links(
    case: Case,
    answer: Answer,
    *,
    exactly: Exactly = None,
    min: Count = 1,
    max: Most = None,
    hosts: Texts | None = None,
    schemes: Texts = ["http", "https", "mailto"],  # noqa: B006
) -> Result:
    """The answer has so many links (`[text](target)`, `<https://...>`), all with one of these
    `schemes` and, if given, to one of these `hosts` or below it. Nothing is fetched."""
    matches = []
    for token, span in _blocks(answer.text, inline=True):
        for child in token.children or ():
            if child.type == "link_open":
                matches.append((str(child.attrGet("href") or ""), span))
    for target, span in matches:
        why = _unwanted(target, hosts, schemes)
        if why:
            return verdict(False, why, Span(span.start, span.end, why, "links"))
    return counted(
        len(matches), "link", exactly, min, max, *dict.fromkeys(span for _, span in matches)
    )


@check(group="markdown")
def bold(
    case: Case, answer: Answer, *, exactly: Exactly = None, min: Count = 1, max: Most = None
) -> Result:
    """The answer has so many passages in **bold**."""
    matches = [
        span
        for token, span in _blocks(answer.text, inline=True)
        for child in token.children or ()
        if child.type == "strong_open"
    ]
    return counted(len(matches), "bold passage", exactly, min, max, *dict.fromkeys(matches))


@check(group="markdown")
def horizontal_rules(
    case: Case, answer: Answer, *, exactly: Exactly = None, min: Count = 1, max: Most = None
) -> Result:
    """The answer has so many horizontal rules (`---`, `***`, `___` on separate lines)."""
    matches = [span for token, span in _blocks(answer.text) if token.type == "hr"]
    return counted(len(matches), "horizontal rule", exactly, min, max, *matches)


@check(group="markdown")
def no_markdown(case: Case, answer: Answer) -> Result:
    """The answer is plain text: no heading, list, table, code, emphasis, link or quote in
    Markdown.
    """
    matches = []
    for token, span in _blocks(answer.text, inline=True):
        kinds = {token.type} | {child.type for child in token.children or ()}
        marked = sorted(
            kind.removesuffix("_open") for kind in kinds - _PLAIN if not kind.endswith("_close")
        )
        if marked and span.end > span.start:
            matches.append(Span(span.start, span.end, marked[0].replace("_", " "), "no_markdown"))
    return verdict(
        not matches,
        f"has Markdown: {matches[0].message}" if matches else "is plain text",
        *matches[:MAX_SPANS],
    )


def _items(text: str, typographic: bool = False) -> Iterator[tuple[str, str, int, Span]]:
    """(bullet or ordered, its mark or number, depth of the list, place) of each list item.
    `typographic`: `•` marks one."""
    open_lists: list[str] = []
    read_as = _TYPOGRAPHIC.sub(r"\1- ", text) if typographic else text
    for token, span in _blocks(text, read_as=read_as):
        if token.type in _LISTS:
            open_lists.append(_LISTS[token.type])
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            open_lists.pop()
        elif token.type == "list_item_open":
            kind = open_lists[-1]
            mark = _MARK.search(text, span.start, span.end)
            yield (
                kind,
                token.info if kind == "ordered" or mark is None else mark[0],
                len(open_lists),
                span,
            )


def _headings(text: str) -> Iterator[tuple[int, str, Span]]:
    level, place = 0, Span(0, 0)
    for token, span in _blocks(text):
        if token.type == "heading_open":
            level, place = int(token.tag[1]), span
        elif token.type == "inline" and level:
            yield level, token.content, place
            level = 0


def _tables(text: str) -> Iterator[tuple[list[str], int, Span]]:
    """(names of the columns, number of rows below, place) of each table."""
    head: list[str] = []
    rows, cell, place = 0, "", Span(0, 0)
    for token, span in _blocks(text):
        if token.type == "table_open":
            head, rows, place = [], -1, span
        elif token.type == "tr_open":
            rows += 1
        elif token.type in ("th_open", "td_open"):
            cell = token.type
        elif token.type == "inline" and cell == "th_open":
            head.append(token.content)
            cell = ""
        elif token.type == "table_close":
            yield head, rows, place


def _blocks(
    text: str, inline: bool = False, read_as: str | None = None
) -> Iterator[tuple[Any, Span]]:
    """Each block token with the lines it covers, as a span. `read_as`: the text to parse, with the
    same lines."""
    starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
    for token in tokens(text if read_as is None else read_as, inline):
        first, last = token.map or (0, 0)
        end = starts[last] if last < len(starts) else len(text)
        yield (
            token,
            Span(starts[first] if first < len(starts) else 0, end, token.type, "markdown", "info"),
        )


def _closed(block: str, mark: str) -> bool:
    lines = block.rstrip().split("\n")
    last = lines[-1].lstrip("> \t").rstrip()
    return len(lines) > 1 and last.startswith(mark) and set(last) == {mark[0]}


def _unwanted(target: str, hosts: list[str] | None, schemes: list[str]) -> str | None:
    try:
        parts = urlsplit(target)
        host = (parts.hostname or "").lower()
    except ValueError:
        return f"{clip(target)} is not a link target"
    if parts.scheme.lower() not in schemes:
        return f"{clip(target)} has the scheme {parts.scheme or 'none'}"
    if hosts is not None and not any(
        host == one.lower() or host.endswith(f".{one.lower()}") for one in hosts
    ):
        return f"{clip(target)} leads to {host or 'no host'}"
    return None


def _word(info: str) -> str:
    return info.strip().split(" ")[0].split("\t")[0].lower()


def _bare(title: str) -> str:
    return " ".join(title.strip("*_` ").rstrip(":").casefold().split())
