"""Several judges as one: what a panel and a cascade share."""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

from llmeval.core.records import Answer, Case, ErrorInfo, Message, Score, Status, Usage
from llmeval.judges.judge import Judge
from llmeval.judges.protocol import Criterion


class MemberVerdict(Protocol):
    """What the engine needs of a judge, be it one model or several. `rules`: what its digest has
    besides its members.
    """

    metric: str
    digest: str
    rules: dict[str, Any]

    @property
    def members(self) -> Sequence[Judge]:
        """The single judges behind it, first asked first."""

    def uncached(self) -> "MemberVerdict":
        """The same judge, asked anew each time: what a cache remembers can't show a change."""

    def on_criteria(self, criteria: Sequence[Criterion]) -> "MemberVerdict":
        """The judge with other criteria where it has criteria, else the same."""

    async def score(self, case: Case, answer: Answer, asked: Sequence[Message]) -> Score:
        """One score of one answer; see `Judge.score`."""

    def prompt_size(self, case: Case, answer: Answer, asked: Sequence[Message]) -> int | None:
        """Characters that judging this answer would send; None when nothing would be sent."""


def spent(scores: Sequence[Score]) -> dict[str, object]:
    """What several scores of one answer cost together, as fields of a score."""
    usages = [score.usage for score in scores if score.usage is not None]
    costs = [score.cost_usd for score in scores if score.cost_usd is not None]
    times = [score.answered_at for score in scores if score.answered_at is not None]
    total = Usage(
        sum(u.input_tokens or 0 for u in usages), sum(u.output_tokens or 0 for u in usages)
    )
    return {
        "attempts": sum(score.attempts for score in scores),
        "cached": all(score.cached for score in scores),
        "usage": total if usages else None,
        "cost_usd": sum(costs) if costs else None,
        "answered_at": min(times, default=None),
        "reused_from": next(
            (score.reused_from for score in scores if score.reused_from is not None), None
        ),
    }


def common(metric: str, digest: str, answer: Answer, scores: Sequence[Score]) -> dict[str, Any]:
    """What one score made of several has whatever they say, as fields of a score."""
    about = {
        "case_id": answer.case_id,
        "repeat": answer.repeat,
        "metric": metric,
        "source": "judge",
        "judge": digest,
    }
    return {**about, **spent(scores)}


_FIRST = ("budget", "quota")
"""Kinds that end a run go before all others."""


def first_error(scores: Sequence[Score]) -> ErrorInfo | None:
    """The error of a common score that has no verdict: one that ends the run, else one of an
    endpoint, else `judge`.
    """
    errors = [score.error for score in scores if score.error is not None]
    return min(
        errors, key=lambda error: (error.kind not in _FIRST, error.kind == "judge"), default=None
    )


def member_record(judge: Judge, score: Score) -> dict[str, Any]:
    """One judge's part in a common score, for its details."""
    said = {
        "model": judge.name,
        "status": str(score.status),
        "value": score.value,
        "confidence": score.confidence,
    }
    return {
        **said,
        "reason": score.unscored or score.reason,
        "reply": (score.details or {}).get("reply"),
    }


async def asked_together(
    judges: Sequence[Judge], case: Case, answer: Answer, asked: Sequence[Message]
) -> list[Score]:
    """Every judge's score, asked at the same time."""
    return list(await asyncio.gather(*(judge.score(case, answer, asked) for judge in judges)))


def applicable(scores: Sequence[Score]) -> bool:
    """Whether there is anything to judge for this case."""
    return any(score.status is not Status.NOT_APPLICABLE for score in scores)
