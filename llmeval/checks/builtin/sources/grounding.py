"""Whether an answer keeps to the text it was given: a hint, never a verdict on truth.

Overlap says much about copied text and little about paraphrase (AUROC about 0.8 on extractive
summaries, 0.65 to 0.7 on abstractive ones), so the result is marked advisory: let it point a reader
or a judge to a place.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import regex

from llmeval.checks.arguments import MAX_SPANS, Share, clip
from llmeval.checks.base import Result, check, graded, not_applicable
from llmeval.checks.builtin.sources.citations import Sources, is_claim
from llmeval.checks.builtin.sources.cited_ids import without_marks
from llmeval.checks.facts.compare import Fit, fit_number
from llmeval.checks.facts.locale import read_numbers
from llmeval.checks.facts.numbers import Number
from llmeval.checks.facts.quotes import find_quote
from llmeval.checks.facts.tokens import STOPWORDS, Tokens
from llmeval.checks.reading.payload import MAX_CHARS, too_long
from llmeval.checks.reading.text import Piece, number_of, sentences
from llmeval.core.question import question_of
from llmeval.core.records import Answer, Case, Span

_QUOTED = regex.compile(
    r'"([^"\n]{8,2000})"|“([^“”\n]{8,2000})”|«([^«»\n]{8,2000})»|„([^„“”\n]{8,2000})[“”]'
)
_QUOTE_WORDS = 4
CLAIM_SHARE = 0.5
"""Share of a claim's words of meaning that one passage must have to back it."""
MAX_CLAIMS = 200


class SourceText:
    """A text that answers are held against."""

    def __init__(self, text: str) -> None:
        self.words = Tokens(text)
        self.stems = self.words.stem_set
        self.pairs = frozenset(zip(self.words.stems, self.words.stems[1:], strict=False))
        self.numbers = read_numbers(self.words)
        self.values = frozenset(value for number in self.numbers for value in number.readings)


@lru_cache(maxsize=256)
def _source(text: str) -> SourceText:
    return SourceText(text)


@check(group="facts", version=3)
def grounding(
    case: Case, answer: Answer, *, at_least: Share = 0.5, context: Sources = None
) -> Result:
    """Advisory: how much of the answer is backed by `context` (by default the case's), by its
    wording.

    `context` is a text, or a list of passages. Citation marks such as [1] or (source 2) do not
    count as part of the answer. The value is the mean of the shares of words of meaning and of word
    pairs that stand in the context, halved for each kind of thing that does not: numbers, names,
    quotations. It passes from `at_least` on; what is not backed is shown as advice. The details
    name for each claim, that is each sentence that states something, the passage that backs it
    (from 1 on) and the share of its words that stand there; the reason names claims without one.
    """
    passages = context or ([case.context] if case.context else [])
    passages = [passage for passage in passages if passage.strip()]
    if not passages:
        return not_applicable("the case has no `context`")
    source = "\n\n".join(passages)
    too_long(answer.text, MAX_CHARS, "grounding")
    too_long(source, MAX_CHARS, "grounding")
    text = without_marks(answer.text)
    actual, text_tokens = _source(source), Tokens(text)
    if not text_tokens.content:
        return not_applicable("the answer has no words")
    candidates = Tokens(question_of(case)).stem_set
    words, pairs = _overlap(text_tokens, actual)
    lacking = {
        "number": list(_numbers(text_tokens, actual)),
        "name": list(_names(text_tokens, actual, candidates)),
        "quotation": list(_quotes(text_tokens, actual)),
    }
    value = (words + pairs) / 2 * 0.5 ** sum(bool(spans) for spans in lacking.values())
    claims = _claims(text, passages)
    bare = [claim for claim in claims if claim["passage"] is None]
    spans = [span for matches in lacking.values() for span in matches]
    return graded(
        value,
        value >= at_least,
        _reason(lacking, words) + _unbacked(claims, bare),
        *sorted(spans, key=lambda span: span.start)[:MAX_SPANS],
        details={
            "advisory": True,
            "words_backed": round(words, 4),
            "pairs_backed": round(pairs, 4),
            "unsupported": {kind: len(matches) for kind, matches in lacking.items()},
            "claims": claims,
        },
    )


def _claims(text: str, passages: Sequence[str]) -> list[dict[str, object]]:
    """Each claim with the passage that has most of its words of meaning, and that share. None has
    it where the share is below a half, or where a number of the claim is not in the passage."""
    pieces = [piece for piece in sentences(text) if is_claim(text, piece)][:MAX_CLAIMS]
    return [_claim(piece, passages) for piece in pieces]


