"""The outcomes of each case in the suite's past runs: a letter per metric and run, a byte each."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import msgspec

from llmeval.core.errors import StoreError
from llmeval.core.records import Case
from llmeval.report.html.index import LETTERS
from llmeval.report.html.row import ReportRow
from llmeval.report.html.trend import PastRun
from llmeval.store.directory import CASES, SCORES, CaseOutline, RunDir, lines
from llmeval.store.record_lines import size_of

MOST_BYTES = 512 << 20
"""Scores of past runs that are read, the newest run first: two to three seconds of one core."""
ABSENT, CHANGED = ".", "c"
"""No such score in that run; the case had other content then."""
_WORST = "-pofnue"


class _Mark(msgspec.Struct, frozen=True):
    case_id: str
    metric: str
    status: str


class _Id(msgspec.Struct, frozen=True):
    id: str
    digest: str = ""


_MARK = msgspec.json.Decoder(_Mark)
_ID = msgspec.json.Decoder(_Id)


class History:
    """The outcomes of a run's cases in earlier runs (oldest first), which are read when the first
    case is looked up.

    `runs`: those that are read.
    """

    def __init__(self, past: Sequence[PastRun], most_bytes: int = MOST_BYTES) -> None:
        self.runs = _affordable(past, most_bytes)
        self._places: dict[str, int] = {}
        self._digests: list[int] = []
        self._marks: dict[str, bytearray] | None = None

    def add_case(self, case: CaseOutline) -> None:
        """Take a case of the run."""
        if self.runs:
            self._places[case.id] = len(self._digests)
            self._digests.append(hash(case.digest))

    def of(self, case: Case) -> dict[str, str]:
        """Letters by metric, one for each of `runs`, the worst of the case's repeats: p f o u e as
        in the index, `-` not applicable, `.` no score, `c` another question then. Empty when no
        past run scored the case."""
        place = self._places.get(case.id)
        if place is None:
            return {}
        width = len(self.runs)
        verdicts = {
            m: marks[place * width : (place + 1) * width].decode()
            for m, marks in self._read_past().items()
        }
        return {
            metric: letters
            for metric, letters in verdicts.items()
            if letters.strip(ABSENT + CHANGED)
        }

    def _read_past(self) -> dict[str, bytearray]:
        if self._marks is None:
            self._marks = {}
            for number, each in enumerate(self.runs):
                self._read(number, each, self._marks)
        return self._marks

    def _read(self, number: int, past: PastRun, verdicts: dict[str, bytearray]) -> None:
        width, repeats = len(self.runs), past.repeats > 1
        changed = self._changed(past)
        for _, line in lines(past.run.path / SCORES):
            try:
                mark = _MARK.decode(line)
            except msgspec.DecodeError:
                continue  # a past run says what it can
            place = self._places.get(mark.case_id)
            if place is None:
                continue
            marks = verdicts.get(mark.metric)
            if marks is None:
                marks = verdicts[mark.metric] = bytearray(
                    ABSENT.encode() * (width * len(self._digests))
                )
            at = place * width + number
            letter = CHANGED if place in changed else LETTERS.get(mark.status, ABSENT)
            if not repeats or _rank(letter) > _rank(chr(marks[at])):
                marks[at] = ord(letter)

    def _changed(self, past: PastRun) -> frozenset[int]:
        """Places of the cases that asked something else in that run."""
        if past.same_cases:
            return frozenset()
        theirs = dict(_cases(past.run))
        return frozenset(
            p
            for c, p in self._places.items()
            if theirs.get(c, self._digests[p]) != self._digests[p]
        )


def unsteady(history: dict[str, str], row: ReportRow) -> bool:
    """Whether some metric went back and forth between pass and fail, over the past runs and this
    one.
    """
    for score in row.now.scores if history else ():
        past, now = history.get(score.metric, ""), LETTERS[score.status]
        if not past.strip(now):
            continue
        letters = [letter for letter in past + now if letter in "pf"]
        if sum(a != b for a, b in pairwise(letters)) > 1:
            return True
    return False


def _affordable(past: Sequence[PastRun], left: int) -> list[PastRun]:
    chosen = []
    for each in reversed(past):
        left -= size_of(each.run.path / SCORES)
        if left < 0:
            break
        chosen.append(each)
    return chosen[::-1]


def _cases(run: RunDir) -> Iterator[tuple[str, int]]:
    """(id, hash of the digest) of each case."""
    for offset, line in lines(run.path / CASES):
        try:
            case_id = _ID.decode(line)
        except msgspec.DecodeError as error:
            raise StoreError(
                f"{run.path / CASES}, byte {offset}: not a record of llmeval ({error})"
            ) from error
        yield case_id.id, hash(case_id.digest)


def _rank(letter: str) -> int:
    return _WORST.find(letter)
