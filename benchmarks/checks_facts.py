"""The facts check against people's verdicts, and against negations, hedges and contradictions of
known meaning.

    python benchmarks/checks_facts.py [--data ../shared/data] [--half tune|report|all] [--errors N]
    [--fit] [--json]

Reads `evouna_nq`, `evouna_tq`, `nq_efficientqa_judged`, `semeval2013_sra` and `begin` below
`--data`, and says "not measured" where one is absent. Rows are halved by a hash of the question;
rules and coefficients were made on `tune`. `--fit` prints the coefficients of
`llmeval/checks/facts/confidence.py`, fitted on the tuning half.
"""

import argparse
import hashlib
import json
import random
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from llmeval.checks.base import Result
from llmeval.checks.builtin.sources.grounding import grounding
from llmeval.checks.facts import CONFIDENT, facts
from llmeval.checks.facts.answer import AnswerAnalysis
from llmeval.checks.facts.compiled import from_references
from llmeval.checks.facts.confidence import features
from llmeval.checks.facts.evidence import gather
from llmeval.core.records import Answer, Case

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.checks_curve import curve, shown  # noqa: E402

EVOUNA = {"nq": "evouna_nq", "tq": "evouna_tq"}


class Row(NamedTuple):
    """One answer judged by people."""

    source: str
    question: str
    references: tuple[str, ...]
    model: str
    answer: str
    right: bool


class Scored(NamedTuple):
    """A row and what the check says of it."""

    row: Row
    passed: bool
    confidence: float
    reason: str


def half_of(question: str) -> str:
    """`tune` or `report`, by the question's hash."""
    return ("tune", "report")[hashlib.sha256(question.strip().lower().encode()).digest()[0] % 2]


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a JSONL file."""
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def evouna(data: Path, half: str) -> list[Row]:
    """Judged answers to proper questions, of one half."""
    rows = []
    for source, folder in EVOUNA.items():
        for item in lines(data / folder / "answers.jsonl"):
            if item["improper_question"] or half not in ("all", half_of(item["question"])):
                continue
            references = tuple(item["references"])
            rows += [
                Row(
                    source,
                    item["question"],
                    references,
                    a["model"],
                    a["answer"] or "",
                    a["human_correct"],
                )
                for a in item["answers"]
                if a["human_correct"] is not None
            ]
    return rows


def efficientqa(data: Path, half: str) -> list[Row]:
    """Short answers that no reference matched as a string; possibly correct ones are left out."""
    rows = []
    for item in lines(data / "nq_efficientqa_judged" / "judged.jsonl"):
        if half not in ("all", half_of(item["question"])):
            continue
        for a in item["judged_answers"]:
            if a["human_label"] != "possibly_correct":
                right = a["human_label"] == "correct"
                rows.append(
                    Row(
                        "effqa", item["question"], tuple(item["references"]), "", a["answer"], right
                    )
                )
    return rows


def students(data: Path, half: str, label: str) -> list[Row]:
    """Students' answers that are correct, or of the label named."""
    rows = []
    for item in lines(data / "semeval2013_sra" / "questions.jsonl"):
        if half not in ("all", half_of(item["question"])):
            continue
        references = tuple(r["text"] for r in item["reference_answers"])
        for a in item["student_answers"]:
            if a["human_label"] in ("correct", label):
                rows.append(
                    Row(
                        "sra",
                        item["question"],
                        references,
                        "",
                        a["text"],
                        a["human_label"] == "correct",
                    )
                )
    return rows


def run(row: Row) -> Result:
    """The check on one row."""
    case = Case(id="row", fields={"question": row.question}, references=row.references)
    return facts(case, Answer(case_id="row", output=row.answer))


def score(rows: Iterable[Row]) -> list[Scored]:
    """The check on every row that has a usable reference."""
    found = []
    for row in rows:
        result = run(row)
        if result.passed is not None:
            found.append(Scored(row, result.passed, result.confidence or 0.5, result.reason))
    return found


def kappa(pairs: list[tuple[bool, bool]]) -> float:
    """Cohen's kappa of two raters (Cohen, 1960)."""
    n = len(pairs)
    agree = sum(a == b for a, b in pairs) / n
    one, two = sum(a for a, _ in pairs) / n, sum(b for _, b in pairs) / n
    chance = one * two + (1 - one) * (1 - two)
    return (agree - chance) / (1 - chance) if chance < 1 else 1.0


