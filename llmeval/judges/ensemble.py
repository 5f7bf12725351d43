"""Several judges as one: the common parts of a panel and a cascade."""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

from llmeval.core.records import Answer, Case, ErrorInfo, Message, Score, Status, Usage, digest
from llmeval.judges.judge import Judge
from llmeval.judges.protocol import Criterion


class MemberVerdict(Protocol):
    """The interface of a judge for the runner, with one model or several. `rules`: the parts of its
    digest in addition to its judges.
    """

    metric: str
    digest: str
    rules: dict[str, Any]

    @property
    def members(self) -> Sequence[Judge]:
        """Its single judges, in the order of their calls."""

    def uncached(self) -> "MemberVerdict":
        """The same judge without a cache, because cached verdicts can't show a change."""

    def on_criteria(self, criteria: Sequence[Criterion]) -> "MemberVerdict":
        """The judge with other criteria, if it has criteria; else the same judge."""

    async def score(
        self, case: Case, answer: Answer, candidate_messages: Sequence[Message]
    ) -> Score:
        """One score of one answer; see `Judge.score`."""

    def prompt_size(
        self, case: Case, answer: Answer, candidate_messages: Sequence[Message]
    ) -> int | None:
        """Characters in the prompts for judging this answer; None if nothing would be sent."""


def spent(scores: Sequence[Score]) -> dict[str, object]:
    """The total cost of several scores of one answer, as fields of a score."""
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


def common(judge: "MemberVerdict", answer: Answer, scores: Sequence[Score]) -> dict[str, Any]:
    """The fields of a combined score that do not depend on the verdicts.

    The judge's digest is another one if an endpoint was sent another `structured_output` than the
    suite states.

    Args:
        judge: the judge with several models.
        answer: the answer that was judged.
        scores: of its first models, in their order.
    """
    used = [score.judge for score in scores]
    stated = [member.digest for member in judge.members]
    as_stated = used == stated[: len(used)]
    about = {
        "case_id": answer.case_id,
        "repeat": answer.repeat,
        "metric": judge.metric,
        "source": "judge",
        "judge": judge.digest if as_stated else digest([judge.digest, used]),
    }
    return {**about, **spent(scores)}


_FIRST = ("budget", "quota")
"""Kinds of errors that end a run; they come before all others."""


def first_error(scores: Sequence[Score]) -> ErrorInfo | None:
    """The error of a combined score without a verdict: first an error that ends the run, then an
    error of an endpoint, then `judge`.
    """
    errors = [score.error for score in scores if score.error is not None]
    return min(
        errors, key=lambda error: (error.kind not in _FIRST, error.kind == "judge"), default=None
    )


def member_record(judge: Judge, score: Score) -> dict[str, Any]:
    """One judge's part in a combined score, for its details."""
    verdict = {
        "model": judge.name,
        "status": str(score.status),
        "value": score.value,
        "confidence": score.confidence,
    }
    return {
        **verdict,
        "reason": score.unscored or score.reason,
        "reply": (score.details or {}).get("reply"),
    }


async def asked_together(
    judges: Sequence[Judge], case: Case, answer: Answer, candidate_messages: Sequence[Message]
) -> list[Score]:
    """The scores of all judges, which are called at the same time."""
    return list(
        await asyncio.gather(*(judge.score(case, answer, candidate_messages) for judge in judges))
    )


def applicable(scores: Sequence[Score]) -> bool:
    """Whether the judge applies to this case."""
    return any(score.status is not Status.NOT_APPLICABLE for score in scores)
