"""A traffic log of an application: a JSONL whose fields the user maps, sampled by its ids.

A line is in the sample if the first 64 bits of sha256(id) are below the rate: another day, another
machine or a repeated import draws the same ids.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from llmeval.core.errors import SuiteError, UsageError
from llmeval.data.traces.logged_messages import content_text, read_turns
from llmeval.importers.ledger import Ledger, SourcePlace, UnmappedError
from llmeval.importers.traces.recorded_traffic import RecordedConversation
from llmeval.suite.yaml_file import Document

_PARTS = ("messages", "output", "id", "time", "cluster")
_DEFAULTS = ("messages", "output", "id", "time", "session")


@dataclass(frozen=True, slots=True)
class LogMap:
    """Where the parts of a line are: keys, with dots between the levels."""

    messages: str
    output: str
    id: str
    time: str
    cluster: str

    @classmethod
    def parse(cls, text: str) -> "LogMap":
        """A map from `messages,output,id,time,cluster`; what is left out has its default.

        Raises:
            UsageError: fewer than two parts, more than five, or an empty one.
        """
        parts = [part.strip() for part in text.split(",")]
        if not 2 <= len(parts) <= len(_PARTS) or not all(parts):
            raise UsageError(
                f"--map {text}: name the keys of {', '.join(_PARTS)} in this order, at least the"
                " first two, such as request.messages,response.text"
            )
        return cls(*parts, *_DEFAULTS[len(parts) :])


@dataclass(frozen=True, slots=True)
class LogSelection:
    """Which lines count. `since`: the first moment, with its zone. `rate`: the share of ids."""

    since: datetime | None = None
    rate: float = 1.0

    @classmethod
    def parse(cls, since: str | None, rate: float) -> "LogSelection":
        """Both from the command line. A time without a zone is UTC.

        Raises:
            UsageError: `since` is not a date or time, or `rate` is outside (0, 1].
        """
        if not 0 < rate <= 1:
            raise UsageError(f"--sample {rate}: must be above 0 and at most 1")
        if since is None:
            return cls(None, rate)
        moment = _moment(since)
        if moment is None:
            raise UsageError(f"--since {since}: must be a date or time such as 2026-11-30")
        return cls(moment, rate)

    def draws(self, identifier: str) -> bool:
        """Whether the sample has this id."""
        if self.rate == 1:
            return True
        first = hashlib.sha256(identifier.encode()).digest()[:8]
        return int.from_bytes(first, "big") < self.rate * 2**64


def read_mapped_log(
    path: Path, ledger: Ledger, places: LogMap, selection: LogSelection
) -> list[RecordedConversation]:
    """The lines of a log that the selection takes. The file is read line by line.

    Raises:
        SuiteError: it can't be read, or nothing of it is taken.
    """
    taken, lines = [], 0
    for number, line in _lines(path):
        lines += 1
        place = SourcePlace(Document(str(path), None, {(): number}))
        with ledger.trying(place):
            conversation = _conversation(line, number, places, selection)
            if conversation is not None:
                taken.append(conversation)
    if not taken and not ledger.left_out:
        raise SuiteError(f"{path}: none of its {lines:,} lines is in the time and the sample")
    place = SourcePlace(Document(str(path), None, {}))
    ledger.note(place, f"{len(taken):,} of {lines:,} lines, sampled by id at {selection.rate:g}")
    return taken


def _lines(path: Path) -> Iterator[tuple[int, object]]:
    """(number, value) of each line.

    Raises:
        SuiteError: the file can't be read, or a line is not JSON.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    try:
                        yield number, msgspec.json.decode(line)
                    except (ValueError, RecursionError) as error:
                        raise SuiteError(f"{path}:{number}: not valid JSON: {error}") from None
    except OSError as error:
        raise SuiteError(f"{path}: can't be read: {error.strerror}") from None


def _conversation(
    line: object, number: int, places: LogMap, selection: LogSelection
) -> RecordedConversation | None:
    if not isinstance(line, Mapping):
        raise UnmappedError("is not an object")
    stated = _at(line, places.id)
    if stated in (None, "") and selection.rate < 1:
        raise UnmappedError(f"has no `{places.id}`, by which the sample is drawn")
    identifier = str(stated) if stated not in (None, "") else f"line-{number}"
    if not selection.draws(identifier):
        return None
    if selection.since is not None:
        moment = _moment(_at(line, places.time))
        if moment is None:
            raise UnmappedError(f"has no time in `{places.time}`, which --since needs")
        if moment < selection.since:
            return None
    messages = _at(line, places.messages)
    if isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    if not isinstance(messages, list):
        raise UnmappedError(f"has no messages in `{places.messages}`")
    output = _at(line, places.output)
    reply = [] if output is None else [{"role": "assistant", "content": content_text(output)}]
    system, turns = read_turns([*messages, *reply])
    if not turns:
        raise UnmappedError(f"has no message of a user in `{places.messages}`")
    if turns[-1].output is None:
        turns[-1].error = f"the log has no reply in `{places.output}`"
    cluster = _at(line, places.cluster)
    return RecordedConversation(
        identifier, turns, system, cluster="" if cluster is None else str(cluster)
    )


def _at(line: Mapping[str, object], place: str) -> object:
    value: object = line
    for key in place.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _moment(value: object) -> datetime | None:
    """A time from ISO 8601 or from seconds since 1970; None for anything else."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        moment = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
