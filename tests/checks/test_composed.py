"""Composed and decomposed letters are the same text to every check, and evidence points into the text as it came."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmeval.checks.composed import compose, raw_spans
from llmeval.checks.examples import example
from llmeval.checks.registry import all_checks
from llmeval.checks.spec import bind
from llmeval.core.records import Answer, Case, Span
from tests.checks.tried import marked, tried
from tests.support.tables import each_row


def decomposed(text: str) -> str:
    return unicodedata.normalize("NFD", text)


@each_row("name", list(all_checks()))
def test_a_decomposed_answer_gets_the_verdict_of_the_composed_one(name: str) -> None:
    found = example(name)
    assert found is not None
    (bound,) = bind([found.check])
    for text in (found.passes, found.fails):
        if text is not None and name != "recorded":  # a digest is of the bytes
            case = Case("a", {}, context=found.context)
            results = [
                bound.evaluate(case, Answer(case_id="a", output=form), lambda value: value)
                for form in (unicodedata.normalize("NFC", text), decomposed(text))
            ]
            assert results[0].passed is results[1].passed
            assert results[0].value == results[1].value


@pytest.mark.parametrize(
    ("check", "text"),
    [
        ({"exact_match": {"references": ["Müller"]}}, "Müller"),
        ({"token_f1": {"references": [decomposed("Müller")], "threshold": 1}}, "Müller"),
        ({"levenshtein": {"references": [decomposed("Müller")], "threshold": 1}}, "Müller"),
        ({"rouge_l": {"references": [decomposed("très tôt")], "threshold": 1}}, "très tôt"),
        ({"one_of": {"options": ["où", "quand"]}}, "Où."),
        ({"regex": "^.{6}$"}, "Müller"),
        ({"json_equals": {"value": {"né": "à"}}}, '{"né": "à"}'),
        ({"keyword": decomposed("été")}, "un été"),
        ({"ends_with_phrase": {"phrases": decomposed("à bientôt")}}, "Salut, à bientôt."),
    ],
)
def test_arguments_and_answers_may_be_in_either_form(check: object, text: str) -> None:
    assert tried(check, text).passed
    assert tried(check, decomposed(text)).passed


def test_references_and_context_may_be_in_either_form() -> None:
    assert tried("exact_match", "Zoë", decomposed("Zoë")).passed
    (bound,) = bind([{"quotes_verbatim": {"min_words": 2}}])
    case = Case("a", {}, context=decomposed("Elle a dit : un été à Nîmes."))
    answer = Answer(case_id="a", output="Le texte dit « un été à Nîmes ».")
    assert bound.evaluate(case, answer, lambda value: value).passed


def test_evidence_points_into_the_text_as_it_came() -> None:
    text = decomposed("É è ü, contacter zoé@example.org ou zoe@example.org.")
    assert marked(tried("no_pii", text), text) == ["zoe@example.org"]


@given(st.text(max_size=40), st.integers(0, 40), st.integers(0, 40))
def test_places_of_the_composed_text_lead_to_places_of_the_raw_one(
    text: str, start: int, length: int
) -> None:
    whole = unicodedata.normalize("NFC", text)
    start = min(start, len(whole))
    end = min(start + length, len(whole))
    (span,) = raw_spans(text, (Span(start, end),))
    assert 0 <= span.start <= span.end <= len(text)
    assert (
        whole[start:end] in unicodedata.normalize("NFC", text[span.start : span.end])
        or start == end
    )


def test_what_is_composed_already_stays_the_same_object() -> None:
    value = {"a": ["é", 1, ("x",)], "b": None}
    assert compose(value) is value
    assert compose({"a": [decomposed("é")]}) == {"a": ["é"]}
