"""What has changed, and what to do about it: one table, and nothing is done without evidence.

The rows are tried from the top, and the first one decides. A judge that has changed moves every
figure, so it comes first; then a deployment that differs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from llmeval.suite.triggers_schema import EvidenceKind

Decided = Literal[
    "recalibrate_judge",
    "fix_deployment",
    "refresh_data",
    "retrain",
    "roll_forward",
    "label_first",
    "stop_release",
    "nothing",
]
SMALL_SLICE = 0.05
"""A slice with a smaller share of the traffic is labelled first: its drop is rarely worth a
training."""


@dataclass(frozen=True, slots=True)
class DriftEvidence:
    """An open alarm. `stream`: metric, or `metric @ tag=value`. `share`: of the traffic, in [0, 1].
    `since`: the day on which the drop seems to have begun. `reference` and `now`: pass rates.
    `record`: the hash of the look that raised it.
    """

    stream: str
    sliced: bool
    share: float
    since: str
    reference: float
    now: float
    record: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that the table reads. `suite_score`: of a run of the suite that began after the
    drop: `same` (PASS), `down` (FAIL) or `unknown`. `overdue`: parts by the time they are counted
    from. The other fields name a record or run, or are empty.
    """

    drift: Sequence[DriftEvidence] = ()
    new_slices: Sequence[str] = ()
    suite_score: Literal["same", "down", "unknown"] = "unknown"
    suite_run: str = ""
    judge_void: str = ""
    env_mismatch: str = ""
    overdue: dict[str, str] = field(default_factory=dict)
    candidate_passes: str = ""
    """The run of a candidate that is not the baseline's, and that passed the gate."""
    gate_fail: str = ""
    label_backlog: int = 0
    backlog_run: str = ""


@dataclass(frozen=True, slots=True)
class TriggerDecision:
    """What to do. `kinds`: the evidence that it rests on; a trigger needs one of them in `when`.
    `because`: one sentence. `basis`: what identifies the evidence, the same on each day that it
    lasts.
    """

    decision: Decided
    kinds: tuple[EvidenceKind, ...]
    because: str
    basis: tuple[str, ...] = ()


def decide(evidence: Evidence) -> TriggerDecision:
    """The first row of the table that applies."""
    if evidence.judge_void:
        return TriggerDecision(
            "recalibrate_judge",
            ("judge_void",),
            "A judge has changed, so its scores say nothing about the model. Certify it again;"
            " nothing else is done until then.",
            (evidence.judge_void,),
        )
    if evidence.env_mismatch:
        return TriggerDecision(
            "fix_deployment",
            ("env_mismatch",),
            "The suite of `canary` fails on the production endpoint, so the deployment differs from"
            " what was released.",
            (evidence.env_mismatch,),
        )
    if evidence.drift:
        return _of_drift(evidence)
    return _without_drift(evidence)


def _of_drift(evidence: Evidence) -> TriggerDecision:
    basis = tuple(each.record + each.stream for each in evidence.drift)
    names = ", ".join(each.stream for each in evidence.drift)
    if all(each.sliced and each.share < SMALL_SLICE for each in evidence.drift):
        return TriggerDecision(
            "label_first",
            ("drift",),
            f"Only slices with less than 5% of the traffic fell ({names}). Label 30 answers first.",
            basis,
        )
    if evidence.suite_score == "down":
        return TriggerDecision(
            "retrain",
            ("drift", "gate_fail"),
            f"Production fell ({names}), and the suite fails too (run {evidence.suite_run}): the"
            " model is worse on known cases.",
            basis,
        )
    if evidence.suite_score == "same" and evidence.new_slices:
        return TriggerDecision(
            "refresh_data",
            ("drift",),
            f"Production fell ({names}), the suite passes, and traffic has a new slice"
            f" ({', '.join(evidence.new_slices)}): the data lack it. Label 50 sampled answers, add"
            " them to the suite and the training data, then train.",
            basis,
        )
    if evidence.suite_score == "unknown":
        why = "no complete run of the suite began after the drop; run it first"
    else:
        why = "the suite passes, and traffic has no new slice; read the failing answers"
    return TriggerDecision("nothing", (), f"Production fell ({names}), but {why}.", basis)


def _without_drift(evidence: Evidence) -> TriggerDecision:
    if "model" in evidence.overdue and evidence.candidate_passes:
        return TriggerDecision(
            "roll_forward",
            ("stale",),
            "The model is overdue, and a candidate passes the gate against today's baseline (run"
            f" {evidence.candidate_passes}).",
            (evidence.overdue["model"], evidence.candidate_passes),
        )
    if evidence.gate_fail:
        return TriggerDecision(
            "stop_release",
            ("gate_fail",),
            f"The newest run of the suite is FAIL ({evidence.gate_fail}).",
            (evidence.gate_fail,),
        )
    if evidence.label_backlog:
        return TriggerDecision(
            "label_first",
            ("label_backlog",),
            f"{evidence.label_backlog:,} answers wait for a person (run {evidence.backlog_run}).",
            (evidence.backlog_run,),
        )
    if evidence.overdue:
        parts = ", ".join(sorted(evidence.overdue))
        return TriggerDecision(
            "nothing",
            (),
            f"Overdue: {parts}. Age alone changes nothing: no candidate passes the gate.",
        )
    return TriggerDecision("nothing", (), "Nothing has changed.")
