"""Where raw cases come from: JSONL, CSV, JSON, YAML, Parquet, `hf://`, folders that `save_to_disk`
wrote, and lists. Each is read one row at a time by its number.

An index of offsets is held, never the rows: a shuffle or a sample is a list of row numbers.
"""

import json
import weakref
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol
from urllib.parse import parse_qsl, urlsplit

from llmeval.core.errors import SuiteError, install_hint
from llmeval.core.files import irregular_kind
from llmeval.data.csv_source import CsvSource
from llmeval.data.document_source import read_json, read_yaml
from llmeval.data.packed import SUFFIXES as PACKED
from llmeval.data.packed import unpacked
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

    def __init__(self, path: Path, file: BinaryIO | None = None) -> None:
        self._file = file or path.open("rb")
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
            row = json.loads(
                self._file.readline(), object_pairs_hook=_unique_keys, parse_constant=_no_constant
            )
        except (ValueError, RecursionError) as error:
            raise SuiteError(f"{self.where(index)}: not valid JSON: {error}") from None
        if not isinstance(row, dict):
            raise SuiteError(
                f"{self.where(index)}: a case is a JSON object, this is a {type(row).__name__}"
            )
        return row

    def where(self, index: int) -> str:
        return f"{self._path}:{self._lines[index]}"


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object; two readers may take different values of a key that is there twice.

    Raises:
        ValueError: a key is there twice.
    """
    row = dict(pairs)
    if len(row) != len(pairs):
        seen = [key for key, _ in pairs]
        twice = next(key for key in seen if seen.count(key) > 1)
        raise ValueError(f"the key {twice!r} is there twice")
    return row


def _no_constant(word: str) -> float:
    """Refuse NaN and Infinity, which JSON does not have.

    Raises:
        ValueError: always.
    """
    raise ValueError(f"{word} is not a JSON value; write null or a text")


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
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    name, _, revision = (parts.netloc + parts.path).partition("@")
    if name.startswith(".") and _is_saved(base / name):
        return _saved(base / name, url, query.get("split"))
    datasets = _datasets(url)
    target = str(base / name) if name.startswith(".") else name
    try:
        loaded = datasets.load_dataset(
            target, query.get("name"), split=query.get("split"), revision=revision or None
        )
    except Exception as error:
        raise SuiteError(f"{url}: can't be loaded: {error}") from None
    return _one_split(loaded, url, None)


def _is_saved(folder: Path) -> bool:
    """Whether `save_to_disk` of `datasets` wrote this folder."""
    return any((folder / name).is_file() for name in ("state.json", "dataset_dict.json"))


def _saved(folder: Path, label: str, split: str | None) -> DatasetSource:
    """A folder of `save_to_disk`: a data set, or several splits."""
    datasets = _datasets(label)
    try:
        loaded = datasets.load_from_disk(str(folder))
    except Exception as error:
        raise SuiteError(f"{label}: can't be read as a folder of save_to_disk: {error}") from None
    return _one_split(loaded, label, split)


def _one_split(loaded: Any, label: str, split: str | None) -> DatasetSource:
    """One data set of what was loaded; `split` chooses it among several."""
    if not isinstance(loaded, dict):
        return DatasetSource(loaded, label)
    if split in loaded:
        return DatasetSource(loaded[split], label)
    address = label if label.startswith("hf://") else f"hf://./{label}"
    example = f"{address.partition('?')[0]}?split={next(iter(loaded), '')}"
    raise SuiteError(f"{label}: say which split, e.g. {example} (it has: {', '.join(loaded)})")


_READERS: dict[str, Callable[[Path], Source]] = {
    ".jsonl": JsonlSource,
    ".ndjson": JsonlSource,
    ".csv": CsvSource,
    ".tsv": CsvSource,
    ".json": read_json,
    ".yaml": read_yaml,
    ".yml": read_yaml,
    ".parquet": _parquet,
}
_TABLES = (".csv", ".tsv")
_LINES = (".jsonl", ".ndjson")
_HINTS = {
    ".xlsx": 'save the sheet as "CSV UTF-8"',
    ".xls": 'save the sheet as "CSV UTF-8"',
    ".ods": 'save the sheet as "CSV UTF-8"',
    ".zip": "unpack it, and name the file in it",
    ".arrow": "name its folder, if `save_to_disk` wrote it",
}


class TableFormat(NamedTuple):
    """How a .csv or .tsv file is written, where the suite states it."""

    encoding: str | None = None
    delimiter: str | None = None


_BY_CONTENT = TableFormat()


def open_source(source: str, base: Path, table: TableFormat = _BY_CONTENT) -> Source:
    """The source that `cases.source` names.

    Args:
        source: a path relative to `base`, or `hf://...`.
        base: the suite file's directory.
        table: encoding and delimiter of a .csv or .tsv file.

    Raises:
        SuiteError: no such file, an unknown kind of file, or unreadable.
    """
    path = base / source
    suffixes = [suffix.lower() for suffix in path.suffixes]
    is_table = suffixes[-1:] and suffixes[-1] in _TABLES
    if table != _BY_CONTENT and (source.startswith("hf://") or not is_table):
        raise SuiteError(
            f"{source}: `encoding` and `delimiter` are for .csv and .tsv files; JSON and YAML are"
            " UTF-8"
        )
    if source.startswith("hf://"):
        return _hub(source, base)
    kind = irregular_kind(path)
    if kind:
        raise SuiteError(f"{source}: is {kind}, and only files are read: name a file")
    try:
        if is_table:
            return CsvSource(path, *table)
        if suffixes[-1:] and suffixes[-1] in PACKED and suffixes[-2:-1] and suffixes[-2] in _LINES:
            return JsonlSource(path, unpacked(path))
        if path.is_dir():
            return _folder(path, source)
        reader = _READERS.get(path.suffix.lower())
        if reader is not None:
            return reader(path)
    except OSError as error:
        raise SuiteError(
            f"{source}: {error.strerror or error} ({path}); paths are relative to the suite file"
        ) from None
    hint = _HINTS.get(path.suffix.lower())
    raise SuiteError(
        f"{source}: cases come from {', '.join(_READERS)} and .jsonl.gz or .jsonl.zst files, a"
        f" folder of save_to_disk, hf:// or a list{': ' + hint if hint else ''}"
    )


def _folder(path: Path, source: str) -> DatasetSource:
    if not _is_saved(path):
        raise SuiteError(
            f"{source}: is a folder, and not one that `save_to_disk` of datasets wrote; name a file"
            " in it"
        )
    return _saved(path, source, None)
