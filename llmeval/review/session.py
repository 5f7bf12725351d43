"""One reviewer at work on one run: votes come in, are held against the run, and become labels.

The page says what the person did; what it can't know or should not decide (whose vote, what the
judge said, how the answer was drawn, when) is filled in here.
"""

import threading
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec

from llmeval.core.errors import UsageError
from llmeval.core.person_names import person_name
from llmeval.core.records import Label, utc_now
from llmeval.review.intake import AnswerStatus, fits
from llmeval.review.queue import VERDICTS, ReviewQueue
from llmeval.store.directory import LABELS, RunDir, UnitKey
from llmeval.store.labels import AnswerKey, Conflict, agreed, append, current, place_of, read

MAX_COMMENT = 4000


class ReviewVote(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the page sends. `output_digest`: of the text the person read."""

    label_id: Annotated[str, msgspec.Meta(min_length=8, max_length=64)]
    case_id: str
    repeat: Annotated[int, msgspec.Meta(ge=0)] = 0
    metric: str
    output_digest: Annotated[str, msgspec.Meta(max_length=100)] = ""
    human_verdict: Literal["pass", "fail", "unsure", "withdrawn"]
    comment: Annotated[str, msgspec.Meta(max_length=MAX_COMMENT)] = ""
    blind: bool = False
    adjudication: bool = False


class RefusedVote(UsageError):
    """A vote that can't be taken. `status`: 400 it is malformed, 404 it is about nothing here, 409
    things have changed.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class ReviewSession:
    """A reviewer's view of a run's labels, and the way to add to them. Safe to use from several
    threads.

    `added`: labels written by this session.
    """

    def __init__(
        self,
        run: RunDir,
        reviewer: str,
        answers: Mapping[UnitKey, AnswerStatus],
        queue: ReviewQueue,
    ) -> None:
        self.run, self.reviewer, self.queue = run, person_name(reviewer, "--reviewer"), queue
        self.added = 0
        self._run_id: str = run.manifest().run_id
        self._answers = answers
        self._lock = threading.Lock()

    def state(self) -> dict[str, Any]:
        """What the page needs: the queue, the reviewer's own labels, and of others' only what can't
        sway: their labels on answers the reviewer has voted on, and the conflicts that wait for a
        decision.

        Raises:
            UsageError: the run's file of labels has a line that is not a label.
        """
        standing = self._standing(read(self.run.path / LABELS))
        mine = {place: label for (who, place), label in standing.items() if who == self.reviewer}
        return {
            "reviewer": self.reviewer,
            "queue": self.queue.items,
            "labels": [msgspec.to_builtins(label) for label in mine.values()],
            "others": [
                _opinion(label)
                for (who, place), label in standing.items()
                if who != self.reviewer and place in mine
            ],
            "conflicts": [_dispute(each, standing) for each in agreed(standing).conflicts],
        }

    def done(self) -> int:
        """How many answers of the queue the reviewer has voted on in full."""
        mine = {
            place
            for who, place in self._standing(read(self.run.path / LABELS))
            if who == self.reviewer
        }
        return sum(
            all(AnswerKey(*item[:2], name) in mine for name in item.metrics)
            for item in self.queue.items
        )

    def add(self, body: bytes) -> None:
        """Take one vote, as JSON; on the disk when this returns. The same `label_id` again changes
        nothing.

        Raises:
            RefusedVote: malformed, or not about an answer of this run.
            StoreError: it can't be written.
        """
        try:
            vote = msgspec.json.decode(body, type=ReviewVote)
            vote.comment.encode()
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise RefusedVote(400, f"not a vote: {error}") from None
        with self._lock:
            known = read(self.run.path / LABELS)
            if any(label.label_id == vote.label_id for label in known):
                return
            append(self.run.path, [self._label(vote, known)])
            self.added += 1

    def _label(self, vote: ReviewVote, known: Sequence[Label]) -> Label:
        place = AnswerKey(vote.case_id, vote.repeat, vote.metric)
        answer = self._answers.get((vote.case_id, vote.repeat))
        if answer is None or answer.statuses.get(vote.metric) not in VERDICTS:
            raise RefusedVote(404, "this run has no verdict on that answer and metric")
        if vote.output_digest not in ("", answer.digest):
            raise RefusedVote(
                409,
                "the answer has changed since the page was opened: start `llmeval review` again",
            )
        disputes = {conflict.place for conflict in agreed(self._standing(known)).conflicts}
        if vote.adjudication and place not in disputes:
            raise RefusedVote(409, "nobody differs on that answer any more")
        sampling, probability = self.queue.sampling(place)
        return msgspec.convert(
            {
                **msgspec.to_builtins(vote),
                "run_id": self._run_id,
                "output_digest": answer.digest,
                "judge_verdict": answer.statuses[vote.metric],
                "reviewer": self.reviewer,
                "at": utc_now(),
                "blind": vote.blind
                and not vote.adjudication
                and self._first_impression(vote, place, known),
                "sampling": sampling,
                "probability": probability,
            },
            Label,
        )

    def _first_impression(self, vote: ReviewVote, place: AnswerKey, known: Sequence[Label]) -> bool:
        """Whether the judge's verdict can't have swayed this vote: after the first one the page
        shows it.
        """
        before = [
            label for label in known if label.reviewer == self.reviewer and place_of(label) == place
        ]
        return not before or (before[0].blind and before[0].human_verdict == vote.human_verdict)

    def _standing(self, labels: Sequence[Label]) -> dict[tuple[str, AnswerKey], Label]:
        return {key: label for key, label in current(labels).items() if fits(label, self._answers)}


def _opinion(label: Label) -> dict[str, object]:
    return {
        "case_id": label.case_id,
        "repeat": label.repeat,
        "metric": label.metric,
        "reviewer": label.reviewer,
        "human_verdict": label.human_verdict,
        "comment": label.comment,
        "adjudication": label.adjudication,
    }


def _dispute(
    conflict: Conflict, standing: Mapping[tuple[str, AnswerKey], Label]
) -> dict[str, object]:
    said = [_opinion(standing[who, conflict.place]) for who in conflict.verdicts]
    return {**conflict.place._asdict(), "labels": said}
