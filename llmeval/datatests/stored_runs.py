"""D016 and D022: what the stored runs of a suite say about its references.

D016 ranks the cases whose reference most candidates miss. D022 lists the cases that every candidate
passes. Both use the scores of runs on disk, and call nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from llmeval.core.errors import StoreError
from llmeval.core.outcome import Outcome, answer_outcome
from llmeval.core.records import Answer, Score, Status
from llmeval.datatests.doubt import Doubt, doubt
from llmeval.datatests.findings import CasePlace, DataFinding, SuiteCase, finding
from llmeval.history.runs import recorded
from llmeval.store.directory import RunDir

CANDIDATES = 3
"""The fewest different candidates for D016."""
MISSED_SHARE = 0.75
"""The share of candidates that miss the reference, from which D016 always reports a case."""
ALIKE_SHARE = 0.5
"""The share from which it reports a case if the missing answers are also alike or close."""
ALIKE = 0.8
"""The doubt for each candidate from which answers count as alike or close."""
RUNS = 10
"""The fewest runs for D022."""
MOST_RUNS = 50
"""The newest runs that are read."""
MOST_CHARS = 2000
"""Characters of an answer that are kept."""


@dataclass(slots=True)
class CaseHistory:
    """The results of one case, by digest of the candidate. The newest answer of each counts."""

    missed: dict[str, bool] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    """The answers that miss the reference."""
    runs: int = 0
    passed: int = 0

    @property
    def share(self) -> float:
        """The share of candidates that miss the reference."""
        return sum(self.missed.values()) / len(self.missed)

    def suspect(self, level: Doubt) -> bool:
        """Whether D016 reports the case."""
        n = len(self.missed)
        if n < CANDIDATES:
            return False
        alike = level.total >= ALIKE * n
        return self.share >= MISSED_SHARE or (self.share >= ALIKE_SHARE and alike)

    def rank(self, level: Doubt) -> tuple[float, float]:
        """The order of the findings: the doubt for each candidate, then the share that misses."""
        return level.total / len(self.missed), self.share


def misses_reference(scores: tuple[Score, ...]) -> bool | None:
    """Whether an answer misses the reference by its scores; None if nothing compares them.

    The checks on content decide; without one, the judges.
    """
    by_check = [
        score.status is Status.FAIL
        for score in scores
        if score.source == "check"
        and score.metric.partition("#")[0] in _CONTENT
        and score.status in (Status.PASS, Status.FAIL)
    ]
    judged = [
        score.status is Status.FAIL
        for score in scores
        if score.source != "check" and score.status in (Status.PASS, Status.FAIL)
    ]
    marks = by_check or judged
    return any(marks) if marks else None


_CONTENT = frozenset(
    "facts equals exact_match choice json_equals contains icontains token_f1 rouge_n rouge_l bleu"
    " chrf levenshtein".split()
)
"""Metrics of checks that compare an answer with a reference."""


class StoredRuns:
    """D016 and D022, from the runs below a folder.

    Args:
        suite: the suite's name.
        reports: the folder of the runs; None: no run is read.
    """

    def __init__(self, suite: str, reports: Path | None) -> None:
        self._suite, self._reports = suite, reports
        self._places: dict[str, CasePlace] = {}
        self._references: dict[str, tuple[str, tuple[str, ...]]] = {}
        """By digest, the question and the references; only of cases that have a reference."""
        self._damaged: list[tuple[Path, str]] = []
        self.runs = 0
        """After `findings`: the runs that were read."""

    def add(self, case: SuiteCase) -> None:
        """See `DataTest`."""
        self._places[case.case.digest] = case.place
        if self._reports is not None and (case.case.references or case.case.facts):
            self._references[case.case.digest] = case.question, case.references

    def findings(self) -> Iterator[DataFinding]:
        """Suspect references, the most suspect first; then the cases that all candidates pass."""
        histories = self._histories()
        for path, reason in self._damaged:
            yield DataFinding(
                rule="D016",
                level="info",
                cases=(),
                file=str(path),
                line=None,
                message=f"a stored run can't be read, so it counts in part or not at all: {reason}",
                fix="Remove the run, or restore its files",
            )
        for _, level, digest in self._suspects(histories):
            history = histories[digest]
            yield finding(
                "D016",
                "info",
                [self._places[digest]],
                f"reference doubtful: {sum(history.missed.values())} of {len(history.missed)}"
                f" candidates miss it in stored runs{_words_of(level)}",
                "Compare the reference with the answers (`llmeval review RUN --doubtful`); correct"
                " it, or accept the finding",
            )
        passing = [
            self._places[digest]
            for digest, history in histories.items()
            if history.runs >= RUNS and history.passed == history.runs
        ]
        if passing:
            yield finding(
                "D022",
                "info",
                passing,
                f"{len(passing):,} cases can't discriminate: every candidate passed them in at"
                f" least {RUNS} runs",
                "Keep them as a smoke test, or replace them with harder cases",
            )

    def _suspects(
        self, histories: dict[str, CaseHistory]
    ) -> list[tuple[tuple[float, float], Doubt, str]]:
        """(rank, doubt, digest) of each suspect case, the most doubtful first."""
        suspects = []
        for digest, (question, references) in self._references.items():
            history = histories.get(digest)
            if history is None or not history.missed:
                continue
            level = doubt(question, references, history.texts)
            if history.suspect(level):
                suspects.append((history.rank(level), level, digest))
        return sorted(suspects, reverse=True)

    def _histories(self) -> dict[str, CaseHistory]:
        histories: dict[str, CaseHistory] = {}
        if self._reports is None:
            return histories
        for path, manifest, _ in recorded(self._reports):
            if manifest.suite != self._suite:
                continue
            if self.runs >= MOST_RUNS:
                break
            self.runs += 1
            try:
                self._read(RunDir(path), manifest.digests.candidate, histories)
            except StoreError as error:
                self._damaged.append((path, str(error)))
        return histories

    def _read(self, run: RunDir, candidate: str, histories: dict[str, CaseHistory]) -> None:
        """Add one run. Repeats of a case count as one: it passes if all of them pass."""
        passed: dict[str, bool] = {}
        for unit in run.units():
            digest = unit.case.digest
            if digest not in self._places or unit.answer.output is None:
                continue
            history = histories.setdefault(digest, CaseHistory())
            _count_answer(history, candidate, unit.answer, unit.scores)
            whole = _passes(unit.answer, unit.scores)
            passed[digest] = passed.get(digest, True) and whole
        for digest, whole in passed.items():
            histories[digest].runs += 1
            histories[digest].passed += whole


def _passes(answer: Answer, scores: tuple[Score, ...]) -> bool:
    return answer_outcome(answer, [score.status for score in scores]) is Outcome.PASS


def _count_answer(
    history: CaseHistory, candidate: str, answer: Answer, scores: tuple[Score, ...]
) -> None:
    missed = misses_reference(scores)
    if missed is None or candidate in history.missed:
        return
    history.missed[candidate] = missed
    if missed:
        history.texts.append(answer.text[:MOST_CHARS])


def _words_of(level: Doubt) -> str:
    parts = [(level.alike, "have a word in common"), (max(level[1:]), "have words of it")]
    sentences = [f"{count} {what}" for count, what in parts if count > 1]
    return f"; {', '.join(sentences)}" if sentences else ""
