"""Whether the passages that an answer cites say what it says there."""

from bisect import bisect_right
from itertools import islice
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator

from llmeval.checks.arguments import MAX_SPANS, Share, clip
from llmeval.checks.base import Result, check, graded, not_applicable, verdict
from llmeval.checks.builtin.applications.retrieval import Ids
from llmeval.checks.builtin.sources.citations import is_claim
from llmeval.checks.builtin.sources.cited_ids import CitedId, blanked, cited_ids
from llmeval.checks.builtin.sources.grounding import CLAIM_SHARE, backed_share
from llmeval.checks.facts.tokens import Tokens
from llmeval.checks.reading.payload import MAX_CHARS, too_long
from llmeval.checks.reading.text import Piece, number_of, sentences
from llmeval.core.records import Answer, Case, Span

Texts = Annotated[list[str], BeforeValidator(lambda value: [] if value is None else value)]


class _CitedClaim(NamedTuple):
    """A sentence that cites: its words without the marks, and its marks."""

    piece: Piece
    words: Tokens
    marks: list[CitedId]


@check(group="applications")
def citations_support(
    case: Case, answer: Answer, *, ids: Ids, texts: Texts, at_least: Share = 1.0
) -> Result:
    """Advisory: each sentence that cites is backed by the wording of a passage that it cites.

    `ids` and `texts`: the passages, in the same order. A citation is an id, or the number of a
    passage from 1 on, in brackets. A passage backs a sentence if it has at least half of its words
    of meaning and all of its numbers. The graded value is the share of the sentences with citations
    that are backed; it passes from `at_least` on. It does not apply to an answer that cites none of
    the passages: `cites_only` is about that.
    """
    if len(ids) != len(texts):
        return verdict(False, f"{number_of(len(ids), 'id')} for {number_of(len(texts), 'text')}")
    for text in (answer.text, *texts):
        too_long(text, MAX_CHARS, "citations_support")
    passages = {str(rank): text for rank, text in enumerate(texts, start=1)}
    passages |= {name.casefold(): text for name, text in zip(ids, texts, strict=True)}
    claims = _cited_claims(answer.text, ids, passages)
    if not claims:
        return not_applicable("no sentence cites one of the passages")
    wrong = [claim for claim in claims if not _is_backed(claim, passages)]
    share = 1 - len(wrong) / len(claims)
    names = ", ".join(clip(claim.piece.text) for claim in wrong[:3])
    spans = (
        Span(mark.start, mark.end, f"{clip(mark.id)} does not back this sentence", "", "advice")
        for claim in wrong
        for mark in claim.marks
    )
    count = number_of(len(claims), "sentence")
    backed = f"{len(claims) - len(wrong)} of {count} backed by what it cites"
    return graded(
        share,
        share >= at_least,
        f"advisory: {backed}" + (f", not: {names}" if names else ""),
        *islice(spans, MAX_SPANS),
    )


def _cited_claims(text: str, ids: Ids, passages: dict[str, str]) -> list[_CitedClaim]:
    """The sentences that cite. A mark after the full stop belongs to the sentence that it ends."""
    marks = cited_ids(text, ids)
    bare = blanked(text, marks)
    claims = [piece for piece in sentences(text) if is_claim(text, piece)]
    starts = [piece.start for piece in claims]
    own: dict[int, list[CitedId]] = {}
    for mark in marks:
        number = bisect_right(starts, mark.start) - 1
        if number >= 0 and mark.id.casefold() in passages:
            own.setdefault(number, []).append(mark)
    return [
        _CitedClaim(claims[n], Tokens(bare[claims[n].start : claims[n].end]), cited)
        for n, cited in own.items()
    ]


def _is_backed(claim: _CitedClaim, passages: dict[str, str]) -> bool:
    """Whether one of the passages that it cites backs it, or all of them together."""
    cited = dict.fromkeys(passages[mark.id.casefold()] for mark in claim.marks)
    together = dict.fromkeys((*cited, "\n\n".join(cited)))
    return any(backed_share(claim.words, text) >= CLAIM_SHARE for text in together)
