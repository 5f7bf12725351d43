"""The check `facts` on kinds, ranks, institutions, formulas and forms of words: each line of
`kinds.tsv`."""

import pytest

from llmeval.checks.facts import facts
from llmeval.core.records import Answer, Case
from tests.checks.near_misses import FOLDER

ROWS = [
    line.split("\t") for line in (FOLDER / "kinds.tsv").read_text(encoding="utf-8").splitlines()[1:]
]


@pytest.mark.parametrize(("reference", "answer", "passes"), ROWS, ids=[row[0] for row in ROWS])
def test_one_word_beside_another_makes_another_thing(
    reference: str, answer: str, passes: str
) -> None:
    case = Case("a", {"question": ""}, references=(reference,))
    result = facts(case, Answer(case_id="a", output=answer))
    assert result.passed is (passes == "yes"), result.reason


def test_a_long_answer_in_another_language_is_no_string_of_words() -> None:
    case = Case("a", {"question": "Quelle île est la plus grande ?"}, references=("Sardaigne",))
    text = (
        "Après avoir comparé les sources qui sont disponibles, la bonne réponse à la question est "
        "la Sardaigne. N'hésitez pas à poser encore des questions."
    )
    assert facts(case, Answer(case_id="a", output=text)).passed is True
    salad = "Malte Chypre Corse Sardaigne Sicile Crète Rhodes Ibiza Majorque Minorque " * 3
    assert facts(case, Answer(case_id="a", output=salad)).passed is False
