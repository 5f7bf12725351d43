"""What a reviewer is shown, in which order: what went wrong, mixed with answers drawn at random.

Labels of what went wrong find bugs; only those of answers drawn at random say how often a judge
errs. The two are mixed so that an answer's place in the queue does not tell which kind it is.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from llmeval.core.draw import Draw
from llmeval.core.errors import UsageError
from llmeval.core.metric_ref import metric_of
from llmeval.gate.disputes import Dispute
from llmeval.review.draw import draw, judged_metric
from llmeval.review.intake import AnswerStatus
from llmeval.store.directory import RunDir, UnitKey
from llmeval.store.draws import key_of, place_of_key
from llmeval.store.labels import AnswerKey

RANDOM_SHARE = 0.2
VERDICTS = ("pass", "fail", "needs_review")


class QueueItem(NamedTuple):
    """An answer to look at, and the metrics to vote on."""

    case_id: str
    repeat: int
    metrics: tuple[str, ...]


class ReviewQueue(NamedTuple):
    """The reviewer's queue; `draws`: the random part of it, by metric or id of the draw."""

    items: tuple[QueueItem, ...]
    draws: Mapping[str, Draw]

    def sampling(self, place: AnswerKey) -> tuple[str, float | None]:
        """How an answer came before the person, and with which probability: (stratified, p) or
        (triage, None).
        """
        key = key_of(place)
        for metric_draw in self.draws.values():
            if metric_draw.metric == place.metric and key in metric_draw.drawn:
                return "stratified", metric_draw.strata[metric_draw.drawn[key]].probability
        return "triage", None


def metrics_to_review(run: RunDir, named: Sequence[str] = ()) -> tuple[str, ...]:
    """The metrics people vote on: those named, else the judged ones, else what the gate decides on,
    else all.

    Raises:
        UsageError: the run has no such metric, or none at all.
    """
    if named:
        return tuple(dict.fromkeys(judged_metric(run, name) for name in named))
    manifest = run.manifest()
    checks = [str(check["metric"]) for check in manifest.checks]
    gated = {metric_of(key) for key in manifest.gate.floors or {}}
    names = (
        [str(name) for name in manifest.judges]
        or [name for name in checks if name in gated]
        or checks
    )
    if not names:
        raise UsageError(f"{run.path}: the run has no metric, so there is no verdict to review")
    return tuple(dict.fromkeys(names))


def make_queue(
    run: RunDir,
    answers: Mapping[UnitKey, AnswerStatus],
    troubled: Iterable[UnitKey],
    metrics: Sequence[str],
    n: int,
    share: float = RANDOM_SHARE,
    seed: int = 0,
) -> ReviewQueue:
    """A queue of at most `n` answers; its random part is drawn before anything else. The caller
    keeps its draws, so that their labels are known to be random (`ReviewStore.add_draws`).

    Args:
        run: the run under review.
        answers: its answers (`answers_of`).
        troubled: keys of what went wrong, the most urgent first.
        metrics: to vote on.
        n: answers in all, at least 1.
        share: of them drawn at random, in [0, 1].
        seed: the same seed gives the same queue, for every reviewer.

    Raises:
        UsageError: `n` or `share` is out of range.
    """
    if n < 1 or not 0 <= share <= 1:
        raise UsageError(
            f"a queue needs at least 1 answer and a random share from 0 to 1, not {n} and {share}"
        )
    draws = _draws(run, answers, metrics, round(n * share), seed)
    places = (
        place_of_key(key, each_draw.metric)
        for each_draw in draws.values()
        for key in each_draw.drawn
    )
    drawn = dict.fromkeys((place.case_id, place.repeat) for place in places)
    rest = [key for key in troubled if key not in drawn and _votable(answers.get(key), metrics)][
        : n - len(drawn)
    ]
    items = [
        QueueItem(*key, _votable(answers[key], metrics)) for key in _mixed(list(drawn), rest, seed)
    ]
    return ReviewQueue(tuple(items), draws)


def fill_queue(
    run: RunDir,
    answers: Mapping[UnitKey, AnswerStatus],
    troubled: Sequence[UnitKey],
    metrics: Sequence[str],
    n: int,
    share: float = RANDOM_SHARE,
    seed: int = 0,
) -> ReviewQueue:
    """A queue of exactly `n` answers: where too few went wrong, more are drawn at random. It is
    shorter only if the run has fewer answers that can be voted on.

    Args and Raises:
        as for `make_queue`.
    """
    queue = make_queue(run, answers, troubled, metrics, n, share, seed)
    while len(queue.items) < n and share < 1:
        share = min(1.0, share + max(1, n - len(queue.items)) / n)
        queue = make_queue(run, answers, troubled, metrics, n, share, seed)
    return queue


def dispute_queue(disputes: Iterable[Dispute]) -> ReviewQueue:
    """The queue of an adjudicator: the answers with open disputes."""
    metrics: dict[UnitKey, list[str]] = {}
    for each in disputes:
        if each.decision is None:
            key = each.place.case_id, each.place.repeat
            metrics.setdefault(key, []).append(each.place.metric)
    return ReviewQueue(tuple(QueueItem(*key, tuple(names)) for key, names in metrics.items()), {})


def _draws(
    run: RunDir, answers: Mapping[UnitKey, AnswerStatus], metrics: Sequence[str], n: int, seed: int
) -> dict[str, Draw]:
    """One draw a metric that has verdicts, `n` answers in all."""
    scored = [
        name for name in metrics if any(_votable(answer, [name]) for answer in answers.values())
    ]
    drawn = {}
    for index, name in enumerate(scored):
        size = n // len(scored) + (index < n % len(scored))
        if size:
            drawn[name], _ = draw(run, name, size, seed)
    return drawn


def _mixed(drawn: list[UnitKey], troubled: list[UnitKey], seed: int) -> list[UnitKey]:
    """Both lists as one: what went wrong keeps its order, the others stand at random places among
    it.
    """
    source = random.Random(f"{seed}/queue")
    source.shuffle(drawn)
    slots = set(source.sample(range(len(drawn) + len(troubled)), len(drawn)))
    one, other = iter(drawn), iter(troubled)
    return [next(one if place in slots else other) for place in range(len(drawn) + len(troubled))]


def _votable(answer: AnswerStatus | None, metrics: Sequence[str]) -> tuple[str, ...]:
    return (
        ()
        if answer is None
        else tuple(name for name in metrics if answer.statuses.get(name) in VERDICTS)
    )
