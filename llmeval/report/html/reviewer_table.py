"""How far reviewers agree, and who settled what they differ on: the section "Reviewers"."""

from typing import TypedDict

from llmeval.core.errors import LlmevalError
from llmeval.gate.disputes import Dispute, disputes_of
from llmeval.gate.reviewer_agreement import reviewer_agreement, votes_by_metric
from llmeval.stats.estimation.agreement import Measure
from llmeval.store.directory import LABELS, RunDir
from llmeval.store.labels import counted, read

MAX_DISPUTES = 50


class PairRow(TypedDict):
    """Two reviewers on one metric, as texts."""

    metric: str
    names: str
    n: int
    raw: str
    kappa: str


class DisputeRow(TypedDict):
    """An answer that reviewers differ on, as texts."""

    case_id: str
    metric: str
    votes: str
    outcome: str


class ReviewersSection(TypedDict):
    """The section, as texts."""

    pairs: list[PairRow]
    alphas: list[tuple[str, str]]
    """Metric and Krippendorff's alpha, where there are more than two reviewers."""
    disputes: list[DisputeRow]
    more: int
    """Disputes that are not shown."""


def reviewers_section(run: RunDir) -> ReviewersSection | None:
    """The section of a run; None where no answer has two votes. Labels that can't be read are left
    out: the page shows the run.
    """
    try:
        votes = counted(read(run.path / LABELS))
    except (LlmevalError, ValueError):
        votes = {}
    pairs: list[PairRow] = []
    alphas = []
    for metric, here in votes_by_metric(votes).items():
        measured = reviewer_agreement(here)
        if measured is None:
            continue
        pairs += [
            {
                "metric": metric,
                "names": " and ".join(name or "(no name)" for name in pair.reviewers),
                "n": pair.n,
                "raw": _text(pair.accuracy),
                "kappa": _text(pair.kappa),
            }
            for pair in measured.pairs
        ]
        if len(measured.pairs) > 1:
            alphas.append((metric, _text(measured.alpha)))
    disputes = disputes_of(votes)
    if not pairs and not disputes:
        return None
    return {
        "pairs": pairs,
        "alphas": alphas,
        "disputes": [_row(each) for each in disputes[:MAX_DISPUTES]],
        "more": max(0, len(disputes) - MAX_DISPUTES),
    }


def _row(dispute: Dispute) -> DisputeRow:
    decision = dispute.decision
    outcome = "open: it counts against each claim"
    if decision is not None:
        reason = f": {decision.comment}" if decision.comment else ""
        outcome = f"{decision.human_verdict} by {decision.reviewer or '(no name)'}{reason}"
    return {
        "case_id": dispute.place.case_id,
        "metric": dispute.place.metric,
        "votes": ", ".join(
            f"{label.reviewer or '(no name)'} {label.human_verdict}" for label in dispute.votes
        ),
        "outcome": outcome,
    }


def _text(measure: Measure) -> str:
    if measure.value is None:
        return "–"
    return f"{measure.value:.2f} ({measure.low:.2f} to {measure.high:.2f})"
