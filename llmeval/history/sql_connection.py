"""What the history needs of an SQL database."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

SqlValue = str | int | float | bytes | None
"""A value of a row."""
BOUND = 500
"""Values of one list in a statement: old SQLite versions take 999 in all."""


class SqlConnection(Protocol):
    """A connection to a database. Parameters are written as `?`."""

    name: str
    """For people, without a password."""
    blob: str
    """The type of bytes."""
    compact: str
    """What ends the statement that makes a table, so that it takes less room."""

    def query(self, statement: str, values: Sequence[SqlValue] = ()) -> list[tuple[SqlValue, ...]]:
        """The rows of a statement; none of one that gives none."""
        ...

    def insert(self, statement: str, rows: Sequence[Sequence[SqlValue]]) -> None:
        """Carry out one statement for each of many rows."""
        ...

    def writing(self) -> AbstractContextManager[None]:
        """One transaction, for one writer at a time. An exception undoes it."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


def parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """Values in lists that are short enough for one statement."""
    for begin in range(0, len(values), BOUND):
        yield values[begin : begin + BOUND]


def marks(values: Sequence[str]) -> str:
    """A mark for each value of a list."""
    return ", ".join("?" * len(values))


def also(*conditions: tuple[str, str | None]) -> tuple[str, tuple[str, ...]]:
    """Further conditions of a statement, without those whose value is None."""
    stated = [(column, value) for column, value in conditions if value is not None]
    return (
        "".join(f" AND {column} = ?" for column, _ in stated),
        tuple(value for _, value in stated),
    )
