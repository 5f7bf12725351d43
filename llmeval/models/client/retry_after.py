"""The wait that an endpoint states in its headers or in the text of its error.

Headers have several forms: Retry-After (RFC 9110 section 10.2.3: seconds or a date),
`retry-after-ms` (Azure), `x-ratelimit-reset-requests: 6m0s` (OpenAI, Groq),
`anthropic-ratelimit-tokens-reset: 2026-11-30T12:00:00Z`, `X-RateLimit-Reset: 1780000000` (epoch
seconds; OpenRouter sends milliseconds), `RateLimit: limit=20, remaining=0, reset=30` (IETF draft
ratelimit-headers).
"""

import email.utils
import math
import re
import time
from collections.abc import Iterator, Mapping
from datetime import datetime

LONGEST = 32 * 86_400.0
"""Seconds. A wait that is longer than a month's quota needs is a fault of the server: ignored."""
_EPOCH_SECONDS, _EPOCH_MILLISECONDS = 1e9, 1e12
"""A larger number is a point in time, not a duration."""

_UNITS = {
    "ms": 0.001,
    "msec": 0.001,
    "msecs": 0.001,
    "millisecond": 0.001,
    "milliseconds": 0.001,
    "s": 1,
    "sec": 1,
    "secs": 1,
    "second": 1,
    "seconds": 1,
    "秒": 1,
    "秒钟": 1,
    "m": 60,
    "min": 60,
    "mins": 60,
    "minute": 60,
    "minutes": 60,
    "分钟": 60,
    "h": 3600,
    "hr": 3600,
    "hrs": 3600,
    "hour": 3600,
    "hours": 3600,
    "小时": 3600,
    "d": 86400,
    "day": 86400,
    "days": 86400,
    "天": 86400,
}
_UNIT = "|".join(sorted(_UNITS, key=len, reverse=True))
_PART = re.compile(rf"(\d+(?:\.\d+)?)\s*({_UNIT})", re.IGNORECASE)
_DURATION = rf"(?:\d+(?:\.\d+)?\s*(?:{_UNIT})(?![a-z])(?:\s*(?:,|and)?\s*))+"
_WHOLE = re.compile(_DURATION.replace("(?![a-z])", ""), re.IGNORECASE)
_CLOCK = r"\d{1,3}:\d\d:\d\d"
_WAIT_AFTER_VERB = re.compile(
    r"(?:try(?:ing)?(?:\s+it)?\s+again|retry(?:ing)?|wait|available(?:\s+again)?|resets?"
    r"|replenished|重试)"
    rf"[\s:]*(?:in|after|for|at\s+least)?\s*(?:about|another|approximately|~)?\s*({_CLOCK}"
    rf"|{_DURATION})",
    re.IGNORECASE,
)
_WAIT_BEFORE_VERB = re.compile(
    rf"(?:in|after|请在?|于)\s*({_DURATION})\s*(?:后|后再试|后重试)", re.IGNORECASE
)
_FIELDS = frozenset(
    ["retrydelay", "retryafter", "retryafterseconds", "retryafterms", "retryinseconds"]
)
_DEPTH = 6


def retry_after(
    headers: Mapping[str, str], body: object, text: str, now: float | None = None
) -> float | None:
    """Seconds to wait before the next request; None if the endpoint states no wait, or an
    impossible one.

    The most specific source comes first: Retry-After, then the text and fields of the body, then
    the reset of a limit.

    Args:
        headers: the reply's headers.
        body: the reply's JSON, or None.
        text: the text of the error.
        now: seconds since the epoch.
    """
    now = time.time() if now is None else now
    lower = {name.lower(): value for name, value in headers.items()}
    for name, scale in (
        ("retry-after-ms", 0.001),
        ("x-ms-retry-after-ms", 0.001),
        ("retry-after", 1.0),
    ):
        if name in lower and (seconds := _header(lower[name], scale, now)) is not None:
            return seconds
    candidates = (
        _field(body, now),
        _in_words(text),
        _reset(lower, now),
        _reset(_inner_headers(body), now),
    )
    return next((seconds for seconds in candidates if seconds is not None), None)


