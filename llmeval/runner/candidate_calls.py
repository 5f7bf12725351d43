"""The calls to the candidate: from a case to the record of its answer."""

from msgspec import structs

from llmeval.core.records import Answer, Case, ErrorInfo, Message
from llmeval.models.base import Reply
from llmeval.models.client.caller import AskFailed
from llmeval.runner.budget import cost_of
from llmeval.runner.conversation import ConversationPlayer
from llmeval.runner.plan import RunPlan
from llmeval.runner.progress import Progress
from llmeval.runner.requests import CandidateRequests


class CandidateCalls:
    """Gets the candidate's answers, and counts what they cost.

    Args:
        plan: the plan of the run.
        run_id: the id of the run.
        progress: the counters to update.
    """

    def __init__(self, plan: RunPlan, run_id: str, progress: Progress) -> None:
        self._plan, self._progress = plan, progress
        self._requests = CandidateRequests(
            plan.candidate.caller.model, run_id, by_case=plan.by_case
        )
        self._player = None if plan.script is None else ConversationPlayer(plan, plan.script)
        self.returned: dict[str, set[str]] = {"returned_models": set(), "fingerprints": set()}
        """The model names and fingerprints that the endpoint returned."""

    async def answer(self, case: Case, repeat: int, messages: tuple[Message, ...]) -> Answer | None:
        """The candidate's answer, or a record with the reason why there is none; None if the budget
        is used up.
        """
        model_role = self._plan.candidate
        request = self._requests.request(case, repeat, messages)
        try:
            if self._player is None:
                outcome = await model_role.caller.ask(request)
            else:
                outcome = await self._player.play(case, request)
        except AskFailed as error:
            if error.kind == "budget":
                return None
            answer = Answer(
                case_id=case.id,
                repeat=repeat,
                request=error.key,
                attempts=error.attempts,
                error=ErrorInfo(error.kind, str(error)),
            )
            # an identical request in flight is counted for the unit that sent it
            paid = error.reply is not None and error.attempts > 0
            return (
                answer if error.reply is None else self._with_reply(answer, error.reply, paid=paid)
            )
        self._progress.cached += outcome.cached
        answer = Answer(
            case_id=case.id,
            repeat=repeat,
            request=outcome.key,
            output=outcome.reply.text,
            cached=outcome.cached,
            attempts=outcome.attempts,
            answered_at=outcome.answered_at,
            reused_from=outcome.reused_from,
        )
        return self._with_reply(answer, outcome.reply, paid=not outcome.cached)

    def _with_reply(self, answer: Answer, reply: Reply, *, paid: bool) -> Answer:
        """The answer with the metadata of its reply."""
        if reply.model:
            self.returned["returned_models"].add(reply.model)
        if reply.fingerprint:
            self.returned["fingerprints"].add(reply.fingerprint)
        model_role = self._plan.candidate
        cost = cost_of(reply.usage, model_role.spec.price) if paid else None
        if self._player is None:  # the turns of a conversation are counted as they are played
            self._plan.budget.spend(cost, of=model_role.name if paid else None)
        return structs.replace(
            answer,
            reasoning=reply.reasoning,
            finish_reason=reply.finish_reason,
            usage=reply.usage,
            latency_ms=None if reply.latency_ms is None else round(reply.latency_ms, 3),
            cost_usd=cost,
            model=reply.model,
            fingerprint=reply.fingerprint,
            tool_calls=reply.tool_calls,
            data=reply.data,
            trace=reply.trace,
            turns=reply.turns,
            ended=reply.ended,
            user=reply.user,
        )
