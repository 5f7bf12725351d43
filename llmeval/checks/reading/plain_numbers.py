"""A number as a value: a JSON number, or the text of one as programs write it."""

import math
import re

_PLAIN = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?")


def plain_number(value: object) -> float | None:
    """The number, or None for what is none: true, "1,200", "3 kg", an infinity. A template with
    text around its expression gives text, so the text "3" counts."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and _PLAIN.fullmatch(value.strip()):
        value = float(value)
    if not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None
