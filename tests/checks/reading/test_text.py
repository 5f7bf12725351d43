"""Views of a text: words, sentences, paragraphs, graphemes, masks."""

import random
from collections.abc import Callable
from itertools import pairwise

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from llmeval.checks.reading.text import (
    Piece,
    count_graphemes,
    count_words,
    graphemes,
    is_heading,
    lines,
    masked,
    number_of,
    paragraphs,
    sentences,
    stripped,
    trim,
    unfenced,
    word_texts,
    words,
    words_at,
    words_past,
)
from tests.support.tables import each_row

LONG = "See a.org/c, me@a.org or www.a.b now. " * 400 + "x" * 5000 + " end. " + "It rained. " * 900


def texts(found: list[Piece]) -> list[str]:
    return [piece.text for piece in found]


@pytest.mark.parametrize("view", [words, sentences, paragraphs, lines])
@given(text=st.text(max_size=300))
def test_every_piece_stands_where_it_says(view: Callable[[str], list[Piece]], text: str) -> None:
    found = view(text)
    assert all(text[piece.start : piece.end] == piece.text for piece in found)
    assert all(a.end <= b.start for a, b in pairwise(found))


@given(st.text(max_size=300))
def test_the_mask_keeps_length_and_lines(text: str) -> None:
    hidden = masked(text)
    assert len(hidden) == len(text)
    assert [i for i, c in enumerate(hidden) if c == "\n"] == [
        i for i, c in enumerate(text) if c == "\n"
    ]


@given(st.text(max_size=100))
def test_graphemes_are_counted_as_the_standard_says(text: str) -> None:
    assert count_graphemes(text) == len(regex.findall(r"\X", text))


@given(st.text(max_size=100), st.integers(0, 20))
def test_words_past_a_limit_begin_at_the_next_word(text: str, limit: int) -> None:
    found, past = words(text), words_past(text, limit)
    assert count_words(text) == len(found)
    assert (past.start if past else None) == (found[limit].start if len(found) > limit else None)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("don't well-known 3.14 1,000 U.S. x_y", 6),
        ("l’école d'été", 2),
        ("मराठी भाषा", 2),
        ("日本語はカタカナ", 5),
        ("and/or e.g. a@b", 5),
        ("— … !", 0),
        ("", 0),
    ],
)
def test_words(text: str, count: int) -> None:
    assert count_words(text) == count


@each_row(
    ("text", "expected"),
    [
        ("He left. She stayed! Did he? Yes.", ["He left.", "She stayed!", "Did he?", "Yes."]),
        ("Mr. Smith of the U.S. Army came at 5 p.m. to see Dr. J. R. Li.", None),
        ('"Really?" he asked. "Yes!" she said.', ['"Really?" he asked.', '"Yes!" she said.']),
        ("It is 3.14, i.e. about three... or so.", None),
        ("Add 2 tbsp. of salt.", None),
        ("A line\nbreak ends nothing.", None),
        ("One.\n\nTwo", ["One.", "Two"]),
        ("# Head\nText here.", ["Head", "Text here."]),
        ("- one\n- two. Three", ["one", "two.", "Three"]),
        ("1. One\n2. Two", ["One", "Two"]),
        (
            "Say etc. The end. No. 5 is it. No. It is not.",
            ["Say etc.", "The end.", "No. 5 is it.", "No.", "It is not."],
        ),
        ("all small. no capitals here. yes.", ["all small.", "no capitals here.", "yes."]),
        ("Am 3. Mai kam er z. B. mit Dr. Li.", None),
        ("So it is.[1] And so. [2, 3] End.", ["So it is.[1]", "And so. [2, 3]", "End."]),
        ("「はい。」と言った。そうです！本当？", ["「はい。」と言った。", "そうです！", "本当？"]),
        ("他说：“好。”我走了。", ["他说：“好。”", "我走了。"]),
        ("यह है। वह था।", ["यह है।", "वह था।"]),
        ("Text.\n```\nx. y. z.\n```\nMore.", ["Text.", "More."]),
        ("See https://a.example/b?c. Then go.", ["See https://a.example/b?c.", "Then go."]),
        ("...\n***\n!!", []),
    ],
)
def test_sentences(text: str, expected: list[str] | None) -> None:
    assert texts(sentences(text)) == ([text] if expected is None else expected)


def test_a_heading_is_known_by_its_marks() -> None:
    text = "# Head\nText."
    assert [is_heading(text, piece.start) for piece in sentences(text)] == [True, False]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb\n\nc", ["a\nb", "c"]),
        ("a\n \n\n b \n***\nc\n---", ["a", "b", "c"]),
        ("\n\n", []),
        ("a", ["a"]),
    ],
)
def test_paragraphs(text: str, expected: list[str]) -> None:
    assert texts(paragraphs(text)) == expected


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("```json\n{}\n```", "{}"),
        ("  ~~~\na\nb\n~~~\n", "a\nb"),
        ("```\nnot closed", "not closed"),
        ("```\na\n```\ntext\n```\nb\n```", None),
        (" plain ", "plain"),
    ],
)
def test_the_one_fence_around_a_text_is_taken_off(text: str, inside: str | None) -> None:
    piece = unfenced(text)
    assert piece.text == (text if inside is None else inside)
    assert text[piece.start : piece.end] == piece.text


def test_code_links_and_addresses_are_masked() -> None:
    assert masked("a `b.c` https://d.example/e me@f.example g\n```\nh\n```\ni").split() == [
        "a",
        "g",
        "i",
    ]


def test_small_things() -> None:
    assert stripped(" \n a ").start == 3
    assert trim(stripped("")).text == ""
    assert [number_of(n, "reply", "replies") for n in (1, 2)] == ["1 reply", "2 replies"]


def test_flags_are_counted_as_the_standard_counts_them() -> None:
    """The pattern takes flags first, so that many of them take no quadratic time; it must find what `\\X` finds."""
    signs = [
        "🇫",
        "🇷",
        "a",
        "\u0301",
        "\u200d",
        "👩",
        "🏽",
        "\r",
        "\n",
        "\u0903",
        "ก",
        "\u0e33",
        "\u0600",
        "\u1100",
        "\u1161",
    ]
    rng = random.Random(1)
    for _ in range(2_000):
        text = "".join(rng.choice(signs) for _ in range(rng.randint(1, 14)))
        assert [piece.text for piece in graphemes(text)] == regex.findall(r"\X", text), repr(text)
    assert count_graphemes("🇫🇷" * 100_000) == 100_000


@pytest.mark.parametrize(
    "text", ["", "One two.", "One\n\ntwo a/b.c", LONG, LONG.replace(" ", "\n")]
)
def test_all_views_of_words_agree(text: str) -> None:
    pieces = words(text)
    assert word_texts(text) == texts(pieces)
    assert count_words(text) == len(pieces)
    numbers = list(range(0, len(pieces), 97))
    assert words_at(text, numbers) == [pieces[number] for number in numbers]
    assert words_at(text, [len(pieces)]) == []


def test_addresses_are_words_wherever_a_long_text_is_cut() -> None:
    assert texts(words(LONG)).count("a.org/c") == 400
    assert texts(words(LONG)).count("me@a.org") == 400
    assert texts(words(LONG)).count("www.a.b") == 400
