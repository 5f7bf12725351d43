"""Whether a judge gives a verdict. The request is that of a run: with its protocol, schema,
parameters and log probabilities.
"""

import asyncio
import re
import time
from typing import TYPE_CHECKING

from llmeval.api.machine_diagnosis import Diagnosis
from llmeval.core.errors import LlmevalError

if TYPE_CHECKING:
    from llmeval.core.records import Score
    from llmeval.judges.judge import Judge

SECONDS = 60
"""The most time for one verdict, retries included."""
_IN_BRACKETS = re.compile(r"\(((?:set|write|leave|check)\b[^()]*(?:\([^()]*\)[^()]*)*)\)\s*$")
"""The fix at the end of a message of `models.client.status`."""
_NOT_JSON = "not one JSON object"


async def judged(what: str, judge: "Judge", *, logprobs: bool) -> Diagnosis:
    """One verdict on a right answer to an easy question.

    Args:
        what: the judge, for the finding.
        judge: as the run makes it.
        logprobs: whether the suite wants the log probabilities of the verdict.
    """
    from llmeval.core.records import Answer
    from llmeval.judges.assurance.attacks import CASE, CRITERION, asked
    from llmeval.models.base import AdaptsRequests

    started = time.perf_counter()
    answer = Answer(case_id=CASE.id, output=f"It is {CASE.references[0]}.")
    try:
        async with asyncio.timeout(SECONDS):
            score = await judge.on_criteria((CRITERION,)).score(CASE, answer, asked())
    except TimeoutError:
        return Diagnosis(
            what,
            "bad",
            f"no verdict within {SECONDS} s",
            "is it still loading? Raise its `timeout`",
        )
    except LlmevalError as error:
        return Diagnosis(
            what, "note", f"not asked: {error}", "its prompt needs fields of your own cases"
        )
    if score.passed is None:
        return Diagnosis(what, "bad", score.unscored or "no verdict", fix(score.unscored or ""))
    model = judge.caller.model
    notes = model.adaptations if isinstance(model, AdaptsRequests) else ()
    detail = f"judges in {time.perf_counter() - started:.1f} s: {_word(score)}"
    if logprobs and score.confidence is None:
        return Diagnosis(
            what,
            "note",
            f"{detail}, without the log probabilities that `logprobs: true` needs",
            "set `logprobs: false` on the judge, or use an endpoint that returns them",
        )
    if notes:
        return Diagnosis(what, "note", detail, "; ".join(notes))
    return Diagnosis(what, "ok", detail)


def fix(reason: str) -> str:
    """What to change in the suite, from the reason why a judge gave no verdict."""
    if stated := stated_fix(reason):
        return stated
    if _NOT_JSON in reason and "max_tokens" not in reason:
        return (
            "the endpoint ignores the schema: set `structured_output: tool_call` on the model, or"
            " use a model that replies with JSON only"
        )
    if "max_tokens" in reason:
        return "raise `max_tokens` in the judge's `params`"
    return "correct it in the suite"


def stated_fix(message: str) -> str:
    """The fix in brackets at the end of a message; empty without one."""
    match = _IN_BRACKETS.search(message)
    return match[1] if match else ""


def _word(score: "Score") -> str:
    """The verdict in the protocol's word, or pass and fail for a list of verdicts."""
    word = (score.details or {}).get("verdict")
    return str(word) if word else ("pass" if score.passed else "fail")
