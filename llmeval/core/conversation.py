"""A conversation as templates and prompts see it: a text in which no reply can pass for another
message, and a list of its turns.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import structs

from llmeval.core.records import Answer, AnswerTurn, Message, Usage

TRANSCRIPT, TURNS = "transcript", "turns"
"""What templates call the text of a conversation, and the list of its turns."""


def messages_of(turns: Iterable[AnswerTurn]) -> tuple[Message, ...]:
    """The turns as messages of user and assistant, as a chat endpoint gets them."""
    messages: list[Message] = []
    for turn in turns:
        messages.append(Message("user", turn.user))
        if turn.output is not None:
            messages.append(Message("assistant", turn.output))
    return tuple(messages)


def transcript(messages: Iterable[Message]) -> str:
    """One text. Each message begins with its role at the start of a line; every further line is
    indented, so that a reply that contains `user: ...` does not look like a message of the user.
    """
    return "\n".join(
        f"{message.role}: " + "\n  ".join(message.content.splitlines()) for message in messages
    )


def turn_values(turns: Iterable[AnswerTurn]) -> list[dict[str, Any]]:
    """The turns as templates see them: `turns[0].output`."""
    return [
        {
            "user": turn.user,
            "output": turn.output,
            "tool_calls": list(turn.tool_calls),
            "data": turn.data,
            "latency_ms": turn.latency_ms,
            "usage": msgspec.to_builtins(turn.usage),
        }
        for turn in turns
    ]


def conversation_values(turns: Sequence[AnswerTurn]) -> dict[str, Any]:
    """`transcript` and `turns`, as templates of checks and judges see them."""
    return {TRANSCRIPT: transcript(messages_of(turns)), TURNS: turn_values(turns)}


def with_output(answer: Answer, text: str) -> Answer:
    """The answer with another text; of a conversation, as the reply of its last turn."""
    turns = answer.turns
    if turns:
        turns = (*turns[:-1], structs.replace(turns[-1], output=text))
    return structs.replace(answer, output=text, turns=turns)


def sent_before(prefix: Sequence[Message], answer: Answer) -> tuple[Message, ...]:
    """The messages that the candidate had when it wrote the answer.

    Args:
        prefix: the prompt; of a conversation what precedes its first turn.
        answer: an answer; that of a conversation is the reply of its last turn.
    """
    if not answer.turns:
        return tuple(prefix)
    earlier, last = answer.turns[:-1], answer.turns[-1]
    return (*prefix, *messages_of(earlier), Message("user", last.user))


def total_usage(usages: Iterable[Usage | None]) -> Usage | None:
    """The tokens of several replies; a count that one of them lacks is not known."""
    each = list(usages)
    if not each or any(usage is None for usage in each):
        return None
    counted = [usage for usage in each if usage is not None]

    def total(name: str) -> int | None:
        counts = [getattr(usage, name) for usage in counted]
        return None if None in counts else sum(counts)

    charges = [usage.cost_usd for usage in counted if usage.cost_usd is not None]
    return Usage(
        total("input_tokens"),
        total("output_tokens"),
        total("reasoning_tokens"),
        math.fsum(charges) if len(charges) == len(counted) else None,
    )
