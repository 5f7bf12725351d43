"""The check `facts` on answers that are nearly right: each line of `near_misses.tsv`, and answers to no question."""

import pytest

from llmeval.checks.base import Result
from llmeval.checks.facts import facts
from llmeval.core.records import Answer, Case
from tests.checks.near_misses import AnswerRow, NearMiss, more_answers, near_misses
from tests.support.tables import each_row

TABLE = list(near_misses())
# Known misses: a country's former name, a place whose bracket or end is left out, a product named
# by its first words, titles that differ by an s or begin alike, a noun of action and its verb.
NOT_REACHED = frozenset(
    [
        "North Macedonia",
        "Frankfurt (Oder)",
        "Visual Studio Code",
        "Salt Lake City",
        "Bergen",
        "Bergen op Zoom",
        "Will Smith",
        "Alien",
        "Aliens",
        "Bad",
        "Der Herr der Ringe: Die zwei Türme",
        "Der Herr der Ringe: Die Gefährten",
        "oxidation",
        "1500",
        # abbreviated or former units, synonyms, and hours whose half of the day is open
        "interleukin-6",
        "15:15",
        "automobile",
        "about 70 kg",
        "1億2千万",
        "Victor Hugo",
        "Émile Zola",
        "30 minuti",
        "anderthalb Stunden",
        "2 Pfund",
        "1.5 hours",
        "der dritte",
        "il 2°",
        "3.º",
    ]
)
MORE = [
    row
    for half in ("tune", "third", "fourth", "fifth", "variations", "seventh")
    for row in more_answers(half)
    if row.reference not in NOT_REACHED
]


def tried(question: str, text: str, *references: str, **fields: str) -> Result:
    case = Case("a", {"question": question, **fields}, references=references)
    return facts(case, Answer(case_id="a", output=text))


@each_row("row", TABLE, ids=[f"{row.kind}-{row.reference[:24]}" for row in TABLE])
def test_the_right_answer_passes_and_the_near_miss_fails(row: NearMiss) -> None:
    right = tried(row.question, row.right, row.reference)
    assert right.passed is True, right.reason
    wrong = tried(row.question, row.wrong, row.reference)
    assert wrong.passed is False, wrong.reason


def test_the_table_covers_twelve_kinds_and_six_languages() -> None:
    assert len({row.kind for row in TABLE}) >= 12
    assert {"en", "de", "fr", "es", "it", "pt"} <= {row.language for row in TABLE}
    assert len(TABLE) >= 200


def test_confidence_is_calibrated_on_near_misses() -> None:
    scored = []
    for row in TABLE:
        for text, want in ((row.right, True), (row.wrong, False)):
            result = tried(row.question, text, row.reference)
            scored.append((result.confidence or 0.0, result.passed is want))
    sure = [right for confidence, right in scored if confidence >= 0.9]
    assert sure.count(False) <= 0.01 * len(sure)
    share, mean = sum(right for _, right in scored), sum(confidence for confidence, _ in scored)
    assert abs(share - mean) <= 0.1 * len(scored)


@pytest.mark.parametrize(
    ("question", "text", "reference"),
    [
        ("Who painted the ceiling of that chapel?", "", "Michelangelo"),
        (
            "Who painted the ceiling of that chapel?",
            "Who painted the ceiling of that chapel?",
            "Michelangelo",
        ),
        ("Is the lake deeper than the sea?", "Is the lake deeper than the sea?", "no"),
        ("Which is older, Oxford or Cambridge?", "Which is older, Oxford or Cambridge?", "Oxford"),
        ("How many eggs are in the box?", ", ".join(map(str, range(101))), "12"),
        ("How many eggs are in the box?", " ".join(map(str, range(101))), "12"),
        ("Who wrote the play?", "Ibsen; Chekhov; Wilde; Shaw; Beckett; Pinter", "Ibsen"),
        ("Does it rain on the moon?", "Yes. No.", "no"),
        ("Does it rain on the moon?", "Yes and no.", "no"),
        ("Who wrote the play?", "I have no comment.", "Ibsen"),
    ],
)
def test_what_is_no_answer_to_the_question_fails(question: str, text: str, reference: str) -> None:
    assert tried(question, text, reference).passed is False


def test_an_evasion_does_not_count_beside_real_references() -> None:
    assert (
        tried("Who lives there?", "I have no comment.", "A family", "I have no comment").passed
        is False
    )
    assert tried("Who lives there?", "I have no comment.", "I have no comment").passed is True


def test_the_locale_of_the_case_decides_how_numbers_and_dates_are_read() -> None:
    for locale, text, reference, passed in (
        ("de", "2.500 Gäste", "2500", True),
        ("en", "2.500 guests", "2500", False),
        ("de", "2,500", "2500", False),
        ("en-US", "05/06/2021", "6 May 2021", True),
        ("en-GB", "05/06/2021", "5 June 2021", True),
        ("en-US", "05/06/2021", "5 June 2021", False),
    ):
        assert tried("", text, reference, locale=locale).passed is passed, (locale, text, reference)


def test_a_negation_in_a_language_that_is_not_read_is_never_a_sure_pass() -> None:
    for text, reference in (
        ("Det är inte Malmö.", "Malmö"),
        ("To nie jest Gdynia.", "Gdynia"),
        ("Это не Казань.", "Казань"),
        ("Orası İzmir değil.", "İzmir"),
        ("부산이 아닙니다.", "부산"),
        ("Nem Szeged az.", "Szeged"),
    ):
        result = tried("", text, reference)
        assert result.passed is False, (text, result.reason)
        assert (result.confidence or 0) < 0.9


@each_row("kind", sorted({(row.set, row.kind) for row in MORE}))
def test_siblings_fail_and_other_wordings_pass(kind: tuple[str, str]) -> None:
    rows = [row for row in MORE if (row.set, row.kind) == kind]
    assert [_shown(row) for row in rows if _passes(row) != (row.want == "yes")] == []


def _passes(row: AnswerRow) -> bool:
    return tried(row.question, row.answer, row.reference).passed is True


def _shown(row: AnswerRow) -> str:
    return f"{row.answer} for {row.reference}"
