"""What the records of an earlier part of a run leave to do."""

from llmeval.core.records import Status
from llmeval.runner.plan import RunPlan
from llmeval.runner.recorded_answers import RecordedAnswers
from llmeval.runner.scoring import counts_as_failed
from llmeval.store.directory import ANSWERS, CASES
from llmeval.store.writer import RunWriter


def recorded_answers(
    plan: RunPlan, writer: RunWriter, *, errors_stand: bool = False
) -> RecordedAnswers:
    """The answers that need no new call. Answers whose judge did not reply are scored again, and
    failed calls are repeated, unless `errors_stand`.
    """
    run = writer.run
    cases = {case.id for case in run.outlines()} if writer.count(CASES) else set()
    offsets = run.answer_offsets() if writer.count(ANSWERS) else {}
    if not offsets:
        return RecordedAnswers({}, set(), cases)
    failed = set()
    if not errors_stand:
        missing = (
            a for a in run.answers() if a.error is not None and not counts_as_failed(plan, a)
        )
        failed = {(a.case_id, a.repeat) for a in missing}
    answers = {key: offset for key, offset in offsets.items() if key not in failed}
    case_metrics = {
        case.id: {name for bound in plan.checks_for(case) for name in bound.metrics}
        for case in plan.cases
        if case.checks
    }
    common = {name for bound in plan.checks for name in bound.metrics}
    scored, checked = set(), set()
    for key, scores in run.scores():
        metrics = {score.metric for score in scores}
        expected = case_metrics.get(key[0], common) | set(plan.judges)
        unjudged = any(score.status is Status.UNSCORED and score.unanswered for score in scores)
        waits = any(score.status is Status.NOT_SCORED for score in scores)
        if key in answers and waits:
            checked.add(key)
        elif key in answers and expected <= metrics and not unjudged:
            scored.add(key)
    return RecordedAnswers(answers, scored, cases, checked)
