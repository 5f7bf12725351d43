"""A table of inputs as one test: every row is tried, and each one that fails is named."""

import inspect
from pathlib import Path

import pytest

from tests.support.tables import each_row


@each_row("number, root", [(4, 2), (9, 4), (16, 4), (25, 0)], ids=["four", "nine", "16", "25"])
def roots(number: int, root: int) -> None:
    assert number == root * root


def test_every_row_that_fails_is_named() -> None:
    with pytest.raises(BaseExceptionGroup, match="2 of 4 rows fail") as caught:
        roots()
    notes = [error.__notes__ for error in caught.value.exceptions]
    assert notes == [["in row 1: nine"], ["in row 3: 25"]]


def test_tables_in_tables_and_fixtures() -> None:
    tried = []

    @each_row("first", "ab")
    @each_row("second", ["x", "y"])
    def pairs(first: str, second: str, tmp_path: str) -> None:
        tried.append((first + second, tmp_path))

    assert list(inspect.signature(pairs).parameters) == ["tmp_path"]
    pairs(tmp_path="here")
    assert tried == [("ax", "here"), ("ay", "here"), ("bx", "here"), ("by", "here")]


@each_row("number", [1, 2], ids=lambda number: f"number {number}")
def test_pytest_gives_the_fixtures(number: int, tmp_path: Path) -> None:
    assert tmp_path.is_dir()
    assert number in (1, 2)


def test_a_table_that_tries_nothing_fails() -> None:
    with pytest.raises(AssertionError, match="no rows"):
        each_row("number", [])(lambda number: None)()
    with pytest.raises(ValueError, match="2 names, but 1 values"):
        each_row("number, root", [(1,)])
