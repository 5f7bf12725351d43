"""Answers side by side: a row for each case, a column for each run, as data blocks of a page.

The index lists every case with its outcomes, so that the page filters and sorts without the texts.
Texts are in chunks of 200 rows. A large comparison holds the texts of `MOST_ROWS` cases, those with
different outcomes first, and the page says so.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from llmeval.core.outcome import Outcome, status_outcome
from llmeval.core.question import shown_question
from llmeval.core.records import Case, Score, Status
from llmeval.gate.human_labels import DecidedUnit, decide_unit, people_of
from llmeval.report.html.chunks import ROWS, IndexWriter, block
from llmeval.report.html.index import LETTERS
from llmeval.report.html.visible import clip, shorten
from llmeval.store.directory import RunDir
from llmeval.store.labels import AnswerKey
from llmeval.store.units import StoredUnit, UnitReader

MOST_ROWS = 5000
MOST_BYTES = 48 << 20
"""Texts before compression. Past this, the page would load for more than a few seconds."""
PLAIN_ROWS = 20
"""Rows that a browser without scripts shows."""
_QUESTION, _ANSWER, _REASON, _REPEATS = 4000, 12_000, 600, 5
_COLUMNS = ("id", "ask", "state", "metrics", "differs", "chunk")
NO_ANSWER = "."
"""The letter of a case that a run does not have."""

STATES = {
    "p": ("passes", "pass"),
    "f": ("fails", "fail"),
    "u": ("unscored", "unsure"),
    "n": ("not scored yet", "unsure"),
    "e": ("error", "invalid"),
    "o": ("needs review", "unsure"),
}
"""Word and tone of each outcome by its letter; `answers_row.js` has the same."""


class AnswerColumn(NamedTuple):
    """One run of the table."""

    letter: str
    name: str
    run: RunDir
    repeats: int


class CellText(msgspec.Struct, frozen=True):
    """One answer: its text, its outcome's letter, and the scores that are not a pass."""

    text: str
    state: str
    scores: tuple[tuple[str, str, str], ...]
    """(metric, letter, reason) of each metric that does not pass."""


class AnswerRow(msgspec.Struct, frozen=True):
    """One case with the answers of every run; null where a run does not have the case."""

    id: str
    question: str
    references: tuple[str, ...]
    cells: tuple[tuple[CellText, ...] | None, ...]


class _Outline(NamedTuple):
    """What the index holds of a case."""

    case_id: str
    ask: str
    states: str
    metrics: str
    differs: int

    @property
    def priority(self) -> int:
        """0 where outcomes differ, 1 where a run does not pass, 2 where texts differ, else 3."""
        if self.differs & OUTCOMES_DIFFER:
            return 0
        if set(self.states) - {"p", NO_ANSWER}:
            return 1
        return 2 if self.differs & TEXTS_DIFFER else 3


TEXTS_DIFFER, OUTCOMES_DIFFER = 1, 2


class AnswerTable(NamedTuple):
    """The table, ready for the page."""

    rows: int
    embedded: int
    blocks: bytes
    plain: tuple[AnswerRow, ...]
    """The first rows for browsers without scripts."""
    counts: Mapping[str, int]
    """Rows by filter: differ, outcomes, failing."""


def answer_table(
    columns: Sequence[AnswerColumn], readers: Mapping[str, UnitReader], metrics: Sequence[str]
) -> AnswerTable:
    """The table of some runs.

    Args:
        columns: the runs in order.
        readers: the open records of each, by letter.
        metrics: the names of the metrics in the order of their letters in the index.

    Raises:
        StoreError: a line is not a record.
    """
    people = {column.letter: people_of(column.run.path)[0] for column in columns}
    source = _Source(columns, readers, people)
    outlines = [_outline(source, case_id, metrics) for case_id in _case_ids(columns)]
    order = sorted(range(len(outlines)), key=lambda at: outlines[at].priority)
    chunks, places, plain = _chunks(source, outlines, order[:MOST_ROWS])
    index = IndexWriter(*_COLUMNS)
    for outline, chunk in zip(outlines, places, strict=True):
        index.add(*outline, chunk)
    return AnswerTable(
        rows=len(outlines),
        embedded=sum(chunk >= 0 for chunk in places),
        blocks=b"".join([*index.blocks(), chunks]),
        plain=plain,
        counts={
            "differ": sum(bool(each.differs) for each in outlines),
            "outcomes": sum(bool(each.differs & OUTCOMES_DIFFER) for each in outlines),
            "failing": sum(bool(set(each.states) - {"p", NO_ANSWER}) for each in outlines),
        },
    )


