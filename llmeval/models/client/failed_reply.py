"""The error for an unsuccessful reply, from its status and body: slow down, try
again, or give up.
"""

import json
import re
from collections.abc import Mapping

from llmeval.core.errors import ModelError, Retryable
from llmeval.core.records import to_json
from llmeval.core.redaction import redact
from llmeval.models.blocked import blocked_words
from llmeval.models.client.status import status_error

_LONGEST_MESSAGE = 300
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]+")
"""Blanks, control characters, and characters that change the direction of the text."""
_TITLE = re.compile(rb"<title[^>]*>(.{0,200}?)</title", re.IGNORECASE | re.DOTALL)
_PAGE = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)


def failure(host: str, status: int, headers: Mapping[str, str], body: bytes) -> ModelError:
    """The error for one unsuccessful reply.

    Args:
        host: who replied, for the message.
        status: the HTTP status, or the status that an error object in a reply of status 200 names.
        headers: the reply's headers; names in lower case, unless the mapping ignores case.
        body: the whole body; its text about the error goes into the message.
    """
    parsed = _parsed(body)
    blocked = blocked_words(parsed)
    message = f"{host}: HTTP {status}: {_message(parsed, body)}"
    if blocked is not None:
        return ModelError(f"{host}: HTTP {status}: {blocked}", kind="blocked")
    return status_error(message, status, headers, body)


def stated_failure(host: str, how: str, error: object) -> ModelError:
    """The error for a reply of status 200 that contains an error. A numeric code counts as the HTTP
    status.

    Args:
        host: who replied, for the message.
        how: the place of the error in the reply, for the message.
        error: the error object, or its text; empty if the reply has none.
    """
    withheld = blocked_words(error)
    if withheld is not None:
        return ModelError(f"{host}: {withheld}", kind="blocked")
    code = error.get("code") if isinstance(error, dict) else None
    if not isinstance(code, bool) and isinstance(code, int | float | str):
        status = next(
            (status for status in range(400, 600) if str(code) in (f"{status}", f"{status}.0")),
            None,
        )
        if status is not None:
            return failure(f"{host}: {how}", status, {}, to_json({"error": error}))
    words = error_message(error) if error else ""
    return Retryable(f"{host}: the endpoint broke off ({how}){': ' + words if words else ''}")


def states_error(error: object) -> bool:
    """Whether the value under `error` reports a failure: a text, or an object or a list that is not
    blank.

    `null`, `false`, `{}` and `{"code": null, "message": ""}` report none. A number may be a
    measurement.
    """
    if isinstance(error, dict):
        return any(value not in (None, "", 0, False) for value in error.values())
    return error is True or (isinstance(error, str | list) and bool(error))


def one_line(text: str) -> str:
    """The text on one line without control characters, 300 characters at most."""
    # secrets are replaced first: the beginning of a key is a secret too
    return _BLANKS.sub(" ", redact(text)[: 20 * _LONGEST_MESSAGE]).strip()[:_LONGEST_MESSAGE]


def page_title(body: bytes) -> str | None:
    """The title of a web page, empty without a title; None for any other body."""
    if not _PAGE.match(body[:1000]):
        return None
    title = _TITLE.search(body[:20_000])
    return one_line(title[1].decode("utf-8", "replace")) if title else ""


def error_message(error: object) -> str:
    """The text of an error object on one line. Endpoints write a text, {message}, {error:
    {message}}, {detail}, or a list with one of these.
    """
    for _ in range(4):
        if isinstance(error, list) and len(error) == 1:
            error = error[0]
        elif isinstance(error, dict):
            inner = next(
                (error[key] for key in ("error", "message", "detail") if error.get(key)), None
            )
            if inner is None:
                break
            error = inner
        else:
            break
    if isinstance(error, str):
        return one_line(error)
    try:
        return one_line(json.dumps(error, ensure_ascii=False))
    except (ValueError, TypeError, RecursionError):
        return "an error that can't be shown"


def _parsed(body: bytes) -> object:
    """The body as JSON; None if it is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _message(parsed: object, body: bytes) -> str:
    """The endpoint's own words."""
    if parsed is not None:
        return error_message(parsed)
    title = page_title(body)
    if title is not None:
        return f"a web page: {title}" if title else "a web page"
    return one_line(body[: 20 * _LONGEST_MESSAGE].decode("utf-8", "replace")) or "(empty body)"
