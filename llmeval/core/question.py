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


def shown_question(case: Case) -> str:
    """What reports show as the question: `question_of`, else the first field that is a text, else
    the first list of texts, such as the messages of a conversation; empty where there is none.
    """
    values = list(case.fields.values())
    texts = [value for value in values if isinstance(value, str)]
    lists = [
        " / ".join(value)
        for value in values
        if isinstance(value, list) and value and all(isinstance(item, str) for item in value)
    ]
    return question_of(case) or next(iter((*texts, *lists)), "")
