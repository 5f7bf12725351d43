"""Tables of inputs: one test that tries every row, and reports every row that fails.

pytest and xdist take about 5 ms for each test: its fixtures, three reports, and their way from the
worker. Where the rows of a table differ only in their input, and each takes less than that, the
table is one test. Rows share the fixtures of the test: use `pytest.mark.parametrize` where a row
writes files or changes state.
"""

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

Test = Callable[..., None]


def each_row(
    names: str | Sequence[str],
    rows: Iterable[Any],
    ids: Callable[[Any], object] | Sequence[object] | None = None,
) -> Callable[[Test], Test]:
    """`pytest.mark.parametrize` as one test. The arguments are the same.

    Fails with an exception group that has an error for each row that failed; a note of the error
    names the row, by its id or its position and content. An empty table fails, too.
    """
    keys = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    table = [_values(keys, row) for row in rows]

    def decorate(test: Test) -> Test:
        signature = inspect.signature(test)

        @functools.wraps(test)
        def every_row(**fixtures: object) -> None:
            assert table, "the table has no rows"
            errors = []
            for index, values in enumerate(table):
                try:
                    test(**fixtures, **values)
                except (Exception, pytest.fail.Exception) as error:
                    error.add_note(f"in {_label(ids, index, values)}")
                    errors.append(error)
            if errors:
                raise BaseExceptionGroup(f"{len(errors)} of {len(table)} rows fail", errors)

        others = [each for name, each in signature.parameters.items() if name not in keys]
        every_row.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=others
        )  # pytest reads the names of fixtures here
        return every_row

    return decorate


def _values(keys: Sequence[str], row: Any) -> dict[str, Any]:
    """The arguments that a row stands for."""
    if len(keys) == 1:
        return {keys[0]: row}
    values = tuple(row)
    if len(values) != len(keys):
        raise ValueError(f"{len(keys)} names, but {len(values)} values in {values!r}")
    return dict(zip(keys, values, strict=True))


def _label(ids: Any, index: int, values: dict[str, Any]) -> str:
    """How a message names a row."""
    if callable(ids):
        return f"row {index}: {' '.join(str(ids(value)) for value in values.values())}"
    if ids is not None:
        return f"row {index}: {ids[index]}"
    return f"row {index}: {repr(values)[:300]}"
