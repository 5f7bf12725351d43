"""The XML of JUnit files: bounded, always well-formed, and written without holding it in memory.

Source of the format: testmoapp/junitxml, and what GitLab, Jenkins and Azure document of it.
"""

import hashlib
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.sax.saxutils import escape

from llmeval.report.safe_text import visible

MAX_TEXT = 4000
"""Characters of the text in a test case."""
MAX_ATTRIBUTE = 1000
MAX_BYTES = 25_000_000
"""Of all cases of a suite: GitLab reads files below 30 MB."""
_BLOCK = 1 << 20
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_IN_ATTRIBUTE = {'"': "&quot;", "\r": "&#13;", "\n": "&#10;", "\t": "&#09;"}
"""Line breaks and tabs in an attribute stay only in this form."""
_COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}


@dataclass
class JUnitCase:
    """One `<testcase>`."""

    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Such as file, line and time."""
    tag: str = ""
    """failure, error or skipped; empty for one that passed."""
    message: str = ""
    type: str = ""
    text: str = ""
    """Shown below the message, which is repeated there: some servers show only one of the two."""

    def xml(self, classname: str, name: str) -> str:
        """As XML. `name`: the test case's, unique within its suite. Text, not elements: a run of
        10,000 cases writes 10,000 of them, and elements take three times as long.
        """
        attributes = {key: clean_xml(value) for key, value in self.attributes.items() if value}
        start = _start_tag("testcase", {"classname": classname, "name": name, **attributes})
        if not self.tag:
            return f"<{start} />"
        about = {"message": clean_xml(self.message)}
        if self.tag != "skipped":
            about["type"] = clean_xml(self.type or self.tag)
        text = escape(clean_xml(f"{self.message}\n\n{self.text}".strip(), MAX_TEXT))
        return f"<{start}><{_start_tag(self.tag, about)}>{text}</{self.tag}></testcase>"


class JUnitSuite:
    """One `<testsuite>`, whose cases go to a file as they come.

    Args:
        name: the class name of its cases too.
        properties, attributes: of the suite.
        file: open for reading and writing, and empty.
        most: bytes of all cases; those that do not fit are counted.
        output: for people.
    """

    def __init__(
        self,
        name: str,
        properties: Mapping[str, str],
        attributes: Mapping[str, str],
        file: BinaryIO,
        *,
        most: int = MAX_BYTES,
        output: str = "",
    ) -> None:
        self.name, self.counts = clean_xml(name), dict.fromkeys(("tests", *_COUNTED), 0)
        self._properties, self._attributes, self._output = properties, attributes, output
        self._file, self._room = file, most
        self._names: set[bytes] = set()
        self._left_out = dict.fromkeys(("", *_COUNTED.values()), 0)

    def add(self, case: JUnitCase) -> None:
        """Add a case, or count it where it does not fit."""
        data = f"    {case.xml(self.name, self._unique(case.name))}\n".encode()
        if len(data) > self._room:
            self._left_out[case.tag] += 1
            return
        self._room -= len(data)
        self._file.write(data)
        self.counts["tests"] += 1
        for attribute, tag in _COUNTED.items():
            self.counts[attribute] += case.tag == tag

    def close(self) -> None:
        """Add one case for all that did not fit. It never passes."""
        if not any(self._left_out.values()):
            return
        parts = ", ".join(f"{n:,} {tag or 'passed'}" for tag, n in self._left_out.items() if n)
        tag = next((tag for tag in ("error", "failure") if self._left_out[tag]), "skipped")
        message = f"{parts}: report.html lists them"
        self._room = 2 * MAX_TEXT
        self.add(JUnitCase("cases that the file has no room for", {}, tag, message, "left out"))

    def blocks(self) -> Iterator[bytes]:
        """The whole suite."""
        numbers = {name: str(number) for name, number in self.counts.items()}
        head = ET.Element("testsuite", {"name": self.name, **self._attributes, **numbers})
        properties = ET.SubElement(head, "properties")
        for name, value in self._properties.items():
            ET.SubElement(properties, "property", name=name, value=clean_xml(value))
        ET.indent(head, level=1)
        start = ET.tostring(head, encoding="unicode").removesuffix("\n  </testsuite>")
        yield f"  {start}\n".encode()
        self._file.seek(0)
        while block := self._file.read(_BLOCK):
            yield block
        if self._output:
            output = ET.Element("system-out")
            output.text = clean_xml(self._output)
            yield f"    {ET.tostring(output, encoding='unicode')}\n".encode()
        yield b"  </testsuite>\n"

    def _unique(self, name: str) -> str:
        """A name that no other case of the suite has. Servers take two of one name for one."""
        written, number = clean_xml(name), 1
        while (digest := _digest(written, number)) in self._names:
            number += 1
        self._names.add(digest)
        return written if number == 1 else f"{written} ({number})"


def _start_tag(tag: str, attributes: Mapping[str, str]) -> str:
    parts = (f'{key}="{escape(value, _IN_ATTRIBUTE)}"' for key, value in attributes.items())
    return " ".join((tag, *parts))


def _digest(name: str, number: int) -> bytes:
    text = name if number == 1 else f"{name} ({number})"
    return hashlib.sha256(text.encode()).digest()[:12]


def document(name: str, suites: Sequence[JUnitSuite]) -> Iterator[bytes]:
    """The file, in blocks."""
    totals = {
        key: str(sum(suite.counts[key] for suite in suites))
        for key in ("tests", "failures", "errors")
    }
    root = ET.Element("testsuites", {"name": clean_xml(name), **totals})
    start = ET.tostring(root, encoding="unicode").removesuffix(" />")
    yield f"<?xml version='1.0' encoding='utf-8'?>\n{start}>\n".encode()
    for suite in suites:
        yield from suite.blocks()
    yield b"</testsuites>\n"


def clean_xml(text: str, limit: int = MAX_ATTRIBUTE) -> str:
    """Text without what XML 1.0 forbids, at most `limit` characters."""
    text = _ILLEGAL.sub("\ufffd", visible(text[: 2 * limit]))
    return text if len(text) <= limit else text[: limit - 1] + "…"
