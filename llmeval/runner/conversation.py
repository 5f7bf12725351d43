"""Playing a conversation: each message is sent after the reply to the one before.

A conversation is one unit: its answer is recorded when it has ended, and an interrupted one is
played again. A chat endpoint gets the whole history in each turn, so the turns that were answered
come from the cache then. An application keeps the history itself, in a session: a message that it
may have processed is never sent twice in one session. If it is not certain whether a turn was
processed (a time-out, an error of the server), the conversation starts again in a new session.
"""

import asyncio
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec import structs

from llmeval.core.conversation import messages_of, total_usage
from llmeval.core.errors import ModelError, SuiteError
from llmeval.core.records import AnswerTurn, Case, Ended, ErrorInfo, Message, Usage, UserPart
from llmeval.models.base import ChatSession, KeepsSession, Reply, Request
from llmeval.models.client.caller import AskFailed, CallResult, is_whole
from llmeval.runner.budget import cost_of
from llmeval.runner.plan import RunPlan
from llmeval.runner.script import Script


@dataclass
class _Played:
    """What was played so far of one conversation."""

    turns: list[AnswerTurn] = field(default_factory=list)
    """Of the session that is played now."""
    calls: list[CallResult] = field(default_factory=list)
    """Their replies."""
    usages: list[Usage | None] = field(default_factory=list)
    """Of all replies, those of sessions that were given up too."""
    attempts: int = 0
    """Calls of all sessions."""
    user_calls: list[CallResult] = field(default_factory=list)
    """Replies of the simulated user, in all sessions."""
    user_attempts: int = 0
    """Calls sent for them, those without a reply too."""
    user: UserPart | None = None
    """What the judge of the simulated user says."""
    sent: str = ""
    """The user's message of the turn that is played now; empty before there is one."""

    def restart(self) -> None:
        self.turns, self.calls, self.sent = [], [], ""

    def add(self, call: CallResult) -> None:
        reply = call.reply
        self.calls.append(call)
        self.usages.append(reply.usage)
        self.attempts += call.attempts
        self.turns.append(
            AnswerTurn(
                user=self.sent,
                output=reply.text,
                tool_calls=reply.tool_calls,
                data=reply.data,
                trace=reply.trace,
                latency_ms=_rounded(reply.latency_ms),
                usage=reply.usage,
                attempts=call.attempts,
            )
        )
        self.sent = ""

    def failed(self, error: AskFailed) -> None:
        """Add the turn that has no reply, where a message was sent."""
        usage = None if error.reply is None else error.reply.usage
        if error.reply is not None:
            self.usages.append(usage)
        if self.sent:
            self.turns.append(
                AnswerTurn(
                    user=self.sent,
                    usage=usage,
                    error=ErrorInfo(error.kind, str(error)),
                    attempts=error.attempts,
                )
            )


