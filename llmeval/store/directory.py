"""The run directory, read: a contract that others rely on (docs/run-directory.md).

    manifest.json   who, what, with what; how many lines each file of records has, and its sha256
    cases.jsonl     a line per case asked, so that a run can be read without its data set
    answers.jsonl   a line per (case, repeat); of several lines for one key the last one counts
    scores.jsonl    a block of lines per (case, repeat), one line a metric; the last block counts
    canaries.jsonl  what the judges said about answers that are known: attacks, and anchors of a
    certificate summary.json    what it came to labels.jsonl    what people said about it

Whatever reads records through `RunDir` checks them on the way: each line against its checksum, and
each file against the manifest, once the run has ended. A run that was killed may end in a torn
line, which readers leave out. Memory stays small: an index of offsets is held, never the texts.
"""

import hashlib
import os
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import msgspec

from llmeval.core import checksums
from llmeval.core.canary import Canary
from llmeval.core.errors import StoreError
from llmeval.core.manifest import Manifest, RecordFile
from llmeval.core.manifest_file import check_schema, read_manifest
from llmeval.core.records import SCHEMA, Answer, Case, Score, to_json
from llmeval.core.results import Summary

MANIFEST, CASES, ANSWERS, SCORES, SUMMARY, LABELS, CANARIES = (
    "manifest.json",
    "cases.jsonl",
    "answers.jsonl",
    "scores.jsonl",
    "summary.json",
    "labels.jsonl",
    "canaries.jsonl",
)
ATTEMPTS = "attempts.json"
"""A copy of the results of earlier attempts of the same change, which a run is pooled with."""
RECORDS = (CASES, ANSWERS, SCORES, CANARIES)
"""The files that only llmeval writes, with a checksum in each line and a digest of each file in the
manifest.
"""

UnitKey = tuple[str, int]
"""(case_id, repeat)"""


class _Key(msgspec.Struct, frozen=True):
    case_id: str
    repeat: int = 0
    metric: str = ""
    schema: int = SCHEMA


class _CaseKey(msgspec.Struct, frozen=True):
    id: str
    digest: Annotated[str, msgspec.Meta(pattern=r"^(sha256:)?[0-9a-f]*\Z")] = ""
    schema: int = SCHEMA


_MASK = (1 << 64) - 1
_KEY = msgspec.json.Decoder(_Key)
_CASE_KEY = msgspec.json.Decoder(_CaseKey)
_CASE = msgspec.json.Decoder(Case)
_ANSWER = msgspec.json.Decoder(Answer)
_SCORE = msgspec.json.Decoder(Score)
_CANARY = msgspec.json.Decoder(Canary)
_SUMMARY = msgspec.json.Decoder(Summary)
_FIX = "Take the file from a copy of the run, or run the suite again"
_EMPTY = hashlib.sha256().hexdigest()


@dataclass(frozen=True, slots=True)
class Unit:
    """Everything recorded about one (case, repeat). `scores` is empty when scoring did not
    happen.
    """

    case: Case
    answer: Answer
    scores: tuple[Score, ...]


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


class Offsets:
    """Where the records of a key may lie: (begin, size) in bytes, last first.

    Only a hash of the key is held, 20 bytes a key in all: the reader compares the key.
    """

    def __init__(self, places: Iterator[tuple[UnitKey, int, int]]) -> None:
        hashes, begins, sizes = array("Q"), array("Q"), array("I")
        for key, begin, size in places:
            hashes.append(hash(key) & _MASK)
            begins.append(begin)
            sizes.append(size)
        order = sorted(range(len(hashes)), key=hashes.__getitem__)
        self._hashes, self._begins, self._sizes = (
            array(each.typecode, (each[index] for index in order))
            for each in (hashes, begins, sizes)
        )

    def of(self, key: UnitKey) -> list[tuple[int, int]]:
        """Candidates, the last recorded first."""
        wanted, hashes = hash(key) & _MASK, self._hashes
        at = bisect_left(hashes, wanted)
        found: list[tuple[int, int]] = []
        while at < len(hashes) and hashes[at] == wanted:
            found.insert(0, (self._begins[at], self._sizes[at]))
            at += 1
        return found

    def __len__(self) -> int:
        """How many keys there are (two keys with one hash would count once; with 64 bits that does
        not happen).
        """
        return sum(1 for _ in groupby(self._hashes))


