"""The cases that most deserve a look, read once, in the order a person wants them."""

import heapq
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from llmeval.records import Status
from llmeval.rundir import RunDir, Unit


@dataclass(frozen=True, order=True)
class Trouble:
    """One case that did not pass. `rank`: lost ones first, then those that failed most. `source`: file and line of the case."""

    rank: tuple[int, float, str, int]
    case_id: str
    repeat: int
    metrics: tuple[str, ...]
    reason: str
    output: str
    question: str
    kind: str
    source: str = ""


def worst_cases(run: RunDir, limit: int, without: Collection[str] = ()) -> list[Trouble]:
    """At most `limit` cases that did not pass, the most serious first; `without`: ids of cases that do not count."""
    return heapq.nsmallest(limit, _troubles(run, without))


def _troubles(run: RunDir, without: Collection[str]) -> Iterator[Trouble]:
    for unit in run.units():
        trouble = _trouble(unit) if unit.case.id not in without else None
        if trouble is not None:
            yield trouble


def _trouble(unit: Unit) -> Trouble | None:
    answer = unit.answer
    if answer.error is not None and not unit.scores:
        return _make(unit, 0, 1.0, "error", (), f"{answer.error.kind}: {answer.error.message}")
    lost = [s for s in unit.scores if s.status in (Status.ERROR, Status.UNSCORED)]
    if lost:
        kind = "error" if any(s.status is Status.ERROR for s in lost) else "unscored"
        reason = "; ".join(f"{s.metric}: {s.unscored}" for s in lost)
        return _make(unit, 1, 1.0, kind, tuple(s.metric for s in lost), reason)
    failed = [s for s in unit.scores if s.status is Status.FAIL]
    if not failed:
        return None
    severity = sum(1 - (s.value or 0.0) for s in failed)
    reason = "; ".join(f"{s.metric}: {s.reason}" if s.reason else s.metric for s in failed)
    return _make(unit, 2, severity, "failed", tuple(s.metric for s in failed), reason)


def _make(unit: Unit, order: int, severity: float, kind: str, metrics: tuple[str, ...], reason: str) -> Trouble:
    answer = unit.answer
    return Trouble(
        rank=(order, -severity, answer.case_id, answer.repeat),
        case_id=answer.case_id,
        repeat=answer.repeat,
        metrics=metrics,
        reason=reason,
        output=answer.text[:4000],
        question=_question(unit)[:4000],
        kind=kind,
        source=unit.case.source,
    )


def _question(unit: Unit) -> str:
    case = unit.case
    for key in ("question", "instruction", "prompt", "input", "query"):
        if isinstance(case.fields.get(key), str):
            return str(case.fields[key])
    return next((m.content for m in reversed(case.messages) if m.role == "user"), "")
