"""The history in an SQL database. SQLite and PostgreSQL differ only in their connection
(`SqlConnection`): statements, tables and rows are the same.

Names of tables and columns come from `tables.py`. Values are always bound, never written into a
statement.
"""

import os
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeVar, get_args

import msgspec

from llmeval.history.experiment_store import Operator, RunQuery, SuiteRuns
from llmeval.history.rows import (
    CaseListRow,
    DecisionRow,
    JudgeRow,
    MetricRow,
    RunProjection,
    RunRow,
    SkippedRow,
    TagRow,
    VectorRow,
)
from llmeval.history.run_identity import RunIdentity, identity_of, loser
from llmeval.history.sql_connection import SqlConnection, SqlValue, also, marks, parts
from llmeval.history.tables import (
    CASE_LISTS,
    DECISIONS,
    HISTORY_SCHEMA,
    JUDGES,
    META,
    METRICS,
    OF_RUN,
    RUNS,
    SKIPPED,
    TABLES,
    TAGS,
    VECTORS,
    Table,
)
from llmeval.history.verdicts import (
    CaseList,
    PackedCases,
    PackedVector,
    Vector,
    pack_cases,
    pack_vector,
    unpack_cases,
    unpack_vector,
)

_LOCAL = ("stamp",)
"""Columns that depend on when a directory was copied, and not on its content."""
_Row = TypeVar("_Row", bound=msgspec.Struct)
_OF_RUNS = (RUNS, *OF_RUN)
"""Tables whose first column is a run's id."""
_TABLE_OF: dict[type[msgspec.Struct], Table] = {table.row: table for table in TABLES}


