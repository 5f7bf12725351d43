"""Blocks and masked text, example by example: kinds of lines, code, addresses, markup."""

from llmeval.checks.punctuation.masking import GAP, OBJECT, mask
from tests.support.tables import each_row

# (what, text, its blocks as kind and text)
BLOCKS = [
    ("paragraph over two lines", "One\ntwo\n\nthree", [("paragraph", "One\ntwo"), ("paragraph", "three")]),
    ("heading", "## One ##", [("heading", "One")]),
    ("hash without a space", "#one is a tag", [("paragraph", "#one is a tag")]),
    ("underlined heading", "One\n===", [("heading", "One")]),
    ("rule after a blank line", "One\n\n---\n\ntwo", [("paragraph", "One"), ("paragraph", "two")]),
    ("rule of stars", "One\n* * *\ntwo", [("paragraph", "One"), ("paragraph", "two")]),
    ("two dashes are no rule", "\n--", [("paragraph", "--")]),
    ("bold line is a heading", "**One:**", [("heading", "**One:**")]),
    ("bold words are none", "**One** two", [("paragraph", "**One** two")]),
    ("bullets", "- one\n* two\n• three", [("item", "one"), ("item", "two"), ("item", "three")]),
    ("task", "- [x] one", [("item", "one")]),
    ("numbers from 1", "1. one\n2. two", [("item", "one"), ("item", "two")]),
    ("letters from a", "a) one\nb) two", [("item", "one"), ("item", "two")]),
    ("number in brackets", "(1) one", [("item", "one")]),
    ("list that starts late", "3. one", [("item", "one")]),
    ("a line that reads `2. `", "It is H\n2. O is left.", [("paragraph", "It is H\n2. O is left.")]),
    ("letter that starts no list", "c. one", [("paragraph", "c. one")]),
    ("lazy line of an item", "- one\ntwo", [("item", "one\ntwo")]),
    ("indented line of an item", "- one\n\n  two", [("item", "one"), ("paragraph", "two")]),
    ("quote", "> one\n> two", [("paragraph", "one\n> two")]),
    ("table", "| a | b |\n|---|---|\n| c | d |", [("cell", "a"), ("cell", "b"), ("cell", "c"), ("cell", "d")]),
    ("table without outer pipes", "a | b\n--- | ---", [("cell", "a"), ("cell", "b")]),
    ("pipe in prose", "a|b is it", [("paragraph", "a|b is it")]),
    ("fence", "one\n```py\nx\n```\ntwo", [("paragraph", "one"), ("paragraph", "two")]),
    ("fence of tildes with ticks inside", "~~~\n```\n~~~\ntwo", [("paragraph", "two")]),
    ("closing fence with words is none", "```\n```x\n```\ntwo", [("paragraph", "two")]),
    ("unclosed fence", "one\n```\ntwo", [("paragraph", "one")]),
    ("ticks with a tick after them are code", "```a`", [("paragraph", "```a`")]),
    ("indented code", "one\n\n    two\n\nthree", [("paragraph", "one"), ("paragraph", "three")]),
    ("indented line of a paragraph", "one\n    two", [("paragraph", "one\n    two")]),
    ("only white space", " \n\t\n", []),
]  # fmt: skip


@each_row(("text", "blocks"), [row[1:] for row in BLOCKS], ids=[row[0] for row in BLOCKS])
def test_blocks(text: str, blocks: list[tuple[str, str]]) -> None:
    assert [(block.kind, text[block.start : block.end]) for block in mask(text).blocks] == blocks


def test_lists_are_numbered() -> None:
    blocks = mask("- one\n- two\n\nText.\n\n1. one\n").blocks
    assert [(block.kind, block.list) for block in blocks] == [
        ("item", 1),
        ("item", 1),
        ("paragraph", 0),
        ("item", 2),
    ]


# (text, the text with OBJECT as @, GAP as _ and newlines of markup as ~)
MASKED = [
    ("a `b` c", "a @@@ c"),
    ("a ``b`c`` d", "a @@@@@@@ d"),
    ("a `b c", "a `b c"),
    ("a `b\n\nc` d", "a `b\n\nc` d"),
    ("`a` `b`", "@@@ @@@"),
    ("see http://a.b/c, so", "see @@@@@@@@@@@@, so"),
    ("see (http://a.b/c) so", "see (@@@@@@@@@@@@) so"),
    ("see http://a.b/c_(d) so", "see @@@@@@@@@@@@@@@@ so"),
    ("see www.a.bc. So", "see @@@@@@@@. So"),
    ("to a.b@c.de now", "to @@@@@@@@ now"),
    ("in foo.py now", "in @@@@@@ now"),
    ("on foo.org now", "on @@@@@@@ now"),
    ("It rained.We left", "It rained.We left"),
    ("call f.g() now", "call @@@@@ now"),
    ("the std::map type", "the @@@@@@@@ type"),
    ("the a_b name", "the @@@ name"),
    ("**a** b", "__a__ b"),
    ("a _b_ c", "a _b_ c"),
    ("a * b", "a * b"),
    ("a~~b~~", "a__b__"),
    ("so.[1] Then", "so.___ Then"),
    ("see [1] there", "see @@@ there"),
    ("a [b](c) d", "a [b]___ d"),
    ("a <b>c</b>", "a ___c____"),
]


@each_row(("text", "masked"), MASKED)
def test_masked_text(text: str, masked: str) -> None:
    assert mask(text).text.replace(OBJECT, "@").replace(GAP, "_") == masked
