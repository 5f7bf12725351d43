"""Citations such as [1], and quotations: present, in order, pointing at something, and true to the
source.
"""

from bisect import bisect_left
from itertools import chain, islice
from typing import Annotated

import regex
from pydantic import AfterValidator, BeforeValidator, Field

from llmeval.checks.base import Result, check, graded, not_applicable, verdict
from llmeval.checks.builtin.sources.citation_marks import cited_places
from llmeval.checks.builtin.sources.quotations import quotations, without_emphasis
from llmeval.checks.builtin.text.counts import Least, Most, Number, past_of, within
from llmeval.checks.reading.text import Piece, fold, is_heading, masked, number_of, sentences, words
from llmeval.core.errors import CheckError
from llmeval.core.records import Answer, Case, Span

_ENTRY = regex.compile(
    r"^[^\S\n]*(?:[-*•][^\S\n]+)?(?:\[\^?(\d{1,4})\]:?|(\d{1,4})[.)])[^\S\n]+(?=\S)",
    regex.MULTILINE,
)
_LIST_HEAD = regex.compile(
    r"^[^\S\n]*(?:#{1,6}[^\S\n]*)?[*_]{0,4}(?:references?|sources?|citations?|bibliography|works "
    r"cited|notes|footnotes"
    r"|quellen|literatur(?:verzeichnis)?|références|sources? citées|referencias|fuentes"
    r"|bibliografía|fonti"
    r"|参考文献|出典|来源)"
    r"[*_]{0,4}[^\S\n]*[:：]?[*_]{0,4}[^\S\n]*$",
    regex.IGNORECASE | regex.MULTILINE,
)
_THREE_WORDS = regex.compile(r"(?<!\w)\w++\W++\w++\W++\w")
_ELLIPSIS = regex.compile(r"\s*(?:\[\s*)?(?:\.{3,}|…)(?:\s*\])?\s*|\s*\[[^\]]{0,40}\]\s*")
_EDGE = " .,;:!?\"'()-"
_MAX_FUZZY = 400_000_000
_SHOWN = 20


@check(group="citations", version=2)
def citations(case: Case, answer: Answer, *, min: Least = 1, max: Most = None) -> Result:
    """The number of places that cite, as in [1] or [2, 3], lies in the limits; the list of sources
    is left out.
    """
    body, _ = _parts(answer.text)
    matches = list(cited_places(body))
    return within(len(matches), "citation", None, min, max, past_of(matches))


@check(group="citations", version=2)
def citations_contiguous(case: Case, answer: Answer, *, in_order: bool = False) -> Result:
    """The numbers cited are 1 to n without a gap. `in_order`: first cited in rising order."""
    body, _ = _parts(answer.text)
    numbers = list(
        dict.fromkeys(chain.from_iterable(place.numbers for place in cited_places(body)))
    )
    if not numbers:
        return not_applicable("nothing is cited")
    gaps = sorted(set(range(1, max(numbers) + 1)) - set(numbers))
    if gaps or 0 in numbers:
        return verdict(
            False, f"never cited: {_shown(gaps)}" if gaps else "numbers start at [1], not [0]"
        )
    if in_order and numbers != sorted(numbers):
        late = next(n for n, m in zip(numbers[1:], numbers, strict=False) if n < m)
        return verdict(False, f"[{late}] is first cited after a higher number")
    return verdict(True, f"[1] to [{max(numbers)}] are cited")


@check(group="citations", version=2)
def citations_resolve(
    case: Case, answer: Answer, *, sources: Number | None = None, all_used: bool = False
) -> Result:
    """Every number cited has a source: one of the first `sources`, or else an entry of the answer's
    own list.

    `all_used`: every source must be cited too.
    """
    body, listed = _parts(answer.text)
    valid = set(range(1, sources + 1)) if sources is not None else listed
    places = list(cited_places(body))
    cited = set(chain.from_iterable(place.numbers for place in places))
    if not cited:
        fails = all_used and valid
        return verdict(False, "nothing is cited") if fails else not_applicable("nothing is cited")
    unresolved = cited - valid
    if unresolved:
        spans = (
            Span(place.start, place.end, f"[{n}] has no source", "citations_resolve")
            for place in places
            for n in place.numbers
            if n in unresolved
        )
        reason = f"no source for {_shown(sorted(unresolved))}"
        return verdict(False, reason, *islice(spans, _SHOWN))
    unused = sorted(valid - cited)
    if all_used and unused:
        return verdict(False, f"never cited: {_shown(unused)}")
    return verdict(True, "every citation has a source")


@check(group="citations", version=2)
def sentences_cited(
    case: Case, answer: Answer, *, share: Annotated[float, Field(gt=0, le=1)] = 1.0
) -> Result:
    """At least this share of the sentences (all, by default) carry a citation; headings and
    questions don't count.

    A citation right after the full stop belongs to the sentence that it ends.
    """
    body, _ = _parts(answer.text)
    starts = [place.start for place in cited_places(body)]
    claims = [piece for piece in sentences(body) if is_claim(body, piece)]
    if not claims:
        return not_applicable("no sentence with a statement")
    bare = [
        piece
        for piece in claims
        if bisect_left(starts, piece.start) == bisect_left(starts, piece.end)
    ]
    rate = 1 - len(bare) / len(claims)
    spans = (piece.span("not cited", "sentences_cited") for piece in bare[:_SHOWN])
    return graded(
        rate,
        rate >= share,
        f"{len(claims) - len(bare)} of {len(claims)} sentences are cited",
        *spans,
    )


