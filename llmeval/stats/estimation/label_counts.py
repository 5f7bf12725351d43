"""Human labels and a judge's verdicts: how they were drawn, and their counts."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from llmeval.core.errors import UsageError

MIN_LABELS, MIN_CLASS = 100, 30
"""Labels that a judge is trusted from: in all, and in the smaller of the two classes (people's
passes, people's fails).
"""


class RefusedEstimate(UsageError):
    """The labels can't carry the claim: the message says why and what would."""


class Provenance(StrEnum):
    """Where labels came from. It decides which estimator is valid, so it must be recorded when they
    are drawn.
    """

    RANDOM = "random"
    """A simple random sample of the judged answers of this very run."""
    BY_VERDICT = "by_verdict"
    """Random within the judge's passes and within its fails of this run, at any two rates fixed
    beforehand.
    """
    BANK = "bank"
    """Reused, or balanced by hand: random given the human label. Sensitivity and specificity carry
    over, rates do not.
    """
    CHOSEN = "chosen"
    """Picked in some other way (the odd ones, the disputed ones), or nobody knows."""


class LabelCounts(NamedTuple):
    """Labelled answers by what the judge said and what people said."""

    pass_pass: int
    """Both pass."""
    pass_fail: int
    """The judge passes, people fail: a false pass."""
    fail_pass: int
    """The judge fails, people pass: a false alarm."""
    fail_fail: int
    """Both fail."""

    @property
    def n(self) -> int:
        """Labels."""
        return sum(self)

    @property
    def judge_pass(self) -> int:
        """Labelled answers that the judge passes."""
        return self.pass_pass + self.pass_fail

    @property
    def judge_fail(self) -> int:
        """Labelled answers that the judge fails."""
        return self.fail_pass + self.fail_fail

    @property
    def human_pass(self) -> int:
        """Labelled answers that people pass."""
        return self.pass_pass + self.fail_pass

    @property
    def human_fail(self) -> int:
        """Labelled answers that people fail."""
        return self.pass_fail + self.fail_fail


def count_labels(judge: Sequence[bool], human: Sequence[bool]) -> LabelCounts:
    """Count pairs of verdicts.

    Raises:
        ValueError: the sequences are not of the same length.
    """
    if len(judge) != len(human):
        raise ValueError(
            f"each label needs a verdict, got {len(judge)} verdicts and {len(human)} labels"
        )
    counts: dict[tuple[bool, bool], int] = {}
    pair: tuple[bool, bool]
    for pair in _pairs(judge, human):
        counts[pair] = counts.get(pair, 0) + 1
    return LabelCounts(
        *(
            counts.get(cell, 0)
            for cell in ((True, True), (True, False), (False, True), (False, False))
        )
    )


def _pairs(judge: Iterable[bool], human: Iterable[bool]) -> Iterable[tuple[bool, bool]]:
    return ((bool(j), bool(h)) for j, h in zip(judge, human, strict=True))
