"""Every check of the text modules against its row of the table, and what the rows can't say."""

import importlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmeval.checks.base import _REGISTRY, Result
from llmeval.checks.spec import SpecError, bind
from llmeval.core.errors import CheckError
from llmeval.core.records import Answer, Case
from tests.checks.builtin.table_text import EASY, IFEVAL, MODULES, ROWS, SOURCE, Row
from tests.support.tables import each_row

NAMES = [row.name for row in ROWS]


def run(name: str, text: str, context: str | None = None, **arguments: Any) -> Result:
    """What a check says about one text."""
    (bound,) = bind([{name: arguments}])
    return bound.evaluate(
        Case(id="1", fields={}, context=context),
        Answer(case_id="1", output=text),
        lambda value: value,
    )


def test_the_table_has_every_check_of_the_text_modules() -> None:
    modules = {importlib.import_module(f"llmeval.checks.{name}").__name__ for name in MODULES}
    registered = {name for name, kind in _REGISTRY.items() if kind.function.__module__ in modules}
    assert registered == set(NAMES)
    assert len(NAMES) == len(set(NAMES))


@each_row("row", ROWS, ids=NAMES)
def test_right_and_wrong_answers_are_told_apart(row: Row) -> None:
    right = run(row.name, row.right, row.context, **row.arguments)
    wrong = run(row.name, row.wrong, row.context, **row.arguments)
    assert right.passed is True, right.reason
    assert wrong.passed is False, wrong.reason
    assert right.value is not None
    assert wrong.value is not None
    assert right.value > wrong.value
    assert wrong.reason
    assert all(0 <= span.start < span.end <= len(row.wrong) for span in wrong.evidence)


@each_row("row", ROWS, ids=NAMES)
def test_bad_arguments_are_refused_before_the_first_answer(row: Row) -> None:
    with pytest.raises(SpecError, match=row.name):
        bind([{row.name: row.bad}])


@each_row("row", ROWS, ids=NAMES)
def test_an_argument_nobody_knows_is_refused(row: Row) -> None:
    with pytest.raises(SpecError, match="has no argument 'nobody_knows'"):
        bind([{row.name: {**row.arguments, "nobody_knows": 1}}])


@each_row("row", ROWS, ids=NAMES)
def test_odd_texts_get_a_verdict_not_a_crash(row: Row) -> None:
    for text in (
        "",
        " \n",
        "\x00",
        "\ud800",
        "[1",
        "```",
        "《",
        "“",
        "***",
        "\u200b",
        "👩‍👩‍👧",
        "a" * 500,
        "\n\n" * 50,
    ):
        result = run(row.name, text, row.context, **row.arguments)
        assert result.passed in (True, False, None)
        assert all(0 <= span.start <= span.end <= len(text) for span in result.evidence)


@given(
    st.text(max_size=200),
    st.sampled_from([row for row in ROWS if not row.name.startswith(("es:", "fr:"))]),
)
def test_any_text_gets_a_verdict_with_evidence_inside_it(text: str, row: Row) -> None:
    result = run(row.name, text, row.context, **row.arguments)
    assert result.value is None or 0 <= result.value <= 1
    assert all(0 <= span.start <= span.end <= len(text) for span in result.evidence)


@each_row("row", IFEVAL, ids=[row.name for row in IFEVAL])
def test_an_empty_answer_follows_no_instruction(row: Row) -> None:
    assert run(row.name, " \n ", **row.arguments).passed is False


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("language", {"allowed": "en"}, "Yes, sure."),
        ("language", {"allowed": "en"}, "42"),
        ("uppercase", {}, "你好 42"),
        ("title_case", {}, "42"),
        ("reading_grade", {"max": 8}, "Too short to tell."),
        ("reading_grade", {"max": 8, "formula": "smog"}, EASY),
        ("reading_ease", {"min": 8}, "Dies ist ein deutscher Satz, und er ist lang genug. " * 5),
        ("citations_contiguous", {}, "no source"),
        ("citations_resolve", {}, "no source"),
        ("sentences_cited", {}, "# Head"),
        ("quotes_verbatim", {"source": "x"}, "no quotation"),
        ("language:response_language", {"language": "en"}, "Yes."),
    ],
)
def test_what_a_check_has_nothing_to_say_about_is_not_applicable(
    name: str, arguments: dict[str, Any], text: str
) -> None:
    assert run(name, text, **arguments).passed is None


def test_a_quotation_without_a_source_is_an_error() -> None:
    with pytest.raises(CheckError, match="context"):
        run("quotes_verbatim", '"so it was in the end"')


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("the tallest of its time", True),
        ("The Tower, built in 1889 - the", True),
        ("built in 1889 [...] stands in Paris, France.", True),
        ("stands in Paris ... built in 1889", False),
        ("ower, built in 1889", False),
        ("the tallest of his time", False),
    ],
)
def test_quotes_are_looked_up_word_for_word(quote: str, found: bool) -> None:
    assert run("quotes_verbatim", f"It says “{quote}”.", SOURCE).passed is found


def test_a_small_change_in_a_quote_passes_when_the_suite_allows_it() -> None:
    assert (
        run("quotes_verbatim", '"the tallest of his time"', SOURCE, similarity=0.85).passed is True
    )


