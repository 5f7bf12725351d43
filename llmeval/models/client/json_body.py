"""Reads the JSON of a reply's body, with tolerance for common deviations."""

import json
import re
from typing import Any

import msgspec

from llmeval.core.errors import ModelError, Unreadable
from llmeval.models.client.failed_reply import one_line, page_title

_BOM = b"\xef\xbb\xbf"
_COMMENTS = re.compile(rb"(?:\s*:[^\n]*\n)+\s*")
"""Comment lines of an event stream (WHATWG HTML section 9.2), which gateways send to keep a
connection open.
"""
_PEEK = 120


def read_json(host: str, body: bytes, content_type: str = "") -> Any:
    """A body as plain JSON values. A byte order mark, NaN and halves of surrogate pairs are
    accepted; the caller replaces them.

    Raises:
        ModelError: a web page, or JSON that is nested too deeply: another attempt would give the
            same.
        Unreadable: not JSON, or not UTF-8 (RFC 8259 section 8.1): worth one more attempt.
    """
    try:
        return msgspec.json.decode(body)
    except RecursionError:
        raise ModelError(f"{host}: the reply's JSON is nested too deeply") from None
    except (ValueError, OverflowError) as error:
        problem = str(error)
    data = body.removeprefix(_BOM)
    comments = _COMMENTS.match(data)
    try:
        text = data[comments.end() if comments else 0 :].decode()
        return json.loads(text)
    except UnicodeDecodeError as error:
        declared = f" ({content_type})" if content_type else ""
        raise Unreadable(
            f"{host}: the reply is not UTF-8, as JSON must be: byte 0x{data[error.start]:02x} at"
            f" {error.start}{declared}"
        ) from None
    except RecursionError:
        raise ModelError(f"{host}: the reply's JSON is nested too deeply") from None
    except ValueError:
        raise _not_json(host, body, content_type, problem) from None


def peek(body: bytes) -> str:
    """The beginning of a body, for a message."""
    return repr(one_line(body[:_PEEK].decode("utf-8", "replace")))


def _not_json(host: str, body: bytes, content_type: str, problem: str) -> ModelError:
    if not body.strip():
        return Unreadable(f"{host}: the reply is empty")
    title = page_title(body)
    if title is not None or content_type == "text/html":
        return ModelError(
            f"{host}: the reply is a web page ({content_type or 'no content type'}), not JSON:"
            f" {title or peek(body)}. Check the address, and whether a proxy asks for a login."
        )
    return Unreadable(f"{host}: the reply is not JSON ({problem}): {peek(body)}")
