"""A row of the report: one answer, and the baseline's answer to the same case."""

from dataclasses import dataclass

from llmeval.core.outcome import Outcome
from llmeval.core.records import Case, Score
from llmeval.gate.human_labels import DecidedUnit
from llmeval.store.units import StoredUnit, UnitReader


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One (case, repeat) of the run."""

    case: Case
    now: StoredUnit
    """As recorded."""
    scores: tuple[Score, ...]
    """As people decided them, in the same order."""
    outcome: Outcome
    before: StoredUnit | None = None
    """The baseline's answer to a case of the same id; None where it has none."""
    case_changed: bool = False
    """Whether the baseline's case asked something else."""


def row_of(decided: DecidedUnit[StoredUnit], baseline: UnitReader | None = None) -> ReportRow:
    """A row from an answer and the baseline's open records."""
    unit = decided.unit
    case, before = unit.case, None
    if baseline is not None:
        before = baseline.unit((case.id, unit.answer.repeat))
    changed = before is not None and before.case.digest != case.digest
    return ReportRow(case, unit, decided.scores, decided.outcome, before, changed)
