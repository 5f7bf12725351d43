"""Read access to the run directory; docs/run-directory.md is its contract.

    `manifest.json`   who, what, with what; how many lines each file of records has, and its sha256
    `cases.jsonl`     a line per case, so that a run can be read without its data set
    `answers.jsonl`   a line per (case, repeat); of several lines for one key the last one counts
    `scores.jsonl`    a block of lines per (case, repeat), one line a metric; the last block counts
    `judge_probes.jsonl`  verdicts of judges on attacks and anchors, whose right verdict is known
    `summary.json`    metrics, decision and counts
    `labels/`         the labels that people gave, one file a reviewer (`people_files.py`)

A large file of records of a complete run is compressed, and then named `answers.jsonl.zst`.
`RunDir` checks records while it reads them: each line has a checksum, and the manifest of a run
that ended has one of each file. A run that was killed may end in a torn line, which readers leave
out. Memory stays small: an index of offsets is held, never the texts.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec

from llmeval.core import checksums
from llmeval.core.errors import StoreError
from llmeval.core.files import read_regular
from llmeval.core.judge_probe import JudgeProbe
from llmeval.core.manifest import Manifest, RecordFile
from llmeval.core.manifest_file import check_schema, read_manifest
from llmeval.core.record_index import RecordIndex
from llmeval.core.record_index import UnitKey as UnitKey
from llmeval.core.records import SCHEMA, Answer, Case, Score, to_json
from llmeval.core.results import Summary
from llmeval.store.record_lines import ANSWERS as ANSWERS
from llmeval.store.record_lines import CASES as CASES
from llmeval.store.record_lines import (
    EMPTY_SHA256,
    check_file,
    on_disk,
    open_records,
    verified_lines,
)
from llmeval.store.record_lines import JUDGE_PROBES as JUDGE_PROBES
from llmeval.store.record_lines import RECORDS as RECORDS
from llmeval.store.record_lines import SCORES as SCORES
from llmeval.store.record_lines import lines as lines
from llmeval.store.units import StoredUnit, UnitReader, not_a_record
from llmeval.store.units import Unit as Unit

MANIFEST, SUMMARY, LABELS = "manifest.json", "summary.json", "labels.jsonl"
ATTEMPTS = "attempts.json"
"""A copy of the results of earlier attempts of the same change, which a run is pooled with."""

SHARDS, PARTIAL, GRIDS = "shards", "partial", "grids"
"""Folders in a suite's folder of runs, for runs that are not a whole run of the suite."""

_LINE = 4096
"""Bytes that are read at first for one line."""
_Stamp = tuple[int, int]
"""Size and time of the last change of a file."""


class _Key(msgspec.Struct, frozen=True):
    case_id: str
    repeat: int = 0
    metric: str = ""
    schema: int = SCHEMA


class CaseOutline(msgspec.Struct, frozen=True):
    """What sums over cases need of a case: everything but its texts."""

    id: str
    digest: Annotated[str, msgspec.Meta(pattern=r"^(sha256:)?[0-9a-f]*\Z")] = ""
    tags: dict[str, str] = {}
    cluster: str | None = None
    schema: int = SCHEMA


_KEY = msgspec.json.Decoder(_Key)
_OUTLINE = msgspec.json.Decoder(CaseOutline)
_JUDGE_PROBE = msgspec.json.Decoder(JudgeProbe)
_SUMMARY = msgspec.json.Decoder(Summary)
_ANSWER = msgspec.json.Decoder(Answer)


