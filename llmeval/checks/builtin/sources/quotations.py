"""What an answer quotes: stretches in quotation marks, double or single, also over a line break,
and block quotes.

CASES has an example of each; a test reads them.
"""

import regex

from llmeval.checks.reading.text import Piece

_LONGEST = 2000
_BREAK = r"\n(?![^\S\n]*(?:\n|[-*+•>#|]|\d{1,3}[.)]\s))"
"""A line break inside a quotation: no blank line, and no list, heading or block quote on the
next."""


def _between(opening: str, closing: str) -> str:
    return rf"{opening}((?:[^{opening}{closing}\n]|{_BREAK}){{1,{_LONGEST}}}+){closing}"


_PATTERNS = (
    rf"“((?:[^“”\n]|“[^“”\n]{{0,500}}”|{_BREAK}){{1,{_LONGEST}}}+)”",
    _between("«", "»"),
    _between("»", "«"),
    _between("‹", "›"),
    _between("›", "‹"),
    rf"(?i:<q>)((?:[^<\n]|{_BREAK}){{1,{_LONGEST}}}+)(?i:</q>)",
    rf"``((?:[^`'\n]|(?<=\w)'(?=\w)|{_BREAK}){{1,{_LONGEST}}}+)''",
    rf"„((?:[^„“”\n]|{_BREAK}){{1,{_LONGEST}}}+)[“”]",
    _between("「", "」"),
    _between("『", "』"),
    # an apostrophe stands between letters or after an s: neither opens nor closes
    rf"(?<![\w’])‘((?:[^‘’\n]|(?<=\w)’(?=\w)|{_BREAK}){{1,{_LONGEST}}}+)’(?!\w)",
    rf"(?<![\w'])'(?=[\p{{L}}\p{{N}}*_])(?!\d0s\b|(?:tis|twas|em|til|cause|bout|round|n)\b)"
    rf"((?:[^'\n]|(?<=\w)'(?=\w)|{_BREAK}){{1,{_LONGEST}}}+)(?<=[\w.,;:!?…*_)])'(?!\w)",
)
_CURLY = regex.compile("|".join(_PATTERNS))
_STRAIGHT = regex.compile(rf'"((?:[^"\n]|{_BREAK}){{1,{_LONGEST}}}+)"')
_STRAIGHT_IN_LINE = regex.compile(rf'"([^"\n]{{1,{_LONGEST}}}+)"')
_PARAGRAPH = regex.compile(r"(?:[^\n]++\n?)+")
_BLOCK = regex.compile(r"^(?:[^\S\n]{0,3}>[^\n]*+(?:\n|\Z))+", regex.MULTILINE)
_BLOCK_MARK = regex.compile(r"^[^\S\n]{0,3}(?:>[^\S\n]?)+", regex.MULTILINE)
_SOURCE_LINE = regex.compile(
    r"\n[^\S\n]*(?:[-–—]{1,3}[^\S\n]?\S[^\n]{0,100}|\([^()\n]{1,100}\))\s*\Z"
)
_NOT_NEWLINE = regex.compile(r"[^\n]")
_EMPHASIS = regex.compile(r"\*{1,3}|(?<!\w)_{1,3}(?=\w)|(?<=\w)_{1,3}(?!\w)|`")

# (text, what it quotes)
CASES = (
    ('He said "it was late" and left.', ("it was late",)),
    ("He said “it was late” and left.", ("it was late",)),
    ("Er sagte: „Es war spät.“", ("Es war spät.",)),
    ("Il a dit « il est tard ».", (" il est tard ",)),
    ("彼は「遅い」と言った。", ("遅い",)),
    ("Sie sagte: »Es war spät.« Und: ›so‹", ("Es war spät.", "so")),
    ("Il a dit «oui» et «non».", ("oui", "non")),
    ("They wrote <q>it was late</q> and ``it was dark''.", ("it was late", "it was dark")),
    ("“He said “no” to us”, she said.", ("He said “no” to us",)),
    ("They call it 'the oldest of the towers'.", ("the oldest of the towers",)),
    ("They call it ‘one of Lyon’s towers’.", ("one of Lyon’s towers",)),
    ("It's the dogs' food, and the cats' food.", ()),
    ("In the '90s the singers' songs were long.", ()),
    ('He said "it was\nlate" and left.', ("it was\nlate",)),
    ('A 5" pipe\n\nand a 6" pipe', ()),
    ('A 5" pipe.\n"So it is", he said.', ("So it is",)),
    (
        "They write:\n\n> It was late,\n> and it rained.\n> — A. Author\n\nSo it is.",
        ("It was late,\nand it rained.",),
    ),
    ('> He said "no".', ('He said "no".',)),
    ('- "one\n- two"', ()),
)


def quotations(text: str) -> list[Piece]:
    """The quotations of a text, in order, without their marks; block quotes as one, without the
    line of their source."""
    matches = []
    for match in _BLOCK.finditer(text):
        body = _SOURCE_LINE.sub("", _BLOCK_MARK.sub("", match[0]).rstrip()).strip()
        if body:
            matches.append(Piece(body, match.start(), match.start() + len(match[0].rstrip())))
    rest = _BLOCK.sub(lambda match: _NOT_NEWLINE.sub(" ", match[0]), text)
    matches += [_inside(match) for match in _CURLY.finditer(rest)]
    for paragraph in _PARAGRAPH.finditer(rest):
        # With an odd number of marks one is an inch or a slip: pairs are then sought line by line.
        pattern = _STRAIGHT if paragraph[0].count('"') % 2 == 0 else _STRAIGHT_IN_LINE
        matches += [
            _inside(match) for match in pattern.finditer(rest, paragraph.start(), paragraph.end())
        ]
    return sorted(matches, key=lambda piece: piece.start)


def without_emphasis(text: str) -> str:
    """The text without `**`, `_` and backticks."""
    return _EMPHASIS.sub("", text)


def _inside(match: "regex.Match[str]") -> Piece:
    index = match.lastindex or 1
    return Piece(match[index], match.start(index), match.end(index))
