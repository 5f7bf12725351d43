"""Whether a text is prose that must end with a terminal mark, and which dots belong to
abbreviations.

Prose is a paragraph with a sentence before its last one, or a stretch that reads as one sentence
(it has a finite verb, or eight words; in Chinese and Japanese twelve characters with a verb or a
comma) and is written neither as a title nor as a fragment in small letters. `Paris`, `the Battle of
Hastings in 1066`, headings and verse are none.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from llmeval.checks.punctuation.detect import STOP_WORDS
from llmeval.checks.punctuation.locales import Locale
from llmeval.checks.punctuation.view import CLOSE, END, HAN, LETTER, OPEN, View
from llmeval.checks.reading.decisions import decide

WORDS = re.compile(r"[^\W_](?:[\w'’-]*[^\W_])?")
_SHORT_LINE = 60
"""Characters a line, on average, below which lines are broken on purpose."""
_READ = 4_000
"""Characters of a paragraph that tell whether it is prose."""
TOKEN = re.compile(r"[\w.’'°-]*\Z")
"""The token right before a place, with its dots."""
# The letter after the stop tells whether a new sentence began; Chinese and Japanese need none.
_INNER_END = re.compile(rf"[.!?…।؟][{re.escape(CLOSE)}]*\s+[{re.escape(OPEN)}]*{LETTER}|[。！？]")
# A full parser would be more certain and far slower: these cover what answers are made of.
_VERBAL = {
    "en": re.compile(
        r"\A\W*(?:I|[Hh]e|[Ss]he|[Ii]t|[Tt]hey|[Ww]e|[Yy]ou|[Tt]his|[Tt]here)\b|n't\b|'(?:re|ll|ve"
        r"|m)\b"
        r"|\b[a-z]+ed (?:the|an?|his|her|its|their|that|this|of)\b"
    ),
    "fr": re.compile(
        r"\A\W*(?:il|elle|ils|elles|on|nous|vous|je|tu|c'\w+|j'\w+|\w+ez)\b|\b(?:j'|n'|ne |qu'il"
        r"|qu'elle|s'est)",
        re.IGNORECASE,
    ),
    "es": re.compile(
        r"\b\w{2,}(?:ó|aron|ieron|aban|ían)\b|\b[Ss]e (?:[a-záéíóú]+[aeonáé]\b)|\b[Nn]os \w"
    ),
    "de": re.compile(r"\A\W*(?:Er|Es|Ich|Wir|Man|Dies)\b|\b(?:sich|nicht)\b"),
}
"""Pronouns and endings that show a finite verb."""
# Characters that are verbs or mark one; a list of nouns has none of them.
_HAN_VERB = re.compile(r"[是有在了被為为會会能将將由使让讓到]|包括|位于|属于|导致|成为")
_KANA_END = re.compile(r"[うくぐすつぬぶむるいただよねせ]\Z")
"""What Japanese verbs, adjectives and copulas end in."""
_HAN_CHAR = re.compile(rf"[{HAN}]")


@dataclass(frozen=True)
class Stretch:
    """A text without a terminal mark, and what helps to tell whether it is prose."""

    body: str
    """The text, up to `_READ` characters; of lines as in verse, the last one."""
    verse: bool
    """Whether it stands on three short lines or more, most of them without a mark."""
    is_last: bool
    """Whether no block follows."""
    locale: Locale

    @cached_property
    def words(self) -> list[str]:
        """The words."""
        return WORDS.findall(self.body)

    @property
    def heads(self) -> bool:
        """Whether it is short and a block follows, so that it may be a heading."""
        return not self.is_last and len(self.words) <= 9

    @property
    def small(self) -> bool:
        """Whether it starts with a small letter."""
        return self.body.lstrip(OPEN)[:1].islower()


def _verse(stretch: Stretch) -> bool | None:
    """`Roses are red,` / `Violets are blue,` / `Sugar is sweet`: verse, an address, a list."""
    return False if stretch.verse else None


def _chinese_or_japanese(stretch: Stretch) -> bool | None:
    """`他昨天来了，我今天早上走了`: told by characters, as there are no words to count."""
    cjk = stretch.locale.cjk or _HAN_CHAR.search(stretch.body[-1:])
    return _is_prose_cjk(stretch.body) if cjk else None


def _sentence_before(stretch: Stretch) -> bool | None:
    """`We left. It was very late`: what follows a sentence is one, too, unless it is a word or
    two.
    """
    if stretch.heads or not ended_inside(stretch.body, stretch.locale):
        return None
    return len(stretch.words) > 4


def _heading(stretch: Stretch) -> bool | None:
    """`The first day`, before more text; and one or two words, which are an answer and no
    sentence.
    """
    return False if stretch.heads or len(stretch.words) < 3 else None


def _title(stretch: Stretch) -> bool | None:
    """`Harry Potter and the Philosopher's Stone`."""
    return False if _is_title(stretch.words, stretch.locale) else None


def _long(stretch: Stretch) -> bool | None:
    """Eight words are rarely a fragment; those that start small often are, up to 18."""
    return True if len(stretch.words) >= (18 if stretch.small else 8) else None


def _verbal(stretch: Stretch) -> bool | None:
    """`The capital is Paris`: four words with a finite verb."""
    if stretch.small or len(stretch.words) <= 3:
        return None
    return True if _has_verb(stretch.body, stretch.words, stretch.locale) else None


def _other(stretch: Stretch) -> bool | None:
    """`the Battle of Hastings in 1066`."""
    return False


PROSE_RULES: tuple[Callable[[Stretch], bool | None], ...] = (
    _verse,
    _chinese_or_japanese,
    _sentence_before,
    _heading,
    _title,
    _long,
    _verbal,
    _other,
)


def stretch_of(view: View, index: int, body: str, locale: Locale) -> Stretch:
    """The stretch of a block's text."""
    verse = False
    lines = body.split("\n")
    if len(lines) > 1 and sum(map(len, lines)) < _SHORT_LINE * len(lines):
        ended = sum(line.rstrip()[-1:] in END for line in lines)
        verse = len(lines) > 2 and 2 * ended < len(lines)
        body = lines[-1].strip()
    cjk = locale.cjk or _HAN_CHAR.search(body[-1:])
    body = body if cjk else body[:_READ]
    return Stretch(body, verse, index + 1 >= len(view.blocks), locale)


