"""`llmeval runs`, `llmeval history` and `llmeval view --export` as commands: exit codes, JSON, what
is deleted and what is not.
"""

import json
from pathlib import Path

import pytest

from llmeval.core.records import Label, to_json
from llmeval.gate.baseline import baseline_of_run, lock_bytes
from tests.support.command import llmeval
from tests.support.history_runs import git, past_run

GATE = {
    "floors": {}, "regression": None, "alpha": 0.05, "beta": 0.05, "max_unscored": 0.02,
    "on_inconclusive": "fail",
}  # fmt: skip
RUNS = [f"2026010{day}T090000Z-00000{day}" for day in (1, 2, 3)]


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    folder = tmp_path / "reports"
    for number, run_id in enumerate(RUNS):
        past_run(
            folder,
            run_id,
            {"facts": [1.0, float(number == 0)]},
            git=git("main", f"{number}ab"),
            gate=GATE,
        )
    return folder


def suite_of(folder: Path) -> Path:
    """A suite whose answers are recorded."""
    (folder / "answers.jsonl").write_text('{"id": "1", "output": "Paris."}\n')
    path = folder / "qa.yaml"
    path.write_text(
        "suite: qa\n"
        "cases: [{id: '1', question: Capital of France?, reference: Paris}]\n"
        "prompt: '{{ question }}'\n"
        "models: {known: {provider: replay, source: answers.jsonl}}\n"
        "candidate: known\n"
        "checks: [facts]\n"
    )
    return path


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["list"], RUNS[2]),
        (["list", "qa", "--branch", "main", "--last", "1"], RUNS[2]),
        (["list", "--csv"], "run_id,baseline,branch"),
        (["trend", "qa"], "facts"),
        (["trend", "qa", "--metric", "facts"], "100.0%"),
        (["case", "qa", "c1"], "failing since 1ab0000 (2026-01-02), 2 runs"),
        (["flaky", "qa"], "c1"),
        (["flaky", "qa", "--quarantine"], "- case: c1"),
        (["leaderboard", "qa"], "assistant"),
        (["leaderboard", "qa", "--md"], "| Rank |"),
        (["tag", "latest", "release=1.2"], "release=1.2"),
        (["rm", "--keep", "1d"], "would be deleted"),
    ],
)
def test_screens(reports: Path, arguments: list[str], text: str) -> None:
    done = llmeval("runs", *arguments, "--reports", reports, COLUMNS="80")
    assert done.returncode == 0, done.stderr
    assert text in done.stdout
    if arguments[0] in ("trend", "case", "leaderboard") or arguments == ["list"]:
        assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    "arguments",
    [
        ["list"],
        ["trend", "qa"],
        ["case", "qa", "c1"],
        ["flaky", "qa"],
        ["leaderboard", "qa"],
        ["tag", "latest"],
        ["rm", "--keep", "1y"],
    ],
)
def test_json_is_one_document(reports: Path, arguments: list[str]) -> None:
    done = llmeval("runs", *arguments, "--reports", reports, "--json")
    assert done.returncode == 0
    json.loads(done.stdout)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["trend", "nowhere"], "no complete run of nowhere"),
        (["case", "qa", "zzz"], "has the case 'zzz'"),
        (["leaderboard", "nowhere"], "no complete run"),
        (["tag", "latest", "1=2"], "is not a tag"),
        (["rm"], "--keep 1y"),
        (["list", "--where", "x=1"], "one of these names"),
        (["list", "--history", "mysql://me:geheim-1234@h/d"], "postgresql://"),
    ],
)
def test_wrong_usage_ends_with_2(reports: Path, arguments: list[str], text: str) -> None:
    done = llmeval("runs", *arguments, "--reports", reports)
    assert done.returncode == 2
    assert text in done.stderr
    assert "geheim" not in done.stderr


def test_names_are_understood_everywhere(reports: Path) -> None:
    llmeval("runs", "tag", RUNS[0], "release=1.2", "--reports", reports)
    shown = llmeval("runs", "show", "tag:release=1.2", "--reports", reports, "--json")
    assert json.loads(shown.stdout)["run_id"] == RUNS[0]
    compared = llmeval(
        "compare", "tag:release=1.2", "qa/main@latest", "--reports", reports, "--json"
    )
    assert [run["run_id"] for run in json.loads(compared.stdout)["runs"]] == [RUNS[0], RUNS[2]]
    report = llmeval("report", "main@latest", "--reports", reports, "--json")
    assert json.loads(report.stdout)["run_id"] == RUNS[2]


