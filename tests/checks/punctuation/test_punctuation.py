"""The check: what counts, what the arguments do, and inputs made to hurt."""

from typing import Any

import pytest

from llmeval.checks.punctuation import punctuation
from llmeval.checks.punctuation.findings import MOST, find
from llmeval.checks.punctuation.harper import installed
from llmeval.checks.spec import SpecError, bind
from llmeval.core.records import Answer, Case

CASE = Case("a", {})
ADVICE = "He said “yes” and then \"no\"."  # fmt: skip


def run(text: str, raw: Any = "punctuation", case: Case = CASE, **answer: Any) -> Any:
    (bound,) = bind([raw], is_template=lambda value: False)
    return bound.evaluate(case, Answer(case_id="a", output=text, **answer), lambda value: value)


def test_clean_text_passes_and_an_error_fails_with_its_place() -> None:
    assert run("It was late. We left.").passed is True
    result = run("It was late , we left.")
    assert (result.passed, result.value) == (False, 0.75)
    assert [(s.start, s.end, s.rule, s.severity) for s in result.evidence] == [
        (11, 13, "space-before", "error")
    ]
    assert "space-before" in result.reason


def test_the_value_is_by_a_hundred_words() -> None:
    long = "It was late and we left the old house. " * 25
    assert run(long + "It was late , so.").value == pytest.approx(1 - 0.25 / 2.28, abs=0.01)
    assert run("A , b , c , d , e , f.").value == 0


def test_an_empty_answer_and_json_are_not_applicable() -> None:
    assert run(" \n").passed is None
    assert run('{"a": "b ,c"}').passed is None
    assert run("[not json ,really.").passed is False


@pytest.mark.parametrize(
    ("text", "options", "passed"),
    [
        ("It was late , we left.", {"max_findings": 1}, True),
        ("It was late , we left ,too.", {"max_findings": 1}, False),
        ("It was late , we left.", {"ignore": ["space-before"]}, True),
        (ADVICE, {}, True),
        (ADVICE, {"severity": "advice"}, False),
        (ADVICE, {"require": ["mixed-quotes"]}, False),
        ("Paris", {}, True),
        ("Paris", {"require": ["short-terminal"]}, False),
        ("Est-il tard?", {"locale": "fr"}, False),
        ("Est-il tard?", {"locale": "fr-CA"}, True),
        ("Est-il tard?", "fr", False),
    ],
)
def test_arguments(text: str, options: Any, passed: bool) -> None:
    assert run(text, {"punctuation": options}).passed is passed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ignore": ["comma"]}, "no rule 'comma'"),
        ({"locale": "english language"}, "locale"),
        ({"max_findings": -1}, "max_findings"),
        ({"severity": "fatal"}, "severity"),
        ({"strict": True}, "strict"),
    ],
)
def test_a_wrong_argument_is_an_error_of_the_suite(options: Any, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        run("x", {"punctuation": options})


@pytest.mark.parametrize("where", ["fields", "tags"])
@pytest.mark.parametrize("name", ["locale", "language"])
def test_a_case_may_state_its_language(where: str, name: str) -> None:
    case = Case(
        "a", {name: "fr"} if where == "fields" else {}, tags={name: "fr"} if where == "tags" else {}
    )
    assert run("Oui!", case=case).passed is False
    assert run("Oui!").passed is True


def test_what_the_token_limit_cut_off_is_no_error_at_its_end() -> None:
    text = "It was late. We left the house (which was very"
    assert run(text).passed is False
    assert run(text, finish_reason="length").passed is True
    assert run("It was late , " + text, finish_reason="length").passed is False


HOSTILE = [
    *(
        "(",
        ")",
        '"',
        ' "a',
        "'",
        "“",
        "[",
        "](",
        "`",
        "``` ",
        "$",
        "\\[",
        "<a ",
        "a,b",
        ". a",
        "a\n\n",
        "\n",
        " ",
        "- a\n",
    ),
    *("|a", "> ", "https://", "a.b", "@", "_a", "*", "¿", "中,", "?!", "…", "\ue000", "i ", "a:b "),
]


@pytest.mark.parametrize("seed", HOSTILE)
def test_work_grows_with_length_not_with_its_square(seed: str) -> None:
    """Counted, not timed: a quadratic pass over these would not come back within a test run."""
    text = seed * (20_000 // len(seed))
    found = find(text)
    assert all(0 <= f.start <= f.end <= len(text) for f in found)
    assert len(found) <= 10 * MOST


def test_harper_reads_along_where_it_is_installed_and_is_an_error_of_the_suite_where_not() -> None:
    raw = {"punctuation": {"harper": True}}
    if not installed():
        with pytest.raises(SpecError, match="harper-py"):
            run("x", raw)
        return
    text = "It was *late*. However we left 😀 for the dogs tail."
    result = run(text, raw)
    assert result.passed is True
    assert ("However", "harper", "advice") in {
        (text[s.start : s.end], s.rule, s.severity) for s in result.evidence
    }
    assert not any(span.rule == "harper" for span in run(text).evidence)


def test_direct_call_has_defaults() -> None:
    assert punctuation(CASE, Answer(case_id="a", output="It was late.")).passed is True
