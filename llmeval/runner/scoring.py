"""The scores of one answer: every check, then every judge. A failure to score is recorded as an
error, never as a grade.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from llmeval.checks.base import Result
from llmeval.checks.bound import BoundCheck
from llmeval.core.errors import BoundaryError, LlmevalError
from llmeval.core.records import Answer, Case, ErrorInfo, Message, Score, Status
from llmeval.core.templates import answer_values, render_value
from llmeval.core.thresholds import CONFIDENT
from llmeval.judges.ensemble import MemberVerdict
from llmeval.runner.plan import RunPlan
from llmeval.runner.script import KEPT_GOAL
from llmeval.runner.services import Verdicts

FACTS = "facts"
OWN_ERRORS = ("application", "candidate")
"""Kinds of errors that the application itself ended with."""


def counts_as_failed(plan: RunPlan, answer: Answer) -> bool:
    """Whether there is no answer and the suite counts that as a failure: the provider's filter
    withheld it (`on_blocked: fail`), or the application ended with its own error
    (`on_error: fail`).
    """
    if answer.error is None:
        return False
    if answer.error.kind == "blocked":
        return plan.candidate.on_blocked == "fail"
    return answer.error.kind in OWN_ERRORS and plan.candidate.on_error == "fail"


def check_scores(plan: RunPlan, case: Case, answer: Answer) -> list[Score]:
    """The scores of the checks for one answer with an output, in the order of the suite."""
    scores = [s for bound in plan.checks_for(case) for s in check_answer(bound, case, answer)]
    if answer.user is not None:
        # without this the answer would be missing, and no score of it recorded
        reason = answer.user.reason or "no rule reports a fault of the simulated user"
        scores.append(_score(answer, KEPT_GOAL, Status.PASS, value=1.0, passed=True, reason=reason))
    return scores


def not_scored_yet(plan: RunPlan, answer: Answer) -> list[Score]:
    """A record for each judge that has not replied yet."""
    reason = "not scored yet: its judge has not replied"
    return [
        _score(answer, name, Status.NOT_SCORED, unscored=reason, source="judge", judge=judge.digest)
        for name, judge in plan.judges.items()
    ]


async def score_answer(
    plan: RunPlan,
    case: Case,
    answer: Answer,
    candidate_messages: Sequence[Message],
    checked: Sequence[Score],
    verdicts: Verdicts,
) -> list[Score]:
    """All scores of one answer that has an output, or that has none and counts as failed; in the
    order of the suite.

    `checked`: the scores of its checks. `verdicts`: gives verdicts that need no call.
    """
    if answer.error is not None:
        blocked = answer.error.kind == "blocked"
        how = "blocked by the provider" if blocked else "the application ended with an error"
        return _all_failed(plan, case, answer, f"{how}: {answer.error.message}")
    scores = list(checked)
    facts = next((score for score in scores if score.metric == FACTS), None)
    judging = [
        _judged(plan, judge, case, answer, candidate_messages, facts, verdicts)
        for judge in plan.judges.values()
    ]
    # faster without gather, which makes a task for each judge
    scores += await asyncio.gather(*judging) if len(judging) > 1 else [await one for one in judging]
    if all(s.status is Status.NOT_APPLICABLE for s in scores if s.metric != KEPT_GOAL):
        message = "nothing to score: no check or judge applies to this case"
        error = ErrorInfo("config", message)
        scores.append(
            _score(answer, "case", Status.ERROR, unscored=message, error=error),
        )
    return scores


def _all_failed(plan: RunPlan, case: Case, answer: Answer, reason: str) -> list[Score]:
    """A failure of every metric. No check runs, because a check that forbids something would pass
    on an empty text.
    """
    failed: dict[str, object] = {"value": 0.0, "passed": False, "reason": reason}
    scores = [
        _score(answer, metric, Status.FAIL, **failed)
        for bound in plan.checks_for(case)
        for metric in bound.metrics
    ]
    for judge in plan.judges.values():
        scores.append(
            _score(answer, judge.metric, Status.FAIL, source="judge", judge=judge.digest, **failed)
        )
    return scores


def check_answer(bound: BoundCheck, case: Case, answer: Answer) -> list[Score]:
    """The scores of one check, one for each of its metrics. If the check can't be carried out, all
    of them record the error.
    """

    def render(value: object) -> object:
        return render_value(value, answer_values(case, answer), bound.metric)

    try:
        result = bound.evaluate(case, answer, render)
    except (BoundaryError, LlmevalError) as error:
        kind = error.kind if isinstance(error, BoundaryError) else "config"
        return _all_broken(bound, answer, kind, str(error))
    except RecursionError:
        return _all_broken(bound, answer, "check", "the answer is nested too deeply for this check")
    except (Exception, SystemExit, asyncio.CancelledError) as error:
        # Nothing is awaited here: a CancelledError is the check's own, never that of the run.
        return _all_broken(
            bound, answer, "check", f"the check crashed: {type(error).__name__}: {error}"
        )
    parts = {f"{bound.metric}.{name}": part for name, part in result.metrics.items()}
    silent = {name: result for name in bound.metrics if name not in parts}
    return [_of_result(answer, name, one) for name, one in {**silent, **parts}.items()]


def _of_result(answer: Answer, metric: str, result: Result) -> Score:
    if result.value is None or result.passed is None:
        return _score(
            answer, metric, Status.NOT_APPLICABLE, unscored=f"not applicable: {result.reason}"
        )
    return _score(
        answer,
        metric,
        Status.PASS if result.passed else Status.FAIL,
        value=result.value,
        passed=result.passed,
        reason=result.reason,
        evidence=result.evidence,
        confidence=result.confidence,
        details=None if result.details is None else dict(result.details),
    )


def _all_broken(bound: BoundCheck, answer: Answer, kind: str, message: str) -> list[Score]:
    return [_broken(answer, metric, kind, message) for metric in bound.metrics]


async def _judged(
    plan: RunPlan,
    judge: MemberVerdict,
    case: Case,
    answer: Answer,
    candidate_messages: Sequence[Message],
    facts: Score | None,
    verdicts: Verdicts,
) -> Score:
    sure = facts is not None and facts.confidence is not None and facts.confidence >= CONFIDENT
    if sure and facts is not None and plan.suite.judge(judge.metric).when == "uncertain":
        return _score(
            answer,
            judge.metric,
            facts.status,
            value=facts.value,
            passed=facts.passed,
            reason=(
                f"decided by the facts check (confidence {facts.confidence:.2f}): {facts.reason}"
            ),
            evidence=facts.evidence,
            confidence=facts.confidence,
        )
    standing = verdicts(judge.metric, case, answer)
    if standing is not None:
        return standing
    try:
        score = await judge.score(case, answer, candidate_messages)
    except LlmevalError as error:
        return _broken(
            answer, judge.metric, "config", str(error), source="judge", judge=judge.digest
        )
    calibration = plan.calibrations.get(judge.metric)
    return score if calibration is None else calibration.mended(score)


def _broken(answer: Answer, metric: str, kind: str, message: str, **more: object) -> Score:
    # Where a score is shown, the metric stands beside it; an error is also shown by itself.
    unscored = message.removeprefix(f"{metric}: ")
    return _score(
        answer, metric, Status.ERROR, unscored=unscored, error=ErrorInfo(kind, message), **more
    )


def _score(answer: Answer, metric: str, status: Status, **fields: Any) -> Score:
    return Score(
        case_id=answer.case_id, repeat=answer.repeat, metric=metric, status=status, **fields
    )
