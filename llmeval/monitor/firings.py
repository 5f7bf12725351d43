"""`firings.jsonl`: what triggers and messages have done, so that each is done once.

A firing has an id that follows from its policy and its evidence. It is written before anything is
sent, with the bytes to send, and again when the receiver has confirmed. A process that is killed
in between leaves a firing that the next call sends again with the same id and the same bytes: at
least once, and the receiver removes repetitions by the id.

The lines are a chain: each holds the hash of the line before it, and `firings.head` holds the hash
of the newest one. So an edit and a cut end show, and a firing can't be made to happen again unseen.
If the suite has an audit chain, each firing is an event of it, and an event without its firing
shows that both files were cut.
"""

import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import structs

from llmeval.core.approvals import Instant
from llmeval.core.errors import StoreError
from llmeval.core.files import open_to_append, store_error, write_atomically
from llmeval.core.seal import Sha256
from llmeval.governance.canonical import canonical_bytes, decode_strict, sha256_of

FIRINGS = "firings.jsonl"
HEAD = "firings.head"
FIRING_SCHEMA = 1
MONTH = timedelta(days=30)
_BLANK = "0" * 64
_RESTORE = "Nothing is fired by a damaged file: restore the folder from a backup"


class FiringRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One line."""

    schema: int = FIRING_SCHEMA
    """The format of the line."""
    id: Sha256
    """Of the firing: sha256 over policy and evidence. Receivers see it as `webhook-id`."""
    name: str
    """The trigger, or the receiver of a message."""
    state: Literal["begun", "delivered", "failed"]
    """`begun`: written before sending. `failed`: not confirmed after all tries; it is sent again by
    the next call.
    """
    at: Instant
    """ISO 8601, UTC."""
    cost_usd: Annotated[float, msgspec.Meta(ge=0)] | None = None
    """Expected cost; null where it is unknown."""
    body: str = ""
    """What is sent, in a line that begins a firing."""
    reason: str = ""
    """Why it failed."""
    approved_by: str = ""
    """Who approved the cost."""
    prev: Sha256 | None = None
    """The hash of the line before it; null in the first line."""
    hash: Sha256 = _BLANK
    """sha256 over the canonical JSON (RFC 8785) of everything else in the line."""


def hash_of_firing(record: FiringRecord) -> str:
    """The hash that a line must have."""
    content = msgspec.to_builtins(record)
    del content["hash"]
    return sha256_of(canonical_bytes(content))


def firing_id(policy: object, basis: Sequence[str]) -> str:
    """The id of a firing: the same policy and evidence give the same id."""
    return sha256_of(canonical_bytes([policy, list(basis)]))


class FiringLog:
    """The lines of a file.

    Raises:
        StoreError: it can't be read, was changed, or its end was cut.
    """

    def __init__(self, folder: Path) -> None:
        self.path, self._head = folder / FIRINGS, folder / HEAD
        try:
            data = self.path.read_bytes() if self.path.exists() else b""
        except OSError as error:
            raise store_error(self.path, error) from None
        self.records = [
            decode_strict(line, FiringRecord, FIRING_SCHEMA, f"{self.path}:{number}")
            for number, line in enumerate(data.split(b"\n")[:-1], 1)
        ]
        self._check_chain()

    def append(self, record: FiringRecord) -> None:
        """Add a line; it is on the disk when this returns. Its hashes are filled in."""
        record = structs.replace(record, prev=self.records[-1].hash if self.records else None)
        record = structs.replace(record, hash=hash_of_firing(record))
        try:
            with open_to_append(self.path) as file:
                file.seek(0)
                data = file.read()
                file.truncate(data.rfind(b"\n") + 1)
                file.write(canonical_bytes(record) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise store_error(self.path, error) from None
        self.records.append(record)
        write_atomically(self._head, f"{len(self.records)} {record.hash}\n".encode())

    def _check_chain(self) -> None:
        before: str | None = None
        for number, record in enumerate(self.records, 1):
            where = f"{self.path}:{number}"
            if hash_of_firing(record) != record.hash:
                raise StoreError(f"{where}: was changed: its hash does not fit. {_RESTORE}")
            if record.prev != before:
                raise StoreError(f"{where}: does not follow the line before it. {_RESTORE}")
            before = record.hash
        try:
            stated = self._head.read_text("utf-8").split() if self._head.exists() else []
        except (OSError, UnicodeDecodeError):
            stated = ["?"]
        hashes = {str(number): each.hash for number, each in enumerate(self.records, 1)}
        missing = not stated and len(self.records) > 1
        if missing or (stated and (len(stated) != 2 or hashes.get(stated[0]) != stated[1])):
            raise StoreError(f"{self.path}: its end was cut, or {HEAD} is not its. {_RESTORE}")

    def refuse_missing(self, noted: Iterable[str], chain: Path) -> None:
        """Refuse a log from which firings were removed.

        Args:
            noted: the ids of the firings of this log that an audit chain names. chain: its file.

        Raises:
            StoreError: one of them is not in the log.
        """
        missing = set(noted) - {each.id for each in self.records}
        if missing:
            raise StoreError(
                f"{chain} names the firing {min(missing)[:12]}, which {self.path} does not have."
                f" {_RESTORE}"
            )

    def begun(self, identifier: str) -> FiringRecord | None:
        """The line that began a firing; None where it has not begun."""
        own = (each for each in self.records if each.id == identifier and each.state == "begun")
        return next(own, None)

    def is_delivered(self, identifier: str) -> bool:
        """Whether the receiver has confirmed it."""
        return any(each.id == identifier and each.state == "delivered" for each in self.records)

    def recent(self, name: str, now: datetime, within: timedelta) -> list[FiringRecord]:
        """The firings of a name that began within a time."""
        return [
            each
            for each in self.records
            if each.name == name
            and each.state == "begun"
            and now - datetime.fromisoformat(each.at) < within
        ]


def instant(now: datetime) -> str:
    """A time as records have it."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
