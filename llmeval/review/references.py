"""Labels on references: a person says that the reference of a case is wrong, and what is right.

They are in `reference_labels.jsonl` of the run that was reviewed. A label holds only while the case
is unchanged.
"""

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from llmeval.core.person_names import person_name
from llmeval.core.records import Label, utc_now
from llmeval.review.session import MAX_COMMENT, RefusedVote
from llmeval.store.directory import RunDir
from llmeval.store.labels import (
    REFERENCE,
    REFERENCE_LABELS,
    AnswerKey,
    agreed,
    append,
    current,
    merge,
    read,
    voter_of,
)

MAX_REFERENCES = 50
_VERDICTS: dict[str, Literal["pass", "fail", "unsure", "withdrawn"]] = {
    "right": "pass",
    "wrong": "fail",
    "unsure": "unsure",
}


class StoredAnswer(NamedTuple):
    """An answer to a doubtful case, from one run."""

    candidate: str
    """Name."""
    run_id: str
    text: str
    passed: bool | None
    """Whether it matches the reference; None if nothing compares them."""


class DoubtfulCase(NamedTuple):
    """A case whose reference stored runs speak against."""

    case_id: str
    digest: str
    question: str
    references: tuple[str, ...]
    reason: str
    answers: tuple[StoredAnswer, ...]


class ReferenceVote(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the page sends."""

    label_id: Annotated[str, msgspec.Meta(min_length=8, max_length=64)]
    case_id: str
    verdict: Literal["right", "wrong", "unsure"]
    references: tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=2000)], ...] = ()
    """The references that the case should have."""
    comment: Annotated[str, msgspec.Meta(max_length=MAX_COMMENT)] = ""


class ReferenceSession:
    """One reviewer at work on the doubtful references of a run. Safe to use from several threads.

    `added`: labels written by this session.
    """

    def __init__(self, run: RunDir, reviewer: str, cases: Sequence[DoubtfulCase]) -> None:
        self.reviewer = person_name(reviewer, "--reviewer")
        self.run, self.cases = run, tuple(cases)
        self.added = 0
        self._run_id: str = run.manifest().run_id
        self._digests = {case.case_id: case.digest for case in cases}
        self._lock = threading.Lock()

    def state(self) -> dict[str, Any]:
        """The verdicts of this reviewer, by case."""
        words = {verdict: word for word, verdict in _VERDICTS.items()}
        return {
            place.case_id: words[label.human_verdict]
            for (who, place), label in current(read(self.run.path / REFERENCE_LABELS)).items()
            if who.name == self.reviewer and self._digests.get(place.case_id) == label.output_digest
        }

    def add(self, body: bytes) -> None:
        """Take one vote, as JSON; on the disk when this returns. The same `label_id` again changes
        nothing.

        Raises:
            RefusedVote: malformed, or not about a case of the queue.
            StoreError: it can't be written.
        """
        try:
            vote = msgspec.json.decode(body, type=ReferenceVote)
            "".join((vote.comment, *vote.references)).encode()
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise RefusedVote(400, f"not a vote: {error}") from None
        if vote.case_id not in self._digests:
            raise RefusedVote(404, "this queue has no such case")
        references = tuple(dict.fromkeys(filter(None, map(str.strip, vote.references))))
        if len(references) > MAX_REFERENCES:
            raise RefusedVote(400, f"a case has at most {MAX_REFERENCES} references here")
        with self._lock:
            if any(
                label.label_id == vote.label_id for label in read(self.run.path / REFERENCE_LABELS)
            ):
                return
            append(self.run.path, [self._label(vote, references)], REFERENCE_LABELS)
            self.added += 1

    def comment(self, body: bytes) -> None:
        """A vote on a reference includes its comment, so there are no others.

        Raises:
            RefusedVote: always.
        """
        raise RefusedVote(404, f"no comment of {len(body)} bytes can be kept here")

    def _label(self, vote: ReferenceVote, references: tuple[str, ...]) -> Label:
        return Label(
            label_id=vote.label_id,
            run_id=self._run_id,
            case_id=vote.case_id,
            metric=REFERENCE,
            output_digest=self._digests[vote.case_id],
            human_verdict=_VERDICTS[vote.verdict],
            comment=vote.comment,
            proposed=references if vote.verdict == "wrong" else (),
            reviewer=self.reviewer,
            at=utc_now(),
        )


class ReferenceVerdict(NamedTuple):
    """What people say about the reference of one case."""

    case_id: str
    digest: str
    """Of the case that they read."""
    wrong: tuple[str, ...]
    """Reviewers who call it wrong."""
    right: tuple[str, ...]
    """Reviewers who call it right."""
    proposed: tuple[tuple[str, ...], ...]
    """The different proposals for the references."""
    comments: tuple[str, ...]

    @property
    def obstacle(self) -> str:
        """Why the proposal can't be written into the data; empty if it can."""
        if self.right:
            return f"reviewers differ: {', '.join(self.right)} say that the reference is right"
        if not self.proposed:
            return "nobody wrote the right reference"
        if len(self.proposed) > 1:
            return f"{len(self.proposed)} different references are proposed"
        return ""


def reference_verdicts(folder: Path) -> list[ReferenceVerdict]:
    """The references that people call wrong, by the labels of all runs directly below a folder.

    Raises:
        StoreError: a line is not a label; names file and line.
    """
    runs = sorted(each for each in folder.glob("*") if each.is_dir())
    standing = current(merge(*(read(each / REFERENCE_LABELS) for each in runs)))
    by_case: dict[tuple[str, str], list[Label]] = {}
    for (_, place), label in standing.items():
        if place.metric == REFERENCE:
            by_case.setdefault((place.case_id, label.output_digest), []).append(label)
    verdicts = [_verdict(*key, labels) for key, labels in by_case.items()]
    return sorted((each for each in verdicts if each.wrong), key=lambda each: each.case_id)


def _verdict(case_id: str, digest: str, labels: Iterable[Label]) -> ReferenceVerdict:
    kept = list(labels)
    by = {
        word: tuple(label.reviewer or "(no name)" for label in kept if label.human_verdict == word)
        for word in ("fail", "pass")
    }
    place = AnswerKey(case_id, 0, REFERENCE)
    decided = agreed({(voter_of(label), place): label for label in kept}).verdicts
    return ReferenceVerdict(
        case_id,
        digest,
        wrong=by["fail"],
        right=() if decided.get(place) is False else by["pass"],
        proposed=tuple(dict.fromkeys(label.proposed for label in kept if label.proposed)),
        comments=tuple(label.comment for label in kept if label.comment),
    )


def wrong_references(run: RunDir) -> list[ReferenceVerdict]:
    """The references of a run's cases that people call wrong, by the labels of the run and of the
    runs next to it. Labels of changed cases do not count.
    """
    digests = {case.id: case.digest for case in run.outlines()}
    return [
        each
        for each in reference_verdicts(run.path.resolve().parent)
        if digests.get(each.case_id) == each.digest
    ]
