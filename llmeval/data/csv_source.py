"""Rows of CSV as spreadsheets write it.

The delimiter is the one that the header has: comma, semicolon, tab or `|`, or that of a first line
`sep=;`. The encoding is UTF-8, or UTF-16 with a byte order mark. A suite may state both. Empty
rows, and columns without a name whose cells are empty, are left out.
"""

import codecs
import csv
import sys
import weakref
from array import array
from collections.abc import Iterator
from pathlib import Path

from llmeval.core.errors import SuiteError
from llmeval.data.rows import Row

DELIMITERS = ",;\t|"
_SEPARATOR = "sep="
"""The first line that Excel writes and reads, such as `sep=;`."""


class CsvSource:
    """CSV with a header; values are text, and empty values are left out.

    Args:
        path: the file.
        encoding: as the suite states it; None: by the byte order mark.
        delimiter: as the suite states it; None: by the header.

    Raises:
        SuiteError: another encoding, or not CSV; names file, line and the fix.
    """

    def __init__(
        self, path: Path, encoding: str | None = None, delimiter: str | None = None
    ) -> None:
        csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # the default refuses cells over 128 KiB
        self._file = path.open("rb")
        weakref.finalize(self, self._file.close)
        self._path = path
        self._offsets, self._lines = array("q"), array("q")
        self._stated = delimiter
        self._encoding, self._newline = _encoding(self._file.read(4), encoding)
        try:
            self._index()
        except UnicodeError:
            if encoding is not None:
                raise SuiteError(f"{path}: not in the stated `encoding: {encoding}`") from None
            raise SuiteError(
                f'{path}: not UTF-8. Save it as "CSV UTF-8", or state its encoding, such as'
                f" `cases: {{source: {path.name}, encoding: cp1252}}`"
            ) from None

    def _index(self) -> None:
        """Read all rows once, and keep where they begin."""
        first = next(self._from(0), "")
        start, before = 0, 0
        if first.strip().lower().startswith(_SEPARATOR):
            self._delimiter = self._stated or first.strip()[len(_SEPARATOR) :][:1] or "\t"
            start, before = self._at, 1
        else:
            self._delimiter = self._stated or _delimiter(first)
        reader = csv.reader(self._from(start), strict=True, delimiter=self._delimiter)
        try:
            self._header = next(reader, [])
            while True:
                begin, line = self._at, before + reader.line_num + 1
                record = next(reader, None)
                if record is None:
                    break
                if any(cell.strip() for cell in record):
                    self._offsets.append(begin)
                    self._lines.append(line)
        except csv.Error as error:
            raise SuiteError(
                f"{self._path}:{before + reader.line_num}: not valid CSV: {error}"
            ) from None
        names = [name for name in self._header if name]
        if len(set(names)) < len(names):
            raise SuiteError(
                f"{self._path}:{before + 1}: a column name is given twice: {', '.join(names)}"
            )

    def __len__(self) -> int:
        return len(self._offsets)

    def row(self, index: int) -> Row:
        """One row. Raises SuiteError if it has a value without a column."""
        lines = self._from(self._offsets[index])
        record = next(csv.reader(lines, strict=True, delimiter=self._delimiter))
        if len(record) < len(self._header) or any(record[len(self._header) :]):
            raise SuiteError(
                f"{self.where(index)}: {len(record)} values for {len(self._header)} columns"
                f" (separated by {self._delimiter!r})"
            )
        row: Row = {}
        for name, value in zip(self._header, record, strict=False):
            if value and not name:
                raise SuiteError(
                    f"{self.where(index)}: {value[:40]!r} is in a column without a name"
                )
            if value:
                row[name] = value
        return row

    def where(self, index: int) -> str:
        """`file:line` of a row."""
        return f"{self._path}:{self._lines[index]}"

    def _from(self, offset: int) -> Iterator[str]:
        """Lines from a byte offset; `_at` is the offset after the last line that was read."""
        self._file.seek(offset)
        self._at = offset
        for line in iter(self._line, b""):
            self._at += len(line)
            yield line.decode(self._encoding).removeprefix("\ufeff")

    def _line(self) -> bytes:
        """The bytes of one line with its line break."""
        line = self._file.readline()
        while line and len(self._newline) > 1 and not _ends(line, self._newline):
            more = self._file.read(1) if line.endswith(b"\n") else self._file.readline()
            if not more:
                break
            line += more
        return line


def _ends(line: bytes, newline: bytes) -> bool:
    """Whether a line in UTF-16 ends with a whole line break."""
    return len(line) % 2 == 0 and line.endswith(newline)


def _encoding(head: bytes, stated: str | None) -> tuple[str, bytes]:
    """The encoding as stated, or by the byte order mark; and a line feed in it."""
    name = (stated or "").lower().replace("_", "-").replace("utf16", "utf-16")
    if head.startswith(codecs.BOM_UTF16_BE) or name == "utf-16-be":
        return "utf-16-be", b"\x00\n"
    if head.startswith(codecs.BOM_UTF16_LE) or name in ("utf-16-le", "utf-16"):
        return "utf-16-le", b"\n\x00"
    return stated or "utf-8", b"\n"


def _delimiter(header: str) -> str:
    """The delimiter that the header has most often outside quotes; a comma without any."""
    outside = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=outside.count) if any(d in outside for d in DELIMITERS) else ","
