"""What the history needs of an SQL database."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

SqlValue = str | int | float | bytes | None
"""A value of a row."""


class SqlConnection(Protocol):
    """A connection to a database. Parameters are written as `?`."""

    name: str
    """For people, without a password."""
    blob: str
    """The type of bytes."""

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
