"""The heuristics of punctuation and masking, rule by rule: a text, the rule that decides, its verdict."""

import re
from typing import get_args

import pytest

from llmeval.checks.punctuation import mark_rows, quote_roles, single_quotes, stops
from llmeval.checks.punctuation.findings import find
from llmeval.checks.punctuation.locales import locale_of
from llmeval.checks.punctuation.mark_rows import MarkRow
from llmeval.checks.punctuation.masking import GAP, OBJECT, mask
from llmeval.checks.punctuation.masking_marks import MARKED
from llmeval.checks.punctuation.quote_roles import Quote, Role
from llmeval.checks.punctuation.single_quotes import SingleQuote
from llmeval.checks.punctuation.stops import TerminalMark
from tests.checks.punctuation.tables import in_table, names, verdict_of
from tests.support.tables import each_row

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


@each_row(("rule", "text", "language", "missing"), STOP_TABLE)
def test_spaces_after_stops_by_rule(rule: str, text: str, language: str, missing: bool) -> None:
    assert verdict_of(stops.RULES, stop_in(text, language)) == (rule, missing)


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


@each_row(("rule", "marked", "language", "is_open", "role"), ROLE_TABLE)
def test_quotation_marks_by_rule(
    rule: str, marked: str, language: str, is_open: bool, role: Role
) -> None:
    left, _, right = marked.partition("|")
    after = right[1:2] or " "
    inches = re.search(r"\d\Z", left) is not None
    quote = Quote(right[0], left[-1:] or " ", after, is_open, language, inches)
    assert verdict_of(quote_roles.RULES, quote) == (rule, role)


# (rule, the text with | before the mark, language, whether a single quote is open, role)
SINGLE_TABLE = [
    ("inside_word", "don|'t", "en", True, "apostrophe"),
    ("inside_word", f"{OBJECT}|'s", "en", False, "apostrophe"),
    ("opening", "said |'so", "en", False, "opens"),
    ("opening", "the |'90s", "en", False, "apostrophe"),
    ("opening", "rock |'n' roll", "en", False, "apostrophe"),
    ("closing", "So,|' she", "en", True, "closes"),
    ("closing", "So, |’ she", "en", True, "closes"),
    ("stray", "they rub|’ and", "en", False, "stray"),
    ("other", "the |’90s", "en", True, "apostrophe"),
    ("other", "the dogs|' owner", "en", False, "apostrophe"),
    ("other", "il parti|’ et", "fr", False, "apostrophe"),
    ("other", 'they rub|’"', "en", False, "apostrophe"),
    ("other", '"|’ he', "en", False, "apostrophe"),
    ("other", "he |’ left", "en", False, "apostrophe"),
    ("other", "he |'' left", "en", False, "apostrophe"),
]


@each_row(("rule", "marked", "language", "is_open", "role"), SINGLE_TABLE)
def test_single_quotes_by_rule(
    rule: str, marked: str, language: str, is_open: bool, role: str
) -> None:
    left, _, right = marked.partition("|")
    before, after, following = left[-1:] or " ", right[1:2] or " ", right[1:8]
    quote = SingleQuote(right[0], before, after, following, is_open, language)
    assert verdict_of(single_quotes.RULES, quote) == (rule, role)


# (rule, the text with | before the row, language, the rule of punctuation that is broken)
ROW_TABLE = [
    ("only_dots", "We left|..", "en", "doubled"),
    ("only_dots", "We left|...", "en", ""),
    ("only_dots", "We left|....", "en", ""),
    ("only_dots", "We left|.....", "en", "ellipsis"),
    ("only_dots", "他走了|......", "zh", ""),
    ("only_ellipses", "We left|……", "en", "ellipsis"),
    ("only_ellipses", "他走了|……", "zh", ""),
    ("only_ellipses", "他走了|………", "zh", "ellipsis"),
    ("same", "We left|,,", "en", "doubled"),
    ("surprised", "What|?!", "en", ""),
    ("surprised", "What|?!?", "en", ""),
    ("ellipsis_first", "Wait|...?", "en", ""),
    ("ellipsis_first", "Wait|...?!", "en", ""),
    ("ellipsis_first", "And so on|…,", "en", ""),
    ("ellipsis_first", "Wait|.....?", "en", "ellipsis"),
    ("ellipsis_last", "What|?...", "en", ""),
    ("ellipsis_last", "What|!…", "en", ""),
    ("ellipsis_last", "Что|?..", "ru", ""),
    ("after_abbreviation", "Acme Inc|., which", "en", ""),
    ("after_abbreviation", "The U.S|., which", "en", ""),
    ("after_abbreviation", "The Bldg|., which", "en", ""),
    ("after_abbreviation", "Vitamin C|., which", "en", ""),
    ("beside_object", f"Run {OBJECT}|:, then", "en", ""),
    ("clash", "It was late|,. so", "en", "clash"),
    ("clash", "It was late|., so", "en", "clash"),
    ("clash", "What|!!?", "en", "clash"),
    ("clash", "What|?!?!", "en", "clash"),
    ("clash", "What|?..", "en", "clash"),
    ("clash", "Wait|...,;", "en", "clash"),
    ("clash", "Acme Inc|.,; which", "en", "clash"),
    ("clash", "Он пришёл|., и", "ru", "clash"),
    ("clash", f"Run {OBJECT}|,: then", "en", "clash"),
    ("clash", "It rained in 1|.,: then", "en", "clash"),
]


@each_row(("rule", "marked", "language", "broken"), ROW_TABLE)
def test_marks_in_a_row_by_rule(rule: str, marked: str, language: str, broken: str) -> None:
    left, _, right = marked.partition("|")
    marks = re.match(r"[,;:.!?…]+", right)
    token = re.search(r"[\w.’'-]*\Z", left)
    assert marks
    assert token
    row = MarkRow(marks[0], left[-1:] + right[marks.end() :][:1], token[0], locale_of(language))
    decided, verdict = verdict_of(mark_rows.RULES, row)
    assert (decided, verdict.rule) == (rule, broken)
    assert bool(verdict.message) is bool(broken)


def test_every_rule_has_an_example() -> None:
    assert set(in_table(STOP_TABLE)) == set(names(stops.RULES))
    assert set(in_table(ROLE_TABLE)) == set(names(quote_roles.RULES))
    assert in_table(SINGLE_TABLE) == names(single_quotes.RULES)
    assert in_table(ROW_TABLE) == names(mark_rows.RULES)
    assert {row[4] for row in ROLE_TABLE} == set(get_args(Role))
    assert {row[4] for row in SINGLE_TABLE} == set(get_args(single_quotes.Role))


@each_row("row", MARKED, ids=[row.name for row in MARKED])
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


@each_row(("text", "language", "rule", "place"), FOUND)
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
