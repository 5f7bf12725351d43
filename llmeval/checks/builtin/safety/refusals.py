"""Where an answer refuses, by the phrases of `refusal_phrases`; tests/checks/test_refusals.py reads
them.
"""

import re
from functools import lru_cache

from llmeval.checks.builtin.safety.refusal_phrases import EUROPEAN
from llmeval.checks.builtin.safety.refusal_phrases_asia import ASIAN

PHRASES = EUROPEAN + ASIAN


@lru_cache(maxsize=1)
def _compiled() -> "tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]":
    return tuple(
        (
            tuple(stem.replace("|", " ") for stem in phrases.stems.split()),
            re.compile("|".join(phrases.patterns), re.IGNORECASE),
        )
        for phrases in PHRASES
    )


def find_refusal(text: str) -> tuple[int, int] | None:
    """Where the first phrase of refusal stands, of the first language that has one; None if there
    is none."""
    small = text.lower()
    for stems, pattern in _compiled():
        match = pattern.search(text) if any(stem in small for stem in stems) else None
        if match:
            return match.span()
    return None
