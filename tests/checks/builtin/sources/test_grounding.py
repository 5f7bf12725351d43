"""The check `grounding`: overlap with a source, always marked as a hint."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmeval.checks.base import Result
from llmeval.checks.spec import SpecError, bind
from llmeval.core.records import Answer, Case
from tests.checks.tried import tried

SOURCE = (
    "The lighthouse of Cape Vessel was built in 1874 by the engineer Anna Lindqvist. It is 42 metres high and its lamp "
    "can be seen for 19 nautical miles. The keeper wrote: “the sea has no memory of ships”."
)


def grounding(text: str, context: str | None = SOURCE, **arguments: object) -> Result:
    (bound,) = bind([{"grounding": arguments} if arguments else "grounding"])
    return bound.evaluate(
        Case("a", {}, context=context), Answer(case_id="a", output=text), lambda value: value
    )


def unsupported(result: Result) -> dict[str, int]:
    assert result.details is not None
    assert result.details["advisory"] is True
    return dict(result.details["unsupported"])


def test_copied_text_is_backed() -> None:
    result = grounding("The lighthouse of Cape Vessel was built in 1874. It is 42 metres high.")
    assert result.passed is True
    assert result.value is not None
    assert result.value > 0.95
    assert not result.evidence


def test_what_the_source_does_not_say_is_shown() -> None:
    text = "The lighthouse of Cape Vessel was built in 1912 by Peter Holm."
    result = grounding(text)
    found = unsupported(result)
    assert found["number"] == 1
    assert found["name"] >= 1
    shown = [text[span.start : span.end] for span in result.evidence]
    assert any("1912" in piece for piece in shown)
    assert any("Holm" in piece for piece in shown)
    assert all(span.severity == "advice" for span in result.evidence)
    assert result.value is not None
    assert result.value < (grounding("The lighthouse of Cape Vessel was built in 1874.").value or 0)


@pytest.mark.parametrize(
    ("said", "unknown"),
    [("42 metres", 0), ("forty-two metres", 0), ("42.0 metres", 0), ("43 metres", 1)],
)
def test_a_number_counts_in_other_words(said: str, unknown: int) -> None:
    assert unsupported(grounding(f"The lighthouse is {said} high."))["number"] == unknown


def test_quotations_must_stand_in_the_source() -> None:
    assert unsupported(grounding('He wrote "the sea has no memory of ships".'))["quotation"] == 0
    assert unsupported(grounding('He wrote "the sea forgets every single ship".'))["quotation"] == 1


def test_another_subject_fails() -> None:
    assert (
        grounding("Bread is baked from flour, water, salt and yeast in a hot oven.").passed is False
    )


def test_the_context_may_be_an_argument() -> None:
    assert tried({"grounding": {"context": "Bread needs flour."}}, "Bread needs flour.").passed
    assert grounding("Bread needs flour.", None).passed is None
    assert grounding("...").passed is None
    with pytest.raises(SpecError, match="at_least"):
        bind([{"grounding": {"at_least": 2}}])


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300))
def test_any_text_gets_a_verdict(text: str) -> None:
    result = grounding(text)
    assert result.passed in (True, False, None)
    assert all(0 <= span.start < span.end <= len(text) for span in result.evidence)


PASSAGES = [
    "Refunds are paid within 14 days after the parcel is back.",
    "The Porto warehouse opened in 1998. It ships to 31 countries.",
]


@pytest.mark.parametrize(
    ("text", "passed", "claims"),
    [
        ("The Porto warehouse opened in 1998 [2]. It ships to 31 countries [2].", True, [2, 2]),
        ("Refunds are paid within 14 days (source 1).", True, [1]),
        ("Refunds are paid within 14 days (see sources 1 and 2). [kb-44]", True, [1]),
        ("Refunds are paid within 14 days.\n\nSources: [1] Returns, [2] Story", True, [1]),
        ("Refunds are paid within 14 days¹.", True, [1]),
        ("Refunds are paid within 30 days [1].", False, [None]),
        ("Refunds are paid within 14 days [1]. Pandas eat green bamboo [2].", True, [1, None]),
    ],
)
def test_each_claim_has_its_passage(text: str, passed: bool, claims: list[int | None]) -> None:
    result = tried({"grounding": {"context": PASSAGES}}, text)
    assert result.passed is passed, result.reason
    assert result.details is not None
    assert [claim["passage"] for claim in result.details["claims"]] == claims
    assert ("not: " in result.reason) is (None in claims)
