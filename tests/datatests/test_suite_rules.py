"""D004, D005, D007, D008, D015, D018, D019 and D020: 50 planted defects each, and suites that are right."""

import json
import random
from datetime import date
from pathlib import Path

import pytest

from tests.datatests.planting import flagged, of_rule, report, rows, write
from tests.support.command import llmeval

PLANTS = 50


def test_cases_in_the_prompt(tmp_path: Path) -> None:
    cases = rows(150)
    planted = cases[:PLANTS]
    examples = " ".join(f"Q: {case['question']} A: {case['reference']}" for case in planted)
    path = write(tmp_path, cases, prompt=f"{examples} Q: {{{{ question }}}}")
    result = report(path, "D004")
    assert flagged(result, "D004") == {case["id"] for case in planted}
    assert result.failed


def test_cases_in_a_rubric(tmp_path: Path) -> None:
    cases = rows(20)
    judge = "judges: {style: {prompt: rubric, attacks: false, model: {provider: replay, source: answers.jsonl}, criteria: "
    path = write(
        tmp_path,
        cases,
        extra="gate: none\n"
        + judge
        + json.dumps([cases[4]["question"] + " is answered by " + cases[4]["reference"]])
        + "}}",
    )
    assert flagged(report(path, "D004"), "D004") == {"c00004"}


def test_a_prompt_with_other_examples(tmp_path: Path) -> None:
    others = " ".join(case["question"] for case in rows(40, seed=77))
    path = write(tmp_path, rows(100), prompt=f"{others} {{{{ question }}}}")
    assert of_rule(report(path, "D004"), "D004") == []


@pytest.mark.parametrize("name", ["corpus.txt", "corpus.jsonl"])
def test_cases_in_a_corpus(tmp_path: Path, name: str) -> None:
    """50 cases among text of more than one block of the reader."""
    cases = rows(150)
    texts = [f"{case['question']} {case['reference']}" for case in cases[:PLANTS]]
    filler = [case["question"] for case in rows(20_000, seed=3)]
    random.Random(2).shuffle(texts)
    lines = [*filler[:9000], *texts[:25], *filler[9000:], *texts[25:]]
    corpus = tmp_path / "corpus" / name
    corpus.parent.mkdir()
    corpus.write_text(
        "\n".join(json.dumps({"text": line}) if name.endswith("jsonl") else line for line in lines)
    )
    path = write(tmp_path, cases)
    for against in (corpus, corpus.parent):
        assert flagged(report(path, "D005", against=against), "D005") == {
            case["id"] for case in cases[:PLANTS]
        }
    assert report(path, "D005").findings == ()


def test_a_corpus_that_is_not_there(tmp_path: Path) -> None:
    done = llmeval("data", "check", write(tmp_path, rows(3)), "--against", tmp_path / "no")
    assert done.returncode == 2
    assert "there is no such file or folder" in done.stderr


@pytest.mark.parametrize("n", range(10, 60))
def test_a_slice_that_is_too_small(tmp_path: Path, n: int) -> None:
    """50 suites with a slice of 10 to 59 cases and a floor of 90 %; `plan` needs hundreds."""
    cases = [
        {**row, "tags": {"topic": "law" if number < n else "art"}}
        for number, row in enumerate(rows(60))
    ]
    path = write(tmp_path, cases, extra='gate: {floors: {"facts @ topic=law": 0.9}}')
    findings = of_rule(report(path, "D007"), "D007")
    assert len(findings) == 1 and f"has {n:,} cases" in findings[0].message
    assert findings[0].line is not None


def test_a_slice_that_is_large_enough(tmp_path: Path) -> None:
    path = write(tmp_path, rows(200), extra="gate: {floors: {facts: 0.5}}")
    assert of_rule(report(path, "D007"), "D007") == []


@pytest.mark.parametrize("seed", range(17))
@pytest.mark.parametrize("kind", ["reference", "label", "position"])
def test_bias(tmp_path: Path, kind: str, seed: int) -> None:
    """51 suites: a common reference, a label of 70 %, a position of 60 %."""
    rng, cases = random.Random(seed), rows(120, seed=seed)
    for case in cases:
        if kind == "reference" and rng.random() < 0.3:
            case["reference"] = "the amber gate"
        elif kind == "label":
            case["reference"] = "yes" if rng.random() < 0.75 else "no"
        elif kind == "position":
            options = ["red lamp", "blue lamp", "green lamp", "grey lamp"]
            rng.shuffle(options)
            case["options"] = options
            case["reference"] = options[2 if rng.random() < 0.65 else rng.randrange(4)]
    result = report(write(tmp_path, cases), "D008")
    text = {
        "reference": "a constant answer",
        "label": "the label 'yes'",
        "position": "the option at position '3'",
    }[kind]
    assert any(text in finding.message for finding in of_rule(result, "D008"))


