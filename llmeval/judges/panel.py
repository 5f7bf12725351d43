"""A panel: several judges of one answer. The strict majority of all judges decides (Verga et al.
2024, PoLL).
"""

from collections.abc import Sequence
from typing import Any

from llmeval.core.records import Answer, Case, Message, Score, Status, digest
from llmeval.judges.ensemble import applicable, asked_together, common, first_error, member_record
from llmeval.judges.judge import Judge
from llmeval.judges.protocol import Criterion


class Panel:
    """Judges with one metric. A judge without a verdict stays in the denominator: it can only
    prevent a majority.
    """

    def __init__(self, metric: str, members: Sequence[Judge]) -> None:
        self.metric = metric
        self.members = tuple(members)
        self.digest = digest({"panel": [one.digest for one in members]})
        self.rules: dict[str, Any] = {"together": "panel"}

    def uncached(self) -> "Panel":
        """See `Judge.uncached`."""
        return Panel(self.metric, [one.uncached() for one in self.members])

    def on_criteria(self, criteria: Sequence[Criterion]) -> "Panel":
        """See `Judge.on_criteria`."""
        return Panel(self.metric, [one.on_criteria(criteria) for one in self.members])

    async def score(
        self, case: Case, answer: Answer, candidate_messages: Sequence[Message]
    ) -> Score:
        """The majority's verdict and mean value, with every judge in the details. It is unscored
        without a majority.
        """
        scores = await asked_together(self.members, case, answer, candidate_messages)
        shared = common(self, answer, scores)
        if not applicable(scores):
            return Score(status=Status.NOT_APPLICABLE, unscored=scores[0].unscored, **shared)
        sides = [score.passed for score in scores]
        most = max((True, False), key=sides.count)
        details = {
            "seats": [
                member_record(one, score) for one, score in zip(self.members, scores, strict=True)
            ],
            "agreement": round(sides.count(most) / len(sides), 4),
        }
        if 2 * sides.count(most) <= len(sides):
            counts = (
                f"{sides.count(True)} pass, {sides.count(False)} fail, {sides.count(None)} without"
                " a verdict"
            )
            return Score(
                status=Status.UNSCORED,
                unscored=f"no majority in a panel of {len(sides)}: {counts}",
                error=first_error(scores),
                details=details,
                **shared,
            )
        with_it = [score for score in scores if score.passed is most]
        return Score(
            status=Status.PASS if most else Status.FAIL,
            value=sum(score.value or 0.0 for score in with_it) / len(with_it),
            passed=most,
            reason=f"{len(with_it)} of {len(sides)} judges: {with_it[0].reason}",
            evidence=with_it[0].evidence,
            details=details,
            **shared,
        )

    def prompt_size(
        self, case: Case, answer: Answer, candidate_messages: Sequence[Message]
    ) -> int | None:
        """Characters in the prompts of all judges together."""
        sizes = [one.prompt_size(case, answer, candidate_messages) for one in self.members]
        return None if all(size is None for size in sizes) else sum(size or 0 for size in sizes)
