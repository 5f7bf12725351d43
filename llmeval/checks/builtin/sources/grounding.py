"""Whether an answer keeps to the text it was given: a hint, never a verdict on truth.

Overlap says much about copied text and little about paraphrase (AUROC about 0.8 on extractive
summaries, 0.65 to 0.7 on abstractive ones), so the result is marked advisory: let it point a reader
or a judge to a place.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import regex

from llmeval.checks.arguments import MAX_SPANS, Share
from llmeval.checks.base import Result, check, graded, not_applicable
from llmeval.checks.facts.answer import question_of
from llmeval.checks.facts.compare import Fit, fit_number
from llmeval.checks.facts.locale import read_numbers
from llmeval.checks.facts.numbers import Number
from llmeval.checks.facts.quotes import find_quote
from llmeval.checks.facts.tokens import STOPWORDS, Tokens
from llmeval.checks.reading.payload import MAX_CHARS, too_long
from llmeval.core.records import Answer, Case, Span

_QUOTED = regex.compile(
    r'"([^"\n]{8,2000})"|“([^“”\n]{8,2000})”|«([^«»\n]{8,2000})»|„([^„“”\n]{8,2000})[“”]'
)
_QUOTE_WORDS = 4


class Source:
    """A text that answers are held against."""

    def __init__(self, text: str) -> None:
        self.words = Tokens(text)
        self.stems = self.words.stem_set
        self.pairs = frozenset(zip(self.words.stems, self.words.stems[1:], strict=False))
        self.numbers = read_numbers(self.words)
        self.values = frozenset(value for number in self.numbers for value in number.readings)


@lru_cache(maxsize=64)
def _source(text: str) -> Source:
    return Source(text)


@check(group="facts", version=2)
def grounding(
    case: Case, answer: Answer, *, at_least: Share = 0.5, source: str | None = None
) -> Result:
    """Advisory: how much of the answer is backed by the case's `context` (or `source`), by its
    wording.

    The value is the mean of the shares of words of meaning and of word pairs that stand in the
    source, halved for each kind of thing that does not: numbers, names, quotations. It passes from
    `at_least` on; what is not backed is shown as advice.
    """
    context = source or case.context
    if not context or not context.strip():
        return not_applicable("the case has no `context`")
    too_long(answer.text, MAX_CHARS, "grounding")
    too_long(context, MAX_CHARS, "grounding")
    given, said = _source(context), Tokens(answer.text)
    if not said.content:
        return not_applicable("the answer has no words")
    asked = Tokens(question_of(case)).stem_set
    words, pairs = _overlap(said, given)
    lacking = {
        "number": list(_numbers(said, given)),
        "name": list(_names(said, given, asked)),
        "quotation": list(_quotes(said, given)),
    }
    value = (words + pairs) / 2 * 0.5 ** sum(bool(spans) for spans in lacking.values())
    spans = [span for found in lacking.values() for span in found]
    return graded(
        value,
        value >= at_least,
        _reason(lacking, words),
        *sorted(spans, key=lambda span: span.start)[:MAX_SPANS],
        details={
            "advisory": True,
            "words_backed": round(words, 4),
            "pairs_backed": round(pairs, 4),
            "unsupported": {kind: len(found) for kind, found in lacking.items()},
        },
    )


def _reason(lacking: dict[str, list[Span]], words: float) -> str:
    parts = [
        f"{len(found)} {kind}{'s' if len(found) > 1 else ''}"
        for kind, found in lacking.items()
        if found
    ]
    backed = f"advisory: {words:.0%} of the words are in the source"
    return f"{backed}; not in it: {', '.join(parts)}" if parts else backed


def _overlap(said: Tokens, given: Source) -> tuple[float, float]:
    """Shares of the answer's words of meaning, and of its word pairs, that the source has."""
    content = said.content
    pairs = list(zip(said.stems, said.stems[1:], strict=False))
    backed = sum(stem in given.stems for stem in content) / len(content)
    return backed, sum(pair in given.pairs for pair in pairs) / len(pairs) if pairs else backed


def _numbers(said: Tokens, given: Source) -> Iterator[Span]:
    """Numbers that the source does not state, in any unit or spelling, nor to more places."""
    for number in read_numbers(said):
        listed = said.raw[number.end : number.end + 1] in (".", ")") and _starts_line(
            said.raw, number.start
        )
        if not (number.weak or number.ordinal or listed or _stated(number, given)):
            yield Span(
                number.start, number.end, "number not in the source", "grounding.number", "advice"
            )


def _starts_line(raw: str, at: int) -> bool:
    return not raw[raw.rfind("\n", 0, at) + 1 : at].strip(" \t*-#(")


def _stated(number: Number, given: Source) -> bool:
    if any(value in given.values for value in number.readings):
        return True
    return any(
        (fit_number(other, number) or Fit.OTHER) >= Fit.COARSE for other in given.numbers[:2000]
    )


def _names(said: Tokens, given: Source, asked: frozenset[str]) -> Iterator[Span]:
    """Runs of capitalised words with a word that neither the source nor the question has."""
    starts = frozenset(said.breaks)
    run: list[int] = []
    for index, form in enumerate(said.forms):
        capital = (
            said.raw[said.starts[index]].isupper() and form not in STOPWORDS and form[0].isalpha()
        )
        if run and (not capital or index in starts or said.gap(index) not in (" ", "-")):
            yield from _missing_name(said, run, given, asked)
            run = []
        if capital and index not in starts:
            run.append(index)
    yield from _missing_name(said, run, given, asked)


def _missing_name(
    said: Tokens, run: Sequence[int], given: Source, asked: frozenset[str]
) -> Iterator[Span]:
    if run and any(said.stems[i] not in given.stems and said.stems[i] not in asked for i in run):
        start, end = said.place(run[0], run[-1])
        yield Span(start, end, "name not in the source", "grounding.name", "advice")


def _quotes(said: Tokens, given: Source) -> Iterator[Span]:
    """Quotations of four words or more that the source does not have word for word."""
    for match in _QUOTED.finditer(said.raw):
        index = next(i for i in range(1, 5) if match[i] is not None)
        if (
            len(Tokens(match[index])) >= _QUOTE_WORDS
            and find_quote(match[index], given.words) is None
        ):
            yield Span(
                match.start(index),
                match.end(index),
                "not quoted word for word",
                "grounding.quotation",
                "advice",
            )
