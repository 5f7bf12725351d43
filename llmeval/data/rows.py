"""The type of a raw case, and the texts of a case in YAML as they are written."""

from typing import Any

from llmeval.suite.yaml_file import Document, Path

Row = dict[str, Any]

_TEXTS = ("id", "reference", "references", "context", "cluster", "expires", "tags")
"""Fields of a case that are text: `1.10` and `true` in YAML stay as they are written."""


def as_written(row: Any, document: Document, path: Path) -> Any:
    """A case from YAML with its text fields as they are written, and whole numbers with leading
    zeros as text in every field (`007` is not a number that somebody counts with).

    Args:
        row: the case, or anything else, which stays.
        document: the file that contains it.
        path: where the case is in the document.
    """
    if not isinstance(row, dict):
        return row
    return {
        key: _written(value, document, (*path, key), text=key in _TEXTS)
        for key, value in row.items()
    }


def _written(value: Any, document: Document, path: Path, *, text: bool) -> Any:
    if isinstance(value, dict):
        return {
            key: _written(item, document, (*path, key), text=text) for key, item in value.items()
        }
    if isinstance(value, list):
        return [_written(item, document, (*path, at), text=text) for at, item in enumerate(value)]
    written = document.texts.get(path)
    if written is None or not (text or _leading_zero(written)):
        return value
    return written


def _leading_zero(written: str) -> bool:
    digits = written.lstrip("+-")
    return len(digits) > 1 and digits.isdigit() and digits.startswith("0")
