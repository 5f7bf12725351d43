"""Where raw cases come from: JSONL, CSV, Parquet, `hf://` and lists, each read one row at a time by
its number.

An index of offsets is held, never the rows: a shuffle or a sample is a list of row numbers.
"""

import json
import weakref
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from llmeval.core.errors import SuiteError, install_hint
from llmeval.data.csv_source import CsvSource
from llmeval.data.rows import Row


class Source(Protocol):
    """Rows by number."""

    def __len__(self) -> int:
        """How many rows."""

    def row(self, index: int) -> Row:
        """One row. Raises SuiteError naming file and line when it can't be read."""

    def where(self, index: int) -> str:
        """`file:line` of a row, for messages."""


class InlineSource:
    """Cases written in the suite file itself."""

    def __init__(self, rows: list[Row], file: str, lines: list[int | None]) -> None:
        self._rows, self._file, self._lines = rows, file, lines

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, index: int) -> Row:
        return self._rows[index]

    def where(self, index: int) -> str:
        return f"{self._file}:{self._lines[index]}"


class JsonlSource:
    """One JSON object a line; blank lines are skipped."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        weakref.finalize(self, self._file.close)
        self._path = path
        self._offsets, self._lines = array("q"), array("q")
        offset = 0
        for number, line in enumerate(self._file, 1):
            if line.strip():
                self._offsets.append(offset)
                self._lines.append(number)
            offset += len(line)

    def __len__(self) -> int:
        return len(self._offsets)

    def row(self, index: int) -> Row:
        self._file.seek(self._offsets[index])
        try:
            row = json.loads(self._file.readline())
        except (ValueError, RecursionError) as error:
            raise SuiteError(f"{self.where(index)}: not valid JSON: {error}") from None
        if not isinstance(row, dict):
            raise SuiteError(
                f"{self.where(index)}: a case is a JSON object, this is a {type(row).__name__}"
            )
        return row

    def where(self, index: int) -> str:
        return f"{self._path}:{self._lines[index]}"


class DatasetSource:
    """Rows of a Hugging Face `datasets.Dataset`: Arrow on disk, mapped into memory."""

    def __init__(self, dataset: Any, name: str) -> None:
        self._dataset, self._name = dataset, name

    def __len__(self) -> int:
        return len(self._dataset)

    def row(self, index: int) -> Row:
        return {key: value for key, value in self._dataset[index].items() if value is not None}

    def where(self, index: int) -> str:
        return f"{self._name} row {index}"


def _datasets(name: str) -> Any:
    """The library that reads the source `name`, which comes with an extra; SuiteError without
    it.
    """
    try:
        import datasets
    except ModuleNotFoundError as error:
        raise SuiteError(
            f"{name}: needs the package {error.name}: {install_hint('data')}"
        ) from None
    datasets.disable_progress_bars()
    return datasets


def _parquet(path: Path) -> DatasetSource:
    datasets = _datasets(str(path))
    try:
        return DatasetSource(
            datasets.load_dataset("parquet", data_files=str(path), split="train"), str(path)
        )
    except Exception as error:
        raise SuiteError(f"{path}: can't be read as Parquet: {error}") from None


def _hub(url: str, base: Path) -> DatasetSource:
    """`hf://owner/name@revision?split=test&name=config`, or a local directory as
    `hf://./folder?split=test`.
    """
    datasets = _datasets(url)
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    name, _, revision = (parts.netloc + parts.path).partition("@")
    target = str(base / name) if name.startswith(".") else name
    try:
        loaded = datasets.load_dataset(
            target, query.get("name"), split=query.get("split"), revision=revision or None
        )
    except Exception as error:
        raise SuiteError(f"{url}: can't be loaded: {error}") from None
    if isinstance(loaded, dict):
        splits = ", ".join(loaded)
        raise SuiteError(
            f"{url}: say which split, e.g. {url}?split={next(iter(loaded))} (it has: {splits})"
        )
    return DatasetSource(loaded, url)


_READERS: dict[str, Callable[[Path], Source]] = {
    ".jsonl": JsonlSource,
    ".ndjson": JsonlSource,
    ".csv": CsvSource,
    ".tsv": CsvSource,
    ".parquet": _parquet,
}


def open_source(source: str, base: Path) -> Source:
    """The source that `cases.source` names.

    Args:
        source: a path relative to `base`, or `hf://...`.
        base: the suite file's directory.

    Raises:
        SuiteError: no such file, an unknown kind of file, or unreadable.
    """
    if source.startswith("hf://"):
        return _hub(source, base)
    path = base / source
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise SuiteError(f"{source}: cases come from {', '.join(_READERS)} files, hf:// or a list")
    try:
        return reader(path)
    except OSError as error:
        raise SuiteError(
            f"{source}: {error.strerror} ({path}); paths are relative to the suite file"
        ) from None
