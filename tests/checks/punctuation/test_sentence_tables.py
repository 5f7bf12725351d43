"""Ends and starts of sentences, rule by rule: a text, the rule that decides, its verdict."""

import re

from llmeval.checks.punctuation import endings, prose, small_starts
from llmeval.checks.punctuation.endings import Ending
from llmeval.checks.punctuation.findings import find
from llmeval.checks.punctuation.locales import locale_of
from llmeval.checks.punctuation.prose import Token, stretch_of
from llmeval.checks.punctuation.small_starts import NextWord
from llmeval.checks.punctuation.view import view
from tests.checks.punctuation.tables import in_table, names, verdict_of
from tests.support.tables import each_row

# (rule, text, language, whether fragments must end with a mark, verdict on its last block)
ENDINGS = [
    ("terminal_mark", "It rained.", "en", False, "right"),
    ("terminal_mark", "Τι ώρα είναι;", "el", False, "right"),
    ("pause", "The capital of France is Paris,", "en", False, "wrong-end"),
    ("pause", "It is late when we leave;", "en", False, "wrong-end"),
    ("open_end", "red, green,", "en", False, "right"),
    ("open_end", "The colours of the flag are these:", "en", False, "right"),
    ("open_end", "And then it was over —", "en", False, "right"),
    ("open_end", "You can do it with the program `ls`", "en", False, "right"),
    ("open_end", "Thank you so much for all of it 😊", "en", False, "right"),
    ("prose", "We left. It was very late", "en", False, "terminal"),
    ("fragment", "Paris", "en", True, "short-terminal"),
    ("fragment", "# A heading", "en", True, "short-terminal"),
    ("fragment", "(Paris)", "en", True, "short-terminal"),
    ("other", "Paris", "en", False, "right"),
    ("other", "| red | blue |", "en", True, "right"),
    ("other", "- The capital of France is Paris", "en", False, "right"),
    ("other", "Paris +", "en", True, "right"),
]


def ending_of(text: str, language: str, fragments: bool) -> Ending:
    seen, _ = view(text, language)
    index = len(seen.blocks) - 1
    body = seen.block_text(seen.blocks[index]).rstrip("'\"”’“»›)]} *_")
    return Ending(seen, index, body, seen.locales[index], fragments)


@each_row(("rule", "text", "language", "fragments", "verdict"), ENDINGS)
def test_endings(rule: str, text: str, language: str, fragments: bool, verdict: str) -> None:
    ending = ending_of(text, language, fragments)
    assert verdict_of(endings.RULES, ending) == (rule, verdict)


# (rule, text with | before the stop, language, whether the small letter after it is wrong)
STARTS = [
    ("name", "Sales fell|. iPhone sales grew.", "en", False),
    ("name", "It was late|. van Gogh left.", "en", False),
    ("name", "Let it be|. x_i is it.", "en", False),
    ("name", "Let it be|. x1 is it.", "en", False),
    ("name", "It was late|. We left.", "en", False),
    ("row", "Wait..|. what is it?", "en", False),
    ("row", "Wait|… what is it?", "en", False),
    ("abbreviation", "It takes approx|. three days.", "en", False),
    ("abbreviation", "Am 3|. mai kam er.", "de", False),
    ("stop_in_quote", 'Now "it works|." is a sentence.', "en", False),
    ("stop_in_quote", "It ended (at last|.) then we left.", "en", False),
    ("stop_in_quote", 'Disse "vado|." poi partì.', "it", False),
    ("unknown_language", "der Typ|. zwei", "und", False),
    ("exclamation_in_quote", '"Why|?" she asked.', "en", False),
    ("exclamation_in_quote", 'Why|? "so" it is.', "en", False),
    ("exclamation_inside", "¡Hola|! dijo él.", "es", False),
    ("exclamation_inside", "Yahoo|! is old.", "en", False),
    ("wrong", "It was late|. we left.", "en", True),
    ("wrong", "Es war spät|. er ging.", "de", True),
    ("wrong", "Il est tard|. l'eau monte.", "fr", True),
    ("wrong", "It was late|. van was parked.", "en", True),
    ("wrong", "El tren llegó|. la gente subió.", "es", True),
    ("wrong", 'He said "it is late|." then we left.', "en", True),
    ("wrong", "Is it late|? we left.", "en", True),
    ("wrong", "etwas|. zwei", "und", True),
]
_NEXT = re.compile(r"([.!?…])([\"”’»)]*)\s+([\"“‘(]*)([^\W\d_][\w’'-]*)")


def next_word_of(marked: str, language: str) -> NextWord:
    left, _, rest = marked.partition("|")
    match = _NEXT.match(rest)
    token = re.search(r"[\w.’'°-]*\Z", left)
    assert match
    assert token
    mark, close, opening, word = match.groups()
    following = rest[match.end() : match.end() + 2]
    return NextWord(word, mark, close, opening, left[-1], token[0], following, locale_of(language))


