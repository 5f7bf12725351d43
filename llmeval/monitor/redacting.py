"""Rows of traffic without personal data and secrets, by the forms that `no_pii` and `no_secrets`
know. Names and postal addresses stay: that takes a model of the language.
"""

import re
from functools import lru_cache

from msgspec import structs

from llmeval.checks.builtin.safety.privacy import personal_places
from llmeval.core.redaction import redact
from llmeval.monitor.traffic_row import TrafficRow

_KEY = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)",
    re.DOTALL,
)
"""The whole key: the form of `no_secrets` is its first line."""
REDACTED_METRICS = ("no_pii", "no_secrets")
"""Checks that would pass on every redacted answer."""


def redacted(row: TrafficRow) -> TrafficRow:
    """The row with a mark such as `[e-mail address]` instead of personal data and secrets.

    Raises:
        CheckError: a text is too long to be searched.
    """
    case = {key: value if key == "id" else _clean(value) for key, value in row.case.items()}
    answer = {key: value if key == "id" else _clean(value) for key, value in row.answer.items()}
    return structs.replace(row, case=case, answer=answer)


def _clean(value: object) -> object:
    if isinstance(value, str):
        return redacted_text(value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {str(_clean(key)): _clean(item) for key, item in value.items()}
    return value


def redacted_text(text: str) -> str:
    """The text with a mark instead of personal data, secrets of known forms, and secrets of this
    process.

    Raises:
        CheckError: the text is too long to be searched.
    """
    text = redact(text)
    if _KEY_HEAD in text:
        text = _KEY.sub("[private key]", text)
    if len(text) < _SHORTEST:
        return text
    places = _places_of_short(text) if len(text) <= _KEPT else personal_places(text)
    if not places:
        return text
    parts, end = [], 0
    for start, stop, what in places:
        if start < end:  # two forms share a part: the first mark covers both
            end = max(end, stop)
            continue
        parts += [text[end:start], f"[{what.removeprefix('an ').removeprefix('a ')}]"]
        end = stop
    return "".join([*parts, text[end:]])


@lru_cache(maxsize=1024)
def _places_of_short(text: str) -> tuple[tuple[int, int, str], ...]:
    """As `personal_places`: names of fields, system prompts, and the message that a row has twice
    are searched once.
    """
    return tuple(personal_places(text))


_KEY_HEAD = "-----BEGIN "
_KEPT = 2000
"""Longer texts, in characters, are not kept."""
_SHORTEST = 6
"""No form of personal data is shorter."""
