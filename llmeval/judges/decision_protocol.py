"""Protocols as questions for decision models: one request contains the whole rubric, and the reply
contains probabilities.

The request and the reply are those of `POST /v1/systemone`. Local models with a readout of labels
use the same questions.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from llmeval.core.errors import SuiteError
from llmeval.judges.grading import WHOLE, Probabilities
from llmeval.judges.protocol import Criterion, Protocol
from llmeval.judges.verdict import BadVerdict

_SUM_WITHIN = 0.02


def questions(protocol: Protocol, criteria: Sequence[Criterion]) -> dict[str, Any]:
    """{id: {type: choice, instructions, criteria: {verdict: description}}}, for a rubric one for
    each criterion.

    If a protocol lets the judge list items, a decision model gets one question about the whole
    answer, because it can't list items.

    Raises:
        SuiteError: the protocol has no question for a decision model.
    """
    decision = protocol.decision
    if decision is None:
        raise SuiteError(
            f"the protocol {protocol.name!r} has no `decision`, so a decision model can't use it:"
            " name another protocol, or another model"
        )
    if protocol.each is None or not criteria:
        return {
            WHOLE: {
                "type": "choice",
                "instructions": decision.instructions,
                "criteria": decision.criteria,
            }
        }
    return {
        c.name: {
            "type": "choice",
            "instructions": f"{decision.instructions} {c.statement}",
            "criteria": decision.criteria,
        }
        for c in criteria
    }


def probabilities_of(text: str, requested: Mapping[str, Any]) -> Probabilities:
    """The reply of a decision model, {id: {verdict: probability}}, after a check.

    Raises:
        BadVerdict: a question or an option is missing, or the numbers are not probabilities.
    """
    try:
        document = json.loads(text)
        shares = {
            name: {option: float(document[name][option]) for option in requested[name]["criteria"]}
            for name in requested
        }
    except (ValueError, KeyError, TypeError) as error:
        raise BadVerdict(
            f"not a probability for each option of each question: {type(error).__name__}: {error}"
        ) from None
    for name, share in shares.items():
        values = share.values()
        if (
            not all(math.isfinite(v) and 0 <= v <= 1 for v in values)
            or abs(sum(values) - 1) > _SUM_WITHIN
        ):
            raise BadVerdict(f"{name}: these are not probabilities that sum to 1: {share}")
    return shares


def said(protocol: Protocol, shares: Probabilities) -> dict[str, object]:
    """The reply in the protocol's own form, with the most likely verdict of each question."""

    def likeliest(options: Mapping[str, float]) -> str:
        return max(options, key=lambda word: options[word])

    if protocol.each is None or WHOLE in shares:
        return {"verdict": likeliest(shares[WHOLE])}
    return {
        protocol.each: [
            {"name": name, "verdict": likeliest(options)} for name, options in shares.items()
        ]
    }
