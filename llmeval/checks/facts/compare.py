"""How a number or a date that an answer states compares with the one that is expected."""

import math
from dataclasses import replace
from decimal import Decimal
from enum import IntEnum

from llmeval.checks.facts.date_values import Date, Precision
from llmeval.checks.facts.digits import Value, tidy
from llmeval.checks.facts.numbers import Number
from llmeval.checks.facts.qualifiers import NumericBound
from llmeval.checks.facts.units import MONEY, MeasurementUnit


class Fit(IntEnum):
    """From a different value to the same one."""

    OTHER = 0
    NEAR = 1
    """within 5%, or inside a stated range"""
    COARSE = 2
    """agrees as far as it goes, but is less precise than expected (1889 for 31 March 1889; 2.4 for
    2.45)"""
    SAME = 3


class Tolerance:
    """When two values count as the same: within `rel` (a share), `abs`, or after rounding to
    `sig_digits`."""

    def __init__(self, rel: float = 0.0, abs: float = 0.0, sig_digits: int | None = None) -> None:
        self.rel, self.abs, self.sig_digits = rel, abs, sig_digits

    def same(self, stated: Value, expected: Value) -> bool:
        """Whether `found` counts as `wanted`."""
        if stated == expected:
            return True
        if self.sig_digits is not None and rounded(stated, self.sig_digits) == rounded(
            expected, self.sig_digits
        ):
            return True
        if not is_finite(stated) or not is_finite(expected):
            return False
        # In decimals, so that 0.4 is within 0.1 of 0.3. What is not a whole number may be off by a
        # rounding error.
        one, two = Decimal(repr(stated)), Decimal(repr(expected))
        inexact = isinstance(stated, float) or isinstance(expected, float)
        rounding = abs(two) * Decimal("1e-9") if inexact else Decimal(0)
        slack = max(Decimal(repr(self.abs)), Decimal(repr(self.rel)) * abs(two), rounding)
        return abs(one - two) <= slack


EXACT = Tolerance()


def rounded(value: Value, digits: int) -> float:
    """The value to so many significant digits."""
    return float(f"{float(value):.{max(0, digits - 1)}e}")


def fit_number(
    stated: Number,
    expected: Number,
    tolerance: Tolerance = EXACT,
    *,
    roughly: bool = False,
    limit: bool = False,
) -> Fit | None:
    """How the number found fits; None where the two do not measure the same thing.

    `roughly`: the question or the reference asks for no more than about this number, so rounding
    makes no difference. `limit`: it asks for a limit, so `at least 18` is 18.
    """
    stated, expected = _in_currency(stated, expected), _in_currency(expected, stated)
    if expected.unit and stated.unit and not _same_dimension(expected.unit, stated.unit):
        return None
    if stated.ordinal != expected.ordinal and expected.unit:
        return None
    roughly = roughly or expected.bound is NumericBound.ABOUT
    fit = max(_fit_value(stated, value, expected, tolerance, roughly) for value in stated.readings)
    if _is_share(stated, expected, tolerance):
        fit = Fit.SAME
    limits = (NumericBound.BELOW, NumericBound.ABOVE)
    if stated.bound is not expected.bound and stated.bound in limits and not limit:
        return min(fit, Fit.NEAR)  # fewer than 100 are not 100
    if expected.bound in limits and stated.bound is NumericBound.EXACT and not (limit or roughly):
        return min(fit, Fit.COARSE)  # 80 are not fewer than 80, but people take it for short
    if stated.partner is not None and expected.partner is None and not _is_year(stated):
        return min(fit, Fit.NEAR)  # 50 to 100 are not 100
    return fit


def _in_currency(stated: Number, expected: Number) -> Number:
    """The number in the currency that is expected: pounds may be sterling, cents of any money."""
    one, two = stated.unit, expected.unit
    if one is None or two is None or one.dimension == two.dimension or two.dimension not in MONEY:
        return stated
    if one.name == "pound" and two.dimension == "gbp":
        return replace(stated, unit=two)
    if one.name == "cent":
        return replace(stated, unit=two._replace(factor=0.01, name="cent"))
    return stated


def _is_share(stated: Number, expected: Number, tolerance: Tolerance) -> bool:
    """Whether one is a fraction and the other the same share in per cent: a quarter and 25 %."""
    for share, bare in ((stated, expected), (expected, stated)):
        ratio = share.unit is not None and share.unit.dimension == "ratio"
        if ratio and share.unit is not None and bare.unit is None and 0 < bare.value <= 1:
            return tolerance.same(tidy(share.unit.base(share.value)), bare.value)
    return False


