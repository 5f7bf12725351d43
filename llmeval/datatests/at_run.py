"""The data tests at the beginning of a run: the cheap rules, on a bounded number of cases."""

from collections import Counter
from collections.abc import Callable
from itertools import islice

from llmeval.core.data_record import AcceptedDefect, DataCheckRecord, OpenDefect
from llmeval.core.errors import LlmevalError
from llmeval.data.cases import CaseSet
from llmeval.datatests.accepted import AcceptedEntry
from llmeval.datatests.check import CasesRead, CheckOptions, DataReport, check_cases
from llmeval.datatests.findings import SuiteCase
from llmeval.datatests.suite_cases import reader_of
from llmeval.suite.loader import Suite

MOST_CASES = 2000
"""The most cases that are read: about half a second of CPU."""
_LEFT_OUT = frozenset(["D019"])
"""The gate itself compares the cases of a run with its baseline."""


def data_record(suite: Suite, cases: CaseSet) -> DataCheckRecord:
    """The result of the cheap data tests for the manifest of a run.

    A test that can't be carried out does not prevent the run. The record says so.

    Args:
        cases: of the run. Its whole source is read, also the cases outside a sample.
    """
    n = min(cases.of, MOST_CASES)

    def read(add: Callable[[SuiteCase], None]) -> CasesRead:
        reader = reader_of(suite)
        count = 0
        for case in islice(cases.everything(), n):
            add(reader.read(case))
            count += 1
        return CasesRead(count, "", complete=count == cases.of)

    try:
        report = check_cases(suite, CheckOptions(fast=True, without=_LEFT_OUT), read)
    except LlmevalError as error:
        return DataCheckRecord(cases=0, of=cases.of, failed=str(error))
    return _record(report, cases.of)


def _record(report: DataReport, of: int) -> DataCheckRecord:
    counted = Counter((each.rule, each.level) for each in report.findings)
    first: dict[tuple[str, str], str] = {}
    for each in report.findings:
        first.setdefault((each.rule, each.level), each.message)
    return DataCheckRecord(
        cases=report.cases,
        of=of,
        rules=tuple(rule for rule in report.rules if rule not in report.not_applicable),
        open=tuple(
            OpenDefect(rule=key[0], level=key[1], findings=n, first=first[key])
            for key, n in counted.items()
        ),
        accepted=_accepted(report),
        digest=report.digest,
    )


def _accepted(report: DataReport) -> tuple[AcceptedDefect, ...]:
    entries: dict[int, AcceptedEntry] = {}
    counted: Counter[int] = Counter()
    for each in report.accepted:
        entries[id(each.entry)] = each.entry
        counted[id(each.entry)] += 1
    return tuple(
        AcceptedDefect(
            rule=entry.rule,
            findings=counted[key],
            reason=entry.reason,
            by=entry.by,
            until=entry.until,
        )
        for key, entry in entries.items()
    )
