"""Retired cases: cases of the baseline that were removed from the suite, or changed, on purpose.
Each has a reason.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pydantic import Field

from llmeval.core.records import Case
from llmeval.core.results import Retired
from llmeval.suite.entries import EntryFile, day_of, entries_of, read_document
from llmeval.suite.loader import Suite
from llmeval.suite.strict import Name, Strict
from llmeval.suite.yaml_file import Document

FILE = EntryFile("retired", "retired.yaml", "{case, reason, owner}, with date and suite if needed")


class RetiredEntry(Strict):
    """One retired case of the baseline: the gate does not count it as missing."""

    case: str | int = Field(description="The case's id in the baseline.")
    reason: str = Field(min_length=1, description="Why it was removed or changed.")
    owner: str = Field(min_length=1, description="Who retired it.")
    date: str | None = Field(
        default=None,
        pattern=r"^\d{4}-\d{2}-\d{2}$",
        description="The day it was retired, such as 2027-01-31.",
    )
    suite: Name | None = Field(
        default=None, description="Only for this suite, where several share the file."
    )


class Retirement(NamedTuple):
    """The retired cases of a suite, and the line of each entry."""

    cases: tuple[Retired, ...] = ()
    document: Document | None = None
    rows: Mapping[str, int] = {}


def read_retired(suite: Suite) -> Retirement:
    """The suite's entries, from `gate.retired` or the retired.yaml next to it.

    Raises:
        SuiteError: the file is missing or wrong, or names a case twice; with file and line.
    """
    document = read_document(suite, FILE)
    if document is None:
        return Retirement()
    entries, rows = dict[str, Retired](), dict[str, int]()
    for number, entry in enumerate(entries_of(document, RetiredEntry, FILE)):
        case_id = str(entry.case)
        if entry.suite not in (None, suite.name):
            continue
        if case_id in entries:
            raise document.error((number, "case"), f"{case_id!r} is listed twice")
        if entry.date is not None:
            day_of(document, (number, "date"), entry.date)
        entries[case_id] = Retired(
            case_id=case_id, reason=entry.reason, owner=entry.owner, date=entry.date
        )
        rows[case_id] = number
    return Retirement(tuple(entries.values()), document, rows)


def refuse_asked(
    suite: Suite, retired: Retirement, cases: Iterable[Case], before: Mapping[str, str]
) -> None:
    """Refuse an entry whose case is still in the suite: such an entry would be wrong.

    A case with other content than in the baseline may be retired: the entry then retires the
    baseline's content.

    Args:
        suite, retired: the suite and its entries.
        cases: the suite's; read only where there is an entry.
        before: the first 16 hex digits of each case's digest in the baseline, by id; empty without
            a baseline.

    Raises:
        SuiteError: such an entry; with file and line.
    """
    if retired.document is None:
        return
    for case in cases:
        same = before.get(case.id) in (None, case.digest.removeprefix("sha256:")[:16])
        if case.id in retired.rows and same:
            raise retired.document.error(
                (retired.rows[case.id], "case"),
                f"{suite.name} still has {case.id!r}, so it is not retired; remove the entry or the"
                " case, or name the suite that the entry belongs to: `suite: NAME`",
            )
