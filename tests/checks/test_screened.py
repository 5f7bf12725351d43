"""The first pass before long cue patterns drops no text that the pattern matches."""

import pytest
import regex

from llmeval.checks.facts import answer, final_answer, hedging_cues, passing, passing_places
from llmeval.checks.facts.screened import ScreenedPattern, screened

SCREENED = {
    f"{module.__name__.rpartition('.')[2]}.{name}": value
    for module in (hedging_cues, passing, passing_places, answer, final_answer)
    for name, value in vars(module).items()
    if isinstance(value, ScreenedPattern)
}
TEXTS = (
    "It isn't Oslo, it's Bergen.",
    "ISN’T OSLO",
    "Il n’est pas parti. Não é Porto. Es ist keineswegs Wien.",
    "Many people believe it is Oslo. However, it is Bergen.",
    "It was long thought to be Oslo.",
    "Oslo. Wait, no, Bergen. Oops! 不对，是北京。訂正",
    "Leeds, no, York",
    "That it is Oslo is a common\u00a0misconception.",
    "although it rained\u2028despite the wind",
    "I'm not 100 % sure; I don’t know. ſomebody did not ſay",
    "soit Lyon, soit Nice; whether Oslo or Bergen; Had Anna done it, Ben would know.",
    "a friend of",
    "the younger brother\u3000of the ",
    "who had studied with ",
    "a town near ",
    "70 km\u2003south of",
    "As an AI I cannot say. It is difficult to tell.",
    "The final answer is: 4\nA: 5\nDie richtige Antwort lautet 6. 答案是7",
    "İt is not so; NOT SO; k\u212aelvin rather than",
    "\ud800 not this",
)


@pytest.mark.parametrize("name", sorted(SCREENED))
def test_the_matches_are_those_of_the_pattern(name: str) -> None:
    screen = SCREENED[name]
    hits = 0
    for text in TEXTS:
        for start, end in ((0, len(text)), (2, len(text)), (0, len(text) - 3)):
            expected = [match.span() for match in screen.pattern.finditer(text, start, end)]
            assert [match.span() for match in screen.finditer(text, start, end)] == expected
            first = screen.search(text, start, end)
            assert (first and first.span()) == (expected[0] if expected else None)
            hits += len(expected)
    assert hits, "no text above has a match: add one"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (r"(?<!a)b(?=c)", "bc"),
        (r"(?<![\])(])b(?!\)|[)(])", "b"),
        (r"\bé\w+\b", "école"),
        (r"^x$", "x"),
        (r"x[\s-]y", "x\u00a0y"),
        (r"x[^\s]y", "x.y"),
        (r"\d", "٣"),
        (r"x\sy", "x\x85y"),
        (r"(?P<a>x)|(?P<a>y)", "y"),
        (r"(?:(?<=^)|(?<=\n))while", "while"),
        (r"\[\(x\)\]", "[(x)]"),
        (r"[]x]y", "]y"),
        (r"\p{Lu}\P{Lu}", "Éa"),
    ],
)
def test_the_relaxed_form_matches_where_the_pattern_does(source: str, text: str) -> None:
    pattern = screened(source)
    assert regex.search(source, text)
    assert pattern.search(text) is not None


def test_a_text_without_the_words_is_not_searched() -> None:
    assert screened(r"\bnot\b").search("It is Oslo.") is None
