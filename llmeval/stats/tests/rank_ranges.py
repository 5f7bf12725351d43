"""Ranks from pairwise tests: what the tests leave open is a range."""

from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple, TypeVar

Name = TypeVar("Name", bound=Hashable)


class RankRange(NamedTuple):
    """The ranks that one system may have; 1 is the best."""

    best: int
    worst: int


def rank_ranges(
    names: Sequence[Name], shown: Mapping[tuple[Name, Name], float]
) -> dict[Name, RankRange]:
    """The best and the worst rank of each system.

    The best rank is 1 + the number of systems shown to be better; the worst is the number of
    systems minus those shown to be worse. Where Holm's procedure over all pairs tests at a level,
    every true rank lies in its range with probability 1 - level.

    Args:
        names: the systems.
        shown: (first, second) of each pair with a difference shown: second minus first.

    Source: D. Al Mohamad, J. J. Goeman, E. W. van Zwet, Biometrics 78 (2022) 238-247.
    """
    above, below = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    for (first, second), difference in shown.items():
        if first in above and second in above:
            winner, loser = (second, first) if difference > 0 else (first, second)
            above[loser] += 1
            below[winner] += 1
    return {name: RankRange(1 + above[name], len(names) - below[name]) for name in names}