class RunDir:
    """Read access to one run. Opening it reads nothing; what is missing, damaged or newer is a
    clear error when it is asked for.

    Raises:
        StoreError: not a run directory, written by another version, or a file was changed after it
            was written. The message names the file, and the line where it can.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._intact: dict[str, tuple[int, int]] = {}

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
            data = path.read_bytes()
        except FileNotFoundError:
            raise StoreError(
                f"{self.path} has no {SUMMARY}: the run never came to an end"
            ) from None
        found: Summary = self._decoded(data, _SUMMARY, SUMMARY)
        check_schema(found.schema, path)
        if checksums.problem(data):
            raise StoreError(
                f"{path} was changed after it was written: `llmeval report {self.path}` computes it"
                " anew from the records"
            )
        return found

    def has_summary(self) -> bool:
        """Whether the run ever came to an end."""
        return (self.path / SUMMARY).exists()

    def verify(self) -> None:
        """Read every file of records to its end, where that was not done yet, and so check all of
        it.

        Raises:
            StoreError: as the class says.
        """
        for name in RECORDS:
            if self._stamp(name) != self._intact.get(name):
                for _ in self.lines(name):
                    pass

    def lines(self, name: str) -> Iterator[tuple[int, bytes]]:
        """(offset, line) of each record of a file, the line with its checksum and its newline,
        checked before it is given.

        Of a run that ended, the file as a whole is held against the manifest first, which costs
        less than its lines one by one; they are looked at where it does not fit, to name the one
        that was changed.
        """
        path, stamp = self.path / name, self._stamp(name)
        if stamp == self._intact.get(name):
            yield from lines(path)
            return
        stated = self._stated(name)
        if stated is not None and _sha256(path) == stated.sha256:
            yield from lines(path)
        else:
            yield from _checked_lines(path, stated)
        self._intact[name] = stamp

    def _stated(self, name: str) -> RecordFile | None:
        """What the manifest says about a file; None while the run has not ended."""
        stated = self.manifest().records if self.exists() else None
        return None if stated is None else stated.get(name, RecordFile(0, _EMPTY))

    def _stamp(self, name: str) -> tuple[int, int]:
        """Another one when the file has changed: its size and the time of its last change."""
        path = self.path / name
        if not path.exists():
            return (0, 0)
        found = path.stat()
        return found.st_size, found.st_mtime_ns

    def cases(self) -> Iterator[Case]:
        """Each case once, in the order asked."""
        offsets = {key[0]: begin for key, begin, _ in self.places(CASES)}
        with self._open(CASES) as file:
            for offset in offsets.values():
                yield self._decode(file, offset, _CASE, CASES)

    def answers(self) -> Iterator[Answer]:
        """The answer that counts for each (case, repeat), in the order recorded."""
        offsets = self.answer_index()
        with self._open(ANSWERS) as file:
            for offset in offsets.values():
                yield self._decode(file, offset, _ANSWER, ANSWERS)

    def scores(self) -> Iterator[tuple[UnitKey, tuple[Score, ...]]]:
        """The block of scores that counts for each (case, repeat)."""
        places = {key: (begin, size) for key, begin, size in self.places(SCORES)}
        with self._open(SCORES) as file:
            for key, place in places.items():
                yield key, self._block(file, *place)

    def units(self) -> Iterator[Unit]:
        """Each (case, repeat) with its case, answer and scores, in the order answered."""
        cases, answers, blocks = (Offsets(self.places(name)) for name in (CASES, ANSWERS, SCORES))
        with self._open(CASES) as case_file, self._open(SCORES) as score_file:
            for offset, line in lines(self.path / ANSWERS):
                answer = self._decoded(line, _ANSWER, ANSWERS, offset)
                key = (answer.case_id, answer.repeat)
                if answers.of(key)[0][0] == offset:
                    found = (self._block(score_file, *place, key) for place in blocks.of(key))
                    yield Unit(
                        self._case(case_file, cases, key[0]), answer, next(filter(None, found), ())
                    )

    def canaries(self) -> Iterator[Canary]:
        """Each line of `canaries.jsonl`."""
        for offset, line in self.lines(CANARIES):
            canary: Canary = self._decoded(line, _CANARY, CANARIES, offset)
            self._known(canary.schema, CANARIES)
            yield canary

    def answer_index(self) -> dict[UnitKey, int]:
        """Offset in `answers.jsonl` of the answer that counts, by (case, repeat)."""
        return {key: begin for key, begin, _ in self.places(ANSWERS)}

    def answer_at(self, offset: int) -> Answer:
        """The answer whose line begins at `offset`."""
        with self._open(ANSWERS) as file:
            answer: Answer = self._decode(file, offset, _ANSWER, ANSWERS)
        return answer

    def places(self, name: str) -> Iterator[tuple[UnitKey, int, int]]:
        """(key, offset, size in bytes) of each line, or of each block of scores, in the order
        recorded.

        A block is a run of lines of one key in which no metric stands twice: where the checks'
        scores of an answer are followed directly by the final ones, a metric that comes again
        begins the next block.
        """
        if name == CASES:
            for offset, line in self.lines(CASES):
                case = self._decoded(line, _CASE_KEY, CASES, offset)
                self._known(case.schema, CASES)
                yield (case.id, 0), offset, len(line)
        elif name == SCORES:
            yield from self._blocks()
        else:
            for offset, line in self.lines(name):
                key = self._key(line, name, offset)
                yield (key.case_id, key.repeat), offset, len(line)

    def _blocks(self) -> Iterator[tuple[UnitKey, int, int]]:
        current: UnitKey | None = None
        metrics: set[str] = set()
        begin = end = 0
        for offset, line in self.lines(SCORES):
            found = self._key(line, SCORES, offset)
            key = (found.case_id, found.repeat)
            if key != current or found.metric in metrics:
                if current is not None:
                    yield current, begin, end - begin
                current, begin = key, offset
                metrics.clear()
            metrics.add(found.metric)
            end = offset + len(line)
        if current is not None:
            yield current, begin, end - begin

    def _case(self, file: BinaryIO, places: Offsets, case_id: str) -> Case:
        for begin, _ in places.of((case_id, 0)):
            case: Case = self._decode(file, begin, _CASE, CASES)
            if case.id == case_id:
                return case
        raise StoreError(
            f"{self.path / CASES}: the case {case_id!r} is not here, though {ANSWERS} has an answer"
            f" to it. {_FIX}"
        )

    def _key(self, line: bytes, name: str, offset: int) -> _Key:
        key: _Key = self._decoded(line, _KEY, name, offset)
        self._known(key.schema, name)
        return key

    def _known(self, schema: int, name: str) -> None:
        if schema != SCHEMA:
            check_schema(schema, self.path / name)

    def _block(
        self, file: BinaryIO, offset: int, size: int, key: UnitKey | None = None
    ) -> tuple[Score, ...]:
        """The scores of a block; none where it is another key's."""
        file.seek(offset)
        block = tuple(
            self._decoded(line, _SCORE, SCORES, offset)
            for line in file.read(size).split(b"\n")[:-1]
        )
        return block if key is None or (block[0].case_id, block[0].repeat) == key else ()

    def _open(self, name: str) -> BinaryIO:
        path = self.path / name
        return path.open("rb") if path.exists() else open(os.devnull, "rb")

    def _decode(
        self, file: BinaryIO, offset: int, decoder: "msgspec.json.Decoder[Any]", name: str
    ) -> Any:
        file.seek(offset)
        return self._decoded(file.readline(), decoder, name, offset)

    def _decoded(
        self, line: bytes, decoder: "msgspec.json.Decoder[Any]", name: str, offset: int = 0
    ) -> Any:
        try:
            return decoder.decode(line)
        except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
            raise StoreError(
                f"{self.path / name}, byte {offset}: not a record of llmeval ({error})"
            ) from None


