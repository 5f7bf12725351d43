"""Where sentences end: own rules for scripts with and without capitals, no trained model.

Terminal marks follow UAX #29 (STerm, ATerm); abbreviations are those common in English, German, French, Spanish,
Italian and Portuguese text. Blocks (list items, headings, table rows, paragraphs) end sentences, line breaks do not.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import regex

from llmeval.checks.reading.sentence_dots import FIRST_WORDS, ends_after

# A citation after the stop, `.[1]` or `. [1]`, still belongs to the sentence.
_CLOSE = (
    r"(?P<close>(?:[\"'”’»›“«)\]}」』】）》〉*_]|[^\S\n]»"
    r"|[^\S\n]?\[\^?\d{1,4}(?:[,;–-] ?\d{1,4}){0,9}\](?!\()"
    r"|[⁰¹²³⁴-⁹]{1,4}|[^\S\n]?【\d{1,4}[^】\n]{0,60}】)*+)"
)
_END = regex.compile(
    rf"(?<![.!?…])(?P<marks>\.(?:[ \u00a0]\.)++"
    rf"|[.!?…‽؟۔।॥։]++){_CLOSE}(?=\s[\s\"'“”„‘’«‹(\[{{¿¡*_—–-]*+(?P<next>[\p{{L}}\p{{M}}\p{{N}}]{{0,20}}+))"
    # a space that was left out: `It rained.We left.`
    rf"|(?<=\p{{Ll}}{{3}})(?P<marks>\.)(?P<close>)(?=(?P<next>\p{{Lu}}\p{{Ll}}*+)[\s,;:'’])"
    rf"|(?<=\p{{L}}\p{{Ll}})(?P<marks>[!?])(?P<close>)(?=(?P<next>\p{{Lu}}\p{{Ll}}*+)[\s,;:.!?'’])"
    rf"|(?P<marks>[。！？｡．][。！？｡．!?…]*+|(?<=[\p{{Han}}\p{{Hiragana}}\p{{Katakana}}])[.!?…]++){_CLOSE}"
)
_BLOCK_START = regex.compile(
    r"[\s>]*+(?:(?P<heading>\#{1,6}[^\S\n])|(?P<item>(?:[-*+•‣◦–—]|\(?\d{1,3}[.)]"
    r"|\(?[a-zA-Z][.)])[^\S\n]+)"
    r"|(?P<row>\|))?"
)
_BLOCK_MARKS = frozenset("#>-*+•‣◦–—(|0123456789")
_RULE_LINE = regex.compile(r"[^\S\n]*([-*_=])(?:[^\S\n]*\1){2,}[^\S\n]*")
_FENCE_LINE = regex.compile(r" {0,3}(`{3,}|~{3,})")
_TOKEN_BEFORE = regex.compile(r"(?r)[\p{L}\p{M}\p{N}]+(?:[.\-’'][\p{L}\p{M}\p{N}]+)*")
_HAS_WORD = regex.compile(r"[\p{L}\p{N}]")
_CASED = regex.compile(r"(?:\A|[.!?]\s+)[\"'“„‘«(*_]*(?:(\p{Lu})|(\p{Ll}))")
_SPACELESS = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}]")
_QUOTING = "とっで、，"
_GOES_ON = frozenset("&,;:)=+/%.")
_LOOK_BACK = 40
_SAMPLE = 2000
"""Characters that tell the language where an abbreviation or ordinal depends on it."""


def split(text: str) -> list[tuple[int, int]]:
    """The [start, end) of every sentence that holds a letter or digit, in order."""
    cased, sample = _uses_capitals(text), text[:_SAMPLE]
    found: list[tuple[int, int]] = []
    for start, end in blocks(text):
        begin = start
        for stop in _ends(text, start, end, cased, sample):
            _add(found, text, begin, stop)
            begin = stop
        _add(found, text, begin, end)
    return found


def _uses_capitals(text: str) -> bool:
    """Whether sentences start with capitals here; in text all in lower case a small letter says nothing."""
    upper = lower = 0
    for match in _CASED.finditer(text[:20_000]):
        upper += match[1] is not None
        lower += match[2] is not None
    return 2 * upper >= lower


def _add(found: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    """Add a stretch, trimmed, if it says something."""
    piece = text[start:end]
    body = piece.lstrip()
    start += len(piece) - len(body)
    body = body.rstrip()
    if body[:1].isalnum() or _HAS_WORD.search(body):
        found.append((start, start + len(body)))


class Line(NamedTuple):
    """What a line of Markdown is, and where its content begins. `fence`: the marks of one."""

    kind: Literal["blank", "fence", "rule", "heading", "item", "row", "text"]
    content: int = 0
    fence: str = ""


def line_of(line: str) -> Line:
    """What a line is by itself, outside of code."""
    content = len(line) - len(line.lstrip())
    first, second = line[content : content + 1], line[content + 1 : content + 2]
    if not first:
        return Line("blank")
    if first in "`~" and (fence := _FENCE_LINE.match(line)):
        return Line("fence", fence=fence[1])
    if first in "-*_=" and _RULE_LINE.fullmatch(line):
        return Line("rule")
    opening = _BLOCK_START.match(line) if first in _BLOCK_MARKS or second in (".", ")") else None
    if opening is None:
        return Line("text", content)
    kinds: tuple[Literal["heading", "item", "row"], ...] = ("heading", "item", "row")
    return Line(next((kind for kind in kinds if opening[kind]), "text"), opening.end())


def blocks(text: str) -> Iterator[tuple[int, int]]:
    """Stretches no sentence crosses: paragraphs, list items, headings, table rows; without marks and fenced code."""
    begin: int | None = None
    last = position = 0
    fence = ""
    for raw in text.split("\n"):
        start, position = position, position + len(raw) + 1
        line = line_of(raw)
        if fence:
            closes = line.kind == "fence" and line.fence.startswith(fence)
            fence = "" if closes else fence
            continue
        starts = line.kind in ("heading", "item", "row")
        if begin is not None and (starts or line.kind in ("blank", "fence", "rule")):
            yield begin, last
            begin = None
        fence = line.fence
        if line.kind in ("blank", "fence", "rule"):
            continue
        begin = start + line.content if begin is None else begin
        last = start + len(raw)
        if line.kind in ("heading", "row"):
            yield begin, last
            begin = None
    if begin is not None:
        yield begin, last


def _ends(text: str, start: int, end: int, cased: bool, sample: str) -> Iterator[int]:
    for match in _END.finditer(text, start, end):
        stop = match.end()
        if stop >= end:
            return
        marks, close, word = match.groups()
        if word is None:
            if _ends_spaceless(marks, close, text[stop]):
                yield stop
        elif _is_end(text, match, start, cased and word[:1].islower(), word, sample):
            yield stop


def _is_end(text: str, match: "regex.Match[str]", start: int, small: bool, word: str, sample: str) -> bool:
    """Whether a terminal mark with white space, or nothing, after it ends a sentence.

    Args:
        text: the whole text.
        match: of the mark and of what closes after it.
        start: of the block.
        small: whether a small letter says that the sentence goes on.
        word: the next word, if one follows.
        sample: the text's beginning, which tells its language.
    """
    at, stop = match.span()
    following = text[stop : stop + 20].lstrip()
    if following[:1] in _GOES_ON:  # `Smith & Co. & Sons`, `a . . . b`
        return False
    dot = match["marks"] == "."
    before = _TOKEN_BEFORE.match(text, max(start, at - _LOOK_BACK), at) if dot else None
    if before is None:
        return not small
    if not text[stop : stop + 1].isspace() and not _glued(before[0], word):
        return False
    leading = text[max(start, before.start() - 12) : before.start()]
    return ends_after(before[0], word, small, leading, following, sample)


def _glued(token: str, word: str) -> bool:
    """Whether a dot without a space after it ends a sentence, and is no part of a name
    (`example.Com`, `System.Out`)."""
    return token.islower() or word.lower() in FIRST_WORDS


def _ends_spaceless(marks: str, close: str, following: str) -> bool:
    """Chinese and Japanese: the mark ends the sentence, except before a quoting particle or inside a Latin name."""
    if marks[0] == ".":
        return bool(_SPACELESS.match(following))
    return not close or following not in _QUOTING
