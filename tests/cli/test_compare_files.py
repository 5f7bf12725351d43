"""`llmeval compare a.csv b.csv`: files of results of any tool."""

import json
from collections.abc import Mapping
from pathlib import Path

from tests.support.command import llmeval
from tests.support.tables import each_row

BEFORE = {f"c{n}": n % 10 != 0 for n in range(200)}
AFTER = {f"c{n}": n % 4 != 0 for n in range(200)}
"""90 % and 75 %: 40 cases fell, 10 rose."""


def write(path: Path, scores: Mapping[str, object], id_: str = "id", score: str = "passed") -> Path:
    rows = [{id_: case_id, score: value} for case_id, value in scores.items()]
    if path.suffix == ".csv":
        lines = [f"{id_},{score}", *(f"{row[id_]},{row[score]}" for row in rows)]
        path.write_text("\n".join(lines))
    elif path.suffix == ".jsonl":
        path.write_text("\n".join(map(json.dumps, rows)))
    else:
        path.write_text(json.dumps({"results": rows}))
    return path


@each_row("suffix", [".csv", ".jsonl", ".json"])
@each_row(("id_", "score"), [("id", "passed"), ("Case_ID", "Score")])
def test_two_files_are_compared(suffix: str, id_: str, score: str, tmp_path: Path) -> None:
    a = write(tmp_path / f"a{suffix}", BEFORE, id_, score)
    b = write(tmp_path / f"b{suffix}", {**AFTER, "new": True}, id_, score)
    done = llmeval("compare", a, b, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "B vs. A: worse (\u221215.0" in done.stdout
    assert "10 rose, 150 tied, 40 fell" in done.stdout
    assert f"id in {id_!r}, pass or fail score in {score!r}" in done.stdout
    assert "chosen by their names" in done.stdout
    assert "Only in B, not compared: 1 (new)" in done.stdout
    assert "This assumes that rows with the same id" in done.stdout
    assert "PASS" not in done.stdout
    assert "FAIL" not in done.stdout
    document = json.loads(llmeval("compare", a, b, "--json", cwd=tmp_path).stdout)
    assert document["comparison"]["pairs"] == 200
    assert document["comparison"]["low"] < -0.15 < document["comparison"]["high"] < 0


def test_an_equal_file_shows_no_difference(tmp_path: Path) -> None:
    a, b = (write(tmp_path / name, BEFORE) for name in ("a.csv", "b.csv"))
    assert "no difference shown (" in llmeval("compare", a, b, cwd=tmp_path).stdout


GOOD = "id,passed\na,true\nb,0\n"


@each_row(
    ("text", "options", "words"),
    [
        ("id,passed\na,true\na,false\n", "", "b.csv:3: the id 'a' is there twice"),
        ("id,passed\na,true\n,false\n", "", "b.csv:3: no id in the column 'id'"),
        ("id,passed\na,\n", "", "b.csv:2: passed: '' is neither a number"),
        ("id,passed\na,good\n", "", "b.csv:2: passed: 'good' is neither a number"),
        ("id,passed\na,nan\n", "", "neither a number"),
        ("id,passed\na,87\n", "", "'87' is not from 0 to 1"),
        ("id,passed\n", "", "there is no row"),
        ("id,passed\na,1,2\n", "", "b.csv:2: 3 values, but 2 columns"),
        ("id,id,passed\na,a,1\n", "", "'id' is there twice"),
        ("x,passed\na,1\n", "", "name one of x, passed with --id"),
        ("id,quality\na,1\n", "", "name one of id, quality with --score"),
        ("id,score\na,1\n", "", "name one column of both with --score"),
        (GOOD, "--score quality", "there is no column 'quality'"),
        (GOOD, "--best", "compare answers of runs"),
        (GOOD, "a.csv", "not more files"),
    ],
)
def test_what_can_not_be_compared(text: str, options: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(GOOD)
    (tmp_path / "b.csv").write_text(text)
    refused = llmeval("compare", "a.csv", "b.csv", *options.split(), cwd=tmp_path)
    assert refused.returncode == 2, refused.stdout
    assert words in refused.stderr


def test_files_without_a_common_id(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(GOOD)
    (tmp_path / "b.csv").write_text("id,passed\nz,1\n")
    done = llmeval("compare", "a.csv", "b.csv", cwd=tmp_path)
    assert done.returncode == 3
    assert "nothing can be compared" in done.stdout
