"""Whether a dot ends a sentence: an example of each verdict of each rule, and sentences that the rules part."""

import pytest
import regex

from llmeval.checks.reading.decisions import deciding_rule
from llmeval.checks.reading.sentence_dots import RULES, Dot
from llmeval.checks.reading.sentences import blocks, is_rule, line_of
from llmeval.checks.reading.text import sentences
from tests.support.tables import each_row

# (rule, the text with | where the dot stands, ends a sentence)
TABLE = [
    ("ordinal", "Am 3|. Mai kam er.", False),
    ("ordinal", "Der 2|. grosse Brand.", False),
    ("ordinal", "Henri IV|. war König.", False),
    ("date", "Am 5|. 11. 1999 war es kalt.", False),
    ("date", "Am 5. 11|. 1999 war es kalt.", False),
    ("german_ordinal", "Sie wurde am 4|. Tag krank.", False),
    ("german_ordinal", "Das ist der 7|. Versuch von ihm.", False),
    ("number_follows", "It is in No|. 7 of the list.", False),
    ("number_follows", "Nach Abs|. 4 gilt es nicht.", False),
    ("number_follows", "See eq|. above for it.", False),
    ("number_follows", "Er wohnt Bahnhofstr|. 7 im Hof.", False),
    ("degree", "Dr. med|. Wolf kam.", False),
    ("degree", "Dr. rer. nat|. Wolf kam.", False),
    ("maybe_last", "Es kostet 5 Mio|. Euro.", False),
    ("reference", "Read Gal|. 5:22 and think.", False),
    ("reference", "Siehe Röm|. 8,28 dazu.", False),
    ("never_last", "Ask Dr|. Li about it.", False),
    ("never_last", "Es kostet ca|. Zehn Euro.", False),
    ("never_last", "Il vient p. ex|. Le matin.", False),
    ("never_last", "Das ist z. B|. Gold.", False),
    ("never_last", "The Rev|. Green spoke.", False),
    ("maybe_last", "We saw cats etc|. The end.", True),
    ("maybe_last", "He works at Acme Inc|. The firm grew.", True),
    ("maybe_last", "He works at Acme Inc|. Berlin knows it.", False),
    ("maybe_last", "The U.S|. Army came.", False),
    ("maybe_last", "Er starb 44 v. Chr|. Danach kam Augustus.", True),
    ("maybe_last", "At 5 p.m|. he left.", False),
    ("initial", "A book by J|. Smith.", False),
    ("initial", "He likes vitamin C|. The doctor too.", True),
    ("short", "Add 2 tbsp|. of salt.", False),
    ("stop", "He left|. She stayed.", True),
    ("stop", "Er hat 3|. Dann ging er.", True),
    ("stop", "He came second|. third came Ann.", True),
]


def dot_of(marked: str) -> Dot:
    before, _, after = marked.partition("|.")
    token = regex.search(r"[\p{L}\p{N}]+(?:\.[\p{L}\p{N}]+)*\Z", before)
    assert token
    following = after.lstrip()
    word = regex.match(r"[\p{L}\p{N}]*", following)[0]
    return Dot.of(
        token[0],
        word,
        word[:1].islower(),
        before[: token.start()],
        following,
        marked.replace("|", ""),
    )


@each_row(("rule", "marked", "ends"), TABLE)
def test_each_rule_has_its_verdicts(rule: str, marked: str, ends: bool) -> None:
    assert deciding_rule(RULES, dot_of(marked)) == (rule, ends)


def test_every_rule_has_an_example() -> None:
    assert {rule for rule, _, _ in TABLE} == {rule.__name__.strip("_") for rule in RULES}


@each_row(
    ("text", "count"),
    [
        ("She paused . . . and smiled.", 1),
        ("She paused . . . Then she smiled.", 2),
        ("Wood & Co. & Partners won.", 1),
        ("It rained.We stayed.", 2),
        ("Was it late?No!", 2),
        ("Sie rief: „Halt!“ Dann ging sie.", 2),
        ("So!Then?Now.", 3),
        ("The class System.Out is old.", 1),
        ("See example.org/a for more.", 1),
        ("Mr.Wood came.", 1),
        ("Das 1. Kapitel ist kurz. Das 2. Kapitel nicht.", 2),
        ("I have 3. You have 4.", 2),
        ("Nach § 5 Abs. 2 Nr. 3 ist es verboten.", 1),
        ("Cela coûte cher, p. ex. le pain. Il faut payer.", 2),
    ],
)
def test_sentences_by_these_rules(text: str, count: int) -> None:
    assert len(sentences(text)) == count


@each_row(
    ("line", "kind", "content"),
    [
        ("", "blank", ""),
        ("  ", "blank", ""),
        ("```py", "fence", "```py"),
        ("~~~", "fence", "~~~"),
        ("---", "rule", "---"),
        ("* * *", "rule", "* * *"),
        ("## Head", "heading", "Head"),
        ("- one", "item", "one"),
        ("• one", "item", "one"),
        ("  2) two", "item", "two"),
        ("b. two", "item", "two"),
        ("> - one", "item", "one"),
        ("| a | b |", "row", " a | b |"),
        ("#tag is text", "text", "#tag is text"),
        ("1914 was cold", "text", "1914 was cold"),
        ("  a text", "text", "a text"),
        ("> quoted", "text", "quoted"),
        ("-5 is cold", "text", "-5 is cold"),
    ],
)
def test_what_a_line_is(line: str, kind: str, content: str) -> None:
    found = line_of(line)
    assert found.kind == kind
    assert kind in ("blank", "fence", "rule") or line[found.content :] == content


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb\n\nc", ["a\nb", "c"]),
        ("# H\na\n- b\nc\n- d", ["H", "a", "b\nc", "d"]),
        ("a\n```\nx\n\ny\n```\nb", ["a", "b"]),
        ("a\n````\nx\n```\ny\n````\nb", ["a", "b"]),
        ("a\n---\nb", ["a", "b"]),
        ("| a |\n| b |", [" a |", " b |"]),
        ("```\nnever closed", []),
    ],
)
def test_blocks(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in blocks(text)] == expected


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("---", True),
        ("* * *", True),
        ("  ___ ", True),
        ("=====", True),
        ("--", False),
        ("- - x", False),
        ("-*-", False),
        ("...", False),
        ("", False),
    ],
)
def test_thematic_breaks(line: str, rule: bool) -> None:
    assert is_rule(line) is rule