def test_deleting_keeps_what_is_needed(reports: Path, tmp_path: Path) -> None:
    from llmeval.store.directory import RunDir

    lock = tmp_path / "qa.lock.json"
    lock.write_bytes(lock_bytes(baseline_of_run(RunDir(reports / "qa" / RUNS[0]))))
    gate = {**GATE, "regression": {"baseline": str(lock), "margins": {"facts": 0.05}}}
    past_run(reports, "20260104T090000Z-000004", {"facts": [1.0]}, gate=gate)
    label = Label(label_id="1", case_id="c0", metric="facts", human_verdict="pass")
    (reports / "qa" / RUNS[1] / "labels.jsonl").write_bytes(to_json(label) + b"\n")
    dry = llmeval("runs", "rm", "--keep", "1d", "--reports", reports, "--json")
    kept = {run["run_id"]: run["kept"] for run in json.loads(dry.stdout)["runs"]}
    assert "is made of it" in kept[RUNS[0]]
    assert "1 label" in kept[RUNS[1]]
    assert kept[RUNS[2]] == ""
    assert (reports / "qa" / RUNS[2]).exists()
    llmeval("runs", "rm", "--keep", "1d", "--yes", "--reports", reports)
    left = sorted(path.name for path in (reports / "qa").iterdir())
    assert left == RUNS[:2]


def test_an_unreadable_baseline_deletes_nothing(reports: Path, tmp_path: Path) -> None:
    (tmp_path / "torn.lock.json").write_text("{")
    gate = {**GATE, "regression": {"baseline": str(tmp_path / "torn.lock.json"), "margins": {}}}
    past_run(reports, "20260104T090000Z-000004", {"facts": [1.0]}, gate=gate)
    done = llmeval("runs", "rm", "--keep", "1d", "--yes", "--reports", reports)
    assert done.returncode == 3
    assert "Nothing is deleted" in done.stderr
    assert len(list((reports / "qa").iterdir())) == 4


def test_index_and_check(reports: Path) -> None:
    broken = reports / "qa" / RUNS[1] / "manifest.json"
    broken.write_text("{}")
    indexed = llmeval("history", "index", "--reports", reports, "--json")
    assert indexed.returncode == 0
    assert json.loads(indexed.stdout)["indexed"] == 2
    assert llmeval("history", "index", "--reports", reports, "--strict").returncode == 3
    checked = llmeval("history", "check", "--reports", reports, "--json")
    assert json.loads(checked.stdout)["repaired"] == []
    assert "not in the history" in llmeval("runs", "list", "--reports", reports).stderr


def test_a_run_is_in_the_history_at_its_end(tmp_path: Path) -> None:
    suite = suite_of(tmp_path)
    done = llmeval("run", suite, "--reports", tmp_path / "reports", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "history" not in done.stderr
    listed = llmeval("runs", "list", "--reports", tmp_path / "reports", "--json")
    assert [run["status"] for run in json.loads(listed.stdout)] == ["complete"]


def test_a_history_that_fails_changes_no_exit_code(tmp_path: Path) -> None:
    suite = suite_of(tmp_path)
    done = llmeval(
        "run", suite, "--reports", tmp_path / "reports", cwd=tmp_path,
        LLMEVAL_HISTORY="postgresql://me:geheim-geheim@127.0.0.1:1/x",
    )  # fmt: skip
    assert done.returncode == 0
    assert "`llmeval history index` adds it" in done.stderr
    assert "geheim" not in done.stderr + done.stdout


def test_pages_are_written(reports: Path, tmp_path: Path) -> None:
    done = llmeval("view", "--export", tmp_path / "pages", "--reports", reports, "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["pages"] == len(list((tmp_path / "pages").glob("*.html")))
    refused = llmeval("view", "--host", "0.0.0.0", "--reports", reports)
    assert refused.returncode == 2
    assert "--tls-cert" in refused.stderr
