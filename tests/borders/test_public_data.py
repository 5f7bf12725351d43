"""The suites of docs/case-files.md read rows in the form of public data sets (invented here)."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

from llmeval.core.templates import case_values
from llmeval.data.cases import CaseSet
from llmeval.runner.suite_checks import bound_checks
from llmeval.suite.loader import parse_suite

PAGE = Path(__file__).parents[2] / "docs" / "case-files.md"
ROWS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "mmlu": (
        {"question": "Which of these floats?", "subject": "boats", "choices": ["lead", "cork", "iron", "gold"], "answer": 1},
        ("B",),
    ),
    "gsm8k": (
        {"question": "Two boxes of 600 nails?", "answer": "2 * 600 = <<2*600=1200>>1,200\n#### 1,200"},
        ("1,200",),
    ),
    "truthfulqa": (
        {"Type": "Adversarial", "Question": "Do ducks drown?", "Correct Answers": "They can; Yes, they can", "Incorrect Answers": "Never"},
        ("They can", "Yes, they can"),
    ),
    "squad": (
        {"id": "5a", "title": "Cork", "context": "Cork floats on water.", "question": "What floats?", "answers": {"text": ["Cork", "Cork floats"], "answer_start": [0, 0]}},
        ("Cork", "Cork floats"),
    ),
}  # fmt: skip


def suites() -> dict[str, str]:
    """The suites of the page, by name."""
    blocks = re.findall(r"```yaml\n(suite: (\w+)\n.*?)```", PAGE.read_text(), re.S)
    return {name: text for text, name in blocks}


@pytest.mark.parametrize("name", ROWS)
def test_a_suite_of_the_page_reads_its_rows(name: str, tmp_path: Path) -> None:
    row, references = ROWS[name]
    text = suites()[name]
    assert len(text.splitlines()) <= 12
    if "TruthfulQA.csv" in text:
        with (tmp_path / "TruthfulQA.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, row.keys())
            writer.writeheader()
            writer.writerow(row)
    else:
        (tmp_path / "rows.jsonl").write_text(json.dumps(row))
        text, n = re.subn(r'"?hf://[^\s,"]+"?', "rows.jsonl", text)
        assert n == 1
    suite = parse_suite(text, tmp_path / "suite.yaml")
    (case,) = CaseSet(suite)
    assert case.references == references
    ((_, template),) = suite.prompt()
    prompt = template.render(case_values(case))
    assert case.fields["question"] in prompt
    assert name != "mmlu" or "(B) cork" in prompt
    assert bool(bound_checks(suite)) is (name != "truthfulqa")