class ConversationPlayer:
    """Plays the conversations of a plan."""

    def __init__(self, plan: RunPlan, script: Script) -> None:
        self._script, self._user, self._budget = script, plan.user, plan.budget
        self._role, self._caller = plan.candidate, plan.candidate.caller
        self._recorded = plan.by_case
        self._keeps_session = isinstance(self._caller.model, KeepsSession)
        self._flying: dict[bytes, asyncio.Future[CallResult]] = {}

    async def play(self, case: Case, first: Request) -> CallResult:
        """The reply to the last turn, with all turns.

        Args:
            case: the case.
            first: the request without a message of the user: what precedes the first turn, and what
                the candidate reads of the case.

        Raises:
            AskFailed: a turn has no reply, a template can't be rendered, or the simulated user is
                at fault. Its `reply` has the turns up to there. Kind `budget`: the budget of the
                run is used up, and there is nothing to record.
        """
        played = _Played()
        try:
            texts = self._script.texts(case)
            if self._recorded:
                return await self._from_record(case, first, texts, played)
            key = self._caller.conversation_key(first, self._decides(case, texts))
        except SuiteError as error:
            raise AskFailed(ModelError(str(error), kind="config"), "", 0) from None
        except AskFailed as error:
            raise self._missing(played, error.key, error) from None
        if (stored := self._caller.stored(key)) is not None:
            return stored
        if (flying := self._flying.get(key)) is not None:
            return await _shared(flying)
        future = self._flying[key] = asyncio.get_running_loop().create_future()
        try:
            call = await self._live(case, first, texts, key, played)
            future.set_result(call)
        except AskFailed as error:
            future.set_exception(error)
            future.exception()  # retrieved: nobody else may be waiting
            raise
        finally:
            if not future.done():
                future.cancel()
            del self._flying[key]
        return call

    async def _live(
        self, case: Case, first: Request, texts: tuple[str, ...], key: bytes, played: _Played
    ) -> CallResult:
        """The conversation, played now. Raises AskFailed, see `play`."""
        if (shared := await self._caller.shared(key)) is not None:
            return shared
        name = "sha256:" + key.hex()
        try:
            ended = await self._sessions(case, first, texts, played)
            await self._judge_user(case, first.repeat, played)
        except AskFailed as error:
            if error.kind == "budget":
                self._abandon(played)
                raise
            if error.reply is not None and error.attempts:
                self._paid(error.reply)
            raise self._missing(played, name, error) from None
        except SuiteError as error:
            failed = AskFailed(ModelError(str(error), kind="config"), name, 0)
            raise self._missing(played, name, failed) from None
        except BaseException:
            self._abandon(played)
            raise
        whole = all(is_whole(call.reply) for call in played.calls)
        reply = self._reply(played, played.calls[-1].reply, ended)
        call = await self._caller.store(key, reply, played.attempts, whole=whole)
        origin = next((each.reused_from for each in played.calls if each.reused_from), None)
        return structs.replace(call, reused_from=call.reused_from or origin)

    def _decides(self, case: Case, texts: tuple[str, ...]) -> object:
        """What decides how the conversation of a case goes on, as JSON. `until` may use any field
        of the case."""
        script, user = self._script.identity, None
        if self._user is not None:
            user = [self._user.digest, dataclasses.asdict(self._user.prompt(case))]
        until = [script["until"], case.digest] if script["until"] else None
        return [texts, until, script["max_turns"], user]

    def _abandon(self, played: _Played) -> None:
        """Count the calls of a conversation that is not recorded."""
        self._caller.sender.abandon(played.attempts)
        if self._user is not None:
            self._user.role.caller.sender.abandon(played.user_attempts)
            if played.user is not None:
                self._user.roles[-1].caller.sender.abandon(played.user.attempts)

    def _paid(self, reply: Reply) -> None:
        """Count the cost of one turn at once, so that a budget can end the run within a
        conversation.
        """
        cost = cost_of(reply.usage, self._role.spec.price)
        self._budget.spend(cost, of=self._role.name)

    async def _sessions(
        self, case: Case, first: Request, texts: tuple[str, ...], played: _Played
    ) -> Ended:
        """Play until a session comes to its end. Raises AskFailed."""
        failures, sender = 0, self._caller.sender
        while True:
            session = ChatSession() if self._keeps_session else None
            try:
                return await self._session(case, first, texts, played, session)
            except AskFailed as error:
                played.attempts += error.attempts
                failures += 1
                if session is None or not sender.starts_again(error.cause, failures):
                    raise
                cause = error.cause
            await sender.pause(cause, failures)
            played.restart()

    async def _session(
        self,
        case: Case,
        first: Request,
        texts: tuple[str, ...],
        played: _Played,
        session: ChatSession | None,
    ) -> Ended:
        """Play turn after turn. Raises AskFailed."""
        while True:
            message = await self._next_message(case, first.repeat, texts, played)
            if message is None:
                return "user"
            played.sent = message
            history = (*messages_of(played.turns), Message("user", message))
            request = structs.replace(
                first,
                messages=(*first.messages, *history),
                turn=len(played.turns) + 1,
                session=session,
                unique=first.unique if session is None else session.id,
            )
            call = await self._caller.ask(request)
            played.add(call)
            if not call.cached:
                self._paid(call.reply)
            ended = self._script.ended(case, played.turns, len(texts))
            if ended is not None:
                return ended
            self._refuse_open_calls(played.turns)

    async def _next_message(
        self, case: Case, repeat: int, texts: tuple[str, ...], played: _Played
    ) -> str | None:
        """What the user says next; None where the simulated user ends the conversation. Raises
        AskFailed.
        """
        if len(played.turns) < len(texts):
            return texts[len(played.turns)]
        user = self._user
        assert user is not None, "a script without a simulated user ends with its last message"

        def note(attempts: int, call: CallResult | None) -> None:
            played.user_attempts += attempts
            if call is not None:
                played.user_calls.append(call)
            if call is not None and not call.cached:
                self._budget.spend(user.cost(call.reply.usage), of=user.role.name)

        return await user.says(case, repeat, played.turns, note)

    async def _judge_user(self, case: Case, repeat: int, played: _Played) -> None:
        """Whether the simulated user kept to its goal. Raises AskFailed where it did not."""
        if self._user is None:
            return
        played.user, error = await self._user.judged(case, repeat, played.turns)
        paid = played.user.attempts > 0
        self._budget.spend(played.user.cost_usd, of="the judge of the user" if paid else None)
        if error is not None:
            raise AskFailed(error, "", 0)

    def _refuse_open_calls(self, turns: Sequence[AnswerTurn]) -> None:
        """A chat endpoint that called a tool waits for its result, and nothing here runs tools."""
        turn = turns[-1]
        if turn.tool_calls and not (turn.output or "").strip() and not self._keeps_session:
            raise SuiteError(
                f"turn {len(turns)}: the model called {turn.tool_calls[0].get('name')} and wrote no"
                " text, so the conversation can't go on: a chat endpoint expects the result of the"
                " tool. Test the application that runs the tools, with the provider http or python"
            )

    async def _from_record(
        self, case: Case, first: Request, texts: tuple[str, ...], played: _Played
    ) -> CallResult:
        """A recorded conversation, if it is the one that the suite describes. Raises AskFailed."""
        call = await self._caller.ask(first)
        turns = call.reply.turns
        wrong = next(
            (n for n, (t, text) in enumerate(zip(turns, texts, strict=False), 1) if t.user != text),
            None,
        )
        problem = None
        if not turns:
            problem = "the record has a single answer, without `turns`"
        elif wrong is not None:
            problem = f"the message of turn {wrong} in the record is not that of the suite"
        elif len(turns) > len(texts) and self._user is None:
            problem = f"the record has {len(turns)} turns, and the suite {len(texts)}"
        ended = None if problem else self._script.ended(case, turns, len(texts))
        if ended is None and self._user is not None:
            ended = call.reply.ended or "user"
        if problem is None and ended is None:
            problem = f"the record ends after turn {len(turns)} of {len(texts)}"
        if problem is not None:
            raise AskFailed(ModelError(problem, kind="config"), call.key, 0)
        played.turns = list(turns)
        await self._judge_user(case, first.repeat, played)
        return structs.replace(
            call, reply=structs.replace(call.reply, ended=ended, user=self._part(played))
        )

    def _missing(self, played: _Played, key: str, error: AskFailed) -> AskFailed:
        """The error of a conversation that has no answer, with the turns that were played."""
        sent = bool(played.sent)
        played.failed(error)
        if not (played.turns or played.user_attempts):
            return error
        message = f"turn {len(played.turns)}: {error}" if sent else str(error)
        failed = AskFailed(ModelError(message, kind=error.kind), key, played.attempts)
        last = error.reply or (played.calls[-1].reply if played.calls else Reply(text=""))
        failed.reply = self._reply(played, last, None)
        return failed

    def _reply(self, played: _Played, last: Reply, ended: Ended | None) -> Reply:
        """The whole conversation as one reply."""
        turns = tuple(played.turns)
        times = [turn.latency_ms for turn in turns if turn.latency_ms is not None]
        return structs.replace(
            last,
            tool_calls=tuple(call for turn in turns for call in turn.tool_calls),
            usage=total_usage(played.usages),
            latency_ms=sum(times) if times else None,
            logprobs=None,
            trace=None,  # each turn has its own
            turns=turns,
            ended=ended,
            user=self._part(played),
        )

    def _part(self, played: _Played) -> UserPart | None:
        """What the simulated user did, its judge's calls included; None without one."""
        if self._user is None:
            return None
        part, calls = played.user or UserPart(), played.user_calls
        paid = [call.reply.usage for call in calls if not call.cached]
        costs = [part.cost_usd, *(self._user.cost(usage) for usage in paid)]
        priced = [cost for cost in costs if cost is not None]
        return structs.replace(
            part,
            attempts=part.attempts + played.user_attempts,
            cached=bool(calls) and not paid,
            usage=total_usage([*paid, *([part.usage] if part.usage else [])]),
            cost_usd=sum(priced) if priced else None,
        )


async def _shared(flying: "asyncio.Future[CallResult]") -> CallResult:
    """The result of an equal conversation that is played now. Raises AskFailed."""
    try:
        call = await asyncio.shield(flying)
    except AskFailed as error:
        raise AskFailed(error, error.key, 0) from None
    return structs.replace(call, attempts=0, cached=True)


def _rounded(latency_ms: float | None) -> float | None:
    return None if latency_ms is None else round(latency_ms, 3)
