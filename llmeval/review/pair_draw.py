"""Which pairs of answers to label to decide a regression: a random part of each class of paired
cases (`gate.pair_classes`), both answers of each, so that people's own difference can be estimated
(`stats.estimation.labelled_difference`).

The two answers of a case stand next to each other on the sheet, in random order, and nothing says
which one is the candidate's.
"""

import random
from collections.abc import Iterable

from llmeval.core.baseline_lock import BaselineLock
from llmeval.core.draw import Draw, Stratum
from llmeval.core.errors import UsageError
from llmeval.core.records import digest
from llmeval.gate.aggregate import RunAggregate
from llmeval.gate.pair_classes import LABELLED, SPREADS, PairClass, pair_classes, why_no_classes
from llmeval.gate.pairs import pair
from llmeval.gate.run_pass import aggregate_run
from llmeval.review.draw import Drawn
from llmeval.stats.estimation.labelled_difference import shares
from llmeval.store.directory import RunDir
from llmeval.store.draws import key_of, read_draws
from llmeval.store.labels import AnswerKey, text_digest


def draw_pairs(
    run: RunDir, before: RunDir, baseline: BaselineLock, metric: str, n: int, seed: int = 0
) -> tuple[Draw, list[Drawn]]:
    """Draw both answers of n / 2 paired cases, in random order.

    Each class gets a share of them that makes the estimate most precise, or all of what it has. The
    same n and seed give the same draw again; another one draws from what is not drawn yet.

    Args:
        run: the candidate's. before: the baseline's, which has its answers.
        baseline: what the run is compared with.
        metric: a judged one. n: answers. seed: of the random draw.

    Raises:
        UsageError: these runs can't be compared so, or nothing is left to draw.
    """
    if n < 2:
        raise UsageError(f"--n must be at least 2, an answer of each side, not {n}")
    manifest = run.manifest()
    if before.manifest().run_id != baseline.run_id:
        raise UsageError(
            f"{before.path}: is the run {before.manifest().run_id}, and the baseline is"
            f" {baseline.run_id}: name its directory with --baseline-run DIR"
        )
    tally = aggregate_run(run, manifest)
    classes = _classes(run, tally, baseline, metric)
    earlier = [each for each in read_draws(run.path) if each.metric == metric and each.pairs]
    again = next((each for each in earlier if _is_again(each, baseline, n, seed)), None)
    if again is None:
        again = _draw(run, before, baseline, metric, (n, seed), _left(classes, metric, earlier))
    source = random.Random(f"{again.draw_id}/order")
    keys = sorted(again.drawn)
    source.shuffle(keys)
    return again, _texts(run, before, metric, keys, source)


def _is_again(earlier: Draw, baseline: BaselineLock, n: int, seed: int) -> bool:
    return (earlier.baseline, earlier.n, earlier.seed) == (baseline.run_id, n, seed)


def _classes(
    run: RunDir, tally: RunAggregate, baseline: BaselineLock, metric: str
) -> dict[str, PairClass]:
    manifest = run.manifest()
    why = why_no_classes(tally, manifest, baseline, metric)
    if why is not None:
        raise UsageError(f"{run.path}: labels can't decide a regression here: {why}")
    classes = pair_classes(tally, baseline, metric, pair(tally, baseline, metric).cases)
    if classes is None:
        raise UsageError(
            f"{run.path}: the scores of {metric} are not pass or fail, so labels of pass or fail"
            " do not decide a regression of its mean"
        )
    return classes


Left = dict[PairClass, tuple[int, list[str]]]
"""By class, how many pairs it has, and the keys of those that are not drawn yet."""


def _left(classes: dict[str, PairClass], metric: str, earlier: Iterable[Draw]) -> Left:
    drawn = {key for each in earlier for key in each.drawn}
    keys = {name: key_of(AnswerKey(name, 0, metric)) for name in classes}
    return {
        kind: (
            sum(each is kind for each in classes.values()),
            sorted(
                keys[name]
                for name, each in classes.items()
                if each is kind and keys[name] not in drawn
            ),
        )
        for kind in LABELLED
    }


def _draw(
    run: RunDir,
    before: RunDir,
    baseline: BaselineLock,
    metric: str,
    requested: tuple[int, int],
    left: Left,
) -> Draw:
    """A new draw. `requested`: answers, and the seed."""
    n, seed = requested
    if not any(keys for _, keys in left.values()):
        raise UsageError(
            f"{run.path}: no pair of answers is left to label: all are drawn already, or have the"
            " same text on both sides"
        )
    sizes = [len(left[kind][1]) for kind in LABELLED]
    numbers = shares(sizes, SPREADS, n // 2)
    source = random.Random(f"{seed}/{metric}/{baseline.run_id}")
    drawn = {
        key: place
        for place, (kind, number) in enumerate(zip(LABELLED, numbers, strict=True))
        for key in source.sample(left[kind][1], number)
    }
    texts = {
        key: text_digest(answer.text)
        for answer in before.answers()
        if (key := key_of(AnswerKey(answer.case_id, answer.repeat, metric))) in drawn
    }
    missing = sorted(drawn.keys() - texts.keys())
    if missing:
        raise UsageError(f"{before.path}: has no answer to {missing[0]}")
    run_id = run.manifest().run_id
    return Draw(
        draw_id=digest([run_id, baseline.run_id, metric, n, seed, drawn])[7:19],
        run_id=run_id,
        metric=metric,
        n=n,
        seed=seed,
        strata=tuple(
            Stratum(kind, "pair", left[kind][0], number)
            for kind, number in zip(LABELLED, numbers, strict=True)
        ),
        drawn=drawn,
        baseline=baseline.run_id,
        baseline_outputs=texts,
    )


def _texts(
    run: RunDir, before: RunDir, metric: str, keys: list[str], source: random.Random
) -> list[Drawn]:
    """Both answers of each key, those of a case next to each other."""
    sides: dict[str, list[Drawn]] = {key: [] for key in keys}
    for each in (run, before):
        for unit in each.units():
            place = AnswerKey(unit.case.id, unit.answer.repeat, metric)
            if key_of(place) in sides:
                sides[key_of(place)].append(Drawn(place, unit.case, unit.answer))
    for answers in sides.values():
        source.shuffle(answers)
    return [answer for key in keys for answer in sides[key]]
