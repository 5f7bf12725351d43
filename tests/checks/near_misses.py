"""Near misses: for each reference a right answer and one that is nearly right, in twelve kinds and eight languages.

`near_misses.tsv` holds them, one a line. All were written for this project; the benchmark prints the same table.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).with_suffix(".tsv")


class NearMiss(NamedTuple):
    """A reference and a question with a right and a wrong answer."""

    kind: str
    language: str
    reference: str
    question: str
    right: str
    wrong: str


def near_misses() -> Iterator[NearMiss]:
    """Every line of the table."""
    for line in FILE.read_text(encoding="utf-8").splitlines()[1:]:
        kind, language, reference, question, *answers = line.split("\t")
        right, wrong = (text.replace("\\n", "\n").replace("\\\\", "\\") for text in answers)
        yield NearMiss(kind, language, reference, question, right, wrong)
