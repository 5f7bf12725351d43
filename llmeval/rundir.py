"""The run directory, read: a contract that others rely on (docs/run-directory.md).

    manifest.json   who, what, with what
    cases.jsonl     a line per case asked, so that a run can be read without its data set
    answers.jsonl   a line per (case, repeat); of several lines for one key the last one counts
    scores.jsonl    a block of lines per (case, repeat), one line a metric; the last block counts
    summary.json    what it came to
    labels.jsonl    what people said about it
    canaries.jsonl  what the judges said about answers that are known: attacks, and anchors of a certificate

The `.jsonl` files are append-only and may end in a torn line after a crash: readers leave that line out.
Memory stays small: an index of offsets is held, never the texts.
"""

import os
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from llmeval.errors import StoreError
from llmeval.records import SCHEMA, Answer, Case, Score, Summary

MANIFEST, CASES, ANSWERS, SCORES, SUMMARY, LABELS, CANARIES = (
    "manifest.json", "cases.jsonl", "answers.jsonl", "scores.jsonl", "summary.json", "labels.jsonl", "canaries.jsonl",
)  # fmt: skip

UnitKey = tuple[str, int]
"""(case_id, repeat)"""


class _Key(msgspec.Struct, frozen=True):
    case_id: str
    repeat: int = 0
    metric: str = ""
    schema: int = SCHEMA


class _CaseKey(msgspec.Struct, frozen=True):
    id: str


_MASK = (1 << 64) - 1
_KEY = msgspec.json.Decoder(_Key)
_CASE_KEY = msgspec.json.Decoder(_CaseKey)
_CASE = msgspec.json.Decoder(Case)
_ANSWER = msgspec.json.Decoder(Answer)
_SCORE = msgspec.json.Decoder(Score)
_LINE = msgspec.json.Decoder(dict[str, Any])


@dataclass(frozen=True, slots=True)
class Unit:
    """Everything recorded about one (case, repeat). `scores` is empty when scoring did not happen."""

    case: Case
    answer: Answer
    scores: tuple[Score, ...]


def lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """(offset, line) for each complete line; nothing for a missing file, and not the torn last line."""
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
            array(each.typecode, (each[index] for index in order)) for each in (hashes, begins, sizes)
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
        """How many keys there are (two keys with one hash would count once; with 64 bits that does not happen)."""
        return sum(1 for _ in groupby(self._hashes))


