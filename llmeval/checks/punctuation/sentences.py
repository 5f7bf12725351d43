"""Where sentences start and end: terminal marks, capitals, the Spanish inverted marks, lone i."""

import re
from collections.abc import Iterator
from itertools import islice

from llmeval.checks.punctuation.blocks import Block
from llmeval.checks.punctuation.endings import Ending, ending_verdict
from llmeval.checks.punctuation.locales import Locale
from llmeval.checks.punctuation.prose import TOKEN, WORDS, ended_inside
from llmeval.checks.punctuation.rules import Violation
from llmeval.checks.punctuation.small_starts import NextWord, is_wrong_start, should_be_capital
from llmeval.checks.punctuation.view import CLOSE, END, LETTER, OPEN, WHITE, LanguageRun, View

_CLOSES = re.escape(CLOSE)
_OPENS = re.escape(OPEN)
_TAIL = CLOSE + WHITE + "*_"
_NEXT = re.compile(
    rf"(?P<mark>[.!?…])(?P<close>[{_CLOSES}]*+)(?:[ \u00a0]++|[ ]*+\n[ ]*+)"
    rf"(?P<open>[{_OPENS}]*+)(?P<word>{LETTER}[\w’'-]*)"
)
_START = re.compile(rf"[{_OPENS}]*+({LETTER}[\w’'-]*+)(?![./\\])")
# Not after an operator, a bracket or `for`, nor before what Roman numerals, Spanish, French and
# Italian put after `i`; variables are left to `_LETTERED`.
_LONE_I = re.compile(
    r"(?<![\w.'’(/\-–=+*,])(?<!\bfor )i"
    r"(?=['’](?:m|ve|d|ll)\b|[ ]+(?!(?:in|is|an?|to|e|el|la|les|i|j|and|or)\b)[a-z]{2,}|[ ](?:is "
    r"not|to be)\b)"
)
# What a text says before a letter that it names.
_LETTERED = re.compile(
    r"(?:index|variable|integer|counter|number|letter|where|vowel|imaginary|let|if|when|each|every"
    r"|all|unit)\s+\Z"
)
# These words are capitals inside a sentence in titles only, which `_TITLE_VERBS` excludes.
_MISSING = re.compile(r"\b[a-z]{3,} (He|She|It|They|We|These|However|There|This)(?= [a-z]{2,})")
_TITLE_VERBS = re.compile(
    r"(?:called|titled|entitled|named|film|novel|song|book|movie|album|show|series|band|by|of|the"
    r"|and|with|in|like|for"
    r"|from|as|or|on|to|is|was)\s\Z"
)
_MOST = 100_000
"""Stops that are looked at in one stretch; 1 MB of prose has a tenth of it."""
_END_MESSAGES = {
    "wrong-end": "end with a full stop, not with {!r}",
    "terminal": "end the sentence with a full stop or another terminal mark",
    "short-terminal": "end with a terminal mark",
}
_SHORTEST = 6
"""A block of fewer characters is a fragment."""
_OPEN_MARK = {"?": "¿", "!": "¡", "？": "¿", "！": "¡"}
# Rows count as one: `¿¡Qué!?` opens and closes two.
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
    body = _body(view.block_text(block))
    if not body or not locale.terminal:
        return
    verdict = ending_verdict(Ending(view, index, body, locale, fragments))
    if verdict != "right":
        end = block.start + len(body)
        yield Violation(end - 1, end, verdict, _END_MESSAGES[verdict].format(body[-1]))


def _start(view: View, index: int, locale: Locale) -> Iterator[Violation]:
    """The first word of a paragraph that is a sentence."""
    block, text = view.blocks[index], view.text
    match = _START.match(text, block.start, block.end)
    if match is None or not should_be_capital(
        match[1], text[match.end(1) : match.end(1) + 2], locale
    ):
        return
    # After `as follows:` or a heading a paragraph may go on in small letters.
    if index and text[view.blocks[index - 1].end - 1] not in END + CLOSE:
        return
    body = _body(view.block_text(block))
    # Three words and an end, or an end inside: what is shorter may be a fragment.
    ends = bool(body) and ((body[-1] in END and body[-2:] != "..") or ended_inside(body, locale))
    if ends and len(WORDS.findall(body[:200])) >= 3:
        yield Violation(
            *match.span(1),
            "lower-start",
            f"start the sentence with a capital: {match[1][0].upper()}",
        )


def _capitals(view: View, run: LanguageRun) -> Iterator[Violation]:
    """Words after a stop."""
    text = view.text
    for match in islice(_NEXT.finditer(text, run.start, run.end), _MOST):
        word, start = match["word"], match.start("word")
        if not word[0].islower():
            continue
        token = TOKEN.search(text, max(run.start, match.start() - 30), match.start())
        next_word = NextWord(
            word,
            match["mark"],
            match["close"],
            match["open"],
            text[match.start() - 1],
            token[0] if token else "",
            text[match.end() : match.end() + 2],
            run.locale,
        )
        if is_wrong_start(next_word):
            message = f"start the sentence with a capital: {word[0].upper()}"
            yield Violation(start, start + len(word), "lower-start", message)


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
