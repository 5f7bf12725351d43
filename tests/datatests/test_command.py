"""`llmeval data check`: exit codes, formats, accepted findings, bad input."""

import json
import xml.etree.ElementTree as ET
from datetime import date
from pathlib import Path

import pytest

from llmeval.datatests import rules
from llmeval.datatests.rules import DataRule
from tests.datatests.planting import Row, report, rows, write
from tests.support.command import llmeval


def _conflict() -> list[Row]:
    return [
        {"id": "a", "question": "Who won?", "reference": "Mira"},
        {"id": "b", "question": "who won?", "reference": "Otto"},
    ]


def test_exit_codes(tmp_path: Path) -> None:
    assert llmeval("data", "check", write(tmp_path / "clean", rows(5)), "--fast").returncode == 0
    assert llmeval("data", "check", write(tmp_path / "bad", _conflict())).returncode == 1
    assert llmeval("data", "check", write(tmp_path / "none", [])).returncode == 5
    assert llmeval("data", "check", tmp_path / "absent.yaml").returncode == 2
    assert (
        llmeval("data", "check", write(tmp_path / "clean", rows(5)), "--rules", "D999").returncode
        == 2
    )


@pytest.mark.parametrize(
    "line",
    [b'{"id": "a", "question": "torn', b'{"id": "a", "question": "caf\xe9"}', b'["no", "object"]'],
)
def test_a_line_that_is_no_case(tmp_path: Path, line: bytes) -> None:
    path = write(tmp_path, rows(2))
    with (tmp_path / "cases.jsonl").open("ab") as file:
        file.write(line + b"\n")
    done = llmeval("data", "check", path)
    assert done.returncode == 2
    assert "cases.jsonl:3" in done.stderr


def test_a_rule_that_crashes_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def add(self, case: object) -> None:
            raise ZeroDivisionError("by zero")

        def findings(self) -> list[object]:
            return []

    monkeypatch.setattr(
        "llmeval.datatests.check.RULES",
        (*rules.RULES, DataRule(("D099",), lambda inputs: Broken())),
    )
    done = llmeval("data", "check", write(tmp_path, rows(3)))
    assert done.returncode == 3
    assert "the data test D099 crashed" in done.stderr and "cases.jsonl:1" in done.stderr
    assert done.stdout == ""


def test_the_text_is_80_columns_wide(tmp_path: Path) -> None:
    path = write(tmp_path, _conflict() + rows(3))
    done = llmeval("data", "check", "demo.yaml", cwd=path.parent)
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "cases.jsonl:1\n  D001 error: 2 cases send the same prompt" in done.stdout


def test_json_sarif_and_junit(tmp_path: Path) -> None:
    path = write(tmp_path, _conflict())
    done = llmeval(
        "data",
        "check",
        path,
        "--json",
        "--sarif",
        tmp_path / "s.sarif",
        "--junit",
        tmp_path / "j.xml",
        cwd=tmp_path,
    )
    document = json.loads(done.stdout)
    assert document["counts"]["error"] == 1 and document["findings"][0]["rule"] == "D001"
    assert set(document["findings"][0]) == {
        "rule",
        "level",
        "cases",
        "file",
        "line",
        "message",
        "fix",
        "evidence",
        "case_digests",
        "fingerprint",
    }
    sarif = json.loads((tmp_path / "s.sarif").read_text())
    first = sarif["runs"][0]["results"][0]
    assert first["ruleId"] == "D001" and first["level"] == "error"
    location = first["locations"][0]["physicalLocation"]
    assert location == {"artifactLocation": {"uri": "cases.jsonl"}, "region": {"startLine": 1}}
    assert len(first["partialFingerprints"]["llmeval/v1"]) == 64
    root = ET.parse(tmp_path / "j.xml").getroot()
    failed = [
        case.get("name") for case in root.iter("testcase") if case.find("failure") is not None
    ]
    assert failed == ["D001"]
    assert root[0].get("failures") == "1" and int(root[0].get("tests", "0")) > 20


def _digests(path: Path) -> list[str]:
    return list(report(path, "D001").findings[0].case_digests)


def _accept(path: Path, **changes: object) -> None:
    entry = {
        "rule": "D001",
        "cases": ["a", "b"],
        "digests": _digests(path),
        "reason": "They test repeats.",
        "by": "ada",
        **changes,
    }
    (path.parent / "demo.data.yaml").write_text(
        json.dumps({"accept": [{k: v for k, v in entry.items() if v is not None}]})
    )


def test_an_accepted_finding(tmp_path: Path) -> None:
    path = write(tmp_path, _conflict())
    _accept(path)
    result = report(path, "D001")
    assert not result.findings and len(result.accepted) == 1 and not result.failed


def test_it_is_void_when_a_case_changes(tmp_path: Path) -> None:
    path = write(tmp_path, _conflict())
    _accept(path)
    write(tmp_path, [{**case, "tags": {"topic": "sport"}} for case in _conflict()])
    result = report(path, "D001")
    assert result.failed
    assert any("is void: the case a changed" in finding.message for finding in result.findings)


def test_it_is_void_after_its_last_day(tmp_path: Path) -> None:
    path = write(tmp_path, _conflict())
    _accept(path, until="2026-06-30")
    assert not report(path, "D001", today=date(2026, 6, 30)).failed
    result = report(path, "D001", today=date(2026, 7, 1))
    assert result.failed and any(
        "it ended on 2026-06-30" in finding.message for finding in result.findings
    )


