"""The tests of `llmeval doctor --ci` as JUnit XML."""

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from llmeval.core.files import write_atomically
from llmeval.report.junit_xml import clean_xml


class DoctorRow(Protocol):
    """A test as the file shows it."""

    @property
    def name(self) -> str:
        """Stable."""

    @property
    def state(self) -> str:
        """passed, failed, skipped or error."""

    @property
    def detail(self) -> str:
        """What was seen."""

    @property
    def fix(self) -> str:
        """What to do."""

    @property
    def seconds(self) -> float:
        """How long the measured part took."""


_TAGS = {"failed": "failure", "error": "error", "skipped": "skipped"}


def write_doctor_junit(path: Path, suite: str, tests: Iterable[DoctorRow]) -> None:
    """Write the file."""
    rows = list(tests)
    name = clean_xml(f"llmeval.{suite}.doctor")
    root = ET.Element("testsuites", name=name)
    element = ET.SubElement(root, "testsuite", name=name, tests=str(len(rows)))
    for attribute, state in (("failures", "failed"), ("errors", "error"), ("skipped", "skipped")):
        element.set(attribute, str(sum(row.state == state for row in rows)))
    for row in rows:
        case = ET.SubElement(
            element,
            "testcase",
            classname=name,
            name=clean_xml(row.name),
            time=f"{row.seconds:.3f}",
        )
        tag = _TAGS.get(row.state)
        if tag is None:
            ET.SubElement(case, "system-out").text = clean_xml(row.detail, 4000)
        else:
            child = ET.SubElement(case, tag, message=clean_xml(row.detail))
            if tag != "skipped":
                child.text = clean_xml(f"{row.detail}\n{row.fix}", 4000)
    ET.indent(root)
    write_atomically(path, ET.tostring(root, encoding="utf-8", xml_declaration=True))
