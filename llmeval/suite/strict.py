"""Types for every part of the suite file: names, shares, and models that refuse unknown keys."""

import difflib
from collections.abc import Container, Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
Name = Annotated[str, Field(pattern=NAME_PATTERN, max_length=100)]
Share = Annotated[float, Field(ge=0, le=1)]
_SURE = 0.75
"""How alike two keys must be (difflib) for a correction. A hint needs less."""
Level = Annotated[float, Field(gt=0, lt=0.5)]


def nearest(word: str, words: list[str]) -> str:
    """`did you mean 'x'? ` if a name is similar, and the list of valid names."""
    if not words:
        return "there are none here"
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{hint}Valid here: {', '.join(words)}"


def near_key(word: str, keys: Iterable[str], present: Container[str]) -> str:
    """The one valid key that a misspelled key can only mean; empty if there is none, if a second
    one is close too, or if the mapping has it already.
    """
    close = difflib.get_close_matches(word, list(keys), n=2, cutoff=_SURE)
    return close[0] if len(close) == 1 and close[0] not in present else ""


class Strict(BaseModel):
    """Refuses unknown keys by name, with the nearest valid key."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: object) -> object:
        if isinstance(data, dict):
            keys = [field.alias or name for name, field in cls.model_fields.items()]
            for key in data:
                if key not in keys:
                    message = f"unknown key {key!r}; {nearest(str(key), keys)}"
                    raise PydanticCustomError(
                        "unknown_key",
                        "{message}",
                        {"message": message, "key": key, "near": near_key(str(key), keys, data)},
                    )
        return data
