"""`citations_support`: the passage that a sentence cites says what the sentence says."""

import pytest

from llmeval.checks.builtin.applications import supported
from llmeval.checks.builtin.sources.cited_ids import CitedId, blanked
from llmeval.checks.facts.tokens import Tokens
from llmeval.core.records import Span
from tests.checks.tried import tried

PASSAGES = {
    "ids": ["returns", "refunds"],
    "texts": [
        "Unused lamps can go back within 21 days. The parcel is free.",
        "The money arrives 4 working days after the lamp.",
    ],
}


@pytest.mark.parametrize(
    ("text", "passed", "value"),
    [
        ("Unused lamps can go back within 21 days [returns].", True, 1.0),
        ("Unused lamps can go back within 21 days. [returns]", True, 1.0),
        ("Unused lamps can go back within 21 days (source 1).", True, 1.0),
        ("Unused lamps can go back within 21 days [refunds].", False, 0.0),
        ("Unused lamps can go back within 30 days [returns].", False, 0.0),
        ("Unused lamps go back free, and the money arrives then [1][2].", True, 1.0),
        ("The parcel is free [returns]. The money arrives later [returns].", False, 0.5),
        ("The parcel is free.", None, None),
        ("The parcel is free [elsewhere-3].", None, None),
    ],
)
def test_sentences_and_the_passages_that_they_cite(
    text: str, passed: bool | None, value: float | None
) -> None:
    result = tried({"citations_support": PASSAGES}, text)
    assert (result.passed, result.value) == (passed, value)


def test_the_wrong_citation_is_marked() -> None:
    text = "Unused lamps can go back within 21 days [refunds]."
    result = tried({"citations_support": PASSAGES}, text)
    (span,) = result.evidence
    assert isinstance(span, Span)
    assert text[span.start : span.end] == "[refunds]"
    assert "not: “Unused lamps" in result.reason


def test_ids_without_their_texts_fail() -> None:
    result = tried({"citations_support": {"ids": ["a", "b"], "texts": ["x"]}}, "It is so [a].")
    assert (result.passed, result.reason) == (False, "2 ids for 1 text")


def test_a_passage_that_is_cited_many_times_is_read_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reads = 0

    def counted(claim: Tokens, passage: str) -> float:
        nonlocal reads
        reads += 1
        return 0.0

    monkeypatch.setattr(supported, "backed_share", counted)
    sizes = []
    for n in (50, 100):
        reads = 0
        tried({"citations_support": PASSAGES}, "Unused lamps can go back " + "[1][2] " * n)
        sizes.append(reads)
    assert sizes == [3, 3]  # each passage, and both together


def test_marks_are_blanked_in_one_pass() -> None:
    marks = [CitedId(2, 5, "1"), CitedId(2, 5, "3"), CitedId(6, 9, "2")]
    assert blanked("a [1] [2] b", marks) == "a         b"
