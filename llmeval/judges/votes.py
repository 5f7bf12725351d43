"""Voting: several replies of one judge. The calls stop when the majority can't change any more."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from llmeval.core.records import Status
from llmeval.judges.grading import UNDECIDED, Grade

SURE = 0.9
"""With this confidence or more, one reply is enough: votes are for answers near the threshold."""
_TEMPERATURE = 0.7


class CountedVote(NamedTuple):
    """One reply's grade, and the details its score would have."""

    grade: Grade
    details: dict[str, Any]


def ballots(params: Mapping[str, object], votes: int) -> Iterator[tuple[Mapping[str, object], int]]:
    """(params, repeat) of each reply. The second and later ones use a temperature, because they
    would otherwise repeat the first. If no temperature is sent (reasoning models refuse one), the
    endpoint's default applies.
    """
    yield params, 0
    warmer = (
        params
        if params.get("temperature") is None
        else {**params, "temperature": params["temperature"] or _TEMPERATURE}
    )
    for repeat in range(1, votes):
        yield warmer, repeat


def counted(votes: Sequence[CountedVote], total: int) -> CountedVote | None:
    """The first vote of the majority, when no further vote can change it; None before.

    A reply that decides nothing stays in the denominator. Without a strict majority of all votes,
    it is the verdict.
    """
    first = votes[0]
    if total == 1 or (len(votes) == 1 and (first.grade.confidence or 0) >= SURE):
        return first
    sides = [vote.grade.passed for vote in votes]
    for side in (True, False):
        if 2 * sides.count(side) > total:
            winner = votes[sides.index(side)]
            return CountedVote(winner.grade, {**winner.details, "votes": _words(sides)})
    if len(votes) < total:
        return None
    split = f"no majority in {total} votes"
    grade = first.grade._replace(
        status=Status.UNSCORED, value=None, passed=None, reason=f"{UNDECIDED}: {split}"
    )
    return CountedVote(grade, {**first.details, "votes": _words(sides)})


def _words(sides: Sequence[bool | None]) -> list[str]:
    return [{True: "pass", False: "fail", None: "undecided"}[side] for side in sides]
