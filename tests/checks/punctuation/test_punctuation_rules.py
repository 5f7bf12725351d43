"""The rules: each finds its error at its place, and leaves alone what only looks like one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmeval.checks.punctuation.findings import find
from llmeval.checks.punctuation.rules import RULES
from tests.support.tables import each_row


def errors(text: str, locale: str | None = None) -> list[tuple[str, str]]:
    return [
        (f.rule, text[f.start : f.end])
        for f in find(text, locale)
        if RULES[f.rule].severity == "error"
    ]


WRONG = [
    ("en", "It was late , so we left.", "space-before", " ,"),
    ("en", "Is it late ?", "space-before", " ?"),
    ("en", "It was late,so we left.", "space-after", ","),
    ("en", "It was very late.We left early.", "space-after", "."),
    ("en", "It was late;we left.", "space-after", ";"),
    ("en", "It opened on July 4,1926 in rain.", "space-after", ","),
    ("en", "We left (it was late)and went home.", "space-after", ")"),
    ("en", "It was  late.", "multi-space", "  "),
    ("en", "We left ( it was late).", "inner-space", " "),
    ("en", "It was late,, so we left.", "doubled", ",,"),
    ("en", "We left at once..", "doubled", ".."),
    ("en", "We left at once??", "doubled", "??"),
    ("en", "It was late,. so we left.", "clash", ",."),
    ("en", "We left the house., Then it rained.", "clash", ".,"),
    ("en", 'He called it "late.".', "doubled", '.".'),
    ("en", "And then......... nothing.", "ellipsis", "........."),
    ("en", ", and then we left.", "leading", ","),
    ("en", "We left (it was late.", "unbalanced", "("),
    ("en", "We left it was late).", "unbalanced", ")"),
    ("en", 'He said "it was late and left.', "unbalanced", '"'),
    ("en", "He said it was late” and left.", "unbalanced", "”"),
    ("en", "He wrote 'The Late Train and left.", "unbalanced", "'"),
    ("en", "We left. It was very late", "terminal", "e"),
    ("en", "The capital of France is Paris", "terminal", "s"),
    ("en", "The capital of France is Paris,", "wrong-end", ","),
    ("en", "it was late when we left.", "lower-start", "it"),
    ("en", "It was late. we left.", "lower-start", "we"),
    ("en", "Then i left the house.", "lone-i", "i"),
    ("en", "Then i'm late.", "lone-i", "i"),
    ("en", "We saw the house It was large.", "missing-stop", "It"),
    ("en", "We didnt leave.", "apostrophe", "didnt"),
    ("en", "Its a late train.", "apostrophe", "Its"),
    ("en", "We left， it was late.", "full-width", "，"),
    ("de", "Er nannte es „spät” und ging.", "quote-style", "”"),
    ("de", 'Er nannte es „spät" und ging.', "quote-style", '"'),
    ("de", "Er nannte es „spät und ging.", "unbalanced", "„"),
    ("de", "Es war spät. er ging.", "lower-start", "er"),
    ("de", "Es war sehr spät und er ging", "terminal", "g"),
    ("fr", "Il est tard; nous partons.", "fr-space", ";"),
    ("fr", "Est-il tard?", "fr-space", "?"),
    ("fr", "Il dit «il est tard ».", "fr-space", "«"),
    ("fr", "Il est tard , nous partons.", "space-before", " ,"),
    ("fr", "Je crois quil est tard.", "apostrophe", "quil"),
    ("fr", "Il est tard. l'Essonne est loin.", "lower-start", "l'Essonne"),
    ("fr", "Il est bien tard.À table, les enfants.", "space-after", "."),
    ("ru", "Он пришёл.В доме темно.", "space-after", "."),
    ("ja", "P. S. 彼は昨日東京に来ました", "terminal", "た"),
    ("es", "Dime, qué hora es?", "es-open", "?"),
    ("es", "¿Qué hora es.", "es-open", "¿"),
    ("es", "Es tarde, vámonos!", "es-open", "!"),
    ("zh", "他来了,我走了。", "half-width", ","),
    ("zh", "他来了.我走了。", "half-width", "."),
    ("zh", "他来了 ，我走了。", "space-before", " ，"),
    ("zh", "他说“来了。", "unbalanced", "“"),
    ("zh", "他住在北京（中国的首都)。", "half-width", "（中国的首都)"),
    ("zh", "他来了，，我走了。", "doubled", "，，"),
    ("zh", "他昨天来了，我今天早上走了", "terminal", "了"),
    ("zh", "等等...他来了。", "ellipsis", "..."),
    ("ja", "彼は来た.私は帰った。", "half-width", "."),
    ("ja", "彼は昨日東京に来ました", "terminal", "た"),
    ("ja", "彼は「来たと言った。", "unbalanced", "「"),
    ("ru", "Он пришёл ,и я ушёл.", "space-before", " ,"),
    ("ar", "وصل متأخرا ، ثم غادر.", "space-before", " ،"),
]


@each_row(("locale", "text", "rule", "place"), WRONG)
def test_an_error_is_found_at_its_place(locale: str, text: str, rule: str, place: str) -> None:
    assert (rule, place) in errors(text, locale)


RIGHT = [
    ("en", "Paris"),
    ("en", "the Battle of Hastings in 1066"),
    ("en", "Harry Potter and the Philosopher's Stone"),
    ("en", "1,234.50"),
    ("en", "At 12:30 the U.S., e.g. Mr. Smith et al., paid $1,234.56 (3/4 of it)."),
    ("en", "Wait... what?! No way!"),
    ("en", "He asked, “Why?” She didn't know. ‘Never mind,’ he said."),
    ("en", "The dogs' owner, the '90s kid, ate rock 'n' roll fish 'cause he could."),
    ("en", 'A 5\'10" man bought a 27" screen.'),
    ("en", "Choose: a) the red one, b) the blue one, or 1) neither."),
    ("en", "The key is ',' and the button says \"?\"."),
    ("en", "The function `f(x ,y)` is in main.py, see https://a.org/x,y."),
    ("en", "Yahoo! is old, iPhone is not. iPhone sales fell; E. coli grew."),
    ("en", "For i in the list, i is the index and x_i the value."),
    ("en", "# A heading without a stop\n\n- an item\n- another\n\n| a | b |\n|---|---|\n| c | d |"),
    ("en", "Steps:\n\n1. **Open:** the lid, slowly.\n2. *Close* it (gently)."),
    ("en", "Roses are red,\nViolets are blue,\nSugar is sweet\nAnd so are you"),
    ("en", '"This is the first paragraph.\n\n"This is the second one."'),
    ("en", "Dear John,\n\nThank you for the book.\n\nBest,\nAnn"),
    ("en", "Thank you so much 😊"),
    ("en", "1. A) The red one\n2. B) The blue one"),
    ("en", '"It was late." is a sentence.'),
    ("en", 'He said, "I am here to . . . submit to it."'),
    ("en", "It holds water, which is H\n2. O is what is left of it."),
    ("en", "The interval [0, 1) holds (with care) all of them."),
    ("en", "He left (see [1]). She stayed.[2] They met."),
    ("de", "Am 3. Oktober kam Ludwig XIV. nach Köln, z. B. mit der Bahn; vgl. S. 12."),
    ("de", "„Wer ‚ja‘ sagt“, sagte er, »der bleibt«."),
    ("de", "Alle Lehrer:innen kamen."),
    ("fr", "Qui est là ? « Moi ! », dit-il ; il était 10:30."),
    ("fr-CA", "Qui est là? Moi!"),
    ("es", "¿Qué hora es? ¡Es tarde! Pero, ¿quién lo sabe?"),
    ("es", "«Es tarde», dijo EE. UU. por la Sra. López."),
    ("zh", "他说：“你好，世界！”（真的）……价格是3.14元，见《红楼梦》。"),
    ("zh", "北京"),
    ("ja", "彼は「はい」と言った。（本当に）…価格は1,000円です。"),
    ("th", "ประเทศไทยเป็นประเทศที่สวยงาม"),
    ("hi", "यह एक वाक्य है। यह दूसरा है।"),
    ("tr", "İstanbul'da 19. yüzyıl güzeldi."),
    ("el", "Τι ώρα είναι; Δεν ξέρω ό,τι κι αν πεις."),
    ("ru", "Он сказал: «Приду в 5 ч.» — и ушёл."),
    ("sv", "Han sade ”ja” och gick."),
]


@each_row(("locale", "text"), RIGHT)
def test_what_is_right_is_left_alone(locale: str, text: str) -> None:
    assert errors(text, locale) == []


@each_row(
    "text",
    [t for locale, t in RIGHT if locale in ("en", "de", "fr", "es", "zh", "ja", "th", "hi", "ru")],
)
def test_the_same_without_being_told_the_language(text: str) -> None:
    assert errors(text) == []


def test_blocks_of_another_language_have_their_own_rules() -> None:
    english = "Here is what they say in France, and what it means in the language of the book."
    french = (
        "Où est la gare ? Elle est dans la rue de la Paix, à côté de chez vous ; venez avec nous."
    )
    assert errors(f"{english}\n\n{french}") == []
    assert (
        errors(
            f"{english}\n\nWhere is the station ? It is in the street of the book, which is near to you."
        )
        != []
    )


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("He said “yes” and then \"no\".", "mixed-quotes"),
        ("It was late — very late – and dark – we left.", "mixed-dashes"),
        ("Well… and then... nothing.", "mixed-ellipses"),
        ("- One is here.\n- Two is here\n- Three is here.", "list-ends"),
        ("We ate bread, cheese, and wine. We saw cats, dogs and birds.", "serial-comma"),
        ("Qui est là ? C'est moi et les autres.", "fr-nbsp"),
        ("他住在北京(中国的首都)。", "half-bracket"),
    ],
)  # fmt: skip
def test_style_is_advice(text: str, rule: str) -> None:
    assert rule in {f.rule for f in find(text)}
    assert RULES[rule].severity == "advice"


def test_places_count_in_the_raw_text() -> None:
    text = "😀 **It** was `x`  late , and [we](http://a.b) left"
    assert errors(text, "en") == [("multi-space", "  "), ("space-before", " ,"), ("terminal", "t")]


MARKS = st.text(
    alphabet=" \n.,;:!?…\"'“”„«»()[]{}*_`#>|-–—/\\<$aAiIé¿¡。，「」（）、ß漢\ue000\ufffc😀",
    max_size=80,
)


@settings(max_examples=60)
@given(MARKS | st.text(max_size=60), st.sampled_from([None, "en", "de", "fr", "es", "zh", "und"]))
def test_any_text_gives_places_inside_it_and_the_same_twice(text: str, locale: str | None) -> None:
    found = find(text, locale)
    assert all(0 <= f.start <= f.end <= len(text) and f.rule in RULES and f.message for f in found)
    assert found == find(text, locale)
