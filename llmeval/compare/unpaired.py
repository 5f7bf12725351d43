"""Two runs of other cases: two windows of traffic, or two draws of a suite.

Nothing is paired. Each metric's mean is compared with its clusters, and, without any reference, the
length of the answers and the mix of their labels. Holm's procedure is over all these tests.
"""

import math
from collections.abc import Iterator
from typing import Literal

import msgspec
from msgspec import structs

from llmeval.compare.comparison import ComparedRun
from llmeval.compare.loaded_run import LoadedRun, load, obstacle, side, warnings
from llmeval.core.errors import UsageError
from llmeval.core.json_paths import JsonPath
from llmeval.core.metric_ref import cluster_key
from llmeval.core.records import SCHEMA
from llmeval.stats.tests.multiplicity import holm_adjusted
from llmeval.stats.tests.two_windows import (
    MIN_CLUSTERS,
    Window,
    WindowChange,
    label_change,
    mean_change,
)
from llmeval.store.run_store import RunStore

LEVEL = 0.95
LENGTH, MIX = "answer length", "labels"
MAX_LABELS = 100
"""With more different answers there is no mix of labels to compare."""
WindowWord = Literal["higher", "lower", "changed", "no change shown", "not comparable"]


class WindowDifference(msgspec.Struct, frozen=True, kw_only=True):
    """One quantity in both windows."""

    metric: str
    """A metric of the suite, `answer length` (characters), or `labels` (of the answers)."""
    word: WindowWord
    """By Holm's procedure over all tests."""
    why: str = ""
    """Why it is not comparable, and the way out."""
    unit: Literal["share", "characters", "total variation"] = "share"
    """Of the figures."""
    cases: tuple[int, int] = (0, 0)
    """Cases with a result, per window."""
    clusters: tuple[int, int] = (0, 0)
    """Independent groups among them, per window."""
    missing: tuple[int, int] = (0, 0)
    """Cases without a result, per window. They are left out of the figures."""
    before: float | None = None
    """Mean of the first window."""
    now: float | None = None
    """Mean of the second one; of labels the distance."""
    change: float | None = None
    """Second minus first; of labels the distance in [0, 1]."""
    low: float | None = None
    """Lower bound of the change; null for labels."""
    high: float | None = None
    """Upper bound of the change; null for labels."""
    p: float | None = None
    """Of "nothing changed", two-sided: a permutation test over clusters."""
    adjusted: float | None = None
    """The same by Holm."""
    untrusted: bool = False
    """Whether nothing shows that its judge is right often enough."""


class WindowComparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two windows side by side."""

    schema: int = SCHEMA
    level: float
    runs: tuple[ComparedRun, ...]
    differences: tuple[WindowDifference, ...]
    warnings: tuple[str, ...] = ()

    @property
    def comparable(self) -> bool:
        """Whether anything could be compared."""
        return any(each.word != "not comparable" for each in self.differences)


def compare_windows(
    first: RunStore, second: RunStore, *, label: str | None = None, level: float = LEVEL
) -> WindowComparison:
    """Two runs of other cases.

    Args:
        first, second: the windows, the earlier one first.
        label: the JSON path of the label in an answer, such as `$.department`; None: the whole
            answer, where there are few different ones.
        level: of the intervals and of the verdicts, in (0, 1).

    Raises:
        UsageError: the same run twice, or a wrong path. StoreError: a run can't be read.
    """
    if first.path.resolve() == second.path.resolve():
        raise UsageError(f"{first.path} is named twice: a run does not differ from itself")
    one, two = load("A", first), load("B", second)
    tested = [
        *(_metric(one, two, name, level) for name in _metrics(one, two)),
        *_answers(one, two, label, level),
    ]
    adjusted = iter(holm_adjusted([each.p for each in tested if each.p is not None]))
    shown = tuple(
        each if each.p is None else _worded(each, next(adjusted), level) for each in tested
    )
    return WindowComparison(
        level=level,
        runs=(side(one, one), side(two, one)),
        differences=shown,
        warnings=tuple(text for each in (one, two) for text in warnings(each)),
    )


def _metrics(one: LoadedRun, two: LoadedRun) -> list[str]:
    return list(dict.fromkeys([*one.kept.metrics, *two.kept.metrics]))


def _metric(one: LoadedRun, two: LoadedRun, metric: str, level: float) -> WindowDifference:
    why = obstacle(one, two, metric)
    if why:
        return WindowDifference(metric=metric, word="not comparable", why=why)
    windows, missing = [], []
    for each in (one, two):
        results = list(each.aggregate.results(metric))
        graded = [result for result in results if not math.isnan(result.value)]
        keys = [cluster_key(result.case_id, result.cluster) for result in graded]
        windows.append(Window([result.value for result in graded], keys))
        missing.append(len(results) - len(graded))
    judged = one.untrusted(metric) or two.untrusted(metric)
    difference = _difference(metric, (windows[0], windows[1]), level, unit_range=True)
    return structs.replace(difference, missing=(missing[0], missing[1]), untrusted=judged)


def _answers(
    one: LoadedRun, two: LoadedRun, label: str | None, level: float
) -> Iterator[WindowDifference]:
    """What needs no reference: the length of the answers, and the mix of their labels."""
    texts = [_texts(each) for each in (one, two)]
    lengths = [
        Window([float(len(text)) for text, _ in rows], [key for _, key in rows]) for rows in texts
    ]
    length = _difference(LENGTH, (lengths[0], lengths[1]), level, unit_range=False)
    yield structs.replace(length, unit="characters")
    path = None if label is None else _path(label)
    labels = [[(_label(text, path), key) for text, key in rows] for rows in texts]
    labelled = {name for rows in labels for name, _ in rows}
    if len(labelled) > MAX_LABELS:
        if label is not None:
            why = f"{label} has {len(labelled):,} different values: it is not a label"
            yield WindowDifference(metric=MIX, word="not comparable", why=why)
        return
    windows = [Window([0.0] * len(rows), [key for _, key in rows]) for rows in labels]
    few = _too_few(MIX, (windows[0], windows[1]))
    if few is not None:
        yield few
        return
    names = [[name for name, _ in rows] for rows in labels]
    mix = label_change(names[0], names[1], (windows[0].clusters, windows[1].clusters))
    yield structs.replace(_row(MIX, (windows[0], windows[1]), mix), unit="total variation")


def _texts(loaded: LoadedRun) -> list[tuple[str, str]]:
    """(answer, cluster) of each answer that is there; the first repeat of each case."""
    cases = {case.id: cluster_key(case.id, case.cluster) for case in loaded.run.cases()}
    seen, rows = set[str](), []
    for answer in loaded.run.answers():
        if answer.error is None and answer.output is not None and answer.case_id not in seen:
            seen.add(answer.case_id)
            rows.append((answer.output, cases.get(answer.case_id, answer.case_id)))
    return rows


def _path(text: str) -> JsonPath:
    path = JsonPath(text)
    try:
        path.check()
    except ValueError as error:
        raise UsageError(f"--label {text}: {error}") from None
    return path


def _label(text: str, path: JsonPath | None) -> str:
    """The label of an answer; one that has none has the label `(none)`."""
    if path is None:
        return text.strip()
    try:
        document = msgspec.json.decode(text)
    except ValueError:
        return "(no JSON)"
    try:
        return str(path.find(document))
    except ValueError:
        return "(none)"


def _difference(
    metric: str, windows: tuple[Window, Window], level: float, *, unit_range: bool
) -> WindowDifference:
    few = _too_few(metric, windows)
    if few is not None:
        return few
    return _row(metric, windows, mean_change(*windows, unit_range=unit_range, level=level))


def _too_few(metric: str, windows: tuple[Window, Window]) -> WindowDifference | None:
    """Windows that can't show anything."""
    for letter, window in zip("AB", windows, strict=True):
        count = len(set(window.clusters))
        if count < MIN_CLUSTERS:
            why = (
                f"{letter} has {count} independent cases or clusters with a result; at least"
                f" {MIN_CLUSTERS} are needed"
            )
            return WindowDifference(metric=metric, word="not comparable", why=why)
    return None


def _row(metric: str, windows: tuple[Window, Window], seen: WindowChange) -> WindowDifference:
    first, second = windows
    return WindowDifference(
        metric=metric,
        word="no change shown",
        cases=(len(first.values), len(second.values)),
        clusters=(len(set(first.clusters)), len(set(second.clusters))),
        before=seen.before,
        now=seen.now,
        change=seen.change,
        low=seen.low,
        high=seen.high,
        p=seen.p,
    )


def _worded(row: WindowDifference, adjusted: float, level: float) -> WindowDifference:
    word: WindowWord = "no change shown"
    if adjusted <= 1 - level + 1e-12:
        word = "higher" if (row.change or 0) > 0 else "lower"
        word = "changed" if row.metric == MIX else word
    return structs.replace(row, word=word, adjusted=adjusted)
