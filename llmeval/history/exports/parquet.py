"""The history as Parquet files, for anything that reads tables: one row a run, a metric, a verdict.

runs.parquet      a row a run, with its tags as JSON
metrics.parquet   a row a (run, metric, slice)
verdicts.parquet  a row a (run, metric, case, repeat): what the database holds as vectors
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from llmeval.core.errors import StoreError, UsageError, install_hint
from llmeval.history.experiment_store import ExperimentStore
from llmeval.history.rows import MetricRow, RunRow
from llmeval.history.verdicts import Verdict

if TYPE_CHECKING:
    import pyarrow as pa

RUNS, METRICS, VERDICTS = "runs.parquet", "metrics.parquet", "verdicts.parquet"
_BATCH = 50
"""Runs whose verdicts are in memory at the same time."""
_LOCAL = ("root", "stamp")
"""Columns that only the database needs."""


def write_parquet(store: ExperimentStore, rows: Sequence[RunRow], folder: Path) -> list[Path]:
    """Write the three files; gives their paths.

    Args:
        store: the history.
        rows: the runs.
        folder: where they go; files of an earlier export are replaced.

    Raises:
        UsageError: pyarrow is not installed.
        StoreError: a file can't be written.
    """
    try:
        import pyarrow.parquet as pq
    except ModuleNotFoundError:
        raise UsageError(f"Parquet needs pyarrow: {install_hint('data')}") from None
    ids = [row.run_id for row in rows]
    paths = [folder / name for name in (RUNS, METRICS, VERDICTS)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(_runs(rows, store.tags(ids)), paths[0])
        pq.write_table(_table(MetricRow, store.metrics(ids)), paths[1])
        _write_verdicts(store, rows, paths[2])
    except OSError as error:
        raise StoreError(f"{folder}: can't be written: {error}") from None
    return paths


def _runs(rows: Sequence[RunRow], tags: Mapping[str, Mapping[str, str]]) -> "pa.Table":
    import pyarrow as pa

    table = _table(RunRow, rows).drop_columns(list(_LOCAL))
    texts = [json.dumps(dict(tags.get(row.run_id, {})), ensure_ascii=False) for row in rows]
    return table.append_column("tags", pa.array(texts, pa.string()))


def _table(kind: type[msgspec.Struct], rows: Sequence[msgspec.Struct]) -> "pa.Table":
    """Rows with the types of their record, also where there is no row or no value."""
    import pyarrow as pa

    types = {"str": pa.string(), "int": pa.int64(), "bool": pa.bool_(), "float": pa.float64()}
    fields = [
        (field.name, types[str(getattr(field.type, "__name__", field.type)).split(" ")[0]])
        for field in msgspec.structs.fields(kind)
    ]
    columns = {name: [getattr(row, name) for row in rows] for name, _ in fields}
    return pa.table(columns, schema=pa.schema(fields))


def _write_verdicts(store: ExperimentStore, rows: Sequence[RunRow], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [
            ("run_id", pa.string()),
            ("metric", pa.string()),
            ("case_id", pa.string()),
            ("case_digest", pa.string()),
            ("repeat", pa.int32()),
            ("verdict", pa.string()),
            ("value", pa.float32()),
        ]
    )
    with pq.ParquetWriter(path, schema) as writer:
        for begin in range(0, len(rows), _BATCH):
            columns = _verdict_columns(store, [row.run_id for row in rows[begin : begin + _BATCH]])
            writer.write_table(pa.table(columns, schema=schema))


def _verdict_columns(
    store: ExperimentStore, run_ids: Sequence[str]
) -> dict[str, list[str | int | float | None]]:
    verdicts = list(_verdicts(store, run_ids))
    names = ("run_id", "metric", "case_id", "case_digest", "repeat", "verdict", "value")
    columns = zip(*verdicts, strict=True) if verdicts else ([] for _ in names)
    return {name: list(column) for name, column in zip(names, columns, strict=True)}


def _verdicts(
    store: ExperimentStore, run_ids: Sequence[str]
) -> Iterator[tuple[str, str, str, str, int, str, float | None]]:
    vectors = store.vectors(run_ids)
    lists = store.case_lists({each.case_list for each in vectors})
    for each in vectors:
        cases = lists[each.case_list]
        for at, code in enumerate(each.verdicts):
            verdict = Verdict(code)
            place, repeat = divmod(at, each.repeats)
            value = (each.values[at] if each.values else float(code)) if verdict.graded else None
            yield (
                each.run_id,
                each.metric,
                cases.ids[place],
                cases.digests[place],
                repeat,
                verdict.name.lower(),
                value,
            )
