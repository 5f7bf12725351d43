"""An answer's text with everything that is not prose taken out of the way, every code point where
it was.

The masked text is as long as the raw one, so that a place found in one is the same place in the
other:

    GAP      markup that a reader does not see (`**`, a link's target, an HTML tag): read on as if
    it were not there OBJECT   something that stands as a word but is not prose (code, formula, URL,
    e-mail, file name, handle) newline  block markup (list marks, `#`, `>`, table pipes) and code
    blocks

Blocks follow CommonMark as far as prose needs it, by lines and in linear time; HTML blocks are read
as text with tags.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Literal, NamedTuple

from llmeval.checks.punctuation.masking_marks import marked_pattern

GAP = "\ue000"
OBJECT = "\ufffc"

Kind = Literal["paragraph", "heading", "item", "cell"]


class Block(NamedTuple):
    """A stretch of prose, code points [start, end): no sentence, quote or bracket is expected to
    cross its ends.

    `list`: number of the list an item belongs to, 0 elsewhere.
    """

    kind: Kind
    start: int
    end: int
    list: int = 0


@dataclass(frozen=True)
class MaskedText:
    """A masked text and its blocks, in order. `text` and `raw` have the same length."""

    raw: str
    text: str
    blocks: tuple[Block, ...]

    @cached_property
    def _cuts(self) -> tuple[list[int], list[int]]:
        """Where the runs of text between gaps start: in `compact`, and in `text`."""
        runs = [m.span() for m in _NO_GAP.finditer(self.text)]
        starts = [0, *accumulate(end - start for start, end in runs)][:-1]
        return starts, [start for start, _ in runs]

    @cached_property
    def compact(self) -> str:
        """The text without its gaps."""
        return self.text.replace(GAP, "")

    @cached_property
    def compact_blocks(self) -> tuple[Block, ...]:
        """The blocks with places in `compact`; those of nothing but gaps left out."""
        if len(self.compact) == len(self.text):
            return self.blocks
        moved = (
            Block(kind, self._inward(a), self._inward(b), number)
            for kind, a, b, number in self.blocks
        )
        return tuple(block for block in moved if block.end > block.start)

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where the stretch [start, end) of `compact` stands in the raw text."""
        if len(self.compact) == len(self.text):
            return start, end
        if start >= len(self.compact):
            return len(self.raw), len(self.raw)
        return self._outward(start), (
            self._outward(end - 1) + 1 if end > start else self._outward(start)
        )

    def _inward(self, index: int) -> int:
        """The place in `compact` of a place in `text`; one inside a gap is that of the next
        character.
        """
        here, there = self._cuts
        run = bisect_right(there, index) - 1
        if run < 0:
            return 0
        end = here[run + 1] if run + 1 < len(here) else len(self.compact)
        return min(here[run] + index - there[run], end)

    def _outward(self, index: int) -> int:
        here, there = self._cuts
        run = bisect_right(here, index) - 1
        return there[run] + index - here[run]


def mask(text: str) -> MaskedText:
    """The text with markup, code, formulas, URLs, names of files and the like masked, and its
    blocks.
    """
    blanks, blocks = _Scan(text).result()
    masked = _apply(text, [(a, b, "\n") for a, b in blanks])
    masked = _apply(masked, _code_spans(masked))
    masked = _objects(masked)
    masked = _MARKUP.sub(lambda m: GAP * len(m[0]), masked)
    return MaskedText(text, masked, tuple(blocks))


