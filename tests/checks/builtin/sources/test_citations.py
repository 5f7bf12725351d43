"""Citations and quotations: the cases beside the patterns, and what the checks make of them."""

import pytest

from llmeval.checks.builtin.sources.citation_marks import CASES, cited_places
from llmeval.checks.builtin.sources.quotations import CASES as QUOTED
from llmeval.checks.builtin.sources.quotations import quotations
from llmeval.checks.spec import bind
from llmeval.core.records import Answer, Case
from tests.checks.tried import marked, tried
from tests.support.tables import each_row

SOURCE = "The bridge was built in 1905 and is 210 metres long. It stands in Lyon."


@each_row(("text", "count"), CASES)
def test_places_that_cite(text: str, count: int) -> None:
    assert len(list(cited_places(text))) == count
    assert tried({"citations": {"min": count, "max": count}}, text).passed


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("[1, 3]", [1, 3]),
        ("[2–4]", [2, 3, 4]),
        ("so.¹⁻³", [1, 2, 3]),
        ("so.¹²", [12]),
        ("【7:2†x】", [7]),
    ],
)
def test_numbers_of_a_citation(text: str, numbers: list[int]) -> None:
    (place,) = cited_places(text)
    assert list(place.numbers) == numbers


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("It is very big.¹ It is very old.²", True),
        ("It is very big.¹ It is very old.", False),
        ("It is very big【1】. It is very old.【2】", True),
        ("[1] says that it is big.", True),
        ("It is in data[0] there.", False),
    ],
)
def test_sentences_that_are_cited(text: str, passed: bool) -> None:
    assert tried("sentences_cited", text).passed is passed


def test_an_answer_that_begins_with_a_number_is_no_list_of_sources_alone() -> None:
    assert tried({"citations": {"min": 2}}, "[1] A book\n[2] A paper").passed
    assert tried({"citations": {"max": 1}}, "It is so [1].\n\n[1] A book").passed


@each_row(("text", "quoted"), QUOTED)
def test_what_a_text_quotes(text: str, quoted: tuple[str, ...]) -> None:
    assert tuple(piece.text for piece in quotations(text)) == quoted


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("> The bridge was built in 1905 and is 210 metres long.", True),
        ("> The bridge was built in 1915 and is 210 metres long.", False),
        ("As 'the bridge was built in 1915' says.", False),
        ('It "was built in **1905** and is\n210 metres long".', True),
        ('It "was built in 1905 ... and stands in Lyon".', False),
        ('It "was built in 1905 ... stands in Lyon".', True),
        ("It is 'old'.", None),
    ],
)
def test_quotations_are_held_against_the_source(text: str, passed: bool | None) -> None:
    (bound,) = bind(["quotes_verbatim"])
    result = bound.evaluate(
        Case("a", {}, context=SOURCE), Answer(case_id="a", output=text), lambda value: value
    )
    assert result.passed is passed, result.reason
    if passed is False:
        assert len(marked(result, text)) == 1
