"""The data tests of a run: the cheap rules, on a bounded number of cases."""

from collections import Counter
from collections.abc import Generator
from itertools import islice

from llmeval.core.data_record import AcceptedDefect, DataCheckRecord, OpenDefect
from llmeval.core.errors import LlmevalError
from llmeval.data.cases import CaseSet
from llmeval.datatests.accepted import AcceptedEntry
from llmeval.datatests.check import CheckOptions, DataReport, DataTests
from llmeval.datatests.suite_cases import reader_of
from llmeval.suite.loader import Suite

MOST_CASES = 2000
"""The most cases that are read: about half a second of CPU."""
_LEFT_OUT = frozenset(["D019"])
"""The gate itself compares the cases of a run with its baseline."""


def data_steps(suite: Suite, cases: CaseSet) -> Generator[None, None, DataCheckRecord]:
    """The data tests in short steps, so that a run can carry them out while its calls wait.

    A test that can't be carried out does not prevent the run. The record says so.

    Args:
        suite: of the run.
        cases: of the run. Its whole source is read, also the cases outside a sample.

    Returns:
        The record for the manifest, after the last step. A step takes less than a millisecond, but
        for a few of about 20 ms.
    """
    try:
        tests = DataTests(suite, CheckOptions(fast=True, without=_LEFT_OUT))
        reader = reader_of(suite)
        for case in islice(cases.everything(), MOST_CASES):
            tests.add(reader.read(case))
            yield
        report = yield from tests.report("", complete=tests.cases == cases.of)
        return _record(report, cases.of)
    except LlmevalError as error:
        return DataCheckRecord(cases=0, of=cases.of, failed=str(error))
    except Exception as error:  # a defect of a test must not cost the answers of the run
        return DataCheckRecord(cases=0, of=cases.of, failed=f"{type(error).__name__}: {error}")


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
