"""Files of other tools, read with the places of their values."""

import json
from pathlib import Path

from llmeval.core.errors import SuiteError
from llmeval.importers.ledger import SourcePlace
from llmeval.suite import yaml_file

MAX_BYTES = 2**30
"""Largest file that is read."""


def read_text(path: Path) -> str:
    """A text file.

    Raises:
        SuiteError: it can't be read, or is larger than `MAX_BYTES`.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SuiteError(f"{path}: larger than {MAX_BYTES // 2**20} MiB; split it")
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise SuiteError(f"{path}: can't be read: {reason}") from None


def read_yaml(path: Path) -> SourcePlace:
    """A YAML or JSON file, with local `$ref` taken in.

    Raises:
        SuiteError: it can't be read, or is not valid.
    """
    document = yaml_file.parse(read_text(path), str(path))
    return SourcePlace(
        yaml_file.Document(
            document.file, _Resolver(document).resolved(document.data, 0), document.lines
        )
    )


def read_json(path: Path) -> SourcePlace:
    """A JSON file of any size, without the lines of its values.

    Raises:
        SuiteError: it can't be read, or is not JSON.
    """
    try:
        return SourcePlace(yaml_file.Document(str(path), json.loads(read_text(path)), {}))
    except (ValueError, RecursionError) as error:
        raise SuiteError(f"{path}: not valid JSON: {error}") from None


def read_lines(path: Path) -> list[SourcePlace]:
    """A JSONL file, a place a line.

    Raises:
        SuiteError: it can't be read, or a line is not JSON.
    """
    places = []
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if line.strip():
            try:
                places.append(
                    SourcePlace(yaml_file.Document(str(path), json.loads(line), {(): number}))
                )
            except (ValueError, RecursionError) as error:
                raise SuiteError(f"{path}:{number}: not valid JSON: {error}") from None
    return places


class _Resolver:
    """Replaces local `$ref`. It counts the values, because a few lines of references to
    references can make billions.
    """

    def __init__(self, document: yaml_file.Document) -> None:
        self._root, self._file, self._values = document.data, document.file, 0

    def resolved(self, value: object, depth: int) -> object:
        """A value without references. Raises SuiteError."""
        self._values += 1
        if self._values > yaml_file.MAX_NODES:
            raise SuiteError(
                f"{self._file}: its `$ref` make more than {yaml_file.MAX_NODES:,} values"
            )
        if depth > yaml_file.MAX_DEPTH:
            raise SuiteError(f"{self._file}: a `$ref` refers to itself")
        if isinstance(value, list):
            return [self.resolved(item, depth + 1) for item in value]
        if not isinstance(value, dict):
            return value
        reference = value.get("$ref")
        if isinstance(reference, str) and reference.startswith("#/"):
            return self.resolved(self._target(reference), depth + 1)
        return {key: self.resolved(item, depth + 1) for key, item in value.items()}

    def _target(self, reference: str) -> object:
        here: object = self._root
        for part in reference[2:].split("/"):
            if not isinstance(here, dict) or part not in here:
                raise SuiteError(f"{self._file}: $ref: {reference} leads nowhere")
            here = here[part]
        return here
