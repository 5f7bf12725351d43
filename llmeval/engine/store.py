"""The run directory, written: append-only records that survive `kill -9` at any byte, one writer at a time."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from llmeval.errors import StoreError
from llmeval.files import store_error, write_atomically
from llmeval.records import Answer, Case, Score, to_json
from llmeval.rundir import ANSWERS, CASES, MANIFEST, SCORES, RunDir

LOCK = ".lock"


class RunWriter:
    """Appends to one run directory. Every record is handed to the operating system before the call returns.

    Raises:
        StoreError: the directory can't be made or written, the disk is full, or another process is writing to it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(path / LOCK, timeout=0)
            self._lock.acquire()
        except Timeout:
            raise StoreError(
                f"{path}: another llmeval is writing to this run. Wait for it, or name another directory with --out"
            ) from None
        except OSError as error:
            raise store_error(path, error) from None
        self._files = {name: _open(path / name) for name in (CASES, ANSWERS, SCORES)}
        self.run = RunDir(path)

    def write_manifest(self, manifest: dict[str, Any]) -> None:
        """Replace `manifest.json` in one step."""
        write_manifest(self.path, manifest)

    def case(self, case: Case) -> None:
        """Append a case."""
        self._append(CASES, to_json(case) + b"\n")

    def answer(self, answer: Answer) -> None:
        """Append an answer."""
        self._append(ANSWERS, to_json(answer) + b"\n")

    def scores(self, scores: Sequence[Score]) -> None:
        """Append all scores of one (case, repeat) as one block."""
        if scores:
            self._append(SCORES, b"".join([to_json(score) + b"\n" for score in scores]))

    def close(self) -> None:
        """Make everything durable and let others write."""
        for descriptor in self._files.values():
            os.fsync(descriptor)
            os.close(descriptor)
        self._lock.release()

    def _append(self, name: str, data: bytes) -> None:
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._files[name], view) :]
        except OSError as error:
            raise store_error(self.path / name, error) from None


def write_manifest(path: Path, manifest: dict[str, Any]) -> None:
    """Replace the `manifest.json` of a run directory in one step."""
    write_atomically(path / MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False).encode() + b"\n")


def _open(path: Path) -> int:
    """Open for appending, after cutting off a last line that a crash left torn."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        size = os.fstat(descriptor).st_size
        end = size
        while end > 0:
            start = max(0, end - 65536)
            chunk = os.pread(descriptor, end - start, start)
            cut = chunk.rfind(b"\n")
            if cut >= 0:
                end = start + cut + 1
                break
            end = start
        if end < size:
            os.ftruncate(descriptor, end)
        return descriptor
    except OSError as error:
        raise store_error(path, error) from None
