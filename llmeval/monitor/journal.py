"""`looks.jsonl`: the days that the monitor has seen, as a chain. The state is replayed from it.

Each line holds the hash of the line before it, so an edit shows. The newest hash also stands in
`looks.head`, so a cut end shows, as after a restored backup. Whoever can change both files can
hide a cut; the events of `audit.jsonl` next to the suite name the hash of each alarm.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout
from msgspec import structs

from llmeval.core.errors import StoreError
from llmeval.core.files import open_to_append, store_error, write_atomically
from llmeval.core.monitor_record import MONITOR_SCHEMA, MonitorRecord
from llmeval.governance.canonical import canonical_bytes, decode_strict, sha256_of

LOOKS = "looks.jsonl"
HEAD = "looks.head"
_LOCK = "monitor.lock"


def hash_of_record(record: MonitorRecord) -> str:
    """The hash that a line must have."""
    content = msgspec.to_builtins(record)
    del content["hash"]
    return sha256_of(canonical_bytes(content))


class Journal:
    """The lines of one monitor. One process writes at a time (`locked`).

    Args:
        folder: the folder of the monitor; it is made where there is none.

    Raises:
        StoreError: the lines can't be read, were changed, or their end was cut.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / LOOKS
        self.records = self._read()

    @property
    def head(self) -> str | None:
        """The hash of the newest line; None without one."""
        return self.records[-1].hash if self.records else None

    def append(self, record: MonitorRecord) -> MonitorRecord:
        """Add a line; it is on the disk when this returns. Its number and hashes are filled in.

        Raises:
            StoreError: it can't be written.
        """
        record = structs.replace(record, seq=len(self.records) + 1, prev=self.head)
        record = structs.replace(record, hash=hash_of_record(record))
        try:
            with open_to_append(self.path) as file:
                file.seek(0)
                data = file.read()
                file.truncate(data.rfind(b"\n") + 1)  # a line that a killed process left incomplete
                file.write(canonical_bytes(record) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise store_error(self.path, error) from None
        self.records = (*self.records, record)
        write_atomically(self.folder / HEAD, f"{record.seq} {record.hash}\n".encode())
        return record

    def _read(self) -> tuple[MonitorRecord, ...]:
        try:
            data = self.path.read_bytes() if self.path.exists() else b""
        except OSError as error:
            raise store_error(self.path, error) from None
        lines = data.split(b"\n")[:-1]  # what follows the last newline was never reported
        records: list[MonitorRecord] = []
        for number, line in enumerate(lines, 1):
            where = f"{self.path}:{number}"
            record = decode_strict(line, MonitorRecord, MONITOR_SCHEMA, where)
            before = records[-1].hash if records else None
            if hash_of_record(record) != record.hash:
                raise StoreError(f"{where}: was changed: its hash does not fit. {_RESTORE}")
            if (record.seq, record.prev) != (number, before):
                raise StoreError(f"{where}: does not follow the line before it. {_RESTORE}")
            records.append(record)
        self._check_end(records)
        return tuple(records)

    def _check_end(self, records: list[MonitorRecord]) -> None:
        head = self.folder / HEAD
        try:
            stated = head.read_text(encoding="utf-8").split() if head.exists() else []
        except (OSError, UnicodeDecodeError):
            stated = ["?"]
        hashes = {str(record.seq): record.hash for record in records}
        if stated and (len(stated) != 2 or hashes.get(stated[0]) != stated[1]):
            raise StoreError(
                f"{self.path}: its end was cut, or it is another file: the newest line is not the"
                f" one that {head.name} names. {_RESTORE}"
            )
        if records and not stated and len(records) > 1:
            raise StoreError(f"{head}: is missing. {_RESTORE}")


def reference_records(records: Sequence[MonitorRecord]) -> list[MonitorRecord]:
    """The lines after the last acknowledgement."""
    ends = [place for place, each in enumerate(records) if each.kind == "acknowledged"]
    return list(records[ends[-1] + 1 :] if ends else records)


_RESTORE = "Nothing is decided by a damaged file: restore the folder from a backup"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let no other process work on this monitor.

    Raises:
        StoreError: another process does.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / _LOCK, timeout=0):
            yield
    except Timeout:
        raise StoreError(f"{folder}: another process runs this monitor now; wait for it") from None
    except OSError as error:
        raise store_error(folder, error) from None
