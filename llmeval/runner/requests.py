"""Makes the request for an answer from a case, with the fields that the candidate reads."""

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
        run_id: the id of the run.
        by_case: whether the model selects its answer by the case's id.
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
    """The fields of a case for a request. Without names, all fields except the right answers, which
    an application must not see.
    """
    if names is not None and not names:
        return {}
    values = case_values(case)
    if names is None:
        return {key: value for key, value in values.items() if key not in _ANSWERS}
    return {key: value for key, value in values.items() if key in names}


def unique_text(run_id: str, case_id: str, repeat: int) -> str:
    """24 hexadecimal digits that are unique to this answer of this run. All attempts at the answer
    have the same digits.
    """
    return hashlib.sha256(f"{run_id}\0{case_id}\0{repeat}".encode()).hexdigest()[:24]
