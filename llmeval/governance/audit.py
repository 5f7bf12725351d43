"""`audit.jsonl`: a chain of events. An edit shows; an anchor elsewhere shows a cut end.

Each event holds the hash of the one before it. Two branches of a repository give two ends;
`join_branches` writes an event that names both, so the events form a graph without circles.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec
from filelock import FileLock, Timeout
from msgspec import structs

from llmeval.core.audit_event import AUDIT_SCHEMA, AuditAction, AuditEvent
from llmeval.core.errors import StoreError, UsageError
from llmeval.core.files import open_to_append, store_error
from llmeval.core.records import utc_now
from llmeval.governance.canonical import canonical_bytes, decode_strict, sha256_of

AUDIT = "audit.jsonl"
_WAIT_S = 10.0


class ChainCheck(NamedTuple):
    """What reading a chain shows. `ends`: the hashes that no event names as the one before.
    `problems`: in words, each with its line.
    """

    events: tuple[AuditEvent, ...]
    ends: tuple[str, ...]
    problems: tuple[str, ...]


def hash_of(event: AuditEvent) -> str:
    """The hash that an event must have."""
    content = msgspec.to_builtins(event)
    del content["hash"]
    return sha256_of(canonical_bytes(content))


def append_event(
    path: Path,
    actor: str,
    action: AuditAction,
    target: str,
    digest: str | None = None,
    note: str = "",
) -> AuditEvent:
    """Add an event to a chain; it is on the disk when this returns.

    A line that a killed process left incomplete is removed first: its event was never reported.

    Args:
        path: the file; it is made where there is none.
        actor, action, target, digest, note: the fields of the event (`AuditEvent`).

    Raises:
        StoreError: the chain is damaged, has two ends, or can't be written.
    """
    with _locked(path):
        check = read_chain(path, torn_end_is_allowed=True)
        _refuse_damaged(path, check)
        if len(check.ends) > 1:
            raise StoreError(
                f"{path}: has {len(check.ends)} ends, because two branches added events. Run"
                f" `llmeval audit merge {path}` first"
            )
        return _written(path, check, check.ends, actor, action, target, digest, note)


def join_branches(path: Path, actor: str) -> AuditEvent | None:
    """Write an event that names all ends of a chain; None where there is one end already.

    Raises:
        StoreError: as `append_event`.
    """
    with _locked(path):
        check = read_chain(path, torn_end_is_allowed=True)
        _refuse_damaged(path, check)
        if len(check.ends) < 2:
            return None
        return _written(path, check, check.ends, actor, "joined", AUDIT, None, "")


def read_chain(path: Path, *, torn_end_is_allowed: bool = False) -> ChainCheck:
    """Read a chain and check each event, its hash and its place.

    Raises:
        StoreError: the file can't be read.
    """
    try:
        data = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise store_error(path, error) from None
    lines, torn = _complete_lines(data)
    problems = []
    if torn and not torn_end_is_allowed:
        problems.append(f"{path}:{len(lines) + 1}: the line is incomplete")
    events, positions = list[AuditEvent](), dict[str, int]()
    for number, line in enumerate(lines, 1):
        try:
            event = decode_strict(line, AuditEvent, AUDIT_SCHEMA, f"{path}:{number}")
        except StoreError as error:
            problems.append(str(error))
            continue
        problems += [
            f"{path}:{number}: {problem}" for problem in _problems(event, positions, number)
        ]
        positions[event.hash] = event.seq
        events.append(event)
    named = {before for event in events for before in event.prev}
    ends = tuple(each.hash for each in events if each.hash not in named)
    return ChainCheck(tuple(events), ends, tuple(problems))


def _complete_lines(data: bytes) -> tuple[list[bytes], bytes]:
    """The lines of a chain, and the incomplete one at its end. A whole event without a newline, as
    some editors leave it, is a line: it was reported, so it must not be removed.
    """
    lines = data.split(b"\n")
    end = lines.pop()
    try:
        decode_strict(end, AuditEvent, AUDIT_SCHEMA, AUDIT)
    except StoreError:
        return lines, end
    return [*lines, end], b""


def _problems(event: AuditEvent, positions: dict[str, int], number: int) -> Iterator[str]:
    if hash_of(event) != event.hash:
        yield "was changed: its hash does not fit"
    if event.hash in positions:
        yield "stands twice"
    if not event.prev and number > 1:
        yield "names no event before it, and is not the first one"
    unknown = [before for before in event.prev if before not in positions]
    if unknown:
        yield f"names {unknown[0][:12]}.. as the event before it, which does not stand above"
    elif event.seq != 1 + max((positions[before] for before in event.prev), default=0):
        yield f"has the place {event.seq}, which does not follow from the events before it"
    if len(set(event.prev)) != len(event.prev) or (len(event.prev) > 1) != (
        event.action == "joined"
    ):
        yield "joins branches in a way that llmeval does not write"


def check_anchor(check: ChainCheck, anchor: str) -> str:
    """What is wrong with an anchor: a hash that was kept elsewhere; empty if the chain has it.

    Args:
        anchor: the hash, or at least its first 12 hex digits.

    Raises:
        UsageError: fewer digits.
    """
    if len(anchor) < 12 or set(anchor) - set("0123456789abcdef"):
        raise UsageError(f"--anchor {anchor}: must be at least 12 hex digits of a hash")
    if any(event.hash.startswith(anchor) for event in check.events):
        return ""
    return f"no event has the hash {anchor}: the end of the chain was cut, or it is another chain"


def _written(
    path: Path,
    check: ChainCheck,
    ends: Sequence[str],
    actor: str,
    action: AuditAction,
    target: str,
    digest: str | None,
    note: str,
) -> AuditEvent:
    places = {event.hash: event.seq for event in check.events}
    event = AuditEvent(
        seq=1 + max((places[end] for end in ends), default=0),
        prev=tuple(sorted(ends)),
        at=utc_now(),
        actor=actor.strip() or "unknown",
        action=action,
        object=target,
        digest=digest,
        note=note,
        hash="0" * 64,
    )
    event = structs.replace(event, hash=hash_of(event))
    try:
        with open_to_append(path) as file:
            _cut_torn_end(file)
            file.write(canonical_bytes(event) + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise store_error(path, error) from None
    return event


def _cut_torn_end(file: BinaryIO) -> None:
    """Remove an incomplete line, and end a complete one."""
    file.seek(0)
    data = file.read()
    _, torn = _complete_lines(data)
    if torn:
        file.truncate(len(data) - len(torn))
    elif data and not data.endswith(b"\n"):
        file.write(b"\n")


def _refuse_damaged(path: Path, check: ChainCheck) -> None:
    if check.problems:
        raise StoreError(
            f"{check.problems[0]}. Nothing is added to a damaged chain: restore {path} from git"
        )


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(f"{path}.lock", timeout=_WAIT_S):
            yield
    except Timeout:
        raise StoreError(f"{path}: another process holds the lock {path}.lock") from None
    except OSError as error:
        raise store_error(path, error) from None
