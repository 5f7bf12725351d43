"""What a run took from earlier ones, counted from its records."""

from typing import Any

import pytest

from llmeval.core.records import Answer, ErrorInfo, Score, Status
from llmeval.core.results import Reused
from llmeval.gate.call_counts import ReuseCount

OLD, NEW = "2026-03-01T08:00:00Z", "2026-03-05T08:00:00Z"


def answer(**fields: Any) -> Answer:
    return Answer(case_id="a", **{"output": "x", "answered_at": NEW, **fields})


def verdict(**fields: Any) -> Score:
    given = {"source": "judge", "status": Status.PASS, "answered_at": NEW, **fields}
    return Score(case_id="a", metric="m", **given)


@pytest.mark.parametrize(
    ("records", "answers", "verdicts"),
    [
        ([], (0, 0, None), (0, 0, None)),
        ([answer(), answer(cached=True)], (0, 2, None), (0, 0, None)),
        (
            [answer(), answer(reused_from="r"), answer(reused_from="s", answered_at=OLD)],
            (2, 3, OLD),
            (0, 0, None),
        ),
        ([answer(output=None, error=ErrorInfo("provider", "down"))], (0, 0, None), (0, 0, None)),
        (
            [answer(reused_from="r", answered_at=None), answer(reused_from="r")],
            (2, 2, None),
            (0, 0, None),
        ),
        ([answer(answered_at=None)], (0, 1, None), (0, 0, None)),
        (
            [verdict(), verdict(status=Status.FAIL, reused_from="r", answered_at=OLD)],
            (0, 0, None),
            (1, 2, OLD),
        ),
        ([verdict(status=Status.NEEDS_REVIEW, reused_from="r")], (0, 0, None), (1, 1, NEW)),
        ([verdict(status=Status.UNSCORED, reused_from="r")], (0, 0, None), (0, 0, None)),
        ([verdict(answered_at=None, reused_from="baseline")], (0, 0, None), (1, 1, None)),
        (
            [verdict(answered_at=None, reason="empty, no judge was asked")],
            (0, 0, None),
            (0, 0, None),
        ),
        ([verdict(source="check", answered_at=None)], (0, 0, None), (0, 0, None)),
    ],
)
def test_reuse_is_counted(records: list[Answer | Score], answers: Any, verdicts: Any) -> None:
    count = ReuseCount()
    for record in records:
        count.answer(record) if isinstance(record, Answer) else count.score(record)
    found = count.record()
    assert [found.answers, found.verdicts] == [
        Reused(reused=reused, of=of, oldest=oldest) for reused, of, oldest in (answers, verdicts)
    ]