def is_prose(view: View, index: int, body: str, locale: Locale) -> bool:
    """Whether a text without a terminal mark needs one."""
    return decide(PROSE_RULES, stretch_of(view, index, body, locale))


def _has_verb(body: str, words: list[str], locale: Locale) -> bool:
    """Whether a text has a finite verb: a common one, or a pronoun or ending that tells of one."""
    plain = body.replace("’", "'")
    pattern = _VERBAL.get(locale.language)
    if pattern and pattern.search(plain):
        return True
    return any(word.lower() in locale.verbs for word in words[1:])


def _is_prose_cjk(body: str) -> bool:
    if re.search(r"[。！？；]", body):
        return True
    # Names and titles are short; a comma or a verb makes a sentence of a shorter text.
    count = len(_HAN_CHAR.findall(body))
    if count >= 6 and _KANA_END.search(body) and re.search(r"[はがをにで]", body):
        return True
    return (
        (count >= 12 and ("，" in body or "、" in body or bool(_HAN_VERB.search(body))))
        or count >= 30
        or (count >= 6 and "，" in body)
    )


def ended_inside(body: str, locale: Locale) -> bool:
    """Whether a sentence ends before the last one does."""
    for match in _INNER_END.finditer(body):
        token = TOKEN.search(body, max(0, match.start() - 30), match.start())
        stop = body[match.start()] != "." or not is_abbreviation(token[0] if token else "", locale)
        if stop and (match[0][-1].isupper() or not locale.cased):
            return True
    return False


def _is_title(words: list[str], locale: Locale) -> bool:
    """Whether most words of weight are capitalised, as in a title. German nouns make that no sign
    there.
    """
    # German writes all nouns with a capital, so that a title is no different from a sentence.
    if locale.language == "de" or not locale.cased or len(words) > 25:
        return False
    # Short words and function words are small in titles, too.
    weighty = [
        word
        for word in words
        if len(word) > 3 and word.lower() not in STOP_WORDS.get(locale.language, ())
    ]
    return (
        bool(weighty)
        and sum(not word[0].islower() for word in weighty) >= 0.8 * len(weighty)
        and not (len(words) >= 10 and sum(word[0].islower() for word in words) >= len(words) / 3)
    )


class Token(NamedTuple):
    """A word before a dot, with the dots inside."""

    text: str
    locale: Locale

    @property
    def last(self) -> str:
        """What stands after its last dot."""
        return self.text.rpartition(".")[2]


def _listed(token: Token) -> bool | None:
    """`e.g`, `Dr`, and `Dr` of `Prof.Dr`."""
    listed = token.locale.abbreviations
    return True if token.text.lower() in listed or token.last.lower() in listed else None


def _ordinal(token: Token) -> bool | None:
    """`am 3. Mai`, `Ludwig XIV. war`, in languages that write ordinals with a dot. Years are
    none.
    """
    last = token.last
    roman = len(last) > 1 and not last.strip("IVXLC")
    if not (last.isdigit() or roman):
        return None
    return token.locale.ordinals and len(last) <= (3 if last.isdigit() else 5)


def _initial(token: Token) -> bool | None:
    """`J. Smith`, `U.S. Army`, and a dot after a bracket or quote, where the word is not seen."""
    last, text = token.last, token.text
    letter = len(last) == 1 and last.isalpha()
    return True if letter or "." in text.strip(".") or not text else None


def _word(token: Token) -> bool | None:
    """`It was late.`"""
    return False


ABBREVIATION_RULES: tuple[Callable[[Token], bool | None], ...] = (
    _listed,
    _ordinal,
    _initial,
    _word,
)


def is_abbreviation(token: str, locale: Locale) -> bool:
    """Whether the dot after `token` need not end a sentence."""
    return decide(ABBREVIATION_RULES, Token(token, locale))
