"""The data tests on real data: hits, precision where people gave labels, time and memory.

    python benchmarks/data.py [--data ../shared/data] [--scale 1000,10000] [--part degenerate,references,duplicates,stale,scale]

Reads the public data sets below `--data`, and says "not measured" where one is absent. No row of them
is part of llmeval.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from llmeval.checks.facts import facts
from llmeval.core.records import Answer, Case
from llmeval.datatests.check import CheckOptions, check_data
from llmeval.datatests.doubt import doubt
from llmeval.datatests.stored_runs import CaseHistory
from llmeval.suite.loader import load_suite

Rows = list[dict[str, Any]]
SETS = {
    "nq_open": ("nq_open/nq_open_dev.jsonl", "references"),
    "evouna_tq": ("evouna_tq/answers.jsonl", "references"),
    "truthfulqa": ("truthfulqa/questions.jsonl", "correct_answers"),
    "gsm8k": ("gsm8k/test_with_solutions.jsonl", "answer"),
    "effqa": ("nq_efficientqa_judged/judged.jsonl", "references"),
    "xquad": ("xquad/qa_en.jsonl", "answers"),
}
PARTS = ("degenerate", "references", "duplicates", "scale")


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a JSONL file."""
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def cases(data: Path, name: str) -> Rows:
    """A data set as the cases of a suite; empty if it is absent."""
    if name == "sra":
        return _short_answers(data)
    if name == "paragraphs":
        path = data / "xquad/paragraphs_12lang.jsonl"
        rows = lines(path) if path.exists() else ()
        return [{"id": row["id"], "question": row["text"]} for row in rows]
    path, key = data / SETS[name][0], SETS[name][1]
    result: Rows = []
    for row in lines(path) if path.exists() else ():
        value = row[key]
        references = [text for text in (value if isinstance(value, list) else [value]) if text]
        case = {"id": row["id"], "question": row["question"], "references": references}
        if not references:
            del case["references"]
        case |= {key: row[key] for key in ("context", "incorrect_answers") if key in row}
        result.append(case)
    return result


def _short_answers(data: Path) -> Rows:
    path = data / "semeval2013_sra/questions.jsonl"
    return [
        {
            "id": row["id"],
            "question": row["question"],
            "references": [answer["text"] for answer in row["reference_answers"]],
        }
        for row in (lines(path) if path.exists() else ())
    ]