class RunDir:
    """Read access to one run. Opening it reads nothing; a missing or newer file is a clear error when it is asked for.

    Raises:
        StoreError: not a run directory, or written by a newer llmeval.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def exists(self) -> bool:
        """Whether a run was ever started here."""
        return (self.path / MANIFEST).exists()

    def manifest(self) -> dict[str, Any]:
        """`manifest.json` as it is."""
        loaded: dict[str, Any] = self._json(MANIFEST, dict[str, Any])
        self._known(loaded.get("schema", SCHEMA), MANIFEST)
        return loaded

    def summary(self) -> Summary:
        """`summary.json`; written when a run ends, and by each resume."""
        found: Summary = self._json(SUMMARY, Summary)
        return found

    def has_summary(self) -> bool:
        """Whether the run ever came to an end."""
        return (self.path / SUMMARY).exists()

    def cases(self) -> Iterator[Case]:
        """Each case once, in the order asked."""
        offsets = self._index(CASES, by_case=True)
        with self._open(CASES) as file:
            for offset in offsets.values():
                yield self._decode(file, offset, _CASE, CASES)

    def answers(self) -> Iterator[Answer]:
        """The answer that counts for each (case, repeat), in the order recorded."""
        offsets = self._index(ANSWERS)
        with self._open(ANSWERS) as file:
            for offset in offsets.values():
                yield self._decode(file, offset, _ANSWER, ANSWERS)

    def scores(self) -> Iterator[tuple[UnitKey, tuple[Score, ...]]]:
        """The block of scores that counts for each (case, repeat)."""
        offsets = self.score_index()
        with self._open(SCORES) as file:
            for key, offset in offsets.items():
                yield key, self._block(file, offset, key)

    def units(self) -> Iterator[Unit]:
        """Each (case, repeat) with its case, answer and scores, in the order answered."""
        cases, answers = Offsets(self._places(CASES)), Offsets(self._places(ANSWERS))
        blocks = Offsets((key, begin, 0) for key, begin in self._blocks())
        with self._open(CASES) as case_file, self._open(SCORES) as score_file:
            for offset, line in lines(self.path / ANSWERS):
                answer = self._decoded(line, _ANSWER, ANSWERS, offset)
                key = (answer.case_id, answer.repeat)
                if answers.of(key)[0][0] == offset:
                    found = (self._block(score_file, begin, key) for begin, _ in blocks.of(key))
                    yield Unit(self._case(case_file, cases, key[0]), answer, next(filter(None, found), ()))

    def canaries(self) -> Iterator[dict[str, Any]]:
        """Each line of `canaries.jsonl`: `kind` (attack or anchor), `metric`, `judge`, `case_id`, `passed`..."""
        for offset, line in lines(self.path / CANARIES):
            yield self._decoded(line, _LINE, CANARIES, offset)

    def answer_index(self) -> dict[UnitKey, int]:
        """Offset in `answers.jsonl` of the answer that counts, by (case, repeat)."""
        return self._index(ANSWERS)

    def score_index(self) -> dict[UnitKey, int]:
        """Offset in `scores.jsonl` where the block that counts begins, by (case, repeat)."""
        return dict(self._blocks())

    def answer_at(self, offset: int) -> Answer:
        """The answer whose line begins at `offset`."""
        with self._open(ANSWERS) as file:
            answer: Answer = self._decode(file, offset, _ANSWER, ANSWERS)
        return answer

    def _blocks(self) -> Iterator[tuple[UnitKey, int]]:
        """(key, offset) of each block of scores, in the order recorded."""
        previous: UnitKey | None = None
        metrics: set[str] = set()
        for offset, line in lines(self.path / SCORES):
            key, metric = self._key(line, SCORES), _KEY.decode(line).metric
            if key != previous or metric in metrics:  # scored again right after: another block
                yield key, offset
                metrics.clear()
            metrics.add(metric)
            previous = key

    def _places(self, name: str) -> Iterator[tuple[UnitKey, int, int]]:
        for offset, line in lines(self.path / name):
            key = (_CASE_KEY.decode(line).id, 0) if name == CASES else self._key(line, name)
            yield key, offset, len(line)

    def _case(self, file: BinaryIO, places: Offsets, case_id: str) -> Case:
        for begin, _ in places.of((case_id, 0)):
            case: Case = self._decode(file, begin, _CASE, CASES)
            if case.id == case_id:
                return case
        return Case(case_id, {})

    def _index(self, name: str, *, by_case: bool = False) -> dict[UnitKey, int]:
        offsets: dict[UnitKey, int] = {}
        for offset, line in lines(self.path / name):
            key = (_CASE_KEY.decode(line).id, 0) if by_case else self._key(line, name)
            offsets[key] = offset
        return offsets

    def _key(self, line: bytes, name: str) -> UnitKey:
        try:
            key = _KEY.decode(line)
        except msgspec.DecodeError as error:
            raise StoreError(f"{self.path / name}: a line is not a record of llmeval ({error})") from error
        self._known(key.schema, name)
        return (key.case_id, key.repeat)

    def _known(self, schema: int, name: str) -> None:
        if schema > SCHEMA:
            raise StoreError(
                f"{self.path / name} has schema {schema}, this llmeval reads up to {SCHEMA}: upgrade llmeval"
            )

    def _block(self, file: BinaryIO, offset: int, key: UnitKey) -> tuple[Score, ...]:
        block: dict[str, Score] = {}
        file.seek(offset)
        for line in file:
            if not line.endswith(b"\n") or self._key(line, SCORES) != key:
                break
            score = _SCORE.decode(line)
            if score.metric in block:
                break
            block[score.metric] = score
        return tuple(block.values())

    def _open(self, name: str) -> BinaryIO:
        path = self.path / name
        return path.open("rb") if path.exists() else open(os.devnull, "rb")

    def _decode(self, file: BinaryIO, offset: int, decoder: "msgspec.json.Decoder[Any]", name: str) -> Any:
        file.seek(offset)
        return self._decoded(file.readline(), decoder, name, offset)

    def _decoded(self, line: bytes, decoder: "msgspec.json.Decoder[Any]", name: str, offset: int) -> Any:
        try:
            return decoder.decode(line)
        except msgspec.DecodeError as error:
            raise StoreError(f"{self.path / name}, byte {offset}: not a record of llmeval ({error})") from error

    def _json(self, name: str, kind: Any) -> Any:
        path = self.path / name
        try:
            return msgspec.json.decode(path.read_bytes(), type=kind)
        except FileNotFoundError:
            raise StoreError(f"{self.path} has no {name}: not a run directory, or the run never got that far") from None
        except msgspec.DecodeError as error:
            raise StoreError(f"{path} can't be read: {error}") from error


def complete_runs(folder: Path) -> Iterator[tuple[RunDir, Summary]]:
    """The complete runs right below a directory such as reports/<suite>, the newest first. One that can't be read says
    nothing about the next run, and is left out."""
    for path in sorted(folder.glob("*/"), key=lambda path: path.name, reverse=True):
        run = RunDir(path)
        try:
            summary = run.summary() if run.exists() and run.has_summary() else None
        except StoreError:
            continue
        if summary is not None and summary.status == "complete":
            yield run, summary
