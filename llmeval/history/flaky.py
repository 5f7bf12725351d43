"""Cases that change between pass and fail although nothing of the test changed."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import msgspec

from llmeval.history.case_life import flips_of
from llmeval.history.experiment_store import ExperimentStore, RunQuery
from llmeval.history.rows import RunRow
from llmeval.history.verdicts import CaseList, Vector, Verdict, worst

LAST = 20
"""Runs that are read, unless another number is stated."""
QUARANTINE_DAYS = 30


class FlakyCase(msgspec.Struct, frozen=True, kw_only=True):
    """A case and metric whose grade changed with no digest changing."""

    case_id: str
    """The case."""
    metric: str
    """The metric."""
    flips: int
    """Changes between consecutive runs of the same case, candidate, prompt and scorer."""
    pairs: int
    """Pairs of such runs."""
    split: int
    """Runs in which repeats of the case differ."""
    letters: str
    """Its verdicts, the oldest run first; a space where the run does not have the case."""

    @property
    def rate(self) -> float:
        """Share of the pairs with a change."""
        return self.flips / self.pairs if self.pairs else 0.0


def flaky_cases(
    store: ExperimentStore,
    query: RunQuery,
    suite: str,
    metric: str | None = None,
    last: int = LAST,
) -> list[FlakyCase]:
    """The flaky cases of a suite, the flakiest first.

    Args:
        store: the history.
        query: which runs; the suite and a number are added.
        suite: name.
        metric: name; None for every metric.
        last: the newest so many complete runs.
    """
    rows = store.runs(query.where("suite", suite).where("status", "complete")._replace(limit=last))
    runs = {row.run_id: row for row in reversed(rows)}
    columns: dict[str, dict[str, Vector]] = {}
    vectors = store.vectors(list(runs), metric)
    for each in vectors:
        columns.setdefault(each.metric, {})[each.run_id] = each
    lists = store.case_lists({each.case_list for each in vectors})
    scorers = {
        (row.run_id, row.metric): row.scorer for row in store.metrics(list(runs), metric, "")
    }
    flaky: list[FlakyCase] = []
    for name, column in columns.items():
        ordered = [(run, column[run_id]) for run_id, run in runs.items() if run_id in column]
        keys = [
            (scorers.get((run.run_id, name), ""), run.repeats, run.system_digest)
            for run, _ in ordered
        ]
        for case_id in _unsteady(ordered, lists):
            case = _flaky(case_id, name, ordered, keys, lists)
            if case.flips or case.split:
                flaky.append(case)
    return sorted(flaky, key=lambda case: (-case.rate, -case.flips, -case.split, case.case_id))


Ordered = Sequence[tuple[RunRow, Vector]]


def _unsteady(ordered: Ordered, lists: Mapping[str, CaseList]) -> list[str]:
    """The cases that have both grades in these runs: only they can be flaky."""
    import numpy as np

    passed: set[str] = set()
    failed: set[str] = set()
    for _, vector in ordered:
        codes = np.frombuffer(vector.verdicts, np.uint8).reshape(-1, vector.repeats)
        ids = np.asarray(lists[vector.case_list].ids, dtype=object)
        passed.update(ids[(codes == Verdict.PASS).any(axis=1)])
        failed.update(ids[(codes == Verdict.FAIL).any(axis=1)])
    return sorted(passed & failed)


def _flaky(
    case_id: str,
    metric: str,
    ordered: Ordered,
    keys: Sequence[tuple[str, int, str]],
    lists: Mapping[str, CaseList],
) -> FlakyCase:
    life: list[tuple[Verdict, object]] = []
    letters, split = "", 0
    for (_, vector), key in zip(ordered, keys, strict=True):
        cases = lists[vector.case_list]
        place = cases.place(case_id)
        if place is None:
            letters += " "
            continue
        repeats = vector.of_case(place)
        verdict = worst(repeats)
        split += Verdict.PASS in repeats and Verdict.FAIL in repeats
        letters += verdict.letter
        life.append((verdict, (key, cases.digests[place])))
    flips, pairs = flips_of(life)
    return FlakyCase(
        case_id=case_id, metric=metric, flips=flips, pairs=pairs, split=split, letters=letters
    )


def quarantine_entries(cases: Sequence[FlakyCase], owner: str, today: date) -> str:
    """Entries for `quarantine.yaml`, one for each case, to be pasted.

    Args:
        cases: the flaky ones.
        owner: who is responsible for them.
        today: they expire 30 days later.
    """
    import yaml

    expires = (today + timedelta(days=QUARANTINE_DAYS)).isoformat()
    first = {case.case_id: case for case in reversed(cases)}
    entries = [
        {
            "case": case.case_id,
            "reason": f"flaky: {case.metric} changed in {case.flips} of {case.pairs} pairs of runs"
            " without a change of the test",
            "owner": owner,
            "expires": expires,
        }
        for case in reversed(first.values())
    ]
    return yaml.safe_dump(entries, sort_keys=False, allow_unicode=True) if entries else ""
