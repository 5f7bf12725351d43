"""Runs that can't be averaged into a baseline: those that the gate failed, and those whose answers
are counted already.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmeval.core.results import Decision
    from llmeval.store.directory import RunDir


def refuse_failed(run: "RunDir", lock: Path) -> None:
    """Refuse a run that would draw the baseline down to it.

    Args:
        run: the run. lock: the lock file that it would extend.

    Raises:
        UsageError: its own gate failed it or did not decide it, or it is not PASS or INCONCLUSIVE
            against this baseline.
    """
    from llmeval.core.errors import UsageError
    from llmeval.core.results import Decision

    before = run.summary().gate.decision if run.has_summary() else None
    if before in (None, Decision.FAIL):
        what = "was not decided" if before is None else f"is {before}"
    else:
        decision = _decision_against(run, lock)
        if decision in (Decision.PASS, Decision.INCONCLUSIVE):
            return
        what = f"is {decision} against this baseline (`llmeval gate {run.path} --baseline {lock}`)"
    raise UsageError(
        f"{run.path} can't extend the baseline: it {what}. A baseline that takes in such a run"
        " would hide a regression. Fix the cause and run again; or approve runs by hand"
    )


def _decision_against(run: "RunDir", lock: Path) -> "Decision | None":
    """The run's decision where this lock file is its baseline."""
    from llmeval.api import redecide

    compares = run.manifest().gate.regression is not None
    return redecide(run.path, baseline=lock if compares else None).summary.gate.decision


def refuse_shared_answers(runs: "Sequence[RunDir]") -> None:
    """Refuse runs that hold the same answers: an answer that was reused is not a second draw, and
    counted twice it makes every bound too narrow.

    Raises:
        UsageError: two of the runs share an answer.
    """
    from llmeval.core.errors import UsageError

    owners: dict[tuple[str, int, str], RunDir] = {}
    for run in runs if len(runs) > 1 else ():  # one run alone shares nothing, and is not read
        own = run.manifest().run_id
        for answer in run.answers():
            origin = answer.reused_from or own
            other = owners.setdefault((answer.case_id, answer.repeat, origin), run)
            if other is not run:
                raise UsageError(
                    f"{run.path} and {other.path} hold the same answer to the case"
                    f" {answer.case_id}: it comes from the run {origin}. A reused answer counts"
                    f" once. {_NEW_ANSWERS}"
                )


def refuse_reused(run: "RunDir") -> None:
    """Refuse a run with answers of an earlier run, which the baseline may hold already.

    Raises:
        UsageError: an answer is reused.
    """
    from llmeval.core.errors import UsageError

    for answer in run.answers():
        if answer.reused_from is not None:
            raise UsageError(
                f"{run.path} can't extend the baseline: its answer to the case {answer.case_id} is"
                f" reused from the run {answer.reused_from}. A reused answer counts once."
                f" {_NEW_ANSWERS}"
            )


_NEW_ANSWERS = "Run the suite again with `--no-cache` for new answers"


def refuse_unapproved_runs(directories: "list[RunDir]") -> None:
    """Refuse runs without the approvals that their suite demands.

    Raises:
        UsageError: names the run and what is missing.
    """
    from llmeval.governance.verified_run import refuse_unapproved

    for each in directories:
        refuse_unapproved(each.path)
