"""Where sentences start and end: terminal marks, capitals, the Spanish inverted marks, lone i."""

import re
from collections.abc import Iterator
from itertools import islice

from llmeval.checks.punctuation.detect import STOP_WORDS
from llmeval.checks.punctuation.locales import Locale
from llmeval.checks.punctuation.masking import OBJECT, Block
from llmeval.checks.punctuation.prose import TOKEN, WORDS, ended_inside, is_abbreviation, is_prose
from llmeval.checks.punctuation.rules import Violation
from llmeval.checks.punctuation.view import CLOSE, END, LETTER, OPEN, WHITE, LanguageRun, View
from llmeval.checks.reading.wordlists import word_set

_CLOSES = re.escape(CLOSE)
_OPENS = re.escape(OPEN)
_TAIL = CLOSE + WHITE + "*_"
_NEXT = re.compile(
    rf"(?P<mark>[.!?…])(?P<close>[{_CLOSES}]*+)(?:[ \u00a0]++|[ ]*+\n[ ]*+)"
    rf"(?P<open>[{_OPENS}]*+)(?P<word>{LETTER}[\w’'-]*)"
)
_START = re.compile(rf"[{_OPENS}]*+({LETTER}[\w’'-]*+)(?![./\\])")
_PARTICLES = word_set(
    "de da di du von van der den zu la le el al bin ibn af dos das del della ter ten"
)
_LONE_I = re.compile(
    r"(?<![\w.'’(/\-–=+*,])(?<!\bfor )i"
    r"(?=['’](?:m|ve|d|ll)\b|[ ]+(?!(?:in|is|an?|to|e|el|la|les|i|j|and|or)\b)[a-z]{2,}|[ ](?:is "
    r"not|to be)\b)"
)
_LETTERED = re.compile(
    r"(?:index|variable|integer|counter|number|letter|where|vowel|imaginary|let|if|when|each|every"
    r"|all|unit)\s+\Z"
)
_MISSING = re.compile(r"\b[a-z]{3,} (He|She|It|They|We|These|However|There|This)(?= [a-z]{2,})")
_TITLE_VERBS = re.compile(
    r"(?:called|titled|entitled|named|film|novel|song|book|movie|album|show|series|band|by|of|the"
    r"|and|with|in|like|for"
    r"|from|as|or|on|to|is|was)\s\Z"
)
_EMOJI = re.compile(
    "[\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\ufe0f\u200d\U0001f000-\U0001faff]+\\Z"
)
_MOST = 100_000
"""Stops that are looked at in one stretch; 1 MB of prose has a tenth of it."""
_SHORTEST = 6
"""A block of fewer characters is a fragment."""
_STRICT_QUOTES = ("en", "de", "fr", "es")
"""Languages in which a stop inside a quote ends the sentence around it, too."""
_AFTER_QUOTE = word_set(
    "is was are were means has would can could should in by to and or but ist war est était es era"
)
_OPEN_MARK = {"?": "¿", "!": "¡", "？": "¿", "！": "¡"}
_SPANISH = re.compile(r"[¿¡?!]+")


def sentences(view: View, *, fragments: bool = False) -> Iterator[Violation]:
    """Breaches of the rules of sentences. `fragments`: fragments must end with a mark, too."""
    for index, block in enumerate(view.blocks):
        locale = view.locales[index]
        if fragments or (block.kind == "paragraph" and block.end - block.start >= _SHORTEST):
            yield from _end(view, index, locale, fragments)
            if locale.cased and block.kind == "paragraph":
                yield from _start(view, index, locale)
        if locale.language == "es":
            yield from _spanish(view, block)
    for run in view.runs():
        if run.locale.cased:
            yield from _capitals(view, run)
        if run.locale.language == "en":
            yield from _english(view, run)


def _body(text: str) -> str:
    """The text without closing marks, markup and emoji at its end."""
    return text.rstrip(_TAIL)


def _end(view: View, index: int, locale: Locale, fragments: bool) -> Iterator[Violation]:
    block = view.blocks[index]
    text = view.block_text(block)
    body = _body(text)
    if not body or not locale.terminal:
        return
    end = block.start + len(body)
    last = body[-1]
    if last in END or (last == ";" and locale.language == "el"):
        return
    if last in ",;，；、،؛" and block.kind == "paragraph" and is_prose(view, index, body, locale):
        yield Violation(end - 1, end, "wrong-end", f"end with a full stop, not with {last!r}")
    elif last in ",;:，；：、،؛—–-/=" or last == OBJECT or _EMOJI.search(body):
        return
    elif block.kind == "paragraph" and is_prose(view, index, body, locale):
        yield Violation(
            end - 1, end, "terminal", "end the sentence with a full stop or another terminal mark"
        )
    elif fragments and block.kind != "cell" and (last.isalnum() or last in CLOSE):
        yield Violation(end - 1, end, "short-terminal", "end with a terminal mark")


