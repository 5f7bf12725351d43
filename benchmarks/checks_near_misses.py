"""The facts check on answers that are nearly right, and on answers to no question.

    python benchmarks/checks_near_misses.py [--data ../shared/data] [--half tune|report] [--json]

Near misses and right answers are those of `tests/checks/near_misses.py`: one table that the rules
were made with, and one that is held out. Planted answers put the right value of a question of
EVOUNA, of one half, where it is not stated: in a list, beside an "or", in passing. Degenerate
answers are given to every question of the sets below `--data` that are there; the others are "not
measured".
"""

import argparse
import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from llmeval.checks.facts import CONFIDENT, facts
from llmeval.checks.facts.references import is_non_answer
from llmeval.core.records import Answer, Case

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.checks_facts import EVOUNA, half_of, lines  # noqa: E402
from tests.checks.near_misses import (  # noqa: E402
    NearMiss,
    held_out_near_misses,
    more_answers,
    near_misses,
    right_answers,
)

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


def passes(question: str, references: tuple[str, ...], text: str) -> tuple[bool, float]:
    """Whether the check lets an answer pass, and how confident it is."""
    case = Case("row", {"question": question}, references=references)
    result = facts(case, Answer(case_id="row", output=text))
    return bool(result.passed), result.confidence or 0.5


def scored(table: Iterable[NearMiss]) -> list[Scored]:
    """Both answers of every near miss."""
    return [
        Scored(row.kind, want, *passes(row.question, (row.reference,), text))
        for row in table
        for text, want in ((row.right, True), (row.wrong, False))
    ]


def calibration_error(rows: list[Scored], bins: int = 10) -> float:
    """Expected calibration error of the confidence, in bins of equal size."""
    ordered = sorted(rows, key=lambda row: row.confidence)
    total = 0.0
    for i in range(bins):
        part = ordered[i * len(ordered) // bins : (i + 1) * len(ordered) // bins]
        total += abs(sum(row.confidence - (row.passed == row.want) for row in part))
    return total / len(ordered)


def near_miss_table(rows: list[Scored]) -> dict[str, Any]:
    """Wrong passes and right answers kept, by kind and in all."""
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
        "wrong_passes": sum(row.passed for row in rows if not row.want),
        "right_kept": sum(row.passed for row in rows if row.want),
        "sure": len(sure),
        "wrong_passes_when_sure": sum(row.passed and not row.want for row in sure),
        "wrong_when_sure": sum(row.passed != row.want for row in sure),
        "n": len(rows),
    }


def right_table(half: str) -> dict[str, str]:
    """Right answers kept of one half, by kind and in all."""
    kept: dict[str, list[bool]] = {}
    for row in right_answers(half):
        passed, _ = passes(row.question, (row.reference,), row.answer)
        kept.setdefault(row.kind, []).append(passed)
        kept.setdefault("all", []).append(passed)
    return {kind: f"{sum(values)} of {len(values)}" for kind, values in kept.items()}


def more_table(half: str) -> dict[str, str]:
    """Siblings that pass and other wordings that are kept, of one half of `more_answers.tsv`."""
    table: dict[str, list[tuple[bool, float]]] = {"siblings": [], "right": []}
    for row in more_answers(half):
        table[row.set].append(passes(row.question, (row.reference,), row.answer))
    siblings, right = table["siblings"], table["right"]
    return {
        "siblings that pass": f"{sum(p for p, _ in siblings)} of {len(siblings)}",
        "of them at a high confidence": str(sum(p and c >= CONFIDENT for p, c in siblings)),
        "right answers kept": f"{sum(p for p, _ in right)} of {len(right)}",
    }


MORE_HALVES = tuple(
    "third fourth fourth_held fifth fifth_held variations seventh seventh_held".split()
)
"""Sets of `more_answers.tsv` after the first two."""
PLANTED = {
    "list": "{A}, {B}, {G}, {C}, {D}",
    "list with and": "{A}, {B}, {G}, {C} and {D}",
    "list with or": "It may be {A}, {B}, {G}, {C} or {D}.",
    "list of lines": "- {A}\n- {B}\n- {C}\n- {G}\n- {D}",
    "X or right": "{A} or {G}",
    "right or X": "{G} or {A}",
    "It is X or right.": "It is {A} or {G}.",
    "rival": "{A}, a rival of {G}",
    "friend": "A friend of {G} did it.",
}
"""Where the right value G stands, and is not stated; A to D are right for other questions."""


