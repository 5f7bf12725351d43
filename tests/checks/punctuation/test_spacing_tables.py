"""Spaces before and after marks, rule by rule: a text, the rule that decides, its verdict."""

import re

import pytest

from llmeval.checks.punctuation import gaps, joints
from llmeval.checks.punctuation.findings import find
from llmeval.checks.punctuation.gaps import Gap
from llmeval.checks.punctuation.joints import Joint
from llmeval.checks.punctuation.locales import locale_of
from llmeval.checks.punctuation.masking import OBJECT
from tests.checks.punctuation.tables import in_table, names, verdict_of
from tests.support.tables import each_row

# (rule, text with | before the space, language, whether the space is wrong)
GAPS = [
    ("custom", "Il est tard| ; venez.", "fr", False),
    ("custom", "มาไหม| ?", "th", False),
    ("spaced_ellipsis", "to| . . . submit", "en", False),
    ("ratio", "It ended 3| : 1 for us.", "en", False),
    ("before_guillemet", "He wrote « Moi| ! » there.", "en", False),
    ("before_guillemet", "He wrote « Moi| !» there.", "en", False),
    ("begins_a_word", "In the| .NET world.", "en", False),
    ("begins_a_word", "The| !important rule.", "en", False),
    ("wrong", "It was late| , so we left.", "en", True),
    ("wrong", "It was late| ,so we left.", "en", True),
    ("wrong", "It was late| : we left.", "en", True),
    ("wrong", "It was 3| : we left.", "en", True),
    ("wrong", "It was a| : 3 of them.", "en", True),
    ("wrong", "Is it late| ?", "en", True),
    ("wrong", "It is late| .", "en", True),
    ("wrong", "« Moi| , » dit-il.", "fr", True),
    ("wrong", "Il est tard| , venez.", "fr", True),
    ("wrong", "มาไหม| ;", "th", True),
]


def gap_of(marked: str, language: str) -> Gap:
    left, _, rest = marked.partition("|")
    right = rest.lstrip()
    around = left[-3:] + " " + right[:5]
    return Gap(left[-1], right[0], right[1:3], around, locale_of(language))


@each_row(("rule", "text", "language", "wrong"), GAPS)
def test_spaces_before_marks(rule: str, text: str, language: str, wrong: bool) -> None:
    assert verdict_of(gaps.RULES, gap_of(text, language)) == (rule, wrong)


# (rule, text with | before the mark, language, whether a space is missing)
JOINTS = [
    ("object", f"See {OBJECT}|:x here.", "en", False),
    ("object", f"See x|:{OBJECT} here.", "en", False),
    ("after_quote", 'He said|,"so it is."', "en", True),
    ("after_quote", 'Some 3|,"4 of them."', "en", False),
    ("after_quote", "He (said:|:)x then.", "en", False),
    ("after_quote", 'He said|:"so it is."', "en", True),
    ("short_label", "Set a|:b here.", "en", False),
    ("short_label", "At 12|:30 we left.", "en", False),
    ("short_label", "Send HTTP|:get now.", "en", False),
    ("gender", "Alle Lehrer|:innen kamen.", "de", False),
    ("gender", "Jede|:r kam.", "de", False),
    ("gender", "Lehrer|:innen kamen.", "und", False),
    ("inflected", "Pääsy EU|:Nn alueelle.", "fi", False),
    ("inflected", "Il dit|:venez.", "fr", False),
    ("colon", "Take note|:this is it.", "en", True),
    ("colon", "Take note|:7 of them.", "en", True),
    ("colon", "Take note|:x is it.", "en", False),
    ("colon", "Alle kamen|:heute nicht.", "de", True),
    ("colon", "Alle kamen|:er nicht alle.", "en", True),
    ("digits", "It is 1|,234 long.", "en", False),
    ("digits", "On July 4|,1926 we left.", "en", True),
    ("digits", "Es sind 4|,1926 Meter.", "de", False),
    ("digits", "Take 1|;2 here.", "en", True),
    ("greek", "Πες ό|,τι θες.", "el", False),
    ("variables", "Let x|,y be so.", "en", False),
    ("variables", "Take N|,N-dimethyl here.", "en", False),
    ("missing", "It was late|,so we left.", "en", True),
    ("missing", "It was late|;we left.", "en", True),
    ("missing", "Take a|,and then two.", "en", True),
    ("missing", "It was he|,I mean.", "en", True),
    ("missing", "It was 3|,so we left.", "en", True),
    ("missing", f"See {OBJECT}|,so we left.", "en", True),
]


def joint_of(marked: str, language: str) -> Joint:
    left, _, rest = marked.partition("|")
    close = rest[1] if rest[1] in '"”’»)]' else ""
    right = rest[1 + len(close) :]
    before = re.search(r"[\w.'’-]*\Z", left)
    after = re.match(r"[^\W_][\w'’-]*", right)
    assert before
    word = after[0] if after else right[0]
    return Joint(rest[0], close, left[-1] + right[0], before[0], word, language)


@each_row(("rule", "text", "language", "missing"), JOINTS)
def test_spaces_after_commas_and_colons(rule: str, text: str, language: str, missing: bool) -> None:
    assert verdict_of(joints.RULES, joint_of(text, language)) == (rule, missing)


def test_every_rule_has_an_example() -> None:
    assert in_table(GAPS) == names(gaps.RULES)
    assert in_table(JOINTS) == names(joints.RULES)


# (text, language, what is pointed at, or None where nothing is wrong)
AFTER_BRACKETS = [
    ("We left (it was late)and went.", "en", ")"),
    ("An (un)known colo(u)r.", "en", None),
    ("Take (s)he or child(ren)like.", "en", None),
    ("A word (quite long)er than it.", "en", ")"),
    ("A (quitelong)er word.", "en", ")"),
    ("他来了(真的)我走了。", "zh", None),
]


@pytest.mark.parametrize(("text", "language", "place"), AFTER_BRACKETS)
def test_spaces_after_brackets(text: str, language: str, place: str | None) -> None:
    places = [text[f.start : f.end] for f in find(text, language) if f.rule == "space-after"]
    assert places == ([place] if place else [])


# (text, whether two spaces are wrong)
WIDE = [
    ("It was  late.", True),
    ("We sat.  We ate.", True),
    ("We sat.  We ate.  We left.", False),  # both stops: the writer's style
    ("We sat.  We ate.  We ran. We left.", True),  # two of three stops
    ("We sat.  We ate.  We ran.  We hid. We left.", False),  # three of four
    ("We sat.  We ate  more.  We left.", True),  # not after a stop
    ("a    b", False),  # four spaces are layout
]


@pytest.mark.parametrize(("text", "wrong"), WIDE)
def test_two_spaces(text: str, wrong: bool) -> None:
    assert any(f.rule == "multi-space" for f in find(text, "en")) is wrong
