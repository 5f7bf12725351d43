"""The parts of an answer's record: usage, errors, traces, and the turns of a conversation.

`llmeval.core.records` has the same names; the modules are two for their length only.
"""

from typing import Any, Literal

import msgspec

from llmeval.core.trace_steps import Trace


class Usage(msgspec.Struct, frozen=True):
    """Tokens of one call, as the endpoint counted them; null where it gave no count."""

    input_tokens: int | None = None
    """Tokens of the request."""
    output_tokens: int | None = None
    """Tokens of the reply."""
    reasoning_tokens: int | None = None
    """Output tokens that were used for reasoning."""
    cost_usd: float | None = None
    """US dollars, where the endpoint states its charge (OpenRouter)."""


class ErrorInfo(msgspec.Struct, frozen=True):
    """Why something has no result.

    `kind` is one of:

    - `config`: the suite can't be carried out for this case (a template lacks a field, a model
        can't take the request);
    - `provider`: the endpoint gave no answer (no connection, an error status, a reply that can't be
        read);
    - `blocked`: the provider's filter withheld the answer;
    - `truncated`: the reply ended before its answer began (all tokens went into reasoning);
    - `quota`: the account's quota or credit is used up, and waiting does not help: the run ends;
    - `budget`: the run's own budget is used up (`--max-cost`, `--max-calls`, `--max-minutes`): the
        run ends;
    - `candidate`: the candidate's own code raised an exception, or did not return an answer;
    - `user`: the simulated user gave no usable message, or did not keep to its goal;
    - `application`: the application answered with its own error (HTTP 500), and the model says
        `on_error: fail`;
    - `worker`: several workers ended while they did the case (`--executor ray`);
    - `judge`: the judge replied, and none of its replies is a usable verdict;
    - `check`: the check could not be carried out on this answer.
    """

    kind: str
    """Programs use it for decisions."""
    message: str
    """For people; its wording may change."""


class AnswerTurn(msgspec.Struct, frozen=True, kw_only=True):
    """One turn of a conversation: a message of the user, and the reply."""

    user: str
    """The message that was sent."""
    output: str | None = None
    """The text of the reply; null exactly when `error` gives the reason."""
    tool_calls: tuple[dict[str, Any], ...] = ()
    """Tools that the model called in this turn, with their arguments."""
    data: dict[str, Any] | None = None
    """What the application returned next to the text of this turn, by name."""
    trace: Trace | None = None
    """What the application did in this turn."""
    latency_ms: float | None = None
    """Of the successful attempt; null when replayed."""
    usage: Usage | None = None
    """Tokens of this turn's call."""
    error: ErrorInfo | None = None
    """Why the turn has no output; only the last turn of a conversation can have one."""
    attempts: int = 0
    """Calls sent for it in its session; 0 for a reply from the cache. Of a conversation that is
    reused as a whole, the calls of the run that made it.
    """


class UserPart(msgspec.Struct, frozen=True, kw_only=True):
    """What a simulated user did in one conversation. Its messages are in the turns."""

    kept_goal: bool | None = None
    """Whether it kept to its goal, by its judge; null without a verdict."""
    reason: str = ""
    """Why, in a sentence."""
    judge: str | None = None
    """Digest of its judge; null without one."""
    attempts: int = 0
    """Calls sent for its messages and for its judge."""
    cached: bool = False
    """Whether all its messages came from the cache."""
    usage: Usage | None = None
    """Tokens of those calls."""
    cost_usd: float | None = None
    """Null unless the suite states prices."""


Ended = Literal["turns", "until", "max_turns", "user", "empty"]
"""How a conversation ended: the suite's last turn was played; `until` became true; `max_turns` was
reached before that; the simulated user ended it; the reply was empty.
"""