def interval(scored: list[Scored], draws: int = 300) -> tuple[float, float]:
    """95% bootstrap interval of kappa, questions drawn whole."""
    groups: dict[str, list[tuple[bool, bool]]] = {}
    for s in scored:
        groups.setdefault(s.row.question, []).append((s.passed, s.row.right))
    keys, dice = sorted(groups), random.Random(7)
    values = sorted(
        kappa([pair for key in dice.choices(keys, k=len(keys)) for pair in groups[key]])
        for _ in range(draws)
    )
    return values[int(0.025 * draws)], values[int(0.975 * draws)]


def agreement(scored: list[Scored]) -> dict[str, Any]:
    """How the verdicts compare with people's, in all and in the confident band."""
    pairs = [(s.passed, s.row.right) for s in scored]
    sure = [s for s in scored if s.confidence >= CONFIDENT]
    return {
        "n": len(scored),
        "right": round(sum(s.row.right for s in scored) / len(scored), 4),
        "accuracy": round(sum(a == b for a, b in pairs) / len(pairs), 4),
        "kappa": round(kappa(pairs), 4),
        "precision": round(_share([b for a, b in pairs if a]), 4),
        "recall": round(_share([a for a, b in pairs if b]), 4),
        "coverage": round(len(sure) / len(scored), 4),
        "confident_accuracy": round(_share([s.passed == s.row.right for s in sure]), 4),
        "brier": round(
            sum((s.confidence - (s.passed == s.row.right)) ** 2 for s in scored) / len(scored), 4
        ),
        "ece": round(calibration_error(scored), 4),
    }


