"""The files of records in a run directory, line by line."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from llmeval.core import checksums
from llmeval.core.errors import StoreError
from llmeval.core.manifest import RecordFile

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
EMPTY_SHA256 = hashlib.sha256().hexdigest()
"""Of a file without a byte, which a missing file is taken for."""
FIX = "Take the file from a copy of the run, or run the suite again"
"""What to do about a damaged file."""


def lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """(offset, line) for each complete line; nothing for a missing file, and not the torn last
    line.
    """
    if not path.exists():
        return
    offset = 0
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                return
            yield offset, line
            offset += len(line)


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
    if content.hexdigest() != stated.sha256 or (path.exists() and path.stat().st_size != end):
        refuse(path, stated)


def check_file(path: Path, stated: RecordFile | None) -> None:
    """Read a file to its end and check all of it.

    Raises:
        StoreError: as `verified_lines`.
    """
    if stated is None:
        for _ in _checked_lines(path):
            pass
    elif sha256_of(path) != stated.sha256:
        refuse(path, stated)


def refuse(path: Path, stated: RecordFile) -> None:
    """Say what is wrong with a file that is not what the manifest states.

    Raises:
        StoreError: always. Names the first line that was changed, or else what differs.
    """
    number = end = 0
    for offset, line in _checked_lines(path):
        number, end = number + 1, offset + len(line)
    if path.exists() and path.stat().st_size > end:
        raise StoreError(
            f"{path}:{number + 1}: the last line is torn, though the run had ended. {FIX}"
        )
    if number != stated.lines:
        raise StoreError(f"{path} has {number:,} lines, the manifest says {stated.lines:,}. {FIX}")
    raise StoreError(
        f"{path} was changed after the run ended: its sha256 is not the one in the manifest. {FIX}"
    )


def sha256_of(path: Path) -> str:
    """The sha256 of a file in hex; that of no bytes for a missing one."""
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
