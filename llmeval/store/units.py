"""Answers with their cases and scores, read one by one: texts are held only while they are used."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import msgspec

from llmeval.core.errors import StoreError
from llmeval.core.record_index import RecordIndex, UnitKey
from llmeval.core.records import Answer, Case, Score
from llmeval.store.compressed import CompressedFile
from llmeval.store.record_lines import ANSWERS, CASES, FIX, SCORES, PlainFile, open_records

_CASE = msgspec.json.Decoder(Case)
_ANSWER = msgspec.json.Decoder(Answer)
_SCORE = msgspec.json.Decoder(Score)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Unit:
    """Everything recorded about one (case, repeat). `scores` is empty when scoring did not
    happen.
    """

    case: Case
    answer: Answer
    scores: tuple[Score, ...]


@dataclass(frozen=True, slots=True)
class StoredUnit(Unit):
    """A unit with the lines that it was read from: they hold what a newer llmeval records too."""

    case_line: bytes
    answer_line: bytes
    score_lines: tuple[bytes, ...]


class UnitReader:
    """The files of one run, open; each record is read by its place. A context manager.

    Args:
        path: the run's directory.
        indexes: of `CASES`, `ANSWERS` and `SCORES`.

    Raises:
        StoreError: a line is not a record of llmeval (names the file and the byte), or an answer's
            case is not there.
    """

    def __init__(self, path: Path, indexes: Mapping[str, RecordIndex]) -> None:
        self._path, self._indexes = path, indexes
        self._answers, self._scores = indexes[ANSWERS], indexes[SCORES]
        self._files: dict[str, PlainFile | CompressedFile] = {}
        self._stack = ExitStack()

    def __enter__(self) -> "UnitReader":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()
        self._files.clear()

    def __len__(self) -> int:
        """How many answers count."""
        return len(self._answers)

    def units(self) -> Iterator[StoredUnit]:
        """Each (case, repeat) with its case, answer and scores: cases in the order of their first
        answer, the repeats of a case one after the other.
        """
        answers = self._answers
        if not answers.repeated:
            for number in answers.numbers():
                answer, line = self._answer(number)
                yield self._unit(answer, line, self._case(answer.case_id))
            return
        taken = bytearray(answers.records)
        for number in answers.numbers():
            if not taken[number]:
                yield from self._units_of_case(number, taken)

    def unit(self, key: UnitKey) -> StoredUnit | None:
        """The unit of a key; None where it has no answer."""
        for number in self._answers.numbers_of(key):
            answer, line = self._answer(number)
            if (answer.case_id, answer.repeat) == key:
                return self._unit(answer, line, self._case(answer.case_id))
        return None

    def cases(self) -> Iterator[Case]:
        """Each case once, in the order recorded."""
        for number in self._indexes[CASES].numbers():
            yield self._decoded(_CASE, CASES, number)[0]

    def answers(self) -> Iterator[Answer]:
        """The answer that counts for each (case, repeat), in the order recorded."""
        return (self._answer(number)[0] for number in self._answers.numbers())

    def scores(self) -> Iterator[tuple[UnitKey, tuple[Score, ...]]]:
        """The block of scores that counts for each (case, repeat), in the order recorded."""
        for number in self._scores.numbers():
            block, _ = self._block(number)
            yield (block[0].case_id, block[0].repeat), block

    def _units_of_case(self, number: int, taken: bytearray) -> list[StoredUnit]:
        """An answer, with the repeats of its case next to its own that are not taken yet."""
        taken[number] = 1
        answer, line = self._answer(number)
        repeats = [(answer, line)]
        for step in (-1, 1):
            repeat = answer.repeat + step
            while near := self._answers.numbers_of((answer.case_id, repeat)):
                if not taken[near[0]]:
                    taken[near[0]] = 1
                    repeats.append(self._answer(near[0]))
                repeat += step
        repeats.sort(key=lambda each: each[0].repeat)
        case = self._case(answer.case_id)
        return [self._unit(each, its_line, case) for each, its_line in repeats]

    def _unit(self, answer: Answer, line: bytes, case: tuple[Case, bytes]) -> StoredUnit:
        key = (answer.case_id, answer.repeat)
        for number in self._scores.numbers_of(key):
            scores, score_lines = self._block(number)
            if (scores[0].case_id, scores[0].repeat) == key:
                return StoredUnit(case[0], answer, scores, case[1], line, score_lines)
        return StoredUnit(case[0], answer, (), case[1], line, ())

    def _case(self, case_id: str) -> tuple[Case, bytes]:
        for number in self._indexes[CASES].numbers_of((case_id, 0)):
            case, line = self._decoded(_CASE, CASES, number)
            if case.id == case_id:
                return case, line
        raise StoreError(
            f"{self._path / CASES}: the case {case_id!r} is not here, though {ANSWERS} has an"
            f" answer to it. {FIX}"
        )

    def _answer(self, number: int) -> tuple[Answer, bytes]:
        return self._decoded(_ANSWER, ANSWERS, number)

    def _block(self, number: int) -> tuple[tuple[Score, ...], tuple[bytes, ...]]:
        begin, size = self._scores.place(number)
        lines = tuple(self._read(SCORES, begin, size).split(b"\n")[:-1])
        return tuple(self._decode(_SCORE, line, SCORES, begin) for line in lines), lines

    def _decoded(
        self, decoder: "msgspec.json.Decoder[_T]", name: str, number: int
    ) -> tuple[_T, bytes]:
        begin, size = self._indexes[name].place(number)
        line = self._read(name, begin, size)
        return self._decode(decoder, line, name, begin), line

    def _decode(
        self, decoder: "msgspec.json.Decoder[_T]", line: bytes, name: str, begin: int
    ) -> _T:
        try:
            return decoder.decode(line)
        except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
            raise not_a_record(self._path / name, begin, error) from None

    def _read(self, name: str, begin: int, size: int) -> bytes:
        file = self._files.get(name)
        if file is None:
            file = self._files[name] = open_records(self._path / name)
            self._stack.callback(file.close)
        return file.read(begin, size)


def not_a_record(path: Path, begin: int, error: Exception) -> StoreError:
    """The error for a line that can't be read as a record."""
    return StoreError(f"{path}, byte {begin}: not a record of llmeval ({error})")
