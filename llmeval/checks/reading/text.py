"""Views of an answer that checks share: words, sentences, paragraphs, lines, graphemes, each with
its place.

Every view keeps offsets in code points of the text it was given, so that evidence can point into
the answer.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

import regex

from llmeval.checks.reading.sentences import iter_split
from llmeval.core.records import Span

MAX_CHARS = 1_000_000
"""Longest answer, in code points, that a check is expected to take within its time limit of 2 s."""


class Piece(NamedTuple):
    """A stretch of a text: code points [start, end)."""

    text: str
    start: int
    end: int

    def span(self, message: str = "", rule: str = "") -> Span:
        """The piece as evidence."""
        return Span(self.start, self.end, message, rule)


INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
"""Soft hyphen, zero-width space, non-joiner and joiner, word joiner, byte order mark."""
# A hyphen, apostrophe or dot inside a word keeps it one word, as word processors count, and so does
# an invisible character. A run of Han or Hiragana has no spaces to go by, so every character there
# counts as a word, and Katakana runs count as one (UAX #29, WB13). South-East Asian scripts part
# words with a zero-width space.
_LETTERS = r"[[\p{L}\p{M}\p{N}_]--[\p{Han}\p{Hiragana}\p{Katakana}]]+"
_PLAIN_WORD = rf"""
    {_LETTERS}
    (?: (?:['’\-‐‑.·]|(?<=\p{{N}})[,:](?=\p{{N}})
        | (?<![\p{{Thai}}\p{{Lao}}\p{{Khmer}}\p{{Myanmar}}])[{INVISIBLE}]) {_LETTERS} )*
  | [\p{{Han}}\p{{Hiragana}}]
  | [\p{{Katakana}}ー]+
"""
_IN_ADDRESS = r"[^\s<>\"“”«»\u3000-\u303f\uff00-\uff0f]"
_WORD = regex.compile(rf"(?V1){_PLAIN_WORD}", regex.VERBOSE)
# An address, a path or a file name is one word. In this order: `https://a.b/c`, `a.org/c`,
# `me@a.org`, `/usr/bin` or `C:\\a`, `src/a.py`. Each part has a length limit, so that no text takes
# quadratic time.
_WORD_OR_ADDRESS = regex.compile(
    rf"""(?V1)
    (?:[a-zA-Z][a-zA-Z0-9+.-]{{1,15}}://|\bwww\.){_IN_ADDRESS}{{0,2000}}[\w/]
  | (?<![\w./~@-])(?:[a-zA-Z0-9-]{{1,63}}+\.){{1,4}}[a-z]{{2,12}}/{_IN_ADDRESS}{{0,2000}}[\w/]
  | (?<![\w.+-])[\w.+-]{{1,64}}+@[a-zA-Z0-9-]{{1,63}}+(?:\.[a-zA-Z0-9-]{{1,63}}+)++
  | (?<![\w./~])(?:[a-zA-Z]:)?(?:~|\.\.?)?(?:[/\\][\w.-]{{0,100}}\w){{1,50}}[/\\]?
  | (?<![\w./~-])\w[\w-]{{0,100}}+(?:[/\\][\w.-]{{0,100}}\w){{0,30}}
    [/\\][\w-]{{1,100}}\.[a-z]{{1,5}}\b
  | {_PLAIN_WORD}
    """,
    regex.VERBOSE,
)
# Every address and path has one of these. The pattern with addresses takes three times as long, so
# only the stretches that need it get it. No word holds white space, so a stretch that ends before
# white space cuts none.
_OF_ADDRESSES = regex.compile(r"[/\\@]|www\.")
_STRETCH_CHARS = 4096
_LONGEST_RUN = 65_536
"""A longer run without white space holds no address that a person wrote."""
_STRETCH = regex.compile(rf"(?s).{{1,{_STRETCH_CHARS}}}+\S*+")
_GRAPHEME = regex.compile(r"\p{RI}{2}[\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=SpacingMark}]*|\X")
"""An extended grapheme cluster. Flags come first: `\\X` alone looks back over all flags before each
one, which takes time that grows with the square of their number."""
# Without one of these every code point is a cluster of its own (UAX #29, GB3 to GB13).
_JOINING = regex.compile(
    r"[\p{M}\p{Cf}\r\u200d\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7fb\p{Regional_Indicator}"
    r"\p{Emoji_Modifier}"
    r"\u0d4e\u0e33\u0eb3\uff9e\uff9f\U00011000-\U00011fff\U00016d40-\U00016d7f]"
)
_BLANK_LINES = regex.compile(r"\n(?:[^\S\n]*\n)+")
# Without the possessive `++` a long row of marks with another character at its end takes quadratic
# time.
_RULE_LINES = regex.compile(r"^[^\S\n]*+([-*_=])(?:[^\S\n]*+\1){2,}+[^\S\n]*+$", regex.MULTILINE)
_FENCE = regex.compile(
    r"[ ]{0,3}(`{3,}+|~{3,}+)([^\n`]*+)\n(.*?)(?:\n[ ]{0,3}\1[`~]*[^\S\n]*)?", regex.DOTALL
)
_CODE = regex.compile(
    r"^[ ]{0,3}(?P<fence>`{3,}+|~{3,}+)[^\n]*+\n.*?(?:^[ ]{0,3}(?P=fence)[`~]*[^\S\n]*$|\Z)"
    r"|(?<!`)(?P<ticks>`{1,8})(?!`)[^\n]*?(?<!`)(?P=ticks)(?!`)"
    r"|\b(?:https?|ftp)://[^\s<>()\[\]{}\"]+|\bwww\.[^\s<>()\[\]{}\"]+"
    r"|(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+",
    regex.DOTALL | regex.MULTILINE,
)
_LONGEST_HEADING = 300
_NOT_NEWLINE = regex.compile(r"[^\n]")


def iter_words(text: str) -> Iterator[Piece]:
    """The words, one by one: runs of letters, marks and digits; `don't`, `well-known`, `3.14`,
    `U.S` are one each.
    """
    for pattern, start, end in _stretches(text):
        for match in pattern.finditer(text, start, end):
            yield Piece(match[0], *match.span())


def words(text: str) -> list[Piece]:
    """The words, as in `iter_words`."""
    return list(iter_words(text))


def word_texts(text: str) -> list[str]:
    """The words without their places: several times faster than `words` on a long text."""
    if len(text) <= _STRETCH_CHARS:  # sentences and lines, of which a long text has very many
        pattern = _WORD_OR_ADDRESS if _OF_ADDRESSES.search(text) else _WORD
        return list(pattern.findall(text))
    texts: list[str] = []
    for pattern, start, end in _stretches(text):
        texts += pattern.findall(text, start, end)
    return texts


def count_words(text: str) -> int:
    """How many words there are."""
    return len(word_texts(text))


def words_at(text: str, indices: Sequence[int]) -> list[Piece]:
    """The words with these numbers, in rising order from 0. The others are only counted."""
    pieces: list[Piece] = []
    count = 0
    for pattern, start, end in _stretches(text):
        if len(pieces) == len(indices):
            break
        inside = len(pattern.findall(text, start, end))
        if indices[len(pieces)] < count + inside:
            numbers = {index - count for index in indices[len(pieces) :]}
            matches = enumerate(pattern.finditer(text, start, end))
            pieces += [Piece(m[0], *m.span()) for index, m in matches if index in numbers]
        count += inside
    return pieces


def words_past(text: str, limit: int) -> Piece | None:
    """From the first word past the limit to the end of the text; None when there is none."""
    first = next(islice(iter_words(text), limit, None), None)
    return None if first is None else trim(Piece(text[first.start :], first.start, len(text)))


def _stretches(text: str) -> Iterator[tuple["regex.Pattern[str]", int, int]]:
    """The text in stretches that cut no word, each with the pattern of its words."""
    for stretch in _STRETCH.finditer(text):
        start, end = stretch.span()
        has_address = end - start <= _LONGEST_RUN and _OF_ADDRESSES.search(text, start, end)
        yield _WORD_OR_ADDRESS if has_address else _WORD, start, end


def iter_sentences(text: str) -> Iterator[Piece]:
    """The sentences, one by one: list and heading marks belong to none, a newline alone ends none,
    fenced code has none.
    """
    return (Piece(text[start:end], start, end) for start, end in iter_split(text))


def sentences(text: str) -> list[Piece]:
    """The sentences, as in `iter_sentences`."""
    return list(iter_sentences(text))


def is_heading(text: str, start: int) -> bool:
    """Whether the sentence that starts there stands in a Markdown heading (`# ...`)."""
    reach = max(0, start - _LONGEST_HEADING)
    line = text.rfind("\n", reach, start) + 1
    return (line > 0 or reach == 0) and text[line:start].lstrip().startswith("#")


def paragraphs(text: str) -> list[Piece]:
    """Blocks separated by blank lines; lines of only `---`, `***`, `___` or `===` part blocks and
    belong to none.
    """
    matches: list[Piece] = []
    start = 0
    for gap in _BLANK_LINES.finditer(text):
        _add_blocks(matches, text, start, gap.start())
        start = gap.end()
    _add_blocks(matches, text, start, len(text))
    return matches


def lines(text: str) -> list[Piece]:
    """The lines that are not blank, trimmed."""
    pieces = []
    position = 0
    for line in text.split("\n"):
        if body := line.strip():
            start = position if len(body) == len(line) else position + line.index(body)
            pieces.append(Piece(body, start, start + len(body)))
        position += len(line) + 1
    return pieces


def graphemes(text: str) -> list[Piece]:
    """User-perceived characters (extended grapheme clusters, UAX #29)."""
    return [Piece(m[0], m.start(), m.end()) for m in _GRAPHEME.finditer(text)]


def count_graphemes(text: str) -> int:
    """How many user-perceived characters there are."""
    if text.isascii():
        return len(text) - text.count("\r\n")
    if _JOINING.search(text) is None:
        return len(text)
    return sum(1 for _ in _GRAPHEME.finditer(text))


def trim(piece: Piece) -> Piece:
    """The piece without the white space around it."""
    body = piece.text.strip()
    if len(body) == len(piece.text):
        return piece
    if not body:
        return Piece("", piece.start, piece.start)
    start = piece.start + len(piece.text) - len(piece.text.lstrip())
    return Piece(body, start, start + len(body))


def stripped(text: str) -> Piece:
    """The whole text without the white space around it."""
    return trim(Piece(text, 0, len(text)))


def unfenced(text: str) -> Piece:
    """What stands inside the one Markdown fence that wraps the whole text; else the text,
    stripped.
    """
    whole = stripped(text)
    match = _FENCE.fullmatch(whole.text)
    if match is None or regex.search(rf"(?m)^ {{0,3}}{regex.escape(match[1])}", match[3]):
        return whole
    return Piece(match[3], whole.start + match.start(3), whole.start + match.end(3))


def masked(text: str) -> str:
    """The text with code, URLs and e-mail addresses as spaces: same length, same lines."""
    if not any(mark in text for mark in ("`", "~~~", "://", "www.", "@")):
        return text
    return _CODE.sub(lambda m: _NOT_NEWLINE.sub(" ", m[0]), text)


def number_of(count: int, one: str, many: str = "") -> str:
    """`1 word`, `2 words`."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def caseless(text: str) -> str:
    """Case folded by Unicode's full mapping, `ß` as `ss`; the Turkish letters `İ` and `ı` are `i`,
    as their capital or small form is in other languages."""
    folded = text.casefold()
    return folded if folded.isascii() else folded.replace("i\u0307", "i").replace("ı", "i")


@lru_cache(maxsize=512)
def fold(text: str) -> str:
    """For comparing short texts: NFKC, caseless, straight quotes and hyphens, no invisible
    characters, single spaces.

    Offsets are lost.
    """
    plain = caseless(unicodedata.normalize("NFKC", text).translate(_PLAIN))
    return " ".join(plain.split())


_PLAIN = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—−", "-"),
        **dict.fromkeys(INVISIBLE),
    }
)


def _add_blocks(matches: list[Piece], text: str, start: int, end: int) -> None:
    """Add the pieces of one stretch without blank lines, cut at rule lines."""
    begin = start
    for rule in _RULE_LINES.finditer(text, start, end):
        _add(matches, text, begin, rule.start())
        begin = rule.end()
    _add(matches, text, begin, end)


def _add(matches: list[Piece], text: str, start: int, end: int) -> None:
    piece = trim(Piece(text[start:end], start, end))
    if piece.text:
        matches.append(piece)
