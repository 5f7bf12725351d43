"""Texts and keywords: which characters count as the same, and where words end."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmeval.checks.spec import SpecError, bind
from tests.checks.tried import marked, tried

DECOMPOSED = unicodedata.normalize("NFD", "café")


@pytest.mark.parametrize(
    ("check", "text", "found"),
    [
        ({"icontains": "STRASSE"}, "In der Straße.", ["Straße"]),
        ({"icontains": "b"}, "ßB", ["B"]),
        ({"contains": "café"}, f"Un {DECOMPOSED}!", [DECOMPOSED]),
        ({"icontains": "izmir"}, "Lyon, İZMİR", ["İZMİR"]),
        ({"icontains": "İzmir"}, "in i\u0307zmi\u0307r.", ["i\u0307zmi\u0307r"]),
        ({"icontains": "ısı"}, "ISI", ["ISI"]),
        ({"contains": DECOMPOSED}, "Un café!", ["café"]),
        ({"contains_all": {"texts": ["A", "b"], "ignore_case": True}}, "xaB", ["a", "B"]),
        ({"contains_any": "x"}, "axx", ["x"]),
    ],
)
def test_found_texts_are_pointed_at(check: object, text: str, found: list[str]) -> None:
    result = tried(check, text)
    assert result.passed, result.reason
    assert marked(result, text) == found


@given(st.text(max_size=30), st.text(min_size=1, max_size=4))
def test_contains_is_pythons_in(text: str, part: str) -> None:
    normal = unicodedata.normalize("NFC", text), unicodedata.normalize("NFC", part)
    result = tried({"contains": part}, text)
    assert result.passed is (normal[1] in normal[0])
    if result.passed and normal == (text, part):
        assert marked(result, text) == [part]


def test_equals_shows_where_the_answer_differs() -> None:
    result = tried({"equals": "Paris, France"}, " Paris, Texas")
    assert marked(result, " Paris, Texas") == ["Texas"]
    assert tried({"equals": ""}, "  \n").passed


@pytest.mark.parametrize(
    ("word", "text", "times"),
    [
        ("art", "Start the party: Art, art's ART.", 3),
        ("C++", "C++ beats C, not C++11", 1),
        ("New York", "new\nyork, NewYork", 1),
        ("don't", "I don’t, you don't", 2),
        ("東京", "東京は日本の首都", 1),
        ("서울", "서울은 수도", 1),
        ("क", "की", 0),
        ("été", "l'" + unicodedata.normalize("NFD", "été") + " été étés", 2),
        ("#tag", "a#tag #tag", 1),
        ("Paris", "Paris市", 1),
    ],
)
def test_keywords_are_whole_words(word: str, text: str, times: int) -> None:
    result = tried({"keyword": {"word": word, "exactly": times}}, text)
    assert result.passed, result.reason
    assert len(result.evidence) == times


def test_inflected_keywords_count_only_when_asked_for() -> None:
    assert tried({"keyword": "war"}, "The wars were long.").passed is False
    assert tried({"keyword": {"word": "war", "lemma": "en"}}, "The wars were long.").passed
    assert (
        tried({"keywords": {"words": ["war", "be"], "lemma": "en"}}, "The wars were long.").value
        == 1.0
    )


def test_keywords_give_the_share_that_is_there() -> None:
    result = tried({"keywords": ["a", "b", "c", "d"]}, "a b c")
    assert (result.value, result.passed) == (0.75, False)


@pytest.mark.parametrize("value", [42, 1.5])
def test_what_yaml_did_not_read_as_text_is_refused(value: object) -> None:
    with pytest.raises(SpecError, match="put it in quotes"):
        bind([{"contains": value}])
