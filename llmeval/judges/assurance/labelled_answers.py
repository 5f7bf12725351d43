"""Labelled answers, which a judge is measured on. They come from a file with their texts, or from a
run.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from llmeval.core.conversation import sent_before
from llmeval.core.errors import UsageError
from llmeval.core.records import Answer, Case, Message
from llmeval.core.thresholds import RANDOM_SAMPLING
from llmeval.store.directory import RunDir

WORDS = {
    **dict.fromkeys(("pass", "correct", "yes", "true", True), True),
    **dict.fromkeys(("fail", "incorrect", "partially_correct", "no", "false", False), False),
}
BANK = "bank"


@dataclass(frozen=True)
class LabelledAnswer:
    """One answer and its human labels.

    `people`: verdict by reviewer. `decided`: an adjudicator's verdict. `arm`: the system that gave
    the answer. `sampling`: random or stratified (drawn from a run, with `probability`), bank
    (written or collected by hand) or triage (picked because it looked odd).
    """

    case: Case
    asked: tuple[Message, ...]
    answer: Answer
    people: Mapping[str, bool]
    decided: bool | None = None
    arm: str = ""
    slices: Mapping[str, str] = field(default_factory=dict)
    sampling: str = BANK
    probability: float | None = None
    blind: bool | None = None
    system: str = ""
    """`Digests.system` of the run that has the answer; empty for an answer from a file."""

    @property
    def verdict(self) -> bool | None:
        """The final human verdict; None while people disagree."""
        if self.decided is not None:
            return self.decided
        votes = set(self.people.values())
        return votes.pop() if len(votes) == 1 else None

    @property
    def weight(self) -> float:
        """How many of the run's answers this one represents."""
        return 1.0 if self.probability is None else 1.0 / self.probability


class _Row(msgspec.Struct, frozen=True):
    case_id: str
    output: str
    human_verdict: str | bool
    question: str | None = None
    references: tuple[str, ...] = ()
    context: str | None = None
    reviewer: str = ""
    arm: str = ""
    system: str = ""
    kind: str = ""
    tags: dict[str, str] = {}
    sampling: str = BANK
    probability: float | None = None
    blind: bool | None = None
    adjudication: bool = False


_ROW = msgspec.json.Decoder(_Row)
Asked = Callable[[Case], tuple[Message, ...]]


def from_file(path: Path, cases: Mapping[str, Case], messages_of: Asked) -> list[LabelledAnswer]:
    """The labelled answers of a JSONL file with one label on each line: `case_id`, `output`,
    `human_verdict` (pass, fail, correct, incorrect...), and `question`, `references`, `context` if
    the suite does not have the case. Optional: `reviewer`, `arm`, `kind` and `tags` (slices),
    `sampling`, `probability`, `blind`, `adjudication`. Lines with the same case_id and output are
    labels of the same answer.

    Args:
        path: the file.
        cases: the suite's cases, by id.
        messages_of: gives the messages that the candidate gets for a case.

    Raises:
        UsageError: a line is wrong; names file and line.
    """
    if not path.exists():
        raise UsageError(f"{path}: no such file of labels")
    rows: dict[tuple[str, str, str], list[_Row]] = {}
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        row = _row(line, f"{path}:{number}", cases)
        if row is not None:
            rows.setdefault((row.case_id, row.output, row.arm or row.system), []).append(row)
    return [_item(group, cases, messages_of) for group in rows.values()]


def _row(line: bytes, where: str, cases: Mapping[str, Case]) -> _Row | None:
    """One line; None for the verdict `unsure`."""
    try:
        row = _ROW.decode(line)
    except msgspec.DecodeError as error:
        raise UsageError(
            f"{where}: not a labelled answer: {error}. A line needs case_id, output and"
            " human_verdict; for the labels of a run give the run's directory instead"
        ) from None
    if row.human_verdict in ("unsure", "withdrawn"):
        return None
    if row.human_verdict not in WORDS:
        raise UsageError(
            f"{where}: human_verdict is {row.human_verdict!r}; write pass, fail or unsure"
        )
    if row.question is None and row.case_id not in cases:
        raise UsageError(
            f"{where}: the suite has no case {row.case_id!r}, and the line has no question"
        )
    if row.probability is not None and not 0 < row.probability <= 1:
        raise UsageError(f"{where}: probability is {row.probability}; write a number in (0, 1]")
    if row.sampling in RANDOM_SAMPLING and row.probability is None:
        raise UsageError(
            f"{where}: sampling is {row.sampling}, so the line needs `probability`: the"
            " probability with which the answer was drawn"
        )
    return row


