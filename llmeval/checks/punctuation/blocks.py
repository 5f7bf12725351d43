"""The blocks of an answer, line by line: paragraphs, headings, list items, table cells.

Blocks follow CommonMark as far as prose needs it, by lines and in linear time; HTML blocks are read
as text with tags. `tests/checks/punctuation/test_masking_tables.py` has an example of each kind of
line.
"""

import re
from typing import Literal, NamedTuple

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


# Backticks after the fence make it inline code: ```` ```a` ````.
_OPEN_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
# `=` is no rule in CommonMark, but answers draw lines with it.
_RULE = re.compile(r" {0,3}([-*_=])(?:[ \t]*\1){2,}[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-{2,})[ \t]*$")
_QUOTE = re.compile(r" {0,3}>[> \t]*")
# `#tag` is a tag, so that white space must follow.
_HEAD = re.compile(r" {0,3}#{1,6}(?=[ \t]|$)[ \t]*")
# CommonMark allows closing marks (`## One ##`); they are no text.
_HEAD_END = re.compile(r"(?<=[ \t])#+[ \t]*$")
# Typographic bullets count, as word processors write them. A number needs white space after its
# dot (`3.14`), and has three digits at most (`1999. It` is a year).
_ITEM = re.compile(
    r"[ \t]*(?:[-*+•‣◦▪●○]|\(?[0-9]{1,3}[.)、](?=[ \t])|[a-zA-Z][.)])(?=[ \t]|$)[ \t]*(?:\[[ "
    r"xX]\][ \t]+)?"
)
# Models write headings as a bold line: `**Result:**`.
_BOLD_LINE = re.compile(r"(?:\*\*|__)[^*_\n]++(?:\*\*|__):?$")
_INDENT = re.compile(r"(?: {4}| {0,3}\t)")
# The line below a table's head.
_TABLE_RULE = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_POINTS = frozenset(".)")
# One match is a run of blank lines, or one line with its indent and its newline apart.
_LINES = re.compile(r"(?:[^\S\n]*+\n)++|([^\S\n]*+)\S[^\n]*+(\n?)|[^\S\n]++\Z")
# A line that begins with none of these is plain text: most lines end their scan here.
_MARKS = frozenset("#-*+•‣◦▪●○>|`~=_(0123456789")
_MOST_PIECES = 200_000
"""Blocks and marks that are told apart; what follows them is taken as one paragraph."""
# A longer line with pipes is data and no table that a person reads.
_LONGEST_ROW = 20_000
_CELL = re.compile(r"[^|\s](?:[^|]*[^|\s])?")
_SPACE = re.compile(r"[ \t]*+")


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
            # The common case first: a plain line goes on with its paragraph, or begins one.
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
        # Only after a blank line: an indented line of a paragraph or of an item is text.
        elif after_blank and first > start and not self.in_list and _INDENT.match(text, start, end):
            self.after_blank = True
        else:
            return text.find("|", start, end) >= 0 and self._row(start, end)
        self._blank(start, end)
        return True

    def _row(self, start: int, end: int) -> bool:
        line = self.text[start:end]
        # Prose may hold a pipe (`a|b`), so that a row begins with one or has one between spaces.
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
            # Items in a row belong to one list, whatever their marks.
            self.list += not self.in_list
            self.in_list = True
            self._open("item", start, item.end())
        elif self.begin is None:
            indent = _SPACE.match(text, start, end)
            first = indent.end() if indent else start
            # An indented paragraph after an item belongs to the item.
            self.in_list = self.in_list and first > start
            self._open("paragraph", start, first)
        self.last = end

    def _starts_item(self, mark: str) -> bool:
        """Whether a list mark is one: a list starts with its first number or letter, not in a line
        that reads `2. `.
        """
        number = mark.split("[")[0].strip().strip("(.)、")
        # Any mark goes on with a list, and a bullet always starts one.
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


def scan(text: str) -> tuple[list[tuple[int, int]], list[Block]]:
    """Stretches of block markup and code, without their newlines, and the blocks, in order."""
    return _Scan(text).result()
