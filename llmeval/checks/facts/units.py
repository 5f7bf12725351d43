"""Units of measure: names and symbols to a dimension and a factor, so that 330 m, 0.33 km and 1,083 ft compare.

Factors are exact where defined so (SI Brochure, 9th ed.; NIST SP 811, appendix B). Money has one dimension a currency
and is never converted. A library of units was left out on purpose: this table is all a fact needs, and loads at once.
"""

from typing import NamedTuple

import regex


class Unit(NamedTuple):
    """`value * factor + offset` is the amount in the dimension's base unit."""

    dimension: str
    factor: float
    offset: float = 0.0
    name: str = ""

    def base(self, value: float) -> float:
        """The amount in the base unit."""
        return value * self.factor + self.offset


# dimension: {names, apart by "|", symbols among them: factor}. Names are folded stems (lower case, singular).
_TABLE: dict[str, dict[str, float]] = {
    "length": {
        "metre|meter|mètre|metro|metri|m": 1,
        "kilometre|kilometer|kilomètre|kilómetro|quilómetro|quilômetro|chilometro|chilometri|km|kms": 1000,
        "centimetre|centimeter|cm": 0.01,
        "millimetre|millimeter|mm": 0.001,
        "micrometre|micrometer|micron|µm|μm|um": 1e-6,
        "nanometre|nanometer|nm": 1e-9,
        "inch|inches|in|zoll|″": 0.0254,
        "foot|feet|ft|fuss|pied": 0.3048,
        "yard|yd": 0.9144,
        "mile|mi|meile": 1609.344,
        "nautical mile|nmi": 1852,
        "light year|lightyear|ly": 9.4607304725808e15,
        "astronomical unit": 1.495978707e11,
        "parsec|pc": 3.0856775814913673e16,
        "fathom": 1.8288,
        "furlong": 201.168,
    },
    "mass": {
        "kilogram|kilogramme|kilogramm|kilogramo|chilogrammo|chilogrammi|kilo|kg|kgs": 1,
        "gram|gramme|g": 0.001,
        "milligram|mg": 1e-6,
        "microgram|µg|μg|mcg": 1e-9,
        "tonne|metric ton|metric tonne|t": 1000,
        "ton|short ton": 907.18474,
        "pound|lb|lbs|pfund": 0.45359237,
        "ounce|oz": 0.028349523125,
        "stone": 6.35029318,
    },
    "time": {
        "second|sec|s|sekunde|seconde|segundo": 1,
        "millisecond|ms": 0.001,
        "microsecond|µs|μs": 1e-6,
        "nanosecond|ns": 1e-9,
        "minute|min|minuto": 60,
        "hour|hr|h|stunde|heure|hora|ora": 3600,
        "day|tag|jour|dia|giorno": 86400,
        "week|wk|woche|semaine|semana|settimana": 604800,
        "month|monat|mois|mese": 2629746,
        "year|yr|jahr|jahre|ans|annee|ano|anno": 31556952,
        "decade": 315569520,
        "century": 3155695200,
        "millennium|millennia": 31556952000,
    },
    "area": {
        "square metre|square meter|m2|m²|sq m|sqm": 1,
        "square kilometre|square kilometer|km2|km²|sq km|sqkm|quadratkilometer": 1e6,
        "square centimetre|square centimeter|cm2|cm²": 1e-4,
        "square foot|square feet|sq ft|sqft|ft2|ft²": 0.09290304,
        "square inch|square inches|sq in": 0.00064516,
        "square yard|sq yd": 0.83612736,
        "square mile|sq mi": 2589988.110336,
        "acre": 4046.8564224,
        "hectare|ha|hektar": 10000,
    },
    "volume": {
        "litre|liter|litro|litri|l|ltr": 1,
        "millilitre|milliliter|ml": 0.001,
        "centilitre|centiliter|cl": 0.01,
        "cubic metre|cubic meter|m3|m³": 1000,
        "cubic centimetre|cubic centimeter|cm3|cm³|cc": 0.001,
        "cubic kilometre|cubic kilometer|km3|km³": 1e12,
        "cubic foot|cubic feet|cu ft|ft3": 28.316846592,
        "gallon|us gallon|gal": 3.785411784,
        "imperial gallon": 4.54609,
        "quart|qt": 0.946352946,
        "pint|pt": 0.473176473,
        "fluid ounce|fl oz": 0.0295735295625,
        "cup": 0.2365882365,
        "barrel|bbl": 158.987294928,
    },
    "speed": {
        "metre per second|meter per second|m s|mps": 1,
        "kilometre per hour|kilometer per hour|km h|kph|kmh|km per hour": 1 / 3.6,
        "kilometre per second|kilometer per second|km s": 1000,
        "mile per hour|miles per hour|mph|mi h": 0.44704,
        "knot|kn|kt": 1852 / 3600,
        "foot per second|feet per second|ft s|fps": 0.3048,
    },
    "energy": {
        "joule|j": 1,
        "kilojoule|kj": 1000,
        "megajoule|mj": 1e6,
        "calorie|cal": 4.184,
        "kilocalorie|kcal": 4184,
        "watt hour|wh": 3600,
        "kilowatt hour|kwh": 3.6e6,
        "megawatt hour|mwh": 3.6e9,
        "gigawatt hour|gwh": 3.6e12,
        "terawatt hour|twh": 3.6e15,
        "electronvolt|ev": 1.602176634e-19,
    },
    "power": {"watt|w": 1, "kilowatt|kw": 1000, "megawatt|mw": 1e6, "gigawatt|gw": 1e9, "horsepower|hp": 745.69987},
    "pressure": {
        "pascal|pa": 1,
        "hectopascal|hpa": 100,
        "kilopascal|kpa": 1000,
        "megapascal|mpa": 1e6,
        "bar": 1e5,
        "millibar|mbar": 100,
        "atmosphere|atm": 101325,
        "psi": 6894.757293168,
        "mmhg": 133.322387415,
    },
    "frequency": {"hertz|hz": 1, "kilohertz|khz": 1e3, "megahertz|mhz": 1e6, "gigahertz|ghz": 1e9},
    "voltage": {"volt|v": 1, "millivolt|mv": 0.001, "kilovolt|kv": 1000},
    "current": {"ampere|amp": 1, "milliamp|ma": 0.001},
    "resistance": {"ohm|ω": 1},
    "force": {"newton": 1, "kilonewton|kn": 1000},
    "data": {
        "byte": 1,
        "kilobyte|kb": 1e3,
        "megabyte|mb": 1e6,
        "gigabyte|gb": 1e9,
        "terabyte|tb": 1e12,
        "kibibyte|kib": 1024,
        "mebibyte|mib": 1024**2,
        "gibibyte|gib": 1024**3,
        "bit": 0.125,
    },
    "angle": {"degree|°|grad|degre|grado": 1, "radian|rad": 57.29577951308232},
    "ratio": {
        "percent|per cent|percentage|pct|%|prozent|pourcent|pour cent|por ciento|por cento|per cento": 0.01,
        "permille|‰": 0.001,
        "ppm": 1e-6,
    },
    "points": {"percentage point": 1},
    "usd": {"$|us$|dollar|us dollar|usd": 1, "cent|¢": 0.01},
    "eur": {"€|euro|eur": 1},
    "gbp": {"£|pound sterling|gbp|quid": 1, "penny|pence|penny": 0.01},
    "jpy": {"¥|yen|jpy": 1},
    "inr": {"₹|rupee|inr": 1},
    "cny": {"yuan|renminbi|cny|rmb": 1},
    "krw": {"₩|south korean won|korean won|krw": 1},
    "rub": {"₽|rouble|ruble|rub": 1},
    "chf": {"swiss franc|chf": 1},
}
_TEMPERATURE = {
    "kelvin": Unit("temperature", 1, 0, "K"),
    "celsius|degree celsius|degree centigrade|centigrade|°c|° c|℃": Unit("temperature", 1, 273.15, "°C"),
    "fahrenheit|degree fahrenheit|°f|° f|℉": Unit("temperature", 5 / 9, 459.67 * 5 / 9, "°F"),
}


