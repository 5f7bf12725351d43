"""The folder of pages next to the report of a large run: every answer, 20,000 on each page.

A single page with a million answers would be too large for a browser. So the report itself holds
the answers that need attention, and links these pages. Each is the report with another list of
answers, so it needs no server and no permission to read other files.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple
from urllib.parse import quote

from llmeval.report.html.chunks import ChunkWriter, IndexWriter
from llmeval.report.html.index import COLUMNS
from llmeval.report.html.triage import TriageQueue

PAGED_FROM = 100_000
"""A report of more answers has further pages."""
PART_ROWS = 20_000
"""Answers on each of them."""
_NAME = "answers-{:03}.html"
_PATTERN = "answers-*.html"


class PartRange(NamedTuple):
    """One page: its file, and its first and last answer, counted from 1."""

    file: str
    first: int
    last: int

    @property
    def rows(self) -> int:
        """How many answers it lists."""
        return self.last - self.first + 1


class PageLinks:
    """The links of a page to the pages with all answers, and back; none of a small report.

    Args:
        ranges: the pages with all answers.
        report: the path of the report.
        number: the place of this page among `ranges`, from 0; None for the report itself.
    """

    def __init__(
        self, ranges: Sequence[PartRange], report: Path, number: int | None = None
    ) -> None:
        self.total = ranges[-1].last if ranges else 0
        self.part = None if number is None else ranges[number]
        self.report = f"../{quote(report.name)}"
        folder = "" if number is not None else f"{quote(report.with_suffix('').name)}/"
        self.all = [(f"{folder}{each.file}#view=cases", each) for each in ranges]
        at = -1 if number is None else number
        self.previous = self.all[at - 1][0] if at > 0 else ""
        self.next = self.all[at + 1][0] if 0 <= at < len(ranges) - 1 else ""


class _Part(NamedTuple):
    head: list[bytes]
    begin: int
    end: int
    rows: int
    queues: Counter[TriageQueue]


class PartPages:
    """Takes every answer of a run in order. A context manager: it holds a temporary file.

    Args:
        report: the path of the report. The folder has its name without the suffix.
    """

    def __init__(self, report: Path) -> None:
        self.folder = report.with_suffix("")
        self._file: BinaryIO = tempfile.TemporaryFile(dir=report.parent)  # noqa: SIM115 (`close`)
        self._parts: list[_Part] = []
        self._begin()

    def close(self) -> None:
        """Remove the temporary file."""
        self._file.close()

    def add(
        self,
        queue: TriageQueue,
        write: Callable[[ChunkWriter], int],
        entry: Callable[[int], tuple[object, ...]],
    ) -> None:
        """Take an answer.

        Args:
            queue: of the answer.
            write: gives the answer to a writer of chunks, and returns the chunk's number.
            entry: the index entry of the answer in that chunk.
        """
        self._index.add(*entry(write(self._writer)))
        self._queues[queue] += 1
        if self._index.count == PART_ROWS:
            self._end()

    def ranges(self) -> list[PartRange]:
        """The pages, after the last answer."""
        if self._index.count:
            self._end()
        ranges, first = [], 1
        for number, part in enumerate(self._parts, start=1):
            ranges.append(PartRange(_NAME.format(number), first, first + part.rows - 1))
            first += part.rows
        return ranges

    def queues(self, number: int) -> Counter[TriageQueue]:
        """The answers of a page, counted from 0, by queue."""
        return self._parts[number].queues

    def blocks(self, number: int) -> Iterator[bytes]:
        """The data of a page, counted from 0, in pieces: its index and its chunks."""
        part = self._parts[number]
        yield from part.head
        self._file.seek(part.begin)
        left = part.end - part.begin
        while left:
            piece = self._file.read(min(left, 1 << 20))
            left -= len(piece)
            yield piece

    def remove_old(self) -> None:
        """Remove the pages of an earlier report."""
        for page in self.folder.glob(_PATTERN):
            page.unlink()
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            shutil.rmtree(self.folder)

    def _begin(self) -> None:
        self._start = self._file.tell()
        self._index, self._writer = IndexWriter(*COLUMNS), ChunkWriter(self._file)
        self._queues: Counter[TriageQueue] = Counter()

    def _end(self) -> None:
        self._writer.flush()
        head = [*self._index.blocks()]
        end, rows = self._file.tell(), self._index.count
        self._parts.append(_Part(head, self._start, end, rows, self._queues))
        self._begin()
