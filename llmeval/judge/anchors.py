"""Anchors: answers whose verdict a certificate holds. Another verdict today means that the judge has changed."""

import asyncio
from typing import Any

from llmeval.errors import LlmevalError
from llmeval.judge.bench import Judging
from llmeval.judge.certificate import Certificate, Trust
from llmeval.judge.certify import uncached
from llmeval.records import Answer, Score
from llmeval.stats.drift import canary_rule


async def anchor_scores(judge: Judging, certificate: Certificate) -> list[Score | None]:
    """Today's verdicts on a certificate's anchors, past the cache; None where the judge could not be asked."""
    fresh = uncached(judge)

    async def one(place: int) -> Score | None:
        anchor = certificate.anchors[place]
        try:
            found: Score = await fresh.score(
                anchor.case, Answer(case_id=anchor.case.id, output=anchor.answer), anchor.asked
            )
        except LlmevalError:
            return None
        return found if found.error is None else None

    return list(await asyncio.gather(*(one(place) for place in range(len(certificate.anchors)))))


def outcome(certificate: Certificate, scores: list[Score | None]) -> tuple[dict[str, Any], Trust | None]:
    """How many verdicts changed, and what that does to trust; None when nothing. An unusable reply is a change."""
    answered = [(a, s) for a, s in zip(certificate.anchors, scores, strict=True) if s is not None]
    changed = sum(score.passed != anchor.passed for anchor, score in answered)
    figures: dict[str, Any] = {"n": len(answered), "lost": len(scores) - len(answered), "changed": changed}
    if len(answered) < len(scores) / 2:
        lost = (
            f"only {len(answered)} of its {len(scores)} anchors could be judged, so nobody knows whether it has changed"
        )
        return {**figures, "alarm": None}, Trust("UNTRUSTED", lost)
    rule = canary_rule(len(answered), certificate.natural)
    figures |= {"alarm": rule.alarm, "false_alarm": rule.false_alarm}
    if changed < rule.alarm:
        return figures, None
    return figures, Trust(
        "UNTRUSTED",
        f"it has changed since its certificate: {changed} of {len(answered)} anchors got another verdict, where "
        f"{rule.alarm} or more raise the alarm; certify it again",
    )
