"""`junit.xml`: every case, no missing result as a pass, and no green for what is not a PASS."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, Skipped, TestSuite
from msgspec import structs

from llmeval.core.manifest import Manifest
from llmeval.core.outcome import Outcome
from llmeval.core.records import Answer, Case, ErrorInfo, Score, Status
from llmeval.core.results import Decision, Quarantined, Reuse, Reused, Summary
from llmeval.gate.human_labels import DecidedUnit
from llmeval.report import junit
from llmeval.report.junit import JUnitCases, JUnitWriter
from llmeval.report.junit_xml import JUnitCase, JUnitSuite, clean_xml, document
from llmeval.store.units import StoredUnit
from tests.report.test_texts import HOSTILE, MANIFEST, rule, summary

SCHEMA = xmlschema.XMLSchema(Path(__file__).parent / "junit.xsd")


def unit(
    case_id: str, outcome: Outcome, text: str = "text", repeat: int = 0
) -> DecidedUnit[StoredUnit]:
    """An answer with this outcome."""
    case = Case(case_id, {"question": text}, references=(text,), source="data/q.jsonl:7")
    error = ErrorInfo(kind="provider", message=text) if outcome is Outcome.ERROR else None
    answer = Answer(case_id=case_id, repeat=repeat, output=text, error=error, latency_ms=1500)
    statuses = {Outcome.ERROR: (), Outcome.NOT_SCORED: ()}
    score = Score(case_id=case_id, metric="facts", status=Status(outcome.value), reason=text)
    scores = statuses.get(outcome, (score,))
    return DecidedUnit(StoredUnit(case, answer, scores, b"", b"", ()), scores, outcome)


def written(
    folder: Path,
    said: Summary,
    units: list[DecidedUnit[StoredUnit]],
    which: JUnitCases = "all",
    manifest: Manifest | None = None,
) -> Path:
    """The file for a run of these answers."""
    cases = len({each.unit.case.id for each in units})
    about = manifest or structs.replace(MANIFEST, cases=structs.replace(MANIFEST.cases, n=cases))
    path = folder / "junit.xml"
    with JUnitWriter(path, about, which) as writer:
        for each in units:
            writer.take(each)
        writer.write(said, "3 x HTTP 500: out of memory")
    SCHEMA.validate(path)
    return path


def tags(path: Path) -> dict[str, str]:
    """The outcome of each test case by name; empty for one that passed."""
    return {
        str(case.get("name")): case[0].tag if len(case) else ""
        for case in ET.parse(path).iter("testcase")
    }


EACH = [unit(outcome.value, outcome) for outcome in Outcome]
RED = {"fail": "failure", "error": "error", "unscored": "error", "not_scored": "error", "needs_review": "skipped", "pass": ""}  # fmt: skip


@pytest.mark.parametrize(
    ("decision", "code", "tag", "failing"),
    [
        (Decision.PASS, 0, "", "skipped"),
        (Decision.FAIL, 1, "failure", "failure"),
        (Decision.INCONCLUSIVE, 4, "failure", "failure"),
        (Decision.INCONCLUSIVE, 0, "skipped", "skipped"),
        (Decision.INVALID, 3, "error", "failure"),
        (None, 0, "skipped", "skipped"),
        (None, 3, "error", "failure"),
    ],
)
def test_the_file_says_what_the_exit_code_says(
    tmp_path: Path, decision: Decision | None, code: int, tag: str, failing: str
) -> None:
    rules = [rule(decision)] if decision else []
    found = tags(written(tmp_path, summary(decision, code, *rules), EACH))
    assert found.pop("decision") == tag
    found.pop("floor facts", None)
    assert found == {**RED, "fail": failing}


def test_a_run_that_did_not_end_is_never_green(tmp_path: Path) -> None:
    said = structs.replace(summary(Decision.PASS, 0), status="incomplete")
    about = structs.replace(
        MANIFEST, status="interrupted", cases=structs.replace(MANIFEST.cases, n=9)
    )
    found = tags(written(tmp_path, said, [unit("a", Outcome.PASS)], manifest=about))
    assert found == {"decision": "error", "a": "", "cases without an answer": "error"}


def test_what_an_early_stop_left_out_is_set_aside(tmp_path: Path) -> None:
    said = summary(Decision.PASS, 0)
    said = structs.replace(said, counts=structs.replace(said.counts, not_needed=8))
    about = structs.replace(MANIFEST, cases=structs.replace(MANIFEST.cases, n=9))
    units = [unit("a", Outcome.PASS), unit("b", Outcome.NOT_SCORED)]
    found = tags(written(tmp_path, said, units, manifest=about))
    assert found == {"decision": "", "a": "", "b": "skipped", "cases without an answer": "skipped"}


def test_a_case_in_quarantine_is_set_aside_whatever_it_does(tmp_path: Path) -> None:
    aside = tuple(
        Quarantined(case_id=name, reason="flaky.", owner="ada", expires="2027-01-01")
        for name in ("fail", "error", "never ran")
    )
    said = structs.replace(summary(Decision.FAIL, 1), quarantine=aside)
    found = tags(written(tmp_path, said, EACH))
    assert {name: found[name] for name in ("fail", "error", "never ran")} == dict.fromkeys(
        ("fail", "error", "never ran"), "skipped"
    )


def test_less_without_what_passed(tmp_path: Path) -> None:
    units = [unit("good", Outcome.PASS), unit("bad", Outcome.FAIL)]
    found = tags(written(tmp_path, summary(Decision.FAIL, 1), units, "failed"))
    assert found == {"decision": "failure", "bad": "failure"}


def test_a_parser_that_people_use_reads_it(tmp_path: Path) -> None:
    units = [
        *EACH,
        unit("bad", Outcome.FAIL, "It is ]]> <b>4</b>."),
        unit("bad", Outcome.FAIL, repeat=1),
    ]
    said = structs.replace(
        summary(Decision.FAIL, 1, rule(Decision.FAIL)),
        reuse=Reuse(answers=Reused(reused=3, of=4, oldest="2026-03-01T08:00:00Z")),
    )
    gate, cases = (suite for suite in JUnitXml.fromfile(str(written(tmp_path, said, units))) if isinstance(suite, TestSuite))  # fmt: skip
    assert (cases.tests, cases.failures, cases.errors, cases.skipped) == (8, 3, 3, 1)
    kinds = {case.name: [type(each) for each in case.result] for case in cases}
    assert kinds["pass"] == []
    assert (kinds["fail"], kinds["error"], kinds["needs_review"]) == ([Failure], [Error], [Skipped])
    bad = next(case for case in cases if case.name == "bad")
    assert "Answer: It is ]]> <b>4</b>." in str(bad.result[0].text)
    assert (bad.time, bad._elem.get("file"), bad._elem.get("line")) == (1.5, "data/q.jsonl", "7")
    assert {each.name for each in gate} == {"decision", "floor facts"}
    assert "3 of 4 answers reused" in str(gate._elem.findtext("system-out"))


def test_names_are_unique_and_texts_inert(tmp_path: Path) -> None:
    hostile = HOSTILE.replace("\ud800", "")  # which no record can hold
    ids = [hostile, hostile, "a\x00", "a\x01", "x" * 3000 + "1", "x" * 3000 + "2", "c#1", ""]
    units = [unit(name, Outcome.FAIL, hostile * 500) for name in ids] + [
        unit("c", Outcome.PASS, repeat=1)
    ]
    path = written(tmp_path, summary(Decision.FAIL, 1), units)
    text = path.read_text(encoding="utf-8")
    assert len(tags(path)) == len(ids) + 2
    assert not any(sign in text for sign in ("\x1b", "\x00", "\u202e", "<script>"))


@given(st.text(max_size=200))
def test_any_text_is_xml(text: str) -> None:
    assert ET.fromstring(ET.tostring(ET.Element("a", b=clean_xml(text)))).tag == "a"


def test_a_large_run_stays_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(junit, "MAX_TEXTS", 5)
    units = [unit(f"c{number:05}", Outcome.FAIL, "word " * 2000) for number in range(500)]
    path = written(tmp_path, summary(Decision.FAIL, 1), units)
    assert len(tags(path)) == 501
    assert path.stat().st_size < 500 * 900


def test_what_has_no_room_is_counted_and_is_no_pass(tmp_path: Path) -> None:
    with (tmp_path / "spool").open("w+b") as file:
        suite = JUnitSuite("s", {}, {}, file, most=300)
        for number in range(9):
            suite.add(JUnitCase(f"passes {number}"))
        suite.add(JUnitCase("fails", {}, "failure", "wrong"))
        suite.close()
        path = tmp_path / "junit.xml"
        path.write_bytes(b"".join(document("d", [suite])))
    rest = tags(path).popitem()
    assert rest == ("cases that the file has no room for", "failure")