def _start(view: View, index: int, locale: Locale) -> Iterator[Violation]:
    """The first word of a paragraph that is a sentence."""
    block, text = view.blocks[index], view.text
    match = _START.match(text, block.start, block.end)
    if match is None or not _is_small(match[1], text[match.end(1) : match.end(1) + 2], locale):
        return
    if index and text[view.blocks[index - 1].end - 1] not in END + CLOSE:
        return
    body = _body(view.block_text(block))
    ends = bool(body) and ((body[-1] in END and body[-2:] != "..") or ended_inside(body, locale))
    if ends and len(WORDS.findall(body[:200])) >= 3:
        yield Violation(
            *match.span(1),
            "lower-start",
            f"start the sentence with a capital: {match[1][0].upper()}",
        )


def _is_small(word: str, after: str, locale: Locale) -> bool:
    """Whether a word should have had a capital at a sentence's start: all small, and no name's
    particle.
    """
    word = word.partition("'")[0].partition("’")[0]  # in l'Essonne, it is the l
    if not word.islower() or "_" in word or any(char.isdigit() for char in word):
        return False
    particle = word in _PARTICLES and word not in STOP_WORDS.get(locale.language, ())
    return not (particle and after[1:2].isupper())


def _capitals(view: View, run: LanguageRun) -> Iterator[Violation]:
    """Words after a stop."""
    text, locale = view.text, run.locale
    for match in islice(_NEXT.finditer(text, run.start, run.end), _MOST):
        word, mark = match["word"], match["mark"]
        if (
            not word[0].islower()
            or not _is_small(word, text[match.end() : match.end() + 2], locale)
            or text[match.start() - 1] in ".!?…"
        ):
            continue
        token = TOKEN.search(text, max(run.start, match.start() - 30), match.start())
        if mark == "…" or (mark == "." and is_abbreviation(token[0] if token else "", locale)):
            continue
        if _may_go_on(match, token[0] if token else "", locale):
            continue
        start = match.start("word")
        yield Violation(
            start,
            start + len(word),
            "lower-start",
            f"start the sentence with a capital: {word[0].upper()}",
        )


def _may_go_on(match: "re.Match[str]", token: str, locale: Locale) -> bool:
    """Whether a sentence may go on in small letters after this mark."""
    mark, close = match["mark"], match["close"]
    if mark == ".":
        if locale.language not in _STRICT_QUOTES and close:
            return True
        # `"It works." is a sentence`: a sentence that is spoken of.
        spoken_of = bool(close) and match["word"] in _AFTER_QUOTE
        return ")" in close or spoken_of or (locale.language == "und" and len(token) < 5)
    if close or match["open"]:
        return True
    # After a capitalised word the mark may be part of a name (Yahoo!, Panic! at the Disco).
    return locale.language in ("es", "fr", "und") or token[:1].isupper()


def _english(view: View, run: LanguageRun) -> Iterator[Violation]:
    text = view.text
    for match in _LONE_I.finditer(text, run.start, run.end):
        if not _LETTERED.search(text[max(run.start, match.start() - 20) : match.start()]):
            yield Violation(*match.span(), "lone-i", "write the pronoun as I")
    for match in _MISSING.finditer(text, run.start, run.end):
        if not _TITLE_VERBS.search(text[max(run.start, match.start(1) - 20) : match.start(1)]):
            yield Violation(
                *match.span(1), "missing-stop", f"a stop is missing before {match[1]!r}"
            )


def _spanish(view: View, block: Block) -> Iterator[Violation]:
    """Every ? has its ¿ and every ! its ¡; the two kinds may mix (¿...!)."""
    opened: list[tuple[int, str]] = []
    for match in _SPANISH.finditer(view.text, block.start, block.end):
        row = match[0]
        if row[0] in "¿¡":
            opened += [
                (match.start() + offset, mark) for offset, mark in enumerate(row) if mark in "¿¡"
            ]
        elif opened:
            opened.clear()
        elif _is_mark_of_prose(view.text, match.start()):
            yield Violation(
                *match.span(), "es-open", f"open the sentence with {_OPEN_MARK[row[0]]}"
            )
    for at, mark in opened:
        yield Violation(at, at + 1, "es-open", f"close what {mark} opened")


def _is_mark_of_prose(text: str, at: int) -> bool:
    return at > 0 and (text[at - 1].isalnum() or text[at - 1] in CLOSE + "…. ")
