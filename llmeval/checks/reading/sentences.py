"""Where sentences end: own rules for scripts with and without capitals, no trained model.

Terminal marks follow UAX #29 (STerm, ATerm); abbreviations are those common in English, German,
French, Spanish, Italian and Portuguese text. Blocks (list items, headings, table rows, paragraphs)
end sentences, line breaks do not.
"""

from collections.abc import Iterator
from itertools import chain
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
    rf"|[.!?…‽؟۔।॥։]++){_CLOSE}(?=\s[\s\"'“”„‘’«‹(\[{{¿¡*_—–-]*+"
    r"(?P<next>[\p{L}\p{M}\p{N}]{0,20}+))"
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
    return list(iter_split(text))


def iter_split(text: str) -> Iterator[tuple[int, int]]:
    """The sentences of `split`, one by one: a caller that needs the first few reads no further."""
    cased, sample = _uses_capitals(text), text[:_SAMPLE]
    for start, end in blocks(text):
        begin = start
        for stop in chain(_ends(text, start, end, cased, sample), (end,)):
            body = text[begin:stop].lstrip()
            begin = stop - len(body)
            body = body.rstrip()
            if body[:1].isalnum() or _HAS_WORD.search(body):
                yield begin, begin + len(body)
            begin = stop


def _uses_capitals(text: str) -> bool:
    """Whether sentences start with capitals here; in text all in lower case a small letter says
    nothing.
    """
    upper = lower = 0
    for match in _CASED.finditer(text[:20_000]):
        upper += match[1] is not None
        lower += match[2] is not None
    return 2 * upper >= lower


class MarkdownLine(NamedTuple):
    """What a line of Markdown is, and where its content begins. `fence`: the marks of one."""

    kind: Literal["blank", "fence", "rule", "heading", "item", "row", "text"]
    content: int = 0
    fence: str = ""


_KINDS: dict[str | None, Literal["heading", "item", "row"]] = {
    "heading": "heading",
    "item": "item",
    "row": "row",
}
_BLANK = MarkdownLine("blank")
_RULE = MarkdownLine("rule")
_TEXT = MarkdownLine("text")


def is_rule(line: str) -> bool:
    """Whether a line is a thematic break: three or more of one mark of `-*_=`, and white space."""
    marks = "".join(line.split())
    return len(marks) >= 3 and marks[0] in "-*_=" and marks == marks[0] * len(marks)


def line_of(line: str) -> MarkdownLine:
    """What a line is by itself, outside of code."""
    first = line[:1]
    content = 0
    if first.isspace():
        content = len(line) - len(line.lstrip())
        first = line[content : content + 1]
    if not first:
        return _BLANK
    if first in "`~" and (fence := _FENCE_LINE.match(line)):
        return MarkdownLine("fence", fence=fence[1])
    if first in "-*_=" and is_rule(line):
        return _RULE
    # Most lines begin with a letter: they need no pattern unless they are an item such as `a) ...`.
    if first in _BLOCK_MARKS or line[content + 1 : content + 2] in (".", ")"):
        opening = _BLOCK_START.match(line)
        assert opening is not None  # each of its parts may be empty
        return MarkdownLine(_KINDS.get(opening.lastgroup, "text"), opening.end())
    return MarkdownLine("text", content) if content else _TEXT


def blocks(text: str) -> Iterator[tuple[int, int]]:
    """Stretches no sentence crosses: paragraphs, list items, headings, table rows; without marks
    and fenced code.
    """
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
    """The places in a block where a sentence ends.

    Args:
        text: the whole text.
        start: of the block.
        end: of the block.
        cased: whether a small letter after a mark says that the sentence goes on.
        sample: the text's beginning, which tells its language.
    """
    for match in _END.finditer(text, start, end):
        stop = match.end()
        if stop >= end:
            return
        marks, close, word = match.groups()
        if word is None:
            ends = _ends_spaceless(marks, close, text[stop])
        else:
            small = cased and word[:1].islower()
            following = text[stop : stop + 20].lstrip()
            if following[:1] in _GOES_ON:  # `Smith & Co. & Sons`, `a . . . b`
                continue
            token = _token_before(text, start, match.start()) if marks == "." else ""
            if token:
                first = match.start() - len(token)
                leading = text[max(start, first - 12) : first]
                ends = ends_after(token, word, small, leading, following, sample)
                ends = ends and (text[stop].isspace() or _glued(token, word))
            else:
                ends = not small
        if ends:
            yield stop


def _token_before(text: str, start: int, at: int) -> str:
    """The word before a dot, with the dots, hyphens and apostrophes inside; empty where a mark
    stands there.
    """
    line = text[max(start, at - _LOOK_BACK) : at]
    if not line or line[-1].isspace():
        return ""
    token = line.rsplit(None, 1)[-1]
    if token.isalnum():  # nearly always; the pattern takes five times as long
        return token
    match = _TOKEN_BEFORE.match(line)
    return match[0] if match else ""


def _glued(token: str, word: str) -> bool:
    """Whether a dot without a space after it ends a sentence, and is no part of a name
    (`example.Com`, `System.Out`)."""
    return token.islower() or word.lower() in FIRST_WORDS


def _ends_spaceless(marks: str, close: str, following: str) -> bool:
    """Chinese and Japanese: the mark ends the sentence, except before a quoting particle or inside
    a Latin name.
    """
    if marks[0] == ".":
        return bool(_SPACELESS.match(following))
    return not close or following not in _QUOTING
