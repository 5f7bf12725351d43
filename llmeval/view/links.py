"""Addresses of the pages: paths of the server, or files next to each other."""

import hashlib
from typing import Protocol
from urllib.parse import quote, urlencode


class Links(Protocol):
    """The address of each page; an empty text where there is no such page."""

    served: bool
    """Whether a server answers them."""

    def home(self) -> str:
        """All suites."""
        ...

    def suite(self, suite: str, branch: str = "", before: str = "") -> str:
        """One suite: its trends, and its runs before the id `before`."""
        ...

    def run(self, run_id: str) -> str:
        """One run."""
        ...

    def report(self, run_id: str) -> str:
        """The report of a run."""
        ...

    def case(self, suite: str, case_id: str, metric: str = "") -> str:
        """One case through time."""
        ...

    def flaky(self, suite: str) -> str:
        """Flaky cases."""
        ...

    def board(self, suite: str, metric: str = "", by: str = "") -> str:
        """The leaderboard."""
        ...

    def compare(self, first: str = "", second: str = "") -> str:
        """Two runs; without them the target of the form."""
        ...

    def monitor(self, suite: str) -> str:
        """The monitor of a suite."""
        ...


class ServedLinks:
    """Paths of the server (`server.py`)."""

    served = True

    def home(self) -> str:
        """As `Links` says."""
        return "/"

    def suite(self, suite: str, branch: str = "", before: str = "") -> str:
        """As `Links` says."""
        return _path("suite", suite) + _query(branch=branch, before=before)

    def run(self, run_id: str) -> str:
        """As `Links` says."""
        return _path("run", run_id)

    def report(self, run_id: str) -> str:
        """As `Links` says."""
        return _path("report", run_id)

    def case(self, suite: str, case_id: str, metric: str = "") -> str:
        """As `Links` says."""
        return _path("case", suite) + _query(id=case_id, metric=metric)

    def flaky(self, suite: str) -> str:
        """As `Links` says."""
        return _path("flaky", suite)

    def board(self, suite: str, metric: str = "", by: str = "") -> str:
        """As `Links` says."""
        return _path("board", suite) + _query(metric=metric, by=by)

    def compare(self, first: str = "", second: str = "") -> str:
        """As `Links` says."""
        return "/compare" + _query(a=first, b=second)

    def monitor(self, suite: str) -> str:
        """As `Links` says."""
        return _path("monitor", suite)


class FileLinks:
    """Files in one folder. Only files that are written have an address.

    Args:
        reports: the address of a run's report, by run id.
    """

    served = False

    def __init__(self, reports: dict[str, str]) -> None:
        self.written: set[str] = set()
        self._reports = reports

    def home(self) -> str:
        """As `Links` says."""
        return "index.html"

    def suite(self, suite: str, branch: str = "", before: str = "") -> str:
        """As `Links` says."""
        return "" if branch or before else self._file(f"suite-{suite}")

    def run(self, run_id: str) -> str:
        """As `Links` says."""
        return self._file(f"run-{run_id}")

    def report(self, run_id: str) -> str:
        """As `Links` says."""
        return self._reports.get(run_id, "")

    def case(self, suite: str, case_id: str, metric: str = "") -> str:
        """As `Links` says."""
        return "" if metric else self._file(case_file(suite, case_id))

    def flaky(self, suite: str) -> str:
        """As `Links` says."""
        return self._file(f"flaky-{suite}")

    def board(self, suite: str, metric: str = "", by: str = "") -> str:
        """As `Links` says."""
        return "" if metric or by else self._file(f"board-{suite}")

    def compare(self, first: str = "", second: str = "") -> str:
        """As `Links` says."""
        return self._file(f"compare-{first}-{second}") if first else ""

    def monitor(self, suite: str) -> str:
        """As `Links` says."""
        return self._file(f"monitor-{suite}")

    def _file(self, name: str) -> str:
        return quote(f"{name}.html") if name in self.written else ""


def case_file(suite: str, case_id: str) -> str:
    """The name of a case's file. An id may be any text, so the file has its digest."""
    return f"case-{suite}-{hashlib.sha256(case_id.encode(errors='replace')).hexdigest()[:16]}"


def _path(kind: str, name: str) -> str:
    return f"/{kind}/{quote(name, safe='')}"


def _query(**values: str) -> str:
    stated = {name: value for name, value in values.items() if value}
    return f"?{urlencode(stated, errors='replace')}" if stated else ""
