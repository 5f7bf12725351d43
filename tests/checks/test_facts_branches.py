"""Each branch of the rules of `facts` in one line: rule, question, reference, answer, and whether it passes."""

import pytest

from llmeval.checks.facts.answer import AnswerAnalysis
from llmeval.checks.facts.lost_spaces import squeezed
from llmeval.checks.facts.names import Reference
from llmeval.checks.facts.question_cues import asks_many
from llmeval.checks.facts.statements import is_statement
from llmeval.checks.facts.tokens import Tokens
from llmeval.checks.facts.turned_round import is_turned_round
from tests.checks.near_misses import held_out_near_misses, near_misses, right_answers
from tests.checks.test_near_misses import tried
from tests.support.tables import each_row

Y, N = True, False

BRANCHES = [
    # what copies the question states nothing, unless the question offers a choice
    (
        "copied",
        "What is the third largest planet of all?",
        "third",
        "Venus is the third largest planet.",
        N,
    ),
    (
        "copied, choice",
        "Which is larger, Mars or Venus, of the planets?",
        "Venus",
        "Venus is larger.",
        Y,
    ),
    (
        "copied, another reference",
        "What is the old name of the city of Oslo?",
        "Kristiania",
        "The old name of the city of Oslo is Kristiania.",
        Y,
    ),
    # a relation, which the question asks for or not
    ("rival", "Who built the bridge?", "Roebling", "A rival of Roebling built it.", N),
    (
        "rival, asked",
        "Who was the greatest rival of Ellet?",
        "Roebling",
        "Ellet was a rival of Roebling.",
        Y,
    ),
    (
        "kin, other kind asked",
        "Who plays the mother of the hero?",
        "Ada Brandt",
        "Lea Kurz, a friend of Ada Brandt",
        N,
    ),
    ("place", "Which town is it?", "Ghent", "It lies south of Ghent.", N),
    ("comparison", "Which peak is it?", "Elbrus", "It is higher than Elbrus.", N),
    (
        "comparison, asked",
        "Than which peak is it higher?",
        "Elbrus",
        "It is higher than Elbrus.",
        Y,
    ),
    ("possessive", "Who built it?", "Roebling", "Roebling's pupil built it.", N),
    # candidates
    ("or", "Who sang it?", "Callas", "Callas or Tebaldi", N),
    ("or, several asked", "Which sopranos sang it?", "Callas", "Callas or Tebaldi", N),
    ("or, after a bracket", "Who sang it?", "Callas", "Callas (soprano) or Tebaldi", N),
    (
        "or, another name",
        "What is the bird?",
        "dunnock",
        "The bird is called the dunnock or hedge sparrow.",
        Y,
    ),
    (
        "bare list with an and",
        "Who sang it?",
        "Callas",
        "Tebaldi, Callas, Caballé, Sutherland and Price",
        N,
    ),
    (
        "sentence with an and",
        "Who sang it?",
        "Callas",
        "They were Tebaldi, Callas, Price, Sutherland and Caballé.",
        Y,
    ),
    ("list of places", "Where was it found?", "Basel", "Bern, Basel, Genf, Lugano, Chur", N),
    (
        "one place",
        "Where was it found?",
        "Basel",
        "Altstadt, Grossbasel, Basel, Basel-Stadt, Switzerland",
        Y,
    ),
    (
        "items of the question",
        "Bass, tenor, alto and which other voice?",
        "soprano",
        "Bass, tenor, alto, soprano",
        Y,
    ),
    ("a row of numbers", "How many were there?", "14", "12, 13, 14", N),
    ("a series of the question", "What comes after 2, 4, 8, 16?", "32", "2, 4, 8, 16, 32", Y),
    # longer and other names
    ("of a country", "Which country is it?", "Norway", "Norway Post", N),
    ("country alone", "Which country is it?", "Norway", "Norway won.", Y),
    ("wider region", "Where was it?", "Graz, Styria", "It was in Graz, Austria.", Y),
    ("other region", "Where was it?", "Athens, Georgia", "Athens, Ohio", N),
    ("initials", "Who wrote it?", "A. A. Milne", "Alan Alexander Milne wrote it.", Y),
    ("other initials", "Who wrote it?", "A. A. Milne", "Charles Brown Milne wrote it.", N),
    (
        "numeral of a full name",
        "Who played it?",
        "Peter John Sallis III",
        "Peter Sallis played it.",
        Y,
    ),
    ("numeral of a king", "Which king was it?", "Haakon VII", "It was Haakon.", N),
    ("letter and digit", "Which phase is it?", "Gap 1", "It is G1.", Y),
    ("list of names", "Who wrote it?", "Ana Lopez and Jan Novak", "Petr Novak and Ana Lopez", N),
    # word forms of other languages
    ("fr", "Quel animal est-ce ?", "le cheval", "Ce sont des chevaux.", Y),
    ("es", "¿Qué come?", "una nuez", "Come nueces.", Y),
    ("pt", "O que comprou?", "um limão", "Comprou limões.", Y),
    ("it", "Chi venne?", "il tedesco", "Vennero i tedeschi.", Y),
    ("de", "Was kauft er?", "blauer Mantel", "Er kauft einen blauen Mantel.", Y),
    ("series", "Which salt is it?", "sodium sulfate", "sodium sulfite", N),
    ("series, enzyme", "What is it?", "cellulose", "cellulase", N),
    ("sex", "¿Quién vino?", "el hermano", "Vino la hermana.", N),
    # absence
    ("no", "Which metal is in it?", "zinc", "It contains no zinc.", N),
    ("without", "Which metal is in it?", "zinc", "It is made without zinc.", N),
    ("without doubt", "Which metal is in it?", "zinc", "It is without doubt zinc.", Y),
    (
        "free of charge",
        "Where do motorcycles park?",
        "the ramp",
        "They park free of charge at the ramp.",
        Y,
    ),
    ("free of it", "What is in the soap?", "perfume", "The soap is free of perfume.", N),
    ("lacks", "Which metal is in it?", "zinc", "The alloy lacks zinc.", N),
    ("nobody", "Who wrote it?", "Hamsun", "Nobody would credit Hamsun.", N),
    ("nobody doubts", "Who wrote it?", "Hamsun", "Nobody would doubt that Hamsun wrote it.", Y),
    ("ohne", "Welches Metall ist es?", "Zink", "Ohne Zink.", N),
    ("sans", "Quel métal est-ce ?", "le zinc", "C'est sans zinc.", N),
    ("sin", "¿Qué metal es?", "cinc", "Es sin cinc.", N),
    ("senza", "Quale metallo è?", "zinco", "È senza zinco.", N),
    ("sem", "Que metal é?", "zinco", "É sem zinco.", N),
    # statements turned round
    (
        "exchanged",
        "Which way does water flow?",
        "Water flows from high to low places.",
        "Water flows from low to high places.",
        N,
    ),
    (
        "reversed",
        "What does the duct do?",
        "The duct carries bile to the gut.",
        "The duct carries bile from the gut.",
        N,
    ),
    (
        "repeated",
        "When does output rise?",
        "Output rises when demand rises.",
        "Output rises when demand falls.",
        N,
    ),
    (
        "same statement",
        "Which way does water flow?",
        "Water flows from high to low places.",
        "From high to low places water flows.",
        Y,
    ),
    # amounts
    ("per cent", "How much is left?", "1/4", "25 %", Y),
    ("pounds", "How much is it?", "£40", "40 pounds", Y),
    ("pounds of mass", "How heavy is it?", "40 kg", "40 pounds", N),
    ("cents", "Wie viel kostet es?", "50 Cent", "0,50 €", Y),
    ("days", "Wie lange dauert es?", "3 Wochen", "Es dauert 21 Tage.", Y),
    # degenerate answers
    ("decline", "Who sang it?", "Callas", "I have no comment.", N),
    (
        "pile",
        "Who sang it?",
        "Callas",
        "No; Yes; Red; Callas; Oslo; 7; Rome; Lead; Ann; Mars; May; Gold; Tin; Bob",
        N,
    ),
]


