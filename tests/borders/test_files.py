"""Case files of many kinds: tables of spreadsheets, documents, packed lines, saved data sets."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from llmeval.core.errors import SuiteError
from llmeval.core.records import Case
from llmeval.data.cases import CaseSet
from llmeval.data.packed import unpacked
from llmeval.suite.loader import parse_suite

ROWS = [
    {"id": "q1", "question": "Größe?", "reference": "7"},
    {"id": "q2", "question": "b", "reference": "c"},
]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)
TABLE = "id;question;reference\nq1;Größe?;7\nq2;b;c\n"


def cases(folder: Path, stated: object) -> list[Case]:
    """The cases of a suite whose `cases` are these."""
    text = f"suite: s\nprompt: '{{{{ question }}}}'\ncandidate: {{provider: replay, source: a.jsonl}}\ncases: {json.dumps(stated)}\n"
    return list(CaseSet(parse_suite(text, folder / "suite.yaml")))


def facts(found: list[Case]) -> list[tuple[str, object, tuple[str, ...]]]:
    return [(case.id, case.fields["question"], case.references) for case in found]


EXPECTED = [("q1", "Größe?", ("7",)), ("q2", "b", ("c",))]


@pytest.mark.parametrize(
    ("name", "data", "more"),
    [
        ("a.json", json.dumps(ROWS).encode(), {}),
        ("a.json", json.dumps(ROWS, indent=1).encode("utf-8-sig"), {}),
        ("a.yaml", b"- {id: q1, question: 'Gr\xc3\xb6\xc3\x9fe?', reference: 7}\n- {id: q2, question: b, reference: c}\n", {}),
        ("a.yml", json.dumps(ROWS).encode(), {}),
        ("a.jsonl.gz", gzip.compress(LINES.encode(), mtime=0), {}),
        ("a.ndjson.gz", gzip.compress(LINES[:60].encode(), mtime=0) + gzip.compress(LINES[60:].encode(), mtime=0), {}),
        ("a.csv", TABLE.encode("cp1252"), {"encoding": "cp1252"}),
        ("a.csv", TABLE.replace(";", ":").encode("latin-1"), {"encoding": "latin-1", "delimiter": ":"}),
        ("a.csv", TABLE.encode("utf-16"), {}),
        ("a.tsv", TABLE.replace(";", "\t").encode("utf-16-le"), {"encoding": "utf-16"}),
        ("a.csv", ("sep=;\n" + TABLE).encode("cp1252"), {"encoding": "cp1252"}),
    ],
)  # fmt: skip
def test_kinds(name: str, data: bytes, more: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    assert facts(cases(tmp_path, {"source": name, **more})) == EXPECTED


@pytest.mark.parametrize(
    ("name", "data", "more", "message"),
    [
        ("a.csv", TABLE.encode("cp1252"), {}, "`cases: {source: a.csv, encoding: cp1252}`"),
        ("a.csv", TABLE.encode("cp1252"), {"encoding": "ascii"}, "not in the stated `encoding: ascii`"),
        ("a.csv", b"", {"encoding": "klingon"}, "not an encoding of text files"),
        ("a.csv", b"", {"delimiter": "\n"}, "can't be a quote or a line break"),
        ("a.jsonl", b"", {"encoding": "cp1252"}, "are for .csv and .tsv files"),
        ("a.json", b'{"data": [1]}', {}, "a.json:1: .*a list of cases.*with the keys 'data'"),
        ("a.json", b'[{"a": 1},\n{"b": }]', {}, "a.json:2: not valid JSON"),
        ("a.json", LINES.encode(), {}, r"a.json:2: more than one JSON document: name the file .jsonl"),
        ("a.json", b'[{"question": "x"},\n\n 5]', {}, "a.json:3: a case is a mapping, not int"),
        ("a.json", b"[" * 100_000, {}, "not valid JSON"),
        ("a.yaml", b"question: x\n", {}, "a.yaml:1: the file is a list of cases"),
        ("a.yaml", b"- question: x\n  id: [\n", {}, "a.yaml:"),
        ("a.jsonl.gz", gzip.compress(LINES.encode(), mtime=0)[:-9], {}, "damaged, or not a .gz file"),
        ("a.jsonl.gz", LINES.encode(), {}, "damaged, or not a .gz file"),
        ("a.xlsx", b"PK", {}, 'save the sheet as "CSV UTF-8"'),
        ("a.zip", b"PK", {}, "unpack it"),
    ],
)  # fmt: skip
def test_a_message_says_what_to_do(
    name: str, data: bytes, more: dict[str, str], message: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SuiteError, match=message):
        cases(tmp_path, {"source": name, **more})


def test_a_packed_file_has_a_limit(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b" " * 5_000_000, mtime=0))
    with pytest.raises(SuiteError, match="unpacks to more than 4 MiB"):
        unpacked(tmp_path / "a.jsonl.gz", 4 * 2**20)


def test_data_sets_of_the_library(tmp_path: Path) -> None:
    """Folders of `save_to_disk`, and Zstandard, with the packages of the extra `data`."""
    datasets = pytest.importorskip("datasets")
    import pyarrow

    data = datasets.Dataset.from_list(ROWS)
    data.save_to_disk(str(tmp_path / "one"))
    datasets.DatasetDict({"dev": data, "test": data.select([1])}).save_to_disk(
        str(tmp_path / "two")
    )
    for source in ("one", "hf://./one", "hf://./two?split=dev"):
        assert facts(cases(tmp_path, source)) == EXPECTED, source
    for source in ("two", "hf://./two?split=x"):
        with pytest.raises(SuiteError, match=r"two\?split=dev \(it has: dev, test\)"):
            cases(tmp_path, source)
    (tmp_path / "folder").mkdir()
    with pytest.raises(SuiteError, match="is a folder"):
        cases(tmp_path, "folder")
    packed = pyarrow.compress(LINES.encode(), codec="zstd", asbytes=True)
    (tmp_path / "a.jsonl.zst").write_bytes(packed)
    assert facts(cases(tmp_path, "a.jsonl.zst")) == EXPECTED
    for damaged in (packed[:-5], b"no frame at all"):
        (tmp_path / "a.jsonl.zst").write_bytes(damaged)
        with pytest.raises(SuiteError, match="damaged, or not a .zst file"):
            cases(tmp_path, "a.jsonl.zst")


@pytest.mark.parametrize(
    ("row", "how", "expected"),
    [
        ({"answers": {"text": ["a", "b"], "start": [1, 2]}}, "answers.text", ("a", "b")),
        ({"gold": [{"t": "x"}, {"t": "y"}]}, "gold[*].t", ("x", "y")),
        ({"choices": ["w", "x", "y", "z"], "answer": 2}, "{{ choices[answer] }}", ("y",)),
        ({"answer": "First 2.\n#### 1,234"}, "{{ answer.split('#### ')[1] }}", ("1,234",)),
        ({"Right Ones": "a; b;c"}, "{{ row['Right Ones'].split('; ') }}", ("a", "b;c")),
        ({"a.b": "whole name"}, "a.b", ("whole name",)),
    ],
)
def test_references_from_parts_of_a_row(
    row: dict[str, Any], how: str, expected: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"id": "r", "question": "q", **row}))
    (case,) = cases(tmp_path, {"source": "a.jsonl", "map": {"references": how}})
    assert case.references == expected


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("answers.txt", r"a.jsonl:1: cases.map.references: 'answers.txt': .*no answers.txt"),
        ("answer", r"a.jsonl:1: there is no column 'answer'"),
        ("{{ nothing }}", r"a.jsonl:1: cases.map.references: .*nothing"),
        ("{{ answers.text[7].x }}", "a.jsonl:1: cases.map.references"),
    ],
)
def test_a_wrong_path_names_the_row(how: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"question": "q", "answers": {"text": ["a"]}}))
    with pytest.raises(SuiteError, match=message):
        cases(tmp_path, {"source": "a.jsonl", "map": {"references": how}})


YAML_CASES = """\
- {id: 007, question: 007, reference: 1.10, tags: {version: 2.0, old: true}, context: [one, two]}
- {id: 1.10, question: 1.5, references: [007, 1e3, +5, true, 12], n: 12, cluster: 1.0}
"""


@pytest.mark.parametrize("inline", [True, False])
def test_yaml_keeps_texts_as_they_are_written(inline: bool, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(YAML_CASES)
    listed = "\n" + YAML_CASES if inline else "a.yaml\n"
    text = f"suite: s\nprompt: '{{{{ question }}}}'\ncandidate: {{provider: replay, source: a.jsonl}}\ncases: {listed}"
    first, second = CaseSet(parse_suite(text, tmp_path / "suite.yaml"))
    assert (first.id, first.fields["question"], first.references) == ("007", "007", ("1.10",))
    assert first.tags == {"version": "2.0", "old": "true"} and first.context == "one\n\ntwo"
    assert (second.id, second.cluster) == ("1.10", "1.0")
    assert second.references == ("007", "1e3", "+5", "true", "12")
    assert second.fields == {"question": 1.5, "n": 12}