def test_a_further_case_is_not_covered(tmp_path: Path) -> None:
    path = write(tmp_path, _conflict())
    _accept(path)
    write(tmp_path, [*_conflict(), {"id": "c", "question": "WHO WON?", "reference": "Lea"}])
    assert report(path, "D001").failed


def _bias(path: Path) -> Path:
    """A suite where one reference is too common, and an acceptance of that finding."""
    write(path.parent, [{**case, "reference": "amber"} for case in rows(30)])
    (finding,) = report(path, "D008").findings
    entry = {
        "rule": "D008",
        "reason": "On purpose.",
        "by": "ada",
        "findings": [finding.fingerprint],
    }
    (path.parent / "demo.data.yaml").write_text(json.dumps({"accept": [entry]}))
    return path


def test_a_finding_about_the_whole_suite_is_accepted_by_its_fingerprint(tmp_path: Path) -> None:
    path = _bias(tmp_path / "demo.yaml")
    result = report(path, "D008")
    assert not result.findings and result.accepted[0].entry.by == "ada"
    assert result.document()["accepted"][0]["reason"] == "On purpose."  # type: ignore[index]


def test_another_finding_of_the_rule_is_not_hidden_by_it(tmp_path: Path) -> None:
    path = _bias(tmp_path / "demo.yaml")
    write(tmp_path, [{**case, "reference": "umber"} for case in rows(30)])
    messages = [finding.message for finding in report(path, "D008").findings]
    assert any("'umber'" in message for message in messages)
    assert any("is void: 1 of its 1 findings changed" in message for message in messages)


def test_degenerate_answers_are_accepted_by_fingerprint_only(tmp_path: Path) -> None:
    """The cases stay the same when the checks are loosened."""
    path = write(tmp_path, rows(4), checks="[{max_words: 30}]")
    entry = {"rule": "D021", "cases": ["c00000"], "digests": ["0" * 16], "reason": "x", "by": "y"}
    (tmp_path / "demo.data.yaml").write_text(json.dumps({"accept": [entry]}))
    done = llmeval("data", "check", path)
    assert done.returncode == 2 and "D021 is about the checks too" in done.stderr


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cases": None, "digests": None}, "neither `cases` nor `findings`"),
        ({"reason": None}, "reason"), ({"reason": ""}, "reason"), ({"by": None}, "by"), ({"digests": None}, "digests"), ({"until": "2026-02-31"}, "is not a date"),
        ({"digests": ["0"]}, "1 digests for 2 cases"), ({"rules": "D001"}, "rules"),
    ],
)  # fmt: skip
def test_a_wrong_file(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    path = write(tmp_path, _conflict())
    _accept(path, **changes)
    done = llmeval("data", "check", path)
    assert done.returncode == 2
    assert "demo.data.yaml:1" in done.stderr and message in done.stderr


def test_rules_without_references_are_not_applicable(tmp_path: Path) -> None:
    """They tested nothing, so no output calls them passed."""
    path = write(tmp_path, [{"id": row["id"], "question": row["question"]} for row in rows(9)])
    done = llmeval("data", "check", path, "--no-runs", "--junit", tmp_path / "j.xml")
    text = " ".join(done.stdout.split())
    assert "not applicable: D002a, D003, D006, D008" in text and "no case has a reference" in text
    skipped = [
        case.get("name") for case in ET.parse(tmp_path / "j.xml").iter("testcase") if len(case)
    ]
    assert {"D003", "D005", "D006", "D010", "D016", "D022"} <= set(skipped)
    document = json.loads(llmeval("data", "check", path, "--json").stdout)
    assert document["not_applicable"]["D006"] == "no case has a reference"


def test_levels(tmp_path: Path) -> None:
    path = write(tmp_path, _conflict(), accepted="levels: {D001: off, D003: error}\n")
    result = report(path, "D001", "D003")
    assert [(finding.rule, finding.level) for finding in result.findings] == [("D003", "error")]


def test_a_glob_of_suites(tmp_path: Path) -> None:
    """A shell's `*.yaml` also names the file of accepted findings."""
    path = write(tmp_path, rows(4), accepted="levels: {}\n")
    done = llmeval("data", "check", path, tmp_path / "demo.data.yaml", "--fast")
    assert done.returncode == 0, done.stderr


def test_the_digest_follows_the_findings(tmp_path: Path) -> None:
    first = report(write(tmp_path / "x", _conflict()))
    again = report(write(tmp_path / "y", _conflict()))
    other = report(write(tmp_path / "z", rows(3)))
    assert first.digest == again.digest != other.digest


@pytest.mark.parametrize("name", ["agent", "extract", "format", "grounded", "qa", "rag"])
def test_the_shipped_suites_pass(repository: Path, name: str) -> None:
    done = llmeval("data", "check", repository / "suites" / f"{name}.yaml", "--no-runs")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 errors, 0 warnings" in done.stdout


def test_validate_strict_runs_the_data_tests(tmp_path: Path) -> None:
    path = write(tmp_path, _conflict())
    assert llmeval("validate", path).returncode == 0
    done = llmeval("validate", path, "--strict", cwd=tmp_path)
    assert done.returncode == 1
    assert "D001 error" in done.stdout
    document = json.loads(llmeval("validate", path, "--strict", "--json", cwd=tmp_path).stdout)
    assert document["data"]["counts"]["error"] == 1
    assert (
        llmeval("validate", write(tmp_path / "clean", rows(4)), "--strict", cwd=tmp_path).returncode
        == 0
    )
