"""The facts check on answers that are nearly right, and on answers to no question.

    python benchmarks/checks_near_misses.py [--data ../shared/data] [--json]

Near misses are those of `tests/checks/near_misses.tsv`. Degenerate answers are given to every question of the sets below
`--data` that are there; the others are "not measured".
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from llmeval.checks.facts import CONFIDENT, facts
from llmeval.checks.facts.references import is_non_answer
from llmeval.core.records import Answer, Case

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.checks.near_misses import near_misses  # noqa: E402

SETS = {
    "nq_open": ("nq_open/nq_open_dev.jsonl", "references"),
    "evouna_tq": ("evouna_tq/answers.jsonl", "references"),
    "truthfulqa": ("truthfulqa/questions.jsonl", "correct_answers"),
    "gsm8k": ("gsm8k/test_with_solutions.jsonl", "answer"),
    "nq_efficientqa": ("nq_efficientqa_judged/judged.jsonl", "references"),
    "xquad": ("xquad/qa_en.jsonl", "answers"),
}


class Scored(NamedTuple):
    """What the check says of one answer, and what it should say."""

    kind: str
    want: bool
    passed: bool
    confidence: float


def scored() -> list[Scored]:
    """Both answers of every near miss."""
    found = []
    for row in near_misses():
        for text, want in ((row.right, True), (row.wrong, False)):
            case = Case("row", {"question": row.question}, references=(row.reference,))
            result = facts(case, Answer(case_id="row", output=text))
            confidence = result.confidence or 0.5
            found.append(Scored(row.kind, want, bool(result.passed), confidence))
    return found


def calibration_error(rows: list[Scored], bins: int = 10) -> float:
    """Expected calibration error of the confidence, in bins of equal size."""
    ordered = sorted(rows, key=lambda row: row.confidence)
    total = 0.0
    for i in range(bins):
        part = ordered[i * len(ordered) // bins : (i + 1) * len(ordered) // bins]
        total += abs(sum(row.confidence - (row.passed == row.want) for row in part))
    return total / len(ordered)


def near_miss_table() -> dict[str, Any]:
    """Wrong passes and right answers kept, by kind and in all."""
    rows = scored()
    kinds = {}
    for kind in sorted({row.kind for row in rows}):
        own = [row for row in rows if row.kind == kind]
        wrong = [row for row in own if not row.want]
        right = [row for row in own if row.want]
        kinds[kind] = {
            "n": len(wrong),
            "wrong_passes": sum(row.passed for row in wrong),
            "right_kept": sum(row.passed for row in right),
        }
    sure = [row for row in rows if row.confidence >= CONFIDENT]
    return {
        "kinds": kinds,
        "ece": round(calibration_error(rows), 4),
        "sure": len(sure),
        "wrong_when_sure": sum(row.passed != row.want for row in sure),
        "n": len(rows),
    }


def questions(file: Path, key: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Question and references of every row that has both."""
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        value = row.get(key)
        values = [value] if isinstance(value, str) else value or []
        texts = tuple(v["text"] if isinstance(v, dict) else v for v in values)
        if texts:
            yield row["question"], texts


def _another(rows: list[tuple[str, tuple[str, ...]]], i: int) -> str:
    """The first reference of the next question whose references have none of this one's, nor the same yes or no."""
    own = {_short(text) for text in rows[i][1]}
    for k in range(1, len(rows)):
        other = rows[(i + k) % len(rows)][1]
        if own.isdisjoint(_short(text) for text in other):
            return other[0]
    return ""


def _short(text: str) -> str:
    """The text in small letters; of a sentence that begins with yes or no, only that."""
    word = text.casefold().partition(",")[0].strip(" .")
    return word if word in ("yes", "no") else text.casefold().strip(" .")


def degenerate(rows: list[tuple[str, tuple[str, ...]]]) -> dict[str, float]:
    """Pass rate in per cent of each answer that answers nothing."""
    common = [text for text, _ in Counter(t for _, texts in rows for t in texts).most_common(20)]
    answers: dict[str, Callable[[int, str], str]] = {
        "empty": lambda i, question: "",
        "question": lambda i, question: question,
        "don't know": lambda i, question: "I don't know.",
        "no comment": lambda i, question: "I have no comment.",
        "yes no": lambda i, question: "Yes. No.",
        "0 to 100": lambda i, question: ", ".join(map(str, range(101))),
        "common 20": lambda i, question: ", ".join(common),
        "common 20 ;": lambda i, question: "; ".join(common),
        "common 20 lines": lambda i, question: "\n".join(common),
        "another reference": lambda i, question: _another(rows, i),
    }
    # "I have no comment" is right where a reference says so.
    asked = [i for i, (_, texts) in enumerate(rows) if not any(map(is_non_answer, texts))]
    found: dict[str, float] = {"n": len(asked), "left out": len(rows) - len(asked)}
    for name, text in answers.items():
        passed = 0
        for i in asked:
            question, texts = rows[i]
            case = Case("row", {"question": question}, references=texts)
            result = facts(case, Answer(case_id="row", output=text(i, question)))
            passed += bool(result.passed)
        found[name] = round(100 * passed / len(asked), 2)
    return found


def measure(data: Path) -> dict[str, Any]:
    """The near misses, and the degenerate answers on every set that is there."""
    report: dict[str, Any] = {"near_misses": near_miss_table(), "degenerate": {}}
    for name, (file, key) in SETS.items():
        path = data / file
        rows = list(questions(path, key)) if path.exists() else []
        report["degenerate"][name] = degenerate(rows) if rows else None
    return report


def show(report: dict[str, Any]) -> None:
    """The tables, for a person."""
    table = report["near_misses"]
    print(f"{'near misses':14}{'n':>6}{'wrong passes':>14}{'right kept':>12}")
    for kind, row in table["kinds"].items():
        print(f"{kind:14}{row['n']:>6}{row['wrong_passes']:>14}{row['right_kept']:>12}")
    print(
        f"{table['n']} answers; ECE {table['ece']}; confidence >= {CONFIDENT}: {table['sure']}, "
        f"of them wrong {table['wrong_when_sure']}"
    )
    print("\ndegenerate answers that pass, per cent")
    for name, rates in report["degenerate"].items():
        shown = "not measured" if rates is None else ", ".join(f"{k} {v}" for k, v in rates.items())
        print(f"{name}: {shown}")


def main() -> int:
    """Print the tables; exit code 0, also when there is nothing to measure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    report = measure(options.data)
    print(json.dumps(report, ensure_ascii=False)) if options.json else show(report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
