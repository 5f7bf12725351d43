"""An answer's text with everything that is not prose masked, every code point where it was.

The masked text is as long as the raw one, so that a place in one is the same place in the other:

- GAP: markup that a reader does not see (`**`, a link's target, an HTML tag). The rules read on as
  if it were not there.
- OBJECT: what stands as a word but is not prose (code, formula, URL, e-mail, file name, handle).
- newline: block markup (list marks, `#`, `>`, table pipes) and code blocks.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from llmeval.checks.punctuation.blocks import Block, scan
from llmeval.checks.punctuation.masking_marks import marked_pattern

GAP = "\ue000"
OBJECT = "\ufffc"


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
    blanks, blocks = scan(text)
    masked = _apply(text, [(a, b, "\n") for a, b in blanks])
    masked = _apply(masked, _code_spans(masked))
    masked = _objects(masked)
    masked = _MARKUP.sub(lambda m: GAP * len(m[0]), masked)
    return MaskedText(text, masked, tuple(blocks))


_NOT_NEWLINE = re.compile(r"[^\n]")
_NO_GAP = re.compile(f"[^{GAP}]+")
_TICKS = re.compile(r"`+")
# `foo.py` is a name; `rained.We` is a missing space. The lists part the two.
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
# Up to four parts before the ending: `a.tar.gz`, `www.a.co.uk`.
_FILE = re.compile(
    rf"(?<![\w./-])(?:\w[\w-]{{0,60}}+\.){{1,4}}(?:{_EXTENSIONS}"
    rf"|{_DOMAINS})\b(?:/[^\s<>\"“”«»()]{{0,500}}+)?(?![.-]?\w)"
)
# `f()` and `a.b().c`: code without backticks.
_CALL = re.compile(
    r"(?<![\w.])[A-Za-z_]\w{0,60}+(?:\.[A-Za-z_]\w{0,60}+){0,4}\(\)(?:\.\w++(?:\(\))?)*+"
)
_SCOPED = re.compile(r"(?<![\w.:])[A-Za-z_]\w{0,60}+(?:::[A-Za-z_]\w{0,60}+)++(?:\(\))?")
# An underscore inside a word is code, not emphasis.
_SNAKE = re.compile(r"(?<!\w)[A-Za-z][a-zA-Z0-9]{0,40}+_\w++")
_TRIGGERED = (("@", _EMAIL), (".", _FILE), ("()", _CALL), ("::", _SCOPED), ("_", _SNAKE))
# What a sentence may put right after a URL.
_URL_TAIL = ".,;:!?'\"’”»*_)]}>"
# Emphasis marks beside a letter, as CommonMark flanks them; `a * b` and `a_b` are no emphasis.
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
        # Code does not run over paragraphs, and an odd backtick must not swallow the rest.
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
    # `see [1]` reads the number as a word; `so.[1]` does not.
    if kind == "note" and match.string[max(0, match.start() - 1) : match.start()] in (" ", "("):
        return OBJECT * len(whole)
    if kind in ("tag", "note", "source"):
        return GAP * len(whole)
    if kind in ("display", "brackets"):
        return _NOT_NEWLINE.sub(OBJECT, whole)
    if kind == "target":
        return "]" + GAP * (len(whole) - 1)
    return OBJECT * len(whole)
