"""Types of arguments that checks share, and how a count is held against its limits."""

from typing import Annotated, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from llmeval.checks.base import Result, verdict
from llmeval.core.records import Span

T = TypeVar("T")
MAX_SPANS = 50


def _a_text(value: object) -> object:
    """Refuses what YAML did not read as text: `007` is 7 there, `no` may be false, `2031-01-01` a
    date.
    """
    if isinstance(value, str | list | dict) or value is None:
        return value
    raise ValueError(
        f"this must be text: put it in quotes ('{value}'), or add `| string` in a template"
    )


def _one_is_a_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _distinct(values: list[T]) -> list[T]:
    twice = next((value for index, value in enumerate(values) if value in values[:index]), None)
    if twice is not None:
        raise ValueError(f"{twice!r} appears twice")
    return values


def _above_min(value: int | None, info: ValidationInfo) -> int | None:
    least = next(
        (info.data[name] for name in ("min", "p_min") if info.data.get(name) is not None), None
    )
    if value is not None and least is not None and value < least:
        raise ValueError(f"max ({value}) is less than min ({least})")
    return value


AnyText = Annotated[str, BeforeValidator(_a_text)]
"""A text, possibly empty."""
Text = Annotated[str, BeforeValidator(_a_text), Field(min_length=1)]
Texts = Annotated[
    list[Text], BeforeValidator(_one_is_a_list), Field(min_length=1), AfterValidator(_distinct)
]
"""One text, or a list of different ones."""
Count = Annotated[int, Field(ge=0, le=10_000_000)]
Most = Annotated[Count | None, AfterValidator(_above_min)]
"""An upper limit, of a check whose lower one is called `min`."""
Share = Annotated[float, Field(ge=0, le=1)]


def counted(
    n: int,
    what: str,
    exactly: int | None,
    least: int | None,
    most: int | None,
    *spans: Span,
    **more: object,
) -> Result:
    """Whether `n` things lie in their limits. `what`: one of them, or `one|many` where an `s` does
    not do.
    """
    one, _, many = what.partition("|")
    text_tokens = f"{n} {one if n == 1 else many or one + 's'}"
    if exactly is not None:
        return verdict(
            n == exactly, f"{text_tokens}; expected {exactly}", *spans[:MAX_SPANS], **more
        )
    expected = f"at least {least or 0}" if most is None else f"{least or 0} to {most}"
    passed = n >= (least or 0) and (most is None or n <= most)
    return verdict(passed, f"{text_tokens}; expected {expected}", *spans[:MAX_SPANS], **more)


def clip(text: object, limit: int = 60) -> str:
    """The text in quotation marks, on one line, cut to `limit` characters."""
    line = " ".join(str(text).split()) or str(text)
    return f"“{line}”" if len(line) <= limit else f"“{line[: limit - 1]}…”"
