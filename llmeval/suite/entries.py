"""Files of entries next to a suite (quarantine, retired cases): a YAML list with one entry for each
case.
"""

from datetime import date
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from llmeval.suite import yaml_file
from llmeval.suite.loader import Suite

Entry = TypeVar("Entry", bound=BaseModel)

_WRONG = {
    "missing": "this key is missing",
    "string_too_short": "this is empty",
    "string_pattern_mismatch": "write a day as 2027-01-31",
    "extra_forbidden": "this key does not exist",
    "model_type": "this is not an entry",
    "dataclass_type": "this is not an entry",
    "list_type": "the file is not a list",
}
"""Our messages for pydantic's types of errors."""


class EntryFile(NamedTuple):
    """A kind of entry file. `default`: its name next to the suite. `key`: the key of `gate` under
    which a suite names another file.
    """

    key: str
    default: str
    form: str
    """The keys of an entry, for messages."""


def read_document(suite: Suite, file: EntryFile) -> yaml_file.Document | None:
    """The file's content; None without a file, or for an empty one.

    Raises:
        SuiteError: the suite names a file that can't be read, or it is not YAML.
    """
    stated: str | None = getattr(suite.spec.gate, file.key)
    name = stated or file.default
    if stated is None and not suite.has_text(name):
        return None
    document = yaml_file.parse(
        suite.read_text(name, ("gate", file.key)), str(Path(suite.base / name))
    )
    return None if document.data is None else document


def entries_of(document: yaml_file.Document, kind: type[Entry], file: EntryFile) -> list[Entry]:
    """The entries, validated.

    Raises:
        SuiteError: one is wrong; names file, line, key and the form of an entry.
    """
    try:
        return TypeAdapter(list[kind]).validate_python(document.data)  # type: ignore[valid-type]
    except ValidationError as error:
        first: Any = error.errors(include_url=False)[0]
        path = tuple(part for part in first["loc"] if part not in ("str", "int"))
        message = _WRONG.get(first["type"], first["msg"])
        raise document.error(path, f"{message}; the file is a list of {file.form}") from None


def day_of(document: yaml_file.Document, path: yaml_file.Path, text: str) -> date:
    """A day written as 2027-01-31.

    Raises:
        SuiteError: the text is not a date; names file and line.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise document.error(path, f"{text} is not a date; write it as 2027-01-31") from None
