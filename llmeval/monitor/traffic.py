"""Production traffic as a sample for each day: read once, sampled by trace id, redacted, written.

An answer is drawn if the sha256 of its trace id, as a fraction, is below the rate. So the same
answers are drawn on each machine, all lines of a trace are drawn together, and nobody can choose.
Memory grows with the sample, not with the traffic.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

import msgspec
from msgspec import structs

from llmeval.core.errors import CheckError, UsageError
from llmeval.core.otel_spans import NotSpans, OtelSpan, read_spans
from llmeval.monitor.redacting import redacted
from llmeval.monitor.traffic_row import (
    TrafficRow,
    Unusable,
    field_of,
    identity_of,
    read_time,
    row_of_line,
    row_of_spans,
)

_SUFFIXES = (".jsonl", ".ndjson", ".json")
_BUFFER = 200
"""Rows of a day that are kept in memory before they are written."""
_LONGEST_LINE = 16 * 2**20


@dataclass(frozen=True, slots=True)
class SamplingTerms:
    """Which answers are drawn. `rate`: probability of each, in (0, 1]. `mapped`: field by dotted
    path. `tags`: attributes of spans that become tags. `after` and `now`: only answers of days
    after the one and before the other's are drawn (UTC). `redact`: whether to replace personal
    data. `today`: also draw answers of the day that is not over.
    """

    rate: float
    now: datetime
    after: str = ""
    mapped: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    redact: bool = True
    today: bool = False


@dataclass(slots=True)
class DayTraffic:
    """The traffic of one day. `lines`: answers in it. `sampled`: those that were drawn."""

    lines: int = 0
    sampled: int = 0


@dataclass(slots=True)
class TrafficSample:
    """What was read. `days`: by day. `earlier`: answers of days that were not to be drawn.
    `set_aside`: lines that were not used, by reason.
    """

    days: dict[str, DayTraffic] = field(default_factory=dict)
    earlier: Counter[str] = field(default_factory=Counter)
    set_aside: Counter[str] = field(default_factory=Counter)


def is_drawn(identifier: str, rate: float) -> bool:
    """Whether a trace id belongs to the sample of a rate in (0, 1]."""
    return int.from_bytes(_short_digest(identifier), "big") < rate * 2**64


def _short_digest(identifier: str) -> bytes:
    return hashlib.sha256(identifier.encode(errors="replace")).digest()[:8]


def _start(*spans: OtelSpan) -> int | None:
    """Nanoseconds since 1970 at which the first of these began; None if none has a time."""
    return min((span.start_ns for span in spans if span.start_ns), default=None)


def _not_drawn(day: str) -> TrafficRow:
    raise AssertionError(f"a row of {day} that is not drawn is not built")


def traffic_files(source: Path) -> list[Path]:
    """The files of a source, by name.

    Raises:
        UsageError: there is no such file, or no file of traffic in the folder.
    """
    if source.is_dir():
        files = sorted(each for each in source.rglob("*") if each.suffix in _SUFFIXES)
        if not files:
            raise UsageError(f"{source}: the folder has no .jsonl, .ndjson or .json file")
        return files
    if not source.is_file():
        raise UsageError(f"{source}: there is no such file or folder (`monitor.source`)")
    return [source]


def sample_traffic(source: Path, terms: SamplingTerms, folder: Path) -> TrafficSample:
    """Read a source and write the drawn answers of each day to `folder`/<day>.jsonl.

    Raises:
        UsageError: a file can't be read.
    """
    reader = _Reader(terms, folder)
    for file in traffic_files(source):
        try:
            reader.read(file)
        except OSError as error:
            raise UsageError(f"{file}: can't be read: {error.strerror or error}") from None
    reader.finish()
    return reader.sample


def sampled_rows(path: Path) -> Iterator[TrafficRow]:
    """The rows of a file that `sample_traffic` wrote."""
    decoder = msgspec.json.Decoder(TrafficRow)
    with path.open("rb") as file:
        for line in file:
            yield decoder.decode(line)


class _Reader:
    """Reads files one after the other, and keeps the rows of a sample."""

    def __init__(self, terms: SamplingTerms, folder: Path) -> None:
        self.sample = TrafficSample()
        self._terms, self._folder = terms, folder
        self._today = terms.now.date().isoformat()
        self._taken: set[bytes] = set()
        self._buffers: dict[str, list[bytes]] = {}
        self._traces: dict[str, list[OtelSpan]] = {}

    def read(self, file: Path) -> None:
        """Take the answers of a file."""
        if file.suffix == ".json":
            try:
                self._take(msgspec.json.decode(file.read_bytes()))
            except (msgspec.DecodeError, RecursionError):
                self.sample.set_aside["not JSON"] += 1
            return
        with file.open("rb") as lines:
            for line in lines:
                if not line.strip():
                    continue
                if len(line) > _LONGEST_LINE:
                    self.sample.set_aside["longer than 16 MiB"] += 1
                    continue
                try:
                    value = msgspec.json.decode(line)
                except (msgspec.DecodeError, RecursionError):
                    self.sample.set_aside["not JSON"] += 1
                    continue
                self._take(value)

    def finish(self) -> None:
        """Take the traces, whose spans may stand in several lines, and write the rest."""
        tags = self._terms.tags
        for identifier, spans in self._traces.items():
            build = partial(row_of_spans, spans, identifier, tags=tags)
            self._guarded(partial(_start, *spans), identifier, build)
        for day in self.sample.days:
            self._flush(day)

    def _take(self, value: object) -> None:
        if isinstance(value, list):
            for item in value:
                self._take(item)
        elif not isinstance(value, dict):
            self.sample.set_aside["not an object"] += 1
        elif "resourceSpans" in value or "resource_spans" in value:
            self._take_spans(value)
        else:
            self._take_line(value)

    def _take_spans(self, value: object) -> None:
        try:
            spans = read_spans(value)
        except NotSpans:
            self.sample.set_aside["no spans"] += 1
            return
        for span in spans:
            if not span.trace_id:
                self.sample.set_aside["no trace id"] += 1
            elif is_drawn(span.trace_id, self._terms.rate):
                self._traces.setdefault(span.trace_id, []).append(span)
            elif not span.parent_id:  # its spans are not kept; the outermost one counts the answer
                self._guarded(partial(_start, span), span.trace_id, _not_drawn)

    def _take_line(self, line: dict[str, object]) -> None:
        mapped = self._terms.mapped
        try:
            identifier = identity_of(line, mapped)
        except Unusable as error:
            self.sample.set_aside[str(error)] += 1
            return
        self._guarded(
            lambda: field_of(line, "time", mapped),
            identifier,
            lambda day: row_of_line(line, identifier, day, mapped),
        )

    def _guarded(
        self, time: Callable[[], object], identifier: str, build: Callable[[str], TrafficRow]
    ) -> None:
        try:
            self._one(read_time(time()), identifier, build)
        except Unusable as error:
            self.sample.set_aside[str(error)] += 1
        except CheckError:
            self.sample.set_aside["too long to look for personal data"] += 1

    def _one(self, time: datetime, identifier: str, build: Callable[[str], TrafficRow]) -> None:
        """Count one answer, and keep its row if it is drawn."""
        if time > self._terms.now:
            raise Unusable("a time in the future")
        day = time.date().isoformat()
        if day <= self._terms.after:
            self.sample.earlier[day] += 1
            return
        if day >= self._today and not self._terms.today:
            self.sample.set_aside["of today, which is not over"] += 1
            return
        short = _short_digest(identifier)
        drawn = is_drawn(identifier, self._terms.rate)
        if drawn and short in self._taken:
            raise Unusable("a trace id that occurred before")
        row = build(day) if drawn else None
        traffic = self.sample.days.setdefault(day, DayTraffic())
        traffic.lines += 1
        if row is None:
            return
        self._taken.add(short)
        if self._terms.today:
            row = structs.replace(row, at=time.isoformat())
        row = redacted(row) if self._terms.redact else row
        traffic.sampled += 1
        buffer = self._buffers.setdefault(day, [])
        buffer.append(msgspec.json.encode(row) + b"\n")
        if len(buffer) >= _BUFFER:
            self._flush(day)

    def _flush(self, day: str) -> None:
        rows = self._buffers.pop(day, [])
        if rows:
            with (self._folder / f"{day}.jsonl").open("ab") as file:
                file.writelines(rows)