def backed_share(claim: Tokens, passage: str) -> float:
    """The share of a claim's words of meaning that a passage has, in [0, 1]; below `CLAIM_SHARE`
    where the passage lacks a number of the claim.
    """
    source = _source(passage)
    backed = _overlap(claim, source)[0] if claim.content else 0.0
    return min(backed, CLAIM_SHARE / 2) if any(_numbers(claim, source)) else backed


def _claim(piece: Piece, passages: Sequence[str]) -> dict[str, object]:
    tokens = Tokens(piece.text)
    best, share = None, 0.0
    for number, passage in enumerate(passages, start=1):
        backed = backed_share(tokens, passage)
        if backed > share:
            best, share = number, backed
    return {
        "claim": " ".join(piece.text.split())[:200],
        "passage": best if share >= CLAIM_SHARE else None,
        "nearest": best,
        "share": round(share, 4),
    }


def _unbacked(claims: Sequence[dict[str, object]], bare: Sequence[dict[str, object]]) -> str:
    if not claims:
        return ""
    backed = f"; {len(claims) - len(bare)} of {number_of(len(claims), 'claim')} backed by a passage"
    names = ", ".join(clip(claim["claim"]) for claim in bare[:3])
    return f"{backed}, not: {names}" if bare else backed


def _reason(lacking: dict[str, list[Span]], words: float) -> str:
    parts = [
        f"{len(matches)} {kind}{'s' if len(matches) > 1 else ''}"
        for kind, matches in lacking.items()
        if matches
    ]
    backed = f"advisory: {words:.0%} of the words are in the source"
    return f"{backed}; not in it: {', '.join(parts)}" if parts else backed


def _overlap(text_tokens: Tokens, actual: SourceText) -> tuple[float, float]:
    """Shares of the answer's words of meaning, and of its word pairs, that the source has."""
    content = text_tokens.content
    pairs = list(zip(text_tokens.stems, text_tokens.stems[1:], strict=False))
    backed = sum(stem in actual.stems for stem in content) / len(content)
    return backed, sum(pair in actual.pairs for pair in pairs) / len(pairs) if pairs else backed


def _numbers(text_tokens: Tokens, actual: SourceText) -> Iterator[Span]:
    """Numbers that the source does not state, in any unit or spelling, nor to more places."""
    for number in read_numbers(text_tokens):
        listed = text_tokens.raw[number.end : number.end + 1] in (".", ")") and _starts_line(
            text_tokens.raw, number.start
        )
        if not (number.weak or number.ordinal or listed or _stated(number, actual)):
            yield Span(
                number.start, number.end, "number not in the source", "grounding.number", "advice"
            )


def _starts_line(raw: str, at: int) -> bool:
    return not raw[raw.rfind("\n", 0, at) + 1 : at].strip(" \t*-#(")


def _stated(number: Number, actual: SourceText) -> bool:
    if any(value in actual.values for value in number.readings):
        return True
    return any(
        (fit_number(other, number) or Fit.OTHER) >= Fit.COARSE for other in actual.numbers[:2000]
    )


def _names(text_tokens: Tokens, actual: SourceText, candidates: frozenset[str]) -> Iterator[Span]:
    """Runs of capitalised words with a word that neither the source nor the question has."""
    starts = frozenset(text_tokens.breaks)
    run: list[int] = []
    for index, form in enumerate(text_tokens.forms):
        capital = (
            text_tokens.raw[text_tokens.starts[index]].isupper()
            and form not in STOPWORDS
            and form[0].isalpha()
        )
        if run and (not capital or index in starts or text_tokens.gap(index) not in (" ", "-")):
            yield from _missing_name(text_tokens, run, actual, candidates)
            run = []
        if capital and index not in starts:
            run.append(index)
    yield from _missing_name(text_tokens, run, actual, candidates)


def _missing_name(
    text_tokens: Tokens, run: Sequence[int], actual: SourceText, candidates: frozenset[str]
) -> Iterator[Span]:
    if run and any(
        text_tokens.stems[i] not in actual.stems and text_tokens.stems[i] not in candidates
        for i in run
    ):
        start, end = text_tokens.place(run[0], run[-1])
        yield Span(start, end, "name not in the source", "grounding.name", "advice")


def _quotes(text_tokens: Tokens, actual: SourceText) -> Iterator[Span]:
    """Quotations of four words or more that the source does not have word for word."""
    for match in _QUOTED.finditer(text_tokens.raw):
        index = next(i for i in range(1, 5) if match[i] is not None)
        if (
            len(Tokens(match[index])) >= _QUOTE_WORDS
            and find_quote(match[index], actual.words) is None
        ):
            yield Span(
                match.start(index),
                match.end(index),
                "not quoted word for word",
                "grounding.quotation",
                "advice",
            )
