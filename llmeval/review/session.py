"""One reviewer at work on one run: votes come in, are held against the run, and become labels.

The page says what the person did; what it can't know or should not decide (whose vote, what the
judge said, how the answer was drawn, when) is filled in here.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from llmeval.core.errors import UsageError
from llmeval.core.person_names import person_name
from llmeval.core.records import Label
from llmeval.core.review_records import CaseComment
from llmeval.gate.disputes import Dispute, disputes_of
from llmeval.review.intake import AnswerStatus, fits
from llmeval.review.queue import VERDICTS, ReviewQueue
from llmeval.review.review_store import ReviewStore, RunFolder
from llmeval.store.case_comments import shown
from llmeval.store.directory import RunDir, UnitKey
from llmeval.store.labels import AnswerKey, StandingVotes, Voter, counted, place_of

MAX_COMMENT = 4000

Identifier = Annotated[str, msgspec.Meta(min_length=8, max_length=64)]
PageRecord = TypeVar("PageRecord", bound=msgspec.Struct)


class ReviewVote(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the page sends. `output_digest`: of the text the person read."""

    label_id: Identifier
    case_id: str
    repeat: Annotated[int, msgspec.Meta(ge=0)] = 0
    metric: str
    output_digest: Annotated[str, msgspec.Meta(max_length=100)] = ""
    human_verdict: Literal["pass", "fail", "unsure", "withdrawn"]
    comment: Annotated[str, msgspec.Meta(max_length=MAX_COMMENT)] = ""
    blind: bool = False
    adjudication: bool = False


