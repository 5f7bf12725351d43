"""The paired cases of a run and its baseline by what the judge says of both answers: the classes
that pairs are drawn from to be labelled.
"""

from collections.abc import Sequence
from enum import StrEnum

from llmeval.core.baseline_lock import BaselineLock
from llmeval.core.manifest import Manifest
from llmeval.gate.aggregate import RunAggregate
from llmeval.gate.first_answers import GRADED, MISSING

_NO_TEXT = "0" * 16
"""The digest of an answer without text."""


class PairClass(StrEnum):
    """What the judge says of the two answers to one case."""

    BOTH_PASS = "both_pass"
    FELL = "fell"
    ROSE = "rose"
    BOTH_FAIL = "both_fail"
    SAME = "same"
    """One text on both sides: people's difference is 0."""
    MISSING = "missing"
    """A side without a verdict or without a text."""


LABELLED = (PairClass.BOTH_PASS, PairClass.FELL, PairClass.ROSE, PairClass.BOTH_FAIL)
"""The classes that pairs are drawn from."""
SPREADS = (0.2, 0.5, 0.5, 0.4)
"""The standard deviation of people's difference that is expected in each, for a judge that is right
on nine of ten answers; only the number of labels that a decision takes depends on it.
"""
SHOWN = {
    PairClass.BOTH_PASS: "both pass",
    PairClass.FELL: "fell",
    PairClass.ROSE: "rose",
    PairClass.BOTH_FAIL: "both fail",
}


def why_no_classes(
    tally: RunAggregate, manifest: Manifest, baseline: BaselineLock, metric: str
) -> str | None:
    """Why labels of pairs can't decide a regression on this metric; None where they can.

    The estimate takes pairs with one answer and one verdict of pass or fail on either side. Of
    several answers that is the first one, and of several runs of the baseline the newest one.
    """
    if metric not in manifest.judges:
        return f"{metric} has no judge, so it needs no labels"
    if baseline.first_answers(metric) is None:
        return (
            f"the baseline {baseline.run_id} does not hold the judge's verdicts of pass or fail on"
            " single answers, which labels are of. If it is of an older llmeval, approve its runs"
            " again: `llmeval baseline approve RUN --by NAME --reason TEXT`"
        )
    if tally.cases + len(tally.aside) < manifest.cases.n:
        return "the run stopped early, so the number of its cases depends on their results"
    return None


def classes_for(
    tally: RunAggregate,
    manifest: Manifest,
    baseline: BaselineLock,
    metric: str,
    cases: Sequence[str],
) -> dict[str, PairClass] | None:
    """`pair_classes`, or None where labels of pairs can't decide a regression."""
    if why_no_classes(tally, manifest, baseline, metric) is not None:
        return None
    return pair_classes(tally, baseline, metric, cases)


def pair_classes(
    tally: RunAggregate, baseline: BaselineLock, metric: str, cases: Sequence[str]
) -> dict[str, PairClass] | None:
    """The class of each paired case by its first answer on each side; None where a score is neither
    pass nor fail.

    Args:
        tally: of the run. baseline: one that holds single answers (`why_no_classes`).
        metric: a judged one. cases: ids of the pairs (`pairs.PairedCases.cases`).
    """
    before = baseline.first_answers(metric) or {}
    texts = dict(zip(tally.case_digests(), tally.outputs(), strict=True))
    classes: dict[str, PairClass] = {}
    for name in cases:
        (old, theirs), now, mine = before[name], _verdict(tally, metric, name), texts[name]
        if tally.repeats > 1:
            mine = tally.first.output(tally.place(name)[0])
        if now == GRADED:
            return None
        if MISSING in (old, now):
            classes[name] = PairClass.MISSING
        elif mine == theirs:
            classes[name] = PairClass.SAME
        elif _NO_TEXT in (mine, theirs):
            classes[name] = PairClass.MISSING
        else:
            classes[name] = _class(old == "y", now == "y")
    return classes


def _verdict(tally: RunAggregate, metric: str, name: str) -> str:
    """The judge's verdict on the first answer to a case: y, n, missing or graded."""
    if tally.repeats > 1:
        return tally.first.letter(metric, tally.place(name)[0])
    result = tally.result(metric, name)
    if result is None or result.value != result.value:
        return MISSING
    if result.value not in (0, 1):
        return GRADED
    return "y" if result.passed else "n"


def _class(before: bool, now: bool) -> PairClass:
    if before:
        return PairClass.BOTH_PASS if now else PairClass.FELL
    return PairClass.ROSE if now else PairClass.BOTH_FAIL
