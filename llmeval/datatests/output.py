"""The reports of `llmeval data check` for programs: SARIF 2.1.0 and JUnit XML."""

import hashlib
import json
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

from llmeval import __version__
from llmeval.core.files import write_atomically
from llmeval.datatests.check import DataReport
from llmeval.datatests.findings import DataFinding
from llmeval.report.junit_xml import clean_xml

MAX_RESULTS = 5000
"""The most results of a SARIF file that GitHub code scanning reads."""
_SARIF_LEVELS = {"error": "error", "warn": "warning", "info": "note"}


def write_sarif(path: Path, reports: Sequence[DataReport], root: Path) -> None:
    """Write a SARIF file, for example for GitHub code scanning.

    Args:
        root: the folder that the paths in the file are relative to.
    """
    findings = [finding for report in reports for finding in report.findings][:MAX_RESULTS]
    rules = sorted({finding.rule for finding in findings})
    run = {
        "tool": {
            "driver": {
                "name": "llmeval data check",
                "version": __version__,
                "rules": [{"id": rule} for rule in rules],
            }
        },
        "results": [_result(finding, root) for finding in findings],
    }
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    write_atomically(path, json.dumps(document, ensure_ascii=False, indent=1).encode())


def fingerprint(finding: DataFinding) -> str:
    """What identifies a finding when its lines move: sha256 of the rule and the cases."""
    parts = [finding.rule, *(finding.case_digests or finding.cases or (finding.message,))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _result(finding: DataFinding, root: Path) -> dict[str, object]:
    location: dict[str, object] = {"artifactLocation": {"uri": _uri(finding.file, root)}}
    if finding.line is not None:
        location["region"] = {"startLine": finding.line}
    return {
        "ruleId": finding.rule,
        "level": _SARIF_LEVELS[finding.level],
        "message": {"text": f"{finding.message}. {finding.fix}."},
        "locations": [{"physicalLocation": location}],
        "partialFingerprints": {"llmeval/v1": fingerprint(finding)},
    }


def _uri(file: str, root: Path) -> str:
    if "://" in file:
        return file
    path = Path(file).resolve()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_uri()


def write_junit_report(path: Path, reports: Sequence[DataReport]) -> None:
    """Write JUnit XML: a test suite for each suite, a test case for each rule."""
    root = ET.Element("testsuites", name="llmeval.data")
    for report in reports:
        name = clean_xml(f"llmeval.{report.suite.name}.data")
        element = ET.SubElement(root, "testsuite", name=name)
        failures = skipped = 0
        for rule in report.rules:
            case = ET.SubElement(element, "testcase", classname=name, name=rule)
            findings = [finding for finding in report.findings if finding.rule == rule]
            errors = [finding for finding in findings if finding.level == "error"]
            if errors:
                failures += 1
                failure = ET.SubElement(
                    case, "failure", type=rule, message=clean_xml(errors[0].message)
                )
                failure.text = clean_xml("\n".join(map(sentence, errors)), 4000)
            elif not findings and rule in report.not_applicable:
                skipped += 1
                ET.SubElement(case, "skipped", message=clean_xml(report.not_applicable[rule]))
            elif findings:
                text = "\n".join(map(sentence, findings))
                ET.SubElement(case, "system-out").text = clean_xml(text, 4000)
        element.set("tests", str(len(report.rules)))
        element.set("failures", str(failures))
        element.set("errors", "0")
        element.set("skipped", str(skipped))
    ET.indent(root)
    write_atomically(path, ET.tostring(root, encoding="utf-8", xml_declaration=True))


def sentence(finding: DataFinding) -> str:
    """The finding as text: `file:line: D001 error: message. Fix.`"""
    where = finding.file if finding.line is None else f"{finding.file}:{finding.line}"
    return f"{where}: {finding.rule} {finding.level}: {finding.message}. {finding.fix}."
