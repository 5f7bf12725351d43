"""How a number or a date that an answer states compares with the one that is expected."""

import math
from decimal import Decimal
from enum import IntEnum

from llmeval.checks.facts.dates import Date, Precision
from llmeval.checks.facts.digits import Value, tidy
from llmeval.checks.facts.numbers import Number
from llmeval.checks.facts.qualifiers import Bound
from llmeval.checks.facts.units import Unit


class Fit(IntEnum):
    """From a different value to the same one."""

    OTHER = 0
    NEAR = 1
    """within 5%, or inside a stated range"""
    COARSE = 2
    """agrees as far as it goes, but is less precise than expected (1889 for 31 March 1889; 2.4 for 2.45)"""
    SAME = 3


class Tolerance:
    """When two values count as the same: within `rel` (a share), `abs`, or after rounding to `sig_digits`."""

    def __init__(self, rel: float = 0.0, abs: float = 0.0, sig_digits: int | None = None) -> None:
        self.rel, self.abs, self.sig_digits = rel, abs, sig_digits

    def same(self, found: Value, wanted: Value) -> bool:
        """Whether `found` counts as `wanted`."""
        if found == wanted:
            return True
        if self.sig_digits is not None and rounded(found, self.sig_digits) == rounded(wanted, self.sig_digits):
            return True
        if not is_finite(found) or not is_finite(wanted):
            return False
        # In decimals, so that 0.4 is within 0.1 of 0.3. What is not a whole number may be off by a rounding error.
        one, two = Decimal(repr(found)), Decimal(repr(wanted))
        inexact = isinstance(found, float) or isinstance(wanted, float)
        rounding = abs(two) * Decimal("1e-9") if inexact else Decimal(0)
        slack = max(Decimal(repr(self.abs)), Decimal(repr(self.rel)) * abs(two), rounding)
        return abs(one - two) <= slack


EXACT = Tolerance()


def rounded(value: Value, digits: int) -> float:
    """The value to so many significant digits."""
    return float(f"{float(value):.{max(0, digits - 1)}e}")


def fit_number(
    found: Number,
    wanted: Number,
    tolerance: Tolerance = EXACT,
    *,
    roughly: bool = False,
    limit: bool = False,
) -> Fit | None:
    """How the number found fits; None where the two do not measure the same thing.

    `roughly`: the question or the reference asks for no more than about this number, so rounding is no difference.
    `limit`: it asks for a limit, so `at least 18` is 18.
    """
    if wanted.unit and found.unit and not _same_dimension(wanted.unit, found.unit):
        return None
    if found.ordinal != wanted.ordinal and wanted.unit:
        return None
    roughly = roughly or wanted.bound is Bound.ABOUT
    fit = max(_fit_value(found, value, wanted, tolerance, roughly) for value in found.readings)
    if _is_share(found, wanted, tolerance):
        fit = Fit.SAME
    limits = (Bound.BELOW, Bound.ABOVE)
    if found.bound is not wanted.bound and found.bound in limits and not limit:
        return min(fit, Fit.NEAR)  # fewer than 100 are not 100
    if found.partner is not None and wanted.partner is None and not _is_year(found):
        return min(fit, Fit.NEAR)  # 50 to 100 are not 100
    return fit


def _is_share(found: Number, wanted: Number, tolerance: Tolerance) -> bool:
    """Whether one is a fraction and the other the same share in per cent: a quarter and 25 %."""
    for share, bare in ((found, wanted), (wanted, found)):
        ratio = share.unit is not None and share.unit.dimension == "ratio"
        if ratio and share.unit is not None and bare.unit is None and 0 < bare.value <= 1:
            return tolerance.same(tidy(share.unit.base(share.value)), bare.value)
    return False


def _is_year(number: Number) -> bool:
    return number.bare and 1000 <= number.value < 2200


