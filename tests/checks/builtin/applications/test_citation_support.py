"""`citations_support`: what a sentence cites must say what the sentence says."""

from typing import Any

import pytest

from llmeval.core.errors import CheckError
from tests.checks.tried import tried

PASSAGES = [
    "Orders can be returned within 14 days of delivery. The customer pays the postage.",
    "The warranty of kettles covers 24 months, except for limescale.",
    "",
]
IDS = ["kb-1", "kb-2", "kb-3"]

# (answer, arguments, share of the citing sentences that are backed, words of the reason)
CASES: list[tuple[str, dict[str, Any], float, str]] = [
    ("You can return orders within 14 days of delivery [1].", {}, 1, "1 of 1 citing sentence backed"),
    ("You can return orders within 14 days of delivery. [1]", {}, 1, "1 of 1"),
    ("You can return orders within 14 days of delivery [kb-1].", {"ids": IDS}, 1, "1 of 1"),
    ("You can return orders within 14 days of delivery [2].", {}, 0, "not: “You can return orders within 14 days of delivery .” by 2"),
    ("You can return orders within 30 days of delivery [1].", {}, 0, "by 1"),
    ("The warranty covers 24 months [1, 2].", {}, 1, "1 of 1"),
    ("The warranty covers 24 months [9].", {}, 0, "by 9"),
    ("The warranty covers 24 months [kb-3].", {"ids": IDS}, 0, "by kb-3"),
    ("Orders can be returned within 14 days [1]. Kettles have a lifelong guarantee, also for limescale and rust [2].", {}, 0.5, "1 of 2"),
    ("Kettles are covered for 24 months by the warranty [2]. Ask us for more. The customer pays the postage (source 1).", {}, 1, "2 of 2"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "arguments", "share", "reason"), CASES)
def test_a_citation_must_back_its_sentence(
    text: str, arguments: dict[str, Any], share: float, reason: str
) -> None:
    result = tried({"citations_support": {"passages": PASSAGES, **arguments}}, text)
    assert result.value == share, result.reason
    assert result.passed is (share == 1)
    assert reason in result.reason
    for span in result.evidence:
        assert "[" in text[span.start : span.end] or "(" in text[span.start : span.end]


def test_what_cites_nothing_is_not_applicable_or_fails() -> None:
    text = "Orders can be returned within 14 days."
    assert tried({"citations_support": {"passages": PASSAGES}}, text).passed is None
    result = tried({"citations_support": {"passages": None, "min": 1}}, text)
    assert result.passed is False
    assert "expected at least 1" in result.reason
    both = tried({"citations_support": {"passages": PASSAGES, "at_least": 0.5}}, CASES[8][0])
    assert both.passed is True


def test_ids_belong_to_passages() -> None:
    with pytest.raises(CheckError, match="2 ids for 3 passages"):
        tried({"citations_support": {"passages": PASSAGES, "ids": ["a", "b"]}}, "x [1].")