@each_row(
    ("rule", "question", "reference", "answer", "passes"),
    BRANCHES,
    ids=[f"{row[0]}-{row[2][:12]}" for row in BRANCHES],
)
def test_each_branch(rule: str, question: str, reference: str, answer: str, passes: bool) -> None:
    result = tried(question, answer, reference)
    assert result.passed is passes, (rule, result.reason)


@pytest.mark.parametrize(
    ("question", "answer", "most"),
    [
        ("Who sang it?", "It was probably Callas.", 0.85),
        ("Which singers were on it?", "Tebaldi, Callas, Caballé, Sutherland, Price", 0.85),
        ("Who sang it?", "Callas", 1.0),
    ],
)
def test_no_pass_is_sure_where_the_answer_is_not(question: str, answer: str, most: float) -> None:
    result = tried(question, answer, "Callas")
    assert result.passed is True
    assert (result.confidence or 0) <= most


@pytest.mark.parametrize(
    ("question", "many"),
    [
        ("Which rivers do they cross?", Y),
        ("What are the parts?", Y),
        ("Name three poets.", Y),
        ("Which two towns were burnt?", Y),
        ("What kinds of tools are used?", Y),
        ("In which town are the games held?", N),
        ("Which of the seven seas is it?", N),
        ("What shape are the cells?", N),
        ("Who was it in World War 2?", N),
        ("Give the name of the town.", N),
    ],
)
def test_which_questions_ask_for_several(question: str, many: bool) -> None:
    assert asks_many(question) is many


