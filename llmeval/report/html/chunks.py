"""Row data for the page: gzip, then base64, in `<script type="application/octet-stream">` blocks
that never run.

Base64 has no `<`, so no text of a model can end a block. Rows lie in chunks of 200; the index, a
block of columns a thousand rows, lets the page list, filter and sort everything without opening a
chunk.
"""

import base64
import zlib
from collections.abc import Iterator, Mapping
from typing import BinaryIO

import msgspec

from llmeval.core.checksums import unsealed
from llmeval.report.html.row import ReportRow
from llmeval.store.units import StoredUnit

ROWS = 200
SHOWN_IMAGE = 300_000
"""Most characters of an image's data URL that a page holds. It shows the name of a larger image."""
RAW_LIMIT = 4 << 20
"""A chunk ends early past this many bytes, so that a few huge answers do not make one chunk slow to
open.
"""
BLOCK = 1000
LEVEL = 3
"""Of zlib: on recorded runs less than half the time of the default 6, for 15% more bytes."""
_GZIP = 31


def block(name: str, data: bytes) -> bytes:
    """One data block of the page."""
    packed = base64.b64encode(compress(data))
    return b'<script type="application/octet-stream" id="%s">%s</script>\n' % (
        name.encode(),
        packed,
    )


def compress(data: bytes) -> bytes:
    """gzip without a time stamp, so that equal data gives equal bytes."""
    packer = zlib.compressobj(LEVEL, wbits=_GZIP)
    return packer.compress(data) + packer.flush()


class ChunkWriter:
    """Writes rows to `file` chunk by chunk. `count`: chunks written or begun."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._rows: list[bytes] = []
        self._size = 0
        self._written = 0

    @property
    def count(self) -> int:
        """Chunks so far."""
        return self._written + bool(self._rows)

    def add(self, row: ReportRow, history: Mapping[str, str] | None = None) -> int:
        """Take a row, and the outcomes of its case in past runs.

        Returns:
            The number of the chunk that holds it.
        """
        line = _row(row, history or {})
        self._rows.append(line)
        self._size += len(line)
        number = self._written
        if len(self._rows) >= ROWS or self._size >= RAW_LIMIT:
            self.flush()
        return number

    def flush(self) -> None:
        """Write the chunk begun."""
        if self._rows:
            self._file.write(block(f"chunk-{self._written}", b"[" + b",".join(self._rows) + b"]"))
            self._written += 1
            self._rows, self._size = [], 0


def _row(row: ReportRow, history: Mapping[str, str]) -> bytes:
    parts = [b'{"case":', _case(row.now.case_line), b',"now":', _side(row.now)]
    if row.before is not None:
        parts += [b',"before":', _side(row.before)]
    if history:
        parts += [b',"past":', msgspec.json.encode(history)]
    return b"".join(parts) + b"}"


def _case(line: bytes) -> bytes:
    """A case without its checksum, and without images that the page does not show."""
    line = unsealed(line)
    if b'"image":' not in line:
        return line
    case = msgspec.json.decode(line)
    for message in case.get("messages", ()):
        for part in message.get("parts", ()):
            url = part.get("image", "")
            if not url.startswith("data:") or len(url) > SHOWN_IMAGE:
                part.pop("image", None)
    return msgspec.json.encode(case)


def _side(unit: StoredUnit) -> bytes:
    """An answer with its scores as recorded, without the checksums."""
    scores = b",".join(map(unsealed, unit.score_lines))
    return b'{"answer":%s,"scores":[%s]}' % (unsealed(unit.answer_line), scores)


class IndexWriter:
    """The index, compressed as it grows: columns by name, a JSON object a line for each thousand
    rows.
    """

    def __init__(self, *columns: str) -> None:
        self._columns = columns
        self._rows: list[tuple[object, ...]] = []
        self._packer = zlib.compressobj(6, wbits=_GZIP)
        self._packed: list[bytes] = []
        self.count = 0

    def add(self, *values: object) -> None:
        """One row, values in the order of the columns."""
        self._rows.append(values)
        self.count += 1
        if len(self._rows) == BLOCK:
            self._flush()

    def _flush(self) -> None:
        columns = zip(*self._rows, strict=True) if self._rows else ([] for _ in self._columns)
        line = msgspec.json.encode(dict(zip(self._columns, columns, strict=True))) + b"\n"
        self._packed.append(self._packer.compress(line))
        self._rows = []

    def blocks(self) -> Iterator[bytes]:
        """The data block `index`, in pieces."""
        if self._rows:
            self._flush()
        data = b"".join([*self._packed, self._packer.flush()])
        yield b'<script type="application/octet-stream" id="index">'
        for start in range(0, len(data), 3 << 18):
            yield base64.b64encode(data[start : start + (3 << 18)])
        yield b"</script>\n"
