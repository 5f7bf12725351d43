"""The monitor of a suite among the pages: its state, and the page that `llmeval monitor` wrote."""

from pathlib import Path
from typing import NamedTuple

import msgspec

from llmeval.core.monitor_record import MonitorRecord
from llmeval.view.page import NoSuchPage, Site

_FOLDER, _PAGE, _LOOKS = "monitor", "monitor.html", "looks.jsonl"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""The page has its own style sheet and nothing else: no script, nothing from elsewhere."""
_TAIL = 2**20
"""The newest lines are in the last bytes of the file."""


class MonitorState(NamedTuple):
    """The newest line of a monitor. `word`: alarm, quiet, learning or invalid. `tone`: of pages."""

    word: str
    tone: str
    day: str

    @property
    def text(self) -> str:
        """In a few words."""
        return f"Monitor: {self.word} ({self.day})"


def monitor_state(site: Site, suite: str) -> MonitorState | None:
    """The state of a suite's monitor; None where there is none.

    The lines are shown, not verified: `llmeval monitor` verifies the chain before each look.
    """
    path = site.history.root / suite / _FOLDER / _LOOKS
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL))
            lines = file.read().split(b"\n")[:-1]
        record = msgspec.json.decode(lines[-1], type=MonitorRecord)
    except (OSError, IndexError, ValueError):
        return None
    return MonitorState(*_word(record), record.day)


def _word(record: MonitorRecord) -> tuple[str, str]:
    if record.kind == "invalid":
        return "invalid", "invalid"
    states = {each.state for each in record.counts}
    if "alarm" in states:
        return "alarm", "fail"
    whole = {each.state for each in record.counts if each.slice is None}
    if record.kind == "acknowledged" or "learning" in whole:
        return "learning", "unsure"
    return "quiet", "pass"


def monitor_file(site: Site, suite: str) -> Path:
    """The page of a suite's monitor.

    Raises:
        NoSuchPage: there is none.
    """
    # Only names of suites that have runs are looked up, so the name is never a path.
    if suite in {each.suite for each in site.history.store.suites(site.query.root)}:
        root = site.history.root.resolve()
        path = (root / suite / _FOLDER / _PAGE).resolve()
        if path.is_file() and path.is_relative_to(root):  # a link may lead elsewhere
            return path
    raise NoSuchPage(f"there is no monitor of a suite {suite}")
