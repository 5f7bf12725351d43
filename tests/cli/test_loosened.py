"""A gate that was loosened in passing: named beside the PASS that it gave, and in a pull
request.
"""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_gone import GATE, SUITE, N, write
from tests.support.command import llmeval
from tests.support.suites import cases

STRICT = GATE.replace("gate: {", "gate: {floors: {contains: 0.95}, ")
LOOSE = STRICT.replace("0.95", "0.8").replace("0.1}}", "0.2}, max_gone: 3}")


@pytest.fixture(scope="module")
def approved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    assert (
        llmeval("run", write(folder, cases(N), 0, STRICT), "--out", folder / "first").returncode
        == 3
    )
    assert (
        llmeval("baseline", "approve", folder / "first", "--by", "ada", "--reason", "x").returncode
        == 0
    )
    return folder


@pytest.fixture
def folder(approved: Path, tmp_path: Path) -> Path:
    shutil.copy(approved / "base.lock.json", tmp_path)
    return tmp_path


def test_the_lock_file_holds_the_gate(approved: Path) -> None:
    lock = json.loads((approved / "base.lock.json").read_text())
    assert lock["schema"] == 2
    gate = lock["gate"]["gate"]
    assert (gate["floors"], gate["regression"]) == (
        {"contains": 0.95},
        {"margins": {"contains": 0.1}, "max_gone": 0},
    )
    assert lock["gate"]["checks"] == {"contains": "{{ reference }}"}
    shown = json.loads(llmeval("baseline", "show", approved / "base.lock.json", "--json").stdout)
    assert shown["gate"] == lock["gate"]


def test_a_looser_gate_stands_beside_the_pass(folder: Path) -> None:
    (folder / "quarantine.yaml").write_text(
        "".join(
            f"- {{case: c000{i}, reason: x, owner: ada, expires: 2999-01-31}}\n" for i in range(3)
        )
    )
    done = llmeval("run", write(folder, cases(N), 6, LOOSE), "--out", folder / "run")
    assert done.returncode == 0, done.stdout
    found = json.loads((folder / "run" / "summary.json").read_text())
    looser, since = found["gate"]["remarks"]
    assert looser == (
        "The gate is looser than the baseline's: floor contains 0.95 -> 0.80; margin contains 0.10 -> 0.20; max_gone 0 -> 3."
    )
    assert since == "3 cases are quarantined since the baseline: c0000, c0001, c0002."
    assert found["gate"]["reason"] == f"All 2 rules hold. {looser} {since}"
    assert {change["direction"] for change in found["gate_changes"]} == {"looser"}
    page, text = (
        (folder / "run" / "report.html").read_text(),
        (folder / "run" / "summary.md").read_text(),
    )
    assert "floor contains 0.95 -&gt; 0.80: looser" in page
    assert "3 cases are quarantined since the baseline: c0000, c0001, c0002." in page
    assert "compared with the baseline's:" in text
    assert "floor contains 0.95 -> 0.80: looser" in done.stdout
    told = llmeval("baseline", "propose", folder / "run").stdout
    assert (
        "gate: floor contains 0.95 -> 0.80: looser" in told
        and "gate: now quarantined: c0000" in told
    )


def test_a_tighter_gate_is_said_and_is_no_remark(folder: Path) -> None:
    done = llmeval(
        "run", write(folder, cases(N), 0, STRICT.replace("0.95", "0.96")), "--out", folder / "run"
    )
    assert done.returncode == 0, done.stdout
    found = json.loads((folder / "run" / "summary.json").read_text())
    assert [change["text"] for change in found["gate_changes"]] == [
        "floor contains 0.95 -> 0.96: tighter"
    ]
    assert found["gate"]["remarks"] == [] and found["gate"]["reason"] == "All 2 rules hold."


def test_another_measurement_than_the_baselines_is_a_remark(folder: Path) -> None:
    rows = cases(N)
    suite = write(folder, [*rows, {**rows[0], "id": "xc0000"}], 0, STRICT)
    text = suite.read_text()
    suite.write_text(text.replace("checks: [", "checks: [{max_words: 90}, "))
    assert suite.read_text() != text
    done = llmeval("run", suite, "--out", folder / "run")
    assert done.returncode == 0, done.stdout
    assert json.loads((folder / "run" / "summary.json").read_text())["gate"]["remarks"] == [
        "Measured differently from the baseline: check added: max_words: tighter; the cases have"
        f" another digest ({N + 1} cases)."
    ]


