"""What two texts that are compared may differ in, rule by rule."""

import pytest

from llmeval.checks.reading.normalise import MEANT, NORMALISERS, squad
from tests.checks.tried import tried
from tests.support.tables import each_row


@pytest.mark.parametrize(
    ("name", "pattern", "text", "normal"), MEANT, ids=[row[0] for row in MEANT]
)
def test_each_mark_that_matters_stays(name: str, pattern: str, text: str, normal: str) -> None:
    assert squad(text) == normal


@each_row(
    ("text", "normal"),
    [
        ("The Eiffel Tower.", "eiffel tower"),
        ("“An” old «Café»", "old café"),
        ("A", "a"),
        ("the", "the"),
        ("…", "..."),
        ("++", "++"),
        ("", ""),
        ("Vitamin A", "vitamin a"),
        ("A, B", "a b"),
        ("12,345,678.9", "12345678.9"),
        ("1,25", "1,25"),
        ("6:30", "6:30"),
        ("1/2", "1/2"),
        ("1914 – 1918", "1914-1918"),
        ("10³ m", "10^3 m"),
        ("- Lyon", "lyon"),
        ("**Lyon**", "lyon"),
        ("twenty-one", "twentyone"),
        ("Ｂ２", "b2"),
        ("Maß", "mass"),
        ("f\u00adat", "fat"),
    ],
)
def test_squad(text: str, normal: str) -> None:
    assert squad(text) == normal


# (answer, reference, which normalisations make them equal)
EQUAL = [
    ("The Lyon!", "lyon", {"squad"}),
    ("LYON", "Lyon", {"squad", "text"}),
    (" Lyon\n", "Lyon", {"squad", "text", "none"}),
    ("“Lyon”", '"Lyon"', {"squad", "text"}),
    ("", "An", set()),
    ("an", "A", set()),
    ("3", "-3", set()),
    ("2.4", "24", set()),
    ("F", "F#", set()),
    ("=", ">", set()),
    ("ab-cd", "abcd", {"squad"}),
    ("x-y", "xy", set()),
    ("3-4", "34", set()),
]


@each_row("normalise", NORMALISERS)
@each_row(("text", "reference", "equal"), EQUAL)
def test_exact_match_and_f1_by_normalisation(
    text: str, reference: str, equal: set[str], normalise: str
) -> None:
    wanted = normalise in equal
    assert tried({"exact_match": {"normalise": normalise}}, text, reference).passed is wanted
    assert (
        tried({"token_f1": {"normalise": normalise, "threshold": 1}}, text, reference).passed
        is wanted
    )
