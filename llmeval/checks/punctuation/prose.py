"""Whether a text is prose that must end with a terminal mark, and which dots belong to
abbreviations.

Prose is a paragraph with a sentence before its last one, or a stretch that reads as one sentence
(it has a finite verb, or eight words; in Chinese and Japanese twelve characters with a verb or a
comma) and is written neither as a title nor as a fragment in small letters. `Paris`, `the Battle of
Hastings in 1066`, headings and verse are none.
"""

import re

from llmeval.checks.punctuation.detect import STOP_WORDS
from llmeval.checks.punctuation.locales import Locale
from llmeval.checks.punctuation.view import CLOSE, END, HAN, LETTER, OPEN, View

WORDS = re.compile(r"[^\W_](?:[\w'’-]*[^\W_])?")
_READ = 4_000
"""Characters of a paragraph that tell whether it is prose."""
TOKEN = re.compile(r"[\w.’'°-]*\Z")
"""The token right before a place, with its dots."""
_INNER_END = re.compile(rf"[.!?…।؟][{re.escape(CLOSE)}]*\s+[{re.escape(OPEN)}]*{LETTER}|[。！？]")
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
"""Pronouns and endings that tell of a finite verb."""
_HAN_VERB = re.compile(r"[是有在了被為为會会能将將由使让讓到]|包括|位于|属于|导致|成为")
_KANA_END = re.compile(r"[うくぐすつぬぶむるいただよねせ]\Z")
"""What Japanese verbs, adjectives and copulas end in."""
_HAN_CHAR = re.compile(rf"[{HAN}]")


def is_prose(view: View, index: int, body: str, locale: Locale) -> bool:
    """Whether a text without a terminal mark needs one."""
    lines = body.split("\n")
    if len(lines) > 1 and sum(map(len, lines)) < 60 * len(lines):
        if len(lines) > 2 and sum(line.rstrip()[-1:] in END for line in lines) * 2 < len(lines):
            return False
        body = lines[-1].strip()
    if locale.cjk or _HAN_CHAR.search(body[-1:]):
        return _is_prose_cjk(body)
    body = body[:_READ]
    words = WORDS.findall(body)
    heads = index + 1 < len(view.blocks) and len(words) <= 9
    if ended_inside(body, locale) and not heads:
        return len(words) > 4
    if len(words) < 3 or heads or _is_title(words, locale):
        return False
    small = body.lstrip(OPEN)[:1].islower()
    return len(words) >= (18 if small else 8) or (
        not small and len(words) > 3 and _has_verb(body, words, locale)
    )


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
    if locale.language == "de" or not locale.cased or len(words) > 25:
        return False
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


def is_abbreviation(token: str, locale: Locale) -> bool:
    """Whether the dot after `token` need not end a sentence."""
    last = token.rpartition(".")[2]
    if token.lower() in locale.abbreviations or last.lower() in locale.abbreviations:
        return True
    if last.isdigit() or (len(last) > 1 and not last.strip("IVXLC")):
        return locale.ordinals and len(last) <= 5 - last.isdigit() * 2
    return (len(last) == 1 and last.isalpha()) or "." in token.strip(".") or not token
