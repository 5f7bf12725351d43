"""The arguments of a check, read and validated by pydantic."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from llmeval.checks.base import CheckType
from llmeval.checks.composed import compose


@lru_cache(maxsize=512)
def model_of(kind: CheckType) -> type[BaseModel]:
    """The check's keyword-only parameters as a pydantic model.

    The fields have a prefix, as pydantic reserves some names; suites write them without it.
    """
    import inspect

    hints = inspect.get_annotations(kind.function, eval_str=True)
    fields: dict[str, Any] = {
        f"p_{name}": (hints.get(name, Any), ... if p.default is p.empty else p.default)
        for name, p in kind.parameters.items()
    }
    config = ConfigDict(
        extra="forbid",
        arbitrary_types_allowed=True,
        protected_namespaces=(),
        alias_generator=_unprefixed,
    )
    return create_model(f"arguments of {kind.name}", __config__=config, **fields)


def _unprefixed(name: str) -> str:
    return name.removeprefix("p_")


def validated(kind: CheckType, arguments: Mapping[str, object]) -> dict[str, object]:
    """The arguments as the check's own types.

    Raises:
        ValueError: one message with every argument that is wrong.
    """
    try:
        model = model_of(kind).model_validate(
            dict(arguments) if kind.raw else compose(dict(arguments))
        )
    except ValidationError as error:
        raise ValueError(
            "; ".join(_message(kind, item) for item in error.errors(include_url=False))
        ) from None
    return {name: getattr(model, f"p_{name}") for name in kind.parameters}


def no_such_argument(kind: CheckType, name: str) -> str:
    """The message for an argument that the check does not have."""
    valid = ", ".join(kind.parameters) or "none"
    return f"{kind.name} has no argument {name!r}; it takes: {valid}"


def _message(kind: CheckType, item: Any) -> str:
    where = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        return no_such_argument(kind, where)
    if item["type"] == "missing":
        return f"{kind.name} needs the argument {where!r}"
    text = item["msg"].removeprefix("Value error, ")
    return f"{kind.name}: {where}: {text[:1].lower()}{text[1:]} (got {item['input']!r})"[:400]
