"""JSON Schemas as arguments: compiled when the suite is loaded, and never led to another document.

Both Python validators fetch `$ref` over HTTP unless told not to, and this one reads `file://` too.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema

from llmeval.core.errors import CheckError
from llmeval.core.records import canonical_json

MAX_PROBLEMS = 1000


@dataclass(frozen=True)
class CompiledSchema:
    """A schema that was found valid; `text`: itself, as canonical JSON."""

    text: str


def schema(actual: object) -> CompiledSchema:
    """The schema of a mapping, a boolean or a JSON text.

    Raises:
        ValueError: it is not a JSON Schema, or it refers to another document.
    """
    if isinstance(actual, CompiledSchema):
        return actual
    if isinstance(actual, str):
        try:
            actual = json.loads(actual)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"not a JSON Schema: {error}") from None
    if not isinstance(actual, dict | bool):
        raise ValueError("not a JSON Schema: expected a mapping")
    try:
        compiled = CompiledSchema(canonical_json(actual).decode())
        _validator(compiled.text)
    except Exception as error:
        message = str(error).split("\n", 1)[0]
        raise ValueError(f"not a JSON Schema: {message}") from None
    return compiled


Schema = Annotated[
    CompiledSchema,
    PlainValidator(schema),
    WithJsonSchema({"type": ["object", "boolean", "string"]}),
]
"""A JSON Schema of any draft, as a mapping or a JSON text."""


def problems(compiled: CompiledSchema, value: object) -> list[str]:
    """What is wrong with a value, each with its place; empty when nothing is. At most 1,000 are
    told.

    Raises:
        CheckError: the validator gave up on this value.
    """
    validator = _validator(compiled.text)
    try:
        matches: list[str] = []
        for error in validator.iter_errors(value):
            matches.append(f"{place(error.instance_path)}{_short(error.message)}")
            if len(matches) >= MAX_PROBLEMS:
                break
        return matches
    except ValueError as error:
        raise CheckError(f"the schema cannot be applied to this answer: {error}") from None


def place(path: Sequence[str | int]) -> str:
    """`items[2].price: ` for a path into a value; empty for its root."""
    if not path:
        return ""
    return (
        "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
        + ": "
    )


def listed_problems(wrong: Sequence[str]) -> str:
    """The first three problems, and how many more there are."""
    more = f" (and {len(wrong) - 3} more)" if len(wrong) > 3 else ""
    return "; ".join(wrong[:3]) + more


@lru_cache(maxsize=256)
def _validator(text: str) -> Any:
    import jsonschema_rs

    return jsonschema_rs.validator_for(json.loads(text), retriever=_no_fetch, validate_formats=True)


def _no_fetch(uri: str) -> Any:
    raise ValueError(f"references to other documents are not followed: {uri}")


def _short(message: str) -> str:
    return message if len(message) <= 300 else f"{message[:150]} … {message[-140:]}"
