"""A queue split among reviewers, some of its answers given to two of them.

The double answers show how far reviewers agree. They are drawn at random among all answers of the
queue, and nothing in a reviewer's part tells which they are.
"""

import random
from collections.abc import Iterable, Mapping, Sequence

from llmeval.core.errors import UsageError
from llmeval.core.person_names import person_name
from llmeval.core.records import digest, utc_now
from llmeval.core.review_records import AssignedAnswer, Assignment
from llmeval.review.queue import QueueItem, ReviewQueue
from llmeval.review.review_store import ReviewStore


def parse_part(text: str) -> tuple[str, int]:
    """A reviewer and a number of answers, from `ada:12`.

    Raises:
        UsageError: it is not of this form.
    """
    name, _, number = text.rpartition(":")
    if not (number.isascii() and number.isdigit()) or not 1 <= int(number) <= 1_000_000:
        raise UsageError(f"--to {text}: write a name and a number of answers, such as ada:12")
    return person_name(name, "--to"), int(number)


def parse_parts(texts: Sequence[str]) -> dict[str, int]:
    """The number of answers for each reviewer.

    Raises:
        UsageError: nobody is named, somebody is named twice, or a part has another form.
    """
    parts = dict(map(parse_part, texts))
    if not parts or len(parts) != len(texts):
        raise UsageError("--to names each reviewer once, such as --to ada:12 --to ben:12")
    return parts


def parse_share(text: str) -> float:
    """A share from `20%` or `0.2`.

    Raises:
        UsageError: it is not a share from 0 to 100 %.
    """
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise UsageError(f"--double {text}: write a share from 0% to 100%, such as 20%")
    return share


def answers_needed(parts: Mapping[str, int], double: float) -> tuple[int, int]:
    """How many different answers these parts take, and how many of them go to two reviewers.

    Args:
        parts: the number of answers for each reviewer.
        double: the share of the answers that two reviewers label.

    Raises:
        UsageError: the parts have no room for so many double answers.
    """
    total = sum(parts.values())
    different = max(1, round(total / (1 + double)))
    twice = total - different
    room = min(total // 2, total - max(parts.values()))
    if twice > room:
        raise UsageError(
            f"--double: {twice} answers would go to two reviewers, and these parts have room for"
            f" {room}. Give the others larger parts, or name a smaller share"
        )
    return different, twice


def assign(
    run_id: str,
    queue: ReviewQueue,
    parts: Mapping[str, int],
    double: float,
    *,
    seed: int = 0,
    by: str = "",
) -> Assignment:
    """Split a queue. The same arguments give the same parts.

    Args:
        run_id: of the run.
        queue: of exactly as many answers as `answers_needed` says.
        parts: the number of answers for each reviewer.
        double: the share of the answers that two reviewers label.
        seed: of the choice of the double answers.
        by: the name of the person who assigns.

    Raises:
        UsageError: the queue has fewer answers, or the parts have no room for the double answers.
    """
    different, twice = answers_needed(parts, double)
    if len(queue.items) < different:
        raise UsageError(
            f"the parts take {different} different answers, and the run has {len(queue.items)} that"
            " can be labelled: assign fewer, or a larger share twice"
        )
    doubled = set(random.Random(f"{seed}/double").sample(range(different), twice))
    shares = _shares(different, doubled, parts)
    answers = {
        name: tuple(_assigned(queue.items[at]) for at in places) for name, places in shares.items()
    }
    draws = tuple(sorted(assignment.draw_id for assignment in queue.draws.values()))
    plain = {name: [[each.case_id, each.repeat] for each in part] for name, part in answers.items()}
    return Assignment(
        assignment_id=digest([run_id, plain, double, seed, list(draws)])[7:23],
        run_id=run_id,
        parts=answers,
        double=double,
        seed=seed,
        draws=draws,
        by=by,
        at=utc_now("milliseconds"),
    )


def _shares(different: int, doubled: set[int], parts: Mapping[str, int]) -> dict[str, list[int]]:
    """The places of the queue for each reviewer, in the order of the queue.

    Double answers go first, each to the two with the most room: that never runs out of pairs as
    long as `answers_needed` accepts the parts. Of equal room, the pair that shares the fewest
    answers comes first, so that all pairs are compared.
    """
    room = dict(parts)
    together: dict[frozenset[str], int] = {}
    chosen: dict[str, list[int]] = {name: [] for name in parts}
    for at in sorted(doubled):
        first = min(room, key=lambda name: (-room[name], name))
        second = min(
            (name for name in room if name != first),
            key=lambda name: (-room[name], together.get(frozenset((first, name)), 0), name),
        )
        pair = frozenset((first, second))
        together[pair] = together.get(pair, 0) + 1
        for name in pair:
            room[name] -= 1
            chosen[name].append(at)
    for at in range(different):
        if at not in doubled:
            name = min(room, key=lambda each: (-room[each], each))
            room[name] -= 1
            chosen[name].append(at)
    return {name: sorted(places) for name, places in chosen.items()}


def _assigned(item: QueueItem) -> AssignedAnswer:
    return AssignedAnswer(case_id=item.case_id, repeat=item.repeat, metrics=item.metrics)


def part_of(assignments: Iterable[Assignment], reviewer: str) -> tuple[QueueItem, ...]:
    """A reviewer's answers in all assignments, each once, in the order of the assignments."""
    items: dict[tuple[str, int], QueueItem] = {}
    for assignment in assignments:
        for each in assignment.parts.get(reviewer, ()):
            key = each.case_id, each.repeat
            metrics = (*(items[key].metrics if key in items else ()), *each.metrics)
            items[key] = QueueItem(*key, tuple(dict.fromkeys(metrics)))
    return tuple(items.values())


def queue_of(store: ReviewStore, reviewer: str, default: ReviewQueue) -> ReviewQueue:
    """A reviewer's part of the assignments; without one the default queue.

    Args:
        store: has the assignments and their draws.
        reviewer: whose part.
        default: for reviewers without a part.

    Raises:
        StoreError: the store can't be read.
    """
    assignments = [each for each in store.assignments() if reviewer in each.parts]
    if not assignments:
        return default
    ids = {draw_id for each in assignments for draw_id in each.draws}
    draws = {draw.draw_id: draw for draw in store.draws() if draw.draw_id in ids}
    return ReviewQueue(part_of(assignments, reviewer), draws)
