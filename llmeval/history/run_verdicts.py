"""The verdicts of a run as vectors, taken while its records are read."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from llmeval.core.manifest import Manifest
from llmeval.core.records import Status
from llmeval.gate.human_labels import DecidedUnit
from llmeval.history.verdicts import (
    BY_STATUS,
    CaseKey,
    CaseList,
    Vector,
    Verdict,
    case_key,
    case_list,
)
from llmeval.store.directory import LABELS, CaseOutline
from llmeval.store.labels import AnswerKey
from llmeval.store.people_files import stamp_of_files
from llmeval.store.units import StoredUnit

_MISSING_VALUE = float("nan")


class ScoreLike(Protocol):
    """What a verdict needs of a score."""

    @property
    def case_id(self) -> str:
        """The case."""

    @property
    def repeat(self) -> int:
        """Which answer of the case."""

    @property
    def metric(self) -> str:
        """The metric."""

    @property
    def status(self) -> Status:
        """How it came out."""

    @property
    def value(self) -> float | None:
        """Its value in [0, 1]; None without one."""


class RunVerdicts:
    """Takes the cases of a run, then its answers with their scores.

    Args:
        path: the run's directory.
        manifest: of the run.
    """

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self._path, self._manifest = path, manifest
        self._labels = stamp_of_files(path / LABELS)
        self._outlines: dict[str, CaseKey] = {}
        self._list: CaseList | None = None
        self._places: Mapping[str, int] = {}
        self._columns: dict[str, _Column] = {}

    @property
    def cases(self) -> CaseList:
        """The cases. Asked for after the last case was taken."""
        if self._list is None:
            self._list = case_list(self._outlines)
            self._outlines = {}
            self._places = self._list.places()
        return self._list

    @property
    def are_current(self) -> bool:
        """Whether the labels are those of the time when the first case was taken."""
        return stamp_of_files(self._path / LABELS) == self._labels

    def add_case(self, case: CaseOutline) -> None:
        """Take a case; of one that comes twice the last one counts."""
        self._outlines[case.id] = case_key(case.digest, case.cluster)

    def take(self, decided: DecidedUnit[StoredUnit]) -> None:
        """Take an answer with its scores as people decided them."""
        if decided.scores:
            self.put(decided.scores, {})

    def put(self, block: Iterable[ScoreLike], people: Mapping[AnswerKey, bool]) -> None:
        """Take the scores of one answer. Of two blocks of an answer the last one counts.

        Args:
            block: at least one score, all of one answer.
            people: what people decided about scores that need review.
        """
        scores = list(block)
        repeats, size = self._manifest.repeats, len(self.cases.ids) * self._manifest.repeats
        place, repeat = self._places.get(scores[0].case_id), scores[0].repeat
        if place is None or not 0 <= repeat < repeats:
            return
        at = place * repeats + repeat
        for column in self._columns.values():
            column.verdicts[at] = Verdict.NOT_RUN
        for score in scores:
            if score.metric not in self._columns:
                self._columns[score.metric] = _Column(size)
            self._columns[score.metric].take(at, score, people)

    def vectors(self) -> Iterator[Vector]:
        """A vector for each metric, sorted by its name."""
        manifest, repeats = self._manifest, self._manifest.repeats
        digest = self.cases.digest
        aside = [self._places[name] for name in manifest.quarantined if name in self._places]
        for metric in sorted(self._columns):
            column = self._columns[metric]
            for place in aside:
                begin = place * repeats
                column.verdicts[begin : begin + repeats] = bytes([Verdict.QUARANTINED]) * repeats
            values = tuple(column.values) if column.graded else ()
            yield Vector(manifest.run_id, metric, digest, repeats, bytes(column.verdicts), values)


class _Column:
    """The verdicts of one metric while they are read."""

    def __init__(self, size: int) -> None:
        self.verdicts = bytearray([Verdict.NOT_RUN]) * size
        self.values = [_MISSING_VALUE] * size
        self.graded = False
        """Whether a value is another than 0 for fail and 1 for pass."""

    def take(self, at: int, score: ScoreLike, people: Mapping[AnswerKey, bool]) -> None:
        """Take a score for the place of its answer."""
        verdict, value = BY_STATUS[score.status], score.value
        if verdict is Verdict.NEEDS_REVIEW and people:
            decided = people.get(AnswerKey(score.case_id, score.repeat, score.metric))
            if decided is not None:
                verdict, value = Verdict(int(decided)), float(decided)
        self.verdicts[at] = verdict
        if value is not None and verdict <= Verdict.PASS:
            self.values[at] = value
            self.graded = self.graded or value != verdict
