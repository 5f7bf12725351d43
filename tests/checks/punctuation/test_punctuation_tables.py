"""The heuristics of punctuation and masking, rule by rule: a text, the rule that decides, its verdict."""

import re

import pytest

from llmeval.checks.punctuation.findings import find
from llmeval.checks.punctuation.locales import locale_of
from llmeval.checks.punctuation.masking import GAP, OBJECT, mask
from llmeval.checks.punctuation.masking_marks import MARKED
from llmeval.checks.punctuation.quote_roles import RULES as ROLES
from llmeval.checks.punctuation.quote_roles import Quote, Role
from llmeval.checks.punctuation.quote_roles import deciding as role_of
from llmeval.checks.punctuation.stops import RULES as STOPS
from llmeval.checks.punctuation.stops import TerminalMark
from llmeval.checks.punctuation.stops import deciding as stop_of

# (rule, text, language, whether a space is missing after its stop)
STOP_TABLE = [
    ("opening", "It rained.(So we left.)", "en", True),
    ("opening", "Really?(No.)", "en", True),
    ("loud", 'Really?"No."', "en", True),
    ("opening", "It takes approx.(3) days.", "en", False),
    ("opening", "Version 3.[4] is out.", "en", False),
    ("row", "Well...Then we left.", "en", True),
    ("row", "Wait...what is it?", "en", False),
    ("row", "It rained..Then we left.", "en", False),
    ("row", "They saw y'all.'s house.", "en", False),
    ("loud", "Yes!We left.", "en", True),
    ("loud", "Why?I left.", "en", True),
    ("loud", "So a!b is it.", "en", False),
    ("initials", "The U.S.Army came.", "en", False),
    ("initials", "A book by J.Smith here.", "en", False),
    ("capital", "It rained.We left.", "en", True),
    ("capital", "It rained.A man left.", "en", True),
    ("capital", "Use Node.JS here.", "en", False),
    ("capital", "She has a Ph.D here.", "en", False),
    ("small", "It rained.the man left.", "en", True),
    ("small", "Open readme.foo now.", "en", False),
    ("small", "यह है.वह था।", "hi", False),
    ("initials", "वह बारिश.अच्छा था।", "hi", False),
    ("small", "אתמול ירד.גשם רב.", "he", True),
]
_STOP = re.compile(r"(?P<marks>[.!?…]+)(?P<close>[\"'”’»)]?)(?P<right>\S)")


def stop_in(text: str, language: str) -> TerminalMark:
    match = next(m for m in _STOP.finditer(text) if m.start())
    before = re.search(r"[\w.'’-]*\Z", text[: match.start()])
    after = re.match(r"[^\W_][\w'’-]*", text[match.start("right") :])
    assert before
    spaced = text[match.end() : match.end() + 1].isspace()
    word = after[0] if after else match["right"]
    return TerminalMark(
        match["marks"], match["close"], match["right"], before[0], word, spaced, locale_of(language)
    )


@pytest.mark.parametrize(("rule", "text", "language", "missing"), STOP_TABLE)
def test_spaces_after_stops_by_rule(rule: str, text: str, language: str, missing: bool) -> None:
    assert stop_of(stop_in(text, language)) == (rule, missing)


# (rule, the text with | before the mark, language, whether a quote is open, role)
ROLE_TABLE: list[tuple[str, str, str, bool, Role]] = [
    ("letter", "al-|‘Arab", "en", False, "letter"),
    ("letter", 'צה|"ל', "he", False, "letter"),
    ("closing", "he left|” and", "en", True, "closes"),
    ("closing", "er ging|“ und", "de", True, "closes"),
    ("closing", 'he left|".', "en", True, "closes"),
    ("closing", 'he left, |" she', "en", True, "closes"),
    ("opening", "said |“so", "en", False, "opens"),
    ("opening", 'said |"so', "en", False, "opens"),
    ("opening", 'said |" so', "en", False, "opens"),
    ("opening", 'said |"so', "en", True, "opens anew"),
    ("opening", "sagte »Ja« und |»Nein", "de", False, "opens"),
    ("opening", "kom ”Ja” och |”Nej", "sv", False, "opens"),
    ("other", 'a 6|" pipe', "en", False, "inches"),
    ("other", "he left|” and", "en", False, "stray"),
]


@pytest.mark.parametrize(("rule", "marked", "language", "is_open", "role"), ROLE_TABLE)
def test_quotation_marks_by_rule(
    rule: str, marked: str, language: str, is_open: bool, role: Role
) -> None:
    left, _, right = marked.partition("|")
    after = right[1:2] or " "
    inches = re.search(r"\d\Z", left) is not None
    assert role_of(Quote(right[0], left[-1:] or " ", after, is_open, language, inches)) == (
        rule,
        role,
    )


def test_every_rule_has_an_example() -> None:
    assert {row[0] for row in STOP_TABLE} == {rule.__name__.strip("_") for rule in STOPS}
    assert {row[0] for row in ROLE_TABLE} == {rule.__name__.strip("_") for rule in ROLES}
    assert {row[4] for row in ROLE_TABLE} == {
        "letter",
        "closes",
        "opens",
        "opens anew",
        "inches",
        "stray",
    }


@pytest.mark.parametrize("row", MARKED, ids=[row.name for row in MARKED])
def test_what_is_masked_by_its_mark(row: object) -> None:
    prose, gone = row.prose, row.gone  # type: ignore[attr-defined]
    start = prose.index(gone)
    masked = mask(prose).text
    kept = {GAP, OBJECT, "\n", "]"} if row.name == "target" else {GAP, OBJECT, "\n"}  # type: ignore[attr-defined]
    assert not set(masked[start : start + len(gone)]) - kept
    assert masked[:start] == prose[:start].replace("#", "#")


# (text, language, the rule found, what it points at)
FOUND = [
    ('She said " so" then.', "en", "inner-space", " "),
    ('"So, " she said.', "en", "inner-space", " "),
    ("She said “ so” then.", "en", "inner-space", " "),
    ("“So, ” she said.", "en", "inner-space", " "),
    ("‘So, ’ she said.", "en", "inner-space", " "),
    ("Sie sagte: „ So ist es.“", "de", "inner-space", " "),
    ("Sie sagte: „So. “", "de", "inner-space", " "),
    ("Sie sagte: » So«.", "de", "inner-space", " "),
    ("Disse: “ Così”.", "it", "inner-space", " "),
    ("Dijo: “Así ”.", "es", "inner-space", " "),
    ("It isn´t so.", "en", "apostrophe", "´"),
    ("C`est ainsi.", "fr", "apostrophe", "`"),
    ("It rained.We left.", "en", "space-after", "."),
]


@pytest.mark.parametrize(("text", "language", "rule", "place"), FOUND)
def test_findings_by_example(text: str, language: str, rule: str, place: str) -> None:
    assert (rule, place) in {(f.rule, text[f.start : f.end]) for f in find(text, language)}


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ('She said "so" then.', "en"),
        ("“So,” she said.", "en"),
        ("Sie sagte: „So.“", "de"),
        ("Elle a dit “ oui ” hier.", "fr"),
        ("Elle a dit « oui » hier.", "fr"),
        ('A 6" pipe and a 7" pipe.', "en"),
        ("She wrote: “\n\nSo it is.”", "en"),
        ("Use `code` and `more` here.", "en"),
    ],
)
def test_clean_texts_have_no_findings(text: str, language: str) -> None:
    assert not [f for f in find(text, language) if f.rule in ("inner-space", "apostrophe")]