def is_claim(body: str, piece: Piece) -> bool:
    """Whether a sentence states something: three words or more, no question, no heading, no `as
    follows:`.
    """
    if piece.text.endswith(("?", ":")) or not _THREE_WORDS.search(piece.text):
        return False
    return not is_heading(body, piece.start)


def _texts(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _not_blank(values: list[str] | None) -> list[str] | None:
    if values is not None and not any(value.strip() for value in values):
        raise ValueError("the source is empty")
    return values


Sources = Annotated[list[str] | None, BeforeValidator(_texts), AfterValidator(_not_blank)]


@check(group="citations", version=2)
def quotes_verbatim(
    case: Case,
    answer: Answer,
    *,
    source: Sources = None,
    min_words: Number = 4,
    similarity: Annotated[float, Field(ge=0.8, le=1)] = 1.0,
) -> Result:
    """What the answer quotes stands in the source (the case's `context`, if none is given) word for
    word.

    Quotations stand in double or single quotation marks, or in block quotes (`> ...`). Quote marks,
    emphasis, dashes, case and white space may differ, and `...` or [a remark] leave words out.
    Quotes shorter than `min_words` words don't count. `similarity` below 1 allows small changes, by
    normalised edit distance.

    Raises:
        CheckError: there is no source.
    """
    actual = source or ([case.context] if case.context else None)
    if not actual:
        raise CheckError("quotes_verbatim: no `source`, and the case has no `context`")
    quotes = [piece for piece in quotations(answer.text) if len(words(piece.text)) >= min_words]
    if not quotes:
        return not_applicable(f"no quotation of {number_of(min_words, 'word')} or more")
    texts = [_folded(text) for text in actual]
    wrong = [quote for quote in quotes if not _in_source(quote.text, texts, similarity)]
    spans = (quote.span("not in the source", "quotes_verbatim") for quote in wrong[:_SHOWN])
    good = len(quotes) - len(wrong)
    return graded(
        good / len(quotes),
        not wrong,
        f"{good} of {number_of(len(quotes), 'quotation')} in the source",
        *spans,
    )


def _shown(numbers: list[int]) -> str:
    more = f" and {len(numbers) - 10} more" if len(numbers) > 10 else ""
    return ", ".join(f"[{n}]" for n in numbers[:10]) + more


def _parts(text: str) -> tuple[str, set[int]]:
    """The answer up to its list of sources (rest and code blanked, so that places stay), and the
    numbers listed.
    """
    clean = masked(text)
    start = max((match.end() for match in _LIST_HEAD.finditer(clean)), default=-1)
    if start < 0:
        start = _trailing_entries(text)
    listed = {int(match[1] or match[2]) for match in _ENTRY.finditer(text, start)}
    if not text[:start].strip():  # nothing stands before: the answer itself begins with [1]
        return clean, listed
    return clean[:start] + " " * (len(clean) - start), listed


def _trailing_entries(text: str) -> int:
    """Where the lines `[n] source` that end the text begin; its length if none do."""
    start = end = len(text)
    while end > 0:
        line = text.rfind("\n", 0, end) + 1
        match = _ENTRY.match(text, line, end)
        if text[line:end].strip() and not (match and match[1]):
            break
        start, end = (line, line - 1) if match else (start, line - 1)
    return start


def _folded(text: str) -> str:
    return fold.__wrapped__(without_emphasis(text))


def _in_source(quote: str, sources: list[str], similarity: float) -> bool:
    pieces = [piece for part in _ELLIPSIS.split(quote) if (piece := _folded(part).strip(_EDGE))]
    return any(_holds(pieces, source, similarity) for source in sources)


def _holds(pieces: list[str], source: str, similarity: float) -> bool:
    """Whether the pieces of a quote stand in the source in this order, none inside a word."""
    position = 0
    for piece in pieces:
        hit = _find(piece, source, position)
        if hit is None and similarity < 1:
            hit = _find_similar(piece, source, position, similarity)
        if hit is None:
            return False
        position = hit
    return True


def _find(piece: str, source: str, position: int) -> int | None:
    at = source.find(piece, position)
    while at >= 0:
        end = at + len(piece)
        inside = (
            at > 0 and source[at - 1].isalnum() and piece[0].isascii() and piece[0].isalnum()
        ) or (
            end < len(source)
            and source[end].isalnum()
            and piece[-1].isascii()
            and piece[-1].isalnum()
        )
        if not inside:
            return end
        at = source.find(piece, at + 1)
    return None


def _find_similar(piece: str, source: str, position: int, similarity: float) -> int | None:
    from rapidfuzz.fuzz import partial_ratio_alignment

    if len(piece) * (len(source) - position) > _MAX_FUZZY:
        raise CheckError("quotes_verbatim: the source is too long for `similarity` below 1")
    hit = partial_ratio_alignment(piece, source[position:], score_cutoff=100 * similarity)
    return None if hit is None else position + hit.dest_end
