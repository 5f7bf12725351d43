"""A CSV of questions and answers as the cases of a first suite."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from llmeval.core.errors import UsageError
from llmeval.importers.reading import read_text
from llmeval.importers.writing import slug, unique

_QUESTIONS = ("question", "input", "prompt", "query", "instruction", "user_input")
_ANSWERS = (
    "answer",
    "expected",
    "expected_output",
    "expected_answer",
    "reference",
    "references",
    "ground_truth",
    "target",
    "ideal",
    "output",
)
_DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class QuestionTable:
    """The cases, and the columns that are not used."""

    cases: list[dict[str, object]]
    unused: list[str]


def read_questions(path: Path) -> QuestionTable:
    """The cases of a CSV: `id`, `question` and `references`.

    Args:
        path: UTF-8, with a header. The delimiter is the comma, semicolon, tab or bar that occurs
            most often in the header.

    Raises:
        UsageError: no such columns, a row without a question or answer, or no row.
        SuiteError: the file can't be read.
    """
    text = read_text(path)
    header = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=header.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = [name.strip() for name in next(rows, [])]
        question = _column(path, names, _QUESTIONS, "questions")
        answer = _column(path, names, _ANSWERS, "answers")
        numbered, line = [], rows.line_num + 1
        for row in rows:
            numbered.append((line, row))
            line = rows.line_num + 1
    except csv.Error as error:
        raise UsageError(f"{path}:{rows.line_num}: not valid CSV: {error}") from None
    cases = _cases(path, numbered, names, question, answer)
    if not cases:
        raise UsageError(f"{path}: there is no row below the header")
    used = {names[question], names[answer]}
    return QuestionTable(cases, [name for name in names if name not in used and name != "id"])


def _column(path: Path, names: list[str], accepted: tuple[str, ...], what: str) -> int:
    lower = [name.lower().replace(" ", "_") for name in names]
    for name in accepted:
        if lower.count(name) > 1:
            raise UsageError(f"{path}:1: the column {name!r} is there twice; rename one")
        if name in lower:
            return lower.index(name)
    raise UsageError(
        f"{path}:1: no column of {what}: rename one of {', '.join(names) or 'no columns'} to"
        f" {accepted[0]!r}"
    )


def _cases(
    path: Path, rows: list[tuple[int, list[str]]], names: list[str], question: int, answer: int
) -> list[dict[str, object]]:
    identifier = names.index("id") if "id" in names else question
    cases: list[dict[str, object]] = []
    taken: set[str] = set()
    for line, row in rows:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(names):
            raise UsageError(f"{path}:{line}: {len(row)} values, but {len(names)} columns")
        for index in (question, answer):
            if not row[index].strip():
                raise UsageError(f"{path}:{line}: {names[index]!r} is empty")
        case_id = unique(slug(row[identifier][:40], "case"), taken)
        taken.add(case_id)
        cases.append(
            {"id": case_id, "question": row[question], "references": [row[answer].strip()]}
        )
    return cases