_NOT_NEWLINE = re.compile(r"[^\n]")
_NO_GAP = re.compile(f"[^{GAP}]+")
_TICKS = re.compile(r"`+")
_OPEN_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
_RULE = re.compile(r" {0,3}([-*_=])(?:[ \t]*\1){2,}[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-{2,})[ \t]*$")
_QUOTE = re.compile(r" {0,3}>[> \t]*")
_HEAD = re.compile(r" {0,3}#{1,6}(?=[ \t]|$)[ \t]*")
_HEAD_END = re.compile(r"(?<=[ \t])#+[ \t]*$")
_ITEM = re.compile(
    r"[ \t]*(?:[-*+•‣◦▪●○]|\(?[0-9]{1,3}[.)、](?=[ \t])|[a-zA-Z][.)])(?=[ \t]|$)[ \t]*(?:\[[ "
    r"xX]\][ \t]+)?"
)
_BOLD_LINE = re.compile(r"(?:\*\*|__)[^*_\n]++(?:\*\*|__):?$")
_INDENT = re.compile(r"(?: {4}| {0,3}\t)")
_TABLE_RULE = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_POINTS = frozenset(".)")
_LINES = re.compile(r"(?:[^\S\n]*+\n)++|([^\S\n]*+)\S[^\n]*+(\n?)|[^\S\n]++\Z")
_MARKS = frozenset("#-*+•‣◦▪●○>|`~=_(0123456789")
_MOST_PIECES = 200_000
"""Blocks and marks that are told apart; what follows them is taken as one paragraph."""
_LONGEST_ROW = 20_000
_CELL = re.compile(r"[^|\s](?:[^|]*[^|\s])?")
_SPACE = re.compile(r"[ \t]*+")

_EXTENSIONS = (
    "py|js|ts|jsx|tsx|json|ya?ml|toml|ini|cfg|md|txt|csv|tsv|html?|css|scss|java|cpp|hpp|c|h|cs|go"
    "|rs|rb|php|sh|bat|exe|dll"
    "|so|zip|gz|tar|pdf|docx?|xlsx?|pptx?|png|jpe?g|gif|svg|mp[34]|wav|sql|xml|ipynb|log|env|lock"
    "|db|conf|jar|kt|swift"
)
_DOMAINS = (
    "com|org|net|edu|gov|mil|info|biz|io|ai|dev|app|co|uk|us|de|fr|es|eu|ch|at|it|nl|ru|cn"
    "|jp|br|ca|au|in|tv|me"
)
_URL = re.compile(
    r"(?:\b[a-zA-Z][a-zA-Z0-9+-]{1,15}+://|www\.)[^\s<>\"“”«»\u3000-\u303f\uff00-\uff0f]++"
)
_MARKED = marked_pattern()
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}+@[a-zA-Z0-9-]{1,63}+(?:\.[a-zA-Z0-9-]{1,63}+)++")
_FILE = re.compile(
    rf"(?<![\w./-])(?:\w[\w-]{{0,60}}+\.){{1,4}}(?:{_EXTENSIONS}"
    rf"|{_DOMAINS})\b(?:/[^\s<>\"“”«»()]{{0,500}}+)?(?![.-]?\w)"
)
_CALL = re.compile(
    r"(?<![\w.])[A-Za-z_]\w{0,60}+(?:\.[A-Za-z_]\w{0,60}+){0,4}\(\)(?:\.\w++(?:\(\))?)*+"
)
_SCOPED = re.compile(r"(?<![\w.:])[A-Za-z_]\w{0,60}+(?:::[A-Za-z_]\w{0,60}+)++(?:\(\))?")
_SNAKE = re.compile(r"(?<!\w)[A-Za-z][a-zA-Z0-9]{0,40}+_\w++")
_TRIGGERED = (("@", _EMAIL), (".", _FILE), ("()", _CALL), ("::", _SCOPED), ("_", _SNAKE))
_URL_TAIL = ".,;:!?'\"’”»*_)]}>"
_MARKUP = re.compile(
    r"""
    \\(?=[!-/:-@\[-`{-~])
  | (?<![*\w])\*{1,3}(?=[^\s*]) | (?<=[^\s*])\*{1,3}(?![*\w]) | (?<=[^\s*])\*{1,3}(?=[^\s*])
  | (?<![_\w])_{1,3}(?=[^\s_]) | (?<=[^\s_])_{1,3}(?![_\w])
  | ~~ | \u200b | \ufeff | \u200e | \u200f | \u00ad | \u2060
    """,
    re.VERBOSE,
)


