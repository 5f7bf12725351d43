"""A cascade: each judge is called only if the one before was not sure. If the last judge is not
sure, a person decides.

The next judge also audits a share of the sure verdicts, drawn by the answer's hash. Audits decide
nothing. Weighted by their inclusion probability, they estimate how often the cheaper judge is wrong
when it is sure (Horvitz & Thompson 1952).
"""

import hashlib
from collections.abc import Sequence
from typing import Any

from llmeval.core.records import Answer, Case, Message, Score, Status, digest
from llmeval.judges.ensemble import common, member_record
from llmeval.judges.judge import Judge
from llmeval.judges.protocol import Criterion

FOR_A_PERSON = "for a person"


class Cascade:
    """Judges in the order of their calls.

    Args:
        metric: the metric of its scores.
        members: the judges, the cheapest first.
        band: a judge is not sure if its probability of passing is strictly between these two.
        audit: share of the sure verdicts that the next judge audits, in [0, 1].
    """

    def __init__(
        self, metric: str, members: Sequence[Judge], band: tuple[float, float], audit: float
    ) -> None:
        self.metric = metric
        self.members = tuple(members)
        self.band, self.audit = band, audit
        self.digest = digest(
            {"cascade": [one.digest for one in members], "band": band, "audit": audit}
        )
        self.rules: dict[str, Any] = {"together": "cascade", "band": list(band), "audit": audit}

    def uncached(self) -> "Cascade":
        """See `Judge.uncached`."""
        return Cascade(self.metric, [one.uncached() for one in self.members], self.band, self.audit)

    def on_criteria(self, criteria: Sequence[Criterion]) -> "Cascade":
        """See `Judge.on_criteria`."""
        return Cascade(
            self.metric, [one.on_criteria(criteria) for one in self.members], self.band, self.audit
        )

    async def score(
        self, case: Case, answer: Answer, candidate_messages: Sequence[Message]
    ) -> Score:
        """The first sure verdict. `details.cascade`: every judge that was called, with the
        probability of its call.
        """
        trail: list[dict[str, Any]] = []
        scores: list[Score] = []
        decided: Score | None = None
        inclusion = 1.0
        for judge in self.members:
            score = await judge.score(case, answer, candidate_messages)
            scores.append(score)
            trail.append(
                {**member_record(judge, score), "inclusion": inclusion, "decides": decided is None}
            )
            if score.status is Status.NOT_APPLICABLE or decided is not None:
                break
            if self._sure(score):
                decided, inclusion = score, self.audit
                if not self._audited(answer):
                    break
        return self._combined(answer, decided, scores, trail)

    def prompt_size(
        self, case: Case, answer: Answer, candidate_messages: Sequence[Message]
    ) -> int | None:
        """Characters in the prompt of the first judge. Further calls depend on its verdict."""
        return self.members[0].prompt_size(case, answer, candidate_messages)

    def _sure(self, score: Score) -> bool:
        """Whether a score is sure. A verdict without a probability is sure; a missing verdict is
        not.
        """
        if score.passed is None:
            return False
        if score.confidence is None:
            return True
        chance = score.confidence if score.passed else 1 - score.confidence
        return not self.band[0] < chance < self.band[1]

    def _audited(self, answer: Answer) -> bool:
        drawn = hashlib.sha256(f"{self.metric}\0{answer.case_id}\0{answer.text}".encode()).digest()[
            :8
        ]
        return int.from_bytes(drawn) < self.audit * 2**64

    def _combined(
        self,
        answer: Answer,
        decided: Score | None,
        scores: Sequence[Score],
        trail: list[dict[str, object]],
    ) -> Score:
        last = decided or scores[-1]
        details = {**(last.details or {}), "cascade": trail}
        shared = common(self, answer, scores)
        if last.status is Status.NOT_APPLICABLE:
            return Score(status=Status.NOT_APPLICABLE, unscored=last.unscored, **shared)
        if decided is None:
            why = last.unscored or f"the last judge is not sure ({last.reason})"
            answered = last.passed is not None or last.undecided
            status = Status.NEEDS_REVIEW if answered else Status.UNSCORED
            message = f"{FOR_A_PERSON}: {why}" if answered else why
            return Score(
                status=status, unscored=message, error=last.error, details=details, **shared
            )
        return Score(
            status=decided.status,
            value=decided.value,
            passed=decided.passed,
            confidence=decided.confidence,
            reason=decided.reason,
            evidence=decided.evidence,
            details=details,
            **shared,
        )
