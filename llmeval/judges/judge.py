"""A judge: a model with a protocol. It gives one score for each answer, or the reason why there is
none.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec import structs

from llmeval.core.conversation import with_output
from llmeval.core.records import Answer, Case, ErrorInfo, Message, Score, Status, Usage, digest
from llmeval.judges.grading import Grade
from llmeval.judges.injection_filter import NEAR, without_orders
from llmeval.judges.prompt import kept, kept_reply
from llmeval.judges.protocol import Criterion, Protocol, parse_criteria
from llmeval.judges.verdict import BadVerdict, cause
from llmeval.judges.verdict_source import ReplyVerdicts, VerdictSource
from llmeval.judges.votes import CountedVote, ballots, counted
from llmeval.models.base import AdaptsRequests, Reply
from llmeval.models.client.caller import AskFailed, Caller, CallResult

_WORD = re.compile(r"\w")
_ASKS = 3
"""The most calls for one verdict. With 1 % of unusable replies, two in a row occur once in 10,000
verdicts, and three in a row once in a million.
"""


@dataclass
class _Spent:
    """The totals of the calls for one score."""

    attempts: int = 0
    cached: bool = True
    usages: list[Usage] = field(default_factory=list)
    structured: str | None = None
    """Of the last reply: a `structured_output` other than the stated one."""
    answered_at: str | None = None
    reused_from: str | None = None

    def add(self, result: CallResult) -> None:
        self.attempts += result.attempts
        self.cached = self.cached and result.cached
        self.structured = result.reply.structured or self.structured
        self.answered_at = min(self.answered_at or result.answered_at, result.answered_at)
        self.reused_from = self.reused_from or result.reused_from
        if result.reply.usage is not None and not result.cached:
            self.usages.append(result.reply.usage)

    def fields(self) -> dict[str, Any]:
        usage = None
        charges = [u.cost_usd for u in self.usages if u.cost_usd is not None]
        if self.usages:
            usage = Usage(
                sum(u.input_tokens or 0 for u in self.usages),
                sum(u.output_tokens or 0 for u in self.usages),
                cost_usd=sum(charges) if len(charges) == len(self.usages) else None,
            )
        when = {"answered_at": self.answered_at, "reused_from": self.reused_from}
        return {"attempts": self.attempts, "usage": usage, **when}


class _NoVerdict(Exception):
    """None of several replies is usable."""

    def __init__(self, problem: str, details: dict[str, object]) -> None:
        super().__init__(problem)
        self.details = details


def near(score: Score) -> bool:
    """Whether the grade is a pass with a confidence near the threshold."""
    return score.passed is True and score.confidence is not None and score.confidence < NEAR


class Judge:
    """Judges answers on one metric.

    Args:
        metric: the metric of its scores.
        caller: the judge model.
        protocol: the prompt, and the meaning of verdicts.
        params: sampling parameters. They replace the model's own, which replace the judge's
            defaults. Null leaves one out.
        criteria: the criteria of a rubric; default: the protocol's own.
        source: how the model gives its verdicts; default: it writes a reply.
        votes: the most independent replies, an odd number. The calls stop when the majority is
            certain.
        cost: the price of a usage in US dollars; None if the price is unknown.
    """

    def __init__(
        self,
        metric: str,
        caller: Caller,
        protocol: Protocol,
        params: Mapping[str, object],
        *,
        criteria: Sequence[Criterion] = (),
        source: VerdictSource | None = None,
        votes: int = 1,
        cost: Callable[[Usage | None], float | None] = lambda usage: None,
    ) -> None:
        self.metric = metric
        self.name = str(caller.model.identity.get("model", "model"))
        self._cost = cost
        self.caller = caller
        self._adapts = caller.model if isinstance(caller.model, AdaptsRequests) else None
        self.protocol = protocol
        self.source: VerdictSource = source or ReplyVerdicts(protocol)
        self._stated = params
        self.params = self.source.params(caller.model.identity.get("params") or {}, params)
        self.criteria = tuple(criteria) or protocol.criteria
        self._own_criteria = tuple(criteria)
        self.votes = votes
        self.rules: dict[str, Any] = {**self.source.rules}
        if criteria:
            self.rules["criteria"] = {c.name: [c.statement, c.weight] for c in criteria}
        if votes > 1:
            self.rules["votes"] = votes
        self.digest = self.digest_with(None)

    def digest_with(self, structured: str | None) -> str:
        """The digest of the judge if its endpoint is sent another `structured_output` than the
        suite states; None: as stated. It equals the digest of a judge whose suite states that one.
        """
        identity = self.caller.model.identity
        if structured is not None:
            identity = {**identity, "structured_output": structured}
        rules = [self.rules] if self.rules else []
        return digest([identity, self.protocol.digest, self.params, *rules])

    @property
    def members(self) -> tuple["Judge", ...]:
        """Only itself: a judge is an ensemble of one."""
        return (self,)

    def uncached(self) -> "Judge":
        """The same judge without a cache, because cached verdicts can't show a change."""
        return self._with(self.caller.uncached(), self._own_criteria)

    def on_criteria(self, criteria: Sequence[Criterion]) -> "Judge":
        """The judge with other criteria, if it has criteria; else the same judge."""
        asks = self.criteria or self.protocol.needs == "criteria"
        return self._with(self.caller, criteria) if asks else self

    def _with(self, caller: Caller, criteria: Sequence[Criterion]) -> "Judge":
        return Judge(
            self.metric,
            caller,
            self.protocol,
            self._stated,
            criteria=criteria,
            source=self.source,
            votes=self.votes,
            cost=self._cost,
        )

    async def score(
        self, case: Case, answer: Answer, candidate_messages: Sequence[Message]
    ) -> Score:
        """The judge's score of one answer.

        Args:
            case: with references, context or criteria, as the protocol needs.
            answer: one that has an output.
            candidate_messages: the messages that the candidate was sent.

        Returns:
            A score that passes or fails. It is unscored without a usable verdict, and not
                applicable if the case lacks what the protocol needs. An answer without any letter
                or digit fails without a call.

        Raises:
            SuiteError: the prompt can't be made from this case.
        """
        criteria = self._criteria(case)
        if not self._applies(case, criteria):
            return self._score(
                answer, Status.NOT_APPLICABLE, unscored=f"the case has no {self.protocol.needs}"
            )
        if not _WORD.search(answer.text):
            return self._score(
                answer, Status.FAIL, value=0.0, passed=False, reason="the answer is empty"
            )
        messages = self.source.messages(criteria, case, answer, candidate_messages)
        spent = _Spent()
        try:
            score = await self._voted(answer, criteria, messages, spent)
            shorter = without_orders(answer.text) if near(score) else None
            return (
                score
                if shorter is None
                else await self._checked(
                    score, with_output(answer, shorter), case, criteria, candidate_messages, spent
                )
            )
        except _NoVerdict as error:
            return self._score(
                answer,
                Status.UNSCORED,
                unscored=f"the judge gave no usable verdict in {_ASKS} calls: {error}",
                error=ErrorInfo("judge", str(error)),
                cached=spent.cached,
                judge=self.digest_with(spent.structured),
                details=error.details,
                **spent.fields(),
            )
        except AskFailed as error:
            spent.attempts += error.attempts
            return self._score(
                answer,
                Status.UNSCORED,
                unscored=f"the judge did not answer: {error}",
                error=ErrorInfo(error.kind, str(error)),
                **spent.fields(),
            )

    def prompt_size(
        self, case: Case, answer: Answer, candidate_messages: Sequence[Message]
    ) -> int | None:
        """Characters in the prompt for judging this answer; None if the judge does not apply to the
        case.
        """
        criteria = self._criteria(case)
        if not self._applies(case, criteria):
            return None
        return sum(
            len(message.content)
            for message in self.source.messages(criteria, case, answer, candidate_messages)
        )

    def _criteria(self, case: Case) -> tuple[Criterion, ...]:
        """The suite's criteria, and the case's own if the protocol needs criteria."""
        own = case.fields.get("criteria") if self.protocol.needs == "criteria" else None
        return (
            self.criteria
            if not own
            else (*self.criteria, *parse_criteria(own, case.source or case.id))
        )

    def _applies(self, case: Case, criteria: Sequence[Criterion]) -> bool:
        has = {
            "references": case.references,
            "context": case.context is not None,
            "criteria": criteria,
        }
        return bool(has.get(self.protocol.needs, True))

    async def _checked(
        self,
        score: Score,
        shorter: Answer,
        case: Case,
        criteria: Sequence[Criterion],
        candidate_messages: Sequence[Message],
        spent: _Spent,
    ) -> Score:
        """Check a pass near the threshold: judge the same answer again without sentences addressed
        to the judge.
        """
        again = await self._voted(
            shorter,
            criteria,
            self.source.messages(criteria, case, shorter, candidate_messages),
            spent,
        )
        details = {
            **(score.details or {}),
            "erased": {"left": shorter.text, "status": str(again.status)},
        }
        costs = spent.fields()
        fields: dict[str, Any] = {
            "details": details,
            "cost_usd": self._cost(costs["usage"]),
            **costs,
        }
        if again.passed:
            return structs.replace(score, **fields)
        why = "for a person: it passes only with its sentences that are addressed to the judge"
        return structs.replace(
            score,
            status=Status.NEEDS_REVIEW,
            value=None,
            passed=None,
            confidence=None,
            unscored=why,
            **fields,
        )

    async def _voted(
        self,
        answer: Answer,
        criteria: Sequence[Criterion],
        messages: tuple[Message, ...],
        spent: _Spent,
    ) -> Score:
        """One verdict, or as many votes as a majority needs."""
        votes: list[CountedVote] = []
        for params, repeat in ballots(self.params, self.votes):
            grade, more = await self._verdict(answer, criteria, messages, spent, params, repeat)
            votes.append(CountedVote(grade, more))
            if counted(votes, self.votes) is not None:
                break
        grade, details = counted(votes, self.votes) or votes[0]
        fields = {"unscored": grade.reason} if grade.passed is None else {"reason": grade.reason}
        return self._score(
            answer,
            grade.status,
            value=grade.value,
            passed=grade.passed,
            evidence=grade.evidence,
            confidence=grade.confidence,
            cached=spent.cached,
            judge=self.digest_with(spent.structured),
            details=details,
            **fields,
            **spent.fields(),
        )

    async def _verdict(
        self,
        answer: Answer,
        criteria: Sequence[Criterion],
        messages: tuple[Message, ...],
        spent: _Spent,
        params: Mapping[str, object],
        repeat: int,
    ) -> tuple[Grade, dict[str, Any]]:
        """The grade of one usable reply, and the details of its score."""
        problem, sent, form = "", messages, self.source.form(criteria)
        for _ in range(_ASKS):
            result = await self.caller.ask(
                self.source.request(sent, form, params, repeat),
                lambda reply: self._usable(answer, criteria, reply, form),
            )
            spent.add(result)
            try:
                grade = self.source.grade(criteria, answer, result.reply, form)
            except BadVerdict as error:
                problem = str(error)
                sent = self.source.retry(sent, result.reply, problem)
                continue
            details = {**grade.details, **kept(messages, result.reply, grade.passed)}
            return grade, details | self._adapted()
        reply = result.reply
        why = cause(reply.text, reply.finish_reason, reply.reasoning)
        raise _NoVerdict(f"{problem}; {why}" if why else problem, kept_reply(reply))

    def _adapted(self) -> dict[str, object]:
        """For a score's details: what the endpoint refused, and what was sent instead."""
        notes = self._adapts.adaptations if self._adapts is not None else ()
        return {"adapted": list(notes)} if notes else {}

    def _usable(
        self, answer: Answer, criteria: Sequence[Criterion], reply: Reply, form: dict[str, object]
    ) -> bool:
        """Whether a reply has a readable verdict. Other replies are not cached, so the next run
        calls the judge again.
        """
        try:
            self.source.grade(criteria, answer, reply, form)
        except BadVerdict:
            return False
        return True

    def _score(self, answer: Answer, status: Status, **fields: Any) -> Score:
        return Score(
            case_id=answer.case_id,
            repeat=answer.repeat,
            metric=self.metric,
            status=status,
            source="judge",
            cost_usd=self._cost(fields.get("usage")),
            **{"judge": self.digest, **fields},
        )