def test_a_renamed_suite_names_both_names_and_the_fix(folder: Path) -> None:
    suite = write(folder, cases(N), 0, STRICT)
    before = suite.read_text().splitlines()[0].removeprefix("suite: ")
    suite.write_text(suite.read_text().replace(f"suite: {before}", "suite: renamed", 1))
    done = llmeval("run", suite, "--out", folder / "run")
    (remark,) = json.loads((folder / "run" / "summary.json").read_text())["gate"]["remarks"]
    assert f"is of the suite {before}, and this run of renamed" in remark
    assert "llmeval baseline approve RUN" in remark
    assert "of renamed" in " ".join(done.stdout.split())


def test_a_lock_file_without_a_gate_is_refused(folder: Path) -> None:
    lock = json.loads((folder / "base.lock.json").read_text())
    (folder / "base.lock.json").write_text(json.dumps({**lock, "schema": 1, "gate": None}))
    done = llmeval("run", write(folder, cases(N), 0, STRICT), "--out", folder / "run")
    assert done.returncode == 2
    assert (
        "approve a run again: `llmeval baseline approve RUN --by NAME --reason TEXT`" in done.stderr
    )
    assert not (folder / "run" / "answers.jsonl").exists()
    assert llmeval("baseline", "show", folder / "base.lock.json").returncode == 0
    other = llmeval(
        "run",
        folder / "suite.yaml",
        "--out",
        folder / "run",
        "--baseline",
        "file:" + str(folder / "none"),
    )
    assert other.returncode == 2


@pytest.fixture
def repository(folder: Path) -> Path:
    write(folder, cases(N), 0, STRICT)
    (folder / "retired.yaml").write_text("- {case: old, reason: x, owner: ada}\n")
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "one"], ["tag", "one"]):
        named = ["-c", "user.name=ada", "-c", "user.email=ada@example.org"]
        subprocess.run(["git", *named, *command], cwd=folder, check=True, capture_output=True)
    return folder


def against(suite: Path, reference: str) -> Any:
    done = llmeval("validate", suite, "--against", reference, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["against"]


def test_a_pull_request_sees_what_it_does_to_the_gate(repository: Path) -> None:
    assert against(repository / "suite.yaml", "one")["changes"] == []
    text = SUITE.replace("checks: [", "checks: [{max_words: 60}, ") + LOOSE
    (repository / "suite.yaml").write_text(text)
    (repository / "quarantine.yaml").write_text(
        "- {case: c0001, reason: x, owner: ada, expires: 2999-01-31}\n"
    )
    (repository / "retired.yaml").unlink()
    texts = [change["text"] for change in against(repository / "suite.yaml", "one")["changes"]]
    assert texts == [
        "floor contains 0.95 -> 0.80: looser", "margin contains 0.10 -> 0.20: looser", "max_gone 0 -> 3: looser",
        "now quarantined: c0001: looser", "check added: max_words: tighter", "no longer retired: old: tighter",
    ]  # fmt: skip
    lock = [
        change["text"]
        for change in against(repository / "suite.yaml", str(repository / "base.lock.json"))[
            "changes"
        ]
    ]
    assert lock == texts[:-1], "the lock file was approved without the retired case"
    said = llmeval("validate", repository / "suite.yaml", "--against", "HEAD").stdout
    assert "The gate against HEAD:\n  floor contains 0.95 -> 0.80: looser\n" in said


def test_another_argument_of_a_check(repository: Path) -> None:
    (repository / "suite.yaml").write_text(
        SUITE.replace("{{ reference }}", "{{ references[0] }}") + STRICT
    )
    (found,) = against(repository / "suite.yaml", "one")["changes"]
    assert found == {
        "what": "check contains", "direction": "changed",
        "text": "check contains changed: {{ reference }} -> {{ references[0] }}",
    }  # fmt: skip


def test_a_new_suite_and_a_revision_that_is_none(repository: Path) -> None:
    new = repository / "new.yaml"
    new.write_text((repository / "suite.yaml").read_text())
    assert against(new, "one")["changes"] is None
    done = llmeval("validate", new, "--against", "--output=x")
    assert done.returncode == 2
    unknown = llmeval("validate", new, "--against", "nowhere")
    assert unknown.returncode == 2
    assert (
        "--against nowhere: there is no such file, and git knows no such revision" in unknown.stderr
    )
