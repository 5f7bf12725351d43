"""What a case asks: one answer for the facts check that reads it and the reports that show it."""

from llmeval.core.records import Case

_FIELDS = ("question", "query", "prompt", "input", "instruction")
"""Fields that hold a question, the likeliest first."""


def question_of(case: Case) -> str:
    """The last user message, else the first field that is named like a question; empty where the
    case has neither.
    """
    for message in reversed(case.messages):
        if message.role == "user":
            return message.content
    for name in _FIELDS:
        value = case.fields.get(name)
        if isinstance(value, str):
            return value
    return ""
