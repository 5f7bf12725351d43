"""`firings.jsonl`: what triggers and messages have done, so that each is done once.

A firing has an id that follows from its policy and its evidence. It is written before anything is
sent, with the bytes to send, and again when the receiver has confirmed. A process that is killed
in between leaves a firing that the next call sends again with the same id and the same bytes: at
least once, and the receiver removes repetitions by the id.
"""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from llmeval.core.approvals import Instant
from llmeval.core.files import open_to_append, store_error
from llmeval.core.seal import Sha256
from llmeval.governance.canonical import canonical_bytes, decode_strict, sha256_of

FIRINGS = "firings.jsonl"
FIRING_SCHEMA = 1
MONTH = timedelta(days=30)


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


def firing_id(policy: object, basis: Sequence[str]) -> str:
    """The id of a firing: the same policy and evidence give the same id."""
    return sha256_of(canonical_bytes([policy, list(basis)]))


class FiringLog:
    """The lines of a file.

    Raises:
        StoreError: it can't be read.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FIRINGS
        try:
            data = self.path.read_bytes() if self.path.exists() else b""
        except OSError as error:
            raise store_error(self.path, error) from None
        self.records = [
            decode_strict(line, FiringRecord, FIRING_SCHEMA, f"{self.path}:{number}")
            for number, line in enumerate(data.split(b"\n")[:-1], 1)
        ]

    def append(self, record: FiringRecord) -> None:
        """Add a line; it is on the disk when this returns."""
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
