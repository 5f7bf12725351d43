"""`llmeval init --from-csv`: a suite whose cases are the rows of a table."""

import json
from pathlib import Path

import pytest

from llmeval.cli.init import init
from llmeval.core.errors import UsageError
from llmeval.runner.plan import inspect_suite
from llmeval.suite.loader import load_suite


def test_the_rows_are_the_cases(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "faq.csv"
    table.write_text(
        "\ufeffPrompt;Expected Answer;Owner\n"
        '"Which colour, today?";blue;ann\n'
        "\n"
        '"Two\nlines";"a ""b""";bob\n',
        encoding="utf-8",
    )
    assert init(tmp_path / "s", "faq", local=True, from_csv=table) == 0
    assert "columns that are not used: Owner" in capsys.readouterr().out
    rows = [json.loads(line) for line in (tmp_path / "s/data/faq.jsonl").read_text().splitlines()]
    assert rows == [
        {"id": "which-colour-today", "question": "Which colour, today?", "references": ["blue"]},
        {"id": "two-lines", "question": "Two\nlines", "references": ['a "b"']},
    ]
    assert inspect_suite(load_suite(tmp_path / "s/faq.yaml"))["cases"] == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ":1: no column of questions"),
        ("question,comment\na,b\n", ":1: no column of answers: rename one of question, comment"),
        ("question,answer\n", "there is no row"),
        ('question,answer\n"a\nb",c\nd,\n', ":4: 'answer' is empty"),
        ("question,answer\na,b,c\n", ":2: 3 values, but 2 columns"),
        ("Question,question,answer\na,b,c\n", "the column 'question' is there twice"),
    ],
)
def test_what_is_no_table_of_questions_is_refused(tmp_path: Path, text: str, message: str) -> None:
    table = tmp_path / "t.csv"
    table.write_text(text)
    with pytest.raises(UsageError) as refused:
        init(tmp_path / "s", local=True, from_csv=table)
    assert str(table) in str(refused.value)
    assert message in str(refused.value)
    assert not (tmp_path / "s").exists()