def test_opening_words(tmp_path: Path) -> None:
    cases = rows(60)
    for number, case in enumerate(cases):
        case["references"] = [f"{'Nothing' if number % 3 else 'Every'} {case.pop('reference')}"]
        case["incorrect_answers"] = [f"Some {number} of it", f"Most {number} of it"]
    messages = [
        finding.message for finding in of_rule(report(write(tmp_path, cases), "D008"), "D008")
    ]
    assert any("a negation (no, nothing, there is no) opens" in message for message in messages)


@pytest.mark.parametrize("seed", range(20))
def test_balanced_labels_and_positions(tmp_path: Path, seed: int) -> None:
    rng, cases = random.Random(seed), rows(100, seed=seed)
    for number, case in enumerate(cases):
        options = [f"{color} lamp {number}" for color in ("red", "blue", "green")]
        rng.shuffle(options)
        case["options"], case["reference"] = options, options[number % 3]
    assert of_rule(report(write(tmp_path, cases), "D008"), "D008") == []


_PRESENT = [
    "Who is the current {}?",
    "What is the latest {}?",
    "when is the next {} released",
    "who is {} now",
    "Is {} still open?",
]


def test_undated_questions(tmp_path: Path) -> None:
    cases = rows(600)
    for number in range(PLANTS):
        word = cases[number]["question"].split()[1]
        cases[number]["question"] = _PRESENT[number % 5].format(word)
    cases[0]["valid_as_of"], cases[1]["expires"] = "2026-01-01", "2099-01-01"
    result = report(write(tmp_path, cases), "D015")
    assert flagged(result, "D015") == {f"c{number:05d}" for number in range(2, PLANTS)}
    assert {finding.level for finding in result.findings} == {"info"}


def test_questions_about_the_present_as_genre(tmp_path: Path) -> None:
    cases = [
        {**row, "question": f"Who is the current {row['question'].split()[1]}?"} for row in rows(40)
    ]
    assert len(of_rule(report(write(tmp_path, cases), "D015"), "D015")) == 1


def test_expired_cases(tmp_path: Path) -> None:
    cases = rows(200)
    for number in range(PLANTS):
        cases[number]["expires"] = f"2026-03-{1 + number % 28:02d}"
    cases[60]["expires"] = "2026-04-01"
    result = report(write(tmp_path, cases), "D015", today=date(2026, 4, 1))
    assert flagged(result, "D015") == {f"c{number:05d}" for number in range(PLANTS)}
    assert result.failed


def test_ids(tmp_path: Path) -> None:
    cases = rows(160)
    for number in range(PLANTS):
        cases[number]["id"] = f"C{number + 100:05d}"
        del cases[number + 50]["id"]
    result = report(write(tmp_path, cases), "D018")
    by_level = {
        level: {c for f in result.findings if f.level == level for c in f.cases}
        for level in ("warn", "info")
    }
    assert {case for case in by_level["warn"] if case.startswith("C")} == {
        f"C{number + 100:05d}" for number in range(PLANTS)
    }
    assert len(by_level["info"]) == PLANTS


def test_changes_since_the_baseline(tmp_path: Path) -> None:
    cases = rows(120)
    path = write(tmp_path, cases, extra="")
    (tmp_path / "answers.jsonl").write_text(
        "".join(json.dumps({"id": c["id"], "output": c["reference"]}) + "\n" for c in cases)
    )
    done = llmeval("run", path, "--out", tmp_path / "run")
    assert done.returncode == 0, done.stdout + done.stderr
    changed = [
        {**case, "reference": "another one"} if number < PLANTS else case
        for number, case in enumerate(cases)
    ]
    path = write(tmp_path, [*changed[:110], {**rows(1, seed=8)[0], "id": "new"}])
    result = report(path, "D019", baseline=tmp_path / "run")
    first, gone, new = of_rule(result, "D019")
    assert set(first.cases) == {f"c{number:05d}" for number in range(PLANTS)}
    assert "10 cases of" in gone.message and "c00110" in gone.message
    assert new.cases == ("new",) and new.level == "info"


def test_origin(tmp_path: Path) -> None:
    path = write(tmp_path, rows(3))
    assert "no source and no licence" in of_rule(report(path, "D020"), "D020")[0].message
    (tmp_path / "demo.data.yaml").write_text("source: ours\nlicence: CC0-1.0\n")
    assert of_rule(report(path, "D020"), "D020") == []
