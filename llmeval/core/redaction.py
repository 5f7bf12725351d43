"""Secrets of this process: values that may not appear in any record, report, message or cache.

Suites and models add their secrets with `hide`. Everything that writes asks `redact` for the text
to write. The values are kept for the process, so that also a message about a suite that could not
be loaded is without them.
"""

import base64
import json
import re
from collections.abc import Callable, Iterable
from urllib.parse import quote, quote_plus

import msgspec

HIDDEN = "***"
MIN_LENGTH = 8
"""Shorter values are not replaced in texts: they occur in ordinary words."""

_values: set[str] = set()
_pattern: re.Pattern[str] | None = None
_encoded: re.Pattern[bytes] | None = None


def hide(values: Iterable[str]) -> None:
    """Add secrets. Their forms in URLs, in JSON and in basic authentication count too."""
    global _pattern, _encoded
    new = {form for value in values for form in _forms(value) if len(form) >= MIN_LENGTH} - _values
    if not new:
        return
    _values.update(new)
    longest_first = sorted(_values, key=len, reverse=True)
    _pattern = re.compile("|".join(map(re.escape, longest_first)))
    _encoded = re.compile(
        b"|".join(re.escape(each.encode(errors="surrogatepass")) for each in longest_first)
    )


def forget() -> None:
    """Remove all secrets (for tests)."""
    global _pattern, _encoded
    _values.clear()
    _pattern = _encoded = None


def redact(text: str) -> str:
    """The text with `***` instead of each secret."""
    return text if _pattern is None else _pattern.sub(HIDDEN, text)


def redactor(secrets: Iterable[str]) -> Callable[[str], str]:
    """A function that puts `***` in place of these secrets, also of short ones.

    Args:
        secrets: the longest first, where one contains another.
    """
    values = tuple(secrets)

    def redact_these(text: str) -> str:
        for value in values:
            text = text.replace(value, HIDDEN)
        return text

    return redact_these


def has_secret(data: bytes) -> bool:
    """Whether a text in UTF-8, or JSON, contains a secret."""
    return _encoded is not None and _encoded.search(data) is not None


def redact_record(record: bytes) -> bytes:
    """One JSON value with `***` instead of the secrets in its texts."""
    if not has_secret(record):
        return record
    return msgspec.json.encode(redact_value(msgspec.json.decode(record)))


def redact_value(value: object) -> object:
    """JSON with `***` instead of the secrets in its texts. A text that is one plain word (such as
    `complete`) stays, because it may be a value that the format defines.
    """
    if isinstance(value, str):
        return value if value.isalpha() and value.islower() else redact(value)
    if isinstance(value, list | tuple):
        return [redact_value(item) for item in value]
    if isinstance(value, dict):
        return {str(redact_value(key)): redact_value(item) for key, item in value.items()}
    return value


def _forms(value: str) -> set[str]:
    forms = {value, quote(value, safe=""), quote(value), quote_plus(value)}
    forms.add(json.dumps(value)[1:-1])
    forms.add(json.dumps(value, ensure_ascii=False)[1:-1])
    if ":" in value:
        forms.add(base64.b64encode(value.encode(errors="surrogatepass")).decode())
    return forms