@pytest.mark.parametrize(
    ("reference", "answer", "there"),
    [
        ("mining", "The industry ismining.", Y),
        ("Lynda Carter", "It starredLynda Carter in it.", Y),
        ("news paper", "a newspaper", Y),
        ("formal", "It is informal.", N),
        ("land", "an island", N),
        ("Abel", "isabel", N),
    ],
)
def test_lost_spaces(reference: str, answer: str, there: bool) -> None:
    assert (squeezed(Reference(reference), Tokens(answer)) is not None) is there


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ("the bulbs are connected", Y),
        ("Water evaporates from the warm surface of lakes", Y),
        ("red clay", N),
        ("Royal Society of Edinburgh for Natural History", N),
    ],
)
def test_what_is_a_statement(text: str, statement: bool) -> None:
    assert is_statement(Reference(text)) is statement


def test_only_near_copies_are_turned_round() -> None:
    reference = Reference("Water flows from high to low places.")
    assert is_turned_round(reference, Tokens("Water flows from low to high places."))
    assert not is_turned_round(reference, Tokens("Water flows from high to low places."))
    assert not is_turned_round(
        reference,
        Tokens("As all of us learn at school, from low to high places no water flows by itself."),
    )


def test_a_phrase_of_the_question_is_copied() -> None:
    answer = AnswerAnalysis(
        "Venus is the third largest planet.", "What is the third largest planet of all?"
    )
    assert answer.is_copied(13, 18)
    assert not answer.is_copied(0, 5)


def test_the_tables_hold_what_their_figures_are_about() -> None:
    held_out, own = list(held_out_near_misses()), list(near_misses())
    assert len(held_out) >= 100
    assert {"en", "de", "fr", "es", "it", "pt"} <= {row.language for row in held_out}
    assert len({row.kind for row in held_out}) >= 12
    assert {row.reference for row in held_out}.isdisjoint(row.reference for row in own)
    rows = right_answers("tune") + right_answers("report")
    assert len(rows) >= 200
    assert len({row.kind for row in rows}) == 12


def test_right_answers_are_kept() -> None:
    rows = right_answers("tune")
    kept = sum(tried(row.question, row.answer, row.reference).passed is True for row in rows)
    assert kept >= 0.97 * len(rows)
