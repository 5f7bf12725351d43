"""Protocols as questions for decision models: one request asks the whole rubric, the reply is
probabilities.

The request and the reply are those of `POST /v1/systemone`; models that read out labels take the
same questions.
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
    """{id: {type: choice, instructions, criteria: {verdict: description}}}; for a rubric one a
    criterion.

    A protocol that has the judge list what it finds asks a decision model about the whole answer:
    it lists nothing.

    Raises:
        SuiteError: the protocol does not say what to ask a decision model.
    """
    decision = protocol.decision
    if decision is None:
        raise SuiteError(
            f"the protocol {protocol.name!r} has no `decision`: a decision model can't be asked"
            " with it"
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


def probabilities_of(text: str, asked: Mapping[str, Any]) -> Probabilities:
    """The reply of a decision model: {id: {verdict: probability}}, checked.

    Raises:
        BadVerdict: a question or an option is missing, or the numbers are not probabilities.
    """
    try:
        found = json.loads(text)
        shares = {
            name: {option: float(found[name][option]) for option in asked[name]["criteria"]}
            for name in asked
        }
    except (ValueError, KeyError, TypeError) as error:
        raise BadVerdict(
            f"not a probability for each option of each question: {type(error).__name__}: {error}"
        ) from None
    for name, given in shares.items():
        values = given.values()
        if (
            not all(math.isfinite(v) and 0 <= v <= 1 for v in values)
            or abs(sum(values) - 1) > _SUM_WITHIN
        ):
            raise BadVerdict(f"{name}: these are not probabilities that sum to 1: {given}")
    return shares


def said(protocol: Protocol, shares: Probabilities) -> dict[str, object]:
    """The reply in the protocol's own form, with the likeliest verdict of each question."""

    def likeliest(options: Mapping[str, float]) -> str:
        return max(options, key=lambda word: options[word])

    if protocol.each is None or WHOLE in shares:
        return {"verdict": likeliest(shares[WHOLE])}
    return {
        protocol.each: [
            {"name": name, "verdict": likeliest(options)} for name, options in shares.items()
        ]
    }
