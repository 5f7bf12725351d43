"""Cases from every kind of source, read lazily and checked once."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from llmeval.core.errors import SuiteError
from llmeval.data.cases import CaseSet
from llmeval.suite.loader import load_suite

ROWS: list[dict[str, Any]] = [
    {
        "id": f"q{i}",
        "question": f"Question, {i}?\nSecond line",
        "reference": f"r{i}",
        "topic": "ab"[i % 2],
    }
    for i in range(10)
]


def suite_of(folder: Path, cases: str) -> CaseSet:
    (folder / "s.yaml").write_text(
        f"suite: s\ncases: {cases}\nprompt: x\ncandidate: {{provider: openai, model: m}}\nchecks: [x]\n"
    )
    return CaseSet(load_suite(folder / "s.yaml"))


def jsonl(folder: Path, rows: list[Any]) -> None:
    (folder / "c.jsonl").write_text("\n".join(json.dumps(row) for row in rows) + "\n")


def test_jsonl(tmp_path: Path) -> None:
    jsonl(tmp_path, ROWS)
    cases = list(suite_of(tmp_path, "c.jsonl"))
    assert [case.id for case in cases] == [row["id"] for row in ROWS]
    assert cases[3].references == ("r3",)
    assert cases[3].fields["question"] == ROWS[3]["question"]
    assert cases[3].source.endswith("c.jsonl:4")


def test_csv_parquet_and_hub_folders_give_the_same_cases(tmp_path: Path) -> None:
    import pandas as pd

    jsonl(tmp_path, ROWS)
    expected = suite_of(tmp_path, "c.jsonl")
    pd.DataFrame(ROWS).to_csv(tmp_path / "c.csv", index=False)
    pd.DataFrame(ROWS).to_parquet(tmp_path / "c.parquet")
    (tmp_path / "folder").mkdir()
    pd.DataFrame(ROWS).to_parquet(tmp_path / "folder" / "test-00000-of-00001.parquet")
    for source in ("c.csv", "c.parquet", '"hf://./folder?split=test"'):
        cases = suite_of(tmp_path, source)
        assert cases.digest == expected.digest, source
        assert list(cases)[7].fields == list(expected)[7].fields


def test_a_hub_folder_without_a_split_says_which_there_are(tmp_path: Path) -> None:
    import pandas as pd

    (tmp_path / "folder").mkdir()
    pd.DataFrame(ROWS).to_parquet(tmp_path / "folder" / "test-00000-of-00001.parquet")
    with pytest.raises(SuiteError, match="say which split.*test"):
        suite_of(tmp_path, '"hf://./folder"')


def test_inline_cases_name_their_line(tmp_path: Path) -> None:
    cases = suite_of(tmp_path, "[{id: a, q: 1}, {q: 2}]")
    first, second = cases
    assert first.id == "a"
    assert len(second.id) == 16  # no id: one is made from the content
    with pytest.raises(SuiteError, match=r"s.yaml:2: the id 'a' is already used by .*s.yaml:2"):
        suite_of(tmp_path, "[{id: a, q: 1}, {id: a, q: 2}]")


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([{"id": "a"}, {"id": "a"}], r"c.jsonl:2: the id 'a' is already used by .*c.jsonl:1"),
        (["x"], r"c.jsonl:1: a case is a JSON object, this is a str"),
        ([{"id": ["a"]}], r"c.jsonl:1: id: must be text"),
        ([{"reference": "a", "references": ["b"]}], "not both"),
        ([{"references": []}], "references: a text or a list of texts"),
        ([{"tags": "x"}], "tags: a mapping"),
        ([{"messages": [{"role": "robot", "content": "x"}]}], "messages: each needs role"),
        ([{"facts": ["x"]}], "facts: each item is a mapping"),
        ([{"checks": "x"}], "checks: must be a list"),
        ([{"context": ["x", 1]}], "context: must be text"),
    ],
)
def test_bad_cases_name_file_and_line(tmp_path: Path, rows: list[Any], told: str) -> None:
    jsonl(tmp_path, rows)
    with pytest.raises(SuiteError, match=told):
        suite_of(tmp_path, "c.jsonl")


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("c.jsonl", '{"id": 1}\n{broken\n', r"c.jsonl:2: not valid JSON"),
        ("c.csv", "id,q\na,b,c\n", r"c.csv:2: 3 values for 2 columns"),
        ("c.csv", 'id,q\na,"b\n', r"c.csv:\d+: not valid CSV"),
        ("c.csv", "id,id\na,b\n", r"c.csv:1: a column name is given twice"),
        ("c.parquet", "no", "can't be read as Parquet"),
    ],
)
def test_unreadable_files(tmp_path: Path, name: str, text: str, told: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(SuiteError, match=told):
        suite_of(tmp_path, name)


def test_missing_and_unknown_sources(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"s.yaml:2: cases.source: none.jsonl: No such file"):
        suite_of(tmp_path, "none.jsonl")
    with pytest.raises(SuiteError, match="cases come from"):
        suite_of(tmp_path, "c.xlsx")


def test_map_renames_columns(tmp_path: Path) -> None:
    jsonl(tmp_path, [{"qid": 7, "query": "x", "gold": ["a", 2]}])
    (case,) = suite_of(
        tmp_path, "{source: c.jsonl, map: {id: qid, question: query, references: gold}}"
    )
    assert (case.id, case.fields, case.references) == ("7", {"question": "x"}, ("a", "2"))
    with pytest.raises(
        SuiteError, match=r"c.jsonl:1: there is no column 'golds' for the field 'references'"
    ):
        suite_of(tmp_path, "{source: c.jsonl, map: {references: golds}}")


def test_the_sample_is_seeded_and_stratified(tmp_path: Path) -> None:
    rows = [{"id": i, "tags": {"kind": "rare" if i % 10 == 0 else "common"}} for i in range(200)]
    jsonl(tmp_path, rows)
    first = [c.id for c in suite_of(tmp_path, "{source: c.jsonl, sample: {n: 50, seed: 1}}")]
    assert first == [
        c.id for c in suite_of(tmp_path, "{source: c.jsonl, sample: {n: 50, seed: 1}}")
    ]
    assert first != [
        c.id for c in suite_of(tmp_path, "{source: c.jsonl, sample: {n: 50, seed: 2}}")
    ]
    assert first != [str(i) for i in range(50)]
    stratified = suite_of(tmp_path, "{source: c.jsonl, sample: {n: 50, seed: 1, stratify: kind}}")
    assert Counter(c.tags["kind"] for c in stratified) == {"rare": 5, "common": 45}
    with pytest.raises(SuiteError, match="no field or tag 'kynd'"):
        suite_of(tmp_path, "{source: c.jsonl, sample: {n: 50, stratify: kynd}}")


def test_the_digest_does_not_depend_on_order_but_on_content(tmp_path: Path) -> None:
    jsonl(tmp_path, ROWS)
    one = suite_of(tmp_path, "c.jsonl").digest
    jsonl(tmp_path, ROWS[::-1])
    assert suite_of(tmp_path, "c.jsonl").digest == one
    jsonl(tmp_path, [{**ROWS[0], "reference": "other"}, *ROWS[1:]])
    assert suite_of(tmp_path, "c.jsonl").digest != one
