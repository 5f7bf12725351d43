"""Which answers to label: a random set, drawn within the judge's passes and within its fails.

Labels of a random set say how often a judge errs; labels of the odd answers that somebody noticed
do not. Equal numbers of both verdicts let a hundred labels measure sensitivity and specificity on a
suite that nearly everything passes. What was drawn, and with which probability, is kept in the run
(`draws/`): on the sheet it would give the verdict away.
"""

import random
from typing import NamedTuple

from llmeval.core.draw import Draw, Stratum
from llmeval.core.errors import UsageError
from llmeval.core.records import Answer, Case, Score, Status, digest
from llmeval.store.directory import RunDir
from llmeval.store.draws import keep_draw, key_of, read_draws
from llmeval.store.labels import AnswerKey


class Drawn(NamedTuple):
    """One answer to label."""

    place: AnswerKey
    case: Case
    answer: Answer


def judged_metric(run: RunDir, metric: str | None) -> str:
    """The metric to label: the one given, or the run's only judged one.

    Raises:
        UsageError: it must be named, or the run has no such metric.
    """
    manifest = run.manifest()
    judges = list(manifest.judges)
    if metric is None:
        if len(judges) == 1:
            return str(judges[0])
        names = (
            f"name one with --metric: {', '.join(judges)}"
            if judges
            else "name the metric with --metric"
        )
        raise UsageError(f"{run.path}: the run has {len(judges)} judged metrics; {names}")
    known_metrics = {*judges, *(check["metric"] for check in manifest.checks)}
    if metric not in known_metrics:
        raise UsageError(
            f"{run.path} has no metric {metric!r}; it has: {', '.join(sorted(known_metrics))}"
        )
    return metric


def draw(run: RunDir, metric: str, n: int, seed: int = 0) -> tuple[Draw, list[Drawn]]:
    """Draw `n` answers of a run to label, in random order.

    The answers are split by verdict (pass, fail) and by who decided (check, judge), and each part
    gets an equal share, or all of what it has. Answers without a verdict are left out: they say
    nothing about the judge.

    Raises:
        UsageError: nothing to draw from.
    """
    if n < 1:
        raise UsageError(f"--n must be at least 1, not {n}")
    parts: dict[tuple[str, str], list[AnswerKey]] = {}
    for (case_id, repeat), block in run.scores():
        for score in block:
            if score.metric == metric and score.status in (Status.PASS, Status.FAIL):
                parts.setdefault(stratum_of(score), []).append(AnswerKey(case_id, repeat, metric))
    if not parts:
        raise UsageError(
            f"{run.path}: {metric} has no verdict on any answer, so there is nothing to label"
        )
    source = random.Random(f"{seed}/{metric}")
    names = sorted(parts)
    sizes = _shares(n, [len(parts[name]) for name in names])
    strata = tuple(
        Stratum(*name, len(parts[name]), size) for name, size in zip(names, sizes, strict=True)
    )
    chosen = {
        place: number
        for number, (name, size) in enumerate(zip(names, sizes, strict=True))
        for place in source.sample(sorted(parts[name]), size)
    }
    places = list(chosen)
    source.shuffle(places)  # the order must not tell the strata apart
    run_id = run.manifest().run_id
    drawn = {key_of(place): number for place, number in chosen.items()}
    new_draw = Draw(
        draw_id=digest([run_id, metric, n, seed, drawn])[7:19],
        run_id=run_id,
        metric=metric,
        n=n,
        seed=seed,
        strata=strata,
        drawn=drawn,
    )
    return new_draw, _texts(run, places)


def stratum_of(score: Score) -> tuple[str, str]:
    """(verdict, who decided) of a score."""
    return str(score.status), score.source


def keep(run: RunDir, draw_: Draw) -> None:
    """Write down a draw (`store.draws.keep_draw`)."""
    keep_draw(run.path, draw_)


def draws(run: RunDir) -> dict[str, Draw]:
    """The draws made from a run, by id.

    Raises:
        StoreError: the file is not a list of draws.
    """
    return {each.draw_id: each for each in read_draws(run.path)}


def _shares(n: int, sizes: list[int]) -> list[int]:
    """`n` split equally over parts of these sizes; what a small part lacks goes to the others."""
    shares = [0] * len(sizes)
    left = min(n, sum(sizes))
    while left:
        open_parts = [index for index, size in enumerate(sizes) if shares[index] < size]
        step = max(1, left // len(open_parts))
        for index in open_parts:
            more = min(step, sizes[index] - shares[index], left)
            shares[index] += more
            left -= more
    return shares


def _texts(run: RunDir, places: list[AnswerKey]) -> list[Drawn]:
    """The places with their cases and answers, in the same order."""
    by_place = {(place.case_id, place.repeat): place for place in places}
    texts = {}
    for unit in run.units():
        place = by_place.get((unit.case.id, unit.answer.repeat))
        if place is not None:
            texts[place] = Drawn(place, unit.case, unit.answer)
    return [texts[place] for place in places if place in texts]