@each_row(("rule", "text", "language", "wrong"), STARTS)
def test_small_letters_after_stops(rule: str, text: str, language: str, wrong: bool) -> None:
    assert verdict_of(small_starts.RULES, next_word_of(text, language)) == (rule, wrong)


# (rule, text whose first block is judged, language, whether it is prose)
PROSE = [
    ("verse", "Roses are red\nViolets are blue\nSugar is sweet", "en", False),
    ("chinese_or_japanese", "他昨天来了，我今天早上走了", "zh", True),
    ("chinese_or_japanese", "他来了。我走了", "zh", True),
    ("chinese_or_japanese", "彼は昨日東京に来ました", "ja", True),
    ("chinese_or_japanese", "他是一个住在北京市的有名的人", "zh", True),
    (
        "chinese_or_japanese",
        "北京上海广州深圳天津重庆成都武汉西安南京杭州苏州青岛大连厦门",
        "zh",
        True,
    ),
    ("chinese_or_japanese", "北京是首都", "zh", False),
    ("chinese_or_japanese", "北京，上海", "zh", False),
    ("chinese_or_japanese", "The word is 北京上海", "en", False),
    ("sentence_before", "We left. It was very late", "en", True),
    ("sentence_before", "All done. Good night", "en", False),
    ("heading", "It was late when we left\n\nMore text.", "en", False),
    ("heading", "Paris Texas", "en", False),
    ("title", "Harry Potter and the Philosopher's Stone", "en", False),
    (
        "long",
        "all of the people in the old town near the big river by the sea in the south",
        "en",
        True,
    ),
    ("long", "One of the oldest of the many towns there", "en", True),
    ("verbal", "The capital is Paris", "en", True),
    ("verbal", "She likes big dogs", "en", True),
    ("verbal", "Ludwig kam nach Berlin", "de", True),
    ("verbal", "Elle n'aime pas Paris", "fr", True),
    ("other", "the capital is Paris", "en", False),
    ("other", "The old red barn", "en", False),
    ("other", "The first of all the days", "en", False),
    ("other", "She likes dogs", "en", False),
    ("other", "Der Bahnhof im Norden", "de", False),
]


@each_row(("rule", "text", "language", "is_prose"), PROSE)
def test_prose(rule: str, text: str, language: str, is_prose: bool) -> None:
    seen, _ = view(text, language)
    stretch = stretch_of(seen, 0, seen.block_text(seen.blocks[0]), seen.locales[0])
    assert verdict_of(prose.PROSE_RULES, stretch) == (rule, is_prose)


# (rule, word before a dot, language, whether the dot may belong to it)
ABBREVIATIONS = [
    ("listed", "e.g", "en", True),
    ("listed", "Dr", "en", True),
    ("listed", "Hon.Dr", "en", True),
    ("ordinal", "3", "de", True),
    ("ordinal", "1999", "de", False),
    ("ordinal", "XIV", "de", True),
    ("ordinal", "XXXVIII", "de", False),
    ("ordinal", "3", "en", False),
    ("initial", "J", "en", True),
    ("initial", "Ph.Dx", "en", True),
    ("initial", "", "en", True),
    ("word", "late", "en", False),
    ("word", "I'm", "en", False),
]


@each_row(("rule", "word", "language", "abbreviation"), ABBREVIATIONS)
def test_abbreviations(rule: str, word: str, language: str, abbreviation: bool) -> None:
    token = Token(word, locale_of(language))
    assert verdict_of(prose.ABBREVIATION_RULES, token) == (rule, abbreviation)


def test_every_rule_has_an_example() -> None:
    assert in_table(ENDINGS) == names(endings.RULES)
    assert in_table(STARTS) == names(small_starts.RULES)
    assert in_table(PROSE) == names(prose.PROSE_RULES)
    assert in_table(ABBREVIATIONS) == names(prose.ABBREVIATION_RULES)


# (text, language, the rule that is broken and its place, or None)
FOUND = [
    ("it was late when we left.", "en", ("lower-start", "it")),
    ("it was late", "en", None),
    ("late.", "en", None),
    ("Steps\n\nit was late when we left.", "en", None),
    ("We met.\n\nit was late when we left.", "en", ("lower-start", "it")),
    ("it was late. We left at once", "en", ("lower-start", "it")),
    ("Then i left the house.", "en", ("lone-i", "i")),
    ("Let the index i grow by one.", "en", None),
    ("For i in range it holds.", "en", None),
    ("Add i and j to the list.", "en", None),
    ("We saw the house It was large.", "en", ("missing-stop", "It")),
    ("We saw the film It is large.", "en", None),
    ("Dime, qué hora es?", "es", ("es-open", "?")),
    ("¿Es tarde!", "es", None),
    ("¿Es tarde.", "es", ("es-open", "¿")),
    ("?", "es", None),
]


@each_row(("text", "language", "broken"), FOUND)
def test_findings(text: str, language: str, broken: tuple[str, str] | None) -> None:
    kinds = ("lower-start", "lone-i", "missing-stop", "es-open")
    places = [(f.rule, text[f.start : f.end]) for f in find(text, language) if f.rule in kinds]
    assert places == ([broken] if broken else [])
