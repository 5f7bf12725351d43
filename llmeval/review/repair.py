"""Cases that people's labels speak against: the reference, or the question, needs repair before
another model is blamed.

Evidence comes from all runs of the suite that asked the case in the same words (its digest):

    reference too narrow   people pass answers that the judge or check failed, on at least 2 answers
    and most of those labelled reference too loose    the other way round ambiguous
    reviewers differ on at least 2 answers (or on the only one that was labelled), or 2 votes are
    `unsure`
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from llmeval.core.errors import LlmevalError
from llmeval.core.records import Label
from llmeval.review.intake import answers_of, fits
from llmeval.store.directory import LABELS, RunDir
from llmeval.store.labels import AnswerKey, current, has_labels, read

REPEATED = 2
_LOOK_AT = 200
"""The most directories next to a run that are examined."""


class RepairEvidence(NamedTuple):
    """One case and metric. Counts are of labelled answers, over all runs; `run_ids`: where they
    are.
    """

    case_id: str
    metric: str
    finding: str
    answers: int
    narrow: int
    loose: int
    differ: int
    unsure: int
    comments: tuple[str, ...]
    run_ids: tuple[str, ...]

    @property
    def advice(self) -> str:
        """What to do about it."""
        return _ADVICE[self.finding]


_ADVICE = {
    "reference too narrow": (
        "add the answers that people accept to its references, or rewrite the question"
    ),
    "reference too loose": "state in the reference what people miss in these answers",
    "ambiguous": "rewrite the question so that people agree on what is right, or retire the case",
}


class _Answer(NamedTuple):
    """What was said about one answer in one run."""

    run_id: str
    labels: tuple[Label, ...]

    @property
    def verdict(self) -> str | None:
        """What people say: a decision between them, else what all say; None where they differ or
        nobody is sure.
        """
        decided = [label.human_verdict for label in self.labels if label.adjudication]
        verdicts = {label.human_verdict for label in self.labels if label.human_verdict != "unsure"}
        return decided[-1] if decided else next(iter(verdicts)) if len(verdicts) == 1 else None

    @property
    def differ(self) -> bool:
        """Whether reviewers differ, or had to be decided between."""
        verdicts = {label.human_verdict for label in self.labels if label.human_verdict != "unsure"}
        return len(verdicts) > 1 or any(label.adjudication for label in self.labels)

    def against(self, machine: str) -> bool:
        """Whether people contradict a verdict of `machine` (pass or fail)."""
        return (
            self.verdict in ("pass", "fail")
            and self.verdict != machine
            and self.labels[0].judge_verdict == machine
        )


def evidence(run: RunDir, other_runs: bool = True) -> list[RepairEvidence]:
    """The cases of a run that labels speak against, the strongest evidence first.

    Args:
        run: whose cases are looked at.
        other_runs: whether labels of the suite's runs in neighbouring directories count too.

    Raises:
        UsageError: the run's file of labels has a line that is not a label.
    """
    digests = {case.id: case.digest for case in run.cases()}
    by_case: dict[tuple[str, str], list[_Answer]] = defaultdict(list)
    for other in [run, *(_other_runs(run) if other_runs else ())]:
        for place, answer in _answers(other, digests):
            by_case[place.case_id, place.metric].append(answer)
    weighed = [_weigh(case_id, metric, answers) for (case_id, metric), answers in by_case.items()]
    return sorted(
        filter(None, weighed),
        key=lambda each: (-max(each.narrow, each.loose, each.differ + each.unsure), each),
    )


def _answers(run: RunDir, digests: dict[str, str]) -> Iterator[tuple[AnswerKey, _Answer]]:
    """The labelled answers of a run to cases that ask the same."""
    labels = read(run.path / LABELS)
    if not labels:
        return
    answers, run_id = answers_of(run), run.manifest().run_id
    same = {case.id for case in run.cases() if digests.get(case.id) == case.digest}
    by_place: dict[AnswerKey, list[Label]] = defaultdict(list)
    for (_, place), label in current(labels).items():
        if place.case_id in same and fits(label, answers):
            by_place[place].append(label)
    for place, place_labels in by_place.items():
        yield place, _Answer(run_id, tuple(place_labels))


def _other_runs(run: RunDir) -> Iterable[RunDir]:
    here, suite = run.path.resolve(), run.manifest().suite
    folders = sorted(
        (path for path in here.parent.iterdir() if path.is_dir() and path != here), reverse=True
    )
    for other in map(RunDir, folders[:_LOOK_AT]):
        try:
            if has_labels(other.path / LABELS) and other.manifest().suite == suite:
                read(other.path / LABELS)
                yield other
        except (LlmevalError, KeyError):
            continue  # not ours, or not readable: it says nothing about this run's cases


def _weigh(case_id: str, metric: str, answers: list[_Answer]) -> RepairEvidence | None:
    narrow, loose = (
        sum(answer.against(machine) for answer in answers) for machine in ("fail", "pass")
    )
    differ = sum(answer.differ for answer in answers)
    doubts = [
        label for answer in answers for label in answer.labels if label.human_verdict == "unsure"
    ]
    finding = _finding(narrow, loose, differ, len(doubts), len(answers))
    if finding is None:
        return None
    comments = [label.comment for answer in answers for label in answer.labels if label.comment]
    runs = tuple(dict.fromkeys(answer.run_id for answer in answers))
    return RepairEvidence(
        case_id,
        metric,
        finding,
        len(answers),
        narrow,
        loose,
        differ,
        len(doubts),
        tuple(dict.fromkeys(comments)),
        runs,
    )


def _finding(narrow: int, loose: int, differ: int, unsure: int, answers: int) -> str | None:
    if differ >= REPEATED or unsure >= REPEATED or (differ and unsure):
        return "ambiguous"
    if narrow >= REPEATED and 2 * narrow > answers:
        return "reference too narrow"
    if loose >= REPEATED and 2 * loose > answers:
        return "reference too loose"
    return "ambiguous" if differ and answers == 1 else None


def plain(evidence_: RepairEvidence) -> dict[str, Any]:
    """As plain values, for machines."""
    return {**evidence_._asdict(), "advice": evidence_.advice}
