"""The digest of an answer, which says whether two answers are the same."""

import hashlib

from llmeval.core.records import Answer, canonical_json, clean_text, plain


def output_digest(answer: Answer) -> str:
    """The beginning of the sha256 of an answer's text and data, of a conversation also of its
    earlier turns; 16 hex digits; zeros for an answer without text.
    """
    if answer.output is None:
        return "0" * 16
    content = clean_text(answer.output).encode()
    if answer.data is not None:
        content += b"\0" + canonical_json(answer.data)
    if answer.turns:
        parts = [[turn.user, turn.output, turn.tool_calls, turn.data] for turn in answer.turns]
        content += b"\0" + canonical_json(plain(parts))
    return hashlib.sha256(content).hexdigest()[:16]
