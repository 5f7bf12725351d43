"""`llmeval data fix`: a patch of the data from labels on references, for a person to commit.

Nothing is edited. Each new file is read again in memory before it becomes a part of the patch: only
the references of the cases may differ.
"""

import csv
import difflib
import io
import json
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from llmeval.core.errors import SuiteError
from llmeval.data.rows import Row
from llmeval.data.sources import Source, open_source
from llmeval.datatests.findings import CasePlace
from llmeval.datatests.suite_cases import read_cases
from llmeval.review.references import ReferenceVerdict, reference_verdicts
from llmeval.suite import yaml_file
from llmeval.suite.loader import Suite


@dataclass(frozen=True)
class RepairPatch:
    """A patch, and what is not in it."""

    diff: str
    """A unified diff; empty if nothing can be repaired."""
    repaired: tuple[str, ...]
    """Ids of the cases that the patch changes."""
    left_out: tuple[tuple[str, str], ...]
    """(case, reason) of each label that is not in the patch."""


_SCALAR = r"(\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'|[^,}#\n]+?)(?=\s*[,}#\n]|\s*$)"
"""A scalar of YAML in one line, quoted or not."""


class NotRepairable(Exception):
    """A row can't be edited; the message says why."""


def repair_patch(suite: Suite, reports: Path, root: Path) -> RepairPatch:
    """The patch for the references that people call wrong in runs of the suite.

    Args:
        suite: its cases are repaired.
        reports: the folder of the runs.
        root: the paths of the patch are relative to it.

    Raises:
        SuiteError: a case is not valid, or the source can't be read.
        StoreError: a file of labels has a line that is not a label.
    """
    places: dict[str, tuple[CasePlace, str]] = {}
    read_cases(
        suite, lambda case: places.__setitem__(case.place.id, (case.place, case.case.digest))
    )
    left_out: list[tuple[str, str]] = []
    edits: dict[str, ReferenceVerdict] = {}
    for verdict in reference_verdicts(reports / suite.name):
        place = places.get(verdict.case_id)
        if place is None or place[1] != verdict.digest:
            reason = "the case is gone or changed since it was reviewed"
        else:
            reason = verdict.obstacle
        if reason:
            left_out.append((verdict.case_id, reason))
        else:
            edits[verdict.case_id] = verdict
    editor = _Editor(suite)
    repaired = []
    for case_id, verdict in edits.items():
        try:
            editor.edit(places[case_id][0], verdict.proposed[0])
            repaired.append(case_id)
        except NotRepairable as error:
            left_out.append((case_id, str(error)))
    return RepairPatch(editor.diff(root), tuple(repaired), tuple(left_out))


class _Editor:
    """The source of a suite in memory, with the edits so far."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self._columns: Mapping[str, str] = suite.spec.cases.map
        source = suite.spec.cases.source
        self._inline = not isinstance(source, str)
        self._path: Path | None = suite.path
        self._remote = ""
        if isinstance(source, str):
            self._path = None if source.startswith("hf://") else suite.base / source
            self._remote = source
        self._before = self._after = ""
        if self._path is not None and self._path.suffix.lower() != ".parquet":
            try:
                # newlines stay as they are
                self._before = self._after = self._path.read_bytes().decode("utf-8")
            except UnicodeDecodeError:
                self._path = None
                self._remote = f"{source}, which is not UTF-8"

    def edit(self, place: CasePlace, references: Sequence[str]) -> None:
        """Change the references of one case.

        Raises:
            NotRepairable: with the reason.
        """
        if self._inline:
            after = self._edit_yaml(place, references)
        else:
            after = self._edit_rows(place, references)
        self._after = after

    def _edit_rows(self, place: CasePlace, references: Sequence[str]) -> str:
        path = self._path
        suffix = "" if path is None else path.suffix.lower()
        if path is None or suffix not in (".jsonl", ".ndjson", ".csv", ".tsv"):
            raise NotRepairable(
                f"the data are {self._remote or suffix}: change them at their source, because only"
                " JSONL, CSV and cases in the suite file can be patched"
            )
        rows = _rows(path, self._after)
        number = next(
            (n for n in range(len(rows)) if _line(rows.where(n)) == place.position[1]), -1
        )
        if number < 0:
            raise NotRepairable("its line was not identified")
        row = rows.row(number)
        column, value = self._value(row, references, as_text=suffix in (".csv", ".tsv"))
        lines = _split(self._after)
        start = (place.position[1] or 1) - 1
        if suffix in (".jsonl", ".ndjson"):
            lines[start] = _json_line(lines[start], row, column, value)
        else:
            lines[start] = _csv_line(lines, start, path, column, str(value))
        after = "".join(lines)
        _verify(rows, _rows(path, after), number, {**row, column: value})
        return after

    def _value(self, row: Row, references: Sequence[str], *, as_text: bool) -> tuple[str, object]:
        """(column, new value) of the references of a row."""
        names = [self._columns.get(name, name) for name in ("references", "reference")]
        column = next((name for name in names if row.get(name) is not None), None)
        if column is None:
            raise NotRepairable("it has no references; its expectation is in `facts` or in checks")
        if len(references) == 1 and not isinstance(row[column], list):
            return column, references[0]
        if as_text:
            raise NotRepairable("a cell of CSV has one reference, and several are proposed")
        if column == "reference" and not isinstance(row[column], list):
            raise NotRepairable(
                "several references are proposed, and it has the key `reference`: rename it to"
                " `references`"
            )
        return column, list(references)

    def _edit_yaml(self, place: CasePlace, references: Sequence[str]) -> str:
        """Replace `reference: text` of a case in the suite file."""
        document = yaml_file.parse(self._after, str(self._suite.path))
        path, index = self._inline_case(document, place.id)
        key = next(
            (k for k in ("reference", "references") if (*path, index, k) in document.lines), ""
        )
        line = document.line((*path, index, key)) if key else None
        value = _at(document.data, (*path, index)).get(key) if key else None
        if line is None or isinstance(value, list | dict) or len(references) > 1:
            raise NotRepairable(
                "in the suite file, only a single reference in one line can be replaced"
            )
        lines = _split(self._after)
        matches = list(re.finditer(rf"(\b{key}:\s*){_SCALAR}", lines[line - 1]))
        if len(matches) != 1:
            raise NotRepairable("its line in the suite file can't be edited with certainty")
        start, end = matches[0].span(2)
        text = lines[line - 1]
        lines[line - 1] = text[:start] + json.dumps(references[0], ensure_ascii=False) + text[end:]
        after = "".join(lines)
        expected = document.data
        try:
            changed = yaml_file.parse(after, str(self._suite.path)).data
        except SuiteError as error:
            raise NotRepairable(f"the edited suite file would not be valid: {error}") from None
        _at(expected, (*path, index))[key] = references[0]
        if changed != expected:
            raise NotRepairable("its line in the suite file can't be edited with certainty")
        return after

    def _inline_case(
        self, document: yaml_file.Document, case_id: str
    ) -> tuple[tuple[str, ...], int]:
        path = ("cases",) if isinstance(document.data.get("cases"), list) else ("cases", "source")
        rows = _at(document.data, path)
        name = self._columns.get("id", "id")
        listed: list[object] = rows if isinstance(rows, list) else []
        for index, row in enumerate(listed):
            if isinstance(row, dict) and str(row.get(name)) == case_id:
                return path, index
        raise NotRepairable("the case has no `id` in the suite file")

    def diff(self, root: Path) -> str:
        """The unified diff of the file."""
        if self._path is None or self._before == self._after:
            return ""
        path = Path(os.path.relpath(self._path.resolve(), root.resolve())).as_posix()
        parts = difflib.unified_diff(
            _split(self._before), _split(self._after), f"a/{path}", f"b/{path}"
        )
        return "".join(
            part if part.endswith("\n") else part + "\n\\ No newline at end of file\n"
            for part in parts
        )


def _split(text: str) -> list[str]:
    """The lines with their ends. Only a line feed ends a line, as for `git apply`."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _at(data: object, path: Sequence[str | int]) -> dict[str, object]:
    """The mapping or list at a path of parsed YAML."""
    for part in path:
        data = data[part]  # type: ignore[index]  # YAML is untyped until the schema reads it
    return data  # type: ignore[return-value]