def write(folder: Path, rows: Rows, gate: str = "gate: none") -> Path:
    """A suite of these cases."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "cases.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "answers.jsonl").write_text("")
    prompt = "{{ context }} {{ question }}" if rows and "context" in rows[0] else "{{ question }}"
    path = folder / "suite.yaml"
    path.write_text(
        f"suite: benchmark\ncases: cases.jsonl\nprompt: '{prompt}'\n"
        f"candidate: {{provider: replay, source: answers.jsonl}}\nchecks: [facts]\n{gate}\n"
    )
    return path


def rules_table(data: Path, folder: Path, degenerate: bool) -> None:
    """Findings by rule, and the pass rates of degenerate answers."""
    print("\nFindings on each data set, as cases (rule: cases)\n")
    for name in (*SETS, "sra", "paragraphs"):
        rows = cases(data, name)
        if not rows:
            print(f"{name}: not measured")
            continue
        suite = load_suite(write(folder / name, rows))
        report = check_data(suite, CheckOptions(fast=True))
        counted: Counter[str] = Counter()
        for finding in report.findings:
            counted[finding.rule] += max(1, len(finding.cases))
        print(f"{name} ({len(rows)}): " + ", ".join(f"{k} {v}" for k, v in sorted(counted.items())))
        if degenerate and name in SETS:
            only = CheckOptions(only=frozenset(["D021"]))
            for finding in check_data(suite, only).findings:
                print(f"    {finding.level}: {finding.message}")


class Suspect(NamedTuple):
    """A case of EVOUNA with the results of five systems."""

    history: CaseHistory
    rank: tuple[float, float]
    reported: bool
    """Whether D016 reports it."""
    bad: bool
    """Whether people call the question improper, or an answer right that `facts` fails."""


def references_table(data: Path) -> None:
    """D016 on EVOUNA: the share of bad references among the most suspect cases."""
    print("\nD016: share of bad references, EVOUNA, five systems, scored by `facts`\n")
    everything: list[Suspect] = []
    for name in ("evouna_nq", "evouna_tq"):
        path = data / name / "answers.jsonl"
        if not path.exists():
            print(f"{name}: not measured")
            continue
        suspects = [_suspect(row) for row in lines(path)]
        everything += suspects
        bad = sum(each.bad for each in suspects)
        print(f"{name}: {len(suspects)} cases, {bad} bad")
        for missed in range(6):
            marks = [s.bad for s in suspects if sum(s.history.missed.values()) == missed]
            print(f"{name}: {missed} of 5 missed: {len(marks)} cases, {_share(marks)} bad")
        _first(name, suspects)
    if everything:
        _first("both sets", everything)


def _first(name: str, suspects: list[Suspect]) -> None:
    """The share of bad references among the first findings, and in both halves of the file."""
    for what, part, size in (
        ("all rows", suspects, 50),
        ("all rows", suspects, 100),
        ("even rows", suspects[::2], 50),
        ("odd rows", suspects[1::2], 50),
    ):
        reported = sorted((s for s in part if s.reported), key=lambda s: s.rank, reverse=True)
        marks = [s.bad for s in reported][:size]
        print(f"{name}: {what}, the first {len(marks)} of {len(reported)}: {_share(marks)} bad")


def _suspect(row: dict[str, Any]) -> Suspect:
    references = tuple(row["references"])
    case = Case(id=row["id"], fields={"question": row["question"]}, references=references)
    history, bad = CaseHistory(), bool(row["improper_question"])
    for answer in row["answers"]:
        text = answer["answer"] or ""
        missed = facts(case, Answer(case_id=case.id, output=text)).passed is False
        history.missed[answer["model"]] = missed
        if missed:
            history.texts.append(text)
        bad = bad or (missed and answer["human_correct"] is True)
    level = doubt(row["question"], references, history.texts)
    return Suspect(history, history.rank(level), history.suspect(level), bad)


def _share(marks: list[bool]) -> str:
    return f"{sum(marks) / len(marks):.1%}" if marks else "-"


def duplicates_table(data: Path, folder: Path) -> None:
    """Planted near-duplicates among real questions: 50 for each set."""
    print("\nD002a: 50 near-duplicates planted into each set\n")
    rng = random.Random(3)
    for name in SETS:
        rows = cases(data, name)
        if len(rows) < 100:
            print(f"{name}: not measured")
            continue
        originals = rng.sample(
            [row for row in rows if len(row["question"].split()) > 4 and "references" in row], 50
        )
        copies = [
            {**row, "id": f"copy-{n}", "question": _changed(row["question"], rng)}
            for n, row in enumerate(originals)
        ]
        suite = load_suite(write(folder / f"{name}-planted", [*rows, *copies]))
        report = check_data(suite, CheckOptions(only=frozenset(["D001", "D002a"])))
        hits = {
            case
            for finding in report.findings
            for case in finding.cases
            if case.startswith("copy-")
        }
        others = [
            f for f in report.findings if not any(case.startswith("copy-") for case in f.cases)
        ]
        print(f"{name}: {len(hits)} of 50 reported; {len(others)} findings without a planted copy")


def _changed(question: str, rng: random.Random) -> str:
    """A small change that keeps the meaning: a typo, a doubled word, a mark, a filler."""
    words = question.split()
    place = rng.randrange(len(words))
    kind = rng.randrange(4)
    if kind == 0 and len(words[place]) > 3:
        words[place] = words[place][:-2] + words[place][-1] + words[place][-2]
    elif kind == 1:
        words.insert(place, words[place])
    elif kind == 2:
        return question.rstrip("?. ") + ("?" if not question.endswith("?") else "")
    else:
        words.insert(0, "please tell me")
    return " ".join(words)


def scale_table(folder: Path, sizes: list[int]) -> None:
    """Time and memory of `data check`, each in a new process."""
    print("\nTime and peak memory, made-up questions of 8 to 10 words, all rules without runs\n")
    for size in sizes:
        path = write(folder / f"scale-{size}", _made_up(size))
        for options in (["--fast"], ["--no-runs"]):
            start = time.perf_counter()
            done = subprocess.run(
                [sys.executable, __file__, "--measure", str(path), *options],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            whole = time.perf_counter() - start
            print(
                f"{size:,} cases {options[0]}: {done.stdout.strip()} (process {whole:.1f} s) {done.stderr[-300:]}"
            )


def measure(path: Path, fast: bool) -> None:
    """The figures of one report, for `scale_table`."""
    suite = load_suite(path)
    start, cpu = time.perf_counter(), time.process_time()
    report = check_data(suite, CheckOptions(fast=fast))
    took, used = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    hits = sum(
        1
        for f in report.findings
        if f.rule == "D002a"
        for case in f.cases
        if case.startswith("dup-")
    )
    print(f"{took:.2f} s ({used:.2f} s of CPU), {peak:.0f} MB, {hits} planted duplicates reported")


def _made_up(n: int) -> Rows:
    """Questions whose words follow Zipf's law, 2 % of them changed copies."""
    rng = random.Random(11)
    vocabulary = [
        f"{a}{b}{c}"
        for a in "ba ko mi ru te lo sa ni de fu".split()
        for b in "rin tal mos vek dus pla nor".split()
        for c in ["", *"a o in er us um ix".split()]
    ]
    vocabulary += [
        f"{a}{number}" for a in ("quil", "zan", "hep", "vor") for number in range(n // 3)
    ]
    weights = [1 / (rank + 3) for rank in range(len(vocabulary))]
    rows: Rows = []
    starts = ["who was the", "when did the", "where is the", "what does the", "how many of the"]
    pool = rng.choices(vocabulary, weights, k=n * 7)
    for number in range(n):
        words = pool[number * 7 : number * 7 + rng.randint(5, 7)]
        rows.append(
            {
                "id": f"c{number}",
                "question": f"{rng.choice(starts)} {' '.join(words)}",
                "reference": f"{rng.choice(vocabulary)} {number}",
            }
        )
    for number in range(n // 50):
        row = rng.choice(rows[:n])
        rows.append({**row, "id": f"dup-{number}", "question": row["question"] + " now"})
    return rows


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--scale", default="1000,10000")
    parser.add_argument("--part", default=",".join(PARTS))
    parser.add_argument("--measure", type=Path)
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--no-runs", action="store_true")
    options = parser.parse_args()
    if options.measure is not None:
        measure(options.measure, options.fast)
        return
    parts = options.part.split(",")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if {"degenerate", "duplicates"} & set(parts):
            rules_table(options.data, folder, "degenerate" in parts)
        if "duplicates" in parts:
            duplicates_table(options.data, folder)
        if "references" in parts:
            references_table(options.data)
        if "scale" in parts:
            scale_table(folder, [int(size) for size in options.scale.split(",")])


if __name__ == "__main__":
    main()
