"""A date of some precision, and the names of the months."""

from dataclasses import dataclass
from datetime import date as calendar_date
from enum import IntEnum
from importlib.resources import files


class Precision(IntEnum):
    """How exact a date is; a larger number is more exact."""

    CENTURY = 1
    DECADE = 2
    YEAR = 3
    MONTH = 4
    DAY = 5


@dataclass(frozen=True, slots=True)
class Date:
    """A date: words first..last, code points [start, end). `year` of a decade or century is its
    first; BC is below 0.

    `year` is None where only a day or month is given (18 May). `other`: the month and day the other
    way round, where 03/04/2018 leaves it open.
    """

    precision: Precision
    year: int | None
    month: int | None = None
    day: int | None = None
    first: int = 0
    last: int = 0
    start: int = 0
    end: int = 0
    other: tuple[int, int] | None = None
    partner: bool = False

    def __str__(self) -> str:
        if self.precision is Precision.CENTURY:
            number = abs(self.year or 0) // 100 + 1
            return f"{number}th century" + (" BC" if (self.year or 0) < 0 else "")
        if self.precision is Precision.DECADE:
            return f"{self.year}s"
        names = [str(self.day)] if self.day else []
        names += [_SHORT[self.month - 1]] if self.month else []
        if self.year is not None:
            names.append(f"{-self.year} BC" if self.year < 0 else str(self.year))
        return " ".join(names)


_SHORT = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_SHORT_NAMES = """
jan janner ene janv january
feb febr fevr fev february
mar marz maerz march
apr avr april
may mai mei
jun june
jul july
aug aout ago
sep sept set
oct okt out ott
nov november
dec dez dic december
"""


def _months() -> dict[str, int]:
    """Every name of a month, folded: those of 34 languages (Unicode CLDR, as in Babel 2.19) and
    short forms."""
    text = files("llmeval.checks.facts").joinpath("months.tsv").read_text(encoding="utf-8")
    lines = zip(text.splitlines(), _SHORT_NAMES.strip().splitlines(), strict=True)
    return {name: i for i, both in enumerate(lines, start=1) for name in " ".join(both).split()}


MONTHS = _months()
WORDLIKE_MONTHS = frozenset(
    "may mar march mai mars dec jun jan nov sep oct apr aug ago ene set out ott dic maj mart mei "
    "leden maio".split()
)
AMBIGUOUS_MONTHS = WORDLIKE_MONTHS - {
    "may",
    "march",
    "jan",
    "sep",
    "oct",
    "nov",
    "dec",
    "apr",
    "aug",
}
"""Words that are a month in one language and something else in another: Mars, mai, set."""


def make(year: int | None, month: int | None, day: int | None) -> Date | None:
    """A date of these parts; None if there is no such day."""
    if month is not None and not 1 <= month <= 12:
        return None
    if day is not None:
        try:
            calendar_date(year if year is not None and 1 <= year <= 9999 else 2000, month or 1, day)
        except ValueError:
            return None
        return Date(Precision.DAY, year, month, day)
    return Date(Precision.MONTH if month else Precision.YEAR, year, month)
