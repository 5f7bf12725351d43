"""Suites for the data tests: many different questions, and defects at places that are known."""

import json
import random
from pathlib import Path
from typing import Any

from llmeval.datatests.check import CheckOptions, DataReport, check_data
from llmeval.datatests.findings import DataFinding
from llmeval.suite.loader import load_suite

Row = dict[str, Any]
_ONSETS, _VOWELS = (
    "b d f g k l m n p r s t v z br dr gl kr pl st tr sk".split(),
    "a e i o u au ei".split(),
)


def word(rng: random.Random, syllables: int = 3) -> str:
    """A word that no language has."""
    return "".join(rng.choice(_ONSETS) + rng.choice(_VOWELS) for _ in range(syllables))


def rows(n: int, seed: int = 1) -> list[Row]:
    """n cases without a defect: different questions with different references."""
    rng = random.Random(seed)
    made: list[Row] = []
    for number in range(n):
        a, b, c, d = (word(rng) for _ in range(4))
        shape = rng.choice(
            [
                f"Which {a} did the {b} of {c} carry to {d}?",
                f"Who sold the {a} {b} at {c} {d}?",
                f"Where do {a} and {b} {c} a {d}?",
            ]
        )
        made.append(
            {"id": f"c{number:05d}", "question": shape, "reference": f"{word(rng)} {word(rng)}"}
        )
    return made


def write(
    folder: Path,
    cases: list[Row],
    *,
    checks: str = "[facts]",
    extra: str = "gate: none",
    prompt: str = "{{ question }}",
    accepted: str = "",
) -> Path:
    """A suite of these cases; gives its file."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(case, ensure_ascii=False) + "\n" for case in cases)
    (folder / "cases.jsonl").write_text(lines, encoding="utf-8")
    (folder / "answers.jsonl").write_text("", encoding="utf-8")
    path = folder / "demo.yaml"
    path.write_text(
        f"suite: demo\ncases: cases.jsonl\nprompt: {json.dumps(prompt)}\n"
        f"candidate: {{provider: replay, source: answers.jsonl}}\nchecks: {checks}\n{extra}\n",
        encoding="utf-8",
    )
    if accepted:
        (folder / "demo.data.yaml").write_text(accepted, encoding="utf-8")
    return path


def report(path: Path, *only: str, **options: Any) -> DataReport:
    """The report on a suite, of some rules or of all."""
    return check_data(load_suite(path), CheckOptions(only=frozenset(only), **options))


def of_rule(result: DataReport, rule: str) -> list[DataFinding]:
    """The open findings of one rule."""
    return [finding for finding in result.findings if finding.rule == rule]


def flagged(result: DataReport, rule: str) -> set[str]:
    """The ids of the cases that a rule reports."""
    return {case for finding in of_rule(result, rule) for case in finding.cases}
