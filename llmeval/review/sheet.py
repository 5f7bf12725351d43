"""Labels on paper: a sheet (CSV or JSONL) with an empty verdict column out to people, and filled in
again.

Cells that a spreadsheet would take for a formula begin with an apostrophe (OWASP, CSV injection);
it is taken off again where it matters. The judge's verdict is not on the sheet, so labels made on
it are blind.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from llmeval.core.draw import Draw
from llmeval.core.errors import UsageError
from llmeval.core.question import question_of
from llmeval.core.records import Case, Label
from llmeval.review.draw import Drawn
from llmeval.store.labels import decode, text_digest

COLUMNS = (
    "verdict",
    "comment",
    "question",
    "answer",
    "references",
    "context",
    "metric",
    "case_id",
    "repeat",
    "reviewer",
    "draw",
    "output_digest",
)
VERDICTS = {
    **dict.fromkeys(("pass", "correct", "right", "yes", "true", "1"), "pass"),
    **dict.fromkeys(
        ("fail", "incorrect", "wrong", "partially_correct", "no", "false", "0"), "fail"
    ),
    **dict.fromkeys(("unsure", "undecided", "?"), "unsure"),
    "withdrawn": "withdrawn",
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
_MAX_CELL = 10_000_000


def rows(draw: Draw, drawn: Iterable[Drawn]) -> list[dict[str, Any]]:
    """The sheet's rows, as plain values."""
    return [
        {
            "verdict": "",
            "comment": "",
            "question": _asked(each.case),
            "answer": each.answer.text,
            "references": "\n".join(each.case.references),
            "context": each.case.context or "",
            "metric": draw.metric,
            "case_id": each.place.case_id,
            "repeat": each.place.repeat,
            "reviewer": "",
            "draw": draw.draw_id,
            "output_digest": text_digest(each.answer.text),
        }
        for each in drawn
    ]


def _asked(case: Case) -> str:
    """The question of a case, or all its fields."""
    return question_of(case) or "\n".join(f"{name}: {value}" for name, value in case.fields.items())


def to_csv(table: Iterable[Mapping[str, object]], columns: Iterable[str]) -> str:
    """A table as CSV in which no cell is a formula."""
    out = io.StringIO()
    names = list(columns)
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows([inert(row.get(name)) for name in names] for row in table)
    return out.getvalue()


def inert(value: object) -> str:
    """A cell that a spreadsheet shows and never computes."""
    text = "" if value is None else str(value)
    return "'" + text if text.startswith(_FORMULA) and not isinstance(value, int | float) else text


def read_sheet(path: Path) -> Iterator[Label | dict[str, Any]]:
    """A file of labels: label records (.jsonl), or a sheet's rows (.csv, .jsonl) with at least
    case_id and verdict.

    Rows without a verdict are given too, with verdict "". Every row has `where`, its file and line.

    Raises:
        UsageError: the file can't be read; names file and line.
    """
    if not path.is_file():
        raise UsageError(
            f"{path}: {'a directory, not a file of labels' if path.is_dir() else 'no such file'}"
        )
    if path.suffix.lower() == ".csv":
        yield from _read_csv(path)
        return
    for number, line in enumerate(
        path.read_bytes().splitlines(), start=1
    ):  # people's files may end without a line break
        if line.strip():
            yield _row(line, f"{path}:{number}")


def _row(line: bytes, where: str) -> Label | dict[str, object]:
    try:
        row = msgspec.json.decode(line)
    except msgspec.DecodeError as error:
        raise UsageError(f"{where}: not JSON: {error}") from None
    if isinstance(row, dict) and "verdict" in row and "human_verdict" not in row:
        return {**row, "where": where}
    return decode(line, where)


def _read_csv(path: Path) -> Iterator[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: can't be read as UTF-8: {error}") from None
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    csv.field_size_limit(_MAX_CELL)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    missing = {"case_id", "verdict"} - set(reader.fieldnames or ())
    if missing:
        raise UsageError(
            f"{path}: the first line must name the columns; missing: {', '.join(sorted(missing))}"
        )
    try:
        for row in reader:
            yield {name: plain(value or "") for name, value in row.items() if name} | {
                "where": f"{path}:{reader.line_num}"
            }
    except csv.Error as error:
        raise UsageError(f"{path}:{reader.line_num}: not CSV: {error}") from None


def plain(cell: str) -> str:
    """A cell without the apostrophe that `inert` put before it."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


def verdict_of(row: Mapping[str, object]) -> str:
    """A row's verdict in our words; empty when nobody gave one.

    Raises:
        UsageError: another word; names file and line.
    """
    word = str(row["verdict"]).strip().lower()
    if word and word not in VERDICTS:
        raise UsageError(
            f"{row['where']}: the verdict is {word[:40]!r}; write pass, fail or unsure, or leave it"
            " empty"
        )
    return VERDICTS.get(word, "")
