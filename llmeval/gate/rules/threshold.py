"""What a rule of the gate states: its limit, and whose scale it is on. The one place that reads
both forms of it.

floors: {correctness: 0.8}  or  {correctness: {min: 0.8, scale: judge}}
limits: {latency.p95: 2.5}  or  {latency.p95: {max: 2.5, on_inconclusive: warn}}
margins: {correctness: 0.05}  or  {correctness: {margin: 0.05, scale: judge}}
"""

from typing import NamedTuple

from llmeval.core.gate_record import (
    FloorLimit,
    Floors,
    Limits,
    MarginLimit,
    Margins,
    NumberLimit,
    OnInconclusive,
)
from llmeval.core.manifest import Manifest
from llmeval.stats.estimation.label_counts import MIN_CLASS, MIN_LABELS

UNTRUSTED = " The judge is UNTRUSTED: {}."
"""The end of a rule's sentence where an untrusted judge keeps it from being decided; filled by
`distrust_of`.
"""


class Threshold(NamedTuple):
    """The limit of one rule."""

    value: float
    """Of a floor the pass rate to reach, of a margin the drop that must not pass, in [0, 1]; of a
    limit the largest value.
    """
    judge_scale: bool = False
    """Whether the rule is about the judge's own verdicts, and not about the human pass rate."""
    on_inconclusive: OnInconclusive | None = None
    """What the rule means for the exit code where it is INCONCLUSIVE; None: as the gate says."""

    @property
    def scale(self) -> str:
        """`people` or `judge`, as the suite writes it."""
        return "judge" if self.judge_scale else "people"


def floors_in(stated: Floors) -> dict[str, Threshold]:
    """The floors of a gate by their key."""
    return {key: _threshold(limit) for key, limit in stated.items()}


def margins_in(stated: Margins) -> dict[str, Threshold]:
    """The margins of a gate's regression by their key."""
    return {key: _threshold(limit) for key, limit in stated.items()}


def limits_in(stated: Limits) -> dict[str, Threshold]:
    """The limits of a gate's numbers by their key."""
    return {key: _threshold(limit) for key, limit in stated.items()}


def floor_rates(stated: Floors) -> dict[str, float]:
    """The pass rate of each floor, whatever its scale."""
    return {key: floor.value for key, floor in floors_in(stated).items()}


def _threshold(limit: float | FloorLimit | MarginLimit | NumberLimit) -> Threshold:
    if isinstance(limit, FloorLimit):
        return Threshold(limit.min, limit.scale == "judge", limit.on_inconclusive)
    if isinstance(limit, MarginLimit):
        return Threshold(limit.margin, limit.scale == "judge", limit.on_inconclusive)
    if isinstance(limit, NumberLimit):
        return Threshold(limit.max, on_inconclusive=limit.on_inconclusive)
    return Threshold(float(limit))


def distrust_of(manifest: Manifest, metric: str) -> str | None:
    """Why the judge of a metric is not trusted, and the way out; None for a check and for a trusted
    judge.

    The commands say RUN and not its directory, so that a run says the same wherever it lies, merged
    or in one piece.
    """
    judge = manifest.judges.get(metric)
    if judge is None or judge.trust == "TRUSTED":
        return None
    suite = manifest.suite_file or "SUITE"
    return (
        f"{judge.trust_reason}. So its verdicts neither PASS nor FAIL this rule. To trust it,"
        f" {MIN_LABELS} or more labels are needed, with at least {MIN_CLASS} passes and {MIN_CLASS}"
        f" fails: `llmeval labels sample RUN --n {MIN_LABELS} --out sheet.csv`, `llmeval labels"
        " import sheet.csv --run RUN --reviewer NAME`, then `llmeval judge certify"
        f" {suite}:{metric} --labels RUN --out FILE`. To decide on the judge's own verdicts"
        " instead, state `scale: judge` in the rule"
    )


def own_scale_note(manifest: Manifest, metric: str) -> str:
    """The sentence of a rule with `scale: judge`: whose scale it is."""
    judge = manifest.judges.get(metric)
    trusted = judge is not None and judge.trust == "TRUSTED"
    more = "the human pass rate may differ" if trusted else "the judge is UNTRUSTED"
    return f" This is on the judge's own scale; {more}."


def uncorrected_note(manifest: Manifest, metric: str) -> str:
    """The sentence of a floor on a trusted judge's verdicts that no label corrects: whose scale it
    is, why, and what to do.
    """
    judge = manifest.judges.get(metric)
    why = "no labels correct it"
    if manifest.repeats > 1:
        why = (
            "a case passes with all of its answers, and labels are of single ones, so they can't"
            " correct it (with `repeats: 1` they do)"
        )
    elif judge is not None and judge.when == "uncertain":
        why = "a check gives some of its verdicts, so the judge's labels can't correct it"
    return f" This is on the judge's own scale; the human pass rate may differ: {why}."