class CaseRemark(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A comment on a case, as the page sends it."""

    comment_id: Identifier
    case_id: str
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_COMMENT)]


class RefusedVote(UsageError):
    """A vote or comment that can't be taken. `status`: 400 it is malformed, 403 the person may not
    give it, 404 it is about nothing here, 409 things have changed.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class ReviewSession:
    """A reviewer's view of a run's labels, and the way to add to them. Safe to use from several
    threads.

    Args:
        run: the run under review.
        reviewer: whose votes these are.
        answers: of the run (`answers_of`).
        queue: the answers to review, or a function that gives them.
        store: where the records are; default: the run's directory.
        may_adjudicate: whether this person may settle what reviewers differ on.
        adjudicating: whether the person is here to do that: all votes are then shown.
        team: whether several people use the server, each with a token.

    Raises:
        UsageError: the name is empty, too long, or has invisible characters.
    """

    def __init__(
        self,
        run: RunDir,
        reviewer: str,
        answers: Mapping[UnitKey, AnswerStatus],
        queue: ReviewQueue | Callable[[], ReviewQueue],
        store: ReviewStore | None = None,
        *,
        may_adjudicate: bool = True,
        adjudicating: bool = False,
        team: bool = False,
    ) -> None:
        self.reviewer = person_name(reviewer, "--reviewer")
        self.run, self.store = run, store or RunFolder(run)
        self.added = 0
        """Labels and comments that this session wrote."""
        self._queue = queue
        self._may_adjudicate, self._adjudicating = may_adjudicate, adjudicating
        self._team = team
        manifest = run.manifest()
        self._run_id, self._suite = manifest.run_id, manifest.suite
        self._answers = answers
        self._digests = {case.id: case.digest for case in run.outlines()}

    @property
    def queue(self) -> ReviewQueue:
        """The answers to review; of an assignment, the reviewer's part as it is now."""
        return self._queue() if callable(self._queue) else self._queue

    def state(self) -> dict[str, Any]:
        """What the page needs: the queue, the reviewer's own labels, and of others' only what can't
        sway: their labels and comments on answers the reviewer has voted on, and the disputes about
        them. Who adjudicates sees all.

        Raises:
            StoreError: the labels or comments can't be read.
        """
        standing, queue = self._standing(self.store.labels()), self.queue
        mine = {place: label for (who, place), label in standing.items() if self._is_mine(who)}
        own = [label for (who, _), label in standing.items() if who.name == self.reviewer]
        ahead = {
            AnswerKey(item.case_id, item.repeat, metric)
            for item in queue.items
            for metric in item.metrics
        } - mine.keys()
        disputes = disputes_of(standing)
        return {
            "reviewer": self.reviewer,
            "adjudicating": self._adjudicating,
            "may_adjudicate": self._may_adjudicate,
            "team": self._team,
            "queue": queue.items,
            "labels": [
                msgspec.to_builtins(label)
                for label in sorted(own, key=lambda label: label.adjudication)
            ],
            "others": [
                opinion(label)
                for (who, place), label in standing.items()
                if who.name != self.reviewer and (place in mine or self._adjudicating)
            ],
            "conflicts": [
                _shown(each)
                for each in disputes
                if each.decision is None and (self._adjudicating or each.place not in ahead)
            ],
            "comments": self._comments({place.case_id for place in mine}),
        }

    def _is_mine(self, who: Voter) -> bool:
        return who == Voter(self.reviewer)

    def _comments(self, voted: set[str]) -> list[dict[str, object]]:
        return [
            {
                "case_id": each.comment.case_id,
                "text": each.comment.text,
                "author": each.comment.author,
                "at": each.comment.at,
                "void": each.void,
            }
            for each in shown(self.store.comments(), self._digests)
            if self._adjudicating
            or each.comment.author == self.reviewer
            or each.comment.case_id in voted
        ]

    def done(self) -> int:
        """How many answers of the queue the reviewer has voted on in full."""
        voter = Voter(self.reviewer, self._adjudicating)
        places = {place for who, place in self._standing(self.store.labels()) if who == voter}
        return sum(
            all(AnswerKey(*item[:2], name) in places for name in item.metrics)
            for item in self.queue.items
        )

    def add(self, body: bytes) -> None:
        """Take one vote, as JSON; it is safe when this returns. The same vote again changes
        nothing.

        Raises:
            RefusedVote: malformed, not allowed, or not about an answer of this run.
            StoreError: it can't be written.
        """
        vote = _decoded(body, ReviewVote, "vote")
        with self.store.writing():
            before = self.store.labels()
            same = next((label for label in before if label.label_id == vote.label_id), None)
            if same is not None:
                if same.reviewer != self.reviewer:
                    raise RefusedVote(409, "another label has this id")
                return
            self.added += self.store.add_labels([self._label(vote, before)])

    def comment(self, body: bytes) -> None:
        """Take one comment on a case, as JSON; it is safe when this returns. The same comment again
        changes nothing.

        Raises:
            RefusedVote: malformed, or not about a case of this run.
            StoreError: it can't be written.
        """
        remark = _decoded(body, CaseRemark, "comment")
        if remark.case_id not in self._digests:
            raise RefusedVote(404, "this run has no such case")
        if not remark.text.strip():
            raise RefusedVote(400, "the comment is empty")
        with self.store.writing():
            self.added += self.store.add_comments(
                [
                    CaseComment(
                        comment_id=remark.comment_id,
                        suite=self._suite,
                        case_id=remark.case_id,
                        case_digest=self._digests[remark.case_id],
                        run_id=self._run_id,
                        text=remark.text.strip(),
                        author=self.reviewer,
                        at=_text_of(datetime.now(UTC)),
                    )
                ]
            )

    def _label(self, vote: ReviewVote, before: Sequence[Label]) -> Label:
        place = AnswerKey(vote.case_id, vote.repeat, vote.metric)
        answer = self._answers.get((vote.case_id, vote.repeat))
        if answer is None or answer.statuses.get(vote.metric) not in VERDICTS:
            raise RefusedVote(404, "this run has no verdict on that answer and metric")
        if vote.output_digest not in ("", answer.digest):
            raise RefusedVote(
                409,
                "the answer has changed since the page was opened: start `llmeval review` again",
            )
        sampling, probability = self.queue.sampling(place)
        if vote.adjudication:
            dispute = self._dispute(place, before)
            sampling, probability = dispute.sampling
        return msgspec.convert(
            {
                **msgspec.to_builtins(vote),
                "run_id": self._run_id,
                "output_digest": answer.digest,
                "judge_verdict": answer.statuses[vote.metric],
                "reviewer": self.reviewer,
                "at": self._time(place, before),
                "blind": vote.blind
                and not vote.adjudication
                and self._first_impression(vote, place, before),
                "sampling": sampling,
                "probability": probability,
            },
            Label,
        )

    def _dispute(self, place: AnswerKey, before: Sequence[Label]) -> Dispute:
        """The dispute that a vote settles.

        Raises:
            RefusedVote: the person may not settle it, or reviewers do not differ.
        """
        if not self._may_adjudicate:
            raise RefusedVote(
                403,
                "your token has the role reviewer: an approver settles what reviewers differ on",
            )
        disputes = disputes_of(self._standing(before))
        dispute = next((each for each in disputes if each.place == place), None)
        if dispute is None:
            raise RefusedVote(409, "nobody differs on that answer any more")
        return dispute

    def _time(self, place: AnswerKey, before: Sequence[Label]) -> str:
        """The time of a vote, later than that of the reviewer's earlier votes on the answer: clocks
        of servers differ, and two votes may come within a millisecond.
        """
        earlier = [
            datetime.fromisoformat(label.at)
            for label in before
            if label.reviewer == self.reviewer and place_of(label) == place and label.at
        ]
        aware = [at if at.tzinfo else at.replace(tzinfo=UTC) for at in earlier]
        return _text_of(max([datetime.now(UTC), *(at + _TICK for at in aware)]))

    def _first_impression(
        self, vote: ReviewVote, place: AnswerKey, before: Sequence[Label]
    ) -> bool:
        """Whether the judge's verdict can't have swayed this vote: after the first one the page
        shows it.
        """
        own = [
            label
            for label in before
            if label.reviewer == self.reviewer and place_of(label) == place
        ]
        return not own or (own[0].blind and own[0].human_verdict == vote.human_verdict)

    def _standing(self, labels: Sequence[Label]) -> StandingVotes:
        return {key: label for key, label in counted(labels).items() if fits(label, self._answers)}


_TICK = timedelta(microseconds=1)


def _text_of(time: datetime) -> str:
    return time.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _decoded(body: bytes, kind: type[PageRecord], word: str) -> PageRecord:
    try:
        record = msgspec.json.decode(body, type=kind)
        for value in msgspec.structs.astuple(record):
            if isinstance(value, str):
                value.encode()
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise RefusedVote(400, f"not a {word}: {error}") from None
    return record


def opinion(label: Label) -> dict[str, object]:
    """What the page shows of another person's label."""
    return {
        "case_id": label.case_id,
        "repeat": label.repeat,
        "metric": label.metric,
        "reviewer": label.reviewer,
        "human_verdict": label.human_verdict,
        "comment": label.comment,
        "adjudication": label.adjudication,
    }


def _shown(dispute: Dispute) -> dict[str, object]:
    return {**dispute.place._asdict(), "labels": [opinion(label) for label in dispute.votes]}
