"""What reviewers differ on, with all votes side by side, and who settled it.

A dispute is an answer and metric on which the votes of reviewers differ. A later verdict by an
adjudicator settles it. The votes stay as they are.
"""

from typing import NamedTuple

from llmeval.core.records import Label
from llmeval.core.thresholds import RANDOM_SAMPLING
from llmeval.store.labels import AnswerKey, Votes, agreed, time_of


class Dispute(NamedTuple):
    """An answer and metric that reviewers differ on."""

    place: AnswerKey
    votes: tuple[Label, ...]
    """Those of the reviewers that count, by name."""
    decision: Label | None
    """The verdict that settles it; None while it is open."""

    @property
    def sampling(self) -> tuple[str, float | None]:
        """How the answer was chosen, by the votes: a random draw counts before others."""
        drawn = (each for each in self.votes if each.sampling in RANDOM_SAMPLING)
        first = next(drawn, None)
        return ("triage", None) if first is None else (first.sampling, first.probability)


def disputes_of(votes: Votes) -> list[Dispute]:
    """The disputes in the votes that count, open ones first, then by place."""
    by_place: dict[AnswerKey, list[Label]] = {}
    for (voter, place), label in votes.items():
        if not voter.adjudicates and label.human_verdict in ("pass", "fail"):
            by_place.setdefault(place, []).append(label)
    decisions = _decisions(votes)
    disputes = [
        Dispute(place, tuple(sorted(labels, key=lambda each: each.reviewer)), decisions.get(place))
        for place, labels in by_place.items()
        if len({label.human_verdict for label in labels}) > 1
    ]
    return sorted(disputes, key=lambda each: (each.decision is not None, each.place))


def _decisions(votes: Votes) -> dict[AnswerKey, Label]:
    """The latest adjudication of each answer, where it counts."""
    settled, latest = agreed(votes).verdicts, dict[AnswerKey, Label]()
    for (voter, place), label in votes.items():
        clear = voter.adjudicates and label.human_verdict in ("pass", "fail") and place in settled
        if clear and (place not in latest or time_of(label) > time_of(latest[place])):
            latest[place] = label
    return latest