def _apply(text: str, places: list[tuple[int, int, str]]) -> str:
    """The text with each [start, end) replaced by as many fillers; places in order and apart."""
    parts, last = [], 0
    for start, end, filler in places:
        filled = (
            filler * (end - start) if filler == "\n" else _NOT_NEWLINE.sub(filler, text[start:end])
        )
        parts += [text[last:start], filled]
        last = end
    parts.append(text[last:])
    return "".join(parts)


def _code_spans(text: str) -> list[tuple[int, int, str]]:
    """Inline code: a run of backticks up to the next run of the same length in the same
    paragraph.
    """
    by_length: dict[int, list[int]] = defaultdict(list)
    runs = [m.span() for m in _TICKS.finditer(text)]
    for index in range(len(runs) - 1, -1, -1):
        by_length[runs[index][1] - runs[index][0]].append(index)
    matches, done = [], -1
    for index, (start, end) in enumerate(runs):
        same = by_length[end - start]
        while same and same[-1] <= index:
            same.pop()
        if index <= done or not same:
            continue
        close = runs[same[-1]][1]
        if "\n\n" not in text[end : min(close, end + 2000)] and close - end < 2000:
            matches.append((start, close, OBJECT))
            done = same[-1]
    return matches


def _objects(text: str) -> str:
    """The text with everything masked that is a word to the reader, but no prose."""
    if "://" in text or "www." in text:
        text = _URL.sub(_url, text)
    text = _MARKED.sub(_marked, text)
    for trigger, pattern in _TRIGGERED:
        if trigger in text:
            text = pattern.sub(lambda m: OBJECT * len(m[0]), text)
    return text


def _url(match: "re.Match[str]") -> str:
    """Marks after a URL are the sentence's own; a closing bracket is the URL's where it has an
    opening one.
    """
    whole = match[0]
    kept = whole[len(whole.rstrip(_URL_TAIL)) :]
    if kept[:1] == ")" and "(" in whole:
        kept = kept[1:]
    return OBJECT * (len(whole) - len(kept)) + kept


def _marked(match: "re.Match[str]") -> str:
    whole, kind = match[0], match.lastgroup
    if kind == "note" and match.string[max(0, match.start() - 1) : match.start()] in (" ", "("):
        return OBJECT * len(whole)
    if kind in ("tag", "note", "source"):
        return GAP * len(whole)
    if kind in ("display", "brackets"):
        return _NOT_NEWLINE.sub(OBJECT, whole)
    if kind == "target":
        return "]" + GAP * (len(whole) - 1)
    return OBJECT * len(whole)


