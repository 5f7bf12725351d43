"""The engine of `llmeval data check`: the tests of one suite, without the accepted findings."""

import hashlib
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec

from llmeval.core.errors import LlmevalError, UsageError
from llmeval.core.records import canonical_json
from llmeval.datatests.accepted import AcceptedFinding, AcceptedFindings, read_accepted
from llmeval.datatests.applicable import Applicable
from llmeval.datatests.duplicates import Duplicates
from llmeval.datatests.findings import CasePlace, DataFinding, SuiteCase
from llmeval.datatests.own_rules import OwnDataTest, own_id
from llmeval.datatests.rules import RULES, DataRule, RuleInputs
from llmeval.datatests.stored_runs import StoredRuns
from llmeval.datatests.suite_cases import read_cases
from llmeval.suite.loader import Suite
from llmeval.suite.strict import nearest


class RuleBroken(LlmevalError):
    """A data test crashed. The other findings would not be complete, so none is reported."""


@dataclass(frozen=True)
class DataReport:
    """The findings on one suite."""

    suite: Suite
    cases: int
    cases_digest: str
    rules: tuple[str, ...]
    """Ids of the rules that ran."""
    findings: tuple[DataFinding, ...]
    """Open findings: errors first, then warnings, then information."""
    accepted: tuple[AcceptedFinding, ...] = ()
    """Findings that a person accepted."""
    not_applicable: Mapping[str, str] = field(default_factory=dict)
    """By rule, why it tested nothing. Such a rule has not passed."""
    levels: Mapping[str, str] = field(default_factory=dict)
    """Levels of rules that `<suite>.data.yaml` sets."""
    clusters: tuple[tuple[CasePlace, ...], ...] = ()
    """Proposed clusters."""

    @property
    def counts(self) -> dict[str, int]:
        """Number of open findings by level."""
        by_level = Counter(finding.level for finding in self.findings)
        return {level: by_level[level] for level in ("error", "warn", "info")}

    @property
    def failed(self) -> bool:
        """Whether there is an open finding of level error."""
        return any(finding.level == "error" for finding in self.findings)

    @property
    def digest(self) -> str:
        """sha256 of the findings, open and accepted, so that evidence can name them."""
        rows = [
            [f.rule, f.level, list(f.cases), list(f.case_digests)]
            for f in (*self.findings, *(each.finding for each in self.accepted))
        ]
        return "sha256:" + hashlib.sha256(canonical_json(rows)).hexdigest()

    def document(self) -> dict[str, object]:
        """The report as JSON."""
        return {
            "suite": self.suite.name,
            "file": str(self.suite.path),
            "cases": self.cases,
            "cases_digest": self.cases_digest,
            "rules": list(self.rules),
            "counts": self.counts,
            "digest": self.digest,
            "not_applicable": dict(self.not_applicable),
            "levels": dict(self.levels),
            "findings": [_plain(each) for each in self.findings],
            "accepted": [
                {
                    **_plain(each.finding),
                    "reason": each.entry.reason,
                    "by": each.entry.by,
                    "until": each.entry.until,
                }
                for each in self.accepted
            ],
        }


def _plain(finding: DataFinding) -> dict[str, object]:
    return {**msgspec.structs.asdict(finding), "fingerprint": finding.fingerprint}


@dataclass(frozen=True)
class CheckOptions:
    """What `llmeval data check` may be told."""

    fast: bool = False
    """Only the rules that need no check of the suite, no run and no corpus."""
    only: frozenset[str] = frozenset()
    """Ids of rules; empty: all."""
    without: frozenset[str] = frozenset()
    """Ids of rules that do not run."""
    reports: Path | None = None
    """The folder of the runs; None: stored runs are not read."""
    against: Path | None = None
    """A corpus for D005."""
    baseline: Path | None = None
    """A lock file for D019."""
    today: date = field(default_factory=lambda: datetime.now(UTC).date())


_ORDER = {"error": 0, "warn": 1, "info": 2}


def check_data(suite: Suite, options: CheckOptions | None = None) -> DataReport:
    """Run the data tests of a suite.

    Raises:
        SuiteError: the suite, a case or the file of accepted findings is not valid.
        UsageError: no such rule.
        NothingEvaluated: the suite has no case.
        RuleBroken: a rule crashed; names the rule.
    """
    tests = DataTests(suite, options or CheckOptions())
    cases = read_cases(suite, tests.add)
    return last_step(tests.report(cases.digest))


