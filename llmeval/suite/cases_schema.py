"""The cases of a suite file as types: their source, and how it is read."""

from typing import Any

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from llmeval.suite.strict import Strict


class Sample(Strict):
    """A seeded random part of the cases; never "the first n"."""

    n: int = Field(gt=0, description="How many cases to take.")
    seed: int = Field(default=0, description="The same seed draws the same cases.")
    stratify: str | None = Field(
        default=None,
        description="A field or tag: each of its values keeps its share of the sample.",
    )


class CasesSpec(Strict):
    """Where the cases come from."""

    source: str | list[dict[str, Any]] = Field(
        description=(
            "A .jsonl (also .gz or .zst), .csv, .tsv, .json, .yaml or .parquet file, a folder that"
            " `save_to_disk` of datasets wrote, hf://owner/name@revision?split=test, or a list of"
            " cases. Parquet, Zstandard, folders and hf:// need the extra `data`."
        )
    )
    map: dict[str, str] = Field(
        default={},
        description=(
            "Case field: column of the source, if their names differ. Also a path into a column,"
            " such as `answers.text`, or a template over the columns, such as"
            " `{{ choices[answer] }}` or `{{ row['Correct Answers'].split('; ') }}`."
        ),
    )
    encoding: str | None = Field(
        default=None,
        description=(
            "The encoding of a .csv or .tsv file, such as cp1252. Default: UTF-8, or UTF-16 with a"
            " byte order mark."
        ),
    )
    delimiter: str | None = Field(
        default=None,
        min_length=1,
        max_length=1,
        description=(
            'The character between the cells of a .csv or .tsv file, such as ";" or "\\t".'
            " Default: the one of its first line."
        ),
    )
    sample: Sample | None = None

    @field_validator("encoding")
    @classmethod
    def _readable(cls, value: str | None) -> str | None:
        """Only encodings whose lines can be found by their bytes."""
        try:
            feed = "\n".encode(value or "utf-8")
        except (LookupError, ValueError):
            feed = b""
        if not feed.endswith((b"\n", b"\n\0", b"\0\n")) or len(feed) > 4:
            raise PydanticCustomError(
                "encoding",
                "not an encoding of text files; write cp1252, latin-1, utf-16 or shift_jis",
            )
        return value

    @field_validator("delimiter")
    @classmethod
    def _visible(cls, value: str | None) -> str | None:
        if value is not None and value in '"\r\n\0':
            raise PydanticCustomError("delimiter", "a delimiter can't be a quote or a line break")
        return value
