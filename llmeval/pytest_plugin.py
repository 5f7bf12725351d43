"""The pytest plugin: `pytest --llmeval suites/` collects suites, an item a case and one for the
gate's decision.

A suite is run once, by the first of its items that runs, for all that are selected; under xdist by
the first worker that comes to it, and the others read its run. Nothing of llmeval is imported
before an item is collected.
"""

import re
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from llmeval.api import Run
    from llmeval.testing import CaseResult

_SUITE = re.compile(r"^suite\s*:", re.M)
_GATE = "gate"
_TOLD = "llmeval"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options."""
    group = parser.getgroup("llmeval", "llmeval: suites as tests")
    group.addoption(
        "--llmeval",
        action="store_true",
        help="Collect llmeval suites (.yaml files with the key `suite`).",
    )
    group.addoption("--llmeval-env", metavar="NAME", help="One of the suites' environments.")
    group.addoption(
        "--llmeval-no-cache", action="store_true", help="Neither read nor write the cache."
    )
    group.addoption(
        "--llmeval-reuse",
        action="store_true",
        help="Take any candidate's answers from earlier runs.",
    )
    group.addoption(
        "--llmeval-refresh", action="store_true", help="Ask everything again, and keep the answers."
    )
    group.addoption(
        "--llmeval-reports", metavar="DIR", default="reports", help="Where runs are kept."
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark that items carry, and what the runs of this session share."""
    config.addinivalue_line(
        "markers", "llmeval: a case, or the gate, of an llmeval suite (pytest --llmeval)"
    )
    config.stash[_RUNS] = {}
    config.stash[_SESSION] = (
        getattr(config, "workerinput", {}).get("testrunuid") or uuid.uuid4().hex
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "SuiteFile | None":
    """A suite's file, when asked for."""
    if not parent.config.getoption("llmeval") or file_path.suffix not in (".yaml", ".yml"):
        return None
    if not _SUITE.search(file_path.read_text(encoding="utf-8", errors="replace")):
        return None
    file: SuiteFile = SuiteFile.from_parent(parent, path=file_path)
    return file


def pytest_collection_finish(session: pytest.Session) -> None:
    """Note which cases were selected: the run asks those."""
    for item in session.items:
        if isinstance(item, CaseItem):
            item.suite.selected.add(item.name)


class ItemFailure(Exception):
    """What an item has to say when it does not pass; shown without a traceback."""


@dataclass
class Shared:
    """One suite's run, shared by its items."""

    run: "Run"
    cases: "dict[str, CaseResult]"
    part: bool


@dataclass
class _Failed:
    """Why a suite could not be run: told to each of its items, not tried again."""

    error: Exception


_RUNS: pytest.StashKey[dict[Path, Shared | _Failed]] = pytest.StashKey()
_SESSION: pytest.StashKey[str] = pytest.StashKey()


class SuiteFile(pytest.File):
    """A suite: its cases and its gate."""

    selected: set[str]
    all: int

    def collect(self) -> Iterator["SuiteItem"]:
        """An item a case, then the gate."""
        from llmeval.core.errors import LlmevalError
        from llmeval.data.cases import CaseSet
        from llmeval.suite.loader import load_suite

        self.selected, self.all = set(), 0
        try:
            for case in CaseSet(load_suite(self.path, self.config.getoption("llmeval_env"))):
                self.all += 1
                item: CaseItem = CaseItem.from_parent(self, name=case.id)
                item.extra_keyword_matches.update(case.tags.values())
                yield item
        except LlmevalError as error:
            raise self.CollectError(str(error)) from None
        yield GateItem.from_parent(self, name=_GATE)

    def shared(self) -> Shared:
        """The run, made when first asked for. Selected cases, or all where only the gate is
        selected.
        """
        runs = self.config.stash[_RUNS]
        if self.path not in runs:
            try:
                runs[self.path] = self._run()
            except Exception as error:
                runs[self.path] = _Failed(error)
        found = runs[self.path]
        if isinstance(found, _Failed):
            raise found.error
        return found

    def _run(self) -> Shared:
        from filelock import FileLock

        from llmeval.api import load_run
        from llmeval.core.records import digest
        from llmeval.suite.loader import load_suite
        from llmeval.testing import case_results, run_cases

        environment = self.config.getoption("llmeval_env")
        suite = load_suite(self.path, environment)
        part = 0 < len(self.selected) < self.all
        session = self.config.stash[_SESSION][:12]
        folder = self.config.rootpath / self.config.getoption("llmeval_reports") / suite.name
        out = folder / "selected" / session if part else folder / f"pytest-{session}"
        name = digest(str(self.path)).removeprefix("sha256:")[:16]
        with FileLock(Path(tempfile.gettempdir()) / f"llmeval-{session}-{name}.lock"):
            ready = (out / "summary.json").exists()
            only = self.selected if part else None
            run = (
                load_run(out)
                if ready
                else run_cases(self.path, environment, out, only, **self._caching())
            )
        if run.interrupted:
            raise KeyboardInterrupt
        return Shared(run, case_results(run), part)

    def _caching(self) -> dict[str, bool]:
        """What may come from the cache, as options of a run."""
        option = self.config.getoption
        return {
            "use_cache": not option("llmeval_no_cache"),
            "reuse": option("llmeval_reuse"),
            "refresh": option("llmeval_refresh"),
        }


class SuiteItem(pytest.Item):
    """What cases and gates have in common."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.add_marker("llmeval")

    @property
    def suite(self) -> SuiteFile:
        """Whose item this is."""
        assert isinstance(self.parent, SuiteFile)
        return self.parent

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """What is wrong with the answer, or with the suite; a traceback only for a defect of
        llmeval.
        """
        from llmeval.core.errors import LlmevalError

        if isinstance(excinfo.value, ItemFailure | LlmevalError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where it stands."""
        return self.path, None, f"{self.suite.path.name}::{self.name}"


class CaseItem(SuiteItem):
    """One case, all its metrics and repeats."""

    def runtest(self) -> None:
        """Fails if the case fails. If the gate's rules still hold, the item is xfailed."""
        found = self.suite.shared().cases.get(self.name)
        if found is None:
            pytest.skip("not asked: every rule of the gate was decided without it")
        if found.outcome == "needs_review":
            pytest.skip(found.message)
        if found.outcome == "allowed":
            pytest.xfail(f"within what the gate allows: {found.message.partition(chr(10))[0]}")
        if found.outcome != "passed":
            raise ItemFailure(found.message)


class GateItem(SuiteItem):
    """The gate's decision on the whole suite."""

    def runtest(self) -> None:
        """Fails unless the decision exits with 0; skipped where there is none."""
        from llmeval.testing import gate_trouble, reuse_told

        shared = self.suite.shared()
        decision = shared.run.decision
        if shared.part and decision is None:
            pytest.skip(
                f"{len(self.suite.selected)} of {self.suite.all} cases are selected: a part decides"
                " nothing"
            )
        message = (
            f"{shared.run.summary.suite}: {decision or 'no gate'}:"
            f" {shared.run.path / 'report.html'}"
        )
        if reused := reuse_told(shared.run):
            message += f" ({reused})"
        self.user_properties.append((_TOLD, message))
        if (trouble := gate_trouble(shared.run)) is not None:
            raise ItemFailure(f"{trouble}\nReport: {shared.run.path / 'report.html'}")
        if decision is None:
            pytest.skip(f"{shared.run.summary.gate.reason}; each case counts by itself")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """A line a suite: its decision, and where the report is."""
    reports: Iterable[Any] = (
        report for found in terminalreporter.stats.values() for report in found
    )
    message = {
        value
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == _TOLD and report.when == "call"
    }
    if message:
        terminalreporter.section("llmeval")
        for line in sorted(message):
            terminalreporter.write_line(line)
