"""`llmeval doctor --ci`: tests of the models and of the machine, before a run.

A test passes, fails, is skipped because it does not apply, or is an error because it could not be
carried out. An error is never a pass: the exit code is then 3.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from llmeval.api.machine_diagnosis import diagnose_machine
from llmeval.core.errors import ExitCode, LlmevalError, StoreError
from llmeval.core.redaction import redact
from llmeval.history.runs import of_id, recorded

if TYPE_CHECKING:
    from llmeval.core.manifest import Manifest
    from llmeval.runner.plan import RunPlan
    from llmeval.suite.loader import Suite

TestState = Literal["passed", "failed", "skipped", "error"]
_MACHINE = {"python": "python", "home": "disk: home", "reports": "disk: reports", "cache": "cache"}
_SOON = 14
"""Days before the end of a certificate from which the message says so."""
_CLOCK_SLACK = timedelta(minutes=5)


@dataclass(frozen=True)
class InfrastructureTest:
    """The result of one test."""

    name: str
    """Stable, without numbers."""
    state: TestState
    detail: str
    """What was seen."""
    fix: str = ""
    """What to do; empty if the test passed."""
    seconds: float = 0.0


@dataclass(frozen=True)
class InfrastructureReport:
    """All tests of one suite."""

    suite: str
    tests: tuple[InfrastructureTest, ...]

    def count(self, state: TestState) -> int:
        """The number of tests with a state."""
        return sum(test.state == state for test in self.tests)

    @property
    def exit_code(self) -> ExitCode:
        """3 if a test could not be carried out or none passed, 1 if one failed, else 0."""
        if self.count("error") or not self.count("passed"):
            return ExitCode.INVALID
        return ExitCode.GATE_FAILED if self.count("failed") else ExitCode.PASS

    def document(self) -> dict[str, object]:
        """The report as JSON."""
        states: tuple[TestState, ...] = ("passed", "failed", "error", "skipped")
        return {
            "suite": self.suite,
            "ok": self.exit_code == ExitCode.PASS,
            "counts": {state: self.count(state) for state in states},
            "tests": [asdict(test) for test in self.tests],
        }


def run_infrastructure_tests(
    suite: "Suite", reports: Path, max_latency: float = 10.0
) -> InfrastructureReport:
    """Test everything that a run of the suite needs. Models are called, without the cache.

    Args:
        suite: the suite.
        reports: the folder of the runs.
        max_latency: seconds that one answer of the candidate may take.

    Raises:
        SuiteError: the suite is not valid.
    """
    from llmeval.runner.options import Options
    from llmeval.runner.plan import plan

    tests = list(_machine(reports))
    tests.append(_tried("clock", lambda: _clock(suite, reports)))
    tests.append(_tried("versions", lambda: _versions(suite, reports)))
    planned = plan(suite, Options(use_cache=False, reports=reports))
    tests += _certificates(planned)
    tests += asyncio.run(_models(planned, max_latency))
    return InfrastructureReport(suite.name, tuple(tests))


def _tried(name: str, test: Callable[[], InfrastructureTest]) -> InfrastructureTest:
    """The result of a test; a crash is an error of that test."""
    started = time.perf_counter()
    try:
        return test()
    except Exception as error:
        reason = redact(str(error)) if isinstance(error, LlmevalError) else type(error).__name__
        return InfrastructureTest(
            name,
            "error",
            f"could not be carried out: {reason}",
            "correct this first; the result is not known",
            time.perf_counter() - started,
        )


def _machine(reports: Path) -> Iterator[InfrastructureTest]:
    for each in diagnose_machine(reports):
        if each.what in _MACHINE:
            state: TestState = "failed" if each.state == "bad" else "passed"
            yield InfrastructureTest(_MACHINE[each.what], state, each.detail, each.fix)


def _clock(suite: "Suite", reports: Path) -> InfrastructureTest:
    """The clock must not be before the newest stored run, certificate or commit of the package."""
    now = datetime.now(UTC)
    seen = {"llmeval was installed": _installed()}
    newest = next((m for _, m, _ in recorded(reports) if m.suite == suite.name), None)
    if newest is not None:
        seen[f"the run {newest.run_id} started"] = _moment(newest.started)
    latest = max(seen, key=lambda name: seen[name])
    if now + _CLOCK_SLACK < seen[latest]:
        return InfrastructureTest(
            "clock",
            "failed",
            f"it is {now:%Y-%m-%dT%H:%MZ}, before {latest} ({seen[latest]:%Y-%m-%dT%H:%MZ})",
            "set the clock: ids of runs, expiry dates and certificates depend on it",
        )
    return InfrastructureTest("clock", "passed", f"{now:%Y-%m-%dT%H:%MZ}, after {latest}")


def _installed() -> datetime:
    import llmeval

    return datetime.fromtimestamp(Path(llmeval.__file__).stat().st_mtime, UTC)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _versions(suite: "Suite", reports: Path) -> InfrastructureTest:
    """The software of this process against that of the baseline."""
    from llmeval.runner.manifest import software_record

    before = _baseline_manifest(suite, reports)
    if before is None:
        return InfrastructureTest(
            "versions",
            "skipped",
            "the suite names no baseline, or its run is not below the folder of the runs",
        )
    now, then = software_record(), before.llmeval
    pairs = {
        "llmeval": (then.version, now.version),
        "python": (_minor(then.python), _minor(now.python)),
        **{name: (old, now.packages.get(name, "absent")) for name, old in then.packages.items()},
    }
    differing = [f"{name} {a} -> {b}" for name, (a, b) in pairs.items() if a != b]
    if differing:
        return InfrastructureTest(
            "versions",
            "failed",
            f"other software than the baseline {before.run_id}: {', '.join(differing)}",
            "install the same versions, or approve a baseline made with these",
        )
    return InfrastructureTest("versions", "passed", f"the same as the baseline {before.run_id}")


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _baseline_manifest(suite: "Suite", reports: Path) -> "Manifest | None":
    from llmeval.gate.baseline import read_baseline
    from llmeval.store.directory import RunDir

    regression = suite.spec.gate.regression
    stated = None if regression is None else regression.baseline
    if stated is None:
        return None
    path = suite.base / stated
    if not path.exists():
        return None
    run = path if path.is_dir() else of_id(read_baseline(path).run_id, reports)
    return None if run is None else RunDir(run).manifest()


def _certificates(planned: "RunPlan") -> Iterator[InfrastructureTest]:
    for name, trust in planned.trusts.items():
        stated = planned.suite.judge(name).certificate
        if stated is None:
            yield InfrastructureTest(
                f"certificate: {name}", "skipped", "the judge names no certificate"
            )
            continue
        yield _tried(
            f"certificate: {name}",
            lambda name=name, stated=stated, trust=trust: _certificate(  # type: ignore[misc]
                name, planned.suite.base / stated, trust.state == "TRUSTED", trust.reason
            ),
        )


def _certificate(name: str, path: Path, trusted: bool, reason: str) -> InfrastructureTest:
    from llmeval.judges.assurance.certificate import read_certificate

    certificate = read_certificate(path)
    test = f"certificate: {name}"
    if not trusted:
        return InfrastructureTest(test, "failed", reason, "llmeval judge certify (docs/trust.md)")
    age = ""
    with suppress(ValueError):
        age = f", {(datetime.now(UTC) - _moment(certificate.made)).days} days old"
    left = ""
    with suppress(ValueError):
        days = (date.fromisoformat(certificate.expires[:10]) - datetime.now(UTC).date()).days
        left = f"; ends in {days} days: certify again" if days <= _SOON else f", {days} days left"
    return InfrastructureTest(test, "passed", f"TRUSTED{age}{left}")


async def _models(planned: "RunPlan", max_latency: float) -> Sequence[InfrastructureTest]:
    """The tests that call models. Closes the plan."""
    from llmeval.api.model_tests import candidate_tests, judge_tests

    try:
        return [
            *await candidate_tests(planned, max_latency),
            *await judge_tests(planned),
        ]
    finally:
        with suppress(StoreError):
            await planned.close()