def test_too_many_words_are_shown_where_they_begin() -> None:
    (span,) = run("max_words", "one two three four", max=2).evidence
    assert (span.start, span.end) == (8, 18)


@each_row(
    "text",
    [
        "Sure! Paris.",
        "Sure, here is the list: a, b",
        "Of course, I'd be happy to help.",
        "Here are three ideas:\n- a",
        "```\nHere is the text:\nParis\n```",
        '"Certainly! Paris."',
        "As an AI language model, I can't.",
        "Gerne! Paris.",
        "Bien sûr ! Paris.",
        "¡Claro! París.",
        "Certo! Parigi.",
        "当然！巴黎。",
        "承知しました。パリです。",
        "My reply: Paris",
    ],
)
def test_preambles_are_found_in_many_forms(text: str) -> None:
    assert run("no_preamble", text, phrases=["My reply"]).passed is False


@pytest.mark.parametrize(
    "text",
    [
        "Absolutely.",
        "Certainly not.",
        "Of course, there are exceptions.",
        "Here is where it began.",
        "好",
    ],
)
def test_what_only_looks_like_a_preamble_passes(text: str) -> None:
    assert run("no_preamble", text).passed is True


@pytest.mark.parametrize(
    "text",
    [
        "Hi {{name}}",
        "<insert link>",
        "Sign: ____",
        "XXX",
        "TODO: more",
        "[DATE]",
        "Lorem ipsum dolor",
    ],
)
def test_placeholders_are_found_in_many_forms(text: str) -> None:
    assert run("no_placeholders", text).passed is False


@pytest.mark.parametrize(
    "text",
    [
        "`[Your Name]`",
        "a todo list",
        "[x] done",
        "[laughs]",
        "array[Index]",
        "see [Your Name](https://a.example)",
    ],
)
def test_what_only_looks_like_a_placeholder_passes(text: str) -> None:
    assert run("no_placeholders", text).passed is True


def test_options_that_differ_in_their_marks_are_kept_apart() -> None:
    assert run("options_only", "C#", options=["C", "C++"]).passed is False
    assert run("options_only", "-", options=["+"]).passed is False
    assert run("options_only", "C++", options=["C", "C++"]).passed is True


def test_a_template_tells_what_stands_in_its_slots() -> None:
    result = run(
        "template",
        "Dear Ann,\nyour order 7 is ready.",
        template="Dear {name}, your order {id} is ready.",
    )
    assert result.details == {"slots": {"name": "Ann", "id": "7"}}


def test_sections_may_be_headings_of_any_kind_and_must_keep_their_order() -> None:
    text = "Introduction\n---\nx\n\n## 2. Method\ny\n\nIII. Results\nz"
    assert run("sections", text, titles=["Introduction", "method", "Results"]).passed is True
    assert run("sections", text, titles=["Method", "Introduction"]).passed is False
    assert run("sections", text, titles=["Method", "Introduction"], ordered=False).passed is True
    assert run("sections", text + "\n# More\n", titles=["Method"], only=True).passed is False


def test_every_paragraph_must_be_in_the_language_when_the_suite_says_so() -> None:
    german = "Das hier ist ein ganz gewöhnlicher deutscher Absatz über Äpfel und Birnen."
    english = "This is quite an ordinary English paragraph about apples and pears."
    text = f"{german}\n\n{german}\n\n{english}"
    assert run("language", text, allowed="de").passed is True
    result = run("language", text, allowed="de", every_paragraph=True)
    assert result.passed is False
    assert [text[span.start : span.end] for span in result.evidence] == [english]


CITED = "It is big [1]. It is old.[2] So is this. [1, 3]\n\n## Sources\n[1] https://a.example\n[2] A book\n3. A paper"


def test_citations_resolve_to_a_list_in_the_answer_or_to_a_number_of_sources() -> None:
    assert run("citations_resolve", CITED).passed is True
    assert run("citations_resolve", CITED, sources=2).reason == "no source for [3]"
    assert run("citations_resolve", CITED, sources=4, all_used=True).reason == "never cited: [4]"
    assert run("citations", CITED, max=3).passed is True
    assert run("sentences_cited", CITED).passed is True


def test_part_of_the_sentences_may_be_enough() -> None:
    result = run("sentences_cited", "It is very big [1]. It is very old.", share=0.5)
    assert (result.passed, result.value) == (True, 0.5)


def test_a_reading_grade_by_smog() -> None:
    assert run("reading_grade", EASY * 4, max=6, formula="smog").passed is True


def test_words_in_capitals_may_be_single_letters() -> None:
    assert run("all_caps_words", "I am A one", exactly=2, min_letters=1).passed is True


def test_lettered_options_are_taken_literally() -> None:
    assert run("format:options", "b)", options="a), b), c)").passed is True
    assert run("format:options", "B", options="a), b), c)").passed is False
    assert run("format:options", "I don't know.", options="I know or I don't know").passed is True


@pytest.mark.parametrize("text", ['"a \'b "c" d\' e', "it's the dogs' 'x'", ""])
def test_quotes_that_do_not_close_do_not_nest(text: str) -> None:
    assert run("format:quotes", text).passed is False
