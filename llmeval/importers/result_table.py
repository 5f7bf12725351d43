"""A file of results of any tool, read as an id and a score a row."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from llmeval.core.errors import UsageError
from llmeval.importers.reading import read_text

IDS = ("id", "case_id", "test_id", "doc_id", "sample_id", "question_id", "uid", "key")
SCORES = ("passed", "pass", "success", "correct", "is_correct", "score", "acc", "value", "result")
"""Names of columns, the first that a file has counts."""
_DELIMITERS = (",", ";", "\t", "|")
_WORDS = {
    **dict.fromkeys(("true", "pass", "passed", "yes", "correct"), 1.0),
    **dict.fromkeys(("false", "fail", "failed", "no", "incorrect"), 0.0),
}
_LISTS = ("results", "rows", "data", "samples", "cases")
"""Keys under which a JSON object may have its rows."""

Rows = list[tuple[str, Mapping[str, object]]]
"""Where each row is, and its values by column."""


@dataclass(frozen=True)
class ResultTable:
    """The results of one file."""

    path: Path
    id_column: str
    score_column: str
    scores: Mapping[str, float]
    """By id, from 0 to 1."""
    guessed: bool
    """Whether a column was chosen by its name."""
    other_scores: tuple[str, ...]
    """Other columns whose names would be scores."""

    @property
    def binary(self) -> bool:
        """Whether every score is 0 or 1."""
        return set(self.scores.values()) <= {0.0, 1.0}


def read_results(path: Path, id_column: str | None, score_column: str | None) -> ResultTable:
    """The results in a .csv, .tsv, .jsonl or .json file.

    Args:
        path: the file. A JSON document is a list of objects, or an object with such a list under
            `results`, `rows`, `data`, `samples` or `cases`.
        id_column, score_column: the columns; by default they are chosen by their names.

    Raises:
        UsageError: no such column, no row, a row without an id, an id twice, or a score that is
            neither a number from 0 to 1 nor a word such as `pass`; with file and line.
        SuiteError: the file can't be read.
    """
    rows = _rows(path)
    if not rows:
        raise UsageError(f"{path}: there is no row, so there is nothing to compare")
    columns = list(dict.fromkeys(name for _, row in rows for name in row))
    ids = _column(path, columns, id_column, IDS, "--id")
    score = _column(path, columns, score_column, SCORES, "--score")
    scores: dict[str, float] = {}
    for where, row in rows:
        case_id = _id(where, ids, row.get(ids))
        if case_id in scores:
            raise UsageError(
                f"{where}: the id {case_id!r} is there twice: reduce repeats to one score for each"
                " id first"
            )
        scores[case_id] = _score(where, score, row.get(score))
    others = tuple(name for name in columns if name.lower() in SCORES and name != score)
    return ResultTable(path, ids, score, scores, None in (id_column, score_column), others)


def _rows(path: Path) -> Rows:
    text = read_text(path)
    kind = path.suffix.lower()
    if kind in (".csv", ".tsv"):
        return _table(path, text)
    if kind in (".jsonl", ".ndjson"):
        lines = enumerate(text.split("\n"), start=1)
        return [
            (f"{path}:{number}", _object(f"{path}:{number}", _json(f"{path}:{number}", line)))
            for number, line in lines
            if line.strip()
        ]
    if kind != ".json":
        raise UsageError(f"{path}: name a run, or a file of results: .csv, .tsv, .jsonl or .json")
    document = _json(str(path), text)
    if isinstance(document, dict):
        lists = [name for name in _LISTS if isinstance(document.get(name), list)]
        document = document[lists[0]] if len(lists) == 1 else None
    if not isinstance(document, list):
        raise UsageError(f"{path}: not a list of results, and no list under {', '.join(_LISTS)}")
    places = (f"{path}: row {number}" for number in range(1, len(document) + 1))
    return [(where, _object(where, row)) for where, row in zip(places, document, strict=True)]


def _table(path: Path, text: str) -> Rows:
    header = text.split("\n", 1)[0]
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=max(_DELIMITERS, key=header.count), strict=True
    )
    rows: Rows = []
    try:
        names = [name.strip() for name in next(reader, [])]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise UsageError(f"{path}:1: the column {twice!r} is there twice: rename one")
        line = reader.line_num + 1
        for row in reader:
            if any(cell.strip() for cell in row):
                if len(row) != len(names):
                    raise UsageError(f"{path}:{line}: {len(row)} values, but {len(names)} columns")
                rows.append((f"{path}:{line}", dict(zip(names, row, strict=True))))
            line = reader.line_num + 1
    except csv.Error as error:
        raise UsageError(f"{path}:{reader.line_num}: not valid CSV: {error}") from None
    return rows


def _json(where: str, text: str) -> object:
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where}: not valid JSON: {error}") from None
    return value


def _object(where: str, row: object) -> Mapping[str, object]:
    if not isinstance(row, dict):
        raise UsageError(f"{where}: a result is an object with an id and a score")
    return row


def _column(
    path: Path, columns: Sequence[str], stated: str | None, headers: Sequence[str], option: str
) -> str:
    if stated is not None:
        if stated in columns:
            return stated
        raise UsageError(f"{path}: there is no column {stated!r}; it has {', '.join(columns)}")
    lower = {name.lower(): name for name in reversed(columns)}
    name = next((lower[each] for each in headers if each in lower), None)
    if name is None:
        raise UsageError(
            f"{path}: no column is named {', '.join(headers)}: name one of {', '.join(columns)}"
            f" with {option}"
        )
    return name


def _id(where: str, column: str, value: object) -> str:
    if isinstance(value, str) and value.strip():
        return value.strip()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise UsageError(f"{where}: no id in the column {column!r}")


def _score(where: str, column: str, value: object) -> float:
    """A score from 0 to 1."""
    number = value
    if isinstance(value, str):
        word = value.strip()
        try:
            number = _WORDS[word.lower()] if word.lower() in _WORDS else float(word)
        except ValueError:
            number = None
    if not isinstance(number, int | float) or math.isnan(number):
        raise UsageError(
            f"{where}: {column}: {value!r} is neither a number from 0 to 1 nor pass or fail. A row"
            " without a score can't be compared"
        )
    if not 0 <= number <= 1:
        raise UsageError(
            f"{where}: {column}: {value!r} is not from 0 to 1. Divide by the highest possible score"
        )
    return float(number)
