"""The history compared with the run directories, record by record."""

from pathlib import Path
from typing import NamedTuple

import msgspec

from llmeval.core.errors import StoreError
from llmeval.history.opening import OpenHistory
from llmeval.history.projection import project
from llmeval.history.rows import RunProjection


class HistoryCheck(NamedTuple):
    """What a comparison found."""

    name: str
    """The database, without a password."""
    runs: int
    """Runs that were compared."""
    repaired: tuple[tuple[str, str], ...]
    """Directories whose rows differed, with what differed. Their rows are right now."""
    skipped: tuple[tuple[str, str], ...]
    """Directories that can't be read, with the reason."""

    def document(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "history": self.name,
            "runs": self.runs,
            "repaired": [{"path": path, "what": what} for path, what in self.repaired],
            "skipped": [{"path": path, "reason": reason} for path, reason in self.skipped],
        }


def check_history(history: OpenHistory) -> HistoryCheck:
    """Read every run below the folder again, and compare it with its rows.

    Raises:
        StoreError: the database can't be used.
    """
    store = history.store
    rows = store.runs(history.query._replace(root=str(history.root)))
    repaired, skipped = [], [(row.path, row.reason) for row in store.skipped(str(history.root))]
    for row in rows:
        try:
            projection = project(Path(row.path), Path(row.root))
        except StoreError as error:
            skipped.append((row.path, str(error)))
            store.forget([row.path])
            continue
        if what := _differing(projection, history):
            repaired.append((row.path, f"{what} differed"))
            store.put([projection])
    return HistoryCheck(store.name, len(rows), tuple(repaired), tuple(skipped))


def _differing(projection: RunProjection, history: OpenHistory) -> str:
    """Which part of a run's rows is not what its directory says; empty where all is."""
    store, run_id = history.store, projection.run.run_id
    (row,) = store.runs(history.query._replace(run_ids=(run_id,))) or (None,)
    lists = store.case_lists([projection.cases.digest] if projection.cases else [])
    tags = {tag.name: tag.content for tag in projection.tags}
    try:
        vectors = store.vectors([run_id])
    except StoreError:
        vectors = []
    parts = {
        "the run": row == projection.run,
        "tags": store.tags([run_id]).get(run_id, {}) == tags,
        "metrics": _plain(store.metrics([run_id])) == _plain(projection.metrics),
        "decisions": _plain(store.decisions([run_id])) == _plain(projection.decisions),
        "judges": _plain(store.judges([run_id])) == _plain(projection.judges),
        "verdicts": [(v.metric, v.case_list, v.repeats, v.verdicts) for v in vectors]
        == [(v.metric, v.case_list, v.repeats, v.verdicts) for v in projection.vectors],
        "cases": projection.cases is None or lists.get(projection.cases.digest) is not None,
    }
    return " and ".join(name for name, same in parts.items() if not same)


def _plain(rows: object) -> list[bytes]:
    """Rows in an order of their own, to be compared."""
    assert isinstance(rows, list | tuple)
    return sorted(msgspec.json.encode(row) for row in rows)