def duration(text: str) -> float | None:
    """Seconds of a duration such as `12s`, `1m30s`, `250ms` or `6 hr 29 min`; None for anything
    else."""
    if not _WHOLE.fullmatch(text):
        return None
    return _sane(sum(float(number) * _UNITS[unit.lower()] for number, unit in _PART.findall(text)))


def _header(value: str, scale: float, now: float) -> float | None:
    """Seconds from a header: a number, a point in time, a duration or a date."""
    value = value.strip().strip('"')
    try:
        number = float(value)
    except ValueError:
        return duration(value) if (seconds := _date(value)) is None else _sane(seconds - now)
    if scale == 1 and number >= _EPOCH_MILLISECONDS:
        return _sane(number / 1000 - now)
    if scale == 1 and number >= _EPOCH_SECONDS:
        return _sane(number - now)
    return _sane(number * scale)


def _date(value: str) -> float | None:
    """Seconds since the epoch of a date by RFC 9110 or RFC 3339."""
    for read in (email.utils.parsedate_to_datetime, datetime.fromisoformat):
        try:
            return read(value).timestamp()
        except (ValueError, TypeError, OverflowError, OSError):
            continue
    return None


def _sane(seconds: float) -> float | None:
    return seconds if math.isfinite(seconds) and 0 <= seconds <= LONGEST else None


def _reset(headers: Mapping[str, str], now: float) -> float | None:
    """The reset of the limits that are used up. If no header states the remaining requests, the
    earliest reset: a later one may belong to a limit that was not reached.
    """
    spent: list[float] = []
    others: list[float] = []
    for name, value in headers.items():
        if "ratelimit" not in name.replace("rate-limit", "ratelimit"):
            continue
        if name == "ratelimit":
            left, wait = _listed(value, "remaining", "r"), _listed(value, "reset", "t")
            seconds = None if wait is None else _sane(wait)
        elif "reset" in name:
            left = _number(headers.get(name.replace("reset", "remaining"), ""))
            seconds = _header(value, 1.0, now)
        else:
            continue
        if seconds is None or (left is not None and left > 0):
            continue
        (others if left is None else spent).append(seconds)
    return max(spent) if spent else min(others, default=None)


def _listed(value: str, *names: str) -> float | None:
    """A number from `limit=20, remaining=0, reset=30` or `"default";r=0;t=30`."""
    match = re.search(rf"\b(?:{'|'.join(names)})\s*=\s*(\d+(?:\.\d+)?)", value)
    return None if match is None else float(match[1])


def _number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def _in_words(text: str) -> float | None:
    """From words such as "Please try again in 6m0s", "wait 30 seconds before retrying",
    "replenished in 06:12:32"."""
    match = _WAIT_AFTER_VERB.search(text) or _WAIT_BEFORE_VERB.search(text)
    if match is None:
        return None
    if re.fullmatch(_CLOCK, match[1]):
        hours, minutes, seconds = map(int, match[1].split(":"))
        return _sane(3600.0 * hours + 60 * minutes + seconds)
    return _sane(
        sum(float(number) * _UNITS[unit.lower()] for number, unit in _PART.findall(match[1]))
    )


def _field(body: object, now: float) -> float | None:
    """From fields such as Gemini's `retryDelay: "22s"` or `retry_after: 20`."""
    for key, value in _fields(body, _DEPTH):
        if key in _FIELDS and isinstance(value, str | int | float) and not isinstance(value, bool):
            scale = 0.001 if key.endswith("ms") else 1.0
            if (seconds := _header(str(value), scale, now)) is not None:
                return seconds
    return None


def _fields(value: object, depth: int) -> Iterator[tuple[str, object]]:
    """All (key, value) of nested objects, the key in lower case without `_` and `-`."""
    if depth == 0:
        return
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key).lower().replace("_", "").replace("-", ""), inner
            yield from _fields(inner, depth - 1)
    elif isinstance(value, list):
        for inner in value[:20]:
            yield from _fields(inner, depth - 1)


def _inner_headers(body: object) -> dict[str, str]:
    """Headers of the provider behind a gateway, which OpenRouter writes into the body:
    `metadata: {headers: {...}}`."""
    for key, value in _fields(body, _DEPTH):
        if key == "headers" and isinstance(value, Mapping):
            return {str(name).lower(): str(content) for name, content in value.items()}
    return {}
