"""The run directory, written: append-only records that survive `kill -9` at any byte, one writer at
a time.

Each line carries its checksum. What a file holds is hashed as it is written, so that the digests in
the manifest are those of what was written, whatever is on the disk.
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from llmeval.core.checksums import sealed
from llmeval.core.errors import StoreError
from llmeval.core.files import NO_LINK, PRIVATE, store_error, write_atomically
from llmeval.core.judge_probe import JudgeProbe
from llmeval.core.manifest import Manifest, RecordFile
from llmeval.core.manifest_file import manifest_bytes
from llmeval.core.records import Answer, Case, Score, to_json
from llmeval.core.redaction import redact_record
from llmeval.store.compressed import LIMIT, compress, compressed, expand
from llmeval.store.directory import ANSWERS, CASES, JUDGE_PROBES, MANIFEST, RECORDS, SCORES, RunDir

LOCK = ".lock"
_CHUNK = 1 << 20


class RunWriter:
    """Appends to one run directory. Every record is handed to the operating system before the call
    returns.

    `answers`: how many answers this process has appended.

    Raises:
        StoreError: the directory can't be made or written, the disk is full, or another process is
            writing to it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.answers = 0
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(path / LOCK, timeout=0)
            self._lock.acquire()
        except Timeout:
            raise StoreError(
                f"{path}: another llmeval is writing to this run. Wait for it, or name another"
                " directory with --out"
            ) from None
        except OSError as error:
            raise store_error(path, error) from None
        self._files = {name: _Appended(path / name) for name in RECORDS}
        self._is_complete = False
        self.run = RunDir(path)

    def write_manifest(self, manifest: Manifest) -> None:
        """Replace `manifest.json` in one step."""
        write_manifest(self.path, manifest)

    def case(self, case: Case) -> None:
        """Append a case."""
        self._files[CASES].append(sealed(_json(case)))

    def answer(self, answer: Answer) -> None:
        """Append an answer."""
        self._files[ANSWERS].append(sealed(_json(answer)))
        self.answers += 1

    def scores(self, scores: Sequence[Score]) -> None:
        """Append all scores of one (case, repeat) as one block."""
        if scores:
            self._files[SCORES].append(*(sealed(_json(score)) for score in scores))

    def answer_at(self, offset: int) -> Answer:
        """The answer whose line begins at `offset`."""
        return self.run.answer_at(offset)

    def judge_probes(self, judge_probes: Sequence[JudgeProbe]) -> None:
        """Append a judge's verdicts on attacks or anchors."""
        if judge_probes:
            self._files[JUDGE_PROBES].append(
                *(sealed(_json(judge_probe)) for judge_probe in judge_probes)
            )

    def count(self, name: str) -> int:
        """How many lines a file of records has."""
        return self._files[name].lines

    def records(self) -> dict[str, RecordFile]:
        """Make everything durable; what the manifest says of each file from now on."""
        return {name: file.state() for name, file in self._files.items()}

    def end(self, manifest: Manifest) -> None:
        """Write the manifest of a run that has ended. Large files of a complete run are compressed
        when this writer is closed, because nothing more is appended to them.
        """
        self.write_manifest(manifest)
        self._is_complete = manifest.status == "complete"

    def close(self) -> None:
        """Make everything durable and let others write."""
        for file in self._files.values():
            file.close(compress_large=self._is_complete)
        self._lock.release()


def _json(record: msgspec.Struct) -> bytes:
    """A record as JSON without secrets."""
    return redact_record(to_json(record))


class _Appended:
    """One file that is appended to. A last line that a crash left torn is cut off when it is
    opened. A compressed file is expanded, and stays next to the plain one until the first append:
    a run that is only opened, and not continued, keeps the bytes that were sealed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._packed = compressed(path).exists()
        self.lines = 0
        self._content = hashlib.sha256()
        try:
            expand(path)
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | NO_LINK
            self._descriptor = os.open(path, flags, PRIVATE)
            self._cut_torn_line()
            with open(self._descriptor, "rb", buffering=0, closefd=False) as file:
                while chunk := file.read(_CHUNK):
                    self._note(chunk)
        except OSError as error:
            raise store_error(path, error) from None

    def append(self, *parts: bytes) -> None:
        """Write lines with one call."""
        data = b"".join(parts)
        try:
            if self._packed:
                compressed(self._path).unlink()
                self._packed = False
            view = memoryview(data)
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError as error:
            raise store_error(self._path, error) from None
        self._note(data)

    def state(self) -> RecordFile:
        """How many lines it has and the digest of all of it, after it was made durable."""
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            raise store_error(self._path, error) from None
        return RecordFile(self.lines, self._content.hexdigest())

    def close(self, *, compress_large: bool) -> None:
        """Make it durable. A file that nothing was written to is removed: no file is what readers
        take for empty.
        """
        os.fsync(self._descriptor)
        size = os.fstat(self._descriptor).st_size
        os.close(self._descriptor)
        if self._packed or (not self.lines and self._path.name == JUDGE_PROBES):
            self._path.unlink(missing_ok=True)
        elif compress_large and size > LIMIT:
            compress(self._path)

    def _note(self, data: bytes) -> None:
        self._content.update(data)
        self.lines += data.count(b"\n")

    def _cut_torn_line(self) -> None:
        end = size = os.fstat(self._descriptor).st_size
        while end > 0:
            start = max(0, end - 65536)
            cut = os.pread(self._descriptor, end - start, start).rfind(b"\n")
            if cut >= 0:
                end = start + cut + 1
                break
            end = start
        if end < size:
            os.ftruncate(self._descriptor, end)


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Replace the `manifest.json` of a run directory in one step; `digest` becomes that of its
    content.
    """
    write_atomically(path / MANIFEST, manifest_bytes(manifest), mode=PRIVATE)
