"""From a case to the request for an answer, with as much of the case as the candidate reads."""

import hashlib
from collections.abc import Mapping

from llmeval.core.records import Case, Message
from llmeval.core.templates import case_values
from llmeval.models.base import Model, ReadsCase, Request

_ANSWERS = ("reference", "references")


def request_for(
    model: Model,
    case: Case,
    repeat: int,
    messages: tuple[Message, ...],
    run_id: str,
    *,
    by_case: bool,
) -> Request:
    """The request for one answer.

    Args:
        model: the candidate.
        case: the case. repeat: number of the repeat, from 0. messages: its prompt, rendered.
        run_id: of the run that asks.
        by_case: whether the model answers by the case's id.
    """
    names = model.case_names if isinstance(model, ReadsCase) else frozenset()
    unique = names is None or "run" in names
    return Request(
        messages=messages,
        repeat=repeat,
        case_id=case.id if by_case or unique else "",
        fields=_fields(case, names),
        unique=unique_text(run_id, case.id, repeat) if unique else "",
    )


def _fields(case: Case, names: frozenset[str] | None) -> Mapping[str, object]:
    """The fields of a case that a request holds. Without names it holds all but the right answers,
    which an application must not see."""
    if names is not None and not names:
        return {}
    values = case_values(case)
    if names is None:
        return {key: value for key, value in values.items() if key not in _ANSWERS}
    return {key: value for key, value in values.items() if key in names}


def unique_text(run_id: str, case_id: str, repeat: int) -> str:
    """24 hexadecimal digits that only this answer of this run has; all attempts at the answer have
    the same.
    """
    return hashlib.sha256(f"{run_id}\0{case_id}\0{repeat}".encode()).hexdigest()[:24]
