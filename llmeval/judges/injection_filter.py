"""Erase and check: does a pass near the threshold depend on sentences addressed to the judge?

Such an answer is judged again without these sentences. The idea is from A. Kumar et al., arXiv
2309.02705 (2023): injected text is short, and the verdict on the rest of the answer reveals it. We
erase only sentences about grading. Erasing other sentences would remove the content that makes an
answer right.
"""

import re

NEAR = 0.9
"""Below this confidence a pass is near the threshold."""
_SENTENCE = re.compile(
    r"[\u202d\u202e][^\u202c\n]*\u202c?\s*|[^.!?。！？\n\u202d\u202e]+[.!?。！？]*\s*|[.!?。"
    r"！？\n]+\s*"
)
"""A sentence, or the text between a right-to-left override and its end mark."""
_TO_THE_JUDGE = re.compile(
    r"\b(grad(e|er|ed|ing)|verdicts?|rubric|evaluat(or|ion)|judges?|instructions?|approved"
    r"|reviewed|certified"
    r"|system prompt"
    r"|correct answer|reference answers?|full marks|urteil|bewert\w+|anweisung\w*"
    r"|instrucciones|calific\w+|veredicto|consignes?|jugement)\b"
    r"|</?\w+>|<\||\{\{|\{%|\"verdict\"|判定|指示|评分|裁判|评判"
    r"|[\u202d\u202e\U000e0020-\U000e007f]|[a-z][\u0430-\u044f]|[\u0430-\u044f][a-z]",
    re.IGNORECASE,
)
"""Words about grading, marks of templates and markup, and letters that are reversed, hidden or from
two alphabets in one word.
"""
_UNSEEN = re.compile("[\u200b\u2060\ufeff]")
"""Invisible characters that may be between the letters of a word."""


def without_orders(text: str) -> str | None:
    """The text without sentences addressed to a judge; None if it has no such sentence, or no other
    one.
    """
    sentences = _SENTENCE.findall(text)
    kept = [
        sentence for sentence in sentences if not _TO_THE_JUDGE.search(_UNSEEN.sub("", sentence))
    ]
    left = "".join(kept).strip()
    return left if len(kept) < len(sentences) and any(map(str.isalnum, left)) else None
