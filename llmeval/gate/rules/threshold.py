"""What a rule of the gate states: its limit, and whose scale it is on. The one place that reads
both forms of it.

floors: {correctness: 0.8}  or  {correctness: {min: 0.8, scale: judge}}
margins: {correctness: 0.05}  or  {correctness: {margin: 0.05, scale: judge}}
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from llmeval.stats.estimation.label_counts import MIN_CLASS, MIN_LABELS

UNTRUSTED = " The judge is UNTRUSTED: {}."
"""The end of a rule's sentence where an untrusted judge keeps it from being decided; filled by
`distrust_of`.
"""


class Threshold(NamedTuple):
    """The limit of one rule."""

    value: float
    """Of a floor the pass rate to reach, of a margin the drop that must not pass; in [0, 1]."""
    judge_scale: bool = False
    """Whether the rule is about the judge's own verdicts, and not about what people would say."""

    @property
    def scale(self) -> str:
        """`people` or `judge`, as the suite writes it."""
        return "judge" if self.judge_scale else "people"


def floors_in(gate: Mapping[str, Any]) -> dict[str, Threshold]:
    """The floors of a gate by their key. `gate`: as in a manifest, or a suite's
    `gate.model_dump()`.
    """
    return {key: _threshold(stated, "min") for key, stated in (gate.get("floors") or {}).items()}


def margins_in(gate: Mapping[str, Any]) -> dict[str, Threshold]:
    """The margins of a gate's regression by their key; none where it compares nothing. `gate`: as
    for `floors_in`.
    """
    regression = gate.get("regression") or {}
    return {
        key: _threshold(stated, "margin")
        for key, stated in (regression.get("margins") or {}).items()
    }


def floor_rates(gate: Mapping[str, Any]) -> dict[str, float]:
    """The pass rate of each floor, whatever its scale."""
    return {key: floor.value for key, floor in floors_in(gate).items()}


def _threshold(stated: float | Mapping[str, Any], key: str) -> Threshold:
    if isinstance(stated, Mapping):
        return Threshold(float(stated[key]), stated.get("scale") == "judge")
    return Threshold(float(stated))


def distrust_of(manifest: Mapping[str, Any], metric: str) -> str | None:
    """Why the judge of a metric is not trusted, and the way out; None for a check and for a trusted
    judge.

    The commands say RUN and not its directory, so that a run says the same wherever it lies, merged
    or in one piece.
    """
    judge = manifest["judges"].get(metric)
    if judge is None or judge["trust"] == "TRUSTED":
        return None
    suite = manifest.get("suite_file", "SUITE")
    return (
        f"{judge['trust_reason']}. So its verdicts neither PASS nor FAIL this rule. To trust it,"
        f" {MIN_LABELS} or more labels are needed, with at least {MIN_CLASS} passes and {MIN_CLASS}"
        f" fails: `llmeval labels sample RUN --n {MIN_LABELS} --out sheet.csv`, `llmeval labels"
        " import sheet.csv --run RUN --reviewer NAME`, then `llmeval judge certify"
        f" {suite}:{metric} --labels RUN --out FILE`. To decide on the judge's own verdicts"
        " instead, state `scale: judge` in the rule"
    )


def own_scale_note(manifest: Mapping[str, Any], metric: str) -> str:
    """The sentence of a rule with `scale: judge`: whose scale it is."""
    judge = manifest["judges"].get(metric)
    trusted = judge is not None and judge["trust"] == "TRUSTED"
    more = "what people would say may differ" if trusted else "the judge is UNTRUSTED"
    return f" This is on the judge's own scale; {more}."
