"""Cases of the baseline that a run does not ask as they were: a drop must not hide there."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmeval.testing import run_cases
from tests.support.command import llmeval
from tests.support.suites import cases

N, FELL = 100, 20
GATE = "gate: {regression: {baseline: base.lock.json, margins: {contains: 0.1}}}\n"
SUITE = """suite: g
cases: cases.jsonl
prompt: '{{ question }}'
candidate: {provider: replay, source: said.jsonl}
checks: [{contains: "{{ reference }}"}]
"""

Rows = list[dict[str, Any]]


def write(folder: Path, rows: Rows, wrong: int, gate: str = GATE) -> Path:
    """A suite of these cases, whose first `wrong` ids of N are answered wrongly; answers are by id,
    whatever is asked.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    said = [
        {"id": name, "output": "no" if i < wrong else r["reference"]}
        for i, r in enumerate(cases(N))
        for name in (r["id"], f"x{r['id']}")
    ]
    (folder / "said.jsonl").write_text("".join(json.dumps(row) + "\n" for row in said))
    path = folder / "suite.yaml"
    path.write_text(SUITE + gate)
    return path


@pytest.fixture(scope="module")
def approved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the lock file of a run that passes everything."""
    folder = tmp_path_factory.mktemp("base")
    assert llmeval("run", write(folder, cases(N), 0), "--out", folder / "first").returncode == 3
    done = llmeval("baseline", "approve", folder / "first", "--by", "ada", "--reason", "first")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def folder(approved: Path, tmp_path: Path) -> Path:
    shutil.copy(approved / "base.lock.json", tmp_path)
    return tmp_path


def fewer(rows: Rows) -> Rows:
    return rows[FELL:]


def one_fewer(rows: Rows) -> Rows:
    return rows[1:]


def edited(rows: Rows) -> Rows:
    return [{**row, "reference": "no"} if i < FELL else row for i, row in enumerate(rows)]


def renamed(rows: Rows) -> Rows:
    return [{**row, "id": f"x{row['id']}"} for row in rows]


def backwards(rows: Rows) -> Rows:
    return rows[::-1]


def retired(first: int, last: int) -> str:
    return "".join(
        f"- {{case: c{i:04d}, reason: off topic., owner: ada}}\n" for i in range(first, last)
    )


ALLOWED = GATE.replace("lock.json, ", f"lock.json, max_gone: {FELL}, ")


@pytest.mark.parametrize(("edit", "gate", "entries", "code", "said"), [
    (list, GATE, "", 1, "is worse than the baseline"),
    (backwards, GATE, "", 1, "contains fell by 20.0 points"),
    (fewer, GATE, "", 3, "are not asked as they were: 20 gone, none may be. Whether they got worse is not known: c0000,"),
    (one_fewer, GATE, "", 3, "1 gone, none may be. Whether they got worse is not known: c0000. Ask them again, list them"),
    (edited, GATE, "", 3, "20 changed, none may be. Whether they got worse is not known: c0000 (changed), c0001 (changed)"),
    (renamed, GATE, "", 3, "100 gone, none may be"),
    (renamed, GATE.replace("lock.json, ", "lock.json, max_gone: 100, "), "", 3, "no case is in both this run and"),
    (fewer, ALLOWED, "", 0, "20 cases are gone or changed since the baseline, which `max_gone` allows: c0000, c0001"),
    (fewer, GATE, retired(0, FELL), 0, "20 cases are retired since the baseline: c0000, c0001"),
    (fewer, GATE, retired(0, FELL - 1), 3, "1 gone, none may be. Whether they got worse is not known: c0019."),
    (edited, GATE, retired(0, FELL), 0, "20 cases are retired since the baseline"),
])  # fmt: skip
def test_what_is_not_asked_as_it_was(
    folder: Path, edit: Callable[[Rows], Rows], gate: str, entries: str, code: int, said: str
) -> None:
    suite = write(folder, edit(cases(N)), FELL, gate)
    if entries:
        (folder / "retired.yaml").write_text(entries)
    done = llmeval("run", suite, "--out", folder / "run")
    assert done.returncode == code, done.stdout + done.stderr
    found = json.loads((folder / "run" / "summary.json").read_text())
    assert said in found["gate"]["reason"]
    if said.endswith("gone, none may be. Whether they got worse is not known: c0000,"):
        assert "c0009, ..." in found["gate"]["reason"] and "c0010" not in found["gate"]["reason"], (
            "at most ten are named"
        )


def test_retired_cases_are_counted_and_shown(folder: Path) -> None:
    (folder / "old.yaml").write_text(
        "- {case: c0000, reason: the page moved, owner: ada, date: 2026-11-03}\n"
        "- {case: c0001, reason: the reference was wrong., owner: eve, suite: g}\n"
        "- {case: c0002, reason: of another suite, owner: eve, suite: other}\n"
    )
    rows = cases(N)
    rows[1]["reference"] = "value-one"
    suite = write(folder, rows[1:], 0, GATE.replace("gate: {", "gate: {retired: old.yaml, "))
    done = llmeval("run", suite, "--out", folder / "run")
    assert done.returncode == 0, done.stdout
    found = json.loads((folder / "run" / "summary.json").read_text())
    assert [(each["case_id"], each["changed"]) for each in found["retired"]] == [
        ("c0000", False),
        ("c0001", True),
    ]
    moved, wrong = (
        "retired on 2026-11-03 by ada: the page moved (not asked any more)",
        "(asked otherwise now)",
    )
    for text in (done.stdout, (folder / "run" / "report.html").read_text()):
        assert moved in text and wrong in text
    assert "2 cases of the baseline retired, not compared" in done.stdout
    assert (
        "Retired cases of the baseline, not compared:"
        in (folder / "run" / "summary.md").read_text()
    )
    (rule,) = found["gate"]["rules"]
    assert rule["reason"].endswith("Not compared: 2 retired (c0000, c0001).")


@pytest.mark.parametrize(("rows", "entries", "said"), [
    (cases(N), retired(3, 4), "retired.yaml:1: [0].case: g still has 'c0003'"),
    (cases(N), "- {case: c0003, reason: x}\n", "retired.yaml:1: [0].owner: this key is missing"),
])  # fmt: skip
def test_a_wrong_entry_is_an_error_before_the_first_call(
    folder: Path, rows: Rows, entries: str, said: str
) -> None:
    suite = write(folder, rows, 0)
    (folder / "retired.yaml").write_text(entries)
    for command in (("run", suite, "--out", folder / "run"), ("validate", suite)):
        done = llmeval(*command)
        assert done.returncode == 2, done.stdout
        assert said in done.stderr
    assert not (folder / "run" / "answers.jsonl").exists()


def test_a_case_asked_otherwise_may_be_retired_in_every_kind_of_run(folder: Path) -> None:
    suite = write(folder, edited(cases(N)), 0)
    (folder / "retired.yaml").write_text(retired(0, FELL))
    assert llmeval("validate", suite).returncode == 0
    part = run_cases(suite, None, folder / "part", {"c0003", "c0050"})
    assert part.summary.counts.cases == 2
    llmeval("run", suite, "--out", folder / "other")
    again = llmeval(
        "run", suite, "--out", folder / "again", "--baseline", folder / "other", "--json"
    )
    found = json.loads(again.stdout)
    assert (again.returncode, found["retired"]) == (0, []), (
        "the other baseline asks what the suite asks now"
    )


def test_a_sample_says_so_and_what_it_did_not_draw_is_not_gone(folder: Path) -> None:
    suite = write(folder, cases(N), 0)
    done = llmeval("run", suite, "--out", folder / "run", "--limit", 60)
    assert done.returncode == 0, done.stdout
    (rule,) = json.loads((folder / "run" / "summary.json").read_text())["gate"]["rules"]
    assert "Not compared: 40 of the baseline not drawn." in rule["reason"]
    assert rule["reason"].endswith("Compared on a sample of 60 of 100 cases.")
    again = llmeval("gate", folder / "run", "--baseline", folder / "base.lock.json", "--json")
    assert json.loads(again.stdout)["gate"]["decision"] == "PASS"


@pytest.mark.parametrize(("edit", "said"), [(fewer, "20 gone"), (edited, "changed, none may be")])
def test_nor_does_a_sample_hide_what_the_suite_lacks(
    folder: Path, edit: Callable[[Rows], Rows], said: str
) -> None:
    done = llmeval(
        "run", write(folder, edit(cases(N)), FELL), "--out", folder / "run", "--limit", 30
    )
    assert done.returncode == 3, done.stdout
    assert said in json.loads((folder / "run" / "summary.json").read_text())["gate"]["reason"]


def test_a_sample_compared_with_another_baseline_does_not_know(
    approved: Path, folder: Path
) -> None:
    llmeval("run", write(folder, cases(N), 0), "--out", folder / "run", "--limit", 60)
    again = llmeval("gate", folder / "run", "--baseline", approved / "first", "--json")
    llmeval("run", write(folder / "other", cases(N), 0, "\n"), "--out", folder / "other" / "run")
    other = llmeval("gate", folder / "run", "--baseline", folder / "other" / "run", "--json")
    assert "is not known" not in json.loads(again.stdout)["gate"]["reason"], (
        "the same run as the lock file's"
    )
    assert (
        "Whether cases of this baseline are gone from the suite is not known"
        in (json.loads(other.stdout)["gate"]["reason"])
    )


def test_neither_shards_nor_stopping_early_hide_them(folder: Path) -> None:
    suite = write(folder, fewer(cases(N)), FELL)
    early = llmeval("run", suite, "--out", folder / "early", "--stop", "early")
    for shard in ("1/2", "2/2"):
        assert (
            llmeval(
                "run", suite, "--shard", shard, "--out", folder / "shards" / shard[0]
            ).returncode
            == 0
        )
    merged = llmeval("merge", folder / "shards", "--out", folder / "merged")
    for name, done in (("early", early), ("merged", merged)):
        assert done.returncode == 3, done.stdout
        assert (
            "20 gone" in json.loads((folder / name / "summary.json").read_text())["gate"]["reason"]
        )
    whole = write(folder, cases(N), 0)
    for shard in ("1/2", "2/2"):
        llmeval("run", whole, "--shard", shard, "--out", folder / "parts" / shard[0])
    done = llmeval("merge", folder / "parts", "--out", folder / "all", "--json")
    assert (done.returncode, "sample" in done.stdout) == (0, False), done.stderr


def test_a_baseline_scored_anew_does_not_hide_them(approved: Path, folder: Path) -> None:
    """The run that scores the baseline's answers anew has only the cases that are left; the gate
    still knows the others.
    """
    shutil.copytree(approved / "first", folder / "first")
    suite = write(folder, fewer(cases(N)), FELL, GATE.replace("0.1}", "0.3}"))
    check = '{regex: {pattern: "{{ reference }}", metric: contains}}'
    suite.write_text(suite.read_text().replace('{contains: "{{ reference }}"}', check))
    named = f"file:{folder / 'first'}"
    done = llmeval(
        "run",
        suite,
        "--rejudge",
        "--baseline",
        named,
        "--reports",
        folder / "reports",
        "--out",
        folder / "run",
    )
    assert done.returncode == 3, done.stdout + done.stderr
    found = json.loads((folder / "run" / "summary.json").read_text())
    assert "20 gone" in found["gate"]["reason"]
    told = [change["text"] for change in found["gate_changes"]]
    assert "margin contains 0.10 -> 0.30: looser" in told, (
        "the gate is held against the baseline's own"
    )


@pytest.mark.parametrize(
    ("gate", "code"), [(GATE, 3), (GATE.replace("gate: {", "gate: {max_unscored: 1, "), 4)]
)
def test_a_run_without_results_is_no_improvement(folder: Path, gate: str, code: int) -> None:
    suite = write(folder, cases(N), 0, gate)
    (folder / "said.jsonl").write_text('{"id": "none", "output": "x"}\n')
    done = llmeval("run", suite, "--out", folder / "run")
    assert done.returncode == code, done.stdout


def test_no_case_is_no_pass(folder: Path) -> None:
    assert llmeval("run", write(folder, [], 0), "--out", folder / "run").returncode == 5