def _sha256(path: Path) -> str:
    if not path.exists():
        return _EMPTY
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _checked_lines(path: Path, stated: RecordFile | None) -> Iterator[tuple[int, bytes]]:
    """The lines of a file, each held against its checksum.

    Args:
        stated: what the manifest says about the file, where that is not so; None while the run has
            not ended.

    Raises:
        StoreError: names the first line that was changed, or else what differs.
    """
    number = end = 0
    for number, (offset, line) in enumerate(lines(path), start=1):
        if problem := checksums.problem(line):
            raise StoreError(f"{path}:{number}: {problem}. {_FIX}")
        yield offset, line
        end = offset + len(line)
    if stated is None:
        return
    if path.exists() and path.stat().st_size > end:
        raise StoreError(
            f"{path}:{number + 1}: the last line is torn, though the run had ended. {_FIX}"
        )
    if number != stated.lines:
        raise StoreError(f"{path} has {number:,} lines, the manifest says {stated.lines:,}. {_FIX}")
    raise StoreError(
        f"{path} was changed after the run ended: its sha256 is not the one in the manifest. {_FIX}"
    )


def summary_bytes(summary: Summary) -> bytes:
    """The content of `summary.json`."""
    return checksums.sealed(to_json(summary))


def complete_runs(folder: Path) -> Iterator[tuple[RunDir, Summary]]:
    """The complete runs right below a directory such as reports/<suite>, the newest first. One that
    can't be read says nothing about the next run, and is left out."""
    for path in sorted(folder.glob("*/"), key=lambda path: path.name, reverse=True):
        run = RunDir(path)
        try:
            run.manifest()
            summary = run.summary() if run.has_summary() else None
        except StoreError:
            continue
        if summary is not None and summary.status == "complete":
            yield run, summary
