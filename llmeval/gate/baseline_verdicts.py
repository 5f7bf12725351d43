"""Verdicts that need no call: where an answer is the baseline's byte for byte, the same judge's
verdict of it stands.

So equal answers differ by exactly 0, whatever the judge's noise, and cost nothing.
"""

from collections.abc import Callable

from llmeval.core.baseline_lock import BaselineLock
from llmeval.core.manifest import ScoringInputs
from llmeval.core.records import Answer, Case, Score, Status
from llmeval.gate.answer_digest import output_digest
from llmeval.gate.baseline import scorer_digest

Known = Callable[[str, Case, Answer], Score | None]
"""From a metric, a case and the answer to it: the verdict that is known, or None."""


def known_verdicts(baseline: BaselineLock, scoring: ScoringInputs) -> Known:
    """The verdicts of a baseline that hold for a run.

    Args:
        baseline: what the run is compared with.
        scoring: how the run is scored: a judge or a prompt that changed makes its verdicts
            unknown.
    """
    digests = scoring.digests
    judges = {
        metric: digest
        for metric, digest in digests.judges.items()
        if metric in baseline.metrics
        and baseline.metrics[metric].scorer == scorer_digest(scoring, metric)
    }
    if not baseline.outputs or baseline.digests.prompt != digests.prompt:
        judges = {}
    rows = {case_id: row for row, case_id in enumerate(baseline.cases)} if judges else {}

    def known(metric: str, case: Case, answer: Answer) -> Score | None:
        row = rows.get(case.id)
        if (
            row is None
            or metric not in judges
            or case.digest.removeprefix("sha256:")[:16] != baseline.cases[case.id]
        ):
            return None
        column = baseline.metrics[metric]
        value, passed = column.values[row], column.passed[row : row + 1]
        if (
            passed not in ("y", "n")
            or value in (None, "-")
            or output_digest(answer) != baseline.outputs[row]
        ):
            return None
        return Score(
            case_id=answer.case_id,
            repeat=answer.repeat,
            metric=metric,
            value=float(value),
            passed=passed == "y",
            status=Status.PASS if passed == "y" else Status.FAIL,
            source="judge",
            judge=judges[metric],
            cached=True,
            reused_from=baseline.run_id,
            reason=(
                f"the answer of the baseline {baseline.run_id}, byte for byte: the judge's verdict"
                " of it stands"
            ),
        )

    return known
