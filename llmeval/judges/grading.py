"""From a judge's reply to a score: verdicts become values, and a list of verdicts becomes a
weighted mean. Code computes the decision, not the model.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from llmeval.core.records import Span, Status
from llmeval.judges.protocol import Criterion, Protocol
from llmeval.judges.verdict import BadVerdict

UNDECIDED = "the judge could not decide"
"""The beginning of the reason if a judge replied that it can't decide."""
WHOLE = "verdict"
"""The name of a verdict on the whole answer: for a protocol without a list, or for a decision
model, which can't list items.
"""
_QUOTES = "\"'“”‘’„«»「」『』 "
_NEARLY = 1e-9

Probabilities = Mapping[str, Mapping[str, float]]
"""By criterion (`verdict` for the whole): the probability of each verdict."""


class Grade(NamedTuple):
    """The result of one reply. `probability`: P(pass), if the model gave probabilities."""

    status: Status
    value: float | None
    passed: bool | None
    reason: str
    evidence: tuple[Span, ...]
    details: dict[str, Any]
    probability: float | None = None

    @property
    def confidence(self) -> float | None:
        """P(the verdict is right), in [0.5, 1]."""
        if self.probability is None or self.passed is None:
            return None
        return max(self.probability, 1 - self.probability)


def grade(
    protocol: Protocol,
    criteria: Sequence[Criterion],
    reply: Mapping[str, Any],
    text: str,
    probabilities: Probabilities | None = None,
) -> Grade:
    """A reply that follows the protocol's schema as a grade of the answer `text`.

    With probabilities, an item's value is its expectation (G-Eval, Liu et al. 2023, section 3), and
    the verdict is the side with more than half of the probability.

    Raises:
        BadVerdict: a criterion was not answered, or answered twice.
    """
    probabilities = probabilities or {}
    if protocol.each is None or protocol.each not in reply:
        return _one(protocol, reply, text, probabilities.get(WHOLE))
    items = [dict(item) for item in reply[protocol.each]]
    weights = _weights(items, criteria)
    for number, item in enumerate(items):
        _complete(protocol, item, text, probabilities.get(str(item.get("name", number))))
    details = {"criteria": items, "threshold": protocol.threshold}
    evidence = tuple(span for item in items for span in _quoted(text, item))
    undecided = [_label(item) for item in items if protocol.values[item["verdict"]] is None]
    if undecided or not items:
        reason = f"{UNDECIDED}: {', '.join(undecided)}" if undecided else "the judge listed nothing"
        return Grade(Status.UNSCORED, None, None, reason, evidence, details)
    total = sum(weights)
    hard = (
        sum(
            w * (protocol.values[item["verdict"]] or 0)
            for w, item in zip(weights, items, strict=True)
        )
        / total
    )
    passed = hard >= protocol.threshold - _NEARLY
    value = sum(w * item.pop("value") for w, item in zip(weights, items, strict=True)) / total
    bad = [f"{_label(item)} ({_words(item['verdict'])})" for item in items if not item["passed"]]
    reason = f"{len(items) - len(bad)} of {len(items)} {protocol.each} hold" + (
        f"; not: {'; '.join(bad)}" if bad else ""
    )
    status = Status.PASS if passed else Status.FAIL
    return Grade(
        status,
        value,
        passed,
        reason[:600],
        evidence,
        details,
        _chance(items, weights, protocol.threshold),
    )


def _one(
    protocol: Protocol, reply: Mapping[str, Any], text: str, shares: Mapping[str, float] | None
) -> Grade:
    item = dict(reply)
    _complete(protocol, item, text, shares)
    value, passed, chance = item.pop("value"), item.pop("passed"), item.get("probability")
    quote = str(item.get("evidence", "")).strip()
    reason = _words(item["verdict"]) + (f": “{quote}”" if quote else "")
    spans = _quoted(text, item)
    if value is None:
        return Grade(Status.UNSCORED, None, None, f"{UNDECIDED}: {reason}", spans, item)
    return Grade(Status.PASS if passed else Status.FAIL, value, passed, reason, spans, item, chance)


def _complete(
    protocol: Protocol, item: dict[str, Any], text: str, shares: Mapping[str, float] | None
) -> None:
    """Set an item's value, whether it passes, and whether its quote is in the answer."""
    quote = str(item.get("evidence", "")).strip()
    item["quote_found"] = not quote or bool(_quoted(text, item))
    item["value"], item["passed"] = (
        protocol.values[item["verdict"]],
        item["verdict"] in protocol.passing,
    )
    if not shares or item["value"] is None:
        return
    decisive = {word: share for word, share in shares.items() if protocol.values[word] is not None}
    total = sum(decisive.values())
    item["probabilities"] = {word: round(share, 6) for word, share in shares.items()}
    item["value"] = (
        sum(share * (protocol.values[word] or 0) for word, share in decisive.items()) / total
    )
    item["probability"] = (
        sum(share for word, share in decisive.items() if word in protocol.passing) / total
    )
    item["passed"] = item["probability"] >= 0.5


def _weights(items: Sequence[Mapping[str, object]], criteria: Sequence[Criterion]) -> list[float]:
    if not criteria:
        return [1.0] * len(items)
    by_name = {criterion.name: criterion.weight for criterion in criteria}
    answered = [str(item.get("name")) for item in items]
    if sorted(answered) != sorted(by_name):
        raise BadVerdict(
            f"each criterion is answered exactly once: {', '.join(by_name)}; not:"
            f" {', '.join(answered)}"
        )
    return [by_name[name] for name in answered]


def _chance(
    items: Sequence[Mapping[str, Any]], weights: Sequence[float], threshold: float
) -> float | None:
    """P(the list passes) if its items were independent; None if an item has no probability."""
    if any("probability" not in item for item in items):
        return None
    reached = {0.0: 1.0}
    for item, weight in zip(items, weights, strict=True):
        following: dict[float, float] = {}
        for total, share in reached.items():
            for gain, part in ((weight, item["probability"]), (0.0, 1 - item["probability"])):
                following[round(total + gain, 9)] = (
                    following.get(round(total + gain, 9), 0.0) + share * part
                )
        reached = following
    needed = threshold * sum(weights) - _NEARLY
    return min(1.0, sum(share for total, share in reached.items() if total >= needed - _NEARLY))


def _quoted(text: str, item: Mapping[str, object]) -> tuple[Span, ...]:
    """The place of the judge's quote in the answer; empty if the answer does not contain it."""
    quote = str(item.get("evidence", "")).strip(_QUOTES)
    start = text.find(quote) if quote else -1
    if start < 0:
        return ()
    about = f"{item['name']}, " if item.get("name") else ""
    return (
        Span(
            start,
            start + len(quote),
            f"the judge's evidence: {about}{item['verdict']}",
            "judge",
            "info",
        ),
    )


def _label(item: Mapping[str, object]) -> str:
    return str(item.get("name") or item.get("claim") or "verdict")[:120]


def _words(word: str) -> str:
    return word.replace("_", " ")
