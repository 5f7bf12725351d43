"""Cases in one JSON or YAML document: a list of mappings."""

import json
from pathlib import Path

from llmeval.core.errors import SuiteError
from llmeval.data.rows import Row, as_written
from llmeval.suite import yaml_file

MAX_BYTES = 256 * 2**20
"""A document is read as a whole, so larger data belong into a .jsonl file."""
_FORM = "the file is a list of cases: a case is a mapping such as {question: ..., reference: ...}"


class DocumentSource:
    """Rows of one document, held in memory.

    `lines`: the line on which each row begins.
    """

    def __init__(self, path: Path, rows: list[Row], lines: list[int | None]) -> None:
        self._path, self._rows, self._lines = path, rows, lines

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, index: int) -> Row:
        """One row. Raises SuiteError if it is not a mapping."""
        row = self._rows[index]
        if not isinstance(row, dict):
            raise SuiteError(f"{self.where(index)}: a case is a mapping, not {type(row).__name__}")
        return row

    def where(self, index: int) -> str:
        """`file:line` of a row."""
        return f"{self._path}:{self._lines[index]}"


def read_yaml(path: Path) -> DocumentSource:
    """The cases of a .yaml file.

    Raises:
        SuiteError: not YAML, or not a list; names file and line.
    """
    document = yaml_file.parse(_text(path), str(path))
    if not isinstance(document.data, list):
        raise SuiteError(f"{path}:1: {_FORM}")
    rows = [as_written(row, document, (index,)) for index, row in enumerate(document.data)]
    return DocumentSource(path, rows, [document.line((index,)) for index in range(len(rows))])


def read_json(path: Path) -> DocumentSource:
    """The cases of a .json file.

    Raises:
        SuiteError: not JSON, or not a list; names file and line.
    """
    text = _text(path)
    try:
        rows = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            raise SuiteError(
                f"{path}:{error.lineno}: more than one JSON document: name the file .jsonl, or make"
                " it a list"
            ) from None
        raise SuiteError(f"{path}:{error.lineno}: not valid JSON: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise SuiteError(f"{path}: not valid JSON: {error}") from None
    if not isinstance(rows, list):
        raise SuiteError(
            f"{path}:1: {_FORM}. This one is a {type(rows).__name__}"
            + (f" with the keys {', '.join(map(repr, list(rows)[:8]))}" if rows else "")
        )
    return DocumentSource(path, rows, _lines_of(text, len(rows)))


def _lines_of(text: str, count: int) -> list[int | None]:
    """The line of each element of a JSON list."""
    decoder, at, line, lines = json.JSONDecoder(), text.index("[") + 1, 1, list[int | None]()
    line += text.count("\n", 0, at)
    for _ in range(count):
        begin = at
        while text[begin] in " \t\r\n,":
            begin += 1
        line += text.count("\n", at, begin)
        lines.append(line)
        _, at = decoder.raw_decode(text, begin)
        line += text.count("\n", begin, at)
    return lines


def _text(path: Path) -> str:
    if path.stat().st_size > MAX_BYTES:
        raise SuiteError(
            f"{path}: larger than {MAX_BYTES // 2**20} MiB; put large data into a .jsonl file"
        )
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise SuiteError(f"{path}: not UTF-8; save it as UTF-8") from None
