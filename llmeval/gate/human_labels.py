"""What people decided in a run's labels: it stands in for scores that need review."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import structs

from llmeval.core.records import Score, Status
from llmeval.store.directory import LABELS
from llmeval.store.labels import AnswerKey, agreed, current, read

_DRAWN = ("random", "stratified")
"""How labels are sampled that say something of the answers without one."""


def people_of(run: Path) -> tuple[dict[AnswerKey, bool], frozenset[AnswerKey]]:
    """What people agree on in a run's labels, and what of it came before them by a random draw."""
    labels = current(read(run / LABELS))
    drawn = frozenset(place for (_, place), label in labels.items() if label.sampling in _DRAWN)
    return agreed(labels).verdicts, drawn


def decided_by_people(score: Score, people: Mapping[AnswerKey, bool]) -> Score:
    """A score that needs review, as people decided it; the score itself where they did not, or need
    not.
    """
    if score.status is not Status.OPEN:
        return score
    passed = people.get(AnswerKey(score.case_id, score.repeat, score.metric))
    if passed is None:
        return score
    status = Status.PASS if passed else Status.FAIL
    return structs.replace(score, status=status, value=float(passed), passed=passed)
