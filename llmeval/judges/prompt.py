"""The prompt of a judge, with all foreign text as data between marker lines; and the parts of it
that the record keeps.

Foreign is the candidate's answer, and also the case: the context of a RAG application is text of
other people.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence

from llmeval.core.records import Answer, Case, Message, canonical_json, digest
from llmeval.core.templates import answer_values
from llmeval.judges.protocol import Criterion, Protocol
from llmeval.judges.verdict import unwrapped
from llmeval.models.base import Reply

KEPT_PROMPT, KEPT_REPLY = 8_000, 4_000
"""The most characters of a prompt or reply in a score. A longer prompt is
recorded as its digest.
"""


def prompt_messages(
    protocol: Protocol,
    criteria: Sequence[Criterion],
    case: Case,
    answer: Answer,
    candidate_messages: Sequence[Message],
) -> tuple[Message, ...]:
    """The protocol's turns for one answer.

    The marker is removed from all texts: of the answer, of its data and of the case.
    """
    fence = fence_of(case, answer, candidate_messages)
    question = (
        _dialogue(candidate_messages, fence)
        if len(answer.turns) > 1
        else _unmarked(conversation(candidate_messages), fence)
    )
    values = {
        **{name: _without(value, fence) for name, value in answer_values(case, answer).items()},
        "question": question,
        "answer": _unmarked(answer.text, fence),
        "fence": fence,
        "criteria": criteria,
    }
    return tuple(Message(role, template.render(values)) for role, template in protocol.turns)


def _without(value: object, fence: str) -> object:
    """The value without the marker in its texts."""
    if isinstance(value, str):
        return _unmarked(value, fence)
    if isinstance(value, Mapping):
        return {_unmarked(str(key), fence): _without(item, fence) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without(item, fence) for item in value]
    return value


def _unmarked(text: str, fence: str) -> str:
    while fence in text:  # what remains around a removed marker may be a marker again
        text = text.replace(fence, "")
    return text


def state(case: Case, answer: Answer, candidate_messages: Sequence[Message]) -> Message:
    """The input of a decision model: question, references, context and the answer as JSON, so that
    no text can leave its field.
    """
    content: dict[str, object] = {"question": conversation(candidate_messages)}
    if len(answer.turns) > 1:
        del content["question"]
        content["conversation"] = [
            {"role": message.role, "content": message.content}
            for message in candidate_messages
            if message.role != "system"
        ]
    if case.references:
        content["reference_answers"] = list(case.references)
    if case.context is not None:
        content["context"] = case.context
    return Message("user", json.dumps({**content, "answer": answer.text}, ensure_ascii=False))


def kept(messages: Sequence[Message], reply: Reply, passed: bool | None) -> dict[str, object]:
    """Prompt and reply for a score's details. The prompt of a passing verdict is left out: it would
    fill most of the records, and it can be computed again from protocol, case and answer.
    """
    if passed:
        return kept_reply(reply)
    size = sum(len(message.content) for message in messages)
    prompt: object = (
        messages if size <= KEPT_PROMPT else f"{size:,} characters, {digest(list(messages))}"
    )
    return {"prompt": prompt, **kept_reply(reply)}


def kept_reply(reply: Reply) -> dict[str, object]:
    """A judge's reply, and its reasoning if it has any, for a score's details."""
    reasoning = reply.reasoning or unwrapped(reply.text).reasoning
    thoughts = {} if not reasoning else {"reasoning": reasoning[:KEPT_REPLY]}
    return {"reply": reply.text[:KEPT_REPLY], **thoughts}


def again(problem: str) -> str:
    """The message to a judge after a reply that can't be used."""
    return (
        f"That reply can't be used: {problem[:300]}\n"
        "Reply again with exactly one JSON object as described, and nothing before or after it."
    )


def conversation(messages: Sequence[Message]) -> str:
    """The candidate's prompt as text: the user's message, or the turns with their roles if there
    are several.
    """
    turns = [message for message in messages if message.role != "system"]
    if len(turns) == 1:
        return turns[0].content
    return "\n\n".join(f"{turn.role}: {turn.content}" for turn in turns)


def _dialogue(messages: Sequence[Message], fence: str) -> str:
    """The conversation before the answer. The candidate's earlier replies are its text too, so they
    are between marker lines as well.
    """
    parts = []
    for message in messages:
        text = _unmarked(message.content, fence)
        if message.role == "user":
            parts.append(f"user: {text}")
        elif message.role == "assistant":
            parts.append(f"{fence} BEGIN EARLIER REPLY\n{text}\n{fence} END EARLIER REPLY")
    return "\n\n".join(parts)


def fence_of(case: Case, answer: Answer, candidate_messages: Sequence[Message] = ()) -> str:
    """A marker that no text of the prompt can contain, because it is made from the sha256 of all of
    them: the case, the messages and the answer.

    It differs between answers like a random marker. But equal answers give equal requests, which
    the cache and the comparison of two runs need.
    """
    texts = [case.id, case.fields, case.references, case.context, candidate_messages, answer.text]
    earlier = [turn.output for turn in answer.turns[:-1]]
    code = hashlib.sha256(canonical_json([texts, earlier])).hexdigest()[:16]
    return f"=== {code} ==="