def planted(data: Path, half: str, count: int = 600) -> dict[str, Any]:
    """Pass rate in per cent, and that at a high confidence, of each planted answer."""
    items = [
        item
        for folder in EVOUNA.values()
        for item in lines(data / folder / "answers.jsonl")
        if not item["improper_question"] and half_of(item["question"]) == half
    ]
    dice = random.Random(3)
    rates: dict[str, list[tuple[bool, float]]] = {name: [] for name in PLANTED}
    for item in dice.sample(items, min(count, len(items))):
        right = item["references"][0]
        own = " ".join([*item["references"], item["question"]]).casefold()
        values = (i["references"][0] for i in dice.sample(items, 60))
        apart = (
            v for v in values if v.casefold() not in own and right.casefold() not in v.casefold()
        )
        others = dict(zip("ABCD", dict.fromkeys(apart), strict=False))
        for name, template in PLANTED.items():
            text = template.format(G=right, **others)
            rates[name].append(passes(item["question"], tuple(item["references"]), text))
    return {
        name: {
            "n": len(rows),
            "pass": round(100 * sum(passed for passed, _ in rows) / len(rows), 1),
            "pass_when_sure": round(
                100 * sum(passed and sure >= CONFIDENT for passed, sure in rows) / len(rows), 1
            ),
        }
        for name, rows in rates.items()
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
    """The first reference of the next question whose references have none of this one's, nor the
    same yes or no."""
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


def measure(data: Path, half: str) -> dict[str, Any]:
    """The tables of answers, and the planted and degenerate ones on every set that is there."""
    there = all((data / folder / "answers.jsonl").exists() for folder in EVOUNA.values())
    report: dict[str, Any] = {
        "near_misses": near_miss_table(scored(near_misses())),
        "near_misses_held_out": near_miss_table(scored(held_out_near_misses())),
        "right_tune": right_table("tune"),
        "right_report": right_table("report"),
        "more_tune": more_table("tune"),
        "more_report": more_table("report"),
        **{f"more_{half}": more_table(half) for half in MORE_HALVES},
        "planted": planted(data, half) if there else None,
        "degenerate": {},
    }
    for name, (file, key) in SETS.items():
        path = data / file
        rows = list(questions(path, key)) if path.exists() else []
        report["degenerate"][name] = degenerate(rows) if rows else None
    return report


def show(report: dict[str, Any]) -> None:
    """The tables, for a person."""
    for name in ("near_misses", "near_misses_held_out"):
        table = report[name]
        print(f"{name:22}{'n':>6}{'wrong passes':>14}{'right kept':>12}")
        for kind, row in table["kinds"].items():
            print(f"{kind:22}{row['n']:>6}{row['wrong_passes']:>14}{row['right_kept']:>12}")
        print(
            f"{table['n']} answers: {table['wrong_passes']} wrong ones pass, "
            f"{table['right_kept']} right ones kept; "
            f"ECE {table['ece']}; confidence >= {CONFIDENT}: {table['sure']}, of them wrong "
            f"{table['wrong_when_sure']}, wrong passes {table['wrong_passes_when_sure']}\n"
        )
    for half in ("tune", "report"):
        kept = ", ".join(f"{kind} {share}" for kind, share in report[f"right_{half}"].items())
        print(f"right answers kept, {half}: {kept}")
    for half in ("tune", "report", *MORE_HALVES):
        shares = ", ".join(f"{name}: {share}" for name, share in report[f"more_{half}"].items())
        print(f"more answers, {half}: {shares}")
    print("\nplanted answers that pass, per cent (at a high confidence)")
    for name, row in (report["planted"] or {}).items():
        print(f"{name:22}{row['n']:>6}{row['pass']:>8}{row['pass_when_sure']:>8}")
    if report["planted"] is None:
        print("not measured")
    print("\ndegenerate answers that pass, per cent")
    for name, rates in report["degenerate"].items():
        shown = "not measured" if rates is None else ", ".join(f"{k} {v}" for k, v in rates.items())
        print(f"{name}: {shown}")


def main() -> int:
    """Print the tables; exit code 0, also when there is nothing to measure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--half", choices=["tune", "report"], default="report")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    report = measure(options.data, options.half)
    print(json.dumps(report, ensure_ascii=False)) if options.json else show(report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
