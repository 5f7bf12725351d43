"""One case through the runs of its suite: since when it fails, and how often it flips."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec

from llmeval.core.errors import UsageError
from llmeval.history.experiment_store import ExperimentStore, RunQuery
from llmeval.history.rows import RunRow
from llmeval.history.verdicts import CaseList, Vector, Verdict, worst

LAST = 50
"""Runs of a life, unless another number is stated."""


class CasePoint(msgspec.Struct, frozen=True, kw_only=True):
    """The case in one run."""

    run_id: str
    """The run."""
    started: str
    """ISO 8601, UTC."""
    commit: str
    """Beginning of the hash; empty without git."""
    candidate: str
    """Name of the model."""
    verdict: str
    """pass, fail, unscored, error, quarantined, not_run, needs_review or not_applicable: the worst
    of its repeats.
    """
    letter: str
    """The same as a letter."""
    value: float | None
    """The mean of its repeats; null without a grade, and for the case as a whole."""
    changed: tuple[str, ...] = ()
    """What changed since the run before: case, judge or checks, repeats."""
    system: bool = False
    """Whether the candidate or the prompt changed since the run before."""


class CaseLife(msgspec.Struct, frozen=True, kw_only=True):
    """A case over the runs of its suite."""

    suite: str
    """Name."""
    case_id: str
    """The case."""
    metric: str | None
    """Null for the case as a whole: it passes where every metric passes."""
    points: tuple[CasePoint, ...]
    """The oldest first."""
    flips: int
    """Changes between pass and fail where nothing else changed."""
    pairs: int
    """Pairs of consecutive runs in which nothing changed."""
    streak: int
    """Runs with a grade at the end of the life that have the same one."""
    since: CasePoint | None
    """The first run of that streak."""
    words: str
    """All this in a sentence."""

    @property
    def flake_rate(self) -> float | None:
        """Share of `pairs` in which the grade changed; null without a pair."""
        return self.flips / self.pairs if self.pairs else None


def life_of(
    store: ExperimentStore,
    query: RunQuery,
    suite: str,
    case_id: str,
    metric: str | None = None,
    last: int = LAST,
) -> CaseLife:
    """The life of a case.

    Args:
        store: the history.
        query: which runs; the suite and a number are added.
        suite: name.
        case_id: the case.
        metric: name; None for the case as a whole.
        last: the newest so many complete runs.

    Raises:
        UsageError: none of these runs has the case, or none has the metric.
    """
    rows = store.runs(query.where("suite", suite).where("status", "complete")._replace(limit=last))
    runs = rows[::-1]
    run_ids = [run.run_id for run in runs]
    vectors: dict[str, list[Vector]] = {}
    for each in store.vectors(run_ids, metric):
        vectors.setdefault(each.run_id, []).append(each)
    lists = store.case_lists({each[0].case_list for each in vectors.values()})
    scorers = _scorers(store, runs, metric)
    seen = [
        entry
        for run in runs
        if (entry := _seen(run, vectors.get(run.run_id, []), lists, case_id, scorers))
    ]
    if not seen:
        raise UsageError(_unknown(suite, case_id, metric, len(runs), bool(vectors)))
    points = [
        _point(each, seen[number - 1] if number else None, metric)
        for number, each in enumerate(seen)
    ]
    flips, pairs = flips_of([(each.verdict, each.key) for each in seen])
    streak, since = _streak(points)
    return CaseLife(
        suite=suite,
        case_id=case_id,
        metric=metric,
        points=tuple(points),
        flips=flips,
        pairs=pairs,
        streak=streak,
        since=since,
        words=_words(points, streak, since),
    )


def flips_of(life: Sequence[tuple[Verdict, object]]) -> tuple[int, int]:
    """(changes, pairs) over consecutive grades with one key; runs without a grade are passed over.

    Args:
        life: the verdict of each run, and the key of everything that must be equal.
    """
    graded = [(verdict, key) for verdict, key in life if verdict.graded]
    same = [(old, new) for (old, was), (new, key) in pairwise(graded) if was == key]
    return sum(old is not new for old, new in same), len(same)


class _Seen(NamedTuple):
    run: RunRow
    verdict: Verdict
    value: float | None
    digest: str
    scorer: str

    @property
    def key(self) -> tuple[str, str, int, str]:
        """Everything that must be equal for two verdicts to be repetitions of one test."""
        return self.digest, self.scorer, self.run.repeats, self.run.system_digest


def _seen(
    run: RunRow,
    vectors: Sequence[Vector],
    lists: Mapping[str, CaseList],
    case_id: str,
    scorers: Mapping[str, str],
) -> _Seen | None:
    if not vectors:
        return None
    cases = lists[vectors[0].case_list]
    place = cases.place(case_id)
    if place is None:
        return None
    verdict = worst([worst(each.of_case(place)) for each in vectors])
    value = vectors[0].value(place) if len(vectors) == 1 else None
    return _Seen(run, verdict, value, cases.digests[place], scorers.get(run.run_id, ""))


def _scorers(store: ExperimentStore, runs: Sequence[RunRow], metric: str | None) -> dict[str, str]:
    """What scored the case in each run."""
    if metric is None:
        return {run.run_id: f"{run.judges_digest} {run.checks_digest}" for run in runs}
    rows = store.metrics([run.run_id for run in runs], metric, "")
    return {row.run_id: row.scorer for row in rows}


def _point(now: _Seen, before: _Seen | None, metric: str | None) -> CasePoint:
    changed: list[str] = []
    system = False
    if before is not None:
        what = "judge or checks" if metric is None else "scorer"
        changed += ["case"] if before.digest != now.digest else []
        changed += [what] if before.scorer != now.scorer else []
        changed += ["repeats"] if before.run.repeats != now.run.repeats else []
        system = before.run.system_digest != now.run.system_digest
    return CasePoint(
        run_id=now.run.run_id,
        started=now.run.started,
        commit=now.run.short_commit,
        candidate=now.run.candidate,
        verdict=now.verdict.name.lower(),
        letter=now.verdict.letter,
        value=now.value,
        changed=tuple(changed),
        system=system,
    )


def _streak(points: Sequence[CasePoint]) -> tuple[int, CasePoint | None]:
    """How many graded runs at the end have the same grade, and the first of them. A change of the
    case or of what scores it ends the streak: before it, another thing was tested.
    """
    count, since = 0, None
    for point in reversed(points):
        if point.verdict in ("pass", "fail"):
            if since is not None and point.verdict != since.verdict:
                break
            count, since = count + 1, point
        if point.changed and since is not None:
            break
    return count, since


def _words(points: Sequence[CasePoint], streak: int, since: CasePoint | None) -> str:
    """Such as: failing since 3f2c1a7 (2026-09-01), 12 runs."""
    last = points[-1]
    if since is None:
        return f"no grade in {_runs(len(points))}; the newest says {last.verdict.replace('_', ' ')}"
    doing = "failing" if since.verdict == "fail" else "passing"
    where = since.commit or since.run_id
    text = f"{doing} since {where} ({since.started[:10]}), {_runs(streak)}"
    if since.changed:
        text += f"; its {' and '.join(since.changed)} changed there"
    if last.verdict not in ("pass", "fail"):
        text += f"; no grade in the newest run ({last.verdict.replace('_', ' ')})"
    return text


def _runs(n: int) -> str:
    return f"{n:,} run" if n == 1 else f"{n:,} runs"


def _unknown(suite: str, case_id: str, metric: str | None, runs: int, measured: bool) -> str:
    if not runs:
        return f"there is no complete run of the suite {suite}: `llmeval runs list` shows the runs"
    if not measured and metric is not None:
        return f"no run of {suite} has the metric {metric}"
    return f"no complete run of {suite} has the case {case_id!r}"
