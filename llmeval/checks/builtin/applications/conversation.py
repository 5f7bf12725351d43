"""How a conversation ended."""

from typing import Annotated

from pydantic import BeforeValidator

from llmeval.checks.base import Result, check, not_applicable, verdict
from llmeval.core.records import Answer, Case, Ended

Endings = Annotated[
    list[Ended], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)
]


@check(group="applications")
def ended(case: Case, answer: Answer, *, by: Endings) -> Result:
    """The conversation ended in one of these ways: `turns` (the last message of the suite was
    sent), `until` (its condition became true), `max_turns`, `user` (the simulated user ended it),
    `empty` (the reply was empty).
    """
    if answer.ended is None:
        return not_applicable("the answer is not a conversation, or its record has no ending")
    return verdict(
        answer.ended in by,
        f"ended by {answer.ended} after {_count(answer)}; expected {' or '.join(by)}",
    )


def _count(answer: Answer) -> str:
    return "1 turn" if len(answer.turns) == 1 else f"{len(answer.turns)} turns"
