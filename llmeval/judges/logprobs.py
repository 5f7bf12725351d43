"""The probability of a verdict, read from the log probabilities of a reply's tokens (G-Eval, Liu et
al. 2023).
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from llmeval.judges.grading import WHOLE, Probabilities

_VALUE = re.compile(r'"verdict"\s*:\s*"')


def verdict_probabilities(
    tokens: Sequence[Mapping[str, object]] | None, verdicts: Sequence[str]
) -> Probabilities:
    """P(verdict) at the token where the verdict's text begins, normalised over the verdicts.

    Args:
        tokens: in the form of OpenAI-compatible endpoints: `token`, `logprob`, `top_logprobs`.
        verdicts: the words of the protocol.

    Returns:
        Empty if there are no log probabilities, or if the token's alternatives don't distinguish
            the verdicts.
    """
    if not tokens:
        return {}
    text = "".join(str(token.get("token", "")) for token in tokens)
    matches = list(_VALUE.finditer(text))
    if not matches:
        return {}
    at, target = 0, matches[-1].end()
    for token in tokens:
        piece = str(token.get("token", ""))
        if at <= target < at + len(piece):
            return _shares(token, piece[: target - at], verdicts)
        at += len(piece)
    return {}


def _shares(token: Mapping[str, Any], before: str, verdicts: Sequence[str]) -> Probabilities:
    """The probability of each verdict. An alternative counts for the verdict that it begins. If it
    could begin two verdicts, the result is empty.
    """
    shares = dict.fromkeys(verdicts, 0.0)
    for option in token.get("top_logprobs") or ():
        piece = str(option.get("token", ""))
        if not piece.startswith(before):
            continue
        start = piece[len(before) :].rstrip('"},\n ')
        begun = [word for word in verdicts if start and (word.startswith(start) or start == word)]
        if len(begun) > 1 and start not in begun:
            return {}
        for word in begun[:1] if start not in begun else [start]:
            shares[word] += math.exp(float(option["logprob"]))
    total = sum(shares.values())
    return {WHOLE: {word: share / total for word, share in shares.items()}} if total > 0 else {}