def _build() -> dict[str, Unit]:
    found = {
        name: Unit(dimension, float(factor), 0.0, names.split("|", 1)[0])
        for dimension, table in _TABLE.items()
        for names, factor in table.items()
        for name in names.split("|")
    }
    found.update({name: unit for names, unit in _TEMPERATURE.items() for name in names.split("|")})
    return found


_UNITS = _build()
MONEY = frozenset(["usd", "eur", "gbp", "jpy", "inr", "cny", "krw", "rub", "chf"])
# Symbols that are also words: a unit only where the text goes on with a mark, a bracket or its end.
_WORDLIKE = frozenset(["in", "s", "t"])
_GLUE = regex.compile(r"[\s\-/·.]+")


def _pattern() -> "regex.Pattern[str]":
    names = sorted(_UNITS, key=len, reverse=True)
    parts = (r"[\s\-/·.]{1,2}".join(regex.escape(part) for part in name.split()) for name in names)
    return regex.compile(rf"[\s\-‑–]?({'|'.join(parts)})(?:s|es|en|n)?(?![\p{{L}}\p{{N}}])", regex.IGNORECASE)


_AFTER = _pattern()
_BEFORE = regex.compile(r"(US\$|[$€£¥₹₩₽]|\b(?:USD|EUR|GBP|CHF|JPY|INR|CNY|RMB))\s?$")
_CLOSED = regex.compile(r"\s*(?:[.,;:)\]!?]|$)")


def unit_after(raw: str, at: int) -> tuple[Unit, int] | None:
    """The unit that starts at `at` (one space or hyphen may precede it), and where it ends."""
    match = _AFTER.match(raw, at, min(len(raw), at + 40))
    if match is None:
        return None
    name = match[1].casefold()
    if name in _WORDLIKE and (match.start(1) == at or not _CLOSED.match(raw, match.end())):
        return None
    unit = _UNITS.get(name) or _UNITS.get(_GLUE.sub(" ", name))
    return (unit, match.end()) if unit else None


def unit_before(raw: str, at: int) -> tuple[Unit, int] | None:
    """The currency sign that ends at `at`, and where it starts."""
    match = _BEFORE.search(raw, max(0, at - 5), at)
    return (_UNITS[match[1].casefold()], match.start()) if match else None


def unit_named(name: str) -> Unit | None:
    """The unit of a symbol or name as people write it (`km/h`, `square metres`, `°C`); None if unknown."""
    match = _AFTER.match(name.strip())
    if match is None or match.end() != len(name.strip()):
        return None
    key = match[1].casefold()
    return _UNITS.get(key) or _UNITS.get(_GLUE.sub(" ", key))