def calibration_error(scored: list[Scored], bins: int = 10) -> float:
    """Expected calibration error of the confidence, in bins of equal size."""
    ordered = sorted(scored, key=lambda s: s.confidence)
    total = 0.0
    for i in range(bins):
        part = ordered[i * len(ordered) // bins : (i + 1) * len(ordered) // bins]
        if part:
            gap = sum(s.confidence for s in part) - sum(s.passed == s.row.right for s in part)
            total += abs(gap)
    return total / len(ordered)


def _share(values: list[bool]) -> float:
    return sum(values) / len(values) if values else float("nan")


# G is right, D is not. Written without looking at the rules, one meaning each.
REJECTED = (
    "It is not {G}.",
    "The answer is not {G} but {D}.",
    "It was never {G}.",
    "It isn't {G}, it's {D}.",
    "{D}, not {G}.",
    "It is {D} rather than {G}.",
    "It is {D}, as opposed to {G}.",
    "Instead of {G}, the answer is {D}.",
    "People often think it is {G}, but it is actually {D}.",
    "Many people believe that the answer is {G}. However, it is {D}.",
    "Although {G} is often named, the answer is {D}.",
    "{D} is correct, although many would say {G}.",
    "{G} is incorrect; the right answer is {D}.",
    "The claim that it is {G} is false. It is {D}.",
    "It is a common misconception that it is {G}; in fact it is {D}.",
    "Contrary to the claim that it is {G}, it is {D}.",
    "It is either {G} or {D}, I am not sure which.",
    "It could be {G} or {D}.",
    "I don't know whether it is {G}.",
    "{G} is not the answer; {D} is.",
    "Neither {G} nor {D} is correct.",
    "Unlike what some say, it's not {G} but {D}.",
    "It is {G}. Wait, no, that is wrong: it is {D}.",
    "It is often mistakenly said to be {G}, when it is {D}.",
    "No, it's not {G}.",
    "Anything but {G}.",
    "It is {D}, which is often confused with {G}.",
    "I would not say {G}. I would say {D}.",
)
KEPT = (
    "It is {G}.",
    "The answer is {G}, not {D}.",
    "It is not {D} but {G}.",
    "It isn't {D}, it's {G}.",
    "Not {D}, but rather {G}.",
    "It was {G} rather than {D}.",
    "Contrary to popular belief, it is {G}.",
    "Although many people say {D}, the answer is {G}.",
    "People often think it is {D}, but it is actually {G}.",
    "Many believe it is {D}. However, it is {G}.",
    "{D} is incorrect; the right answer is {G}.",
    "Unlike {D}, {G} is the right answer.",
    "Instead of {D}, it is {G}.",
    "Not only {D}, but also {G}.",
    "There is no doubt that it is {G}.",
    "It is none other than {G}.",
    "It is {D}. Wait, no, it is {G}.",
    "Despite claims that it is {D}, it is {G}.",
    "I was not sure at first, but it is {G}.",
    "It's a common misconception that it is {D}; in fact it is {G}.",
    "The answer, which is not widely known, is {G}.",
    "It is neither {D} nor anything like it; it is {G}.",
)


def pairs_of(data: Path, half: str, per_template: int) -> Iterator[tuple[str, bool, Row]]:
    """(template, whether it must be kept, row): right and wrong answers to real questions, put into
    sentences."""
    items = [
        item
        for folder in EVOUNA.values()
        for item in lines(data / folder / "answers.jsonl")
        if not item["improper_question"] and half in ("all", half_of(item["question"]))
    ]
    dice = random.Random(11)
    for keep, templates in ((False, REJECTED), (True, KEPT)):
        for template in templates:
            for item in dice.sample(items, min(per_template, len(items))):
                other = dice.choice(items)["references"][0]
                known = " ".join([*item["references"], item["question"]]).lower()
                if other.lower() in known or item["references"][0].lower() in other.lower():
                    continue
                text = template.format(G=item["references"][0], D=other)
                yield (
                    template,
                    keep,
                    Row("pairs", item["question"], tuple(item["references"]), "", text, keep),
                )


def negations(data: Path, half: str, per_template: int) -> dict[str, Any]:
    """Share judged right, by template and in all."""
    hits: dict[str, list[bool]] = {}
    kinds: dict[bool, list[bool]] = {True: [], False: []}
    for template, keep, row in pairs_of(data, half, per_template):
        good = run(row).passed == keep
        hits.setdefault(template, []).append(good)
        kinds[keep].append(good)
    by_template = {name: round(_share(values), 4) for name, values in hits.items()}
    worst = min(by_template, key=lambda name: by_template[name])
    return {
        "n": sum(map(len, kinds.values())),
        "rejected": round(_share(kinds[False]), 4),
        "kept": round(_share(kinds[True]), 4),
        "worst": {worst: by_template[worst]},
        "templates": by_template,
    }


def auroc(pairs: list[tuple[float, bool]]) -> float:
    """The area under the ROC curve: P(a positive scores higher than a negative), ties half
    (Mann-Whitney)."""
    ordered = sorted(pairs)
    ranks, i = 0.0, 0
    while i < len(ordered):
        j = i
        while j < len(ordered) and ordered[j][0] == ordered[i][0]:
            j += 1
        ranks += sum(label for _, label in ordered[i:j]) * (i + j + 1) / 2
        i = j
    positives = sum(label for _, label in pairs)
    return (ranks - positives * (positives + 1) / 2) / (positives * (len(pairs) - positives))


def grounded(data: Path, half: str) -> dict[str, Any]:
    """AUROC of the grounding value for "fully attributable", per file of BEGIN; precision of its
    flags."""
    result: dict[str, Any] = {}
    for name in ("wow", "cmu_dog_dev"):
        pairs, flags, base = [], [], []
        for item in lines(data / "begin" / f"{name}.jsonl"):
            if item["human_label"] == "Generic" or half not in ("all", half_of(item["knowledge"])):
                continue
            case = Case(id="row", fields={}, context=item["knowledge"])
            checked = grounding(case, Answer(case_id="row", output=item["response"]))
            if checked.value is None:
                continue
            full = item["human_label"] == "Fully attributable"
            pairs.append((checked.value, full))
            base.append(not full)
            if checked.evidence:
                flags.append(not full)
        result[name] = {
            "n": len(pairs),
            "auroc": round(auroc(pairs), 4),
            "flagged": len(flags),
            "flag_precision": round(_share(flags), 4),
            "base_rate": round(_share(base), 4),
        }
    return result


_RIDGE = 0.3
"""The penalty that was best in five-fold cross-validation by question on the tuning half."""


def _statements(data: Path) -> list[Row]:
    """Students' answers of the tuning half, each once."""
    wrong = [row for row in students(data, "tune", "contradictory") if not row.right]
    return students(data, "tune", "incorrect") + wrong


def fit(data: Path) -> dict[str, float]:
    """Coefficients by penalised maximum likelihood (ridge) on the tuning half."""
    import numpy as np
    from scipy.optimize import minimize

    rows = evouna(data, "tune") + _statements(data)
    found = []
    for row in rows:
        fact, answer = (
            from_references(row.references, row.question),
            AnswerAnalysis(row.answer, row.question),
        )
        found.append(features(fact.expected, gather(fact.expected, answer), answer))
    names = sorted({name for item in found for name in item})
    x = np.array([[1.0, *(item.get(name, 0.0) for name in names)] for item in found])
    y = np.array([1.0 if row.right else -1.0 for row in rows])

    def loss(w: Any) -> tuple[float, Any]:
        margin = y * (x @ w)
        penalty = np.concatenate([[0.0], w[1:]])
        gradient = -(x.T @ (y / (1 + np.exp(margin)))) + 2 * _RIDGE * penalty
        return float(np.logaddexp(0, -margin).sum() + _RIDGE * penalty @ penalty), gradient

    best = minimize(
        loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 5000}
    )
    return {name: round(float(w), 2) for name, w in zip(["INTERCEPT", *names], best.x, strict=True)}


