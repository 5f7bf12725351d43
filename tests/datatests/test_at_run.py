"""The data tests of a run: manifest, report, terminal and summary."""

import json
import tempfile
from pathlib import Path

import pytest

from llmeval.core.manifest import Manifest
from llmeval.datatests import at_run
from llmeval.store.directory import RunDir
from tests.datatests.planting import Row, report, rows, write
from tests.support.command import llmeval


def _run(path: Path) -> tuple[str, Path, Manifest]:
    reports = Path(tempfile.mkdtemp(dir=path.parent))
    done = llmeval("run", path, "--reports", reports)
    folder = next(reports.glob("demo/2*"))
    return done.stdout + done.stderr, folder, RunDir(folder).manifest()


def _cases(n: int = 4) -> list[Row]:
    return [*rows(n), {**rows(1)[0], "id": "again"}]


def _write(folder: Path, cases: list[Row], accepted: str = "") -> Path:
    path = write(folder, cases, accepted=accepted)
    answers = [{"id": case["id"], "output": "an answer"} for case in cases]
    (folder / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in answers))
    return path


def test_open_findings(tmp_path: Path) -> None:
    path = _write(tmp_path, _cases())
    printed, folder, manifest = _run(path)
    record = manifest.data
    assert record is not None and (record.cases, record.of, record.failed) == (5, 5, None)
    assert record.count("error") == 1 and "D001" in record.rules and "D021" not in record.rules
    ids = [rule for rule in record.rules if rule != "D019"]
    assert record.digest == report(path, *ids).digest
    assert "Data tests of 5 cases: 1 error" in " ".join(printed.split())
    assert "Data tests of 5 cases" in (folder / "summary.md").read_text()
    page = (folder / "report.html").read_text()
    assert '<section id="data"' in page and "2 cases send the same prompt" in page
    assert record.digest in page


def test_accepted_findings_name_who_and_until_when(tmp_path: Path) -> None:
    path = _write(tmp_path, _cases())
    finding = report(path, "D001").findings[0]
    entry = {
        "rule": "D001", "cases": list(finding.cases), "digests": list(finding.case_digests),
        "reason": "A <b>test</b> of repeats.", "by": "ada", "until": "2999-01-31",
    }  # fmt: skip
    _write(tmp_path, _cases(), accepted=json.dumps({"accept": [entry]}))
    printed, folder, manifest = _run(path)
    assert manifest.data is not None and manifest.data.count("error") == 0
    (accepted,) = manifest.data.accepted
    assert (accepted.by, accepted.until, accepted.findings) == ("ada", "2999-01-31", 1)
    page = (folder / "report.html").read_text()
    assert "A &lt;b&gt;test&lt;/b&gt; of repeats." in page and "2999-01-31" in page
    assert "⚠ Data tests" not in printed


def test_tests_that_fail_are_named_and_do_not_stop_the_run(tmp_path: Path) -> None:
    path = _write(tmp_path, _cases(), accepted="accept: [{rule: D001}]\n")
    printed, folder, manifest = _run(path)
    assert manifest.status == "complete"
    assert manifest.data is not None and "demo.data.yaml" in str(manifest.data.failed)
    assert "could not be carried out" in " ".join(printed.split())
    assert "could not be carried out" in (folder / "report.html").read_text()


def test_a_large_suite_is_read_in_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at_run, "MOST_CASES", 3)
    entry = {"rule": "D006", "cases": ["again"], "digests": ["0" * 16], "reason": "x", "by": "y"}
    path = _write(tmp_path, _cases(), accepted=json.dumps({"accept": [entry]}))
    _, folder, manifest = _run(path)
    record = manifest.data
    assert record is not None and (record.cases, record.of) == (3, 5)
    assert not [each for each in record.open if each.level != "info"], "no entry is called void"
    assert "the first 3 of 5" in (folder / "report.html").read_text()


def test_all_rules_off_is_no_clean_result(tmp_path: Path) -> None:
    path = _write(tmp_path, _cases())
    _, _, manifest = _run(path)
    assert manifest.data is not None
    off = "".join(f"{rule}: 'off', " for rule in manifest.data.rules)
    _write(tmp_path, _cases(), accepted=f"levels: {{{off}}}\n")
    _, folder, _ = _run(path)
    assert "No data test ran" in (folder / "report.html").read_text()