def _item(rows: list[_Row], cases: Mapping[str, Case], messages_of: Asked) -> LabelledAnswer:
    first = rows[0]
    case = cases.get(first.case_id)
    if case is None or (
        first.question is not None and first.question != case.fields.get("question")
    ):
        case = Case(first.case_id, {"question": first.question}, first.references, first.context)
    elif first.references:
        case = msgspec.structs.replace(case, references=first.references)
    decided = [WORDS[row.human_verdict] for row in rows if row.adjudication]
    return LabelledAnswer(
        case=case,
        asked=messages_of(case),
        answer=Answer(case_id=case.id, output=first.output),
        people={row.reviewer: WORDS[row.human_verdict] for row in rows if not row.adjudication},
        decided=decided[-1] if decided else None,
        arm=first.arm or first.system,
        slices={**case.tags, **({"kind": first.kind} if first.kind else {}), **first.tags},
        sampling=first.sampling,
        probability=first.probability,
        blind=first.blind,
    )


@dataclass(frozen=True)
class HumanLabel:
    """One person's label of one answer of a run, with the fields that measuring a judge needs."""

    case_id: str
    repeat: int
    reviewer: str
    verdict: bool
    adjudication: bool
    sampling: str
    probability: float | None
    blind: bool


def from_run(
    run: RunDir, human_labels: Iterable[HumanLabel], messages_of: Asked
) -> list[LabelledAnswer]:
    """The labelled answers of a run; the arm is the run's candidate."""
    labels: dict[tuple[str, int], list[HumanLabel]] = {}
    for each in human_labels:
        labels.setdefault((each.case_id, each.repeat), []).append(each)
    manifest = run.manifest()
    arm, system = manifest.candidate.name, manifest.digests.system
    items = []
    for unit in run.units():
        group = labels.get((unit.case.id, unit.answer.repeat))
        if not group or unit.answer.output is None:
            continue
        best = min(group, key=lambda each: each.sampling not in RANDOM_SAMPLING)
        decided = [each.verdict for each in group if each.adjudication]
        items.append(
            LabelledAnswer(
                case=unit.case,
                asked=sent_before(messages_of(unit.case), unit.answer),
                answer=unit.answer,
                people={each.reviewer: each.verdict for each in group if not each.adjudication},
                decided=decided[-1] if decided else None,
                arm=arm,
                system=system,
                slices=unit.case.tags,
                sampling=best.sampling,
                probability=best.probability,
                blind=all(each.blind for each in group),
            )
        )
    return items


def provenance(items: Iterable[LabelledAnswer]) -> dict[str, object]:
    """Where labels came from, and which conclusions their source allows."""
    kept = list(items)
    sampling: dict[str, int] = {}
    for item in kept:
        sampling[item.sampling] = sampling.get(item.sampling, 0) + 1
    random = all(item.sampling in RANDOM_SAMPLING for item in kept)
    if random:
        allows = "Drawn at random from runs: the figures apply to answers like those of these runs."
    else:
        allows = (
            "Not drawn at random: the judge's sensitivity and specificity are measured on these"
            " answers only. It is an assumption that they apply to the answers of a run. No pass"
            " rate of a run can be estimated from these labels alone."
        )
    reviewers = sorted({name for item in kept for name in item.people})
    return {
        "random": random,
        "allows": allows,
        "sampling": sampling,
        "reviewers": len(reviewers),
        "blind": sum(bool(item.blind) for item in kept),
        "blind_unknown": sum(item.blind is None for item in kept),
    }
