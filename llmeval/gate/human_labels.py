"""What people decided in a run's labels: it stands in for scores that need review."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from msgspec import structs

from llmeval.core.outcome import Outcome, answer_outcome
from llmeval.core.records import Label, Score, Status
from llmeval.store.directory import LABELS, RunDir, Unit
from llmeval.store.draws import drawn_by_verdict
from llmeval.store.labels import (
    AnswerKey,
    agreed,
    counted,
    read,
    revised,
    text_digest,
    undecided,
)


class PeopleLabels(NamedTuple):
    """What people's labels of a run come to."""

    verdicts: dict[AnswerKey, bool]
    """What they agree on."""
    drawn: frozenset[AnswerKey]
    """Answers that were drawn at random within each verdict, of metrics that have labels."""
    undecided: frozenset[AnswerKey] = frozenset()
    """Answers without a verdict: reviewers differ, nobody is sure, or a drawn answer has no label.
    """
    revised: frozenset[AnswerKey] = frozenset()
    """Answers on which a reviewer changed a verdict; the later one counts."""


def people_of(run: Path) -> tuple[dict[AnswerKey, bool], frozenset[AnswerKey]]:
    """What people agree on in a run's labels, and which answers were drawn (`PeopleLabels`)."""
    labels = labels_of(run)
    return labels.verdicts, labels.drawn


def labels_of(run: Path) -> PeopleLabels:
    """People's labels of a run. An answer counts as drawn only if a recorded draw of the run has
    it: what a label says about itself does not make a random sample. Answers that were drawn
    only to decide a regression are not among the drawn ones: they were drawn by pairs.
    """
    written = _of_these_answers(run, read(run / LABELS))
    labels = counted(written)
    drawn, labelled = drawn_by_verdict(run), {place for _, place in labels}
    random = labelled & drawn.keys()
    # A drawn answer that nobody labelled may be one that a reviewer did not like to judge.
    sampled = {place.metric for place in random}
    blank = frozenset(place for place in drawn if place.metric in sampled) - labelled
    return PeopleLabels(
        agreed(labels).verdicts, blank | random, undecided(labels) | blank, revised(written)
    )


def _of_these_answers(run: Path, written: list[Label]) -> list[Label]:
    """The labels whose answers the run still has. A label of another text says nothing about this
    run: the folder may hold labels of an earlier run of the same cases. A label without a digest is
    from a tool that does not write it, and stays.
    """
    stated = {(label.case_id, label.repeat) for label in written if label.output_digest}
    if not stated:
        return written
    texts = {
        (unit.answer.case_id, unit.answer.repeat): text_digest(unit.answer.text)
        for unit in RunDir(run).units()
        if (unit.answer.case_id, unit.answer.repeat) in stated
    }
    return [
        label
        for label in written
        if label.output_digest in ("", texts.get((label.case_id, label.repeat)))
    ]


def decided_by_people(score: Score, people: Mapping[AnswerKey, bool]) -> Score:
    """A score that needs review, as people decided it; the score itself where they did not, or need
    not.
    """
    if score.status is not Status.NEEDS_REVIEW:
        return score
    passed = people.get(AnswerKey(score.case_id, score.repeat, score.metric))
    if passed is None:
        return score
    status = Status.PASS if passed else Status.FAIL
    return structs.replace(score, status=status, value=float(passed), passed=passed)


AnyUnit = TypeVar("AnyUnit", bound=Unit)
UnitRead = TypeVar("UnitRead", bound=Unit, covariant=True)


@dataclass(frozen=True, slots=True)
class DecidedUnit(Generic[UnitRead]):
    """An answer with its scores as people decided them, and its outcome."""

    unit: UnitRead
    scores: tuple[Score, ...]
    """Those of the unit itself where nobody decided one; else in the same order."""
    outcome: Outcome


def decide_unit(unit: AnyUnit, people: Mapping[AnswerKey, bool]) -> DecidedUnit[AnyUnit]:
    """A unit as people decided it. `people`: as from `people_of`."""
    scores = unit.scores
    if people:
        decided = tuple(decided_by_people(score, people) for score in scores)
        if any(now is not before for now, before in zip(decided, scores, strict=True)):
            scores = decided
    statuses = [score.status for score in scores]
    return DecidedUnit(unit, scores, answer_outcome(unit.answer, statuses))
