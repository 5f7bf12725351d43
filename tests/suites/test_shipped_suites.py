"""The data that llmeval ships: complete, consistent and free of slips. Read as plain JSON and YAML,
on purpose.
"""

import json
import re
import unicodedata
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SUITES = ROOT / "suites"
DATA = SUITES / "data"

Row = dict[str, Any]

TOPICS = {
    "geography",
    "science",
    "mathematics",
    "history",
    "literature",
    "language",
    "technology",
    "everyday",
}
GROUNDED_KINDS = {"number", "name", "date", "reason", "unanswerable"}
FORMAT_KINDS = {"json", "length", "case", "list", "keyword", "punctuation", "template", "language"}
FACT_KEYS = {
    "entity": {"value", "aliases", "inflect"},
    "quantity": {"value", "unit", "tolerance"},
    "date": {"value", "precision"},
    "boolean": {"value"},
    "set": {"value", "match", "ordered"},
}
CHECKS = {
    "equals",
    "contains",
    "icontains",
    "contains_all",
    "contains_any",
    "starts_with",
    "ends_with",
    "regex",
    "json",
    "max_words",
    "min_words",
    "max_chars",
    "punctuation",
    "facts",
    "language",
    "uppercase",
    "lowercase",
    "bullets",
    "numbered_list",
}
WRONG_ON_PURPOSE = {"fmt-punctuation-repair"}
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")
CASE_FILES = ("qa", "format", "grounded")


def rows(name: str) -> list[Row]:
    """Every line of a data file."""
    text = (DATA / f"{name}.jsonl").read_text(encoding="utf-8")
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def stands_in(phrase: str, text: str) -> bool:
    """Whether the phrase occurs in the text as whole words."""
    return re.search(rf"(?<!\w){re.escape(folded(phrase))}(?!\w)", folded(text)) is not None


def slips(text: str) -> list[str]:
    """Mechanical slips of English text; empty when there is none."""
    found = {
        "space at an end": text != text.strip(),
        "two spaces": "  " in text,
        "space before a mark": re.search(r" [,.;:?!]", text) is not None,
        "no space after a mark": re.search(r"[a-z][,;?!][A-Za-z]", text) is not None,
        "a word twice": re.search(r"\b([A-Za-z]+) \1\b", text) is not None,
        "quotes not in pairs": text.count('"') % 2 == 1,
        "control character": any(unicodedata.category(char) == "Cc" for char in text),
    }
    return [name for name, here in found.items() if here]


@pytest.mark.parametrize("name", CASE_FILES)
def test_ids_are_unique_slugs(name: str) -> None:
    ids = [row["id"] for row in rows(name)]
    assert [i for i, n in Counter(ids).items() if n > 1] == []
    assert [i for i in ids if not SLUG.fullmatch(i)] == []


@pytest.mark.parametrize(
    ("name", "keys", "optional"),
    [
        ("qa", {"id", "question", "references", "tags"}, {"facts"}),
        ("format", {"id", "instruction", "checks", "tags"}, set()),
        ("grounded", {"id", "context", "question", "references", "cluster", "tags"}, {"facts"}),
        (
            "judge-labels",
            {"case_id", "question", "references", "output", "human_verdict", "kind", "note"},
            set(),
        ),
    ],
)
def test_rows_have_their_fields_and_no_other(name: str, keys: set[str], optional: set[str]) -> None:
    for row in rows(name):
        assert keys <= set(row) <= keys | optional, row


@pytest.mark.parametrize("name", ["qa", "grounded", "judge-labels"])
def test_references_are_filled_and_distinct(name: str) -> None:
    for row in rows(name):
        references = row["references"]
        assert references, row
        assert all(isinstance(text, str) and text == text.strip() != "" for text in references), row
        assert len(set(references)) == len(references), row


@pytest.mark.parametrize("name", ["qa", "grounded"])
def test_no_reference_stands_in_its_question(name: str) -> None:
    for row in rows(name):
        assert [text for text in row["references"] if stands_in(text, row["question"])] == [], row[
            "id"
        ]


@pytest.mark.parametrize("name", ["qa", "grounded"])
def test_questions_are_well_formed(name: str) -> None:
    questions = [row["question"] for row in rows(name)]
    assert len(set(questions)) == len(questions)
    for question in questions:
        assert re.fullmatch(r"[A-Z].*\?", question), question
        assert slips(question) == [], question


@pytest.mark.parametrize(("name", "field"), [("grounded", "context"), ("format", "instruction")])
def test_texts_are_well_formed(name: str, field: str) -> None:
    for row in rows(name):
        assert (slips(row[field]) == []) is (row["id"] not in WRONG_ON_PURPOSE), row[field]


