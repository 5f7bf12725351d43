"""Whether an answer to a yes/no question says yes or no."""

import regex

from llmeval.checks.facts.answer import ParsedAnswer
from llmeval.checks.facts.tokens import Tokens

_LEAD = regex.compile(
    r"^[\s*_\"'“(\-]*(?:(?:well|so|the\s+answer\s+is|in\s+short|short\s+answer|answer)[\s:,*_\"'“]+)*"
    r"(?:(?P<yes>yes|yeah|yep|true|correct|right|indeed|definitely|absolutely|certainly|of\s+course|ja|oui|sí|sì)"
    r"|(?P<no>no(?!\s+(?:doubt|one))|nope|false|incorrect|wrong|not\s+(?:at\s+all|really|true|correct)|nein|non))\b",
    regex.IGNORECASE,
)
_LATER = regex.compile(
    r"\b(?:the\s+answer(?:\s+to\s+\w+\s+\w+)?\s+is|that\s+is|this\s+is|it\s+is|it['’]s|statement\s+is)[\s:*_\"'“]+"
    r"(?:(?P<yes>yes|true|correct)|(?P<no>no|false|incorrect|not\s+(?:true|correct)|wrong))\b",
    regex.IGNORECASE,
)
_SENTENCE = 200
"""So many words of the first sentence are read."""
_NEGATED = regex.compile(r"n['’]t\b|\b(?:not|never|no|cannot|neither|nor|without)\b(?!\s+only)", regex.IGNORECASE)


def polarity(answer: ParsedAnswer) -> tuple[bool, int, int, bool] | None:
    """What the answer says, the code points that say it, and whether in so many words; None if it can't be told.

    A bare "yes" or "no" at the start counts first, then "the answer is no", then a first sentence that repeats the
    question, with or without a negation.
    """
    raw = answer.words.raw
    for pattern in (_LEAD, _LATER):
        match = pattern.search(raw, 0, 5000)
        if match:
            return bool(match["yes"]), match.start("yes" if match["yes"] else "no"), match.end(), True
    if not len(answer.words) or not answer.asked:
        return None
    _, stop = answer.words.sentence(0)
    start, end = answer.words.place(0, min(stop, _SENTENCE) - 1)
    said = frozenset(Tokens(raw[start:end]).stems)
    if len(said & answer.asked) < max(2, len(answer.asked) // 2):
        return None
    asked_negated = bool(_NEGATED.search(answer.question.raw))
    return bool(_NEGATED.search(raw, start, end)) == asked_negated, start, end, False
