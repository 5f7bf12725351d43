"""The question of a case. The facts check reads it, and the reports show it."""

from llmeval.core.records import Case

_FIELDS = ("question", "query", "prompt", "input", "instruction")
"""Names of fields that usually hold the question, the most likely first."""


def question_of(case: Case) -> str:
    """The last user message, or else the first field whose name is in `FIELDS`. Empty if the case
    has neither.
    """
    for message in reversed(case.messages):
        if message.role == "user":
            return message.content
    for name in _FIELDS:
        value = case.fields.get(name)
        if isinstance(value, str):
            return value
    return ""