def last_step(steps: Generator[None, None, DataReport]) -> DataReport:
    """The result of steps that are all done now."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            report: DataReport = end.value
            return report


class DataTests:
    """The data tests of a suite. They get the cases one by one, and then make their report.

    Raises:
        SuiteError: the file of accepted findings is not valid. UsageError: no such rule.
    """

    def __init__(self, suite: Suite, options: CheckOptions) -> None:
        self._suite, self._options = suite, options
        self._accepted = read_accepted(suite)
        rules = _selected(options, self._accepted)
        inputs = RuleInputs(
            suite, options.reports, options.against, options.baseline, options.today
        )
        self._tests = [(rule, rule.make(inputs)) for rule in rules]
        self._digests: dict[str, str] = {}
        self._applicable = Applicable(inputs)
        self.cases = 0
        """How many cases were added."""

    def add(self, case: SuiteCase) -> None:
        """Read one case.

        Raises:
            RuleBroken: a rule crashed; names the rule and the case.
        """
        self._applicable.add(case)
        self._digests[case.place.id] = case.place.digest
        self.cases += 1
        for rule, test in self._tests:
            with _named(rule, f" at {case.place.source}"):
                test.add(case)

    def report(
        self, cases_digest: str, *, complete: bool = True
    ) -> Generator[None, None, DataReport]:
        """Compare the cases, in short steps. Returns the report after the last one.

        Args:
            cases_digest: of all cases.
            complete: whether all cases of the source were added.

        Raises:
            RuleBroken: a rule crashed; names the rule.
        """
        results: list[DataFinding] = []
        for rule, test in self._tests:
            with _named(rule, ""):
                for each in test.findings():
                    if each is not None:
                        results.append(each)
                    yield
        ran = tuple(rule_id for rule, _ in self._tests for rule_id in rule.ids)
        levels = self._accepted.levels
        opened, closed = self._accepted.apply(
            _leveled(results, levels, self._options.only),
            self._digests,
            self._options.today,
            frozenset(ran if complete else ()),
        )
        tests = [test for _, test in self._tests]
        return DataReport(
            suite=self._suite,
            cases=self.cases,
            cases_digest=cases_digest,
            rules=ran,
            findings=tuple(sorted(opened, key=_place_in_report)),
            accepted=tuple(closed),
            levels=levels,
            not_applicable=self._applicable.reasons(
                ran, next((test.runs for test in tests if isinstance(test, StoredRuns)), None)
            ),
            clusters=tuple(
                tuple(places)
                for test in tests
                if isinstance(test, Duplicates)
                for places in test.proposals
            ),
        )


def _place_in_report(finding: DataFinding) -> tuple[int, str]:
    return _ORDER[finding.level], finding.rule


@contextmanager
def _named(rule: DataRule, where: str) -> Iterator[None]:
    """Give a crash the name of its rule."""
    try:
        yield
    except LlmevalError:
        raise
    except Exception as error:
        raise RuleBroken(
            f"the data test {'/'.join(rule.ids)} crashed{where}: {type(error).__name__}: {error}."
            " Leave it out with --rules, and report this as a defect of llmeval"
        ) from error


def _selected(options: CheckOptions, accepted: AcceptedFindings) -> list[DataRule]:
    levels, rules = accepted.levels, (*RULES, *map(_own, accepted.rules))
    rule_ids = sorted(rule_id for rule in rules for rule_id in rule.ids)
    for rule_id in (*options.only, *levels):
        if rule_id not in rule_ids:
            raise UsageError(f"there is no data test {rule_id!r}; {nearest(rule_id, rule_ids)}")
    return [
        rule
        for rule in rules
        if (not options.only or options.only.intersection(rule.ids))
        and not (options.fast and rule.slow)
        and options.without.isdisjoint(rule.ids)
        and any(levels.get(rule_id) != "off" for rule_id in rule.ids)
    ]


def _own(name: str) -> DataRule:
    """An own rule. `--fast` and runs leave it out, because its cost is not known."""
    return DataRule((own_id(name),), lambda inputs: OwnDataTest(inputs.suite, name), slow=True)


def _leveled(
    findings: Sequence[DataFinding], levels: Mapping[str, str], only: frozenset[str]
) -> list[DataFinding]:
    """The findings of the selected rules, with the levels that the user sets."""
    return [
        msgspec.structs.replace(finding, level=levels.get(finding.rule, finding.level))
        for finding in findings
        if levels.get(finding.rule) != "off" and (not only or finding.rule in only)
    ]