class SqlStore:
    """An `ExperimentStore` on a connection. Opening it makes the tables, or drops those of another
    schema.

    Args:
        connection: to the database.
        root: the folder of the runs that this store is about. Other folders have their own rows in
            the same database, so that a copy of a run in another folder changes nothing here. None:
            several machines write to it. Then a path says nothing about a run, because the same
            folder of two CI jobs holds different runs.
    """

    def __init__(self, connection: SqlConnection, root: str | None = None) -> None:
        self._sql = connection
        self._space = "" if root is None else f"{zlib.crc32(os.fsencode(root)):08x}."
        self.name = connection.name
        self.shared = root is None
        self._case_lists: dict[str, CaseList] = {}
        if self._schema() != str(HISTORY_SCHEMA):
            with connection.writing():
                if self._schema() != str(HISTORY_SCHEMA):  # another process may have been faster
                    self._make_tables()

    def stamps(self, root: str) -> dict[str, str]:
        """As the protocol says."""
        rows = [
            *self._sql.query("SELECT path, stamp FROM runs WHERE root = ?", (root,)),
            *self._sql.query("SELECT path, stamp FROM skipped WHERE root = ?", (root,)),
        ]
        return {str(path): str(stamp) for path, stamp in rows}

    def put(self, projections: Iterable[RunProjection]) -> list[SkippedRow]:
        """As the protocol says."""
        batch = list(projections)
        refused = []
        with self._sql.writing():
            there = self._identities([each.run.run_id for each in batch])
            for each in batch:
                mine = identity_of(each.run)
                other = there.get(mine.run_id)
                if other is not None and (left_out := loser(mine, other, shared=self.shared)):
                    refused.append(left_out)
                    if left_out.path == mine.path:
                        continue
                there[mine.run_id] = mine
                self._replace(each)
            self._add(SKIPPED, refused, "path")
        return refused

    def skip(self, rows: Iterable[SkippedRow]) -> None:
        """As the protocol says."""
        with self._sql.writing():
            batch = list(rows)
            self._remove_runs(self._ids_at([row.path for row in batch]))
            self._add(SKIPPED, batch, "path")

    def forget(self, paths: Collection[str]) -> None:
        """As the protocol says."""
        with self._sql.writing():
            self._remove_runs(self._ids_at(list(paths)))
            self._delete("skipped", "path", list(paths))
            self._drop_unused_cases()

    def skipped(self, root: str | None) -> list[SkippedRow]:
        """As the protocol says."""
        where, values = ("", ()) if root is None else (" WHERE root = ?", (root,))
        return self._select(SkippedRow, f"{where} ORDER BY path", values)

    def runs(self, query: RunQuery) -> list[RunRow]:
        """As the protocol says."""
        if query.run_ids is None:
            return self._runs(query, "", ())
        rows = [
            row
            for part in parts(self._keys(query.run_ids))
            for row in self._runs(query, f"run_id IN ({marks(part)})", tuple(part))
        ]
        newest = sorted(rows, key=lambda row: row.run_id, reverse=True)
        return newest[: query.limit]

    def suites(self, root: str | None) -> list[SuiteRuns]:
        """As the protocol says."""
        where, values = ("", ()) if root is None else (" WHERE root = ?", (root,))
        rows = self._sql.query(
            f"SELECT suite, COUNT(*), MAX(run_id) FROM runs{where} GROUP BY suite ORDER BY suite",
            values,
        )
        return [SuiteRuns(str(suite), int(n or 0), self._id(newest)) for suite, n, newest in rows]

    def branches(self, root: str | None, suite: str) -> list[str]:
        """As the protocol says."""
        where, values = ("", ()) if root is None else (" AND root = ?", (root,))
        rows = self._sql.query(
            f"SELECT DISTINCT branch FROM runs WHERE suite = ?{where} AND branch IS NOT NULL"
            " ORDER BY branch",
            (suite, *values),
        )
        return [str(branch) for (branch,) in rows]

    def tags(self, run_ids: Sequence[str]) -> dict[str, dict[str, str]]:
        """As the protocol says."""
        records: dict[str, dict[str, str]] = {}
        for row in self._of_runs(TagRow, run_ids):
            records.setdefault(row.run_id, {})[row.name] = row.content
        return records

    def metrics(
        self, run_ids: Sequence[str], metric: str | None = None, slice_: str | None = None
    ) -> list[MetricRow]:
        """As the protocol says."""
        where, values = also(("metric", metric), ("slice", slice_))
        return self._of_runs(MetricRow, run_ids, where, values)

    def decisions(self, run_ids: Sequence[str]) -> list[DecisionRow]:
        """As the protocol says."""
        return self._of_runs(DecisionRow, run_ids)

    def judges(self, run_ids: Sequence[str]) -> list[JudgeRow]:
        """As the protocol says."""
        return self._of_runs(JudgeRow, run_ids)

    def vectors(self, run_ids: Sequence[str], metric: str | None = None) -> list[Vector]:
        """As the protocol says."""
        where, values = also(("metric", metric))
        packed = self._of_runs(VectorRow, run_ids, where, values)
        return [
            unpack_vector(
                PackedVector(
                    row.run_id,
                    row.metric,
                    row.case_list,
                    row.repeats,
                    bytes(row.verdicts),
                    bytes(row.numbers),
                )
            )
            for row in packed
        ]

    def case_lists(self, digests: Collection[str]) -> Mapping[str, CaseList]:
        """As the protocol says. Lists stay in memory: their digest is their name."""
        absent = [each for each in dict.fromkeys(digests) if each not in self._case_lists]
        for part in parts(absent):
            rows = self._select(CaseListRow, f" WHERE digest IN ({marks(part)})", tuple(part))
            for row in rows:
                packed = PackedCases(
                    row.digest, row.n, bytes(row.ids), bytes(row.digests), bytes(row.clusters)
                )
                self._case_lists[row.digest] = unpack_cases(packed)
        return {each: self._case_lists[each] for each in digests if each in self._case_lists}

    def clear(self, root: str | None) -> None:
        """As the protocol says."""
        with self._sql.writing():
            if root is None:
                self._make_tables()
                return
            rows = self._sql.query("SELECT run_id FROM runs WHERE root = ?", (root,))
            self._remove_runs([self._id(run_id) for (run_id,) in rows])
            self._sql.query("DELETE FROM skipped WHERE root = ?", (root,))
            self._drop_unused_cases()

    def dump(self) -> list[str]:
        """As the protocol says."""
        records = []
        for table in TABLES:
            columns = [name for name in table.columns if name not in _LOCAL]
            for row in self._sql.query(f"SELECT {', '.join(columns)} FROM {table.name}"):
                plain = [bytes(x).hex() if isinstance(x, bytes | memoryview) else x for x in row]
                if table in _OF_RUNS:
                    if not str(row[0]).startswith(self._space):
                        continue
                    plain[0] = self._id(row[0])
                records.append(msgspec.json.encode([table.name, *plain]).decode())
        return sorted(records)

    def close(self) -> None:
        """As the protocol says."""
        self._sql.close()

    def _keys(self, run_ids: Sequence[str]) -> list[str]:
        """Ids as the tables have them."""
        return [f"{self._space}{run_id}" for run_id in run_ids]

    def _id(self, key: SqlValue) -> str:
        """The id of a run from its key."""
        return str(key)[len(self._space) :]

    def _schema(self) -> str:
        """The schema of the database; empty where it has none."""
        self._sql.query(META)
        rows = self._sql.query("SELECT content FROM meta WHERE name = ?", ("schema",))
        return str(rows[0][0]) if rows else ""

    def _make_tables(self) -> None:
        """Drop every table and make it again."""
        for table in TABLES:
            self._sql.query(f"DROP TABLE IF EXISTS {table.name}")
            for statement in table.statements(self._sql.blob, self._sql.compact):
                self._sql.query(statement)
        self._sql.query("DELETE FROM meta WHERE name = ?", ("schema",))
        self._sql.query("INSERT INTO meta VALUES (?, ?)", ("schema", str(HISTORY_SCHEMA)))

    def _identities(self, run_ids: Sequence[str]) -> dict[str, "RunIdentity"]:
        """The runs of these ids that are there."""
        columns = ", ".join(RunIdentity._fields)
        return {
            (identity := RunIdentity(self._id(row[0]), *map(str, row[1:]))).run_id: identity
            for part in parts(self._keys(run_ids))
            for row in self._sql.query(
                f"SELECT {columns} FROM runs WHERE run_id IN ({marks(part)})", tuple(part)
            )
        }

    def _replace(self, projection: RunProjection) -> None:
        run = projection.run
        # On one machine another run may have been at this path before.
        before = [] if self.shared else self._ids_at([run.path])
        self._remove_runs([run.run_id, *before])
        self._delete("skipped", "path", [run.path])
        self._add(RUNS, [run])
        self._add(TAGS, projection.tags)
        self._add(METRICS, projection.metrics)
        self._add(DECISIONS, projection.decisions)
        self._add(JUDGES, projection.judges)
        packed = [VectorRow(**pack_vector(each)._asdict()) for each in projection.vectors]
        self._add(VECTORS, packed)
        cases = projection.cases
        if cases is not None and not self._sql.query(
            "SELECT n FROM case_lists WHERE digest = ?", (cases.digest,)
        ):
            self._add(CASE_LISTS, [CaseListRow(**pack_cases(cases)._asdict())])

    def _ids_at(self, paths: Sequence[str]) -> list[str]:
        return [
            self._id(run_id)
            for part in parts(paths)
            for (run_id,) in self._sql.query(
                f"SELECT run_id FROM runs WHERE path IN ({marks(part)})", tuple(part)
            )
        ]

    def _remove_runs(self, run_ids: Sequence[str]) -> None:
        for table in _OF_RUNS:
            self._delete(table.name, "run_id", self._keys(run_ids))

    def _delete(self, table: str, column: str, values: Sequence[str]) -> None:
        for part in parts(values):
            self._sql.query(f"DELETE FROM {table} WHERE {column} IN ({marks(part)})", tuple(part))

    def _drop_unused_cases(self) -> None:
        self._sql.query(
            "DELETE FROM case_lists WHERE digest NOT IN (SELECT case_list FROM vectors)"
        )

    def _add(self, table: Table, rows: Sequence[msgspec.Struct], key: str = "") -> None:
        """Insert rows. `key`: rows of the same value are replaced."""
        if key:
            self._delete(table.name, key, [str(getattr(row, key)) for row in rows])
        if rows:
            values = [_values(row) for row in rows]
            if table in _OF_RUNS:
                values = [(f"{self._space}{first!s}", *rest) for first, *rest in values]
            self._sql.insert(table.insert(), values)

    def _runs(self, query: RunQuery, more: str, values: tuple[str, ...]) -> list[RunRow]:
        conditions, bound = [more] if more else [], list[SqlValue](values)
        if query.root is not None:
            conditions.append("root = ?")
            bound.append(query.root)
        for condition in query.conditions:
            if condition.column not in RUNS.columns:
                raise ValueError(f"{condition.column} is not a column of the runs")
            if condition.operator not in get_args(Operator):
                raise ValueError(f"{condition.operator} is not an operator")
            column = condition.column
            if column in RUNS.nullable:
                # No value counts as an empty one: `decision != FAIL` holds without a decision.
                empty = "''" if isinstance(condition.value, str) else "0"
                column = f"COALESCE({column}, {empty})"
            conditions.append(f"{column} {condition.operator} ?")
            key = condition.column == "run_id"
            bound.append(f"{self._space}{condition.value}" if key else condition.value)
        for name, text in query.tags:
            conditions.append("run_id IN (SELECT run_id FROM tags WHERE name = ? AND content = ?)")
            bound += [name, text]
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        limit = "" if query.limit is None else f" LIMIT {int(query.limit)}"
        return self._select(RunRow, f"{where} ORDER BY run_id DESC{limit}", bound)

    def _of_runs(
        self,
        kind: type[_Row],
        run_ids: Sequence[str],
        more: str = "",
        values: Sequence[SqlValue] = (),
    ) -> list[_Row]:
        """The rows of a table that belong to runs, in the order of its key."""
        order = ", ".join(_TABLE_OF[kind].key)
        return [
            row
            for part in parts(self._keys(run_ids))
            for row in self._select(
                kind,
                f" WHERE run_id IN ({marks(part)}){more} ORDER BY {order}",
                (*part, *values),
            )
        ]

    def _select(self, kind: type[_Row], rest: str, values: Sequence[SqlValue]) -> list[_Row]:
        """Rows of a table as its records. Booleans are integers in both databases."""
        table = _TABLE_OF[kind]
        statement = f"SELECT {', '.join(table.columns)} FROM {table.name}{rest}"
        rows = self._sql.query(statement, values)
        flags, keyed = table.flags, table in _OF_RUNS
        records = []
        for row in rows:
            fields = list(row)
            if keyed:
                fields[0] = self._id(fields[0])
            for place in flags:
                fields[place] = bool(fields[place])
            records.append(kind(*fields))
        return records


def _values(row: msgspec.Struct) -> tuple[SqlValue, ...]:
    return tuple(
        int(value) if isinstance(value, bool) else value
        for value in (getattr(row, name) for name in row.__struct_fields__)
    )
