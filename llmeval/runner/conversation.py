"""Playing a conversation: each message is sent after the reply to the one before.

A conversation is one unit: its answer is recorded when it has ended, and an interrupted one is
played again. A chat endpoint gets the whole history in each turn, so the turns that were answered
come from the cache then. An application keeps the history itself, in a session: a message that it
may have processed is never sent twice in one session. If it is not certain whether a turn was
processed (a time-out, an error of the server), the conversation starts again in a new session.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from msgspec import structs

from llmeval.core.conversation import messages_of, total_usage
from llmeval.core.errors import ModelError, SuiteError
from llmeval.core.records import AnswerTurn, Case, Ended, ErrorInfo, Message, Usage
from llmeval.models.base import ChatSession, KeepsSession, Reply, Request
from llmeval.models.client.caller import AskFailed, Caller, CallResult, is_whole
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
    sent: str = ""
    """The user's message of the turn that is played now."""

    def restart(self) -> None:
        self.turns, self.calls = [], []

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

    def failed(self, error: AskFailed) -> None:
        """Add the turn that has no reply."""
        usage = None if error.reply is None else error.reply.usage
        if error.reply is not None:
            self.usages.append(usage)
        self.turns.append(
            AnswerTurn(
                user=self.sent,
                usage=usage,
                error=ErrorInfo(error.kind, str(error)),
                attempts=error.attempts,
            )
        )


class ConversationPlayer:
    """Plays the conversations of a run.

    Args:
        script: what the user says, and what ends a conversation.
        caller: the candidate.
        recorded: whether the candidate has whole conversations on record.
        paid: is given each reply that was paid for, at once, so that a budget can end the run
            within a conversation.
    """

    def __init__(
        self, script: Script, caller: Caller, paid: Callable[[Reply], None], *, recorded: bool
    ) -> None:
        self._script, self._caller, self._paid = script, caller, paid
        self._recorded = recorded
        self._keeps_session = isinstance(caller.model, KeepsSession)

    async def play(self, case: Case, first: Request) -> CallResult:
        """The reply to the last turn, with all turns.

        Args:
            case: the case.
            first: the request without a message of the user: what precedes the first turn, and what
                the candidate reads of the case.

        Raises:
            AskFailed: a turn has no reply, or a template can't be rendered. Its `reply` has the
                turns up to there. Kind `budget`: the budget of the run is used up, and there is
                nothing to record.
        """
        played, name = _Played(), ""
        try:
            texts = self._script.texts(case)
            if self._recorded:
                return await self._from_record(case, first, texts)
            key = self._caller.conversation_key(first, self._decides(case, texts))
            if (stored := self._caller.stored(key)) is not None:
                return stored
            name = "sha256:" + key.hex()
            ended = await self._sessions(case, first, texts, played)
        except AskFailed as error:
            if error.kind == "budget":
                self._caller.sender.abandon(played.attempts)
                raise
            played.failed(error)
            if error.reply is not None and error.attempts:
                self._paid(error.reply)
            raise _missing(played, name, error) from None
        except SuiteError as error:
            failed = AskFailed(ModelError(str(error), kind="config"), name, 0)
            raise _missing(played, name, failed) from None
        except BaseException:
            self._caller.sender.abandon(played.attempts)
            raise
        whole = all(is_whole(call.reply) for call in played.calls)
        reply = _reply(played, played.calls[-1].reply, ended)
        call = await self._caller.store(key, reply, played.attempts, whole=whole)
        origin = next((each.reused_from for each in played.calls if each.reused_from), None)
        return structs.replace(call, reused_from=call.reused_from or origin)

    def _decides(self, case: Case, texts: tuple[str, ...]) -> object:
        """What decides how the conversation of a case goes on, as JSON. `until` may use any field
        of the case."""
        script = self._script.identity
        return [texts, script["until"], case.digest if script["until"] else None]

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
            played.sent = texts[len(played.turns)]
            history = (*messages_of(played.turns), Message("user", played.sent))
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
            self._refuse_open_calls(played.turns[-1])

    def _refuse_open_calls(self, turn: AnswerTurn) -> None:
        """A chat endpoint that called a tool waits for its result, and nothing here runs tools."""
        if turn.tool_calls and not (turn.output or "").strip() and not self._keeps_session:
            raise SuiteError(
                f"the model called {turn.tool_calls[0].get('name')} and wrote no text, so the"
                " conversation can't go on: a chat endpoint expects the result of the tool. Test"
                " the application that runs the tools, with the provider http or python"
            )

    async def _from_record(self, case: Case, first: Request, texts: tuple[str, ...]) -> CallResult:
        """A recorded conversation, if it is the one that the suite describes. Raises AskFailed."""
        call = await self._caller.ask(first)
        turns = call.reply.turns
        problem = None
        if not turns:
            problem = "the record has a single answer, without `turns`"
        elif wrong := [
            number
            for number, (turn, text) in enumerate(zip(turns, texts, strict=False), 1)
            if turn.user != text
        ]:
            problem = f"the message of turn {wrong[0]} in the record is not that of the suite"
        elif len(turns) > len(texts):
            problem = f"the record has {len(turns)} turns, and the suite {len(texts)}"
        ended = None if problem else self._script.ended(case, turns, len(texts))
        if ended is None:
            problem = problem or f"the record ends after turn {len(turns)} of {len(texts)}"
            raise AskFailed(ModelError(problem, kind="config"), call.key, 0)
        return structs.replace(call, reply=structs.replace(call.reply, ended=ended))


def _missing(played: _Played, key: str, error: AskFailed) -> AskFailed:
    """The error of a conversation that has no answer, with the turns that were played."""
    if not played.turns:
        return error
    failed = AskFailed(
        ModelError(f"turn {len(played.turns)}: {error}", kind=error.kind), key, played.attempts
    )
    last = error.reply or (played.calls[-1].reply if played.calls else Reply(text=""))
    failed.reply = _reply(played, last, None)
    return failed


def _reply(played: _Played, last: Reply, ended: Ended | None) -> Reply:
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
    )


def _rounded(latency_ms: float | None) -> float | None:
    return None if latency_ms is None else round(latency_ms, 3)
