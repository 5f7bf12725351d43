"""Data rows and received runs name code: none of it is imported."""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from llmeval.store.directory import RECORDS
from tests.support.command import llmeval
from tests.support.endpoint import serve
from tests.support.suites import answer, write_suite

MODULE = """\
from pathlib import Path
Path({mark!r}).write_text("imported")
def rule(case, answer): return True
def reply(prompt): return "x"
def make(): return None
"""
ROWS = [
    ["payload:rule"], [{"payload:rule": {}}], [{"not": "payload:rule"}],
    [{"any": [{"contains": "x"}, "payload:rule"]}], [{"at_least": {"k": 1, "of": ["payload:rule"]}}],
    ["os:system"], ["payload.sub:rule"], ["payload:rule:more"],
]  # fmt: skip


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """The file that the module writes when it is imported."""
    mark = tmp_path / "imported"
    (tmp_path / "payload.py").write_text(MODULE.format(mark=str(mark)))
    return mark


def suite_of(folder: Path, rows: Sequence[Mapping[str, object]], inline: bool = False) -> Path:
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    cases = json.dumps(rows) if inline else "rows.jsonl"
    path = folder / "suite.yaml"
    path.write_text(
        f"suite: rows\ncases: {cases}\nprompt: '{{{{ question }}}}'\ngate: none\n"
        "candidate: {provider: openai, model: m, base_url: 'http://127.0.0.1:9/v1', api_key: x}\n"
        "checks: [{contains: '{{ reference }}'}]\n"
    )
    return path


@pytest.mark.parametrize("checks", ROWS, ids=str)
@pytest.mark.parametrize("command", [["validate"], ["run", "--dry-run"], ["run"]], ids=" ".join)
def test_a_row_names_no_code(
    tmp_path: Path, mark: Path, command: list[str], checks: list[object]
) -> None:
    suite = suite_of(tmp_path, [{"id": "a", "question": "q", "reference": "r", "checks": checks}])
    done = llmeval(command[0], suite, *command[1:], cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "rows.jsonl:1: checks[0]" in done.stderr
    assert "is not a built-in check" in done.stderr
    assert not mark.exists()


def test_a_case_of_the_suite_file_names_code(tmp_path: Path, mark: Path) -> None:
    row = {"id": "a", "question": "q", "reference": "r", "checks": ["payload:rule"]}
    done = llmeval("validate", suite_of(tmp_path, [row], inline=True), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert mark.exists()


@pytest.fixture
def received(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run whose manifest names a suite that lies in the folder with it."""
    monkeypatch.setenv("LLMEVAL_HOME", str(tmp_path / "home"))
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 3)
        for name in ("run", "other"):
            done = llmeval("run", suite, "--out", tmp_path / name, cwd=tmp_path)
            assert done.returncode == 0, done.stderr
    return tmp_path / "run"


CODE = {
    "a check": ("contains: \"{{ reference }}\"", "payload:rule"),
    "a judge's client": ("model: judge, base_url", "model: judge, client: 'payload:make', base_url"),
    "a judge that is a function": ("{model: judge, attacks", "{model: {provider: python, function: 'payload:reply'}, attacks"),
}  # fmt: skip


@pytest.mark.parametrize("kind", CODE)
@pytest.mark.parametrize("command", ["score", "compare"])
def test_a_received_run_names_code(received: Path, mark: Path, kind: str, command: str) -> None:
    suite = received.parent / "suite.yaml"
    suite.write_text(suite.read_text().replace(*CODE[kind]))
    arguments = {
        "score": [received, "--out", received.parent / "out"],
        "compare": [received, received.parent / "other", "--judge", "correctness"],
    }[command]
    done = llmeval(command, *arguments, cwd=received.parent)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "is code, and only the run directory names the suite" in done.stderr
    assert "--trust" in done.stderr
    assert not mark.exists()
    for trusting in (["--trust"], ["--suite", suite]):
        mark.unlink(missing_ok=True)
        llmeval(command, *arguments, *trusting, cwd=received.parent)
        assert mark.exists(), trusting


def test_report_reads_no_suite(received: Path, mark: Path) -> None:
    suite = received.parent / "suite.yaml"
    suite.write_text(suite.read_text().replace(*CODE["a check"]))
    assert llmeval("report", received, cwd=received.parent).returncode == 0
    assert not mark.exists()


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="needs links")
@pytest.mark.parametrize(
    "name", [*RECORDS, "manifest.json", "report.html", "summary.md", "junit.xml"]
)
def test_no_writer_follows_a_link(received: Path, tmp_path: Path, name: str) -> None:
    """A foreign run directory whose files are links out of it."""
    outside = tmp_path / "outside"
    outside.write_text("mine\n")
    before = outside.read_bytes()
    (received / name).unlink(missing_ok=True)
    (received / name).symlink_to(outside)
    folder = shutil.copytree(received, tmp_path / "copy", symlinks=True)
    for command in (["report", folder], ["score", folder, "--out", folder], ["merge", folder],
                    ["run", tmp_path / "suite.yaml", "--out", folder]):  # fmt: skip
        llmeval(*command, cwd=tmp_path)
        assert outside.read_bytes() == before, command


def test_records_are_for_their_owner(received: Path) -> None:
    private = [*RECORDS[:3], "manifest.json"]
    assert {name: oct((received / name).stat().st_mode & 0o777) for name in private} == {
        name: "0o600" for name in private
    }
    for file in (received.parent / "home").glob("cache.sqlite3*"):
        assert file.stat().st_mode & 0o077 == 0, file
