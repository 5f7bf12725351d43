"""Queues by name, and a row in short for the first page, where no script runs."""

from llmeval.core.question import shown_question
from llmeval.core.records import Score, Status
from llmeval.report.html.index import why
from llmeval.report.html.row import ReportRow
from llmeval.report.html.triage import Triage, TriageQueue
from llmeval.report.html.visible import clip, shorten, visible
from llmeval.report.html.words import score_status

_TEXT, _REASON = 1500, 400

QUEUES = {
    TriageQueue.PROBLEM: ("Run problems", "no result: an error, or no usable verdict"),
    TriageQueue.REGRESSED: ("Regressions", "passed in the baseline, fails now"),
    TriageQueue.DISAGREES: (
        "Judge disagreements",
        "judges, checks, repeats or people disagree, or a person must decide",
    ),
    TriageQueue.NEW: ("New failures", "fails, with nothing to compare in the baseline"),
    TriageQueue.KNOWN: ("Known failures", "failed in the baseline too"),
    TriageQueue.UNTRUSTED: (
        "Untrusted judge",
        "only a judge that is not trusted contradicts the others",
    ),
    TriageQueue.FIXED: ("Fixed", "failed in the baseline, passes now"),
    TriageQueue.REST: ("Passing", "no problem seen"),
}


_ONE = {
    TriageQueue.PROBLEM: "Run problem",
    TriageQueue.REGRESSED: "Regression",
    TriageQueue.DISAGREES: "Disagreement",
    TriageQueue.NEW: "New failure",
    TriageQueue.KNOWN: "Known failure",
    TriageQueue.UNTRUSTED: "Untrusted judge",
}


def queue_name(queue: TriageQueue, compared: bool) -> tuple[str, str]:
    """Title and explanation; without a baseline nothing is new, it only fails."""
    return (
        QUEUES[queue]
        if compared or queue is not TriageQueue.NEW
        else ("Failures", "a check or a judge says fail")
    )


def picture(row: ReportRow, place: Triage, compared: bool) -> dict[str, object]:
    """A row as the first page shows it: every text clipped and made visible."""
    answer = row.now.answer
    first = {name: at for at, name in enumerate(place.failing)}
    return {
        "id": visible(row.case.id),
        "raw_id": row.case.id,
        "repeat": answer.repeat,
        "queue": "Failure"
        if place.queue is TriageQueue.NEW and not compared
        else _ONE[place.queue],
        "key": place.queue.name.lower(),
        "line": clip(shown_question(row.case), 140),
        "said": clip(why(row, place), 200),
        "asked": shorten(shown_question(row.case), _TEXT),
        "references": [shorten(reference, _REASON) for reference in row.case.references[:5]],
        "answer": None if answer.output is None else shorten(answer.output, _TEXT),
        "error": None
        if answer.error is None
        else shorten(f"{answer.error.kind}: {answer.error.message}", _REASON),
        "before": shorten(row.before.answer.text, _TEXT) if row.before is not None else None,
        "scores": [
            _score(s)
            for s in sorted(row.now.scores, key=lambda each: first.get(each.metric, len(first)))
            if s.status not in (Status.PASS, Status.NOT_APPLICABLE)
        ],
    }


_TONE = {
    Status.FAIL: "fail",
    Status.UNSCORED: "unsure",
    Status.NOT_SCORED: "unsure",
    Status.NEEDS_REVIEW: "unsure",
    Status.ERROR: "invalid",
}


def _score(score: Score) -> dict[str, object]:
    return {
        "metric": score.metric,
        "status": score_status(score.status),
        "tone": _TONE[score.status],
        "reason": shorten(score.unscored or score.reason, _REASON),
    }
