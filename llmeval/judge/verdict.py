"""A judge's reply, read strictly: one JSON object that follows the protocol's schema, or no verdict at all.

Nothing is repaired and nothing is searched for: a verdict found somewhere in prose may be one that the judge quotes
from the text it judges.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from llmeval.records import canonical_json

_FENCED = re.compile(r"\A```(?:json)?\s*\n(?P<body>.*)\n```\Z", re.S)
_LENGTHS = ("maxLength", "minLength")
MAX_CHARS = 100_000


class BadVerdict(ValueError):
    """The reply can't be used; the message says why, for the judge's second try and for people."""


def read_verdict(text: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The reply as an object that follows `schema` (lengths of texts aside: they bound generation only).

    Raises:
        BadVerdict: not exactly one JSON object, a key twice, or not as the schema says.
    """
    text = text.strip()
    if not text:
        raise BadVerdict("the reply is empty")
    if len(text) > MAX_CHARS:
        raise BadVerdict(f"the reply is longer than {MAX_CHARS} characters")
    fenced = _FENCED.match(text)
    try:
        value = json.loads(fenced["body"] if fenced else text, object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise BadVerdict(f"the reply is not one JSON object: {error}") from None
    if not isinstance(value, dict):
        raise BadVerdict(f"the reply is a JSON {type(value).__name__}, not an object")
    problem = next(iter(_validator(canonical_json(schema)).iter_errors(value)), None)
    if problem is not None:
        where = ".".join(str(part) for part in problem.instance_path)
        raise BadVerdict(f"{where + ': ' if where else ''}{problem.message}")
    return value


@lru_cache(maxsize=64)
def _validator(schema: bytes) -> Any:
    import jsonschema_rs

    return jsonschema_rs.validator_for(_without_lengths(json.loads(schema)), retriever=_no_fetch)


def _without_lengths(schema: Any) -> Any:
    if isinstance(schema, dict):
        named = schema.get("type") == "string"
        return {key: _without_lengths(part) for key, part in schema.items() if not (named and key in _LENGTHS)}
    return [_without_lengths(part) for part in schema] if isinstance(schema, list) else schema


def _no_fetch(uri: str) -> Any:
    raise ValueError(f"references to other documents are not followed: {uri}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        raise ValueError("a key stands twice")
    return result


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
