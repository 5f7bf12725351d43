"""The counts of one day from the scores of its run."""

from collections.abc import Iterable, Sequence

from llmeval.core.monitor_record import StreamCount
from llmeval.core.records import Score, Status
from llmeval.monitor.streams import StreamKey
from llmeval.store.directory import RunDir

_SCORED = (Status.PASS, Status.FAIL)


def count_scores(run: RunDir, keys: Sequence[StreamKey]) -> tuple[StreamCount, ...]:
    """Answers, passed answers and missing scores of each stream.

    A check that does not apply to an answer leaves it out. Everything else without a verdict is
    missing, also an answer that has no scores at all.
    """
    tags = {case.id: case.tags for case in run.cases()}
    scores = {key[0]: block for key, block in run.scores()}
    totals = {key: [0, 0, 0] for key in keys}
    for case_id, own in tags.items():
        for key in keys:
            if key.slice is not None:
                tag, _, value = key.slice.partition("=")
                if own.get(tag.strip()) != value.strip():
                    continue
            _add(totals[key], _status(scores.get(case_id, ()), key.metric))
    return tuple(
        StreamCount(
            metric=key.metric, slice=key.slice, answers=answers, passed=passed, missing=missing
        )
        for key, (answers, passed, missing) in totals.items()
    )


def _status(scores: Iterable[Score], metric: str) -> Status:
    return next((score.status for score in scores if score.metric == metric), Status.NOT_SCORED)


def _add(total: list[int], status: Status) -> None:
    if status is Status.NOT_APPLICABLE:
        return
    scored = status in _SCORED
    total[0] += scored
    total[1] += status is Status.PASS
    total[2] += not scored


def missing_share(counts: Sequence[StreamCount]) -> tuple[str, float]:
    """The metric over all traffic with the largest share of missing scores, and this share."""
    shares = [
        (each.missing / max(1, each.answers + each.missing), each.metric)
        for each in counts
        if each.slice is None
    ]
    share, metric = max(shares)
    return metric, share
