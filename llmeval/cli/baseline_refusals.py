"""Runs that can't become a baseline or a release just so: those that the gate did not PASS, and
those whose answers are counted already.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmeval.core.baseline_lock import AcceptedDecision, BaselineLock
    from llmeval.core.results import Decision, GateResult
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
        decision = _gate_against(run, lock).decision
        if decision in (Decision.PASS, Decision.INCONCLUSIVE):
            return
        what = f"is {decision} against this baseline (`llmeval gate {run.path} --baseline {lock}`)"
    raise UsageError(
        f"{run.path} can't extend the baseline: it {what}. A baseline that takes in such a run"
        " would hide a regression. Fix the cause and run again; or approve runs by hand"
    )


def accepted_of(runs: "Sequence[RunDir]", reason: str) -> "AcceptedDecision | None":
    """What a person accepts who approves these runs: the worst decision that was not PASS; None
    where there is none. INVALID does not count: a first run has no baseline.
    """
    from llmeval.core.baseline_lock import AcceptedDecision
    from llmeval.core.results import Decision

    stored = [run.summary().gate.decision for run in runs if run.has_summary()]
    for decision in (Decision.FAIL, Decision.INCONCLUSIVE):
        if decision in stored:
            return AcceptedDecision(decision, reason)
    return None


def accepted_release(
    baseline: "BaselineLock",
    lock: Path,
    runs: "Sequence[tuple[RunDir, BaselineLock]]",
    despite: str | None,
) -> "AcceptedDecision | None":
    """What a person accepts who names a release: None for one that is PASS.

    Args:
        baseline: the rolling one. lock: its file.
        runs: those of the release, with what a lock file keeps of them; empty for the baseline's
            own.
        despite: why a release that is not PASS is named, in the person's words.

    Raises:
        UsageError: the release is not PASS, and no reason is stated; or a reason is, and it is.
    """
    from llmeval.core.baseline_lock import AcceptedDecision
    from llmeval.core.errors import UsageError

    failed = _not_passed(baseline, lock, runs)
    if failed is None:
        if despite is not None:
            raise UsageError("--despite is for a release that is not PASS, and this one is PASS")
        return None
    what, decision = failed
    if despite is None or not despite.strip():
        raise UsageError(
            f"{what} can't be the release: it is {decision}. Each later run would be compared with"
            " it. Name a run that is PASS; or state why this one is the release anyway:"
            " --despite TEXT, which the lock file keeps and later reports show"
        )
    return AcceptedDecision(decision, despite.strip())


_NO_DECISION = "not decided"


def _not_passed(
    baseline: "BaselineLock", lock: Path, runs: "Sequence[tuple[RunDir, BaselineLock]]"
) -> tuple[str, str] | None:
    """What of a release is not PASS, and its decision; None where all is."""
    from llmeval.core.results import Decision
    from llmeval.gate.baseline_runs import runs_of

    rolling = {each.run_id: each.decision for each in runs_of(baseline)}
    if not runs:
        approved = baseline.approved
        if approved is not None and approved.accepted:
            return f"the baseline {baseline.run_id}", approved.accepted.decision
        for run_id, decision in rolling.items():
            if decision not in (None, Decision.PASS):
                return f"run {run_id}", str(decision)
        return None
    for run, kept in runs:
        stored = run.summary().gate.decision if run.has_summary() else None
        if stored in (Decision.FAIL, Decision.INCONCLUSIVE, None):
            return str(run.path), stored or _NO_DECISION
        if kept.run_id in rolling:  # compared with itself it would PASS
            now = kept.decision or Decision.PASS
        else:
            now = _release_decision(run, baseline, lock)
        if now != Decision.PASS:
            return str(run.path), str(now or _NO_DECISION)
    return None


def _release_decision(run: "RunDir", baseline: "BaselineLock", lock: Path) -> "Decision | str":
    """A run's decision against the rolling baseline, and against the release that it has."""
    from llmeval.core.results import Decision
    from llmeval.gate.rules.release import RELEASE
    from llmeval.gate.rules.single_run import outcome

    gate = _gate_against(run, lock)
    if baseline.release is not None:
        return gate.decision or _NO_DECISION
    rules = [rule for rule in gate.rules if rule.rule != RELEASE]
    return outcome(rules, "fail").decision or Decision.PASS


def _gate_against(run: "RunDir", lock: Path) -> "GateResult":
    """What the run comes to where this lock file is its baseline."""
    from llmeval.api import redecide

    compares = run.manifest().gate.regression is not None
    return redecide(run.path, baseline=lock if compares else None).summary.gate


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
        _refuse_other_policy(each)
        refuse_unapproved(each.path)


def _refuse_other_policy(run: "RunDir") -> None:
    """Refuse a run that demands other approvals than its suite does now.

    Raises:
        UsageError: they differ. A run made while the key was removed would need none.
    """
    from llmeval.core.errors import UsageError
    from llmeval.suite.loader import load_suite

    manifest = run.manifest()
    path = Path(manifest.suite_file)
    if not path.is_file():
        return
    spec = load_suite(path, manifest.environment).spec.approvals
    if (None if spec is None else spec.record()) != manifest.approvals:
        raise UsageError(
            f"{run.path}: the suite {path} demands other approvals now than this run does. Run the"
            " suite again"
        )
