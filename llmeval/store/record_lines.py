"""The files of records in a run directory, line by line.

A large file of a complete run is compressed (`answers.jsonl.zst`). All functions take the plain
path, and read whichever file is there. Offsets and digests are those of the plain content.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from llmeval.core import checksums
from llmeval.core.errors import StoreError
from llmeval.core.files import irregular_kind
from llmeval.core.manifest import RecordFile
from llmeval.store.compressed import SUFFIX, CompressedFile, compressed

CASES, ANSWERS, SCORES, JUDGE_PROBES = (
    "cases.jsonl",
    "answers.jsonl",
    "scores.jsonl",
    "judge_probes.jsonl",
)
RECORDS = (CASES, ANSWERS, SCORES, JUDGE_PROBES)
"""The files that only llmeval writes, with a checksum in each line and a digest of each file in the
manifest.
"""
COMPRESSED = tuple(name + SUFFIX for name in RECORDS)
"""The same files, compressed."""
EMPTY_SHA256 = hashlib.sha256().hexdigest()
"""Of a file without a byte, which a missing file is taken for."""
FIX = "Take the file from a copy of the run, or run the suite again"
"""What to do about a damaged file."""


class PlainFile:
    """A file of records that is not compressed, open for reading. A context manager.

    Raises:
        OSError: it can't be opened.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))

    def __enter__(self) -> "PlainFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back."""
        os.close(self._file)

    def read(self, offset: int, size: int) -> bytes:
        """No more bytes than stated, wherever the reader was before; fewer at the end."""
        return os.pread(self._file, size, offset)


def on_disk(path: Path) -> Path:
    """The file that holds the records of a plain path: the compressed one where the plain one is
    not there.

    Raises:
        StoreError: the path is a pipe, a socket or a device.
    """
    kind = irregular_kind(path)
    if kind:
        raise StoreError(f"{path} can't be read: it is {kind}, and only files are read")
    if path.name in RECORDS and not path.exists():
        other = compressed(path)
        return other if other.exists() else path
    return path


def open_records(path: Path) -> PlainFile | CompressedFile:
    """A file of records, for reading single ones by their places."""
    place = on_disk(path)
    return PlainFile(place) if place == path else CompressedFile(place)


def lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """(offset, line) for each complete line; nothing for a missing file, and not the torn last
    line.
    """
    place = on_disk(path)
    if place != path:
        yield from _unpacked_lines(place)
        return
    if not path.exists():
        return
    offset = 0
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                return
            yield offset, line
            offset += len(line)


def _unpacked_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """As `lines`, of a compressed file. A torn frame at the end is left out."""
    offset, rest = 0, b""
    with CompressedFile(path) as file:
        for chunk in file.chunks():
            *whole, rest = (rest + chunk).split(b"\n")
            for text in whole:
                yield offset, text + b"\n"
                offset += len(text) + 1


def verified_lines(path: Path, stated: RecordFile | None) -> Iterator[tuple[int, bytes]]:
    """The same, reading the file once and checking it on the way.

    Of a run that ended, the file as a whole is compared with the manifest, after its last line:
    that costs less than a checksum a line. So nobody may act on a line before the last one came.

    Args:
        path: the file.
        stated: what the manifest says about it; None while the run has not ended.

    Raises:
        StoreError: names the first line that was changed, or else what differs.
    """
    if stated is None:
        yield from _checked_lines(path)
        return
    content, end = hashlib.sha256(), 0
    for offset, line in lines(path):
        content.update(line)
        yield offset, line
        end = offset + len(line)
    # a torn last line is no line, but the file has it
    if content.hexdigest() != stated.sha256 or _is_torn(path, end):
        refuse(path, stated)


def check_file(path: Path, stated: RecordFile | None) -> None:
    """Read a file to its end and check all of it.

    Raises:
        StoreError: as `verified_lines`.
    """
    if stated is None:
        for _ in _checked_lines(path):
            pass
    elif sha256_of(path) != stated.sha256 or _has_torn_frame(path):
        refuse(path, stated)


def refuse(path: Path, stated: RecordFile) -> None:
    """Say what is wrong with a file that is not what the manifest states.

    Raises:
        StoreError: always. Names the first line that was changed, or else what differs.
    """
    number = end = 0
    for offset, line in _checked_lines(path):
        number, end = number + 1, offset + len(line)
    if _is_torn(path, end):
        raise StoreError(
            f"{on_disk(path)}:{number + 1}: the last line is torn, though the run had ended. {FIX}"
        )
    if number != stated.lines:
        raise StoreError(f"{path} has {number:,} lines, the manifest says {stated.lines:,}. {FIX}")
    raise StoreError(
        f"{path} was changed after the run ended: its sha256 is not the one in the manifest. {FIX}"
    )


def size_of(path: Path) -> int:
    """Bytes of a file's plain content; 0 for a missing file."""
    place = on_disk(path)
    if place == path:
        return path.stat().st_size if path.exists() else 0
    with CompressedFile(place) as file:
        return file.size


def _has_torn_frame(path: Path) -> bool:
    place = on_disk(path)
    if place == path:
        return False
    with CompressedFile(place) as file:
        return file.torn


def _is_torn(path: Path, end: int) -> bool:
    """Whether a file holds more than its lines, which end at `end`."""
    return size_of(path) != end or _has_torn_frame(path)


def sha256_of(path: Path) -> str:
    """The sha256 of a file's plain content in hex; that of no bytes for a missing one."""
    place = on_disk(path)
    if place != path:
        content = hashlib.sha256()
        with CompressedFile(place) as packed:
            for chunk in packed.chunks():
                content.update(chunk)
        return content.hexdigest()
    if not path.exists():
        return EMPTY_SHA256
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _checked_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file, each compared with its own checksum before it is given."""
    for number, (offset, line) in enumerate(lines(path), start=1):
        if problem := checksums.problem(line):
            raise StoreError(f"{path}:{number}: {problem}. {FIX}")
        yield offset, line
