"""All findings of a text, in order."""

from collections.abc import Iterator
from itertools import islice

from llmeval.checks.punctuation.apostrophes import apostrophes
from llmeval.checks.punctuation.consistency import consistency
from llmeval.checks.punctuation.harper import harper_findings
from llmeval.checks.punctuation.marks import leading, marks
from llmeval.checks.punctuation.pairs import pairs
from llmeval.checks.punctuation.rules import Violation
from llmeval.checks.punctuation.sentences import sentences
from llmeval.checks.punctuation.spacing import spacing
from llmeval.checks.punctuation.view import Places, View, view

MOST = 1000
"""Findings of one kind of rules that are kept; a text with more is not prose."""


def find(
    text: str, locale: str | None = None, *, fragments: bool = False, harper: bool = False
) -> list[Violation]:
    """What breaks a rule in `text`, by place in code points of `text`; at most 1,000 of each kind
    of rules.

    `locale`: a language tag (`de`, `fr-CA`); None = found from the text, block by block.
    `fragments`: fragments, headings and list items must end with a mark, too. `harper`: ask Harper
    as well (English).
    """
    return find_in(*view(text, locale), fragments=fragments, harper=harper)


def find_in(
    seen: View, place: Places, *, fragments: bool = False, harper: bool = False
) -> list[Violation]:
    """See `find`; of a view that is already made."""
    matches = set(_all(seen, fragments))
    if harper:
        matches.update(_more(list(harper_findings(seen)), matches))
    placed = set()
    for finding in matches:
        start, end = place(finding.start, finding.end)
        # Spaces on both sides of markup are not two in a row.
        if finding.rule != "multi-space" or end - start == finding.end - finding.start:
            placed.add(finding._replace(start=start, end=end))
    return sorted(placed)


def _all(seen: View, fragments: bool) -> Iterator[Violation]:
    runs = list(seen.runs())
    for rule in (spacing, marks, apostrophes):
        yield from islice((finding for run in runs for finding in rule(seen, run)), MOST)
    yield from islice(leading(seen), MOST)
    yield from islice(pairs(seen), MOST)
    yield from islice(sentences(seen, fragments=fragments), MOST)
    yield from consistency(seen)


def _more(others: list[Violation], ours: set[Violation]) -> Iterator[Violation]:
    """Those that stand where none of ours does."""
    taken = {at for finding in ours for at in range(finding.start, finding.end)}
    for other in others:
        if taken.isdisjoint(range(other.start, other.end)):
            yield other
