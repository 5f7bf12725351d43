"""Converts values to ones that JSON and UTF-8 can hold. Pure; imports nothing else of llmeval."""

import math
import re
from collections.abc import Mapping
from typing import Any

import msgspec

_SURROGATE = re.compile("[\ud800-\udfff]")
_DEEPEST = 100


def clean_text(text: str) -> str:
    """The text with lone surrogates replaced by U+FFFD, so that it can be written as UTF-8."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def plain(value: object, depth: int = _DEEPEST) -> Any:
    """The value as JSON can hold it: texts cleaned, integers beyond 64 bits as text, NaN and
    infinities as None, other objects as their text. Values nested deeper than `depth` are left out.
    """
    if isinstance(value, str):
        return clean_text(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else clean_text(_digits(value))
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth == 0:
        return None
    if isinstance(value, msgspec.Struct):
        value = msgspec.structs.asdict(value)
    if isinstance(value, Mapping):
        return {clean_text(str(key)): plain(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item, depth - 1) for item in value]
    return clean_text(str(value))


def _digits(value: int) -> str:
    """An integer as text. Python refuses to write more than 4,300 digits; then the text is its
    size.
    """
    try:
        return str(value)
    except ValueError:
        return f"an integer of {value.bit_length()} bits"
