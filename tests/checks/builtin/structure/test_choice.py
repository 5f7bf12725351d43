"""Which letter an answer names: a table of texts, and what the check makes of it."""

import pytest

from llmeval.checks.builtin.structure.choice_reading import read_choice
from llmeval.checks.spec import SpecError, bind
from llmeval.core.errors import CheckError
from llmeval.core.records import Answer, Case
from tests.checks.tried import marked, tried
from tests.support.tables import each_row

# (text, the letters that it names of A-J, the rule that reads them)
READ = [
    (r"So we get $\boxed{D}$, as A is too small.", "D", "boxed"),
    (r"\boxed{\text{(c)}}", "C", "boxed"),
    ("The answer is (e).", "E", "stated"),
    ("The answer is b because the others are odd.", "B", "stated"),
    ("the answer is a.", "A", "stated"),
    ("**Answer:** F", "F", "stated"),
    ('{"answer": "C"}', "C", "stated"),
    ("<answer>D</answer>", "D", "stated"),
    ("A is too small and B too large. The best choice is therefore **C) 12**.", "C", "stated"),
    ("The answer to this question is: D", "D", "stated"),
    ("I would go with option B, Lyon.", "B", "stated"),
    ("(C) is correct, not A.", "C", "stated"),
    ("I believe B is the right answer.", "B", "stated"),
    ("A: D", "D", "stated"),
    ("It must be (G).", "G", "stated"),
    ("Die richtige Antwort lautet B.", "B", "stated"),
    ("La bonne réponse est C, car il pleut.", "C", "stated"),
    ("La respuesta correcta es la D.", "D", "stated"),
    ("La risposta corretta è B", "B", "stated"),
    ("A resposta é C.", "C", "stated"),
    ("Ответ: B", "B", "stated"),
    ("所以正确答案是C。", "C", "stated"),
    ("故选B。", "B", "stated"),
    ("正解はDです。", "D", "stated"),
    ("정답은 A입니다.", "A", "stated"),
    ("The answer is A or D.", "AD", "stated"),
    ("The answer is B. No: the answer is C.", "BC", "stated"),
    ("B", "B", "leads a line"),
    ("c)", "C", "leads a line"),
    ("**D**", "D", "leads a line"),
    ("B. Lyon", "B", "leads a line"),
    ("A because it rains", "A", "leads a line"),
    ("Option C", "C", "leads a line"),
    ("D - since 1990", "D", "leads a line"),
    ("Let me see.\n\nE", "E", "leads a line"),
    ("A) Lyon\nB) Nice", "AB", "leads a line"),
    ("B or C", "BC", "leads a line"),
    ("I think (H) fits.", "H", "in brackets"),
    ("Between the two, **B** fits.", "B", "in brackets"),
    ("Perhaps (A), perhaps (B).", "AB", "in brackets"),
]
# Texts that name no letter.
NONE = [
    "",
    "A cat sat on the mat.",
    "I think so.",
    "Vitamin C is good for you.",
    "The answer is B vitamins.",
    "the answer is c++",
    "The answer is D-Day.",
    "the answer is a riddle",
    "Answer: I can't tell.",
    "The answer is not A.",
    "I don't think the answer is B.",
    "Neither A nor B.",
    "(B) is wrong.",
    "The answer is K.",
    "Plan B is best.",
    "I got a B.",
    "B+",
    "U.S.",
    "f(A) = 3",
    "E.g. this.",
]


@each_row(("text", "letters", "rule"), READ, ids=[row[0][:40] for row in READ])
def test_the_letters_that_a_text_names(text: str, letters: str, rule: str) -> None:
    reading = read_choice(text, "ABCDEFGHIJ")
    assert "".join(one.letter for one in reading.named) == letters
    assert reading.rule == rule
    assert all(text[one.start : one.end].upper() == one.letter for one in reading.named)


@each_row("text", NONE)
def test_what_names_no_letter(text: str) -> None:
    assert not read_choice(text, "ABCDEFGHIJ").named


CITIES = {"choices": ["Lyon", "Nice", "Lille", "Paris"]}


def chosen(text: str, reference: str, fields: dict[str, object]) -> object:
    (bound,) = bind(["choice"])
    case = Case("a", fields, references=(reference,))
    return bound.evaluate(case, Answer(case_id="a", output=text), lambda value: value)


@pytest.mark.parametrize(
    ("text", "reference", "fields", "passed", "reason"),
    [
        ("B) Nice", "B", CITIES, True, "chooses B (leads a line)"),
        ("B) Nice", "Nice", CITIES, True, "chooses B (leads a line)"),
        ("B) Nice", "(b)", CITIES, True, "chooses B (leads a line)"),
        ("B) Nice", "D. Paris", CITIES, False, "chooses B, not D (leads a line)"),
        ("Nice.", "B", CITIES, True, "chooses B (option's text)"),
        ("The answer is **Nice**.", "B", CITIES, True, "chooses B (option's text)"),
        ("Nice is nice.", "B", CITIES, False, "names no letter from A to D"),
        ("B) Paris", "B", CITIES, False, "names several letters: B, D (leads a line)"),
        ("E", "D", CITIES, False, "names no letter from A to D"),
        ("E", "E", {}, True, "chooses E (leads a line)"),
        ("C", "Lille", {"options": {"A": "Nice", "C": "Lille"}}, True, "chooses C (leads a line)"),
        (
            "C",
            "C",
            {"choices": {"text": ["x", "y", "z"], "label": ["A", "B", "C"]}},
            True,
            "chooses C (leads a line)",
        ),
    ],
)
def test_choices_of_the_case(
    text: str, reference: str, fields: dict[str, object], passed: bool, reason: str
) -> None:
    result = chosen(text, reference, fields)
    assert (result.passed, result.reason) == (passed, reason)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("reference", "fields", "message"),
    [
        ("Rome", CITIES, "not a letter from A to D nor the text"),
        ("K", {}, "not a letter from A to J"),
        ("A", {"choices": ["B", "A"]}, "means A and B"),
        ("x", {"choices": ["x", "x"]}, "means A and B"),
        ("A", {"choices": {"1": "x", "2": "y"}}, "capital letters"),
    ],
)
def test_a_reference_that_means_no_one_letter_is_an_error(
    reference: str, fields: dict[str, object], message: str
) -> None:
    with pytest.raises(CheckError, match=message):
        chosen("A", reference, fields)


@pytest.mark.parametrize("letters", ["A", "AA", "abc", "1-4", "D-A", ""])
def test_letters_are_two_or_more_capitals(letters: str) -> None:
    with pytest.raises(SpecError, match="capital letters"):
        bind([{"choice": letters}])


def test_without_a_reference_it_is_not_applicable_and_evidence_is_the_letter() -> None:
    assert tried("choice", "B").passed is None
    text = "The answer is either B or C."
    result = tried({"choice": "A-C"}, text, "B")
    assert (result.passed, marked(result, text)) == (False, ["B", "C"])
    assert tried({"choice": {"letters": "A, B, C", "references": ["A", "C"]}}, "C").passed
