"""From a run to a sheet, to people, and back: the draw's probabilities are kept, and no cell is a
formula.
"""

import csv
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from llmeval.core.errors import UsageError
from llmeval.core.manifest_file import manifest_of
from llmeval.core.records import Answer, Case, Label, Score, Status
from llmeval.review.draw import draw, draws, keep
from llmeval.review.figures import figures
from llmeval.review.intake import Intake, take_in
from llmeval.review.sheet import COLUMNS, VERDICTS, inert, plain, read_sheet, rows, to_csv
from llmeval.store.directory import LABELS, RunDir
from llmeval.store.labels import append, has_labels, read
from llmeval.store.writer import RunWriter
from tests.report.html_samples import manifest
from tests.support.command import llmeval

HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "'quoted", 'say "x", y', "two\nlines", "plain"]


def make_run(folder: Path, passes: int = 60, fails: int = 20, unscored: int = 5) -> RunDir:
    """A run whose judge passes, fails and gives up on so many answers; ids that a spreadsheet would
    compute.
    """
    writer = RunWriter(folder)
    about = manifest("r1", passes + fails + unscored, status="running", checks=[])
    writer.write_manifest(manifest_of(about))
    states = [Status.PASS] * passes + [Status.FAIL] * fails + [Status.UNSCORED] * unscored
    for number, status in enumerate(states):
        case_id = f"=c{number}" if number % 2 else f"-c{number}"
        writer.case(Case(case_id, {"question": HOSTILE[number % len(HOSTILE)]}, references=("r",)))
        writer.answer(Answer(case_id=case_id, output=f"{HOSTILE[number % len(HOSTILE)]} {number}"))
        writer.scores([Score(case_id=case_id, metric="correctness", status=status, source="judge")])
    writer.close()
    return RunDir(folder)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_round_trip(tmp_path: Path, suffix: str) -> None:
    run = make_run(tmp_path / "run")
    made, drawn = draw(run, "correctness", 30, seed=3)
    keep(run, made)
    table = rows(made, drawn)
    for number, row in enumerate(table):
        row["verdict"] = ["pass", "fail", "unsure", ""][number % 4]
    sheet = tmp_path / f"sheet{suffix}"
    text = (
        to_csv(table, COLUMNS)
        if suffix == ".csv"
        else "".join(json.dumps(row) + "\n" for row in table)
    )
    sheet.write_text(text, encoding="utf-8-sig" if suffix == ".csv" else "utf-8", newline="")
    taken = take_in(run, [sheet], reviewer="ada")
    assert (taken.added, taken.empty, taken.refused) == (23, 7, [])
    labels = read(run.path / LABELS)
    assert {label.case_id for label in labels} <= {each.place.case_id for each in drawn}
    chances = {str(label.judge_verdict): label.probability for label in labels}
    assert chances == {"pass": 15 / 60, "fail": 15 / 20}
    assert all(
        label.blind and label.sampling == "stratified" and label.reviewer == "ada"
        for label in labels
    )
    assert take_in(run, [sheet], reviewer="ada")[:2] == (0, 23)
    sheet.write_text(text.replace("unsure", "fail"), encoding="utf-8", newline="")
    assert take_in(run, [sheet], reviewer="ada").added == text.count("unsure")


def test_the_draw_is_random_equal_and_repeatable(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    made, drawn = draw(run, "correctness", 50)
    assert [(part.verdict, part.answers, part.drawn) for part in made.strata] == [
        ("fail", 20, 20),
        ("pass", 60, 30),
    ]
    assert draw(run, "correctness", 50)[0] == made
    assert draw(run, "correctness", 50, seed=1)[0].drawn != made.drawn
    assert len({each.place for each in drawn}) == 50
    counts: Counter[str] = Counter()
    for seed in range(400):
        counts.update(draw(run, "correctness", 40, seed=seed)[0].drawn)
    passed = [count for key, count in counts.items() if int(key.split("c")[1]) < 60]
    assert len(passed) == 60 and min(passed) > 85 and max(passed) < 190  # 133 expected


def test_the_sheet_does_not_give_the_verdict_away(tmp_path: Path) -> None:
    made, drawn = draw(make_run(tmp_path / "run"), "correctness", 40)
    table = rows(made, drawn)
    strata = [made.drawn[f"{row['repeat']}:{row['case_id']}"] for row in table]
    assert strata not in (sorted(strata), sorted(strata, reverse=True))
    constant = {"verdict", "comment", "metric", "draw", "reviewer", "context", "references"}
    assert all(len({row[name] for row in table}) == 1 for name in constant)
    assert "probability" not in COLUMNS and "judge_verdict" not in COLUMNS


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_is_a_formula(text: str) -> None:
    (row,) = csv.reader(io.StringIO(to_csv([{"a": text}], ["a"]).split("\r\n", 1)[1], newline=""))
    assert not row[0].startswith(("=", "+", "-", "@", "\t", "\r"))
    assert plain(inert(text)) == text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,verdict\na,pass\n", "missing: case_id"),
        ("case_id,verdict\nx,perhaps\n", "labels.csv:2: the verdict is 'perhaps'"),
        ("case_id,verdict,repeat\nx,pass,one\n", "labels.csv:2: not a row of labels"),
        ("case_id,verdict,sampling\n=c1,pass,weekly\n", "labels.csv:2: .*sampling"),
    ],
)
def test_a_wrong_sheet_is_named_and_nothing_is_added(
    tmp_path: Path, content: str, message: str
) -> None:
    run = make_run(tmp_path / "run")
    path = tmp_path / "labels.csv"
    path.write_text(content)
    with pytest.raises(UsageError, match=message):
        take_in(run, [path])
    assert not has_labels(run.path / LABELS)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"case_id": "nobody"}, "no answer to 'nobody'"),
        ({"case_id": "=c1", "output_digest": "sha256:0"}, "another answer"),
        ({"case_id": "=c1", "run_id": "r0"}, "made for the run r0"),
        ({"case_id": "=c1", "metric": "style"}, "no score of 'style'"),
    ],
)
def test_labels_of_other_answers_are_left_out(
    tmp_path: Path, row: dict[str, Any], reason: str
) -> None:
    run = make_run(tmp_path / "run")
    path = tmp_path / "labels.jsonl"
    path.write_text(json.dumps({"verdict": "yes", "metric": "correctness", **row}) + "\n")
    taken = take_in(run, [path])
    assert taken.added == 0 and reason in taken.refused[0]


