"""How much of a statement an answer repeats, for a reference that is a sentence and can be
paraphrased.

The share of its words is what a verdict on wording can rest on; a sentence that is reversed by a
negation or by the opposite of one word has as many of them.
"""

import math
from collections.abc import Sequence

from llmeval.checks.facts.answer import AnswerAnalysis
from llmeval.checks.facts.lexicon import contrast
from llmeval.checks.facts.names import MAX_TOLERANT, Reference
from llmeval.checks.facts.references import ExpectedValue
from llmeval.checks.facts.tokens import NEGATORS

STATEMENT_WORDS = 5
"""A text with this many content words or more that is not a name is a statement."""
_VERBS = frozenset(
    "is are was were be been being has have had can could will would because when if so do does "
    "did".split()
)
"""A shorter text is one with such a word in it: `the bulbs are connected`."""
_NEAR = 0.85
"""How like a word has to be: the same word, inflected, derived or misspelt."""
_REACH = 4
"""Two neighbours of the reference stand together with up to three words between them."""


def is_statement(text: Reference) -> bool:
    """Whether the text is a sentence or most of one, rather than a name or a term."""
    if text.is_name:
        return False
    return len(text.content) >= STATEMENT_WORDS or (
        len(text.content) > 1 and not _VERBS.isdisjoint(text.forms)
    )


def statements(expected: Sequence[ExpectedValue]) -> list[Reference]:
    """The texts, where most of what is expected are statements; else none."""
    texts = [value.text for value in expected if value.kind == "text" and not value.alias]
    vector = [text for text in texts if is_statement(text)]
    return vector if len(vector) * 2 > len(expected) else []


def statement_features(texts: Sequence[Reference], answer: AnswerAnalysis) -> dict[str, float]:
    """What the model looks at, for the statement of which the answer holds most."""
    return max((_of(text, answer) for text in texts[:MAX_TOLERANT]), key=_held)


def _held(vector: dict[str, float]) -> float:
    return vector["statement_recall"] + vector["statement_new"]


def _of(text: Reference, answer: AnswerAnalysis) -> dict[str, float]:
    question_stems = answer.question.stem_set
    like = {stem: answer.spelling.likeness(stem) for stem in text.content}
    held = {stem: word for stem, (share, word) in like.items() if share >= _NEAR}
    new = [stem for stem in text.content if stem not in question_stems]
    answer_stems = frozenset(answer.words.content)
    added = [stem for stem in answer_stems if stem not in question_stems]
    words = frozenset(held.values())
    return {
        "statement": 1.0,
        "statement_recall": len(held) / len(text.content),
        "statement_new": sum(stem in held for stem in new) / len(new) if new else 0.0,
        "statement_told": float(not new),
        "statement_pairs": _pairs(text, held, answer),
        "statement_share": sum(stem in words for stem in added) / max(1, len(added)),
        "statement_length": math.log1p(len(added)),
        "statement_negated": float(_is_negated(text.forms) != _is_negated(answer.words.forms)),
        "statement_contrast": float(_is_contrary(text, answer_stems)),
    }


def _pairs(text: Reference, held: dict[str, str], answer: AnswerAnalysis) -> float:
    """The share of neighbouring words of the statement that stand together, in that order, in the
    answer."""
    places: dict[str, list[int]] = {}
    for index, stem in enumerate(answer.words.stems):
        places.setdefault(stem, []).append(index)
    together = 0
    for one, two in zip(text.content, text.content[1:], strict=False):
        first, second = places.get(held.get(one, ""), []), places.get(held.get(two, ""), [])
        together += any(0 < b - a <= _REACH for a in first[:_PLACES] for b in second[:_PLACES])
    return together / max(1, len(text.content) - 1)


_PLACES = 24
"""So many places of a word are looked at."""


def _is_negated(forms: Sequence[str]) -> bool:
    return any(form in NEGATORS for form in forms)


def _is_contrary(text: Reference, answer_stems: frozenset[str]) -> bool:
    """Whether the answer has the opposite of a word of the statement instead of it: longer for
    shorter."""
    return any(
        contrast(stem, word)
        for stem in text.content
        if stem not in answer_stems
        for word in answer_stems
        if word not in text.stems
    )
