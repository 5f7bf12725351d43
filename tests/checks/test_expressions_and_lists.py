"""References that are expressions, lists or dates in small letters, and letters of choices."""

from pathlib import Path

from llmeval.checks.builtin.structure.choice_reading import read_choice
from llmeval.checks.facts import facts
from llmeval.core.records import Answer, Case
from tests.support.tables import each_row

FOLDER = Path(__file__).parent


def rows(name: str) -> list[list[str]]:
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()[1:]
    return [line.replace("\\\\", "\\").split("\t") for line in lines]


@each_row(("reference", "answer", "passes"), rows("expressions.tsv"))
def test_only_an_equal_expression_or_list_passes(reference: str, answer: str, passes: str) -> None:
    case = Case("a", {"question": ""}, references=(reference,))
    result = facts(case, Answer(case_id="a", output=answer))
    assert result.passed is (passes == "yes"), result.reason


def test_another_form_of_an_expression_is_left_to_a_judge() -> None:
    case = Case("a", {"question": ""}, references=("(x+1)(x-1)",))
    result = facts(case, Answer(case_id="a", output="x^2 - 1"))
    assert result.passed is False
    assert (result.confidence or 0) < 0.9


@each_row(("answer", "letters"), rows("choices.tsv"))
def test_a_choice_is_read_where_it_is_named(answer: str, letters: str) -> None:
    named = read_choice(answer, "ABCD").named
    assert "".join(sorted(one.letter for one in named)) == letters