def _same_dimension(one: Unit, two: Unit) -> bool:
    if one.dimension == two.dimension:
        return True
    both = {one.dimension, two.dimension}
    # Degrees are of what the fact is about; crowns are of the country it is about.
    return both == {"angle", "temperature"} or ("krona" in both and bool(both & {"sek", "nok", "dkk"}))


def _fit_value(found: Number, value: Value, wanted: Number, tolerance: Tolerance, roughly: bool) -> Fit:
    target = wanted.value
    one, two = found.unit, wanted.unit
    converted = bool(
        one and two and one.dimension == two.dimension and (one.factor, one.offset) != (two.factor, two.offset)
    )
    if converted and one and two:
        target = tidy(float(f"{(two.base(wanted.value) - one.offset) / one.factor:.12g}"))
        tolerance = _converted(tolerance, two.factor / one.factor)
    if tolerance.same(value, target):
        return Fit.SAME
    if abs(value) > 1e300 or abs(target) > 1e300:
        return Fit.OTHER
    if converted and _rounds_to(found, value, wanted, target):
        return Fit.SAME
    if found.digits >= 2 and rounded(target, found.digits) == float(value):
        return Fit.COARSE if roughly else Fit.NEAR
    if wanted.digits >= 2 and rounded(value, wanted.digits) == float(target):
        return Fit.COARSE if roughly else Fit.NEAR
    return Fit.NEAR if target and abs(value - target) <= 0.05 * abs(target) else Fit.OTHER


def _rounds_to(found: Number, value: Value, wanted: Number, target: Value) -> bool:
    """Whether two amounts in different units are one, rounded as the coarser of them is written: 330 m and 1,083 ft."""
    if found.digits >= 2 and rounded(target, found.digits) == float(value):
        return True
    if found.unit is None or wanted.unit is None or wanted.digits < 3:
        return False
    back = (found.unit.base(value) - wanted.unit.offset) / wanted.unit.factor
    return rounded(back, wanted.digits) == float(wanted.value)


def _converted(tolerance: Tolerance, factor: float) -> Tolerance:
    return Tolerance(tolerance.rel, tolerance.abs * factor, tolerance.sig_digits)


def fit_date(found: Date, wanted: Date) -> Fit:
    """How the date found fits: a more precise one fits, a less precise one only coarsely."""
    if min(found.precision, wanted.precision) <= Precision.DECADE:
        return _fit_period(found, wanted)
    if found.year is not None and wanted.year is not None and found.year != wanted.year:
        return Fit.OTHER
    if found.other and wanted.month and (wanted.month, wanted.day or found.other[1]) == found.other:
        return Fit.COARSE  # 06/02/2024, and nothing tells which of the two comes first
    if found.month and wanted.month and found.month != wanted.month:
        return Fit.OTHER
    if found.day and wanted.day and found.day != wanted.day:
        return Fit.OTHER
    if found.year is None and not (found.month and wanted.month):
        return Fit.OTHER
    complete = (found.year is not None or wanted.year is None) and found.precision >= wanted.precision
    return Fit.SAME if complete else Fit.COARSE


def _fit_period(found: Date, wanted: Date) -> Fit:
    """A decade or century against a date: the same one, one inside the other, or apart."""
    if found.year is None or wanted.year is None:
        return Fit.OTHER
    if found.precision == wanted.precision:
        return Fit.SAME if found.year == wanted.year else Fit.OTHER
    wide, narrow = (found, wanted) if found.precision < wanted.precision else (wanted, found)
    span = 10 if wide.precision is Precision.DECADE else 100
    low = wide.year or 0
    inside = low <= (narrow.year or 0) < low + span if low >= 0 else low - span < (narrow.year or 0) <= low
    if not inside:
        return Fit.OTHER
    return Fit.SAME if wide is wanted else Fit.COARSE


def is_finite(value: Value) -> bool:
    """Whether the value is a number to compare with."""
    return isinstance(value, int) or math.isfinite(value)
