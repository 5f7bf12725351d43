"""Anchors: answers whose verdict a certificate holds. Another verdict today means that the judge
has changed.
"""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from msgspec import structs

from llmeval.core.certificate import Certificate
from llmeval.core.errors import LlmevalError
from llmeval.core.model_records import AnchorsRecord, DriftRecord
from llmeval.core.records import Answer, Score
from llmeval.judges.assurance.certificate import Trust
from llmeval.judges.ensemble import MemberVerdict
from llmeval.stats.sequential.drift import anchor_rule, drift_p_value, varies_at_most

SLOW = 0.02
"""The largest probability that an unchanged judge is ever called drifting, however many runs are
looked at.
"""


class Drift(NamedTuple):
    """The anchors of several runs together. `p`: of "the judge is the one that gave the stored
    verdicts", which vary by themselves (`stats.sequential.drift`).
    """

    runs: int
    changed: int
    n: int
    p: float

    def verdict(self) -> Trust | None:
        """What it does to trust; None when nothing."""
        if self.p > SLOW:
            return None
        return Trust(
            "UNTRUSTED",
            f"it drifts: over the last {self.runs} runs {self.changed} of {self.n} anchors got"
            f" another verdict, more than chance explains (p = {self.p:.2g}); certify it again",
        )


def over_runs(found: Sequence[tuple[int, int]], certificate: Certificate) -> Drift:
    """The anchors of all runs so far, read after each of them (`drift_p_value`).

    Args:
        found: changed verdicts and anchors of each run, the oldest first.
        certificate: whose retest says how much the judge varies by itself.
    """
    kept = [(changed, n) for changed, n in found if n]
    changes, anchors = [changed for changed, _ in kept], [n for _, n in kept]
    p = drift_p_value(changes, anchors, _varies(certificate), certificate.anchor_calls)
    return Drift(len(kept), sum(changed for changed, _ in kept), sum(n for _, n in kept), p)


def _varies(certificate: Certificate) -> float:
    """The most that this judge's verdicts may differ between two calls, by its retest."""
    again = certificate.retest
    if not again:
        return certificate.natural
    counts = (int(again[key]) for key in ("unanimous", "items", "calls"))
    return varies_at_most(*counts)


async def anchor_scores(judge: MemberVerdict, certificate: Certificate) -> list[Score | None]:
    """Today's verdicts on a certificate's anchors, past the cache; None where the judge could not
    be asked.
    """
    fresh = judge.uncached()

    async def one(place: int) -> Score | None:
        anchor = certificate.anchors[place]
        try:
            found: Score = await fresh.score(
                anchor.case,
                Answer(
                    case_id=anchor.case.id,
                    output=anchor.answer,
                    data=anchor.data,
                    turns=anchor.turns,
                ),
                anchor.asked,
            )
        except LlmevalError:
            return None
        return None if found.unanswered else found

    return list(await asyncio.gather(*(one(place) for place in range(len(certificate.anchors)))))


def outcome(
    certificate: Certificate, scores: list[Score | None], past: Sequence[tuple[int, int]] = ()
) -> tuple[AnchorsRecord, Trust | None]:
    """How many verdicts changed, and what that does to trust; None when nothing. An unusable reply
    is a change.

    Args:
        certificate: whose anchors were judged.
        scores: today's verdicts on them.
        past: (changed, anchors) of earlier runs with this judge and certificate, the oldest first.
    """
    answered = [(a, s) for a, s in zip(certificate.anchors, scores, strict=True) if s is not None]
    changed = sum(score.passed != anchor.passed for anchor, score in answered)
    figures = AnchorsRecord(n=len(answered), lost=len(scores) - len(answered), changed=changed)
    if len(answered) < len(scores) / 2:
        lost = (
            f"only {len(answered)} of its {len(scores)} anchors could be judged, so nobody knows"
            " whether it has changed"
        )
        return figures, Trust("UNTRUSTED", lost)
    rule = anchor_rule(len(answered), certificate.natural)
    drift = over_runs([*past, (changed, len(answered))], certificate)
    figures = structs.replace(
        figures,
        alarm=rule.alarm,
        false_alarm=rule.false_alarm,
        drift=DriftRecord(**drift._asdict()),
    )
    if changed < rule.alarm:
        return figures, drift.verdict()
    return figures, Trust(
        "UNTRUSTED",
        f"it has changed since its certificate: {changed} of {len(answered)} anchors got another"
        f" verdict, where {rule.alarm} or more raise the alarm; certify it again",
    )