class RunDir:
    """Read access to one run. Opening it reads nothing; what is missing, damaged or newer is a
    clear error when it is asked for.

    Raises:
        StoreError: not a run directory, written by another version, or a file was changed after it
            was written. The message names the file, and the line where it can.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._intact: dict[str, _Stamp] = {}
        self._indexes: dict[str, tuple[_Stamp, RecordIndex]] = {}

    def exists(self) -> bool:
        """Whether a run was ever started here."""
        return (self.path / MANIFEST).exists()

    def manifest(self) -> Manifest:
        """`manifest.json`, held against its own digest."""
        return read_manifest(self.path / MANIFEST)

    def summary(self) -> Summary:
        """`summary.json`, held against its checksum; written when a run ends, and by each
        resume.
        """
        path = self.path / SUMMARY
        try:
            data = read_regular(path)
        except FileNotFoundError:
            raise StoreError(
                f"{self.path} has no {SUMMARY}: the run never came to an end"
            ) from None
        except OSError as error:
            raise StoreError(f"{path} can't be read: {error}") from None
        decoded: Summary = self._decoded(data, _SUMMARY, SUMMARY)
        check_schema(decoded.schema, path)
        if checksums.problem(data):
            raise StoreError(
                f"{path} was changed after it was written: `llmeval report {self.path}` computes it"
                " again from the records"
            )
        return decoded

    def has_summary(self) -> bool:
        """Whether the run ever came to an end."""
        return (self.path / SUMMARY).exists()

    def verify(self) -> None:
        """Read every file of records to its end, where that was not done yet, and so check all of
        it.

        Raises:
            StoreError: as the class says.
        """
        for name in (CASES, ANSWERS, SCORES):
            self.index(name)
        self.judge_probes()

    def lines(self, name: str) -> Iterator[tuple[int, bytes]]:
        """(offset, line) of each record of a file, the line with its checksum and its newline. The
        file is checked before its first line is given.
        """
        path, stamp = self.path / name, self._stamp(name)
        stated = self._stated(name)
        if stamp != self._intact.get(name) and stated is not None:
            check_file(path, stated)
            self._intact[name] = stamp
        yield from lines(path) if stamp == self._intact.get(name) else verified_lines(path, None)

    def outlines(self) -> Iterator[CaseOutline]:
        """Each line of `cases.jsonl`, without its texts, in the order asked. A case whose line was
        written twice comes twice. Checked when the last one came.
        """
        stamp, index = self._stamp(CASES), RecordIndex()
        for offset, line in self._verified(CASES):
            case: CaseOutline = self._decoded(line, _OUTLINE, CASES, offset)
            self._check_schema(case.schema, CASES)
            index.add((case.id, 0), offset, len(line))
            yield case
        self._indexes[CASES] = stamp, index.finish()

    def answer_offsets(self) -> dict[UnitKey, int]:
        """Where in `answers.jsonl` the answer that counts for each (case, repeat) begins."""
        stamp, index, offsets = self._stamp(ANSWERS), RecordIndex(), dict[UnitKey, int]()
        for key, begin, size in self.places(ANSWERS):
            index.add(key, begin, size)
            offsets[key] = begin
        self._indexes[ANSWERS] = stamp, index.finish()
        return offsets

    def index(self, name: str) -> RecordIndex:
        """Where the records of each key lie. The file is read and checked, unless it is as it was
        when its index was made.
        """
        stamp, cached = self._stamp(name), self._indexes.get(name)
        if cached is not None and cached[0] == stamp:
            return cached[1]
        index = RecordIndex()
        for key, begin, size in self.places(name):
            index.add(key, begin, size)
        self._indexes[name] = stamp, index.finish()
        return index

    def open(self) -> UnitReader:
        """A reader of units and of single records; close it, or use it by `with`. All files are
        checked first.
        """
        return UnitReader(self.path, {name: self.index(name) for name in (CASES, ANSWERS, SCORES)})

    def cases(self) -> Iterator[Case]:
        """Each case once, in the order asked."""
        with self._reader(CASES) as reader:
            yield from reader.cases()

    def answers(self) -> Iterator[Answer]:
        """The answer that counts for each (case, repeat), in the order recorded."""
        with self._reader(ANSWERS) as reader:
            yield from reader.answers()

    def scores(self) -> Iterator[tuple[UnitKey, tuple[Score, ...]]]:
        """The block of scores that counts for each (case, repeat), in the order recorded."""
        with self._reader(SCORES) as reader:
            yield from reader.scores()

    def units(self) -> Iterator[StoredUnit]:
        """Each (case, repeat) with its case, answer and scores, as `UnitReader.units`."""
        with self.open() as reader:
            yield from reader.units()

    def judge_probes(self) -> list[JudgeProbe]:
        """Each line of `judge_probes.jsonl`."""
        probes = []
        for offset, line in self._verified(JUDGE_PROBES):
            judge_probe: JudgeProbe = self._decoded(line, _JUDGE_PROBE, JUDGE_PROBES, offset)
            self._check_schema(judge_probe.schema, JUDGE_PROBES)
            probes.append(judge_probe)
        return probes

    def answer_at(self, offset: int) -> Answer:
        """The answer whose line begins at `offset`."""
        with open_records(self.path / ANSWERS) as file:
            line, size = b"", _LINE
            while not line.endswith(b"\n") and (part := file.read(offset + len(line), size)):
                line, size = line + part[: part.find(b"\n") + 1 or None], 2 * size
        answer: Answer = self._decoded(line, _ANSWER, ANSWERS, offset)
        return answer

    def places(self, name: str) -> Iterator[tuple[UnitKey, int, int]]:
        """(key, offset, size in bytes) of each line, or of each block of scores, in the order
        recorded. The file is read once, and checked when the last one came.

        A block is a run of lines of one key in which no metric stands twice: where the checks'
        scores of an answer are followed directly by the final ones, a metric that comes again
        begins the next block.
        """
        if name == CASES:
            for offset, line in self._verified(CASES):
                case: CaseOutline = self._decoded(line, _OUTLINE, CASES, offset)
                self._check_schema(case.schema, CASES)
                yield (case.id, 0), offset, len(line)
        elif name == SCORES:
            yield from self._blocks()
        else:
            for offset, line in self._verified(name):
                key = self._key(line, name, offset)
                yield (key.case_id, key.repeat), offset, len(line)

    def _blocks(self) -> Iterator[tuple[UnitKey, int, int]]:
        current: UnitKey | None = None
        metrics: set[str] = set()
        begin = end = 0
        for offset, line in self._verified(SCORES):
            block_key = self._key(line, SCORES, offset)
            key = (block_key.case_id, block_key.repeat)
            if key != current or block_key.metric in metrics:
                if current is not None:
                    yield current, begin, end - begin
                current, begin = key, offset
                metrics.clear()
            metrics.add(block_key.metric)
            end = offset + len(line)
        if current is not None:
            yield current, begin, end - begin

    def _reader(self, name: str) -> UnitReader:
        """A reader of one file alone."""
        empty = {each: RecordIndex().finish() for each in (CASES, ANSWERS, SCORES)}
        return UnitReader(self.path, {**empty, name: self.index(name)})

    def _verified(self, name: str) -> Iterator[tuple[int, bytes]]:
        """The lines of a file, read once and checked on the way; unchecked where it is as it was
        when it was checked.
        """
        stamp = self._stamp(name)
        if stamp == self._intact.get(name):
            yield from lines(self.path / name)
            return
        yield from verified_lines(self.path / name, self._stated(name))
        self._intact[name] = stamp

    def _stated(self, name: str) -> RecordFile | None:
        """What the manifest says about a file; None while the run has not ended."""
        stated = self.manifest().records if self.exists() else None
        return None if stated is None else stated.get(name, RecordFile(0, EMPTY_SHA256))

    def _stamp(self, name: str) -> _Stamp:
        """Another one when the file has changed: its size and the time of its last change."""
        path = on_disk(self.path / name)
        if not path.exists():
            return (0, 0)
        stat = path.stat()
        return stat.st_size, stat.st_mtime_ns

    def _key(self, line: bytes, name: str, offset: int) -> _Key:
        key: _Key = self._decoded(line, _KEY, name, offset)
        self._check_schema(key.schema, name)
        return key

    def _check_schema(self, schema: int, name: str) -> None:
        if schema != SCHEMA:
            check_schema(schema, self.path / name)

    def _decoded(
        self, line: bytes, decoder: "msgspec.json.Decoder[Any]", name: str, offset: int = 0
    ) -> Any:
        """A line as a record. Where it is none, the error names a changed file first."""
        try:
            return decoder.decode(line)
        except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
            if name in RECORDS:
                check_file(self.path / name, self._stated(name))
            raise not_a_record(self.path / name, offset, error) from None


def summary_bytes(summary: Summary) -> bytes:
    """The content of `summary.json`."""
    return checksums.sealed(to_json(summary))


def suite_folder(path: Path) -> Path:
    """The folder of the whole runs of the suite that a run belongs to: that of its own directory,
    or the one around the folder of partial runs or of a grid.
    """
    folder = path.resolve().parent
    if folder.name in (SHARDS, PARTIAL):
        return folder.parent
    return folder.parent.parent if folder.parent.name == GRIDS else folder


def complete_runs(
    folder: Path, unreadable: Callable[[Path], None] = lambda path: None
) -> Iterator[tuple[RunDir, Summary]]:
    """The complete runs right below a directory such as reports/<suite>, the newest first. A part
    of a suite is left out. So is a run that can't be read; `unreadable` gets its path.
    """
    for path in sorted(folder.glob("*/"), key=lambda path: path.name, reverse=True):
        run = RunDir(path)
        try:
            part = run.manifest().is_part
            summary = run.summary() if run.has_summary() and not part else None
        except StoreError:
            if run.exists():
                unreadable(path)
            continue
        if summary is not None and summary.status == "complete":
            yield run, summary
