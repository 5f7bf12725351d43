"""The tables of the history, made from the records in `rows.py`: the same in SQLite and PostgreSQL.

Nothing is migrated. The database is a projection of run directories, so another schema number drops
every table and builds them again.
"""

import types
from typing import NamedTuple, get_args, get_type_hints

import msgspec

from llmeval.history.rows import (
    CaseListRow,
    DecisionRow,
    JudgeRow,
    MetricRow,
    RunRow,
    SkippedRow,
    TagRow,
    VectorRow,
)

HISTORY_SCHEMA = 2
"""Raise it with any change of a record in `rows.py` or of what is written there."""

_SQL = {str: "TEXT", int: "BIGINT", bool: "BIGINT", float: "DOUBLE PRECISION"}


class Table(NamedTuple):
    """A table and its record."""

    name: str
    row: type[msgspec.Struct]
    key: tuple[str, ...]
    """Columns of the primary key."""
    indexes: tuple[tuple[str, ...], ...] = ()
    """Columns of further indexes."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names, in the order of the record's fields."""
        return self.row.__struct_fields__

    @property
    def nullable(self) -> frozenset[str]:
        """Columns that may have no value."""
        kinds = get_type_hints(self.row)
        return frozenset(name for name in self.columns if type(None) in get_args(kinds[name]))

    @property
    def flags(self) -> tuple[int, ...]:
        """Places of the columns that are true or false."""
        kinds = get_type_hints(self.row)
        return tuple(at for at, name in enumerate(self.columns) if kinds[name] is bool)

    def insert(self) -> str:
        """The statement that adds a row."""
        marks = ", ".join("?" * len(self.columns))
        return f"INSERT INTO {self.name} ({', '.join(self.columns)}) VALUES ({marks})"

    def statements(self, blob: str, end: str) -> list[str]:
        """The statements that make the table. `blob`: the type of bytes. `end`: of the first."""
        kinds = get_type_hints(self.row)
        columns = [f"{name} {_column(kinds[name], blob)}" for name in self.columns]
        body = ", ".join([*columns, f"PRIMARY KEY ({', '.join(self.key)})"])
        statements = [f"CREATE TABLE IF NOT EXISTS {self.name} ({body}){end}"]
        for columns_of_index in self.indexes:
            name = f"{self.name}_{'_'.join(columns_of_index)}"
            fields = ", ".join(columns_of_index)
            statements.append(f"CREATE INDEX IF NOT EXISTS {name} ON {self.name} ({fields})")
        return statements


RUNS = Table("runs", RunRow, ("run_id",), (("suite", "run_id"),))
TAGS = Table("tags", TagRow, ("run_id", "name"), (("name", "content"),))
METRICS = Table("metrics", MetricRow, ("run_id", "metric", "slice"))
DECISIONS = Table("decisions", DecisionRow, ("run_id", "place"))
JUDGES = Table("judges", JudgeRow, ("run_id", "metric"))
VECTORS = Table("vectors", VectorRow, ("run_id", "metric"))
CASE_LISTS = Table("case_lists", CaseListRow, ("digest",))
SKIPPED = Table("skipped", SkippedRow, ("path",), (("root",),))
OF_RUN = (TAGS, METRICS, DECISIONS, JUDGES, VECTORS)
"""Tables whose rows belong to a run."""
TABLES = (RUNS, *OF_RUN, CASE_LISTS, SKIPPED)
META = "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, content TEXT NOT NULL)"
"""`schema`: `HISTORY_SCHEMA`. `rebuilt_at`: when `history index` last ended."""


def _column(kind: object, blob: str) -> str:
    """The SQL type of a field, with NOT NULL unless it may be None."""
    members = get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    (plain,) = (member for member in members if member is not type(None))
    name = blob if plain is bytes else _SQL[plain]
    return name if len(members) > 1 else f"{name} NOT NULL"
