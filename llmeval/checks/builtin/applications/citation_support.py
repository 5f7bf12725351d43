"""Whether the passages that an answer cites back what it says there."""

from collections.abc import Mapping
from itertools import islice
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BeforeValidator

from llmeval.checks.arguments import MAX_SPANS, Count, Share, clip
from llmeval.checks.base import Result, check, graded, not_applicable, verdict
from llmeval.checks.builtin.applications.retrieval import Ids
from llmeval.checks.builtin.sources.citations import is_claim
from llmeval.checks.builtin.sources.cited_ids import CitedId, cited_ids, without_marks
from llmeval.checks.builtin.sources.grounding import CLAIM_SHARE, MAX_CLAIMS, backing
from llmeval.checks.reading.payload import MAX_CHARS, too_long
from llmeval.checks.reading.text import Piece, number_of, sentences
from llmeval.core.errors import CheckError
from llmeval.core.records import Answer, Case


def _bounded(texts: list[str]) -> list[str]:
    for text in texts:
        too_long(text, MAX_CHARS, "citations_support")
    return texts


Passages = Annotated[
    list[str],
    BeforeValidator(lambda value: [] if value is None else value),
    AfterValidator(_bounded),
]
"""Texts in the order in which the application retrieved them; a null is an empty list."""


@check(group="applications")
def citations_support(
    case: Case,
    answer: Answer,
    *,
    passages: Passages,
    ids: Ids | None = None,
    at_least: Share = 1.0,
    min: Count = 0,
) -> Result:
    """Each sentence that cites is backed, by its wording, by one of the passages that it cites.

    `passages` are texts; a citation names one by its number (from 1 on) or by its id, which `ids`
    gives in the same order. A passage backs a sentence if it contains half of the sentence's words
    of meaning, and its numbers. The value is the share of the citing sentences that are backed; it
    passes from `at_least` on. `min`: at least so many citing sentences; with 0, the check does not
    apply to an answer that cites nothing. A claim without a citation is the subject of
    `sentences_cited`, and one without any passage of `grounding`.
    """
    if ids is not None and len(ids) != len(passages):
        raise CheckError(
            f"citations_support: {len(ids)} ids for {len(passages)} passages; give one id for each"
        )
    by_id = _by_id(passages, ids)
    claims = _claims(answer.text, by_id)
    if len(claims) < min:
        what = number_of(len(claims), "sentence")
        return verdict(False, f"{what} with a citation; expected at least {min}")
    if not claims:
        return not_applicable("no sentence cites a source")
    bare = [claim for claim in claims if not claim.backed]
    share = 1 - len(bare) / len(claims)
    names = "; ".join(f"{clip(claim.text)} by {claim.cites}" for claim in bare[:3])
    spans = (claim.piece.span("not backed by what it cites") for claim in bare)
    return graded(
        share,
        share >= at_least,
        f"{len(claims) - len(bare)} of {number_of(len(claims), 'citing sentence')} backed"
        + (f", not: {names}" if bare else ""),
        *islice(spans, MAX_SPANS),
        details={"claims": [claim.details for claim in claims]},
    )


class _CitedClaim(NamedTuple):
    """A sentence that states something and cites."""

    piece: Piece
    text: str
    cites: str
    share: float

    @property
    def backed(self) -> bool:
        return self.share >= CLAIM_SHARE

    @property
    def details(self) -> dict[str, Any]:
        return {
            "claim": self.text[:200],
            "cites": self.cites,
            "backed": self.backed,
            "share": round(self.share, 4),
        }


def _by_id(passages: list[str], ids: list[str] | None) -> dict[str, str]:
    """The passages by each name that a citation may use; an id goes over a number."""
    numbers = {str(number): passage for number, passage in enumerate(passages, start=1)}
    named = zip((name.casefold() for name in ids or ()), passages, strict=False)
    return {**numbers, **dict(named)}


def _claims(text: str, by_id: Mapping[str, str]) -> list[_CitedClaim]:
    """Each sentence that states something and cites."""
    too_long(text, MAX_CHARS, "citations_support")
    places = cited_ids(text, by_id)
    claims = []
    for piece in sentences(text):
        inside = [place for place in places if piece.start <= place.start < piece.end]
        if inside and is_claim(text, piece):
            claims.append(_claim(text, piece, inside, by_id))
    return claims[:MAX_CLAIMS]


def _claim(text: str, piece: Piece, cited: list[CitedId], by_id: Mapping[str, str]) -> _CitedClaim:
    bare = without_marks(text)[piece.start : piece.end]
    for place in cited:  # an id that only `ids` makes one is still there
        start, end = place.start - piece.start, place.end - piece.start
        bare = bare[:start] + " " * (end - start) + bare[end:]
    passages = [by_id[place.id.casefold()] for place in cited if place.id.casefold() in by_id]
    shares = [backing(bare, passage) for passage in passages if passage.strip()]
    cites = ", ".join(dict.fromkeys(place.id for place in cited))
    return _CitedClaim(piece, " ".join(bare.split()), cites, max(shares, default=0.0))