def test_a_semicolon_sheet_is_read(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text('case_id;verdict;comment\n"a;b";Pass;x, y\n', encoding="utf-8-sig")
    (row,) = read_sheet(path)
    assert isinstance(row, dict) and (row["case_id"], row["verdict"], row["comment"]) == (
        "a;b",
        "Pass",
        "x, y",
    )
    assert VERDICTS["pass"] == "pass"


def test_the_last_line_counts_without_a_line_break(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text('{"case_id": "a", "verdict": "pass"}\n\n{"case_id": "b", "verdict": "fail"}')
    assert [
        (row["case_id"], row["where"]) for row in read_sheet(path) if isinstance(row, dict)
    ] == [
        ("a", f"{path}:1"),
        ("b", f"{path}:3"),
    ]
    with pytest.raises(UsageError, match="a directory"):
        list(read_sheet(tmp_path))


def test_drawing_again_is_kept_once(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    made, _ = draw(run, "correctness", 10)
    keep(run, made)
    keep(run, made)
    assert list(draws(run).values()) == [made]


def test_figures_weigh_the_draw_back(tmp_path: Path) -> None:
    """60 passes and 20 fails, 15 of each labelled; people pass 12 of the 15 and 3 of the 15."""
    run = make_run(tmp_path / "run", unscored=0)
    made, drawn = draw(run, "correctness", 30)
    keep(run, made)
    table, seen = rows(made, drawn), {0: 0, 1: 0}
    for row in table:
        stratum = made.drawn[f"{row['repeat']}:{row['case_id']}"]
        seen[stratum] += 1
        people_pass = seen[stratum] <= (12 if made.strata[stratum].verdict == "pass" else 3)
        row["verdict"] = "pass" if people_pass else "fail"
    path = tmp_path / "s.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in table))
    take_in(run, [path], "ada")
    (metric,) = figures(run)["metrics"]
    assert metric["judge"]["counts"] == {
        "pass_pass": 12,
        "pass_fail": 3,
        "fail_pass": 3,
        "fail_fail": 12,
    }
    # 60 * 12/15 = 48 and 20 * 3/15 = 4 of the passing answers: 48/52
    assert metric["judge"]["sensitivity"]["value"] == pytest.approx(48 / 52)
    assert metric["judge"]["specificity"]["value"] == pytest.approx(16 / 28)


def test_figures_of_two_reviewers_and_of_chosen_answers(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    for name, words in (("ada", ["pass"] * 8), ("bob", ["pass"] * 6 + ["fail"] * 2)):
        path = tmp_path / f"{name}.jsonl"
        ids = [f"=c{number}" if number % 2 else f"-c{number}" for number in range(8)]
        path.write_text(
            "".join(
                json.dumps({"case_id": i, "verdict": w}) + "\n"
                for i, w in zip(ids, words, strict=True)
            )
        )
        take_in(run, [path], name)
    (metric,) = figures(run)["metrics"]
    assert len(metric["conflicts"]) == 2
    assert metric["reviewers"]["pairs"][0]["accuracy"]["value"] == pytest.approx(0.75)
    assert "drawn at random" in metric["judge"]["refused"]


def test_a_file_settles_no_dispute_and_a_person_has_one_spelling(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    row = {"case_id": "-c0", "metric": "correctness", "reviewer": "ben", "human_verdict": "fail"}
    decision = {**row, "reviewer": "ada", "label_id": "decided", "adjudication": True}
    path = tmp_path / "labels.jsonl"

    def taken(*rows: dict[str, object]) -> Intake:
        path.write_text("".join(json.dumps(each) + "\n" for each in rows))
        return take_in(run, [path])

    first = taken(row, decision)
    assert first.added == 1
    assert "llmeval review adjudicate" in first.refused[0]
    append(run.path, [msgspec.convert(decision, Label)])
    assert taken(row, decision) == Intake(0, 2, 0, [])  # what the run has is no news
    other = taken({**row, "reviewer": "Ben", "case_id": "=c1"})
    assert other.added == 0
    assert "'Ben' is 'ben' in another spelling" in other.refused[0]
    done = llmeval("labels", "import", path, "--run", run.path, "--reviewer", "")
    assert done.returncode == 2 and "--reviewer must not be empty" in done.stderr
    for reviewer, message in (("", "must not be empty"), ("BEN", "in another spelling")):
        done = llmeval("review", run.path, "--no-open", "--reviewer", reviewer)
        assert done.returncode == 2 and message in done.stderr, done.stderr
