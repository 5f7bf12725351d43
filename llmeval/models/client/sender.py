"""Sends one request until it is answered: within the endpoint's limit, with retries, until a
deadline.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from llmeval.core.errors import ModelError, Overloaded, Retryable, TimedOut
from llmeval.models.base import Model, Reply, Request
from llmeval.models.client.limiter import Limiter, Signal, with_margin
from llmeval.models.client.quota import LASTING
from llmeval.models.params import merged
from llmeval.models.reasoning import Tags
from llmeval.models.replies import usable

ATTEMPTS = 6
_CHARS_PER_TOKEN = 4
_FIRST_WAIT, _SECOND_WAIT, _LONGEST_WAIT = 0.1, 0.5, 20.0
"""Seconds. A single fault of a server usually ends at once; a second one in a row does not."""


class RequestAttempts:
    """The attempts at one request, as a separate object: a failure carries them too."""

    def __init__(self) -> None:
        self.count = 0
        self.last: ModelError | None = None
        """The last failure."""
        self.failures: dict[type[ModelError], int] = {}
        """The number of failures of each class."""
        self.timer: asyncio.Timeout | None = None
        """Ends the request at its deadline, which counts from the first attempt."""


class Sender:
    """Sends the requests of one model.

    Args:
        model: gives the replies.
        limiter: limits the requests in flight.
        may_call: called before each attempt; False ends the request (a budget is used up).
        attempts: most attempts for one request.
        deadline: seconds for one request from its first attempt on, waits included; None for no
        deadline.
        redact: removes secrets from the text of the progress line.
        rest: waits a number of seconds before another attempt.
        reasoning: tags around the reasoning in the model's texts; None leaves the texts unchanged.
    """

    def __init__(
        self,
        model: Model,
        limiter: Limiter,
        *,
        may_call: Callable[[], bool] = lambda: True,
        attempts: int = ATTEMPTS,
        deadline: float | None = None,
        redact: Callable[[str], str] = lambda text: text,
        rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
        reasoning: Tags | None = None,
    ) -> None:
        self.unfinished = 0
        """Calls for requests without an answer or an error, because the run ended before."""
        self._model, self._limiter, self._may_call = model, limiter, may_call
        self._attempts, self._deadline = attempts, deadline
        self._redact, self._rest = redact, rest
        self._reasoning = reasoning
        self._params: Mapping[str, Any] = model.identity.get("params") or {}

    def abandon(self, calls: int) -> None:
        """Count calls of a conversation that has neither an answer nor an error."""
        self.unfinished += calls

    def starts_again(self, error: ModelError, failures: int) -> bool:
        """Whether a conversation may start again in a new session, after so many failures."""
        if not isinstance(error, Retryable) or error.unprocessed:
            return False
        return failures < min(self._attempts, error.most_attempts or self._attempts)

    async def pause(self, error: ModelError, failures: int) -> None:
        """Wait before the next session, as before another attempt."""
        await self._rest(self._wait_after(error, failures))

    def take_unfinished(self) -> int:
        """Return the number of `unfinished` calls, and reset it to 0."""
        count, self.unfinished = self.unfinished, 0
        return count

    async def send(self, request: Request, attempts: RequestAttempts) -> Reply:
        """The reply to a request; `attempts` says how often it was sent, also when this raises.

        Raises:
            ModelError: no answer after all attempts. `kind` is provider, quota, budget, or the kind
                that the model itself raises.
        """
        try:
            reply = await self._within_deadline(request, attempts)
        except ModelError:
            self.unfinished -= attempts.count
            raise
        self.unfinished -= attempts.count
        return reply

    async def _within_deadline(self, request: Request, attempts: RequestAttempts) -> Reply:
        if self._deadline is None:
            return await self._with_retries(request, attempts)
        try:
            async with asyncio.timeout(None) as attempts.timer:
                return await self._with_retries(request, attempts)
        except TimeoutError:
            why = f"; the last failure: {attempts.last}" if attempts.last is not None else ""
            times = "1 attempt" if attempts.count == 1 else f"{attempts.count} attempts"
            raise ModelError(
                f"no answer within `limits.deadline` of {self._deadline:g} s, {times}{why}"
            ) from None

    async def _with_retries(self, request: Request, attempts: RequestAttempts) -> Reply:
        """The first attempt does not use tenacity, because tenacity costs more time than the
        attempt. Only a failed request uses it.
        """
        try:
            return await self._attempt(request, attempts)
        except Retryable as error:
            if not self._goes_on(error, attempts, request):
                raise
            await self._rest(self._wait_after(error, attempts.count))
        retrying = AsyncRetrying(
            retry=retry_if_exception(lambda error: self._goes_on(error, attempts, request)),
            wait=lambda state: self._wait_after(_error_of(state), attempts.count),
            sleep=self._rest,
        )
        reply: Reply = await retrying(self._attempt, request, attempts)
        return reply

    def _goes_on(self, error: BaseException, attempts: RequestAttempts, request: Request) -> bool:
        """Whether another attempt is allowed and may help."""
        if not isinstance(error, Retryable):
            return False
        if request.session is not None and not error.unprocessed:
            return False  # the session may have processed it: only a new session is certain
        most = error.most_attempts or self._attempts
        # an error class with few attempts counts only its own failures
        return attempts.count < self._attempts and attempts.failures.get(type(error), 0) < most

    async def _attempt(self, request: Request, attempts: RequestAttempts) -> Reply:
        window = self._limiter.window
        tokens = _tokens(request) if self._limiter.counts_tokens else 0
        place = await self._limiter.acquire(tokens, again=attempts.count > 0)
        if not self._may_call():
            self._limiter.release(place, Signal.FAILED)
            raise ModelError("no call: the budget of this run is used up", kind="budget")
        self._count(attempts)
        outcome, retry_after = Signal.FAILED, None
        try:
            reply = await self._model.answer(request)
            outcome = Signal.SERVED
        except ModelError as error:
            attempts.last = error
            attempts.failures[type(error)] = attempts.failures.get(type(error), 0) + 1
            if isinstance(error, TimedOut):
                outcome = Signal.TIMED_OUT
                window.traffic.timed_out(error.after)
            if not isinstance(error, Overloaded):
                raise
            outcome, retry_after = Signal.REFUSED, error.retry_after
            window.traffic.refused(self._redact(str(error)))
            if window.refused_for > LASTING:
                minutes = f"{window.refused_for / 60:.0f} minutes"
                raise ModelError(
                    f"{error} (every request was refused for {minutes})", kind="quota"
                ) from None
            raise
        finally:
            self._limiter.release(place, outcome, retry_after=retry_after)
        return usable(reply, lambda: merged(self._params, request.params), self._reasoning)

    def _count(self, attempts: RequestAttempts) -> None:
        attempts.count += 1
        self.unfinished += 1
        if attempts.count == 1 and attempts.timer is not None and self._deadline is not None:
            attempts.timer.reschedule(asyncio.get_running_loop().time() + self._deadline)

    def _wait_after(self, error: BaseException | None, failures: int) -> float:
        """Seconds to wait after a number of failures: the wait that the endpoint states, plus an
        exponential one with jitter. If the window is closed, the request waits there, at the head
        of the queue.
        """
        window = self._limiter.window
        wait = _backoff(failures)
        if isinstance(error, Overloaded) and error.retry_after is not None:
            wait = (
                0.0
                if window.closed_for
                else min(LASTING, with_margin(error.retry_after)) + wait / 4
            )
            window.traffic.waits_until(window.clock() + wait)
        return wait


def _backoff(failures: int) -> float:
    base = _FIRST_WAIT if failures <= 1 else _SECOND_WAIT * 2.0 ** (failures - 2)
    return min(_LONGEST_WAIT, base) * random.uniform(1.0, 1.5)


def _error_of(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome is not None else None


def _tokens(request: Request) -> int:
    """An estimate of a call's tokens: its text, and the longest answer that it allows."""
    sent = sum(len(message.content) for message in request.messages) // _CHARS_PER_TOKEN
    allowed = request.params.get("max_completion_tokens") or request.params.get("max_tokens") or 0
    return sent + (allowed if isinstance(allowed, int) else 0)