class _Scan:
    """One pass over the lines: what to blank, and where the blocks are."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.blanks: list[tuple[int, int]] = []
        self.blocks: list[Block] = []
        self.kind: Kind = "paragraph"
        self.begin: int | None = None
        self.last = 0
        self.list = 0
        self.fence = ""
        self.after_blank = True
        self.in_list = False

    def result(self) -> tuple[list[tuple[int, int]], list[Block]]:
        """Stretches of block markup and code, without their newlines, and the blocks."""
        text = self.text
        for line in _LINES.finditer(text):
            indent = line[1]
            if indent is None:
                self._close()
                self.after_blank = True
                continue
            start, end = line.start(), line.start(2)
            if len(self.blanks) + len(self.blocks) > _MOST_PIECES:
                self._close()
                self.kind, self.begin, self.last = "paragraph", start, len(text)
                break
            first = start + len(indent)
            plain = (
                text[first] not in _MARKS
                and text[first + 1 : first + 2] not in _POINTS
                and not self.fence
            )
            if plain and (self.begin is not None or not indent) and "|" not in line[0]:
                if self.begin is None:
                    self.kind, self.begin = "paragraph", first
                    self.in_list = self.after_blank = False
                self.last = end
            else:
                self._line(start, first, end)
        self._close()
        return self.blanks, self.blocks

    def _line(self, start: int, first: int, end: int) -> None:
        if self.fence:
            line = self.text[first:end].rstrip()
            self._blank(start, end)
            if line.startswith(self.fence) and not line.strip(self.fence[0]):
                self.fence = ""
            return
        if self.text[first] == ">":
            start = self._unquoted(start, end)
        if not self._special(start, first, end):
            self._prose(start, end)
            self.after_blank = False

    def _unquoted(self, start: int, end: int) -> int:
        quote = _QUOTE.match(self.text, start, end)
        if quote is None:
            return start
        self._blank(start, quote.end())
        return quote.end()

    def _special(self, start: int, first: int, end: int) -> bool:
        """Whether the line is markup as a whole: a fence, a rule, indented code, a table row."""
        text, mark = self.text, self.text[first]
        after_blank, self.after_blank = self.after_blank, False
        if mark in "`~" and (
            fence := _OPEN_FENCE.match(text, first if self.in_list else start, end)
        ):
            self._close()
            self.fence = fence[1]
        elif (
            mark in "-="
            and self.begin is not None
            and self.kind == "paragraph"
            and _UNDERLINE.match(text, start, end)
        ):
            self.kind = "heading"
            self._close()
        elif mark in "-*_=" and _RULE.match(text, start, end):
            self._close()
        elif after_blank and first > start and not self.in_list and _INDENT.match(text, start, end):
            self.after_blank = True
        else:
            return text.find("|", start, end) >= 0 and self._row(start, end)
        self._blank(start, end)
        return True

    def _row(self, start: int, end: int) -> bool:
        line = self.text[start:end]
        if end - start > _LONGEST_ROW or not (line.lstrip().startswith("|") or " | " in line):
            return False
        self._close()
        self.in_list = False
        if _TABLE_RULE.match(line):
            self._blank(start, end)
            return True
        last = start
        for cell in _CELL.finditer(self.text, start, end):
            self._blank(last, cell.start())
            self.blocks.append(Block("cell", cell.start(), cell.end()))
            last = cell.end()
        self._blank(last, end)
        return True

    def _prose(self, start: int, end: int) -> None:
        text = self.text
        head, item = _HEAD.match(text, start, end), _ITEM.match(text, start, end)
        if head:
            self._close()
            self.in_list = False
            tail = _HEAD_END.search(text, head.end(), end)
            self._open("heading", start, head.end())
            self.last = tail.start() if tail else end
            self._blank(self.last, end)
            self._close()
            return
        if item and self._starts_item(text[start : item.end()]):
            self._close()
            self.list += not self.in_list
            self.in_list = True
            self._open("item", start, item.end())
        elif self.begin is None:
            indent = _SPACE.match(text, start, end)
            first = indent.end() if indent else start
            self.in_list = self.in_list and first > start
            self._open("paragraph", start, first)
        self.last = end

    def _starts_item(self, mark: str) -> bool:
        """Whether a list mark is one: a list starts with its first number or letter, not in a line
        that reads `2. `.
        """
        number = mark.split("[")[0].strip().strip("(.)、")
        if self.in_list or not number.isalnum():
            return True
        return number in ("1", "a", "A", "i", "I") or (number.isdigit() and self.begin is None)

    def _open(self, kind: Kind, start: int, content: int) -> None:
        self._blank(start, content)
        self.kind, self.begin = kind, content

    def _close(self) -> None:
        if self.begin is not None:
            end = self.last
            while end > self.begin and self.text[end - 1].isspace():
                end -= 1
            if end > self.begin:
                if (
                    self.text[self.begin] in "*_"
                    and self.kind == "paragraph"
                    and _BOLD_LINE.match(self.text, self.begin, end)
                ):
                    self.kind = "heading"
                self.blocks.append(
                    Block(self.kind, self.begin, end, self.list if self.kind == "item" else 0)
                )
        self.begin = None

    def _blank(self, start: int, end: int) -> None:
        if end > start:
            self.blanks.append((start, end))
