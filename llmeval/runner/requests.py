"""Makes the request for an answer from a case, with the fields that the candidate reads."""

import hashlib
from collections.abc import Mapping

from llmeval.core.records import Case, Message
from llmeval.core.templates import case_values
from llmeval.models.base import Model, ReadsCase, Request

_ANSWERS = ("reference", "references")


class CandidateRequests:
    """Makes the requests of a run for its candidate.

    Args:
        model: the candidate.
        run_id: the id of the run.
        by_case: whether the model selects its answer by the case's id.
    """

    def __init__(self, model: Model, run_id: str, *, by_case: bool) -> None:
        # once a run: a check against a protocol goes through all its members
        self._names = model.case_names if isinstance(model, ReadsCase) else frozenset[str]()
        self._unique = self._names is None or "run" in self._names
        self._run_id, self._by_case = run_id, by_case

    def request(self, case: Case, repeat: int, messages: tuple[Message, ...]) -> Request:
        """The request for one answer.

        Args:
            case: the case.
            repeat: number of the repeat, from 0.
            messages: the prompt of the case, rendered.
        """
        return Request(
            messages=messages,
            repeat=repeat,
            case_id=case.id if self._by_case or self._unique else "",
            fields=_fields(case, self._names),
            unique=unique_text(self._run_id, case.id, repeat) if self._unique else "",
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
