"""The cases that most deserve a look, read once, in the order a person wants them."""

import heapq
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from llmeval.core.outcome import Outcome, answer_outcome, status_outcome
from llmeval.core.records import Score, Status
from llmeval.gate.human_labels import decided_by_people, people_of
from llmeval.store.directory import RunDir, Unit
from llmeval.store.labels import AnswerKey


@dataclass(frozen=True, order=True)
class FailingCase:
    """One answer that did not pass.

    `rank`: missing ones first, then those that failed most, then those that a person has to decide.
    `source`: file and line of the case.
    """

    rank: tuple[int, float, str, int]
    case_id: str
    repeat: int
    metrics: tuple[str, ...]
    reason: str
    output: str
    question: str
    outcome: Outcome
    source: str = ""


def worst_cases(run: RunDir, limit: int, without: Collection[str] = ()) -> list[FailingCase]:
    """At most `limit` cases that did not pass, the most serious first; `without`: ids of cases that
    do not count.
    """
    return heapq.nsmallest(limit, _troubles(run, without))


def _troubles(run: RunDir, without: Collection[str]) -> Iterator[FailingCase]:
    people, manifest = people_of(run.path)[0], run.manifest()
    stopped = manifest.status == "complete" and manifest.gate.stop == "early"
    for unit in run.units():
        trouble = _trouble(unit, people) if unit.case.id not in without else None
        if trouble is not None and not (stopped and trouble.outcome is Outcome.NOT_SCORED):
            yield trouble  # what was cut off when every rule was decided is no trouble


def _trouble(unit: Unit, people: Mapping[AnswerKey, bool]) -> FailingCase | None:
    scores = [decided_by_people(score, people) for score in unit.scores]
    outcome = answer_outcome(unit.answer, (score.status for score in scores))
    if outcome is Outcome.PASS:
        return None
    if not scores:
        error = unit.answer.error
        reason = "not scored yet" if error is None else f"{error.kind}: {error.message}"
        return _make(unit, outcome, 1.0, (), reason)
    named = [score for score in scores if status_outcome(score.status) is outcome]
    severity = sum(1 - (score.value or 0.0) for score in named) if outcome is Outcome.FAIL else 1.0
    reason = "; ".join(map(_reason, named)) or "no check or judge applies to this case"
    return _make(unit, outcome, severity, tuple(score.metric for score in named), reason)


def _reason(score: Score) -> str:
    told = score.reason if score.status is Status.FAIL else score.unscored
    return f"{score.metric}: {told}" if told else score.metric


_ORDER = {
    Outcome.ERROR: 0,
    Outcome.UNSCORED: 1,
    Outcome.NOT_SCORED: 1,
    Outcome.FAIL: 2,
    Outcome.OPEN: 3,
}


def _make(
    unit: Unit, outcome: Outcome, severity: float, metrics: tuple[str, ...], reason: str
) -> FailingCase:
    answer = unit.answer
    return FailingCase(
        rank=(_ORDER[outcome], -severity, answer.case_id, answer.repeat),
        case_id=answer.case_id,
        repeat=answer.repeat,
        metrics=metrics,
        reason=reason,
        output=answer.text[:4000],
        question=_question(unit)[:4000],
        outcome=outcome,
        source=unit.case.source,
    )


def _question(unit: Unit) -> str:
    case = unit.case
    for key in ("question", "instruction", "prompt", "input", "query"):
        if isinstance(case.fields.get(key), str):
            return str(case.fields[key])
    return next((m.content for m in reversed(case.messages) if m.role == "user"), "")