def _is_year(number: Number) -> bool:
    return number.bare and 1000 <= number.value < 2200


def _same_dimension(one: MeasurementUnit, two: MeasurementUnit) -> bool:
    if one.dimension == two.dimension:
        return True
    both = {one.dimension, two.dimension}
    # Degrees are of what the fact is about; crowns are of the country it is about.
    return both == {"angle", "temperature"} or (
        "krona" in both and bool(both & {"sek", "nok", "dkk"})
    )


def _fit_value(
    stated: Number, value: Value, expected: Number, tolerance: Tolerance, roughly: bool
) -> Fit:
    target = expected.value
    one, two = stated.unit, expected.unit
    converted = bool(
        one
        and two
        and one.dimension == two.dimension
        and (one.factor, one.offset) != (two.factor, two.offset)
    )
    if converted and one and two:
        target = tidy(float(f"{(two.base(expected.value) - one.offset) / one.factor:.12g}"))
        tolerance = _converted(tolerance, two.factor / one.factor)
    if tolerance.same(value, target):
        return Fit.SAME
    if abs(value) > 1e300 or abs(target) > 1e300:
        return Fit.OTHER
    if converted and _rounds_to(stated, value, expected, target):
        return Fit.SAME
    if stated.digits >= 2 and rounded(target, stated.digits) == float(value):
        return Fit.COARSE if roughly else Fit.NEAR
    if expected.digits >= 2 and rounded(value, expected.digits) == float(target):
        return Fit.COARSE if roughly else Fit.NEAR
    return Fit.NEAR if target and abs(value - target) <= 0.05 * abs(target) else Fit.OTHER


def _rounds_to(stated: Number, value: Value, expected: Number, target: Value) -> bool:
    """Whether two amounts in different units are one, rounded as the coarser of them is written:
    330 m and 1,083 ft."""
    if stated.digits >= 2 and rounded(target, stated.digits) == float(value):
        return True
    if stated.unit is None or expected.unit is None or expected.digits < 3:
        return False
    back = (stated.unit.base(value) - expected.unit.offset) / expected.unit.factor
    return rounded(back, expected.digits) == float(expected.value)


def _converted(tolerance: Tolerance, factor: float) -> Tolerance:
    return Tolerance(tolerance.rel, tolerance.abs * factor, tolerance.sig_digits)


def fit_date(stated: Date, expected: Date) -> Fit:
    """How the date found fits: a more precise one fits, a less precise one only coarsely."""
    if min(stated.precision, expected.precision) <= Precision.DECADE:
        return _fit_period(stated, expected)
    if stated.year is not None and expected.year is not None and stated.year != expected.year:
        return Fit.OTHER
    if (
        stated.other
        and expected.month
        and (expected.month, expected.day or stated.other[1]) == stated.other
    ):
        return Fit.COARSE  # 06/02/2024, and nothing tells which of the two comes first
    if stated.month and expected.month and stated.month != expected.month:
        return Fit.OTHER
    if stated.day and expected.day and stated.day != expected.day:
        return Fit.OTHER
    if stated.year is None and not (stated.month and expected.month):
        return Fit.OTHER
    complete = (
        stated.year is not None or expected.year is None
    ) and stated.precision >= expected.precision
    return Fit.SAME if complete else Fit.COARSE


def _fit_period(stated: Date, expected: Date) -> Fit:
    """A decade or century against a date: the same one, one inside the other, or apart."""
    if stated.year is None or expected.year is None:
        return Fit.OTHER
    if stated.precision == expected.precision:
        return Fit.SAME if stated.year == expected.year else Fit.OTHER
    wide, narrow = (
        (stated, expected) if stated.precision < expected.precision else (expected, stated)
    )
    span = 10 if wide.precision is Precision.DECADE else 100
    low = wide.year or 0
    inside = (
        low <= (narrow.year or 0) < low + span
        if low >= 0
        else low - span < (narrow.year or 0) <= low
    )
    if not inside:
        return Fit.OTHER
    return Fit.SAME if wide is expected else Fit.COARSE


def is_finite(value: Value) -> bool:
    """Whether the value is a number to compare with."""
    return isinstance(value, int) or math.isfinite(value)