@pytest.mark.parametrize("name", ["qa", "grounded"])
def test_facts_are_typed(name: str) -> None:
    for row in rows(name):
        for fact in row.get("facts", []):
            allowed = {"id", "type"} | FACT_KEYS[fact["type"]]
            assert {"id", "type", "value"} <= set(fact) <= allowed, row["id"]
            assert_value(fact)


def assert_value(fact: Row) -> None:
    kind, value = fact["type"], fact["value"]
    if kind == "quantity":
        assert isinstance(value, int | float)
        assert not isinstance(value, bool)
        assert set(fact.get("tolerance", {})) <= {"rel", "abs"}
    elif kind == "date":
        assert (
            re.fullmatch(r"\d{4}", value)
            if fact["precision"] == "year"
            else date.fromisoformat(value)
        )
    elif kind == "boolean":
        assert isinstance(value, bool)
    elif kind == "set":
        assert len(set(value)) == len(value) >= 2
    else:
        assert len({value, *fact.get("aliases", [])}) == 1 + len(fact.get("aliases", []))


@pytest.mark.parametrize("name", ["qa", "grounded"])
def test_a_fact_and_the_references_say_the_same(name: str) -> None:
    for row in rows(name):
        for fact in row.get("facts", []):
            assert any(agrees(fact, text) for text in row["references"]), row["id"]


def agrees(fact: Row, reference: str) -> bool:
    value = fact["value"]
    if fact["type"] == "quantity":
        numbers = [float(n) for n in re.findall(r"\d+(?:\.\d+)?", reference.replace(",", ""))]
        return float(value) in numbers
    if fact["type"] == "date":
        return value in reference if fact["precision"] == "year" else long_date(value) in reference
    if fact["type"] == "boolean":
        return stands_in("yes" if value else "no", reference)
    if fact["type"] == "set":
        return all(stands_in(member, reference) for member in value)
    return any(stands_in(name, reference) for name in [value, *fact.get("aliases", [])])


def long_date(iso: str) -> str:
    day = date.fromisoformat(iso)
    return f"{day.day} {day:%B} {day.year}"


def test_qa_covers_topics_and_difficulties() -> None:
    cases = rows("qa")
    assert all(set(row["tags"]) == {"topic", "difficulty"} for row in cases)
    topics = Counter(row["tags"]["topic"] for row in cases)
    assert set(topics) == TOPICS
    assert min(topics.values()) >= 12
    difficulty = Counter(row["tags"]["difficulty"] for row in cases)
    assert set(difficulty) == {"easy", "medium", "hard"}
    assert difficulty["easy"] > len(cases) / 2
    assert {fact["type"] for row in cases for fact in row.get("facts", [])} == set(FACT_KEYS)


def test_qa_numbers_and_dates_are_typed() -> None:
    for row in rows("qa"):
        if any(re.fullmatch(r"[\d.,]+", text) for text in row["references"]):
            assert row["facts"][0]["type"] in ("quantity", "date"), row["id"]


def test_grounded_texts_and_their_questions() -> None:
    cases = rows("grounded")
    texts: dict[str, set[str]] = {}
    for row in cases:
        texts.setdefault(row["cluster"], set()).add(row["context"])
        assert set(row["tags"]) == {"kind"}
        assert row["id"].startswith(row["cluster"] + "-")
    assert len(texts) == 12
    assert set(Counter(row["cluster"] for row in cases).values()) == {4}
    assert {row["tags"]["kind"] for row in cases} == GROUNDED_KINDS
    for cluster, versions in texts.items():
        assert len(versions) == 1, cluster
        assert 120 <= len(versions.pop().split()) <= 200, cluster


def test_each_grounded_text_has_one_question_it_does_not_answer() -> None:
    per_text = Counter(
        row["cluster"] for row in rows("grounded") if row["tags"]["kind"] == "unanswerable"
    )
    assert set(per_text.values()) == {1}
    assert len(per_text) == 12


def test_grounded_names_numbers_and_dates_stand_in_the_text() -> None:
    for row in rows("grounded"):
        if row["tags"]["kind"] in ("number", "name", "date"):
            assert any(stands_in(text, row["context"]) for text in row["references"]), row["id"]
            assert row["facts"], row["id"]


def test_the_grounded_prompt_asks_for_the_words_that_unanswerable_cases_expect() -> None:
    prompt = (ROOT / "prompts" / "grounded.j2").read_text(encoding="utf-8")
    for row in rows("grounded"):
        if row["tags"]["kind"] == "unanswerable":
            assert row["references"][0] in prompt


