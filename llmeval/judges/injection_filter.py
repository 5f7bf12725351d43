"""Erase and check: does a pass near the threshold rest on words that speak to the judge?

Such an answer is judged again without them. The idea is that of A. Kumar et al., arXiv 2309.02705
(2023): what was put in to move a verdict is short, and the verdict on what is left shows it. Here
only sentences that speak of grading are erased, as erasing any others would take away what makes a
right answer right.
"""

import re

NEAR = 0.9
"""Below this confidence a pass is near the threshold."""
_SENTENCE = re.compile(
    r"[\u202d\u202e][^\u202c\n]*\u202c?\s*|[^.!?。！？\n\u202d\u202e]+[.!?。！？]*\s*|[.!?。"
    r"！？\n]+\s*"
)
"""A sentence, or what stands between the mark that turns text round and its end."""
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
"""Words of grading, marks of templates and markup, and letters that are turned round, hidden or of
two alphabets in a word.
"""
_UNSEEN = re.compile("[\u200b\u2060\ufeff]")
"""What may stand between the letters of a word without being seen."""


def without_orders(text: str) -> str | None:
    """The text without the sentences that speak to a judge; None where there are none, or nothing
    else is there.
    """
    sentences = _SENTENCE.findall(text)
    kept = [
        sentence for sentence in sentences if not _TO_THE_JUDGE.search(_UNSEEN.sub("", sentence))
    ]
    left = "".join(kept).strip()
    return left if len(kept) < len(sentences) and any(map(str.isalnum, left)) else None
