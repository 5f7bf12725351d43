"""A run read row by row, with its baseline beside it, in memory that hardly grows with the run.

The records go into the report as they are, without their checksums: nothing that a newer llmeval
records is lost on the way.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, TypeVar

import msgspec

from llmeval.core.checksums import unsealed
from llmeval.core.errors import StoreError
from llmeval.core.records import Answer, Case, Score
from llmeval.store.directory import ANSWERS, CASES, SCORES, Offsets, RunDir, UnitKey, lines


class _CaseKey(msgspec.Struct, frozen=True):
    id: str
    digest: str = ""


_CASE_KEY = msgspec.json.Decoder(_CaseKey)
_CASE = msgspec.json.Decoder(Case)
_ANSWER = msgspec.json.Decoder(Answer)
_SCORE = msgspec.json.Decoder(Score)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class RunSide:
    """One answer and its scores, with the lines they were read from."""

    answer: Answer
    scores: tuple[Score, ...]
    score_lines: tuple[bytes, ...]
    answer_line: bytes


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One (case, repeat) of the run; `before` is the baseline's, `case_changed` says that it asked
    something else.
    """

    case: Case
    case_line: bytes
    now: RunSide
    before: RunSide | None = None
    case_changed: bool = False


class Reader:
    """The files of one run, open. A context manager.

    Raises:
        StoreError: a line is not a record of llmeval; names the file and the byte.
    """

    def __init__(self, run: RunDir) -> None:
        self._run, self._path = run, run.path
        self._stack = ExitStack()
        self._cases, self._answers, self._scores = (
            Offsets(run.places(name)) for name in (CASES, ANSWERS, SCORES)
        )
        self._files = {name: self._open(name) for name in (CASES, ANSWERS, SCORES)}

    def __enter__(self) -> "Reader":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def count(self) -> int:
        """How many rows there are."""
        return len(self._answers)

    def rows(self, baseline: "Reader | None" = None) -> Iterator[ReportRow]:
        """Each row once, in the order in which the answers that count were recorded."""
        for answer, line in self._last_answers():
            key = (answer.case_id, answer.repeat)
            case, case_line = self._case(answer.case_id)
            now = RunSide(answer, *self._block(key), line)
            before = None if baseline is None else baseline.side(key)
            changed = (
                before is not None
                and baseline is not None
                and baseline.case_digest(key[0]) != case.digest
            )
            yield ReportRow(case, case_line, now, before, changed)

    def side(self, key: UnitKey) -> RunSide | None:
        """The answer that counts for a key, with its scores."""
        for begin, size in self._answers.of(key):
            line = self._read(ANSWERS, begin, size)
            answer = self._decode(_ANSWER, line, ANSWERS, begin)
            if (answer.case_id, answer.repeat) == key:
                return RunSide(answer, *self._block(key), unsealed(line))
        return None

    def case_digest(self, case_id: str) -> str:
        """The digest of a case; empty where the run does not hold it."""
        for begin, size in self._cases.of((case_id, 0)):
            found = self._decode(_CASE_KEY, self._read(CASES, begin, size), CASES, begin)
            if found.id == case_id:
                return found.digest
        return ""

    def case(self, case_id: str) -> Case:
        """A case by its id; one without content where the run does not hold it."""
        return self._case(case_id)[0]

    def _case(self, case_id: str) -> tuple[Case, bytes]:
        for begin, size in self._cases.of((case_id, 0)):
            line = self._read(CASES, begin, size)
            case = self._decode(_CASE, line, CASES, begin)
            if case.id == case_id:
                return case, unsealed(line)
        return Case(case_id, {}), msgspec.json.encode({"id": case_id})

    def _last_answers(self) -> Iterator[tuple[Answer, bytes]]:
        for begin, line in lines(self._path / ANSWERS):
            answer = self._decode(_ANSWER, line, ANSWERS, begin)
            key = (answer.case_id, answer.repeat)
            places = self._answers.of(key)
            if len(places) == 1 or self._latest(key, places) == begin:
                yield answer, unsealed(line)

    def _latest(self, key: UnitKey, places: list[tuple[int, int]]) -> int:
        for begin, size in places:
            found = self._decode(_ANSWER, self._read(ANSWERS, begin, size), ANSWERS, begin)
            if (found.case_id, found.repeat) == key:
                return begin
        return -1

    def _block(self, key: UnitKey) -> tuple[tuple[Score, ...], tuple[bytes, ...]]:
        for begin, size in self._scores.of(key):
            kept = [unsealed(line) for line in self._read(SCORES, begin, size).split(b"\n")[:-1]]
            scores = [self._decode(_SCORE, line, SCORES, begin) for line in kept]
            if (scores[0].case_id, scores[0].repeat) == key:
                return tuple(scores), tuple(kept)
        return (), ()

    def _read(self, name: str, begin: int, size: int) -> bytes:
        file = self._files[name]
        file.seek(begin)
        return file.read(size)

    def _decode(
        self, decoder: "msgspec.json.Decoder[_T]", line: bytes, name: str, offset: int
    ) -> _T:
        try:
            return decoder.decode(line)
        except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
            raise StoreError(
                f"{self._path / name}, byte {offset}: not a record of llmeval ({error})"
            ) from None

    def _open(self, name: str) -> BinaryIO:
        path = self._path / name
        return self._stack.enter_context(
            path.open("rb") if path.exists() else open(os.devnull, "rb")
        )
