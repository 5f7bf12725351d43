"""Answers of a canary and of the stable version as blocks, each with one difference.

If both versions answered the same trace ids (a shadow canary), the block is one trace id. Else the
answers are taken in the order of time, and a block ends as soon as both versions have answered in
it. Blocks follow from times and versions alone, never from scores. So a change of the traffic that
meets both versions cancels out.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from llmeval.stats.sequential.live_difference import LiveDifference, live_difference

PAIRED_FROM = 0.5
"""From this share of the smaller side on, common trace ids mean that both versions answered the
same requests."""


class LiveAnswer(NamedTuple):
    """One scored answer. `at`: ISO 8601, UTC. `cluster`: the session or user; None without one.
    `score`: in [0, 1]; None where it is missing.
    """

    id: str
    at: str
    cluster: str | None
    score: float | None


class LiveBlocks(NamedTuple):
    """The blocks in their order. `lowest`, `highest`: the difference of each, canary minus stable,
    with missing scores counted against the canary and for it. `paired`: by trace id. `left_out`:
    answers without a counterpart. `repeated`: later answers of a session, which count once.
    """

    lowest: list[float]
    highest: list[float]
    paired: bool
    left_out: int
    repeated: int

    def tested(self, margin: float, alpha: float, alpha_worse: float) -> LiveDifference:
        """What the blocks show; arguments as `live_difference`."""
        return live_difference(self.lowest, self.highest, margin, alpha, alpha_worse)


def live_blocks(stable: Iterable[LiveAnswer], canary: Iterable[LiveAnswer]) -> LiveBlocks:
    """Blocks of two versions."""
    sides = [_in_order(stable), _in_order(canary)]
    ids = [{each.id for each in side} for side in sides]
    common = ids[0] & ids[1]
    if common and len(common) >= PAIRED_FROM * min(map(len, ids)):
        total = sum(map(len, sides))
        sides = [[each for each in side if each.id in common] for side in sides]
        return _paired(sides[0], sides[1], total)
    first = [_first_of_sessions(side) for side in sides]
    repeated = sum(map(len, sides)) - sum(map(len, first))
    return _alternating(first[0], first[1], repeated)


def _in_order(answers: Iterable[LiveAnswer]) -> list[LiveAnswer]:
    return sorted(answers, key=lambda each: (each.at, each.id))


def _first_of_sessions(answers: Sequence[LiveAnswer]) -> list[LiveAnswer]:
    """The first answer of each session: the outcomes within a session are correlated."""
    first: dict[str, LiveAnswer] = {}
    for each in answers:
        first.setdefault(each.id if each.cluster is None else f"\0{each.cluster}", each)
    return list(first.values())


def _paired(stable: Sequence[LiveAnswer], canary: Sequence[LiveAnswer], total: int) -> LiveBlocks:
    by_id = {each.id: each for each in stable}
    kept = _first_of_sessions(canary)
    lowest, highest = [], []
    for each in kept:
        low, high = _difference([by_id[each.id]], [each])
        lowest.append(low)
        highest.append(high)
    return LiveBlocks(
        lowest, highest, True, total - len(stable) - len(canary), len(canary) - len(kept)
    )


def _alternating(
    stable: Sequence[LiveAnswer], canary: Sequence[LiveAnswer], repeated: int
) -> LiveBlocks:
    both = sorted(
        [*((each, 0) for each in stable), *((each, 1) for each in canary)],
        key=lambda row: (row[0].at, row[0].id),
    )
    lowest: list[float] = []
    highest: list[float] = []
    waiting: tuple[list[LiveAnswer], list[LiveAnswer]] = ([], [])
    for answer, side in both:
        waiting[side].append(answer)
        if waiting[0] and waiting[1]:
            low, high = _difference(*waiting)
            lowest.append(low)
            highest.append(high)
            waiting = ([], [])
    return LiveBlocks(lowest, highest, False, len(waiting[0]) + len(waiting[1]), repeated)


def _difference(stable: Sequence[LiveAnswer], canary: Sequence[LiveAnswer]) -> tuple[float, float]:
    """(lowest, highest) mean of the canary minus the stable version."""
    return (
        _mean(canary, 0.0) - _mean(stable, 1.0),
        _mean(canary, 1.0) - _mean(stable, 0.0),
    )


def _mean(answers: Sequence[LiveAnswer], missing: float) -> float:
    return sum(missing if each.score is None else each.score for each in answers) / len(answers)
