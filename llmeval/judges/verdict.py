"""A strict reader of a judge's reply: one JSON object that follows the protocol's schema, or no
verdict.

Nothing is repaired, and prose is not searched: a verdict somewhere in prose may be a quote from the
text that is judged. Two wrappings are removed, because all models of some vendors write them: a
leading <think> block, and one code fence around all the rest.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from llmeval.core.records import canonical_json

_THOUGHTS = re.compile(
    r"\A\s*<(?P<tag>think|thinking)>(?P<thoughts>.*?)</(?P=tag)>", re.DOTALL | re.IGNORECASE
)
"""A leading <think> block up to its first end tag. If the judge quotes an end tag from the text it
judges, words remain before the JSON, and the reply is refused.
"""
_FENCED = re.compile(
    r"\A(?P<fence>```|~~~)[ \t]*(?:json[c5]?)?[ \t]*\n(?P<body>.*)\n[ \t]*(?P=fence)\Z",
    re.DOTALL | re.IGNORECASE,
)
_LENGTHS = ("maxLength", "minLength")
MAX_CHARS = 100_000


class BadVerdict(ValueError):
    """The reply can't be used; the message says why, for the judge's next try and for people."""


class Unwrapped(NamedTuple):
    """A reply without its wrappings."""

    body: str
    reasoning: str | None
    """The text of its leading <think> block; None without one."""


def unwrapped(text: str) -> Unwrapped:
    """The reply without one leading <think> block and one code fence around all the rest."""
    thoughts = _THOUGHTS.match(text)
    body = (text[thoughts.end() :] if thoughts else text).strip()
    fenced = _FENCED.match(body)
    return Unwrapped(
        fenced["body"] if fenced else body, thoughts["thoughts"].strip() if thoughts else None
    )


def read_verdict(text: str, schema: Mapping[str, object]) -> dict[str, Any]:
    """The reply as an object that follows `schema`. Limits on the lengths of texts are not checked:
    they are only for generation.

    Raises:
        BadVerdict: not exactly one JSON object, a duplicate key, or an object that does not follow
            the schema.
    """
    body, reasoning = unwrapped(text)
    if not body:
        raise BadVerdict(
            "the reply is empty" if reasoning is None else "the reply contains only reasoning"
        )
    if len(body) > MAX_CHARS:
        raise BadVerdict(f"the reply is longer than {MAX_CHARS} characters")
    try:
        value = json.loads(body, object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        around = (
            "; it has text around the object" if "{" in body and not body.startswith("{") else ""
        )
        raise BadVerdict(f"the reply is not one JSON object: {error}{around}") from None
    if not isinstance(value, dict):
        raise BadVerdict(f"the reply is a JSON {type(value).__name__}, not an object")
    problem = next(iter(_validator(canonical_json(schema)).iter_errors(value)), None)
    if problem is not None:
        where = ".".join(str(part) for part in problem.instance_path)
        raise BadVerdict(f"{where + ': ' if where else ''}{problem.message}")
    return value


def cause(text: str, finish_reason: str | None, reasoning: str | None) -> str:
    """Why a reply could not be used, and what to change; empty if the reply does not show it.

    Args:
        text: the reply.
        finish_reason: as the endpoint states it.
        reasoning: the reasoning that the endpoint returned separately.
    """
    if finish_reason in ("length", "max_tokens", "max_output_tokens"):
        return "it was cut off (finish_reason length): raise `max_tokens` in the judge's `params`"
    if finish_reason == "content_filter":
        return "the provider's filter withheld it (finish_reason content_filter)"
    if not unwrapped(text).body and (reasoning or unwrapped(text).reasoning):
        return (
            "the model only reasoned: raise `max_tokens` in the judge's `params`, or switch its"
            " reasoning off"
        )
    if re.match(r"\s*<think", text, re.IGNORECASE) and unwrapped(text).reasoning is None:
        return "its reasoning has no end: raise `max_tokens` in the judge's `params`"
    return "" if finish_reason in (None, "stop") else f"finish_reason {finish_reason}"


@lru_cache(maxsize=64)
def _validator(schema: bytes) -> Any:
    import jsonschema_rs

    return jsonschema_rs.validator_for(_without_lengths(json.loads(schema)), retriever=_no_fetch)


def _without_lengths(schema: object) -> Any:
    if isinstance(schema, dict):
        named = schema.get("type") == "string"
        return {
            key: _without_lengths(part)
            for key, part in schema.items()
            if not (named and key in _LENGTHS)
        }
    return [_without_lengths(part) for part in schema] if isinstance(schema, list) else schema


def _no_fetch(uri: str) -> Any:
    raise ValueError(f"references to other documents are not followed: {uri}")


def _once(pairs: list[tuple[str, object]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        raise ValueError("a key occurs twice")
    return result


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
