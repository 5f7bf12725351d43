"""Masking: same length, same places; code and markup out of the way, prose untouched."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from llmeval.checks.punctuation.masking import GAP, OBJECT, mask
from tests.support.tables import each_row

MARKUP = "word |`|```|~~~|\n|\n\n|# |- |1. |> |**|_|[a](|)|<b>|$|\\|http://x.y |(|é|漢"
PIECES = st.sampled_from([*MARKUP.split("|"), "| "])
TEXTS = st.text() | st.lists(PIECES, max_size=40).map("".join)


@settings(max_examples=60)
@given(TEXTS)
def test_masking_keeps_length_lines_and_places(text: str) -> None:
    masked = mask(text)
    assert len(masked.text) == len(text)
    for index, char in enumerate(masked.text):
        assert char in (text[index], GAP, OBJECT, "\n")
        assert text[index] != "\n" or char == "\n" or char == GAP
    ends = 0
    for block in masked.blocks:
        assert ends <= block.start < block.end <= len(text)
        ends = block.end


@settings(max_examples=60)
@given(TEXTS)
def test_places_lead_back_to_the_raw_text(text: str) -> None:
    masked = mask(text)
    for index, char in enumerate(masked.compact):
        start, end = masked.place(index, index + 1)
        assert end == start + 1
        assert masked.text[start] == char
    for block in masked.compact_blocks:
        assert masked.compact[block.start : block.end]


@each_row(
    ("text", "gone"),
    [
        ("Call `f(a ,b)` now.", "f(a ,b)"),
        ("Use ``a`b`` here.", "a`b"),
        ("See https://example.org/a,b;c for more.", "https://example.org/a,b;c"),
        ("Write to ann.b@example.org today.", "ann.b@example.org"),
        ("Edit config.yaml first.", "config.yaml"),
        ("The file /etc/hosts.allow lists them.", "/etc/hosts.allow"),
        ("It holds that $a ,b = c$ always.", "a ,b"),
        (r"It holds that \(a ,b\) always.", "a ,b"),
        ("Line <br/> break.", "<br/>"),
        ("A [link](http://a.b/c_(d)) here.", "http://a.b/c_(d)"),
        ("Known.[12] Next.", "[12]"),
        ("Call foo.bar() twice.", "foo.bar()"),
        ("Nice :-) day.", ":-)"),
        ("A &nbsp; B.", "&nbsp;"),
        ("Text.\n\n```py\nx = 1 ,2\n```\n\nMore.", "x = 1 ,2"),
        ("Text.\n\n    x = 1 ,2\n\nMore.", "x = 1 ,2"),
        ("- item\n  ```\n  x ,y\n  ```\n", "x ,y"),
    ],
)
def test_what_is_no_prose_is_masked(text: str, gone: str) -> None:
    masked = mask(text)
    start = text.index(gone)
    assert not set(masked.text[start : start + len(gone)]) - {GAP, OBJECT, "\n"}


@pytest.mark.parametrize(
    "text", ["It cost $5 and then $10 more.", "2 * 3 is 6, a*b is not.", "Use snake case, not kebab.", "A < b and c > d.", "Yes, no, maybe."]
)  # fmt: skip
def test_prose_stays(text: str) -> None:
    assert mask(text).text.replace(GAP, "*") == text


def test_blocks_by_kind() -> None:
    text = "# Head #\n\nPara one\nruns on.\n\n- first\n- second\n\n> quoted\n\n| a | b |\n|---|---|\n| c | d |\n\nHead\n====\n\n**Bold line**\n\n1. one\n"
    kinds = [(block.kind, text[block.start : block.end]) for block in mask(text).blocks]
    assert kinds == [
        ("heading", "Head"),
        ("paragraph", "Para one\nruns on."),
        ("item", "first"),
        ("item", "second"),
        ("paragraph", "quoted"),
        *[("cell", letter) for letter in "abcd"],
        ("heading", "Head"),
        ("heading", "**Bold line**"),
        ("item", "one"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "a\n\n```\none\n\ntwo\n```\nb\n",
        "~~~js\nx\n```\ny\n~~~\nafter",
        "````\n```\nin\n```\n````\nout",
        "text\n\n    code\n    more\n\ntext",
        "```\nnever closed\nstill code",
        "para\n    not code",
    ],
)
def test_code_blocks_are_those_of_a_markdown_parser(text: str) -> None:
    code = {
        line
        for token in MarkdownIt().parse(text)
        if token.type in ("fence", "code_block") and token.map
        for line in range(*token.map)
    }
    masked = mask(text).text.split("\n")
    lines = text.split("\n")
    position, kept = 0, set()
    for number, line in enumerate(lines):
        if line.strip() and mask(text).text[position : position + len(line)].strip("\n"):
            kept.add(number)
        position += len(line) + 1
    assert masked
    assert kept == {number for number, line in enumerate(lines) if line.strip()} - code


def test_code_over_two_lines_keeps_its_newline() -> None:
    assert mask("a `b\nc` d").text == f"a {OBJECT * 2}\n{OBJECT * 2} d"