class _Source:
    """The answers of every run to one case."""

    def __init__(
        self,
        columns: Sequence[AnswerColumn],
        readers: Mapping[str, UnitReader],
        people: Mapping[str, Mapping[AnswerKey, bool]],
    ) -> None:
        self._columns, self._readers, self._people = columns, readers, people

    def of(self, case_id: str) -> list[list[DecidedUnit[StoredUnit]]]:
        """By column, the answers with their outcomes; an empty list where there is none."""
        return [
            [
                decide_unit(unit, self._people[column.letter])
                for repeat in range(column.repeats)
                if (unit := self._readers[column.letter].unit((case_id, repeat))) is not None
            ]
            for column in self._columns
        ]


def _case_ids(columns: Iterable[AnswerColumn]) -> list[str]:
    """Every case once: those of the first run in its order, then those that only others have."""
    ids = {case.id: None for column in columns for case in column.run.outlines()}
    return list(ids)


def _outline(source: _Source, case_id: str, metrics: Sequence[str]) -> _Outline:
    sides = source.of(case_id)
    states = "".join(_state(side) for side in sides)
    letters = "|".join(
        "".join(_metric_letter(side, metric) for metric in metrics) for side in sides
    )
    texts = {tuple(each.unit.answer.text for each in side) for side in sides if side}
    case = next((side[0].unit.case for side in sides if side), Case(case_id, {}))
    present = set(states) - {NO_ANSWER}
    differs = (TEXTS_DIFFER if len(texts) > 1 else 0) | (OUTCOMES_DIFFER if len(present) > 1 else 0)
    return _Outline(case_id, clip(shown_question(case), 120), states, letters, differs)


def _state(side: Sequence[DecidedUnit[StoredUnit]]) -> str:
    """The letter of the worst outcome of all repeats."""
    outcomes = [each.outcome for each in side]
    return LETTERS[max(outcomes, key=lambda outcome: outcome.rank)] if outcomes else NO_ANSWER


def _metric_letter(side: Sequence[DecidedUnit[StoredUnit]], metric: str) -> str:
    outcomes: list[Outcome] = []
    for each in side:
        for score in each.scores:
            outcome = status_outcome(score.status) if score.metric == metric else None
            if outcome is not None:
                outcomes.append(outcome)
    return LETTERS[max(outcomes, key=lambda outcome: outcome.rank)] if outcomes else NO_ANSWER


def _chunks(
    source: _Source, outlines: Sequence[_Outline], order: Sequence[int]
) -> tuple[bytes, list[int], tuple[AnswerRow, ...]]:
    """The chunks, the number of the chunk of each row (-1 without one), and the first rows."""
    blocks, places = io.BytesIO(), [-1] * len(outlines)
    plain: list[AnswerRow] = []
    lines: list[bytes] = []
    number = size = 0
    for at in order:
        row = _row(source, outlines[at].case_id)
        line = msgspec.json.encode(row)
        size += len(line)
        if size > MOST_BYTES:
            break
        if len(plain) < PLAIN_ROWS:
            plain.append(row)
        lines.append(line)
        places[at] = number
        if len(lines) == ROWS:
            blocks.write(block(f"chunk-{number}", b"[" + b",".join(lines) + b"]"))
            lines, number = [], number + 1
    if lines:
        blocks.write(block(f"chunk-{number}", b"[" + b",".join(lines) + b"]"))
    return blocks.getvalue(), places, tuple(plain)


def _row(source: _Source, case_id: str) -> AnswerRow:
    sides = source.of(case_id)
    case = next((side[0].unit.case for side in sides if side), Case(case_id, {}))
    return AnswerRow(
        id=case_id,
        question=_cut(shown_question(case), _QUESTION),
        references=tuple(_cut(reference, _REASON) for reference in case.references[:5]),
        cells=tuple(tuple(map(_cell, side[:_REPEATS])) or None for side in sides),
    )


def _cell(decided: DecidedUnit[StoredUnit]) -> CellText:
    answer = decided.unit.answer
    text = answer.text
    if answer.error is not None and not text:
        text = f"{answer.error.kind} error: {answer.error.message}"
    return CellText(
        text=_cut(text, _ANSWER),
        state=LETTERS[decided.outcome],
        scores=tuple(
            (score.metric, LETTERS[score.status], _reason(score))
            for score in decided.scores
            if score.status not in (Status.PASS, Status.NOT_APPLICABLE)
        ),
    )


def _reason(score: Score) -> str:
    return shorten(score.unscored or score.reason, _REASON)


def _cut(text: str, size: int) -> str:
    """At most `size` characters. Hidden characters are shown by the page."""
    if len(text) <= size:
        return text
    return f"{text[:size]} … [{len(text) - size:,} more characters]"