def test_format_cases_use_known_checks_with_plain_arguments() -> None:
    for row in rows("format"):
        assert row["checks"], row["id"]
        for check in row["checks"]:
            name, argument = unwrapped(check)
            assert name in CHECKS, row["id"]
            if name == "regex":
                re.compile(argument)
                assert not re.search(r"\(\?[=!<]|\\[1-9]", argument), (
                    f"{row['id']}: RE2 has no such construct"
                )


def unwrapped(check: Any) -> tuple[str, Any]:
    """(name, argument) of a check in its short form, without `not`."""
    if isinstance(check, str):
        return check, None
    ((name, argument),) = check.items()
    return unwrapped(argument) if name == "not" else (name, argument)


def test_format_covers_its_kinds() -> None:
    kinds = Counter(row["tags"]["kind"] for row in rows("format"))
    assert set(kinds) == FORMAT_KINDS
    assert sum(kinds.values()) >= 40
    used = {unwrapped(check)[0] for row in rows("format") for check in row["checks"]}
    assert len(used) >= 15


def test_labels_repeat_their_case() -> None:
    cases = {row["id"]: row for row in rows("qa")}
    for label in rows("judge-labels"):
        case = cases[label["case_id"]]
        assert (label["question"], label["references"]) == (case["question"], case["references"]), (
            label["case_id"]
        )


def test_labels_are_many_and_spread() -> None:
    labels = rows("judge-labels")
    verdicts = Counter(label["human_verdict"] for label in labels)
    assert set(verdicts) == {"correct", "incorrect"}
    assert len(labels) >= 120
    assert min(verdicts.values()) >= 50
    assert len({label["case_id"] for label in labels}) >= 90
    assert len({label["kind"] for label in labels}) >= 12
    assert len({(label["case_id"], label["output"]) for label in labels}) == len(labels)
    assert all(label["output"].strip() for label in labels)


def test_labels_can_not_be_told_by_the_reference_string_or_by_length() -> None:
    """A judge that only looks for a reference, or prefers long answers, must not look good on these
    labels.
    """
    labels = rows("judge-labels")
    by_string = [
        (label["human_verdict"] == "correct")
        == any(stands_in(text, label["output"]) for text in label["references"])
        for label in labels
    ]
    assert 0.5 < sum(by_string) / len(labels) < 0.85
    lengths = {
        verdict: [len(label["output"]) for label in labels if label["human_verdict"] == verdict]
        for verdict in ("correct", "incorrect")
    }
    shorter, longer = sorted(sum(values) / len(values) for values in lengths.values())
    assert longer / shorter < 1.2


@pytest.mark.parametrize("name", CASE_FILES)
def test_suite_files_name_files_that_exist(name: str) -> None:
    suite = yaml.safe_load((SUITES / f"{name}.yaml").read_text(encoding="utf-8"))
    assert suite["suite"] == name
    assert (SUITES / suite["cases"]["source"]).is_file()
    if suite["prompt"].endswith(".j2"):
        assert (SUITES / suite["prompt"]).is_file()
    assert suite["candidate"] in suite["models"]


@pytest.mark.parametrize("name", CASE_FILES)
def test_prompts_use_the_fields_that_cases_have(name: str) -> None:
    prompt = yaml.safe_load((SUITES / f"{name}.yaml").read_text(encoding="utf-8"))["prompt"]
    text = (SUITES / prompt).read_text(encoding="utf-8") if prompt.endswith(".j2") else prompt
    used = set(re.findall(r"\{\{\s*(\w+)\s*\}\}", text))
    assert used
    for row in rows(name):
        assert used <= set(row), row["id"]


@pytest.mark.parametrize("name", CASE_FILES)
def test_the_endpoint_environment_requires_two_variables(name: str) -> None:
    text = (SUITES / f"{name}.yaml").read_text(encoding="utf-8")
    values = "\n".join(line.partition("#")[0] for line in text.splitlines())
    assert set(re.findall(r"\$\{(\w+)\}", values)) == {"LLMEVAL_BASE_URL", "LLMEVAL_API_KEY"}


def test_no_floor_rests_on_the_judge_that_judges_itself() -> None:
    suite = yaml.safe_load((SUITES / "qa.yaml").read_text(encoding="utf-8"))
    assert suite["allow_self_judge"] is True
    assert suite["environments"]["endpoint"]["allow_self_judge"] is False
    assert set(suite["judges"]).isdisjoint(floor.split(" ")[0] for floor in suite["gate"]["floors"])
