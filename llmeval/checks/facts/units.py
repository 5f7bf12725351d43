"""Units of measure: names and symbols to a dimension and a factor, so that 330 m, 0.33 km and 1,083
ft compare.

Factors are exact where defined so (SI Brochure, 9th ed.; NIST SP 811, appendix B). Money has one
dimension a currency and is never converted. A library of units was left out on purpose: this table
is all a fact needs, and loads at once.
"""

from typing import NamedTuple

import regex

from llmeval.checks.facts.han_units import HAN_UNITS
from llmeval.checks.facts.temperature_names import CELSIUS, FAHRENHEIT, KELVIN


class MeasurementUnit(NamedTuple):
    """`value * factor + offset` is the amount in the dimension's base unit."""

    dimension: str
    factor: float
    offset: float = 0.0
    name: str = ""

    def base(self, value: float) -> float:
        """The amount in the base unit."""
        return value * self.factor + self.offset


# dimension: {names, apart by "|", symbols among them: factor}. Names are folded stems (lower case,
# singular).
_TABLE: dict[str, dict[str, float]] = {
    "length": {
        "metre|meter|mètre|metro|metri|m": 1,
        "kilometre|kilometer|kilomètre|kilómetro|quilómetro|quilômetro|chilometro|chilometri|km"
        "|kms": 1000,
        "centimetre|centimeter|centímetro|centimetro|centimetri|zentimeter|cm": 0.01,
        "millimetre|millimeter|milímetro|millimetro|millimetri|mm": 0.001,
        "micrometre|micrometer|micron|µm|μm|um": 1e-6,
        "nanometre|nanometer|nm": 1e-9,
        "inch|inches|in|zoll|″": 0.0254,
        "foot|feet|ft|fuss|pied": 0.3048,
        "yard|yd": 0.9144,
        "mile|mi|meile": 1609.344,
        "nautical mile|nmi": 1852,
        "light year|lightyear|lichtjahr|annee lumiere|ano luz|ly": 9.4607304725808e15,
        "astronomical unit|au": 1.495978707e11,
        "parsec|pc": 3.0856775814913673e16,
        "fathom": 1.8288,
        "furlong": 201.168,
    },
    "mass": {
        "kilogram|kilogramme|kilogramm|kilogramo|chilogrammo|chilogrammi|quilograma|quilo|kilo|kg"
        "|kgs": 1,
        "gram|gramme|gramm|gramo|grammo|grammi|grama|g": 0.001,
        "milligram|milligramme|milligramm|miligramo|milligrammo|milligrammi|miligrama|mg": 1e-6,
        "microgram|µg|μg|mcg": 1e-9,
        "quintal|quintale|quintali": 100,
        "tonne|metric ton|metric tonne|t": 1000,
        "ton|short ton": 907.18474,
        "pound|pfund": 0.45359237,
        "lb|lbs": 0.45359237,
        "ounce|oz": 0.028349523125,
        "stone": 6.35029318,
    },
    "time": {
        "second|sec|s|sekunde|seconde|segundo|secondo|secondi|seconden": 1,
        "millisecond|ms": 0.001,
        "microsecond|µs|μs": 1e-6,
        "nanosecond|ns": 1e-9,
        "minute|min|minuto|minuti|minuut|minuten": 60,
        "hour|hr|h|stunde|heure|hora|ora|ore|uur": 3600,
        "day|tag|tage|tagen|jour|dia|día|giorno|giorni|dag|dagen": 86400,
        "week|wk|woche|semaine|semana|settimana|settimane|weken": 604800,
        "month|monat|mois|mese|mesi|mes|meses|mês|maand|maanden": 2629746,
        "year|yr|jahr|jahre|an|ans|annee|année|ano|año|anno|anni|jaar|jaren": 31556952,
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
        "hectare|ha|hektar|ettaro|ettari|hectárea|hectarea|hectares": 10000,
    },
    "volume": {
        "litre|liter|litro|litri|l|ltr": 1,
        "millilitre|milliliter|mililitro|millilitro|millilitri|ml": 0.001,
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
        "kilometre per hour|kilometer per hour|km h|kph|kmh|km per hour|stundenkilometer"
        "|kilometer pro stunde|kilometre par heure|kilometro por hora|quilometro por hora"
        "|chilometro all ora|chilometri all ora|chilometri orari|kilometer per uur": 1 / 3.6,
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
    "power": {
        "watt|w": 1,
        "kilowatt|kw": 1000,
        "megawatt|mw": 1e6,
        "gigawatt|gw": 1e9,
        "horsepower|hp": 745.69987,
    },
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
    "current": {"ampere|amp|a": 1, "milliampere|milliamp|ma": 0.001},
    "charge": {
        "ampere hour|amp hour|ah": 3600,
        "milliampere hour|milliamp hour|mah": 3.6,
        "coulomb": 1,
    },
    "level": {"decibel|db": 1, "db a|dba": 1},
    "substance": {"mole|mol": 1, "millimole|mmol": 0.001},
    "light": {"lumen|lm": 1},
    "luminance": {"lux|lx": 1},
    "concentration": {"milligram per deciliter|milligram per decilitre|mg dl": 1},
    "fuel": {"mile per gallon|miles per gallon|mpg": 1},
    "resistance": {"ohm|ω": 1},
    "force": {"newton": 1, "pound force|lbf": 4.4482216152605, "kilonewton": 1000},
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
        "percent|per cent|percentage|pct|%|prozent|pourcent|pour cent|por ciento|por cento|per "
        "cento": 0.01,
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
    "chf": {"swiss franc|chf|sfr": 1},
    "aud": {"australian dollar|aud|a$|au$": 1},
    "cad": {"canadian dollar|cad|c$|ca$": 1},
    "nzd": {"new zealand dollar|nzd|nz$": 1},
    "hkd": {"hong kong dollar|hkd|hk$": 1},
    "sgd": {"singapore dollar|sgd|s$": 1},
    "brl": {"real|reais|brl|r$": 1},
    "mxn": {"mexican peso|mxn|mx$": 1},
    "sek": {"swedish krona|swedish kronor|sek": 1},
    "nok": {"norwegian krone|norwegian kroner|nok": 1},
    "dkk": {"danish krone|danish kroner|dkk": 1},
    "krona": {"kr|krona|kronor|krone|kroner": 1},
    "pln": {"zloty|zł|pln": 1},
    "czk": {"czech crown|czech koruna|kč|czk": 1},
    "try": {"turkish lira|₺|try": 1},
    "ils": {"shekel|₪|ils": 1},
    "zar": {"south african rand|rand|zar": 1},
    "thb": {"baht|฿|thb": 1},
    "vnd": {"dong|₫|vnd": 1},
    "btc": {"bitcoin|btc|₿": 1},
}
_TEMPERATURE = {
    "|".join(KELVIN): MeasurementUnit("temperature", 1, 0, "K"),
    "|".join(CELSIUS): MeasurementUnit("temperature", 1, 273.15, "°C"),
    "|".join(FAHRENHEIT): MeasurementUnit("temperature", 5 / 9, 459.67 * 5 / 9, "°F"),
}
# Symbols that differ by case alone: mW and MW, kn (knots) and kN, K and k. Read before the names.
_CASED = {
    "N": "newton",
    "kN": "kilonewton",
    "kn": "knot",
    "K": "kelvin",
    "mW": "milliwatt",
    "MW": "megawatt",
    "mV": "millivolt",
    "MV": "megavolt",
    "mPa": "millipascal",
    "MPa": "megapascal",
    "mJ": "millijoule",
    "MJ": "megajoule",
    "mHz": "millihertz",
    "MHz": "megahertz",
    "Mb": "megabit",
    "MB": "megabyte",
    "Gb": "gigabit",
    "GB": "gigabyte",
    "kb": "kilobit",
    "kB": "kilobyte",
    "KB": "kilobyte",
    "Tb": "terabit",
    "TB": "terabyte",
    "Mbit": "megabit",
    "Gbit": "gigabit",
    "Mg": "tonne",
    "A": "ampere",
    "V": "volt",
    "W": "watt",
    "J": "joule",
    "Nm": "newton metre",
    "nm": "nanometre",
    "Pa": "pascal",
    "C": "",
    "F": "",
    "M": "",
    "G": "",
    "T": "tesla",
    "S": "siemens",
    "H": "henry",
    "a": "",
    "an": "",
    "ma": "",
    "In": "",
    "real": "",
    "try": "",
    "At": "",
    "Au": "",
    "Min": "",
    "Mai": "",
    "Mol": "",
    "Bar": "",
    "Tag": "day",
}
_EXTRA: dict[str, dict[str, float]] = {
    "power": {"milliwatt": 0.001},
    "voltage": {"megavolt": 1e6},
    "pressure": {"millipascal": 0.001},
    "energy": {"millijoule": 0.001},
    "frequency": {"millihertz": 0.001},
    "data": {"megabit": 125e3, "gigabit": 125e6, "kilobit": 125, "terabit": 125e9},
    "acceleration": {"metre per second squared|meter per second squared|m s2|m s²": 1},
    "data rate": {
        "bit per second|bit s": 1,
        "kilobit per second|kbps|kbit s": 1e3,
        "megabit per second|mbps|mbit s": 1e6,
        "gigabit per second|gbps|gbit s": 1e9,
    },
    "torque": {"newton metre|newton meter": 1},
    "flux": {"tesla": 1},
    "conductance": {"siemens": 1},
    "inductance": {"henry": 1},
}


def _build() -> dict[str, MeasurementUnit]:
    result = {
        name: MeasurementUnit(dimension, float(factor), 0.0, names.split("|", 1)[0])
        for source in (_TABLE, _EXTRA)
        for dimension, table in source.items()
        for names, factor in table.items()
        for name in names.split("|")
    }
    result.update({name: unit for names, unit in _TEMPERATURE.items() for name in names.split("|")})
    return result


_UNITS = _build()
MONEY = frozenset(unit for unit in _TABLE if len(unit) == 3 and unit not in ("inr",)) | {
    "inr",
    "krona",
}
SMALLER = {
    "hour": _UNITS["minute"],
    "minute": _UNITS["second"],
    "foot": _UNITS["inch"],
    "metre": _UNITS["centimetre"],
    "pound": _UNITS["ounce"],
    "lb": _UNITS["ounce"],
    "stone": _UNITS["pound"],
}
"""In which unit a number without one goes on: 2h30, 6 foot 2."""
# Symbols that are also words: a unit only where the text goes on with a mark, a bracket or its end.
_WORDLIKE = frozenset(
    ["in", "s", "t", "a", "an", "au", "c", "f", "real", "level", "stone", "cup", "bar"]
)
_GLUE = regex.compile(r"[\s\-/·.]+")


def _pattern() -> "regex.Pattern[str]":
    names = sorted(
        {*_UNITS, *(symbol for symbol, name in _CASED.items() if name)}, key=len, reverse=True
    )
    plural = r"(?:s|es|en|n)?"
    parts = (r"(?:s)?[\s\-/·.]{1,3}".join(regex.escape(p) for p in name.split()) for name in names)
    return regex.compile(
        rf"[\s\-‑–]?({'|'.join(parts)}){plural}(?![\p{{L}}\p{{N}}])", regex.IGNORECASE
    )


_HAN_AFTER = regex.compile(rf"\s?({'|'.join(sorted(HAN_UNITS, key=len, reverse=True))})(?!国|國)")
_AFTER = _pattern()
_BEFORE = regex.compile(
    r"((?:US|AU|A|CA|C|NZ|HK|S|R|MX)?\$|[€£¥₹₩₽₺₪₫₿]|\b(?:USD|EUR|GBP|CHF|JPY|INR|CNY|RMB|AUD|CAD"
    r"|NZD|SEK|NOK|DKK|PLN|kr))\s?$"
)
_TONNE_CLOSED = regex.compile(r"\s*(?:[.,;:)\]!?]|$)|\s(?:to|and|of|or|in|per|by|a)\b")
_CLOSED = regex.compile(r"\s*(?:[.,;:)\]!?]|$)")


def unit_after(raw: str, at: int) -> tuple[MeasurementUnit, int] | None:
    """The unit that starts at `at` (one space or hyphen may precede it), and where it ends."""
    if at < len(raw) and not raw[at : at + 2].isascii():
        han = _HAN_AFTER.match(raw, at, at + 12)
        if han is not None:
            return _UNITS[HAN_UNITS[han[1]]], han.end()
    match = _AFTER.match(raw, at, min(len(raw), at + 40))
    if match is None:
        return None
    unit = _lookup(match[1])
    if unit is None:
        return None
    if match[1].casefold() in _WORDLIKE and match[1] not in ("A", "AU"):
        closed = _TONNE_CLOSED if match[1] == "t" else _CLOSED
        if match.start(1) == at or not closed.match(raw, match.end()):
            return None
    return unit, match.end()


def _lookup(written: str) -> MeasurementUnit | None:
    """The unit by its symbol, then by its name, with plural forms of its parts."""
    if written in _CASED:
        return _UNITS.get(_CASED[written])
    name = written.casefold()
    unit = _UNITS.get(name) or _UNITS.get(_GLUE.sub(" ", name))
    if unit is None:
        *parts, last = _GLUE.sub(" ", name).split()
        parts = [p[:-1] if p.endswith("s") and len(p) > 2 else p for p in parts]
        unit = _UNITS.get(" ".join([*parts, last])) or _UNITS.get(
            " ".join([*parts, last.removesuffix("s")])
        )
    return unit


def unit_before(raw: str, at: int) -> tuple[MeasurementUnit, int] | None:
    """The currency sign that ends at `at`, and where it starts."""
    match = _BEFORE.search(raw, max(0, at - 5), at)
    return (_UNITS[match[1].casefold()], match.start()) if match else None


def unit_named(name: str) -> MeasurementUnit | None:
    """The unit of a symbol or name as people write it (`km/h`, `square metres`, `°C`); None if
    unknown."""
    match = _AFTER.match(name.strip())
    return _lookup(match[1]) if match is not None and match.end() == len(name.strip()) else None
