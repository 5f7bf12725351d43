"""The cases that did not pass, the most serious first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from llmeval.core.conversation import sent_before, transcript
from llmeval.core.manifest import Manifest
from llmeval.core.metric_ref import owner_of
from llmeval.core.outcome import Outcome, status_outcome
from llmeval.core.question import shown_question
from llmeval.core.records import Case, Score, Status
from llmeval.core.results import Summary
from llmeval.gate.human_labels import DecidedUnit, decide_unit, people_of
from llmeval.store.directory import RunDir, Unit
from llmeval.store.units import UnitReader

MAX_CASES = 1000
"""Cases that a pass over a run keeps for the reports."""
_COMPARED = 50
"""Of those, the ones whose answer in the baseline is read."""
_MAX_TEXT = 4000


@dataclass(frozen=True)
class FailingCase:
    """One answer that did not pass.

    `rank`: missing ones first, then those that failed most, then those that a person has to decide.
    `source`: file and line of the case. `reasons`: by metric, those without one left out.
    `expected`: the references of the case, or its facts; empty where it has neither. `before`: the
    baseline's answer, None where it has none or it was not read.
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
    reasons: Mapping[str, str] = field(default_factory=dict)
    expected: str = ""
    before: str | None = None
    digest: str = ""
    """Of the case's content."""


class FailingCases:
    """Collects the most serious cases that did not pass, in one pass over a run's answers.

    Args:
        manifest: the run's.
        most: how many are kept.
    """

    def __init__(self, manifest: Manifest, most: int) -> None:
        self._most, self._without = most, manifest.quarantined
        self._stops_early = manifest.may_stop
        self._counted = _Smallest(most)
        self._cut_off = _Smallest(most)

    def take(self, decided: DecidedUnit[Unit]) -> None:
        """Take an answer."""
        unit, outcome = decided.unit, decided.outcome
        if outcome is Outcome.PASS or unit.case.id in self._without:
            return
        cut_off = self._stops_early and outcome is Outcome.NOT_SCORED
        (self._cut_off if cut_off else self._counted).add(failing_case(decided))

    def worst_first(self, summary: Summary) -> list[FailingCase]:
        """The cases, the most serious first.

        Args:
            summary: of the run. Where every rule was decided before the last answer, answers that
                their judge has not seen are not failing: they were not needed.
        """
        cases = self._counted.sorted()
        if not summary.counts.not_needed:
            both = (*cases, *self._cut_off.sorted())
            cases = sorted(both, key=lambda case: case.rank)[: self._most]
        return cases


def with_baseline_answers(
    failing: Sequence[FailingCase], baseline: RunDir | None
) -> list[FailingCase]:
    """The cases, the first of them with the baseline's answer to a case of the same content.

    Raises:
        StoreError: a file of the baseline's run was changed, or is not of llmeval.
    """
    if baseline is None or not failing:
        return list(failing)
    with baseline.open() as units:
        return [
            *(_with_answer(case, units) for case in failing[:_COMPARED]),
            *failing[_COMPARED:],
        ]


def _with_answer(case: FailingCase, baseline: UnitReader) -> FailingCase:
    unit = baseline.unit((case.case_id, case.repeat))
    same = unit is not None and unit.answer.error is None and unit.case.digest == case.digest
    return replace(case, before=unit.answer.text[:_MAX_TEXT]) if unit and same else case


def failing_cases(
    run: RunDir, manifest: Manifest, summary: Summary, most: int
) -> list[FailingCase]:
    """At most `most` cases of a run that did not pass, the most serious first, in one pass over its
    records.

    Raises:
        StoreError: a file of the run was changed, or is not of llmeval.
    """
    cases, people = FailingCases(manifest, most), people_of(run.path)[0]
    for unit in run.units():
        cases.take(decide_unit(unit, people))
    return cases.worst_first(summary)


class _Smallest:
    """The cases with the smallest ranks. It holds up to twice as many, so that it sorts rarely."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: list[FailingCase] = []

    def add(self, case: FailingCase) -> None:
        """Take a case."""
        if len(self._kept) >= 2 * self._most:
            self._kept = self.sorted()
        self._kept.append(case)

    def sorted(self) -> list[FailingCase]:
        """The cases, the smallest rank first."""
        return sorted(self._kept, key=lambda case: case.rank)[: self._most]


def failing_case(decided: DecidedUnit[Unit]) -> FailingCase:
    """A case that did not pass, as the reports show it."""
    unit, outcome, scores = decided.unit, decided.outcome, decided.scores
    answer = unit.answer
    named = [score for score in scores if status_outcome(score.status) is outcome]
    severity = 1.0
    if outcome is Outcome.FAIL:
        severity = sum(1 - (score.value or 0.0) for score in named)
    if scores:
        metrics = [score.metric for score in named]
        # The reason of a check names its parts already.
        whole = [score for score in named if owner_of(score.metric, metrics) is None]
        reason = "; ".join(map(_reason, whole)) or "no check or judge applies to this case"
    elif answer.error is not None:
        reason = f"{answer.error.kind}: {answer.error.message}"
    else:
        reason = "not scored yet"
    return FailingCase(
        rank=(_ORDER[outcome], -severity, answer.case_id, answer.repeat),
        case_id=answer.case_id,
        repeat=answer.repeat,
        metrics=tuple(score.metric for score in named),
        reason=reason,
        output=answer.text[:_MAX_TEXT],
        question=_sent(unit)[:_MAX_TEXT],
        outcome=outcome,
        source=unit.case.source,
        reasons={score.metric: _reason(score) for score in named},
        expected=_expected(unit.case)[:_MAX_TEXT],
        digest=unit.case.digest,
    )


def _expected(case: Case) -> str:
    """The references, else the values of the facts, else nothing."""
    facts = [fact.get("value") for fact in case.facts]
    stated = [str(fact) for fact in facts if isinstance(fact, str | int | float)]
    return " | ".join(case.references or stated)


def _sent(unit: Unit) -> str:
    """What the candidate was sent: the question of the case, or the conversation before the
    answer.
    """
    if unit.answer.turns:
        return transcript(sent_before((), unit.answer))
    return shown_question(unit.case)


def _reason(score: Score) -> str:
    reason = score.reason if score.status is Status.FAIL else score.unscored
    return f"{score.metric}: {reason}" if reason else score.metric


_ORDER = {
    Outcome.ERROR: 0,
    Outcome.UNSCORED: 1,
    Outcome.NOT_SCORED: 1,
    Outcome.FAIL: 2,
    Outcome.NEEDS_REVIEW: 3,
}
