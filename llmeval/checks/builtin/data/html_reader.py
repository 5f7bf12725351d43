"""The tags of an HTML text, and whether they nest: what a browser would silently repair is an error
here.
"""

import re
from typing import NamedTuple

from llmeval.checks.reading.payload import MAX_DEPTH, Malformed

# The elements of the HTML Living Standard, sections 4.1 to 4.12, and the two roots that it embeds
HTML = frozenset(
    "a abbr address area article aside audio b base bdi bdo blockquote body br button canvas "
    "caption cite code col "
    "colgroup data datalist dd del details dfn dialog div dl dt em embed fieldset figcaption "
    "figure footer form h1 h2 h3 "
    "h4 h5 h6 head header hgroup hr html i iframe img input ins kbd label legend li link main map "
    "mark math menu meta "
    "meter nav noscript object ol optgroup option output p param picture pre progress q rp rt "
    "ruby s samp script search "
    "section select slot small source span strong style sub summary sup svg table tbody td "
    "template textarea tfoot th "
    "thead time title tr track u ul var video wbr".split()
)
_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())
# Elements whose end tag may be left out (section 13.1.2.4)
_OPTIONAL = frozenset(
    "body caption colgroup dd dt head html li optgroup option p rp rt tbody td tfoot th thead "
    "tr".split()
)
_RAW = frozenset(["script", "style", "textarea", "title"])
_FOREIGN = frozenset(["svg", "math"])
TAG = re.compile(
    r"<(?P<close>/?)(?P<name>[A-Za-z][A-Za-z0-9:._-]{0,60})"
    r"(?=[\s/>])(?:[^<>\"']|\"[^\"<]*+\"|'[^'<]*+')*+>"
)
_TOKEN = re.compile(rf"<!--|<!doctype html[^<>]*+>|{TAG.pattern}", re.IGNORECASE)


class StartTag(NamedTuple):
    """A start tag; [start, end) in code points."""

    name: str
    start: int
    end: int


def read_html(text: str) -> list[StartTag]:
    """The start tags of an HTML text, elements inside `svg` and `math` left out.

    Raises:
        Malformed: no tag; text outside of the elements; an end tag without its start tag, or the
            other way round; nesting deeper than 200.
    """
    tags: list[StartTag] = []
    open_tags: list[StartTag] = []
    at = foreign = 0
    while (token := _TOKEN.search(text, at)) is not None:
        _no_stray(text, at, token.start(), bool(open_tags))
        at = token.end()
        if token["name"] is None:
            at = _comment_end(text, token)
            continue
        tag = StartTag(token["name"].lower(), token.start(), token.end())
        lone = tag.name in _VOID or token[0].endswith("/>")
        if tag.name in _FOREIGN and not lone:
            foreign += -1 if token["close"] else 1
        if token["close"]:
            _close(tag, open_tags)
            continue
        if foreign == 0 or tag.name in _FOREIGN:
            tags.append(tag)
        if tag.name in _RAW and foreign == 0:
            at = _raw_end(text, tag)
        elif not lone:
            _open(tag, open_tags)
    _no_stray(text, at, len(text), bool(open_tags))
    unclosed = [tag for tag in open_tags if tag.name not in _OPTIONAL]
    if unclosed:
        raise Malformed(
            f"<{unclosed[-1].name}> is not closed", unclosed[-1].start, unclosed[-1].end
        )
    if not tags:
        raise Malformed("has no HTML element")
    return tags


def _no_stray(text: str, start: int, end: int, inside: bool) -> None:
    stray = "" if inside else text[start:end].strip()
    if stray:
        first = text.index(stray, start)
        raise Malformed("has text outside of the elements", first, first + len(stray))


def _open(tag: StartTag, open_tags: list[StartTag]) -> None:
    if open_tags and tag.name == open_tags[-1].name and tag.name in _OPTIONAL:
        open_tags.pop()  # <li>one<li>two: the second ends the first
    if len(open_tags) >= MAX_DEPTH:
        raise Malformed(f"not read as HTML: nested deeper than {MAX_DEPTH}", tag.start, tag.end)
    open_tags.append(tag)


def _close(tag: StartTag, open_tags: list[StartTag]) -> None:
    while open_tags and open_tags[-1].name != tag.name and open_tags[-1].name in _OPTIONAL:
        open_tags.pop()
    if tag.name in _VOID:
        return
    if not open_tags or open_tags[-1].name != tag.name:
        inside = f" inside <{open_tags[-1].name}>" if open_tags else ""
        raise Malformed(f"</{tag.name[:40]}> has no start tag{inside}", tag.start, tag.end)
    open_tags.pop()


def _comment_end(text: str, token: "re.Match[str]") -> int:
    if not token[0].startswith("<!--"):
        return token.end()
    end = text.find("-->", token.end())
    if end < 0:
        raise Malformed("a comment is not closed", token.start(), token.end())
    return end + 3


def _raw_end(text: str, tag: StartTag) -> int:
    end = re.compile(rf"</{tag.name}\s*>", re.IGNORECASE).search(text, tag.end)
    if end is None:
        raise Malformed(f"<{tag.name}> is not closed", tag.start, tag.end)
    return end.end()
