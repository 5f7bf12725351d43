"""JUnit XML for CI servers: the gate's rules, and the cases that did not pass.

`failure` means quality, `error` means that something broke (candidate, judge, infrastructure),
`skipped` means that nothing was decided. Names are stable and carry no numbers, because servers
compare runs by (classname, name). Cases that fail within what the gate allows are `skipped`, so
that a server's red and the exit code agree. Cases that a person has to decide are `skipped` too, as
"needs review": they are neither passed nor failed. So are those of an interrupted run whose judge
has not answered yet.
"""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

from llmeval.core.files import write_atomically
from llmeval.core.manifest import Manifest
from llmeval.core.outcome import Outcome
from llmeval.core.results import Decision, RuleDecision, Summary
from llmeval.report.failing_cases import FailingCase
from llmeval.report.safe_text import quarantined, reused, visible

MAX_CASES = 1000
MAX_TEXT = 4000
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(
    path: Path, summary: Summary, manifest: Manifest, troubles: list[FailingCase]
) -> None:
    """Write `junit.xml`.

    Args:
        troubles: cases that did not pass, worst first; at most `MAX_CASES` are written.
    """
    root = ET.Element("testsuites", name=f"llmeval.{summary.suite}")
    gate = _suite(root, f"llmeval.{summary.suite}.gate", manifest)
    fails = summary.gate.exit_code != 0
    for rule in summary.gate.rules:
        case = ET.SubElement(
            gate, "testcase", classname=gate.get("name", ""), name=_rule_name(rule)
        )
        _outcome(case, _rule_tag(rule, fails), rule.decision, rule.reason, "")
    if summary.gate.decision is None:
        case = ET.SubElement(gate, "testcase", classname=gate.get("name", ""), name="decision")
        _outcome(case, "skipped", "decision", summary.gate.reason, "")
    if manifest.selection is not None and (properties := gate.find("properties")) is not None:
        partial = f"{manifest.selection.n}/{manifest.selection.of}"
        ET.SubElement(properties, "property", name="partial", value=partial)
    _reuse(gate, summary)
    by_metric: dict[str, list[FailingCase]] = {}
    for trouble in troubles[:MAX_CASES]:
        for metric in trouble.metrics or ("answer",):
            by_metric.setdefault(metric, []).append(trouble)
    for metric, found in sorted(by_metric.items()):
        suite = _suite(root, f"llmeval.{summary.suite}.{metric}", manifest)
        for trouble in sorted(found, key=lambda item: (item.case_id, item.repeat)):
            name = trouble.case_id if not trouble.repeat else f"{trouble.case_id}#{trouble.repeat}"
            named = {
                "classname": suite.get("name", ""),
                "name": clean_xml(name),
                **_place(trouble, manifest),
            }
            case = ET.SubElement(suite, "testcase", named)
            reason = trouble.reasons.get(metric, trouble.reason)
            if trouble.outcome is Outcome.NEEDS_REVIEW:
                reason = f"needs review: {reason}"
            _outcome(case, _case_tag(trouble.outcome, fails), metric, reason, _body(trouble))
    if summary.quarantine:
        aside = _suite(root, f"llmeval.{summary.suite}.quarantine", manifest)
        for entry in summary.quarantine:
            case = ET.SubElement(
                aside, "testcase", classname=aside.get("name", ""), name=clean_xml(entry.case_id)
            )
            _outcome(case, "skipped", "quarantine", quarantined(entry), "")
    for suite in root:
        _count(suite)
    _count(root)
    ET.indent(root)
    write_atomically(path, ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _suite(root: ET.Element, name: str, manifest: Manifest) -> ET.Element:
    suite = ET.SubElement(
        root, "testsuite", name=clean_xml(name), timestamp=str(manifest.started).rstrip("Z")
    )
    properties = ET.SubElement(suite, "properties")
    for key, value in (
        ("run_id", manifest.run_id),
        ("candidate", manifest.candidate.name),
    ):
        ET.SubElement(properties, "property", name=key, value=clean_xml(str(value)))
    return suite


def _reuse(gate: ET.Element, summary: Summary) -> None:
    """What was not asked in this run: for programs as a property, for people as the suite's
    output.
    """
    sentence, properties = reused(summary), gate.find("properties")
    if not sentence or properties is None:
        return
    for name, found in (
        ("answers_reused", summary.reuse.answers),
        ("verdicts_reused", summary.reuse.verdicts),
    ):
        ET.SubElement(properties, "property", name=name, value=f"{found.reused}/{found.of}")
    ET.SubElement(gate, "system-out").text = clean_xml(sentence)


def _place(trouble: FailingCase, manifest: Manifest) -> dict[str, str]:
    """Where the case is written: file and line of the data set, or the suite's file."""
    file, _, line = trouble.source.rpartition(":")
    return (
        {"file": clean_xml(file), "line": line}
        if file and line.isdigit()
        else {"file": str(manifest.suite_file)}
    )


def _rule_name(rule: RuleDecision) -> str:
    name = rule.rule if rule.metric is None else f"{rule.rule} {rule.metric}"
    return clean_xml(name if rule.slice is None else f"{name} @ {rule.slice}")


def _rule_tag(rule: RuleDecision, fails: bool) -> str | None:
    if rule.decision is Decision.PASS:
        return None
    if rule.decision is Decision.INVALID:
        return "error"
    return "failure" if rule.decision is Decision.FAIL or fails else "skipped"


def _case_tag(outcome: Outcome, fails: bool) -> str:
    if outcome.missing and outcome is not Outcome.NOT_SCORED:
        return "error"
    return "failure" if outcome is Outcome.FAIL and fails else "skipped"


def _outcome(case: ET.Element, tag: str | None, kind: str, reason: str, body: str) -> None:
    if tag is None:
        return
    element = ET.SubElement(case, tag, message=clean_xml(reason))
    if tag != "skipped":
        element.set("type", str(kind))
    # the reason again in the body: some servers show only one of the two
    element.text = clean_xml(f"{reason}\n\n{body}".strip(), MAX_TEXT)


def _body(trouble: FailingCase) -> str:
    return f"Asked: {trouble.question[:1500]}\n\nAnswered: {trouble.output[:1500] or '(no answer)'}"


def _count(element: ET.Element) -> None:
    cases = list(element.iter("testcase"))
    element.set("tests", str(len(cases)))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        if element.tag == "testsuites" and attribute == "skipped":
            continue
        element.set(attribute, str(sum(case.find(tag) is not None for case in cases)))


def clean_xml(text: str, limit: int = 1000) -> str:
    """Text without what XML 1.0 forbids, at most `limit` characters."""
    text = _ILLEGAL.sub("\ufffd", visible(text))
    return text if len(text) <= limit else text[: limit - 1] + "…"