def measure(data: Path, half: str, per_template: int) -> dict[str, Any]:
    """Every table whose data are there."""
    report: dict[str, Any] = {"half": half, "confident_from": CONFIDENT}
    if all((data / folder / "answers.jsonl").exists() for folder in EVOUNA.values()):
        rows = evouna(data, half)
        started = time.process_time()
        scored = score(rows)
        report["answers_per_s"] = round(len(rows) / (time.process_time() - started))
        report["evouna"] = agreement(scored) | {"kappa_95": [round(v, 3) for v in interval(scored)]}
        for source in EVOUNA:
            own = [
                (s.confidence, s.passed == s.row.right) for s in scored if s.row.source == source
            ]
            report.setdefault("curves", {})[source] = curve(own)
            report[f"evouna_{source}"] = agreement([s for s in scored if s.row.source == source])
        for model in sorted({s.row.model for s in scored}):
            report[f"evouna_{model}"] = agreement([s for s in scored if s.row.model == model])
        report["negations"] = negations(data, half, per_template)
    if (data / "nq_efficientqa_judged").exists():
        report["efficientqa"] = agreement(score(efficientqa(data, half)))
    if (data / "semeval2013_sra").exists():
        for label in ("contradictory", "incorrect"):
            report[f"sra_correct_or_{label}"] = agreement(score(students(data, half, label)))
    if (data / "begin").exists():
        report["begin"] = grounded(data, half)
    return report


def show(report: dict[str, Any]) -> None:
    """The tables, for a person."""
    print(f"half: {report['half']}; confident from {report['confident_from']}")
    print("answers/s:", report.get("answers_per_s", "not measured"))
    columns = (
        "n",
        "accuracy",
        "kappa",
        "precision",
        "recall",
        "coverage",
        "confident_accuracy",
        "brier",
        "ece",
    )
    print(f"{'':26}" + "".join(f"{name[:10]:>11}" for name in columns))
    for name, table in report.items():
        if isinstance(table, dict) and "kappa" in table:
            print(
                f"{name:26}" + "".join(f"{table[c]:>11}" for c in columns),
                table.get("kappa_95", ""),
            )
    for name in ("evouna", "efficientqa", "sra_correct_or_contradictory", "begin"):
        if name not in report:
            print(f"{name}: not measured")
    if "negations" in report:
        told = report["negations"]
        print(
            f"negation pairs: {told['n']}, rejected {told['rejected']}, kept {told['kept']}, "
            f"worst {told['worst']}"
        )
        for template, share in sorted(told["templates"].items(), key=lambda item: item[1]):
            print(f"  {share:7.4f}  {template}")
    for name, values in report.get("curves", {}).items():
        print(shown(f"evouna_{name}", values))
    for name, table in report.get("begin", {}).items():
        print(f"begin {name}: {table}")


def main() -> int:
    """Print the tables; exit code 0, also when there is nothing to measure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--half", choices=["tune", "report", "all"], default="report")
    parser.add_argument("--per-template", type=int, default=100)
    parser.add_argument(
        "--errors", type=int, default=0, help="show so many disagreements of the tuning half"
    )
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.fit:
        for name, value in fit(options.data).items():
            print(f'    "{name}": {value},')
        return 0
    report = measure(options.data, options.half, options.per_template)
    print(json.dumps(report, ensure_ascii=False)) if options.json else show(report)
    if options.errors:
        wrong = [s for s in score(evouna(options.data, "tune")) if s.passed != s.row.right]
        for s in sorted(wrong, key=lambda s: -s.confidence)[: options.errors]:
            print(
                f"{s.confidence:.2f} {s.row.right} | {s.row.question} | {s.row.references[:3]} | "
                f"{s.row.answer[:200]!r}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
