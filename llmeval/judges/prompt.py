"""What a judge is sent: the candidate's text as data behind a marker, and what of it is kept in the
record.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from llmeval.core.conversation import TRANSCRIPT, TURNS
from llmeval.core.records import Answer, Case, Fields, Message, digest
from llmeval.core.templates import DATA, answer_values
from llmeval.judges.protocol import Criterion, Protocol
from llmeval.judges.verdict import unwrapped
from llmeval.models.base import Reply

KEPT_PROMPT, KEPT_REPLY = 8_000, 4_000
"""Characters up to which prompt and reply stand in a score; a longer prompt is kept as its
digest.
"""


def prompt_messages(
    protocol: Protocol,
    criteria: Sequence[Criterion],
    case: Case,
    answer: Answer,
    asked: Sequence[Message],
) -> tuple[Message, ...]:
    """The protocol's turns for one answer."""
    fence = fence_of(case, answer)
    values = {
        **_without(answer_values(case, answer), fence),
        "question": _dialogue(asked, fence) if len(answer.turns) > 1 else conversation(asked),
        "answer": answer.text.replace(fence, ""),
        "fence": fence,
        "criteria": criteria,
    }
    return tuple(Message(role, template.render(values)) for role, template in protocol.turns)


def _without(values: Fields, fence: str) -> Fields:
    """The values with the fence taken out of the answer's data and of the conversation: they are
    the application's text.
    """
    own = {name: values[name] for name in (DATA, TRANSCRIPT, TURNS) if name in values}
    return {**values, **_stripped(own, fence)} if own else values


def _stripped(value: Any, fence: str) -> Any:
    if isinstance(value, str):
        return value.replace(fence, "")
    if isinstance(value, dict):
        return {key.replace(fence, ""): _stripped(item, fence) for key, item in value.items()}
    return [_stripped(item, fence) for item in value] if isinstance(value, list) else value


def state(case: Case, answer: Answer, asked: Sequence[Message]) -> Message:
    """What a decision model sees: question, what is known, and the answer, as JSON, so that no text
    can leave its field."""
    known: dict[str, Any] = {"question": conversation(asked)}
    if len(answer.turns) > 1:
        del known["question"]
        known["conversation"] = [
            {"role": message.role, "content": message.content}
            for message in asked
            if message.role != "system"
        ]
    if case.references:
        known["reference_answers"] = list(case.references)
    if case.context is not None:
        known["context"] = case.context
    return Message("user", json.dumps({**known, "answer": answer.text}, ensure_ascii=False))


def kept(messages: Sequence[Message], reply: Reply, passed: bool | None) -> dict[str, Any]:
    """Prompt and reply as a score's details hold them. The prompt of a verdict that passes is left
    out: most of the records would be copies of it, and protocol, case and answer give it back."""
    if passed:
        return kept_reply(reply)
    size = sum(len(message.content) for message in messages)
    prompt: Any = (
        messages if size <= KEPT_PROMPT else f"{size:,} characters, {digest(list(messages))}"
    )
    return {"prompt": prompt, **kept_reply(reply)}


def kept_reply(reply: Reply) -> dict[str, Any]:
    """A judge's reply as a score's details hold it, and its reasoning where it gave any."""
    reasoning = reply.reasoning or unwrapped(reply.text).reasoning
    thoughts = {} if not reasoning else {"reasoning": reasoning[:KEPT_REPLY]}
    return {"reply": reply.text[:KEPT_REPLY], **thoughts}


def again(problem: str) -> str:
    """What is said to a judge whose reply can't be used."""
    return (
        f"That reply can't be used: {problem[:300]}\n"
        "Reply again with exactly one JSON object as described, and nothing before or after it."
    )


def conversation(asked: Sequence[Message]) -> str:
    """What the candidate was asked: the user's words, or the turns with their roles when there are
    several.
    """
    turns = [message for message in asked if message.role != "system"]
    if len(turns) == 1:
        return turns[0].content
    return "\n\n".join(f"{turn.role}: {turn.content}" for turn in turns)


def _dialogue(messages: Sequence[Message], fence: str) -> str:
    """The conversation before the answer. The candidate's earlier replies are its text too, so they
    are between marker lines as well.
    """
    parts = []
    for message in messages:
        text = message.content.replace(fence, "")
        if message.role == "user":
            parts.append(f"user: {text}")
        elif message.role == "assistant":
            parts.append(f"{fence} BEGIN EARLIER REPLY\n{text}\n{fence} END EARLIER REPLY")
    return "\n\n".join(parts)


def fence_of(case: Case, answer: Answer) -> str:
    """A marker that the answer can't contain: it is made from the answer's own sha256, of a
    conversation also from that of the replies before.

    So it differs from call to call as a random one would, while equal answers give equal requests,
    which the cache and the comparison of two runs need.
    """
    earlier = "".join(f"\0{turn.output}" for turn in answer.turns[:-1])
    code = hashlib.sha256(f"{case.id}\0{answer.text}{earlier}".encode()).hexdigest()[:16]
    return f"=== {code} ==="
