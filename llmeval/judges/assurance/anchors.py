"""Anchors: answers whose verdict is in the judge's certificate. Other verdicts in later runs mean
that the judge has changed.
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
"""The largest probability that an unchanged judge is ever reported as drifting, over any number of
runs.
"""


class Drift(NamedTuple):
    """The anchors of several runs together. `p`: the p-value of the hypothesis that the judge has
    not changed since the certificate. Its verdicts vary between calls too
    (`stats.sequential.drift`).
    """

    runs: int
    changed: int
    n: int
    p: float

    def verdict(self) -> Trust | None:
        """Why the judge is not trusted; None without drift."""
        if self.p > SLOW:
            return None
        return Trust(
            "UNTRUSTED",
            f"it drifts: over the last {self.runs} runs {self.changed} of {self.n} anchors got"
            f" another verdict, more than chance explains (p = {self.p:.2g}); certify it again",
        )


def over_runs(runs: Sequence[tuple[int, int]], certificate: Certificate) -> Drift:
    """The anchors of all runs so far, read after each of them (`drift_p_value`).

    Args:
        runs: changed verdicts and anchors of each run, the oldest first.
        certificate: its retest states how much the judge varies between identical calls.
    """
    kept = [(changed, n) for changed, n in runs if n]
    changes, anchors = [changed for changed, _ in kept], [n for _, n in kept]
    p = drift_p_value(changes, anchors, _varies(certificate), certificate.anchor_calls)
    return Drift(len(kept), sum(changed for changed, _ in kept), sum(n for _, n in kept), p)


def _varies(certificate: Certificate) -> float:
    """The largest plausible share of verdicts that differ between two calls, by the retest."""
    again = certificate.retest
    if not again:
        return certificate.natural
    counts = (int(again[key]) for key in ("unanimous", "items", "calls"))
    return varies_at_most(*counts)


async def anchor_scores(judge: MemberVerdict, certificate: Certificate) -> list[Score | None]:
    """The verdicts of this run on a certificate's anchors, without the cache; None if the judge
    could not be called.
    """
    fresh = judge.uncached()

    async def one(place: int) -> Score | None:
        anchor = certificate.anchors[place]
        try:
            score: Score = await fresh.score(
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
        return None if score.unanswered else score

    return list(await asyncio.gather(*(one(place) for place in range(len(certificate.anchors)))))


def outcome(
    certificate: Certificate, scores: list[Score | None], past: Sequence[tuple[int, int]] = ()
) -> tuple[AnchorsRecord, Trust | None]:
    """How many verdicts changed, and why the judge is not trusted (None if it is). An unusable
    reply counts as a change.

    Args:
        certificate: the certificate with the anchors.
        scores: the verdicts of this run on them.
        past: (changed, anchors) of earlier runs with this judge and certificate, the oldest first.
    """
    answered = [(a, s) for a, s in zip(certificate.anchors, scores, strict=True) if s is not None]
    changed = sum(score.passed != anchor.passed for anchor, score in answered)
    figures = AnchorsRecord(n=len(answered), lost=len(scores) - len(answered), changed=changed)
    if len(answered) < len(scores) / 2:
        lost = (
            f"only {len(answered)} of its {len(scores)} anchors could be judged, too few to show"
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
