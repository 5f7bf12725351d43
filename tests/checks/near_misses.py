"""Tables of references with right and wrong answers. All were written for this project.

`near_misses.tsv`: a right answer and one that is nearly right; the rules were made with it.
`near_misses_held_out.tsv`: others of these kinds, written before any result was read and never used
to change a rule. `right_answers.tsv`: other ways to say what is right, in halves, of which the rules
were made with `tune` alone. The benchmark prints the figures of all three.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent


class NearMiss(NamedTuple):
    """A reference and a question with a right and a wrong answer."""

    kind: str
    language: str
    reference: str
    question: str
    right: str
    wrong: str


class RightAnswer(NamedTuple):
    """A reference and a question with a right answer. `half`: tune or report."""

    half: str
    kind: str
    language: str
    reference: str
    question: str
    answer: str


def near_misses() -> Iterator[NearMiss]:
    """The table that the rules were made with."""
    return map(NearMiss._make, _rows("near_misses.tsv"))


def held_out_near_misses() -> Iterator[NearMiss]:
    """The table that no rule was made with."""
    return map(NearMiss._make, _rows("near_misses_held_out.tsv"))


def right_answers(half: str) -> list[RightAnswer]:
    """The right answers of one half."""
    rows = map(RightAnswer._make, _rows("right_answers.tsv"))
    return [row for row in rows if row.half == half]


class AnswerRow(NamedTuple):
    """A reference with an answer, and whether it should pass.

    `half`: tune for those whose results the rules were made with, report for those that were
    written before a second measurement, third for those written before the rules were read again
    (measured once, then used to change the rules). fourth and fifth: halves of two sets that were
    each written before a result on it was read; single lines of fourth_held and fifth_held were
    never read, only counts by kind. variations: more of the kinds that failed in these. seventh and
    seventh_held: the same of a set with two wrong and two right answers a reference; seventh has
    the answers that are judged as wanted after the rules were changed.
    `set`: siblings or right.
    """

    half: str
    set: str
    kind: str
    reference: str
    question: str
    answer: str
    want: str


def more_answers(half: str) -> list[AnswerRow]:
    """Names of similar things, and other ways to say what is right, of one half."""
    rows = map(AnswerRow._make, _rows("more_answers.tsv"))
    return [row for row in rows if row.half == half]


def _rows(name: str) -> Iterator[list[str]]:
    """The cells of every line but the first; `\\n` is a line break."""
    for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()[1:]:
        yield [cell.replace("\\n", "\n").replace("\\\\", "\\") for cell in line.split("\t")]