def _line(where: str) -> int | None:
    line = where.rpartition(":")[2]
    return int(line) if line.isdigit() else None


def _rows(path: Path, text: str) -> Source:
    """The rows of a text, read like the file."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        copy = Path(folder) / f"data{path.suffix.lower()}"
        copy.write_bytes(text.encode())
        try:
            return open_source(copy.name, Path(folder))
        except SuiteError as error:
            raise NotRepairable(f"the edited file would not be valid: {error}") from None


def _verify(before: Source, after: Source, number: int, expected: Row) -> None:
    """Raise NotRepairable if anything but one row differs."""
    same = len(before) == len(after) and after.row(number) == expected
    near = range(max(0, number - 1), min(len(before), number + 2))
    if not same or any(before.row(n) != after.row(n) for n in near if n != number):
        raise NotRepairable("its line can't be edited with certainty")


def _json_line(line: str, row: Row, column: str, value: object) -> str:
    """The line in its own style: only the value changes."""
    body, end = line.rstrip("\r\n"), line[len(line.rstrip("\r\n")) :]
    for separators in ((", ", ": "), (",", ":")):
        for escaped in (False, True):
            if json.dumps(row, ensure_ascii=escaped, separators=separators) == body:
                edited = {**row, column: value}
                return json.dumps(edited, ensure_ascii=escaped, separators=separators) + end
    pattern = re.compile(rf"({re.escape(json.dumps(column))}\s*:\s*)")
    matches = list(pattern.finditer(body))
    if len(matches) != 1:
        raise NotRepairable("its line can't be edited with certainty")
    start = matches[0].end()
    _, stop = json.JSONDecoder().raw_decode(body, start)
    return body[:start] + json.dumps(value, ensure_ascii=False) + body[stop:] + end


def _csv_line(lines: list[str], start: int, path: Path, column: str, value: str) -> str:
    """A record of CSV in one line, with one cell replaced; other cells keep their quotes."""
    head = next(line for line in lines if line.strip() and not line.lower().startswith("sep="))
    delimiter = "\t" if path.suffix.lower() == ".tsv" else _delimiter_of(head)
    names = next(csv.reader([head.removeprefix("\ufeff")], delimiter=delimiter))
    line = lines[start]
    body, end = line.rstrip("\r\n"), line[len(line.rstrip("\r\n")) :]
    cells = _cells(body, delimiter)
    if len(cells) < len(names) or body.count('"') % 2:
        raise NotRepairable("its record has several lines, which a patch can't edit with certainty")
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, lineterminator="").writerow([value])
    cells[names.index(column)] = buffer.getvalue()
    return delimiter.join(cells) + end


def _cells(line: str, delimiter: str) -> list[str]:
    """The cells of a record as they are written."""
    cells, quoted = [""], False
    for character in line:
        if character == '"':
            quoted = not quoted
        if character == delimiter and not quoted:
            cells.append("")
        else:
            cells[-1] += character
    return cells


def _delimiter_of(head: str) -> str:
    outside = "".join(head.split('"')[::2])
    return max(",;\t|", key=outside.count)
